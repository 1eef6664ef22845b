package quicksightembed

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode"

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

// In text of any kind, a URL's user info, and its query from the question mark on, both as they are and as JSON, URLs and
// HTML write them.
var (
	urlUserInfo = regexp.MustCompile(`(:(?:\\?/){2})[^\s"'<>/@]*@`)
	urlQuery    = regexp.MustCompile(`(?i)(?:\?|\\u003f|%3f|&#63;|&#x3f;)(?:\\.|[^\s"'<>\\])*?(?:=|\\u003d|%3d|&#61;|&#x3d;)(?:\\.|[^\s"'<>\\])*`)
)

// hideSecrets removes from what came back the secrets of URLs, and the request's session token and signature: AWS explains
// a wrong signature by quoting the request, token included.
func (r reply) hideSecrets(text string) string {
	text = hideToken(text, r.request.Header.Get("X-Amz-Security-Token"))
	if _, signature, ok := strings.Cut(r.request.Header.Get("Authorization"), "Signature="); ok && signature != "" {
		text = strings.ReplaceAll(text, signature, redacted)
	}
	text = urlUserInfo.ReplaceAllString(text, "${1}"+redacted+"@")
	return urlQuery.ReplaceAllString(text, "?"+redacted)
}

// hideToken removes a token from text, where its letters and digits stand as they are, and what is between them may be
// escaped as JSON, URLs or HTML do. One with more such runs than those of AWS, which are Base64, is removed as it is alone:
// its expression would take long to compile, or be too large.
func hideToken(text, token string) string {
	const mostRuns = 512
	runs := strings.FieldsFunc(token, func(c rune) bool { return c > unicode.MaxASCII || !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	switch {
	case len(runs) == 0 || !strings.Contains(text, runs[0]):
		return text
	case len(runs) > mostRuns:
		return strings.ReplaceAll(text, token, redacted)
	}
	const between = `(?:[^A-Za-z0-9]|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}|&#?\w+;)*`
	return regexp.MustCompile(strings.Join(runs, between)).ReplaceAllString(text, redacted)
}

// printableBody returns at most the first bytes of the reply's body, without secrets.
func (r reply) printableBody(most int) []byte {
	text := r.hideSecrets(string(r.body))
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
func logReply(logger logging.Logger, o *Options, r reply) {
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

// headerText writes a header without the values that are secret whatever they are.
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

// hideRequestSecrets takes the header, with signature and token, off the request that a response leads to, and through it
// an error and the output's metadata. The request itself stays as it is: the HTTP client may still hold it.
func hideRequestSecrets(resp *http.Response) {
	if req := resp.Request; req != nil {
		resp.Request = &http.Request{Method: req.Method, URL: req.URL, Host: req.Host}
	}
}
