package quicksightembed

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// GetSessionEmbedUrlInput says for whom to open the console, and where. A nil pointer means "not given" and is not sent; a
// pointer to an empty or zero value is given, and judged. [GetSessionEmbedUrlInput.Validate] tells the rules.
type GetSessionEmbedUrlInput struct {
	// AwsAccountId is the ID of the AWS account with the QuickSight subscription: 12 digits. Required.
	AwsAccountId *string

	// EntryPoint is the page that the session opens with: one of the EntryPoint constants, or what [DashboardEntryPoint]
	// or [AnalysisEntryPoint] return. QuickSight opens its start page where it is not given.
	EntryPoint *string

	// SessionLifetimeInMinutes is how long the session lasts once the URL is opened: 15 to 600 minutes. QuickSight takes
	// 600, ten hours, where it is not given.
	SessionLifetimeInMinutes *int64

	// UserArn is the QuickSight user who the session is for,
	// arn:aws:quicksight:{region}:{account}:user/{namespace}/{user name}. Leave it out to open the session for the
	// identity whose credentials sign the call, an IAM user or a role session.
	UserArn *string
}

// GetSessionEmbedUrlOutput is the URL and what came with it.
//
// EmbedUrl is a bearer secret: who opens it first is the user. String, Format and LogValue, and so fmt, log and log/slog,
// print it without its query. Its JSON form is complete, because a backend sends it to its page; a logger that prints
// values as JSON by itself therefore shows the secret.
type GetSessionEmbedUrlOutput struct {
	// EmbedUrl is the URL for the iframe. It can be opened once, within 5 minutes; never cache it. Nil only for an
	// enveloped reply that has none; then see Id, which a gateway may leave out too.
	EmbedUrl *string

	// RequestId is the AWS request ID in the reply's body. That of its header is in ResultMetadata.
	RequestId *string

	// Status is the reply's HTTP status.
	Status int32

	// Id is the id in an enveloped reply, as gateways in front of the service send it.
	Id *string `json:",omitempty"`

	// CreatedAt is the creation time in an enveloped reply.
	CreatedAt *time.Time `json:",omitempty"`

	// ResultMetadata holds the request ID of the header (middleware.GetRequestIDMetadata of aws-sdk-go-v2/aws/middleware)
	// and the tries (retry.GetAttemptResults), as the official client sets them.
	ResultMetadata middleware.Metadata
}

// String describes the output without the query of EmbedUrl.
func (out GetSessionEmbedUrlOutput) String() string {
	text := "{"
	for _, attr := range out.attrs() {
		text += attr.Key + ":" + attr.Value.String() + " "
	}
	return strings.TrimSuffix(text, " ") + "}"
}

// Format prints String whatever the verb, so that no verb shows the query of EmbedUrl.
func (out GetSessionEmbedUrlOutput) Format(f fmt.State, _ rune) { io.WriteString(f, out.String()) }

// LogValue is the output without the query of EmbedUrl.
func (out GetSessionEmbedUrlOutput) LogValue() slog.Value { return slog.GroupValue(out.attrs()...) }

func (out GetSessionEmbedUrlOutput) attrs() (attrs []slog.Attr) {
	if out.EmbedUrl != nil {
		attrs = append(attrs, slog.String("EmbedUrl", redactURL(*out.EmbedUrl)))
	}
	if out.RequestId != nil {
		attrs = append(attrs, slog.String("RequestId", *out.RequestId))
	}
	attrs = append(attrs, slog.Int("Status", int(out.Status)))
	if out.Id != nil {
		attrs = append(attrs, slog.String("Id", *out.Id))
	}
	if out.CreatedAt != nil {
		attrs = append(attrs, slog.Time("CreatedAt", *out.CreatedAt))
	}
	return attrs
}

// requestURL returns the URL of the request for a valid input. The signer wants and writes the parameters in this order.
func requestURL(endpoint *url.URL, in *GetSessionEmbedUrlInput) url.URL {
	u := *endpoint
	u.Path = "/accounts/" + *in.AwsAccountId + "/session-embed-url"
	if prefix := endpoint.Path; prefix != "" {
		// net/url ignores a RawPath that is no escaped form of Path; where Path is one, the official client sends it as it is.
		u.RawPath = smithyhttp.JoinPath(cmp.Or(endpoint.RawPath, prefix), u.Path)
		u.Path = smithyhttp.JoinPath(prefix, u.Path)
	}
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
	u.RawQuery = string(bytes.TrimPrefix(query, []byte("&")))
	return u
}

// escapeQuery escapes as AWS does: a space is %20, never +.
func escapeQuery(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}
