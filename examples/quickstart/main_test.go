package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

func runWith(t *testing.T, args ...string) (exitCode int, stdout, stderr string) {
	t.Helper()
	var out, err strings.Builder
	exitCode = run(context.Background(), args, &out, &err)
	return exitCode, out.String(), err.String()
}

func TestMainJob(t *testing.T) {
	code, stdout, stderr := runWith(t, "-entry-point", "/dashboards/sales", "-lifetime", "60")
	assert.Zero(t, code)
	assert.Empty(t, stderr)
	assert.Regexp(t, `^http://127\.0\.0\.1:\d+/embedding/\S+

This URL opens the QuickSight console at /dashboards/sales for default/jane\.
It opens once, within 5 minutes \(until \d\d:\d\d:\d\d\)\. The session then lasts 60 minutes\.

This program has opened it twice, so it is used up:
  200 OK, the console
  410 Gone, a URL opens once

That was embedtest, a QuickSight in this process\. Next:
`, stdout)
}

func TestRequestIsPrinted(t *testing.T) {
	code, stdout, _ := runWith(t, "-v", "-entry-point", "/start/dashboards", "-lifetime", "60")
	assert.Zero(t, code)
	assert.Contains(t, stdout, "GET /accounts/111122223333/session-embed-url?entry-point=%2Fstart%2Fdashboards&session-lifetime=60&user-arn=arn%3Aaws%3Aquicksight%3Aus-east-1%3A111122223333%3Auser%2Fdefault%2Fjane\n")
	assert.Regexp(t, `Signature=[0-9a-f]{8}…\n`, stdout, "the signature is shortened")
}

// TestServedURL opens the URL while the program waits for Ctrl-C.
func TestServedURL(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	printed, out := io.Pipe()
	code := make(chan int)
	go func() { code <- run(ctx, []string{"-serve"}, out, io.Discard) }()

	lines := bufio.NewScanner(printed)
	require.True(t, lines.Scan())
	embedURL := lines.Text()
	for !strings.Contains(lines.Text(), "Ctrl-C") {
		require.True(t, lines.Scan())
	}
	for _, want := range []int{http.StatusOK, http.StatusGone} {
		resp, err := http.Get(embedURL)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, want, resp.StatusCode)
	}
	stop()
	assert.Zero(t, <-code)
}

func TestEachRegionOfTheDemo(t *testing.T) {
	code, stdout, _ := runWith(t, "-v", "-region", "eu-west-1")
	assert.Zero(t, code)
	assert.Contains(t, stdout, "/eu-west-1/quicksight/aws4_request")
}

func TestBadInput(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"every field": {
			[]string{"-account", "12", "-entry-point", "", "-lifetime", "0", "-user-arn", "jane", "-region", "", "-endpoint", "localhost"},
			[]string{"nothing was sent", `  -account "12" must`, `  -entry-point "" must`, `  -lifetime "0" must`,
				`  -user-arn "jane" must`, "  -region is required", `  -endpoint "localhost" must`},
		},
		"an account alone":      {[]string{"-account", "12"}, []string{"these are wrong:\n  -account \"12\" must be 12 digits\nEND"}},
		"minutes that are none": {[]string{"-lifetime", "1h"}, []string{`invalid value "1h" for flag -lifetime: it must be a whole number of minutes`}},
		"an unknown flag":       {[]string{"-acount", "1"}, []string{"flag provided but not defined: -acount"}},
		"an argument":           {[]string{"-aws=false", "start"}, []string{`unexpected argument "start"`}},
		"a URL of AWS, served":  {[]string{"-aws", "-serve"}, []string{"-serve is for the QuickSight in this process"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := runWith(t, test.args...)
			assert.Equal(t, 2, code)
			assert.Empty(t, stdout)
			for _, want := range test.want {
				assert.Contains(t, stderr+"END", want)
			}
			assert.NotContains(t, stderr, "AWS region (default", "the usage is for -h")
		})
	}
}

func TestHelp(t *testing.T) {
	code, stdout, stderr := runWith(t, "-h")
	assert.Zero(t, code)
	assert.Empty(t, stderr)
	assert.Contains(t, stdout, "111122223333, one user, jane, and one dashboard, sales")
	assert.Contains(t, stdout, "AWS region (default us-east-1")
}

func TestErrorsOfTheService(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"an account that it does not have": {[]string{"-account", "999988887777"}, "code: AccessDeniedException\n  message: the credentials are not allowed"},
		"a user that it does not have":     {[]string{"-user-arn", "arn:aws:quicksight:us-east-1:111122223333:user/default/bob"}, "code: QuickSightUserNotFoundException\n"},
		"a dashboard that does not exist":  {[]string{"-entry-point", "/dashboards/x"}, "code: ResourceNotFoundException\n  message: the dashboard x does not exist\n"},
		"an analysis that does not exist":  {[]string{"-entry-point", "/analyses/x"}, "code: ResourceNotFoundException\n"},
		"a region that does not exist":     {[]string{"-region", "us-east-9"}, "code: InvalidSignatureException\n  message: the credential scope has the region \"us-east-9\""},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := runWith(t, test.args...)
			assert.Equal(t, 1, code)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, test.want)
			assert.Contains(t, stderr, "what to do: ")
		})
	}
}

