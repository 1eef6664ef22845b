package embedtest

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// This file verifies AWS Signature Version 4, written from its documentation and not from a signer:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

const (
	signingAlgorithm = "AWS4-HMAC-SHA256"
	amzDateFormat    = "20060102T150405Z"
	dateWindow       = 15 * time.Minute
)

// verifier knows whom it accepts and for what.
type verifier struct {
	identities      []Identity
	roleSessions    *roleSessions // further ones
	region, service string
	now             time.Time
}

// authorization is what an Authorization header says.
type authorization struct {
	accessKeyID                   string
	date, region, service, ending string // the scope of the signing key
	signedHeaders                 []string
	signature                     string
}

// verify returns the identity that signed the request, or else the refusal of an AWS front end.
func (v verifier) verify(r *http.Request, body []byte) (*Identity, *serviceError) {
	auth, refusal := parseAuthorization(r)
	if refusal != nil {
		return nil, refusal
	}
	signedAt, refusal := v.verifyDate(r)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := v.verifyScope(auth, signedAt); refusal != nil {
		return nil, refusal
	}
	identity, refusal := v.findIdentity(r, auth)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := verifySignedHeaders(r, auth); refusal != nil {
		return nil, refusal
	}
	parts, refusal := canonicalParts(r, body, auth)
	if refusal != nil {
		return nil, refusal
	}
	matches := func(p canonicalRequest) bool {
		return hmac.Equal([]byte(sign(identity.Credentials.SecretAccessKey, auth, signedAt, p.String())), []byte(auth.signature))
	}
	if !matches(parts) {
		return nil, refuse(http.StatusForbidden, "InvalidSignatureException",
			"the signature does not match%s; the canonical request that was computed here is %q; where the client's is the same, its secret key is another", hint(r, parts, matches), printable(parts.String()))
	}
	return identity, nil
}

// hint says of a signature that does not match which common mistake it would match with.
func hint(r *http.Request, parts canonicalRequest, matches func(canonicalRequest) bool) string {
	for _, mistake := range []struct {
		name string
		make func(*canonicalRequest)
	}{
		{"the path escaped once, where all services but S3 escape it twice", func(p *canonicalRequest) { p.path = r.URL.EscapedPath() }},
		{"the query in the order and escapes of the request", func(p *canonicalRequest) { p.query = r.URL.RawQuery }},
		{"a + for each space of the query", func(p *canonicalRequest) { p.query = strings.ReplaceAll(p.query, "%20", "+") }},
		{"the Host header without its port", func(p *canonicalRequest) {
			if host, _, err := net.SplitHostPort(r.Host); err == nil {
				p.headers = strings.Replace(p.headers, "host:"+r.Host+"\n", "host:"+host+"\n", 1)
			}
		}},
		{"an unsigned payload, which S3 alone takes", func(p *canonicalRequest) { p.bodySHA256 = "UNSIGNED-PAYLOAD" }},
		{"no payload", func(p *canonicalRequest) { p.bodySHA256 = hexSHA256(nil) }},
	} {
		mistaken := parts
		mistake.make(&mistaken)
		if mistaken != parts && matches(mistaken) {
			return ": it is for " + mistake.name
		}
	}
	return ""
}

