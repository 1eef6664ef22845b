package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

const jane = "arn:aws:quicksight:us-east-1:111122223333:user/default/jane"

// serve runs the server with the arguments and sets the variables that it prints. It returns what
// it prints, and a function that stops it and returns its exit code and log.
func serve(t *testing.T, args ...string) (printed string, stop func() (exitCode int, log string)) {
	t.Helper()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)

	ctx, cancel := context.WithCancel(context.Background())
	stdout, write := io.Pipe()
	var stderr strings.Builder
	exited := make(chan int, 1)
	go func() {
		exited <- run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), write, &stderr)
		write.Close()
	}()
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		printed += lines.Text() + "\n"
		if strings.HasPrefix(printed, "{") || strings.Contains(printed, "To stop it") {
			break
		}
	}
	for _, variable := range regexp.MustCompile(`export (\w+)=(.*)`).FindAllStringSubmatch(printed, -1) {
		t.Setenv(variable[1], variable[2])
	}
	go io.Copy(io.Discard, stdout)
	return printed, func() (int, string) {
		cancel()
		return <-exited, stderr.String()
	}
}

// ask asks for a URL with the configuration in the environment, as an SDK does.
func ask(t *testing.T, userArn string) (*quicksightembed.GetSessionEmbedUrlOutput, error) {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithRetryMaxAttempts(1))
	require.NoError(t, err)
	return quicksightembed.NewFromConfig(cfg).GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: aws.String("111122223333"), UserArn: &userArn,
	})
}

func TestVariablesLeadToTheServer(t *testing.T) {
	for name, args := range map[string][]string{
		"plain":      nil,
		"TLS":        {"-tls"},
		"a token":    {"-session-token", "token", "-expires-in", "1h"},
		"an ARN":     {"-user", jane, "-user", jane + "2", "-edition", "ENTERPRISE_AND_Q"},
		"a gateway":  {"-envelope"},
		"a signer":   {"-user", jane, "-signer", jane},
		"everything": {"-domain", "https://localhost:3000", "-dashboard", "d", "-analysis", "a", "-role", "arn:aws:iam::111122223333:role/embed"},
	} {
		t.Run(name, func(t *testing.T) {
			printed, stop := serve(t, args...)
			out, err := ask(t, jane)
			require.NoError(t, err)
			assert.Contains(t, *out.EmbedUrl, "/embedding/")
			assert.Contains(t, printed, "aws quicksight get-session-embed-url --endpoint-url http")
			bundle := os.Getenv("AWS_CA_BUNDLE")
			code, log := stop()
			assert.Zero(t, code)
			assert.Contains(t, log, "200 issued a URL\n")
			assert.Contains(t, log, "stopped\n")
			assert.NotContains(t, log, "code=")
			if bundle != "" {
				assert.NoFileExists(t, bundle, "it is removed")
			}
		})
	}
}

func TestServerRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		code string
	}{
		"an unknown user":     {[]string{"-user", jane + "2"}, "QuickSightUserNotFoundException"},
		"a Standard edition":  {[]string{"-edition", "STANDARD"}, "UnsupportedUserEditionException"},
		"no subscription":     {[]string{"-edition", "NONE"}, "ResourceNotFoundException"},
		"another account":     {[]string{"-account", "999988887777"}, "AccessDeniedException"},
		"an expired token":    {[]string{"-session-token", "token", "-expires-in", "-1m"}, "ExpiredTokenException"},
		"what it is told to":  {[]string{"-fail", "ResourceExistsException"}, "ResourceExistsException"},
		"in an envelope also": {[]string{"-envelope", "-fail", "ThrottlingException"}, "ThrottlingException"},
	} {
		t.Run(name, func(t *testing.T) {
			_, stop := serve(t, test.args...)
			_, err := ask(t, jane)
			var apiErr smithy.APIError
			require.ErrorAs(t, err, &apiErr)
			assert.Equal(t, test.code, apiErr.ErrorCode())
			_, log := stop()
			assert.Contains(t, log, test.code)
		})
	}
}

func TestQuote(t *testing.T) {
	assert.Equal(t, "http://127.0.0.1:8484", quote("http://127.0.0.1:8484"))
	assert.Equal(t, `'arn:aws:quicksight:us-east-1:111122223333:user/default/o'\''neil'`, quote("arn:aws:quicksight:us-east-1:111122223333:user/default/o'neil"))
}

