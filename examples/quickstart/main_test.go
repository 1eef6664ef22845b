package main

import (
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
	code, stdout, stderr := runWith(t, "-entry-point", "/start/dashboards", "-lifetime", "60")
	assert.Zero(t, code)
	assert.Empty(t, stderr)
	for _, want := range []string{
		"GET /accounts/111122223333/session-embed-url?entry-point=%2Fstart%2Fdashboards&session-lifetime=60&user-arn=arn%3Aaws%3Aquicksight%3Aus-east-1%3A111122223333%3Auser%2Fdefault%2Fjane\n",
		"Status: 200\n",
		"/embedding/",
		"the session then lasts 60 minutes\n",
		"200 OK, the session is open\n  410 Gone, a URL opens once\n",
	} {
		assert.Contains(t, stdout, want)
	}
	assert.Regexp(t, `Signature=[0-9a-f]{8}…\n`, stdout, "the signature is shortened")
}

func TestEachRegionOfTheDemo(t *testing.T) {
	code, stdout, _ := runWith(t, "-region", "eu-west-1")
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
			[]string{"nothing was sent", `-account: AwsAccountId "12"`, `-entry-point: EntryPoint ""`, `-lifetime: SessionLifetimeInMinutes "0"`, `-user-arn: UserArn "jane"`, "-region: Options.Region", `-endpoint: Options.BaseEndpoint "localhost"`},
		},
		"minutes that are none": {[]string{"-lifetime", "1h"}, []string{`invalid value "1h" for flag -lifetime: it must be a whole number of minutes`}},
		"an unknown flag":       {[]string{"-acount", "1"}, []string{"flag provided but not defined: -acount"}},
		"an argument":           {[]string{"-aws=false", "start"}, []string{`unexpected argument "start"`}},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := runWith(t, test.args...)
			assert.Equal(t, 2, code)
			assert.Empty(t, stdout)
			for _, want := range test.want {
				assert.Contains(t, stderr, want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	code, _, stderr := runWith(t, "-h")
	assert.Zero(t, code)
	assert.Contains(t, stderr, "which knows the account 111122223333 and one user, jane")
}

func TestErrorsOfTheService(t *testing.T) {
	code, _, stderr := runWith(t, "-account", "999988887777")
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "code: AccessDeniedException\n")
	code, _, stderr = runWith(t, "-user-arn", "arn:aws:quicksight:us-east-1:111122223333:user/default/bob")
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "code: QuickSightUserNotFoundException\n")
}

func TestAdviceForEachException(t *testing.T) {
	require.Len(t, advice, 9)
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
	assert.Contains(t, stdout, "Id: abc123 (an enveloped reply without an embed URL)\n")
}

func TestServiceThatIsNotThere(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	code, _, stderr := runWith(t, "-endpoint", server.URL)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "connection refused")
}

func TestErrorOfTheServiceThatGivesCredentials(t *testing.T) {
	ofSTS := &smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRole", Err: &smithy.GenericAPIError{Code: "AccessDenied", Message: "m"}}
	var stderr strings.Builder
	code := explain(&stderr, &smithy.OperationError{ServiceID: "QuickSight", OperationName: "GetSessionEmbedUrl", Err: &quicksightembed.CredentialsError{Err: ofSTS}})
	assert.Equal(t, 1, code)
	assert.Equal(t, "operation error QuickSight: GetSessionEmbedUrl, get identity: operation error STS: AssumeRole, api error AccessDenied: m\n", stderr.String())
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
	assert.Contains(t, stderr, "credentials")
}
