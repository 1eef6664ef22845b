package embedtest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
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
	credentials     aws.Credentials
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

// verify returns nil if the request is signed as it must be, and otherwise the refusal of an AWS front end.
func (v verifier) verify(r *http.Request, body []byte) *serviceError {
	auth, refusal := parseAuthorization(r)
	if refusal != nil {
		return refusal
	}
	signedAt, refusal := v.verifyDate(r, auth)
	if refusal != nil {
		return refusal
	}
	if refusal := v.verifyScope(auth, signedAt); refusal != nil {
		return refusal
	}
	if refusal := v.verifyIdentity(r, auth); refusal != nil {
		return refusal
	}
	if refusal := verifySignedHeaders(r, auth); refusal != nil {
		return refusal
	}
	canonical, refusal := canonicalRequest(r, body, auth)
	if refusal != nil {
		return refusal
	}
	scope := strings.Join([]string{auth.date, auth.region, auth.service, auth.ending}, "/")
	stringToSign := strings.Join([]string{signingAlgorithm, signedAt.Format(amzDateFormat), scope, hexSHA256([]byte(canonical))}, "\n")
	if !hmac.Equal([]byte(sign(v.credentials.SecretAccessKey, auth, stringToSign)), []byte(auth.signature)) {
		return refuse(http.StatusForbidden, "InvalidSignatureException",
			"the signature does not match; the canonical request that was computed here is %q", printable(canonical))
	}
	return nil
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
func (v verifier) verifyDate(r *http.Request, auth authorization) (signedAt time.Time, refusal *serviceError) {
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

// verifyIdentity checks the access key and session token, and that the token cannot be exchanged.
func (v verifier) verifyIdentity(r *http.Request, auth authorization) *serviceError {
	tokens := r.Header.Values("X-Amz-Security-Token")
	switch {
	case auth.accessKeyID != v.credentials.AccessKeyID:
		return refuse(http.StatusForbidden, "UnrecognizedClientException", "the access key %q is not known here", auth.accessKeyID)
	case len(tokens) > 1:
		return refuse(http.StatusForbidden, "UnrecognizedClientException", "the request has more than one session token")
	case len(tokens) == 0 && v.credentials.SessionToken != "":
		return refuse(http.StatusForbidden, "UnrecognizedClientException", "the access key needs a session token, and the request has none")
	case len(tokens) == 1 && tokens[0] != v.credentials.SessionToken:
		return refuse(http.StatusForbidden, "UnrecognizedClientException", "the session token is not that of the access key")
	case v.credentials.CanExpire && !v.now.Before(v.credentials.Expires):
		return refuse(http.StatusForbidden, "ExpiredTokenException", "the session token expired at %s", v.credentials.Expires.UTC().Format(time.RFC3339))
	}
	return nil
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

// canonicalRequest puts the request, as it came in, into the form that is signed.
func canonicalRequest(r *http.Request, body []byte, auth authorization) (string, *serviceError) {
	query, err := canonicalQuery(r.URL.RawQuery)
	if err != nil {
		return "", refuse(http.StatusForbidden, "InvalidSignatureException", "the query cannot be read: %v", err)
	}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	var canonical strings.Builder
	fmt.Fprintf(&canonical, "%s\n%s\n%s\n", r.Method, escape(path, "/"), query)
	for _, name := range auth.signedHeaders {
		values := slices.Clone(r.Header.Values(name))
		if name == "host" {
			values = []string{r.Host}
		}
		if len(values) == 0 || name != strings.ToLower(name) {
			return "", refuse(http.StatusForbidden, "InvalidSignatureException", "the signed header %q is not in the request", name)
		}
		for i, value := range values {
			values[i] = strings.TrimSpace(strings.Join(strings.FieldsFunc(value, isSpace), " "))
		}
		fmt.Fprintf(&canonical, "%s:%s\n", name, strings.Join(values, ","))
	}
	fmt.Fprintf(&canonical, "\n%s\n%s", strings.Join(auth.signedHeaders, ";"), hexSHA256(body))
	return canonical.String(), nil
}

func isSpace(r rune) bool { return r == ' ' }

// canonicalQuery sorts the parameters by their escaped names and values, so that their order does not matter.
func canonicalQuery(raw string) (string, error) {
	var parameters []string
	for _, parameter := range strings.Split(raw, "&") {
		if parameter == "" {
			continue
		}
		name, value, _ := strings.Cut(parameter, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return "", err
		}
		value, err = url.QueryUnescape(value)
		if err != nil {
			return "", err
		}
		// A NUL sorts a name before longer ones that begin with it.
		parameters = append(parameters, escape(name, "")+"\x00"+escape(value, ""))
	}
	slices.Sort(parameters)
	return strings.ReplaceAll(strings.Join(parameters, "&"), "\x00", "="), nil
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

func sign(secret string, auth authorization, stringToSign string) string {
	key := []byte("AWS4" + secret)
	for _, part := range []string{auth.date, auth.region, auth.service, auth.ending} {
		key = hmacSHA256(key, part)
	}
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

// printable is a canonical request for an error message: not too long, and without the session token.
func printable(canonical string) string {
	const most = 4 << 10
	lines := strings.Split(canonical, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "x-amz-security-token:") {
			lines[i] = "x-amz-security-token:REDACTED"
		}
	}
	canonical = strings.Join(lines, "\n")
	if len(canonical) > most {
		return canonical[:most] + "…"
	}
	return canonical
}