func TestFlagsThatAreWrong(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"an account":            {[]string{"-account", "1"}, 2, `invalid value "1" for flag -account: invalid input: AwsAccountId "1" must be 12 digits`},
		"a region":              {[]string{"-region", "US"}, 2, `for flag -region: region "US" must be one such as us-east-1`},
		"a user":                {[]string{"-user", "jane"}, 2, `for flag -user: invalid input: UserArn "jane" must be arn:`},
		"a signer":              {[]string{"-signer", "jane"}, 2, `for flag -signer: invalid input: UserArn "jane" must be arn:`},
		"an edition":            {[]string{"-edition", "PRO"}, 2, `for flag -edition: edition "PRO" must be one of ["ENTERPRISE" "ENTERPRISE_AND_Q" "STANDARD" "NONE"]`},
		"a role":                {[]string{"-role", "embed"}, 2, `for flag -role: role "embed" must be arn:`},
		"a session's length":    {[]string{"-max-session-duration", "13h"}, 2, `for flag -max-session-duration: maximum session duration 13h0m0s must be 1h to 12h`},
		"a dashboard":           {[]string{"-dashboard", "a b"}, 2, `for flag -dashboard: invalid input: EntryPoint`},
		"an analysis":           {[]string{"-analysis", "a/b"}, 2, `for flag -analysis: invalid input: EntryPoint`},
		"an action":             {[]string{"-denied", "all"}, 2, `for flag -denied: denied action "all" must be one of`},
		"a domain":              {[]string{"-domain", "localhost:3000"}, 2, `for flag -domain: allowed domain "localhost:3000" must be an origin`},
		"a domain, as it was":   {[]string{"-allowed-domain", "x"}, 2, `for flag -allowed-domain: allowed domain "x" must be an origin`},
		"a public URL":          {[]string{"-public-url", "quicksight.test"}, 2, `for flag -public-url: public URL "quicksight.test" must be scheme and host`},
		"a token":               {[]string{"-session-token", "a b"}, 2, `for flag -session-token: it must be printable ASCII without spaces`},
		"a time":                {[]string{"-expires-in", "soon"}, 2, `for flag -expires-in: it must be a time such as 90s`},
		"a delay":               {[]string{"-console-delay", "-1s"}, 2, `for flag -console-delay: console delay -1s must not be negative`},
		"an exception":          {[]string{"-fail", "Throttling2"}, 2, `for flag -fail: embedtest: error code "Throttling2" must be one of`},
		"an address":            {[]string{"-addr", "nowhere"}, 2, `for flag -addr: address nowhere: missing port in address`},
		"an argument":           {[]string{"x"}, 2, `unexpected argument "x"`},
		"an unknown flag":       {[]string{"-x"}, 2, "flag provided but not defined: -x\nquicksight-local -h lists the flags\n"},
		"an address of another": {[]string{"-addr", "192.0.2.1:1"}, 1, "cannot listen: "},
		"a question of help":    {[]string{"-h"}, 0, "Usage of quicksight-local"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr strings.Builder
			assert.Equal(t, test.code, run(context.Background(), test.args, io.Discard, &stderr))
			assert.Contains(t, stderr.String(), test.want)
			if test.code == 2 {
				assert.NotContains(t, stderr.String(), "Usage of", "the reason is not lost among the flags")
			}
		})
	}
}

func TestStartAndLogAsJSON(t *testing.T) {
	printed, stop := serve(t, "-json", "-account", "999988887777", "-public-url", "http://quicksight.test:8484")
	var start struct {
		URL, PublicUrl, ControlUrl, AwsAccountId, Region, AccessKeyId, SecretAccessKey string
		Environment                                                                    map[string]string
	}
	require.NoError(t, json.Unmarshal([]byte(printed), &start))
	assert.Equal(t, "999988887777", start.AwsAccountId)
	assert.Equal(t, "http://quicksight.test:8484", start.PublicUrl)
	assert.Equal(t, start.URL+"/_embedtest/", start.ControlUrl)
	assert.Equal(t, start.AccessKeyId, start.Environment["AWS_ACCESS_KEY_ID"])
	assert.Equal(t, start.URL, start.Environment["AWS_ENDPOINT_URL_STS"])

	for name, value := range start.Environment {
		t.Setenv(name, value)
	}
	_, err := ask(t, jane)
	assert.ErrorContains(t, err, "AccessDeniedException")
	code, log := stop()
	assert.Zero(t, code)
	lines := strings.Split(strings.TrimSpace(log), "\n")
	require.Len(t, lines, 2)
	var line struct {
		Msg     string
		Request struct {
			Operation, Code string
			Status          int
		}
	}
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &line))
	assert.Equal(t, "request GetSessionEmbedUrl 401 AccessDeniedException", fmt.Sprint(line.Msg, " ", line.Request.Operation, " ", line.Request.Status, " ", line.Request.Code))
	assert.Contains(t, lines[1], `"msg":"stopped"`)
	assert.NotContains(t, log, "Signature=")
}

func TestStartSaysWhatPeopleGetWrong(t *testing.T) {
	printed, stop := serve(t)
	stop()
	assert.Contains(t, printed, "export AWS_ENDPOINT_URL_STS=http://127.0.0.1:")
	assert.Contains(t, printed, "Older SDKs (boto3 before 1.28, JavaScript v2, Go v1)")
	assert.Contains(t, printed, "with -domain")
	assert.Contains(t, printed, "press Ctrl-C")
	printed, stop = serve(t, "-domain", "https://localhost:3000")
	stop()
	assert.NotContains(t, printed, "with -domain")
}
