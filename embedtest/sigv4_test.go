package embedtest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testVerifier is a verifier that knows one signer.
type testVerifier struct {
	verifier
	by signer
}

func (v *testVerifier) credentials() *aws.Credentials { return &v.by.Credentials }

// refusalOf returns the refusal of the request, or nil if it is accepted.
func refusalOf(v testVerifier, r *http.Request, body []byte) *serviceError {
	v.find = func(accessKeyID string) *signer {
		if accessKeyID != v.by.Credentials.AccessKeyID {
			return nil
		}
		return &v.by
	}
	_, refusal := v.verify(r, body)
	return refusal
}

// listUsers is the worked example of the AWS documentation, with the signature that it publishes.
func listUsers() (*http.Request, testVerifier) {
	r := httptest.NewRequest(http.MethodGet, "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "+
		"SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")
	return r, testVerifier{
		verifier{regions: []string{"us-east-1"}, service: "iam", now: time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)},
		signer{Identity: Identity{Credentials: aws.Credentials{
			AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		}}},
	}
}

func TestVerifyAcceptsThePublishedSignature(t *testing.T) {
	r, v := listUsers()
	assert.Nil(t, refusalOf(v, r, nil))
}

func TestVerifyAcceptsWhatAWSAccepts(t *testing.T) {
	for name, change := range map[string]func(*http.Request, *testVerifier){
		"another order of parameters": func(r *http.Request, _ *testVerifier) { r.URL.RawQuery = "Version=2010-05-08&Action=ListUsers" },
		"empty parameters":            func(r *http.Request, _ *testVerifier) { r.URL.RawQuery = "Action=ListUsers&&Version=2010-05-08&" },
		"an unsigned header":          func(r *http.Request, _ *testVerifier) { r.Header.Set("User-Agent", "x") },
		"white space in a header": func(r *http.Request, _ *testVerifier) {
			r.Header.Set("Content-Type", "  application/x-www-form-urlencoded;   charset=utf-8 ")
		},
		"an unsigned hash of the payload": func(r *http.Request, _ *testVerifier) { r.Header.Set("X-Amz-Content-Sha256", hexSHA256(nil)) },
		"a tab that was signed as a space": func(r *http.Request, _ *testVerifier) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded;\tcharset=utf-8")
		},
		"a ; in a query, which does not separate": func(r *http.Request, v *testVerifier) {
			r.URL.RawQuery = "Action=ListUsers;x"
			resign(r, v)
		},
		"no space behind the commas": func(r *http.Request, _ *testVerifier) {
			r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), ", ", ","))
		},
		"14 minutes early": func(_ *http.Request, v *testVerifier) { v.now = v.now.Add(-14 * time.Minute) },
		"14 minutes late":  func(_ *http.Request, v *testVerifier) { v.now = v.now.Add(14 * time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			r, v := listUsers()
			change(r, &v)
			assert.Nil(t, refusalOf(v, r, nil))
		})
	}
}

// resign signs the request again as the verifier expects, except for the mistakes.
func resign(r *http.Request, v *testVerifier, mistakes ...func(*canonicalRequest)) {
	auth, _ := parseAuthorization(r)
	canonical, _ := canonicalParts(r, nil, auth, " ")
	for _, mistake := range mistakes {
		mistake(&canonical)
	}
	signature := sign(v.credentials().SecretAccessKey, auth, v.now, canonical.String())
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), auth.signature, signature, 1))
}

