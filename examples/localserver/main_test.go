package main

import (
	"bufio"
	"context"
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

// serve runs the server with the arguments and sets the variables that it prints. It returns what it prints, and a function
// that stops it and returns its exit code and log.
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
	for lines.Scan() && !strings.Contains(printed, "get-session-embed-url") {
		printed += lines.Text() + "\n"
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

// ask asks with nothing but the environment, as an SDK does.
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
		"everything": {"-allowed-domain", "https://localhost:3000", "-dashboard", "d", "-analysis", "a"},
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
		"an account":         {[]string{"-account", "1"}, 2, `AwsAccountId "1" must be 12 digits`},
		"a user":             {[]string{"-user", "jane"}, 2, `UserArn "jane" must be arn:`},
		"an edition":         {[]string{"-edition", "PRO"}, 2, `-edition "PRO" must be ENTERPRISE, ENTERPRISE_AND_Q, STANDARD or NONE`},
		"an argument":        {[]string{"x"}, 2, `unexpected argument "x"`},
		"an unknown flag":    {[]string{"-x"}, 2, "flag provided but not defined: -x"},
		"an address":         {[]string{"-addr", "nowhere"}, 1, "cannot listen: "},
		"a question of help": {[]string{"-h"}, 0, "Usage of localserver"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr strings.Builder
			assert.Equal(t, test.code, run(context.Background(), test.args, io.Discard, &stderr))
			assert.Contains(t, stderr.String(), test.want)
		})
	}
}
