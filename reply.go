package quicksightembed

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/restjson"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// linkExchange links the steps that send a signed request and read its reply, the outermost first.
// They work without a stack, and are the middlewares of one.
func (c *call) linkExchange() {
	l := &c.exchange
	*l = [...]link{
		{&awsmiddleware.AddRawResponse{}, &l[1]},
		{&awshttp.ResponseErrorWrapper{}, &l[2]},
		{&awsmiddleware.RequestIDRetriever{}, &l[3]},
		{(*deserializer)(c), &l[4]},
		{&awsmiddleware.RecordResponseTiming{DisableClockSkewCorrection: c.options.DisableClockSkewCorrection}, &l[5]},
		{&smithyhttp.RequestResponseLogger{}, (*transport)(c)}, // the deserializer logs
	}
}

type link struct {
	middleware.DeserializeMiddleware
	next middleware.DeserializeHandler
}

// HandleDeserialize takes the step.
func (l *link) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
	return l.DeserializeMiddleware.HandleDeserialize(ctx, in, l.next)
}

// deserializer is the step that bounds an attempt in time, and reads and decodes the reply.
type deserializer call

// ID is the official client's.
func (*deserializer) ID() string { return "OperationDeserializer" }

// HandleDeserialize takes the step.
func (d *deserializer) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, metadata, fmt.Errorf("unknown transport type %T", in.Request)
	}
	r := reply{secrets: (*call)(d).secretsOf(req)}
	logRequest(middleware.GetLogger(ctx), d.options, req)
	if timeout := cmp.Or(d.options.AttemptTimeout, 15*time.Second); timeout > 0 {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		defer time.AfterFunc(timeout, func() { cancel(&attemptTimeoutError{timeout}) }).Stop()
	}
	out, metadata, err = next.HandleDeserialize(ctx, in)
	resp, ok := out.RawResponse.(*smithyhttp.Response)
	if ok && resp.Body != nil {
		defer resp.Body.Close()
	}
	if err != nil || !ok { // the program's middleware has answered
		return out, metadata, err
	}
	err = r.read(resp.Response)
	r.log(middleware.GetLogger(ctx), d.options)
	if err != nil {
		return out, metadata, endOf(ctx, r.unreadable(err))
	}
	out.Result, err = r.decode()
	return out, metadata, err
}

// transport sends the request of an attempt.
type transport call

// HandleDeserialize sends a copy of the request, and returns a copy of the reply, because the HTTP
// client may keep and change both. The copy's request has no header.
func (t *transport) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
	req, ok := in.Request.(*smithyhttp.Request)
	switch {
	case !ok:
		return out, metadata, fmt.Errorf("unknown transport type %T", in.Request)
	case req.Header.Get("Authorization") == "" && t.options.lacksCredentials():
		return out, metadata, &ValidationError{Fields: []FieldError{noCredentials}}
	case t.signOnly:
		t.signed = req
		return out, metadata, nil
	}
	ctx, span := tracing.StartSpan(ctx, "DoHTTPRequest")
	defer span.End()
	received := struct { // in one allocation
		smithyhttp.Response
		response http.Response
		request  http.Request
		url      url.URL
	}{url: *req.URL}
	secrets, sent := (*call)(t).secretsOf(req), req.WithContext(ctx)
	if t.inStack {
		sent = req.Build(ctx) // a copy: the program may look at req later
	}
	resp, err := t.sender.Do(sent)
	if resp == nil && err == nil {
		err = errors.New("the HTTP client returned neither a reply nor an error")
	}
	received.response = *cmp.Or(resp, &noReply)
	received.response.Header = received.response.Header.Clone()
	received.request = http.Request{Method: req.Method, URL: &received.url, Host: req.Host}
	received.response.Request = &received.request
	received.Response.Response = &received.response
	out.RawResponse = &received.Response
	if span, traced := tracing.GetSpan(ctx); traced { // the values cost time
		span.SetProperty("http.method", req.Method)
		span.SetProperty("http.request_content_length", int64(0))
		span.SetProperty("net.protocol.version", fmt.Sprintf("%d.%d", received.ProtoMajor, received.ProtoMinor))
		span.SetProperty("http.status_code", received.StatusCode)
		span.SetProperty("http.response_content_length", received.ContentLength)
	}
	if err != nil {
		err = endOf(ctx, &smithyhttp.RequestSendError{Err: secrets.hideIn(err, received.url.String())})
	}
	return out, metadata, err
}