func TestVerifyRefuses(t *testing.T) {
	const (
		incomplete   = "400 IncompleteSignatureException"
		missing      = "403 MissingAuthenticationTokenException"
		invalid      = "403 InvalidSignatureException"
		unrecognized = "403 UnrecognizedClientException"
		expired      = "403 ExpiredTokenException"
	)
	replace := func(old, new string) func(*http.Request, *testVerifier) {
		return func(r *http.Request, _ *testVerifier) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		}
	}
	for name, test := range map[string]struct {
		change func(*http.Request, *testVerifier)
		want   string
		says   string
	}{
		"another method":              {func(r *http.Request, _ *testVerifier) { r.Method = "POST" }, invalid, "the signature does not match"},
		"another path":                {func(r *http.Request, _ *testVerifier) { r.URL.Path = "/x" }, invalid, "the signature does not match"},
		"another parameter":           {func(r *http.Request, _ *testVerifier) { r.URL.RawQuery = "Action=ListRoles&Version=2010-05-08" }, invalid, "the signature does not match"},
		"a parameter more":            {func(r *http.Request, _ *testVerifier) { r.URL.RawQuery += "&x=y" }, invalid, "the signature does not match"},
		"a parameter fewer":           {func(r *http.Request, _ *testVerifier) { r.URL.RawQuery = "Action=ListUsers" }, invalid, "the signature does not match"},
		"a query that is no query":    {func(r *http.Request, _ *testVerifier) { r.URL.RawQuery += "&x=%zz" }, invalid, "the query cannot be read"},
		"another host":                {func(r *http.Request, _ *testVerifier) { r.Host = "evil.example" }, invalid, "the signature does not match"},
		"another signed header":       {func(r *http.Request, _ *testVerifier) { r.Header.Set("Content-Type", "text/plain") }, invalid, "the signature does not match"},
		"a signed header twice":       {func(r *http.Request, _ *testVerifier) { r.Header.Add("Content-Type", "text/plain") }, invalid, "the signature does not match"},
		"a signed header that is not": {func(r *http.Request, _ *testVerifier) { r.Header.Del("Content-Type") }, invalid, `the signed header "content-type" is not in the request`},
		"another date":                {func(r *http.Request, _ *testVerifier) { r.Header.Set("X-Amz-Date", "20150830T123601Z") }, invalid, "the signature does not match"},
		"no date":                     {func(r *http.Request, _ *testVerifier) { r.Header.Del("X-Amz-Date") }, incomplete, "the request has 0 X-Amz-Date headers, and must have one"},
		"a date that is none":         {func(r *http.Request, _ *testVerifier) { r.Header.Set("X-Amz-Date", "today") }, incomplete, `the X-Amz-Date "today" must be of the form 20060102T150405Z`},
		"a date with a fraction":      {func(r *http.Request, _ *testVerifier) { r.Header.Set("X-Amz-Date", "20150830T123600.5Z") }, incomplete, "must be of the form"},
		"a date of the extended form": {func(r *http.Request, _ *testVerifier) { r.Header.Set("X-Amz-Date", "2015-08-30T12:36:00Z") }, incomplete, "must be of the form"},
		"a date of another zone":      {func(r *http.Request, _ *testVerifier) { r.Header.Set("X-Amz-Date", "20150830T123600+0000") }, incomplete, "must be of the form"},
		"two dates":                   {func(r *http.Request, _ *testVerifier) { r.Header.Add("X-Amz-Date", "20150830T123600Z") }, incomplete, "has 2 X-Amz-Date headers"},
		"unsorted headers":            {replace("content-type;host", "host;content-type"), incomplete, "SignedHeaders must be sorted, and has host before content-type"},
		"a signed header named twice": {replace("host;", "host;host;"), incomplete, "SignedHeaders has host twice"},
		"a header and a query signed": {func(r *http.Request, _ *testVerifier) { r.URL.RawQuery += "&X-Amz-Signature=5d" }, incomplete, "one in the query: it must have one"},
		"no host":                     {func(r *http.Request, _ *testVerifier) { r.Host = "" }, incomplete, "has no Host header"},
		"16 minutes early":            {func(_ *http.Request, v *testVerifier) { v.now = v.now.Add(-16 * time.Minute) }, invalid, "16m0s off the server's time"},
		"16 minutes late":             {func(_ *http.Request, v *testVerifier) { v.now = v.now.Add(16 * time.Minute) }, invalid, "16m0s off the server's time"},
		"another secret":              {func(_ *http.Request, v *testVerifier) { v.credentials().SecretAccessKey = "another-access-key" }, invalid, "the signature does not match"},
		"another access key":          {func(_ *http.Request, v *testVerifier) { v.credentials().AccessKeyID = "x" }, unrecognized, `the access key "AKIDEXAMPLE" is not known here, or was revoked: each server has keys of its own`},
		"another region":              {replace("us-east-1", "eu-west-1"), invalid, `the region "eu-west-1", and must have "us-east-1"`},
		"another service":             {replace("/iam/", "/sts/"), invalid, `the service "sts", and must have "iam"`},
		"another scope date":          {replace("/20150830/", "/20150829/"), invalid, `the date "20150829", and must have "20150830"`},
		"another ending":              {replace("aws4_request", "aws5_request"), invalid, `the ending "aws5_request"`},
		"another signature":           {replace("Signature=5d", "Signature=5e"), invalid, "the signature does not match"},
		"a signature in upper case":   {replace("Signature=5d", "Signature=5D"), invalid, "the signature does not match"},
		"an unsigned host":            {replace("host;", ""), invalid, "the Host header must be signed"},
		"an unsigned date":            {replace(";x-amz-date", ""), invalid, "the X-Amz-Date header must be signed"},
		"a header name in upper case": {replace("content-type;", "Content-Type;"), invalid, `the signed header "Content-Type" is not in the request`},
		"no authorization":            {func(r *http.Request, _ *testVerifier) { r.Header.Del("Authorization") }, missing, "it has no Authorization header"},
		"two authorizations":          {func(r *http.Request, _ *testVerifier) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, incomplete, "has 2 Authorization headers"},
		"another algorithm":           {replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), incomplete, "must begin with"},
		"no credential":               {replace("Credential=", "X="), incomplete, "has no Credential"},
		"no signed headers":           {replace("SignedHeaders=", "X="), incomplete, "has no SignedHeaders"},
		"no signature":                {replace("Signature=", "X="), incomplete, "has no Signature"},
		"a field twice":               {replace("SignedHeaders=", "Signature=x, SignedHeaders="), incomplete, "has Signature twice"},
		"half a credential":           {replace("/iam/aws4_request", ""), incomplete, "the Credential must be"},
		"an X-Amz header more":        {func(r *http.Request, _ *testVerifier) { r.Header.Set("X-Amz-Target", "x") }, invalid, "the X-Amz-Target header must be signed"},
		"a Date header alone": {func(r *http.Request, _ *testVerifier) {
			r.Header.Del("X-Amz-Date")
			r.Header.Set("Date", "Sun, 30 Aug 2015 12:36:00 GMT")
		}, incomplete, "a Date header does not take its place"},
		"a signature in the query": {func(r *http.Request, _ *testVerifier) {
			r.Header.Del("Authorization")
			r.URL.RawQuery += "&X-Amz-Signature=5d"
		}, incomplete, "a signature in the query is not accepted"},
		"an unexpected token": {func(r *http.Request, _ *testVerifier) { r.Header.Set("X-Amz-Security-Token", "x") }, unrecognized, "the session token is not that of the access key"},
		"two tokens":          {func(r *http.Request, _ *testVerifier) { r.Header["X-Amz-Security-Token"] = []string{"x", "y"} }, unrecognized, "more than one session token"},
		"a missing token":     {func(_ *http.Request, v *testVerifier) { v.credentials().SessionToken = "x" }, unrecognized, "needs a session token"},
		"an unsigned token": {func(r *http.Request, v *testVerifier) {
			v.credentials().SessionToken = "x"
			r.Header.Set("X-Amz-Security-Token", "x")
		}, invalid, "the X-Amz-Security-Token header must be signed"},
		"a token that expired": {func(_ *http.Request, v *testVerifier) {
			v.credentials().CanExpire, v.credentials().Expires = true, v.now
		}, expired, "the session token expired at 2015-08-30T12:36:00Z"},
		"a body that is signed": {func(*http.Request, *testVerifier) {}, invalid, "the signature does not match"},
	} {
		t.Run(name, func(t *testing.T) {
			r, v := listUsers()
			test.change(r, &v)
			var body []byte
			if name == "a body that is signed" {
				body = []byte("not the empty body")
			}
			refusal := refusalOf(v, r, body)
			require.NotNil(t, refusal)
			assert.Equal(t, test.want, fmt.Sprint(refusal.status, " ", refusal.code))
			assert.Contains(t, refusal.message, test.says)
		})
	}
}

