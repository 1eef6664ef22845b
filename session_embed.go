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

// GetSessionEmbedUrlInput omits nil fields, and validates empty values.
type GetSessionEmbedUrlInput struct {
	// AwsAccountId is the account with the QuickSight subscription: 12 digits. Required.
	AwsAccountId *string

	// EntryPoint is the page to open: an EntryPoint constant, or what [DashboardEntryPoint] or
	// [AnalysisEntryPoint] return. Default: the start page.
	EntryPoint *string

	// SessionLifetimeInMinutes is how long the session lasts: 15 to 600 minutes. Default: 600.
	SessionLifetimeInMinutes *int64

	// UserArn is the user, arn:aws:quicksight:{region}:{account}:user/{namespace}/{user name}.
	// {account} is AwsAccountId. {region} is the account's identity region, where its users
	// live; it can differ from the region of the call. Default: the IAM identity that signs.
	UserArn *string
}

// String describes the fields that are set.
func (in GetSessionEmbedUrlInput) String() string { return describe(in.LogValue()) }

// Format prints String for every verb.
func (in GetSessionEmbedUrlInput) Format(f fmt.State, _ rune) { fmt.Fprint(f, in.String()) }

// LogValue returns the fields that are set.
func (in GetSessionEmbedUrlInput) LogValue() slog.Value { return given(in) }

// GetSessionEmbedUrlOutput is printed with EmbedUrl redacted by fmt, log and log/slog. Its JSON
// form is complete, for the page.
type GetSessionEmbedUrlOutput struct {
	// EmbedUrl is for the iframe. Whoever opens it first is the user: once, within 5 minutes.
	// Never cache it. Behind a gateway that wraps replies, it can be nil: check it.
	EmbedUrl *string

	// RequestId is the one in the reply's body. Status is the reply's HTTP status.
	RequestId *string
	Status    int32

	// Id and CreatedAt, in UTC, are set by a gateway that wraps replies.
	Id        *string    `json:",omitempty"`
	CreatedAt *time.Time `json:",omitempty"`

	// ResultMetadata has the header's request ID (middleware.GetRequestIDMetadata) and the
	// attempts (retry.GetAttemptResults).
	ResultMetadata middleware.Metadata
}

// String describes the output, with EmbedUrl redacted.
func (out GetSessionEmbedUrlOutput) String() string { return describe(out.LogValue()) }

// Format prints String for every verb.
func (out GetSessionEmbedUrlOutput) Format(f fmt.State, _ rune) { fmt.Fprint(f, out.String()) }

// LogValue returns the output, with EmbedUrl redacted.
func (out GetSessionEmbedUrlOutput) LogValue() slog.Value { return given(out) }

// given returns a group of the fields of an input or output that are set, with URLs redacted.
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

// describe returns a group as {Key:value Key:value}.
func describe(group slog.Value) string {
	var texts []string
	for _, attr := range group.Group() {
		texts = append(texts, attr.Key+":"+attr.Value.String())
	}
	return "{" + strings.Join(texts, " ") + "}"
}

// newRequest returns the request of an attempt. The attempt middleware calls it with a *call or, in
// a stack, with the request that the stack has built, and then sets Amz-Sdk-Request.
func newRequest(v any) any {
	if req, inStack := v.(*smithyhttp.Request); inStack {
		return req.Clone()
	}
	c, ok := v.(*call)
	if !ok {
		return v // the steps refuse this type
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

// endOfBuild ends a build middleware of the core that is called on its own.
var endOfBuild = middleware.BuildHandlerFunc(func(context.Context, middleware.BuildInput) (out middleware.BuildOutput, m middleware.Metadata, err error) {
	return out, m, nil
})

// requestUserAgent names this package and the AWS core, not the official client.
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

// requestURL returns path and query of the request. The signer needs the parameters in this order.
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