var noReply = http.Response{Header: http.Header{}, Body: http.NoBody}

// endOf returns why the context of a failed attempt ended, or err if it did not.
func endOf(ctx context.Context, err error) error {
	var timeout *attemptTimeoutError
	switch {
	case errors.As(context.Cause(ctx), &timeout):
		return &smithyhttp.RequestSendError{Err: timeout}
	case ctx.Err() != nil:
		return &smithy.CanceledError{Err: ctx.Err()}
	}
	return err
}

// attemptTimeoutError ends an attempt while the caller's context lives.
type attemptTimeoutError struct{ after time.Duration }

// Error names the limit.
func (e *attemptTimeoutError) Error() string {
	return fmt.Sprintf("no complete reply within the attempt timeout of %s", e.after)
}

// Timeout makes the attempt's error one that aws/retry repeats.
func (e *attemptTimeoutError) Timeout() bool { return true }

// maxReplyBytes bounds the reply in memory. QuickSight's are below 4 KiB.
const maxReplyBytes = 1 << 20

// reply is the reply to a request.
type reply struct {
	secrets  // of the request
	response *http.Response
	body     []byte
}

// read reads the body to its end, which frees the connection for the next call, or to
// maxReplyBytes.
func (r *reply) read(response *http.Response) (err error) {
	r.response = response
	if response.Body == nil || response.StatusCode == http.StatusSwitchingProtocols {
		// The body of a 101 is the connection, and no context ends a read of that.
		return nil
	}
	r.body, err = io.ReadAll(io.LimitReader(response.Body, maxReplyBytes+1))
	if err == nil && len(r.body) > maxReplyBytes {
		err = errors.New("it is larger than 1 MiB")
	}
	return err
}

// document is a JSON object of a reply: QuickSight's own, the envelope of a gateway,
// {"success":true,"data":{…}} or {"success":false,"error":{…}}, or one of the objects in that.
type document struct {
	EmbedUrl, RequestId *string
	Code                string
	Type                string  `json:"__type"`
	Message             *string `json:"message"`
	OtherMessage        *string `json:"Message"`
	ResourceType        ExceptionResourceType

	Success     any // a boolean in an envelope
	Data, Error json.RawMessage

	Id             *string `json:"id"`
	CreatedAt      any     `json:"created_at"`
	SnakeEmbedUrl  *string `json:"embed_url"`
	SnakeRequestId *string `json:"request_id"`

	wrong string // names a value of a wrong type, which is ignored
}

// parse accepts what the official client's decoder does: no body, null, and anything after the
// first JSON value.
func parse(body []byte) (doc document, err error) {
	err = json.Unmarshal(body, &doc)
	if syntaxErr := (*json.SyntaxError)(nil); errors.As(err, &syntaxErr) {
		err = json.NewDecoder(bytes.NewReader(body)).Decode(&doc)
	}
	var wrong *json.UnmarshalTypeError
	switch {
	case err == io.EOF:
		return doc, nil
	case !errors.As(err, &wrong):
		return doc, err
	case wrong.Field == "":
		return doc, fmt.Errorf("it is of the type %s and must be an object", wrong.Value)
	}
	doc.wrong = fmt.Sprintf(": %s is of the type %s and must be a string", wrong.Field, wrong.Value)
	return doc, nil
}

// firstText returns the first of the texts that is not empty. A value of a wrong type is empty.
func firstText(texts ...*string) *string {
	for _, text := range texts {
		if aws.ToString(text) != "" {
			return text
		}
	}
	return nil
}

