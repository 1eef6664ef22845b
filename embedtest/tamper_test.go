package embedtest_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed/embedtest"
)

const emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

var roleSession = aws.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret-access-key", SessionToken: "token/+=="}

const askForURL = "/accounts/111122223333/session-embed-url?entry-point=%2Fstart&session-lifetime=60&user-arn=arn%3Aaws%3Aquicksight%3Aus-east-1%3A111122223333%3Auser%2Fdefault%2Fjane%20doe"

// signed returns a correctly signed request for an embed URL.
func signed(t *testing.T, server *embedtest.Server, signedAt time.Time) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+askForURL, nil)
	require.NoError(t, err)
	req.Header.Set("X-Amz-Custom", "signed")
	require.NoError(t, v4.NewSigner().SignHTTP(ctx, roleSession, req, emptySHA256, "quicksight", "us-east-1", signedAt))
	return req
}

// verdictOn sends the request and returns the server's verdict.
func verdictOn(t *testing.T, server *embedtest.Server, req *http.Request) embedtest.Request {
	t.Helper()
	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	verdict := server.Requests()[len(server.Requests())-1]
	assert.Equal(t, verdict.Status, resp.StatusCode)
	return verdict
}

func newRoleServer(t *testing.T) *embedtest.Server {
	return newServer(t, func(o *embedtest.Options) { o.Credentials = roleSession })
}

func TestRequestThatIsSignedRightIsAccepted(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"as it was signed": func(*http.Request) {},
		"parameters in another order": func(r *http.Request) {
			r.URL.RawQuery = "session-lifetime=60&" + strings.Replace(r.URL.RawQuery, "&session-lifetime=60", "", 1)
		},
		"an escape in lower case":       func(r *http.Request) { r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "%3A", "%3a") },
		"characters that need no %":     func(r *http.Request) { r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "%2F", "/") },
		"an unsigned header":            func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") },
		"white space in a header":       func(r *http.Request) { r.Header.Set("X-Amz-Custom", "  signed  ") },
		"a trace header of the network": func(r *http.Request) { r.Header.Set("X-Amzn-Trace-Id", "Root=1") },
	} {
		t.Run(name, func(t *testing.T) {
			server := newRoleServer(t)
			req := signed(t, server, time.Now())
			change(req)
			verdict := verdictOn(t, server, req)
			assert.Equal(t, 200, verdict.Status, verdict.Message)
			assert.Equal(t, "ASIAEXAMPLE", verdict.AccessKeyId)
		})
	}
}

func TestRequestThatIsTamperedWithIsRefused(t *testing.T) {
	const invalid, unrecognized = "InvalidSignatureException", "UnrecognizedClientException"
	query := func(old, new string) func(*http.Request) {
		return func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, old, new, 1) }
	}
	authorization := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		}
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	today, yesterday := time.Now().UTC().Format("20060102"), time.Now().UTC().AddDate(0, 0, -1).Format("20060102")
	for name, test := range map[string]struct {
		change func(*http.Request)
		code   string
	}{
		"the method":                      {func(r *http.Request) { r.Method = http.MethodDelete }, invalid},
		"the first path segment":          {func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, "accounts", "account", 1) }, invalid},
		"the account":                     {func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, "1111", "9999", 1) }, invalid},
		"the last path segment":           {func(r *http.Request) { r.URL.Path += "s" }, invalid},
		"a trailing slash":                {func(r *http.Request) { r.URL.Path += "/" }, invalid},
		"the entry point":                 {query("%2Fstart", "%2Fstart%2Fanalyses"), invalid},
		"the lifetime":                    {query("=60", "=600"), invalid},
		"the user":                        {query("jane", "root"), invalid},
		"a parameter more":                {query("entry-point", "x=y&entry-point"), invalid},
		"a parameter fewer":               {query("&session-lifetime=60", ""), invalid},
		"a parameter twice":               {query("session-lifetime=60", "session-lifetime=60&session-lifetime=60"), invalid},
		"a parameter's name":              {query("user-arn", "User-arn"), invalid},
		"a + for a plus":                  {query("%20", "%2B"), invalid},
		"an escape of an escape":          {query("%2F", "%252F"), invalid},
		"the host":                        {func(r *http.Request) { r.Host = "quicksight.us-east-1.amazonaws.com" }, invalid},
		"the date alone":                  {header("X-Amz-Date", time.Now().UTC().Add(time.Minute).Format("20060102T150405Z")), invalid},
		"a signed header":                 {header("X-Amz-Custom", "changed"), invalid},
		"a signed header left out":        {func(r *http.Request) { r.Header.Del("X-Amz-Custom") }, invalid},
		"an unsigned X-Amz header":        {header("X-Amz-Other", "x"), invalid},
		"the token":                       {header("X-Amz-Security-Token", "other"), unrecognized},
		"the token left out":              {func(r *http.Request) { r.Header.Del("X-Amz-Security-Token") }, unrecognized},
		"the token twice":                 {func(r *http.Request) { r.Header.Add("X-Amz-Security-Token", roleSession.SessionToken) }, unrecognized},
		"the access key":                  {authorization("ASIAEXAMPLE", "ASIAOTHER"), unrecognized},
		"the scope's date":                {authorization(today, yesterday), invalid},
		"the scope's region":              {authorization("us-east-1", "us-east-2"), invalid},
		"the scope's service":             {authorization("/quicksight/", "/s3/"), invalid},
		"the signed headers without host": {authorization("host;", ""), invalid},
		"the signed headers without date": {authorization("x-amz-date;", ""), invalid},
		"the signature":                   {authorization("Signature=", "Signature=0"), invalid},
		"an authorization more":           {func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, "IncompleteSignatureException"},
		"a malformed authorization":       {header("Authorization", "AWS4-HMAC-SHA256 Credential"), "IncompleteSignatureException"},
		"no authorization":                {func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationTokenException"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newRoleServer(t)
			req := signed(t, server, time.Now())
			test.change(req)
			verdict := verdictOn(t, server, req)
			assert.Equal(t, test.code, verdict.Code, verdict.Message)
			wantStatus := http.StatusForbidden
			if test.code == "IncompleteSignatureException" {
				wantStatus = http.StatusBadRequest
			}
			assert.Equal(t, wantStatus, verdict.Status)
			assert.Empty(t, verdict.AccessKeyId)
		})
	}
}