func parseAuthorization(r *http.Request) (auth authorization, refusal *serviceError) {
	incomplete := func(format string, args ...any) (authorization, *serviceError) {
		return authorization{}, refuse(http.StatusBadRequest, "IncompleteSignatureException", format, args...)
	}
	values := r.Header.Values("Authorization")
	switch {
	case len(values) == 0 && r.URL.Query().Has("X-Amz-Signature"):
		return incomplete("a signature in the query is not accepted: it must be in the Authorization header")
	case len(values) == 0:
		return auth, refuse(http.StatusForbidden, "MissingAuthenticationTokenException", "the request is not signed: it has no Authorization header")
	case len(values) > 1:
		return incomplete("the request has %d Authorization headers, and must have one", len(values))
	}
	fields, ok := strings.CutPrefix(values[0], signingAlgorithm+" ")
	if !ok {
		return incomplete("the Authorization header must begin with %q", signingAlgorithm+" ")
	}
	parts := map[string]string{}
	for _, field := range strings.Split(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		if _, twice := parts[name]; twice {
			return incomplete("the Authorization header has %s twice", name)
		}
		parts[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parts[name] == "" {
			return incomplete("the Authorization header has no %s", name)
		}
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 {
		return incomplete("the Credential must be {access key}/{date}/{region}/{service}/aws4_request")
	}
	return authorization{
		accessKeyID: scope[0], date: scope[1], region: scope[2], service: scope[3], ending: scope[4],
		signedHeaders: strings.Split(parts["SignedHeaders"], ";"),
		signature:     parts["Signature"],
	}, nil
}

// verifyDate returns the time that the request is signed for.
func (v verifier) verifyDate(r *http.Request) (signedAt time.Time, refusal *serviceError) {
	header := "X-Amz-Date"
	value := r.Header.Get(header)
	if value == "" {
		header = "Date"
		value = r.Header.Get(header)
	}
	signedAt, err := time.Parse(amzDateFormat, value)
	if err != nil && header == "Date" {
		signedAt, err = http.ParseTime(value)
	}
	if err != nil {
		return signedAt, refuse(http.StatusBadRequest, "IncompleteSignatureException",
			"the request must have an X-Amz-Date header of the form %s, or a Date header", amzDateFormat)
	}
	if skew := v.now.Sub(signedAt).Abs(); skew > dateWindow {
		return signedAt, refuse(http.StatusForbidden, "InvalidSignatureException",
			"the request is signed for %s, which is %s off the server's time, %s: at most %s is accepted",
			signedAt.UTC().Format(amzDateFormat), skew.Round(time.Second), v.now.UTC().Format(amzDateFormat), dateWindow)
	}
	return signedAt.UTC(), nil
}

func (v verifier) verifyScope(auth authorization, signedAt time.Time) *serviceError {
	for _, part := range []struct{ name, got, want string }{
		{"date", auth.date, signedAt.Format("20060102")},
		{"region", auth.region, v.region},
		{"service", auth.service, v.service},
		{"ending", auth.ending, "aws4_request"},
	} {
		if part.got != part.want {
			return refuse(http.StatusForbidden, "InvalidSignatureException",
				"the credential scope has the %s %q, and must have %q", part.name, part.got, part.want)
		}
	}
	return nil
}

// findIdentity finds whose access key and session token the request has.
func (v verifier) findIdentity(r *http.Request, auth authorization) (*Identity, *serviceError) {
	var identity *Identity
	if index := slices.IndexFunc(v.identities, func(i Identity) bool { return i.Credentials.AccessKeyID == auth.accessKeyID }); index >= 0 {
		identity = &v.identities[index]
	} else if identity = v.roleSessions.find(auth.accessKeyID); identity == nil {
		return nil, refuse(http.StatusForbidden, "UnrecognizedClientException", "the access key %q is not known here", auth.accessKeyID)
	}
	credentials, tokens := identity.Credentials, r.Header.Values("X-Amz-Security-Token")
	switch {
	case len(tokens) > 1:
		return nil, refuse(http.StatusForbidden, "UnrecognizedClientException", "the request has more than one session token")
	case len(tokens) == 0 && credentials.SessionToken != "":
		return nil, refuse(http.StatusForbidden, "UnrecognizedClientException", "the access key needs a session token, and the request has none")
	case len(tokens) == 1 && tokens[0] != credentials.SessionToken:
		return nil, refuse(http.StatusForbidden, "UnrecognizedClientException", "the session token is not that of the access key")
	case credentials.CanExpire && !v.now.Before(credentials.Expires):
		return nil, refuse(http.StatusForbidden, "ExpiredTokenException", "the session token expired at %s", credentials.Expires.UTC().Format(time.RFC3339))
	}
	return identity, nil
}

// verifySignedHeaders checks that what must be signed is: Host, the date and every X-Amz-… header.
func verifySignedHeaders(r *http.Request, auth authorization) *serviceError {
	required := []string{"Host"}
	if r.Header.Get("X-Amz-Date") == "" {
		required = append(required, "Date")
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-") {
			required = append(required, name)
		}
	}
	slices.Sort(required)
	for _, name := range required {
		if !slices.Contains(auth.signedHeaders, strings.ToLower(name)) {
			return refuse(http.StatusForbidden, "InvalidSignatureException", "the %s header must be signed", name)
		}
	}
	return nil
}

// canonicalRequest is a request in the form that is signed.
type canonicalRequest struct {
	method, path, query    string
	headers, signedHeaders string // a line for each signed header; their names
	bodySHA256             string
}

func (c canonicalRequest) String() string {
	return strings.Join([]string{c.method, c.path, c.query, c.headers, c.signedHeaders, c.bodySHA256}, "\n")
}

// canonicalParts puts the request, as it came in, into canonical form.
func canonicalParts(r *http.Request, body []byte, auth authorization) (canonical canonicalRequest, refusal *serviceError) {
	query, err := canonicalQuery(r.URL.RawQuery)
	if err != nil {
		return canonical, refuse(http.StatusForbidden, "InvalidSignatureException", "the query cannot be read: %v", err)
	}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	var headers strings.Builder
	for _, name := range auth.signedHeaders {
		values := slices.Clone(r.Header.Values(name))
		if name == "host" {
			values = []string{r.Host}
		}
		if len(values) == 0 || name != strings.ToLower(name) {
			return canonical, refuse(http.StatusForbidden, "InvalidSignatureException", "the signed header %q is not in the request", name)
		}
		for i, value := range values {
			values[i] = strings.TrimSpace(strings.Join(strings.FieldsFunc(value, isSpace), " "))
		}
		fmt.Fprintf(&headers, "%s:%s\n", name, strings.Join(values, ","))
	}
	return canonicalRequest{
		method: r.Method, path: escape(path, "/"), query: query,
		headers: headers.String(), signedHeaders: strings.Join(auth.signedHeaders, ";"),
		bodySHA256: hexSHA256(body),
	}, nil
}

func isSpace(r rune) bool { return r == ' ' }

// parameter is a query parameter, unescaped.
type parameter struct{ name, value string }

// parseQuery reads the query as it is signed, and so as the operation must read it: a + is a +, and a ; does not separate.
func parseQuery(raw string) (parameters []parameter, err error) {
	for _, pair := range strings.Split(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if name, err = url.PathUnescape(name); err != nil {
			return nil, err
		}
		if value, err = url.PathUnescape(value); err != nil {
			return nil, err
		}
		parameters = append(parameters, parameter{name, value})
	}
	return parameters, nil
}

// canonicalQuery sorts the parameters by their escaped names and values, so that their order does not matter.
func canonicalQuery(raw string) (string, error) {
	parameters, err := parseQuery(raw)
	if err != nil {
		return "", err
	}
	for i, p := range parameters {
		parameters[i] = parameter{escape(p.name, ""), escape(p.value, "")}
	}
	slices.SortFunc(parameters, func(a, b parameter) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.value, b.value))
	})
	pairs := make([]string, len(parameters))
	for i, p := range parameters {
		pairs[i] = p.name + "=" + p.value
	}
	return strings.Join(pairs, "&"), nil
}