// TestUserOfAnotherAccount checks that the default user has the account of the call.
func TestUserOfAnotherAccount(t *testing.T) {
	code, stdout, _ := runWith(t, "-v", "-account", "999988887777")
	assert.Equal(t, 1, code)
	assert.Contains(t, stdout, "%3A999988887777%3Auser%2Fdefault%2Fjane")
}

func TestAdviceForEachException(t *testing.T) {
	require.Len(t, advice, 10, "the nine exceptions, and a signature that does not match")
	for exception, do := range advice {
		t.Run(exception, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Amzn-ErrorType", exception)
				w.Header().Set("X-Amzn-RequestId", "id")
				w.WriteHeader(400)
				io.WriteString(w, `{"message":"m"}`)
			}))
			defer server.Close()
			code, _, stderr := runWith(t, "-endpoint", server.URL)
			assert.Equal(t, 1, code)
			assert.Equal(t, "QuickSight answered with an error:\n  code: "+exception+"\n  message: m\n  status: 400\n  request id: id\n  what to do: "+do+"\n", stderr)
		})
	}
}

func TestEnvelopedReplyWithoutURL(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"success":true,"data":{"id":"abc123"}}`)
	}))
	defer server.Close()
	code, stdout, _ := runWith(t, "-endpoint", server.URL)
	assert.Zero(t, code)
	assert.Contains(t, stdout, "It is a gateway's, with the id abc123.\n")
}

func TestURLOfAnEndpointIsNotOpened(t *testing.T) {
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/accounts/111122223333/session-embed-url", r.URL.Path)
		io.WriteString(w, `{"EmbedUrl":"`+server.URL+`/console","Status":200}`)
	}))
	defer server.Close()
	code, stdout, _ := runWith(t, "-endpoint", server.URL)
	assert.Zero(t, code)
	assert.Contains(t, stdout, server.URL+"/console\n")
	assert.NotContains(t, stdout, "embedtest")
}

func TestOptionWithoutFlag(t *testing.T) {
	var stderr strings.Builder
	code := explain(&stderr, &quicksightembed.ValidationError{Fields: []quicksightembed.FieldError{
		{Field: "Options.RetryMaxAttempts", Value: `"-1"`, Problem: "must be 1 or more"}}})
	assert.Equal(t, 2, code)
	assert.Equal(t, "nothing was sent; these are wrong:\n  Options.RetryMaxAttempts \"-1\" must be 1 or more\n", stderr.String())
}

func TestServiceThatIsNotThere(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	code, _, stderr := runWith(t, "-endpoint", server.URL)
	assert.Equal(t, 1, code)
	assert.Regexp(t, "^QuickSight cannot be reached: dial tcp .*connection refused; check the network, and the region \\(-region or AWS_REGION\\)\n$", stderr)
}

func TestErrorOfTheServiceThatGivesCredentials(t *testing.T) {
	ofSTS := &smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRole", Err: &smithy.GenericAPIError{Code: "AccessDenied", Message: "m"}}
	var stderr strings.Builder
	code := explain(&stderr, &smithy.OperationError{ServiceID: "QuickSight", OperationName: "GetSessionEmbedUrl", Err: &quicksightembed.CredentialsError{Err: ofSTS}})
	assert.Equal(t, 1, code)
	assert.Equal(t, "no AWS credentials: get identity: operation error STS: AssumeRole, api error AccessDenied: m; set AWS_PROFILE to a profile that works, or run aws configure, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n", stderr.String())
}

func TestAWSWithoutCredentials(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION"} {
		t.Setenv(name, "")
	}
	code, stdout, stderr := runWith(t, "-aws", "-region", "us-east-1", "-account", "111122223333", "-endpoint", "http://127.0.0.1:1")
	assert.Equal(t, 1, code)
	assert.Empty(t, stdout)
	assert.Regexp(t, "^no AWS credentials: .*; set AWS_PROFILE to a profile that works, or run aws configure, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n$", stderr)
}

func TestAWSWithAProfileThatDoesNotExist(t *testing.T) {
	t.Setenv("AWS_PROFILE", "nosuch")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	code, _, stderr := runWith(t, "-aws")
	assert.Equal(t, 1, code)
	assert.Equal(t, "no AWS configuration: failed to get shared config profile, nosuch; set AWS_PROFILE to a profile that works, or run aws configure, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n", stderr)
}