func TestVerifyAcceptsWhatTheCoreSigns(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"nothing special":    func(*http.Request) {},
		"white space inside": func(r *http.Request) { r.Header.Set("X-Custom", "a\tb   c ") },
		"values":             func(r *http.Request) { r.Header["X-Custom"] = []string{"b", " a "} },
		"an escaped path":    func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/a b/é/x", "/a%20b/%C3%A9/x" },
		"an odd query":       func(r *http.Request) { r.URL.RawQuery = "b=%2F&b=-&a=x+y&c=&%C3%A9=~" },
	} {
		t.Run(name, func(t *testing.T) {
			_, v := listUsers()
			v.credentials().SessionToken = "token"
			r := httptest.NewRequest(http.MethodGet, "https://iam.amazonaws.com/", nil)
			change(r)
			require.NoError(t, v4.NewSigner().SignHTTP(context.Background(), *v.credentials(), r, hexSHA256(nil), v.service, v.regions[0], v.now))
			assert.Nil(t, refusalOf(v, r, nil))
		})
	}
}

func TestRefusalNamesTheMistake(t *testing.T) {
	for name, test := range map[string]struct {
		mistake func(*http.Request, *canonicalRequest)
		want    string
	}{
		"the path once":    {func(r *http.Request, p *canonicalRequest) { p.path = r.URL.EscapedPath() }, "it is for the path escaped once"},
		"the query as is":  {func(r *http.Request, p *canonicalRequest) { p.query = r.URL.RawQuery }, "it is for the query in the order and escapes of the request"},
		"a space as +":     {func(_ *http.Request, p *canonicalRequest) { p.query = strings.ReplaceAll(p.query, "%20", "+") }, "it is for a + for each space of the query"},
		"a + as a plus":    {func(_ *http.Request, p *canonicalRequest) { p.query = strings.ReplaceAll(p.query, "c%20d", "c%2Bd") }, "it is for a + that means a plus, and AWS reads a + in a query as a space: send a plus as %2B"},
		"unsigned payload": {func(_ *http.Request, p *canonicalRequest) { p.bodySHA256 = "UNSIGNED-PAYLOAD" }, "it is for an unsigned payload"},
		"no port":          {func(_ *http.Request, p *canonicalRequest) { p.headers = strings.Replace(p.headers, ":8443", "", 1) }, "it is for the Host header without its port"},
		"none of these":    {func(_ *http.Request, p *canonicalRequest) { p.method = "PUT" }, "either the secret key or the client's canonical request is another one"},
	} {
		t.Run(name, func(t *testing.T) {
			r, v := listUsers()
			r.Host = "localhost:8443"
			r.URL.Path, r.URL.RawPath, r.URL.RawQuery = "/a b", "/a%20b", "b=x%20y&a=/&plus=c+d"
			resign(r, &v, func(p *canonicalRequest) { test.mistake(r, p) })
			message := refusalOf(v, r, nil).message
			assert.Contains(t, message, "the signature does not match: "+test.want)
			assert.Regexp(t, `; the canonical request that was computed here is "GET\\n.*"$`, message, "which comes last")
		})
	}
}

func TestRefusalIsNotLong(t *testing.T) {
	r, v := listUsers()
	r.URL.RawQuery = "x=" + strings.Repeat("%22", 10000)
	assert.Less(t, len(refusalOf(v, r, nil).message), 10000)
}

func TestCanonicalQuery(t *testing.T) {
	for raw, want := range map[string]string{
		"":                          "",
		"b=2&a=1":                   "a=1&b=2",
		"a=2&a=1":                   "a=1&a=2",
		"a-b=1&a=2":                 "a=2&a-b=1",
		"a=/&a=-":                   "a=%2F&a=-",
		"a=x%20y&b=x+y":             "a=x%20y&b=x%20y",
		"a=1;b=2":                   "a=1%3Bb%3D2",
		"a=%7e~%2b":                 "a=~~%2B",
		"a":                         "a=",
		"é=" + url.QueryEscape("é"): "%C3%A9=%C3%A9",
	} {
		got, err := canonicalQuery(raw)
		require.NoError(t, err)
		assert.Equal(t, want, got, raw)
	}
}
