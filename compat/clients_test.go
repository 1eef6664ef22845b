package compat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/quicksight"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
)

// input is what each client is asked to ask for.
type input struct {
	AwsAccountId             string
	EntryPoint               string `json:",omitempty"`
	SessionLifetimeInMinutes int64  `json:",omitempty"`
	UserArn                  string `json:",omitempty"`
}

// answer is what a client made of the reply.
type answer struct {
	EmbedUrl  string
	ErrorCode string
	Class     string // of the error, where the client has classes of errors: "" for one without its own
}

// client asks a server that an environment leads to, once and without retries.
type client struct {
	name string
	ask  func(t *testing.T, env map[string]string, in input) answer
}

// clients are the real clients, each of them a process but for the official client for Go.
var clients = []client{
	{"the official client for Go", askWithGo},
	{"the AWS CLI", askWithCLI},
	{"the SDK for JavaScript", askWithJavaScript},
}

// missing says what a test lacks on this machine. CI must lack nothing.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// runIn runs a command with nothing but the environment.
func runIn(t *testing.T, env map[string]string, name string, args ...string) (stdout, stderr []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true", "LC_ALL=C.UTF-8"}
	for variable, value := range env {
		command.Env = append(command.Env, variable+"="+value)
	}
	stdout, err := command.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		stderr = exit.Stderr
	}
	return stdout, stderr
}

// askWithCLI always names the endpoint: the CLI of Debian 12 is older than the environment variable for it.
func askWithCLI(t *testing.T, env map[string]string, in input) answer {
	const cli = "/usr/bin/aws"
	if _, err := os.Stat(cli); err != nil {
		missing(t, "no "+cli+": apt-get install awscli")
	}
	args := []string{"quicksight", "get-session-embed-url", "--output", "json",
		"--endpoint-url", env["AWS_ENDPOINT_URL_QUICKSIGHT"], "--region", env["AWS_REGION"], "--aws-account-id", in.AwsAccountId}
	if in.EntryPoint != "" {
		args = append(args, "--entry-point", in.EntryPoint)
	}
	if in.SessionLifetimeInMinutes != 0 {
		args = append(args, "--session-lifetime-in-minutes", strconv.FormatInt(in.SessionLifetimeInMinutes, 10))
	}
	if in.UserArn != "" {
		args = append(args, "--user-arn", in.UserArn)
	}
	stdout, stderr := runIn(t, env, cli, args...)
	var out struct{ EmbedUrl string }
	if json.Unmarshal(stdout, &out) == nil && out.EmbedUrl != "" {
		return answer{EmbedUrl: out.EmbedUrl}
	}
	code := regexp.MustCompile(`An error occurred \((\w+)\)`).FindSubmatch(stderr)
	require.NotNil(t, code, "%s%s", stdout, stderr)
	return answer{ErrorCode: string(code[1]), Class: string(code[1])} // the CLI has no classes
}

func askWithJavaScript(t *testing.T, env map[string]string, in input) answer {
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "no Node.js: it must be version 20 or newer")
	}
	if _, err := os.Stat(filepath.Join("js", "node_modules")); err != nil {
		missing(t, "no compat/js/node_modules: npm ci --prefix compat/js")
	}
	encoded, err := json.Marshal(in)
	require.NoError(t, err)
	stdout, stderr := runIn(t, env, "node", filepath.Join("js", "get-session-embed-url.mjs"), string(encoded))
	var result struct {
		Output struct{ EmbedUrl string }
		Error  struct{ Class, Code string }
	}
	require.NoError(t, json.Unmarshal(stdout, &result), "%s%s", stdout, stderr)
	return answer{EmbedUrl: result.Output.EmbedUrl, ErrorCode: result.Error.Code, Class: result.Error.Class}
}

func askWithGo(t *testing.T, env map[string]string, in input) answer {
	for variable, value := range env {
		t.Setenv(variable, value)
	}
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithRetryMaxAttempts(1))
	require.NoError(t, err)
	params := &quicksight.GetSessionEmbedUrlInput{AwsAccountId: aws.String(in.AwsAccountId)}
	if in.EntryPoint != "" {
		params.EntryPoint = &in.EntryPoint
	}
	if in.SessionLifetimeInMinutes != 0 {
		params.SessionLifetimeInMinutes = &in.SessionLifetimeInMinutes
	}
	if in.UserArn != "" {
		params.UserArn = &in.UserArn
	}
	out, err := quicksight.NewFromConfig(cfg).GetSessionEmbedUrl(context.Background(), params)
	var apiErr smithy.APIError
	if errors.As(err, &apiErr) {
		return answer{ErrorCode: apiErr.ErrorCode(), Class: reflect.TypeOf(apiErr).Elem().Name()}
	}
	require.NoError(t, err)
	return answer{EmbedUrl: aws.ToString(out.EmbedUrl)}
}

func (a answer) String() string {
	return fmt.Sprintf("%+v", struct{ ErrorCode, Class string }{a.ErrorCode, a.Class})
}