// decode returns the output or the error in the reply.
func (r *reply) decode() (output any, err error) {
	doc, err := parse(r.body)
	if err != nil {
		return nil, r.unreadable(err)
	}
	success, isBool := doc.Success.(bool)
	isEnvelope := isBool && firstText(doc.EmbedUrl) == nil
	status, header := r.response.StatusCode, r.response.Header.Get("X-Amzn-ErrorType")
	switch {
	case isEnvelope && !success: // with any status
		e := doc.envelopedError()
		return nil, r.apiError(cmp.Or(e.Code, e.Type, header, doc.Code, doc.Type), e, faults[status/100])
	case status/100 != 2:
		code := restjson.SanitizeErrorCode(cmp.Or(doc.Code, doc.Type))
		return nil, r.apiError(cmp.Or(header, code), doc, smithy.FaultUnknown)
	}
	out := &GetSessionEmbedUrlOutput{Status: int32(status)}
	if isEnvelope && doc.Data != nil {
		doc, err = parse(doc.Data)
		out.Id = firstText(doc.Id)
		doc.EmbedUrl, doc.RequestId = firstText(doc.EmbedUrl, doc.SnakeEmbedUrl), firstText(doc.RequestId, doc.SnakeRequestId)
		if at, timeErr := time.Parse(time.RFC3339, fmt.Sprint(doc.CreatedAt)); timeErr == nil {
			out.CreatedAt = aws.Time(at.UTC())
		} else if doc.CreatedAt != nil {
			err = errors.New("created_at must be a time as in RFC 3339")
		}
	}
	out.EmbedUrl, out.RequestId = firstText(doc.EmbedUrl), firstText(doc.RequestId)
	switch {
	case out.EmbedUrl != nil: // even if something else is wrong
		return out, nil
	case err != nil:
		return nil, r.unreadable(fmt.Errorf("it has no EmbedUrl, and in its data: %w", err))
	case out.Id == nil:
		return nil, r.unreadable(errors.New("it has no EmbedUrl" + doc.wrong))
	}
	return out, nil
}

// envelopedError returns the error in an envelope: an object or a message. The envelope around it
// has what is missing in it.
func (doc document) envelopedError() document {
	var text string
	json.Unmarshal(doc.Error, &text)
	e, _ := parse(doc.Error)
	e.Message = firstText(&text, e.Message, e.OtherMessage, doc.Message, doc.OtherMessage)
	e.RequestId = firstText(e.RequestId, doc.RequestId)
	e.ResourceType = cmp.Or(e.ResourceType, doc.ResourceType)
	return e
}

// faults are the faults by the first digit of a status.
var faults = map[int]smithy.ErrorFault{4: smithy.FaultClient, 5: smithy.FaultServer}

// apiError returns the error for a code: an exception, or a generic error.
func (r *reply) apiError(code string, doc document, fault smithy.ErrorFault) error {
	code = restjson.SanitizeErrorCode(cmp.Or(code, "UnknownError"))
	doc.Message = firstText(doc.Message, doc.OtherMessage)
	message := r.hide(aws.ToString(doc.Message))
	if doc.Message != nil {
		doc.Message = &message
	}
	if exception := newException(code, doc); exception != nil {
		return exception
	}
	return &smithy.GenericAPIError{Code: r.hide(code), Message: cmp.Or(message, "UnknownError"), Fault: fault}
}

// unreadable is the error for a reply that cannot be decoded.
func (r *reply) unreadable(err error) error {
	what := fmt.Sprintf("content type %q", r.response.Header.Get("Content-Type"))
	const madeUp = "https://amazonaws.com/badhttpredirectlocation" // by the AWS core
	location := r.response.Header.Get("Location")
	if r.response.StatusCode/100 == 3 && location != "" && location != madeUp {
		what = fmt.Sprintf("a redirect to %q, which is not followed", redactURL(location))
	}
	start, quoted := r.firstBytes(), ""
	if start != "" {
		quoted = fmt.Sprintf(", in %.100q", start)
	}
	return &smithy.DeserializationError{
		Err:      fmt.Errorf("the reply (%s) cannot be used: %w%s", r.hide(what), r.hideIn(err, ""), quoted),
		Snapshot: []byte(start),
	}
}

// firstBytes returns the start of a body that is not JSON, to recognize a proxy's page. It omits
// JSON, in which escapes could hide a secret.
func (r *reply) firstBytes() string {
	text := strings.TrimSpace(string(r.body[:min(len(r.body), 4096)]))
	if text == "" || strings.ContainsRune(`{["`, rune(text[0])) {
		return ""
	}
	text = r.hide(text)
	return strings.ToValidUTF8(text[:min(len(text), 1024)], "")
}
