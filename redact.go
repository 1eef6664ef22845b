package quicksightembed

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
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

// redactBaseEndpoint hides all that could be user info, query or fragment, however malformed.
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

// hideSecrets removes from what came back the secrets of URLs, and the request's session token and signature: AWS explains
// a wrong signature by quoting the request, token included.
func (r reply) hideSecrets(text string) string {
	text = hideToken(text, r.request.Header.Get("X-Amz-Security-Token"))
	if _, signature := cutSignature(r.request); signature != "" {
		text = strings.ReplaceAll(text, signature, redacted)
	}
	return hideQueries(hideUserInfo(text))
}

// cutSignature returns what the Authorization header of a request says before its signature, and the signature.
func cutSignature(req *http.Request) (scope, signature string) {
	scope, signature, _ = strings.Cut(req.Header.Get("Authorization"), "Signature=")
	return scope, signature
}

// hideToken removes a token from text, where its letters and digits stand as they are, and what is between them may be
// escaped as JSON, URLs or HTML do.
func hideToken(text, token string) string {
	if token == "" {
		return text
	}
	text = strings.ReplaceAll(text, token, redacted)
	wanted := strings.Map(func(c rune) rune {
		if c > unicode.MaxASCII || !isLetterOrDigit(byte(c)) {
			return -1
		}
		return c
	}, token)
	if wanted == "" {
		return text
	}
	plain, positions := lettersAndDigits(text)
	var out strings.Builder
	from := 0 // in text
	for at := 0; ; {
		found := strings.Index(plain[at:], wanted)
		if found < 0 {
			break
		}
		at += found
		out.WriteString(text[from:positions[at]] + redacted)
		at += len(wanted)
		from = int(positions[at-1]) + 1
	}
	return out.String() + text[from:]
}

// lettersAndDigits returns those of text that are not part of an escape, and where each of them is.
func lettersAndDigits(text string) (plain string, positions []int32) {
	kept := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		if n := escapeAt(text[i:]); n > 0 {
			i += n
			continue
		}
		if isLetterOrDigit(text[i]) {
			kept, positions = append(kept, text[i]), append(positions, int32(i))
		}
		i++
	}
	return string(kept), positions
}

// escapeAt returns the length of the escape that text begins with, as JSON, URLs or HTML write one character, or 0.
func escapeAt(text string) int {
	isHex := func(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF") == "" }
	switch {
	case len(text) >= 6 && text[:2] == `\u` && isHex(text[2:6]):
		return 6
	case len(text) >= 3 && text[0] == '%' && isHex(text[1:3]):
		return 3
	case text[0] == '&':
		const longest = 10
		name, _, ok := strings.Cut(text[1:min(len(text), longest)], ";")
		if ok && consistsOf(strings.TrimPrefix(name, "#"), longest, "") {
			return len("&" + name + ";")
		}
	}
	return 0
}

// hideUserInfo removes what is before the @ in the host of a URL, whose slashes may be escaped as in JSON.
func hideUserInfo(text string) string {
	for _, slashes := range []string{"://", `:\/\/`} {
		parts := strings.Split(text, slashes)
		for i, part := range parts[1:] {
			host, _, _ := strings.Cut(part[:endOfURL(part)], "/")
			if at := strings.LastIndexByte(host, '@'); at >= 0 {
				parts[i+1] = redacted + part[at:]
			}
		}
		text = strings.Join(parts, slashes)
	}
	return text
}

// A question mark and an equals sign, as they are and as JSON, URLs and HTML write them.
var (
	questionMarks = []string{"?", `\u003f`, "%3f", "&#63;", "&#x3f;"}
	equalsSigns   = []string{"=", `\u003d`, "%3d", "&#61;", "&#x3d;"}
)

// hideQueries removes the queries of URLs in text of any kind.
func hideQueries(text string) string {
	var out strings.Builder
	from := 0
	for i := 0; i < len(text); {
		mark := signAt(text[i:], questionMarks)
		if mark == 0 {
			i++
			continue
		}
		end := i + mark + endOfURL(text[i+mark:])
		if hasSign(text[i+mark:end], equalsSigns) {
			out.WriteString(text[from:i] + "?" + redacted)
			from = end
		}
		i = end
	}
	return out.String() + text[from:]
}

// signAt returns the length of that of the signs which text begins with, or 0.
func signAt(text string, signs []string) int {
	for _, sign := range signs {
		if text[0] == sign[0] && len(text) >= len(sign) && strings.EqualFold(text[:len(sign)], sign) {
			return len(sign)
		}
	}
	return 0
}

func hasSign(text string, signs []string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(signs, func(sign string) bool { return strings.Contains(text, sign) })
}

// endOfURL returns where in text a URL ends: at white space, a quote, or an angle bracket that is not escaped.
func endOfURL(text string) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ' ', '\t', '\n', '\f', '\r', '"', '\'', '<', '>':
			return i
		case '\\':
			i++
		}
	}
	return len(text)
}

// hideQuoted returns an error of the HTTP client without secrets: it quotes what it cannot parse of a reply, such as a header
// line or a Location. The URL of the request, which it quotes too, has none.
func (r reply) hideQuoted(err error) error {
	cause, urlErr := err, (*url.Error)(nil)
	if errors.As(err, &urlErr) {
		cause = urlErr.Err
	}
	text := cause.Error()
	hidden := r.hideSecrets(text)
	switch {
	case hidden == text:
		return err
	case urlErr != nil:
		return &url.Error{Op: urlErr.Op, URL: urlErr.URL, Err: errors.New(hidden)}
	}
	return errors.New(hidden)
}

// printableBody returns at most the first bytes of the reply's body, without secrets.
func (r reply) printableBody(most int) []byte {
	text := r.hideSecrets(string(r.body))
	return []byte(text[:min(len(text), most)])
}

// hideRequestSecrets takes the header, with signature and token, off the request that a response leads to, and through it
// an error and the output's metadata. The request itself stays as it is: the HTTP client may still hold it.
func hideRequestSecrets(resp *http.Response) {
	if req := resp.Request; req != nil {
		resp.Request = &http.Request{Method: req.Method, URL: req.URL, Host: req.Host}
	}
}
