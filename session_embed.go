package quicksightembed

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// GetSessionEmbedUrlInput says for whom to open the console, and where. nil fields are omitted;
// empty values are validated. [GetSessionEmbedUrlInput.Validate] has the rules.
type GetSessionEmbedUrlInput struct {
	// AwsAccountId is the ID of the AWS account with the QuickSight subscription: 12 digits.
	// Required.
	AwsAccountId *string

	// EntryPoint is the page that the session opens with: one of the EntryPoint constants, or
	// what [DashboardEntryPoint] or [AnalysisEntryPoint] return. Default: the start page.
	EntryPoint *string

	// SessionLifetimeInMinutes is how long the session lasts once the URL is opened: 15 to 600
	// minutes. Default: 600, ten hours.
	SessionLifetimeInMinutes *int64

	// UserArn is the QuickSight user whom the session is for,
	// arn:aws:quicksight:{region}:{account}:user/{namespace}/{user name}. The region is the
	// one where the account's users live, its identity region; it may differ from the region
	// of the call. Omit UserArn to open the session for the identity whose credentials sign
	// the call, an IAM user or a role session.
	UserArn *string
}

// String describes what is given of the input.
func (in GetSessionEmbedUrlInput) String() string { return describe(in.LogValue()) }

// Format prints String whatever the verb.
func (in GetSessionEmbedUrlInput) Format(f fmt.State, _ rune) { fmt.Fprint(f, in.String()) }

// LogValue is what is given of the input.
func (in GetSessionEmbedUrlInput) LogValue() slog.Value { return given(in) }

// GetSessionEmbedUrlOutput is the URL and what came with it.
//
// EmbedUrl is a bearer secret: who opens it first is the user. String, Format and LogValue, and so
// fmt, log and log/slog, print it without its query. Its JSON form is complete, because a backend
// sends it to its page; a logger that prints values as JSON by itself therefore shows the secret.
type GetSessionEmbedUrlOutput struct {
	// EmbedUrl is the URL for the iframe. It can be opened once, within 5 minutes; never cache
	// it. Behind a gateway that wraps replies, EmbedUrl can be nil, and Id is set: check it.
	EmbedUrl *string

	// RequestId is the AWS request ID in the reply's body. That of its header is in
	// ResultMetadata.
	RequestId *string

	// Status is the reply's HTTP status.
	Status int32

	// Id is the id in a reply that a gateway has wrapped.
	Id *string `json:",omitempty"`

	// CreatedAt is the creation time in a reply that a gateway has wrapped, in UTC.
	CreatedAt *time.Time `json:",omitempty"`

	// ResultMetadata has the request ID of the header (middleware.GetRequestIDMetadata of
	// aws-sdk-go-v2/aws/middleware) and the attempts (retry.GetAttemptResults), as the official
	// client sets them.
	ResultMetadata middleware.Metadata
}

// String describes the output without the query of EmbedUrl.
func (out GetSessionEmbedUrlOutput) String() string { return describe(out.LogValue()) }

// Format prints String whatever the verb, so that no verb shows the query of EmbedUrl.
func (out GetSessionEmbedUrlOutput) Format(f fmt.State, _ rune) { fmt.Fprint(f, out.String()) }

// LogValue is the output without the query of EmbedUrl.
func (out GetSessionEmbedUrlOutput) LogValue() slog.Value { return given(out) }

// given is a group of the fields of an input or output that have a value, without the query of a
// URL.
func given(inOrOut any) slog.Value {
	var attrs []slog.Attr
	value := reflect.ValueOf(inOrOut)
	for i := range value.NumField() {
		field := reflect.Indirect(value.Field(i))
		if !field.IsValid() || field.Type() == reflect.TypeFor[middleware.Metadata]() {
			continue
		}
		given := field.Interface()
		if text, ok := given.(string); ok {
			given = redactURL(text)
		}
		attrs = append(attrs, slog.Any(value.Type().Field(i).Name, given))
	}
	return slog.GroupValue(attrs...)
}

// describe writes a group in one line, {Key:value Key:value}.
func describe(group slog.Value) string {
	var texts []string
	for _, attr := range group.Group() {
		texts = append(texts, attr.Key+":"+attr.Value.String())
	}
	return "{" + strings.Join(texts, " ") + "}"
}

// newRequest makes the request of an attempt, for the attempt middleware, which then sets
// Amz-Sdk-Request. It gets a *call or, in a stack, the request that the stack has built.
func newRequest(v any) any {
	if req, inStack := v.(*smithyhttp.Request); inStack {
		return req.Clone()
	}
	c, ok := v.(*call)
	if !ok {
		return v // of a type that the steps refuse
	}
	attempt := struct { // in one allocation
		smithyhttp.Request
		request http.Request
		url     url.URL // copies: the steps and the HTTP client may change them
		headers [2]string
	}{url: c.url, headers: [2]string{c.invocationID, c.userAgent.Value()}}
	attempt.request = http.Request{
		Method: http.MethodGet, URL: &attempt.url, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Amz-Sdk-Invocation-Id": attempt.headers[0:1:1], "User-Agent": attempt.headers[1:2:2]},
	}
	req := &attempt.Request
	req.Request = &attempt.request
	// In Lambda, it sets X-Amzn-Trace-Id.
	(&awsmiddleware.RecursionDetection{}).HandleBuild(context.Background(), middleware.BuildInput{Request: req}, endOfBuild)
	return req
}

// endOfBuild lets a build middleware of the core be called as a function that sets a header.
var endOfBuild = middleware.BuildHandlerFunc(func(context.Context, middleware.BuildInput) (out middleware.BuildOutput, m middleware.Metadata, err error) {
	return out, m, nil
})

// requestUserAgent names this package beside the AWS core, and never the official client's module.
func requestUserAgent(appID string) string {
	req := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	newUserAgent(appID).HandleBuild(context.Background(), middleware.BuildInput{Request: req}, endOfBuild)
	return req.Header.Get("User-Agent")
}

func newUserAgent(appID string) *awsmiddleware.RequestUserAgent {
	agent := awsmiddleware.NewRequestUserAgent()
	agent.AddSDKAgentKeyValue(awsmiddleware.FrameworkMetadata, "quicksightembed", version)
	if appID != "" {
		agent.AddSDKAgentKey(awsmiddleware.ApplicationIdentifier, appID)
	}
	return agent
}

// requestURL returns path and query of the request for an input. The signer wants the parameters in
// this order.
func requestURL(in *GetSessionEmbedUrlInput) url.URL {
	query := make([]byte, 0, 256)
	if in.EntryPoint != nil {
		query = append(append(query, "&entry-point="...), escapeQuery(*in.EntryPoint)...)
	}
	if in.SessionLifetimeInMinutes != nil {
		query = strconv.AppendInt(append(query, "&session-lifetime="...), *in.SessionLifetimeInMinutes, 10)
	}
	if in.UserArn != nil {
		query = append(append(query, "&user-arn="...), escapeQuery(*in.UserArn)...)
	}
	path := "/accounts/" + *in.AwsAccountId + "/session-embed-url"
	return url.URL{Path: path, RawPath: path, RawQuery: strings.TrimPrefix(string(query), "&")}
}

// escapeQuery escapes as AWS does: a space is %20, never +.
func escapeQuery(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}