func TestPresignedRequestIsRefused(t *testing.T) {
	server := newRoleServer(t)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+askForURL, nil)
	require.NoError(t, err)
	presigned, header, err := v4.NewSigner().PresignHTTP(ctx, roleSession, req, emptySHA256, "quicksight", "us-east-1", time.Now())
	require.NoError(t, err)
	req, err = http.NewRequestWithContext(ctx, http.MethodGet, presigned, nil)
	require.NoError(t, err)
	req.Header = header
	verdict := verdictOn(t, server, req)
	assert.Equal(t, "IncompleteSignatureException", verdict.Code)
	assert.Equal(t, "a signature in the query is not accepted: it must be in the Authorization header", verdict.Message)
	assert.Contains(t, verdict.String(), "X-Amz-Signature=REDACTED")
	assert.NotContains(t, verdict.String(), "token%2F")
	assert.NotContains(t, verdict.String(), req.URL.Query().Get("X-Amz-Signature"))
}

func TestQueryIsReadAsItIsSigned(t *testing.T) {
	const path = "/accounts/111122223333/session-embed-url?user-arn=arn%3Aaws%3Aquicksight%3Aus-east-1%3A111122223333%3Auser%2Fdefault%2Fjane"
	for signedAs, test := range map[string]struct{ sentAs, user string }{
		"%20y":  {"+y", "/jane y"},
		"%2Bx":  {"%2Bx", "/jane+x"},
		"%3Bx":  {";x", "/jane;x"},
		"%20x":  {"%20x", "/jane x"},
		"%252B": {"%252B", "/jane%2B"},
	} {
		t.Run(test.sentAs, func(t *testing.T) {
			server := newRoleServer(t)
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path+signedAs, nil)
			require.NoError(t, err)
			require.NoError(t, v4.NewSigner().SignHTTP(ctx, roleSession, req, emptySHA256, "quicksight", "us-east-1", time.Now()))
			req.URL.RawQuery = strings.Replace(req.URL.RawQuery, signedAs, test.sentAs, 1)
			verdict := verdictOn(t, server, req)
			assert.Equal(t, 200, verdict.Status, verdict.Message)
			assert.True(t, strings.HasSuffix(verdict.UserArn, test.user), verdict.UserArn)
		})
	}
}

func TestDateWindow(t *testing.T) {
	for name, test := range map[string]struct {
		off    time.Duration
		status int
	}{
		"14 minutes early": {-14 * time.Minute, 200},
		"14 minutes late":  {14 * time.Minute, 200},
		"16 minutes early": {-16 * time.Minute, 403},
		"16 minutes late":  {16 * time.Minute, 403},
	} {
		t.Run(name, func(t *testing.T) {
			server := newRoleServer(t)
			assert.Equal(t, test.status, verdictOn(t, server, signed(t, server, time.Now().Add(test.off))).Status)
		})
	}
}

func TestRefusalNamesACommonMistake(t *testing.T) {
	const mismatch = "the signature does not match"
	for name, test := range map[string]struct {
		payload string
		change  func(*http.Request)
		want    string
	}{
		"an unsigned payload": {payload: "UNSIGNED-PAYLOAD", want: mismatch + ": it is for an unsigned payload, which S3 alone accepts"},
		"a host without port": {payload: emptySHA256, change: func(r *http.Request) { r.Host = "127.0.0.1" }, want: mismatch + ": it is for the Host header without its port"},
		"a guess":             {payload: "x", want: mismatch + ": either the secret key or"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newRoleServer(t)
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+askForURL, nil)
			require.NoError(t, err)
			if test.change != nil {
				test.change(req)
			}
			require.NoError(t, v4.NewSigner().SignHTTP(context.Background(), roleSession, req, test.payload, "quicksight", "us-east-1", time.Now()))
			req.Method, req.Host = http.MethodGet, ""
			verdict := verdictOn(t, server, req)
			assert.Contains(t, verdict.Message, test.want)
			assert.Contains(t, verdict.Message, `"GET\n/accounts/111122223333/session-embed-url\nentry-point=%2Fstart&`)
			assert.Contains(t, verdict.Message, "x-amz-security-token:REDACTED")
			assert.NotContains(t, verdict.Message, roleSession.SessionToken)
		})
	}
}

func TestRequestWithoutAHostIsRefused(t *testing.T) {
	server := newRoleServer(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET "+askForURL+" HTTP/1.0\r\n\r\n")
	require.NoError(t, err)
	reply, err := io.ReadAll(conn)
	require.NoError(t, err)
	assert.Contains(t, string(reply), "400 Bad Request")
	assert.Contains(t, string(reply), "the request has no Host header, which must be signed")
}
