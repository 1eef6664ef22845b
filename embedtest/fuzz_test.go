package embedtest

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"
)

// signedParts are the parts of a request that a signature covers, read by hand. Requests with equal
// parts ask for the same.
type signedParts struct {
	Method, Path, Host string
	Query              url.Values
	Headers            [][]string // the values of each signed header
	Body               string
}

func partsOf(t *testing.T, r *http.Request, body []byte, signed []string) (parts signedParts) {
	t.Helper()
	parts = signedParts{Method: r.Method, Path: r.URL.Path, Host: r.Host, Body: string(body)}
	query, err := parseQuery(r.URL.RawQuery)
	require.NoError(t, err)
	for _, values := range query {
		slices.Sort(values)
	}
	parts.Query = query
	for _, name := range signed {
		if name == "host" {
			continue
		}
		var values []string
		// Several values are the same as one with commas.
		for _, value := range strings.Split(strings.Join(r.Header.Values(name), ","), ",") {
			values = append(values, fold(value, " \t"))
		}
		parts.Headers = append(parts.Headers, values)
	}
	return parts
}

// read reads a request off the wire, as net/http does for the server.
func read(wire []byte) (r *http.Request, body []byte, ok bool) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
	if err != nil {
		return nil, nil, false
	}
	body, err = io.ReadAll(io.LimitReader(r.Body, maxBodyBytes))
	return r, body, err == nil
}

// FuzzSignature changes a correctly signed request in any place. It looks for a change that verify
// accepts although the request asks for something else, and for one that causes a panic.
func FuzzSignature(f *testing.F) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	credentials := aws.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "s3cr3tACCESSKEY", SessionToken: "token/+=="}
	v := verifier{regions: []string{"us-east-1"}, service: "quicksight", now: at, find: func(accessKeyID string) *signer {
		if accessKeyID != credentials.AccessKeyID {
			return nil
		}
		return &signer{Identity: Identity{Credentials: credentials}}
	}}

	genuine := httptest.NewRequest(http.MethodGet, "http://localhost:8080"+
		"/accounts/111122223333/session-embed-url?entry-point=%2Fstart&session-lifetime=60&user-arn=arn%3Aaws%3Aquicksight%3Aus-east-1%3A111122223333%3Auser%2Fdefault%2Fjane%20doe", nil)
	genuine.Header.Set("X-Amz-Custom", "two  words")
	require.NoError(f, v4.NewSigner().SignHTTP(context.Background(), credentials, genuine, hexSHA256(nil), v.service, v.regions[0], at))
	var wire bytes.Buffer
	require.NoError(f, genuine.Write(&wire))
	text := wire.String()

	f.Add([]byte(text))
	for _, change := range [][2]string{
		{"GET", "DELETE"}, {"accounts", "account"}, {"jane", "root"}, {"%20doe", "+doe"}, {"two  words", "two\twords"}, {"jane%20", "jane%2B"}, {"%20doe", "%2520doe"}, {"=60", "=600"}, {"&session-lifetime=60", "&&session-lifetime=60&"},
		{"localhost:8080", "localhost"}, {"two  words", "two words"}, {"two  words", "two,words"}, {"X-Amz-Custom", "X-Amz-Other"}, {"Host: ", "Host: x\r\nHost: "},
		{"SignedHeaders=", "SignedHeaders=;"}, {"Signature=", "Signature=0"}, {"Credential=", "Credential=x,Credential="}, {"20260102T030405Z", "20260102T030406Z"},
		{"\r\n\r\n", "\r\nContent-Length: 1\r\n\r\nx"}, {"\r\n\r\n", "\r\nX-Amz-Custom: more\r\n\r\n"}, {"AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"}, {"/accounts", "//accounts"}, {"/accounts/", "/accounts/%2e/"},
	} {
		require.Contains(f, text, change[0])
		f.Add([]byte(strings.Replace(text, change[0], change[1], 1)))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		r, body, ok := read(wire)
		if !ok {
			t.Skip("no request")
		}
		if identity, refusal := v.verify(r, body); refusal != nil {
			require.Nil(t, identity)
			require.GreaterOrEqual(t, refusal.status, 400)
			require.NotContains(t, refusal.message, credentials.SecretAccessKey)
			return
		}
		original, none, _ := read([]byte(text))
		auth, refusal := parseAuthorization(original)
		require.Nil(t, refusal)
		require.Equal(t, partsOf(t, original, none, auth.signedHeaders), partsOf(t, r, body, auth.signedHeaders))
	})
}

// TestVerifyAtItsEdges has the first and last moments at which a request is accepted, and the
// longest message that is shown whole.
func TestVerifyAtItsEdges(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*testVerifier)
		code   string // of the refusal
	}{
		"15 minutes early":           {func(v *testVerifier) { v.now = v.now.Add(-dateWindow) }, ""},
		"15 minutes late":            {func(v *testVerifier) { v.now = v.now.Add(dateWindow) }, ""},
		"a moment more than that":    {func(v *testVerifier) { v.now = v.now.Add(dateWindow + 1) }, "InvalidSignatureException"},
		"a moment before it expires": {func(v *testVerifier) { v.credentials().CanExpire, v.credentials().Expires = true, v.now.Add(1) }, ""},
		"when it expires":            {func(v *testVerifier) { v.credentials().CanExpire, v.credentials().Expires = true, v.now }, "ExpiredTokenException"},
		"a date that does not count": {func(v *testVerifier) { v.credentials().Expires = v.now }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, v := listUsers()
			test.change(&v)
			refusal := refusalOf(v, r, nil)
			if test.code == "" {
				require.Nil(t, refusal)
				return
			}
			require.Equal(t, test.code, refusal.code)
		})
	}
	longest := strings.Repeat("x", 4<<10)
	require.Equal(t, longest, redact(longest))
	require.Equal(t, longest+"…", redact(longest+"x"))
}
