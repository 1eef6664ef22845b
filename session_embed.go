package quicksightembed

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// maxReplyBytes bounds the reply that is read into memory; QuickSight's own are below 4 KiB.
const maxReplyBytes = 1 << 20

// GetSessionEmbedUrlInput is whom to show what. A nil pointer means "not given" and is not sent; a pointer to an empty or
// zero value is given, and judged. [GetSessionEmbedUrlInput.Validate] tells the rules.
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
	// enveloped reply that has none; then see Id.
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

// reply is what came back for a request.
type reply struct {
	request  *http.Request
	response *http.Response
	body     []byte
}

// readReply reads the reply to its end, which frees the connection for the next call, or to maxReplyBytes.
func readReply(req *http.Request, resp *http.Response) (r reply, err error) {
	defer resp.Body.Close()
	r = reply{request: req, response: resp}
	r.body, err = io.ReadAll(io.LimitReader(resp.Body, maxReplyBytes+1))
	if err == nil && len(r.body) > maxReplyBytes {
		err = errors.New("it is larger than 1 MiB")
	}
	return r, err
}

// decode decodes the reply into an output, or the error that it stands for.
func (r reply) decode() (*GetSessionEmbedUrlOutput, error) {
	doc, err := decodeDocument(r.body)
	success, isEnvelope := doc.envelope()
	switch {
	case isEnvelope && !success:
		return nil, r.decodeEnvelopeError(doc)
	case r.response.StatusCode < 200 || r.response.StatusCode > 299:
		return nil, r.decodeError()
	case err != nil:
		return nil, r.unreadable(err)
	}
	out := &GetSessionEmbedUrlOutput{Status: int32(r.response.StatusCode)}
	if isEnvelope {
		err = out.decodeEnvelope(doc)
	} else {
		err = out.decode(doc)
	}
	if err != nil {
		return nil, r.unreadable(err)
	}
	return out, nil
}

// decode fills the output from QuickSight's own reply.
func (out *GetSessionEmbedUrlOutput) decode(doc document) error {
	if err := cmp.Or(doc.text(&out.EmbedUrl, "EmbedUrl"), doc.text(&out.RequestId, "RequestId")); err != nil {
		return err
	}
	if aws.ToString(out.EmbedUrl) == "" {
		return errors.New("it has no EmbedUrl")
	}
	return nil
}

// decodeEnvelope fills the output from a gateway's reply. That may have no EmbedUrl, but not an empty one.
func (out *GetSessionEmbedUrlOutput) decodeEnvelope(envelope document) error {
	data, err := envelope.object("data")
	if err != nil {
		return err
	}
	if data == nil {
		return errors.New("it has no data")
	}
	var createdAt *string
	if err := cmp.Or(
		data.text(&out.Id, "id"),
		data.text(&createdAt, "created_at"),
		data.text(&out.EmbedUrl, "EmbedUrl", "embed_url"),
		data.text(&out.RequestId, "RequestId", "request_id"),
	); err != nil {
		return err
	}
	if createdAt != nil {
		parsed, err := time.Parse(time.RFC3339, *createdAt)
		if err != nil {
			return errors.New("created_at must be a time as in RFC 3339")
		}
		out.CreatedAt = &parsed
	}
	if out.EmbedUrl != nil && *out.EmbedUrl == "" {
		return errors.New("its EmbedUrl is empty")
	}
	return nil
}

// document is a JSON object. Its keys are exact, which those of a struct are not.
type document map[string]any

// decodeDocument accepts what the official client's decoder does: an empty body or null as an empty document, and
// anything behind the first JSON value.
//
// A decoder is what can do so, and costs more than to unmarshal a body that is one value and no more, as almost all are.
func decodeDocument(body []byte) (doc document, err error) {
	if json.Unmarshal(body, &doc) == nil {
		return doc, nil
	}
	doc = nil
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // a number that no float64 can hold is none of our business
	if err := decoder.Decode(&doc); err != nil && err != io.EOF {
		return nil, wrongType("it", err)
	}
	return doc, nil
}

// envelope reports whether the document is the reply of a gateway that wraps what the service says, and whether it is a
// success.
func (doc document) envelope() (success, ok bool) {
	if _, native := doc["EmbedUrl"]; native {
		return false, false
	}
	success, ok = doc["success"].(bool)
	return success, ok
}

// text points target at the text under the first of the keys that has a value. Where none has, or null, target stays as it
// is.
func (doc document) text(target **string, keys ...string) error {
	for _, key := range keys {
		switch value := doc[key].(type) {
		case nil:
			continue
		case string:
			*target = &value
			return nil
		default:
			return mustBe("a string", key, value)
		}
	}
	return nil
}

// object returns the object under the key, or nil where there is none, or null.
func (doc document) object(key string) (document, error) {
	switch value := doc[key].(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return value, nil
	default:
		return nil, mustBe("an object", key, value)
	}
}

func mustBe(want, name string, value any) error {
	is := "object"
	switch value.(type) {
	case bool:
		is = "bool"
	case float64, json.Number:
		is = "number"
	case string:
		is = "string"
	case []any:
		is = "array"
	}
	return fmt.Errorf("%s is of the type %s and must be %s", name, is, want)
}