// escape escapes every byte that is not unreserved in RFC 3986 or one of the others.
func escape(s, others string) string {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	var escaped strings.Builder
	for _, c := range []byte(s) {
		if strings.IndexByte(unreserved, c) >= 0 || strings.IndexByte(others, c) >= 0 {
			escaped.WriteByte(c)
		} else {
			fmt.Fprintf(&escaped, "%%%02X", c)
		}
	}
	return escaped.String()
}

// sign returns the signature of a canonical request.
func sign(secret string, auth authorization, signedAt time.Time, canonical string) string {
	scope := []string{auth.date, auth.region, auth.service, auth.ending}
	key := []byte("AWS4" + secret)
	for _, part := range scope {
		key = hmacSHA256(key, part)
	}
	stringToSign := strings.Join([]string{signingAlgorithm, signedAt.UTC().Format(amzDateFormat), strings.Join(scope, "/"), hexSHA256([]byte(canonical))}, "\n")
	return hex.EncodeToString(hmacSHA256(key, stringToSign))
}

func hmacSHA256(key []byte, message string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	return mac.Sum(nil)
}

func hexSHA256(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// secretParts matches a session token in a header line of a canonical request, and what a presigned URL has of one.
var secretParts = regexp.MustCompile(`(?m)(^x-amz-security-token:|X-Amz-Security-Token=|X-Amz-Signature=)[^&\s]*`)

// printable is a canonical request or a URI without secrets, and not too long for a message.
func printable(text string) string {
	const most = 4 << 10
	text = secretParts.ReplaceAllString(text, "${1}REDACTED")
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
