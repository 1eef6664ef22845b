package quicksightembed

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/smithy-go/logging"
)

const redacted = "REDACTED"

// redactURL hides a URL's user info and query, where passwords and authorization codes are. It does not parse: what is
// malformed is shown to people too, in a FieldError.
func redactURL(s string) string {
	if path, _, ok := strings.Cut(s, "?"); ok {
		s = path + "?" + redacted
	}
	start := strings.Index(s, "//")
	if start < 0 {
		return s
	}
	start += len("//")
	if at := strings.LastIndexByte(s[start:], '@'); at >= 0 {
		s = s[:start] + redacted + s[start+at:]
	}
	return s
}

// quoteValue returns s redacted, quoted and cut to 128 bytes, for a FieldError.
func quoteValue(s string) string {
	const most = 128
	s = redactURL(s)
	quoted := strconv.Quote(s)
	if len(quoted) <= most {
		return quoted
	}
	for i := range s {
		next := strconv.Quote(s[:i] + "…")
		if len(next) > most {
			break
		}
		quoted = next
	}
	return quoted
}

// hideSecrets removes the request's session token and signature from what came back for it: AWS explains a wrong signature
// by quoting the request, token included.
func (r *reply) hideSecrets(text string) string {
	if token := r.request.Header.Get("X-Amz-Security-Token"); token != "" {
		text = strings.ReplaceAll(text, token, redacted)
	}
	if _, signature, ok := strings.Cut(r.request.Header.Get("Authorization"), "Signature="); ok && signature != "" {
		text = strings.ReplaceAll(text, signature, redacted)
	}
	return text
}

// urlQuery matches from the question mark of a URL, as it is or as JSON, URLs and HTML write it, to the URL's end.
var urlQuery = regexp.MustCompile(`(?i)(\?|\\u003f|%3f|&#63;|&#x3f;)(\\.|[^\s"'<>\\])*`)

// printableBody returns at most the first bytes of the reply's body, without the secrets of the request and of any URL.
func (r *reply) printableBody(most int) []byte {
	body := r.body
	// Encoded anew, a secret has one spelling only.
	var value any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&value) == nil && !decoder.More() {
		var normal bytes.Buffer
		encoder := json.NewEncoder(&normal)
		encoder.SetEscapeHTML(false)
		if encoder.Encode(value) == nil {
			body = bytes.TrimSpace(normal.Bytes())
		}
	}
	text := urlQuery.ReplaceAllString(r.hideSecrets(string(body)), "?"+redacted)
	return []byte(text[:min(len(text), most)])
}

// logRequest logs the request as ClientLogMode asks for.
func logRequest(logger logging.Logger, o *Options, req *http.Request) {
	if o.ClientLogMode.IsSigning() {
		scope, _, _ := strings.Cut(req.Header.Get("Authorization"), "Signature=")
		logger.Logf(logging.Debug, "Signed at %s: %sSignature=%s", req.Header.Get("X-Amz-Date"), scope, redacted)
	}
	if o.ClientLogMode.IsRequest() || o.ClientLogMode.IsRequestWithBody() {
		logger.Logf(logging.Debug, "Request\n%s %s HTTP/1.1\nHost: %s\n%s", req.Method, req.URL.RequestURI(), req.URL.Host, headerText(req.Header))
	}
}

// logReply logs the reply as ClientLogMode asks for.
func logReply(logger logging.Logger, o *Options, r *reply) {
	withBody := o.ClientLogMode.IsResponseWithBody()
	if !withBody && !o.ClientLogMode.IsResponse() {
		return
	}
	text := r.hideSecrets(headerText(r.response.Header))
	if withBody {
		text += "\n" + string(r.printableBody(maxReplyBytes))
	}
	logger.Logf(logging.Debug, "Response\n%s %s\n%s", r.response.Proto, r.response.Status, text)
}

// headerText writes a header without the values that are secret.
func headerText(header http.Header) string {
	var text strings.Builder
	redactHeader(header).Write(&text)
	return text.String()
}

func redactHeader(header http.Header) http.Header {
	shown := header.Clone()
	for _, secret := range []string{"Authorization", "X-Amz-Security-Token", "Set-Cookie"} {
		if shown.Get(secret) != "" {
			shown.Set(secret, redacted)
		}
	}
	for i, location := range shown["Location"] {
		shown["Location"][i] = redactURL(location)
	}
	return shown
}

// hideRequestSecrets takes the signature and the token off the request that a response, and so an error, leads to. The
// request itself stays as it is: the HTTP client may still hold it.
func hideRequestSecrets(resp *http.Response) {
	if resp.Request != nil {
		resp.Request = resp.Request.WithContext(resp.Request.Context())
		resp.Request.Header = redactHeader(resp.Request.Header)
	}
}
