package quicksightembed

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Secrets are hidden in parsed text: strings of JSON, header values, error texts. There they are
// not escaped.

const redacted = "REDACTED"

// secrets are the secret parts of a signed request.
type secrets struct{ token, signature string }

// secretsOf reads them before the request is sent: the HTTP client may change the request.
func (c *call) secretsOf(req *smithyhttp.Request) secrets {
	_, signature, _ := strings.Cut(req.Header.Get("Authorization"), "Signature=")
	return secrets{cmp.Or(c.credentials.SessionToken, req.Header.Get("X-Amz-Security-Token")), signature}
}

// hide removes queries and user info of URLs, and the secrets, plain and URL-escaped: AWS explains
// a wrong signature by quoting what was signed. If a piece of the token remains, in another form,
// hide withholds the text.
func (s secrets) hide(text string) string {
	// A shorter one is not AWS's: it is no secret, and may be a word.
	if len(s.token) >= 16 {
		text = strings.NewReplacer(s.token, redacted, url.QueryEscape(s.token), redacted).Replace(text)
		if sharePiece(text, s.token) {
			return redacted
		}
	}
	if s.signature != "" {
		text = strings.ReplaceAll(text, s.signature, redacted)
	}
	return hideURLs(text)
}

// sharePiece reports whether two texts have 8 bytes in a row in common, in linear time.
func sharePiece(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	pieces := make(map[string]bool, len(a))
	for i := 8; i <= len(a); i++ {
		pieces[a[i-8:i]] = true
	}
	for i := 8; i <= len(b); i++ {
		if pieces[b[i-8:i]] {
			return true
		}
	}
	return false
}

// hideIn returns an error of the HTTP client without secrets. It may quote the request, or parts of
// a reply. If its text changes, errors.As still finds what it wraps, such as a DNS error or a
// timeout. An error that panics, such as a url.Error without a cause, becomes the name of its type.
func (s secrets) hideIn(err error, requestURL string) (safe error) {
	defer func() {
		if recover() != nil {
			safe = &hiddenError{fmt.Errorf("%T", err), nil}
		}
	}()
	text := err.Error()
	others := strings.ReplaceAll(text, requestURL, "")
	isSafe := s.hide(others) == others
	wrapped := []error{errors.Unwrap(err)}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		wrapped = joined.Unwrap()
	}
	var parts []error
	for _, inner := range wrapped {
		if inner != nil {
			part := s.hideIn(inner, requestURL)
			_, isHidden := part.(*hiddenError)
			parts, isSafe = append(parts, part), isSafe && !isHidden
		}
	}
	if isSafe {
		return err
	}
	return &hiddenError{errors.New(s.hide(text)), parts}
}

// hiddenError is an error whose text had to change.
type hiddenError struct {
	error
	parts []error
}

// Unwrap returns the errors that were wrapped, without secrets.
func (e *hiddenError) Unwrap() []error { return e.parts }

const endsOfURL = " \t\r\n\f\"<>"

// hideURLs hides user info and query of each URL in text: passwords and authorization codes. A URL
// ends at white space, a double quote or an angle bracket, and at nothing else.
func hideURLs(text string) string {
	if !strings.ContainsAny(text, "?@") {
		return text
	}
	var hidden strings.Builder
	for text != "" {
		// The word begins with the sign that ended the last one.
		end := 1 + strings.IndexAny(text[1:], endsOfURL)
		if end == 0 {
			end = len(text)
		}
		hidden.WriteString(hideURL(text[:end]))
		text = text[end:]
	}
	return hidden.String()
}

// hideURL hides user info and query of a word that ends in a URL or a path. A slash may be escaped,
// as in JSON within a text.
func hideURL(word string) string {
	start := max(strings.Index(word, "://"), strings.Index(word, `:\/\/`))
	if path := strings.TrimLeft(word, endsOfURL+`'([{=,;:`); start < 0 && strings.HasPrefix(path, "/") {
		start = len(word) - len(path)
	}
	if start < 0 {
		return word
	}
	return word[:start] + redactURL(word[start:])
}

// redactURL hides a URL's user info and query. It does not parse the URL: a FieldError shows
// malformed ones, too.
func redactURL(s string) string {
	if path, query, _ := strings.Cut(s, "?"); query != "" {
		s = path + "?" + redacted
	}
	_, rest, ok := strings.Cut(strings.Replace(s, `\/\/`, "//", 1), "//")
	if at := strings.LastIndexByte(rest, '@'); ok && at >= 0 {
		s = s[:len(s)-len(rest)] + redacted + rest[at:]
	}
	return s
}

// redactBaseEndpoint hides all that can be user info, query or fragment, even if malformed.
func redactBaseEndpoint(base string) string {
	if at := strings.LastIndexByte(base, '@'); at >= 0 {
		base = redacted + base[at:]
	}
	if end := strings.IndexAny(base, "?#"); end >= 0 {
		base = base[:end+1] + redacted
	}
	return base
}

// quoteValue returns s redacted, quoted and cut to 128 bytes, for a FieldError.
func quoteValue(s string) string {
	const most = 128
	s = redactURL(s)
	if base, _, ok := strings.Cut(s, "#"); ok && strings.Contains(base, "://") {
		s = base + "#" + redacted
	}
	quoted := fmt.Sprintf("%q", s)
	for n := min(len(s), most); len(quoted) > most; n-- {
		quoted = fmt.Sprintf("%q", strings.ToValidUTF8(s[:n], "")+"…")
	}
	return quoted
}

// logRequest logs the request as ClientLogMode asks for.
func logRequest(logger logging.Logger, o *Options, req *smithyhttp.Request) {
	if o.ClientLogMode.IsSigning() {
		scope, _, _ := strings.Cut(req.Header.Get("Authorization"), "Signature=")
		logger.Logf(logging.Debug, "Signed at %s: %sSignature=%s", req.Header.Get("X-Amz-Date"), scope, redacted)
	}
	if o.ClientLogMode.IsRequest() || o.ClientLogMode.IsRequestWithBody() {
		logger.Logf(logging.Debug, "Request\n%s %s HTTP/1.1\nHost: %s\n%s",
			req.Method, req.URL.RequestURI(), req.URL.Host, headerText(req.Header))
	}
}

// log logs the reply as ClientLogMode asks for.
func (r *reply) log(logger logging.Logger, o *Options) {
	withBody := o.ClientLogMode.IsResponseWithBody()
	if !withBody && !o.ClientLogMode.IsResponse() {
		return
	}
	text := r.hide(headerText(r.response.Header))
	if withBody {
		text += "\n" + r.bodyText()
	}
	logger.Logf(logging.Debug, "Response\n%s %s\n%s", r.response.Proto, r.response.Status, text)
}

// headerText writes a header without the values that are always secret.
func headerText(header http.Header) string {
	shown := header.Clone()
	for _, secret := range []string{"Authorization", "X-Amz-Security-Token", "Set-Cookie"} {
		if len(shown[secret]) > 0 {
			shown[secret] = []string{redacted}
		}
	}
	var text strings.Builder
	shown.Write(&text)
	return text.String()
}

// bodyText returns a JSON body without secrets, or the start of another body. It encodes JSON
// again, so that no escapes can hide a secret.
func (r *reply) bodyText() string {
	var value any
	if json.Unmarshal(r.body, &value) != nil {
		return r.firstBytes()
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.Encode(value) // it came from JSON
	return r.hide(strings.TrimSuffix(text.String(), "\n"))
}
