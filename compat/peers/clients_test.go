package peers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/quicksight"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
)

// input is the input of a call, for each client.
type input struct {
	AwsAccountId             string
	EntryPoint               string `json:",omitempty"`
	SessionLifetimeInMinutes int64  `json:",omitempty"`
	UserArn                  string `json:",omitempty"`
}

// answer is the result of a call, from each client.
type answer struct {
	EmbedUrl  string
	ErrorCode string
	Class     string // of the error; its code if the client has no class for it
}

// client sends each of the inputs to the server of an environment, without retries.
type client struct {
	name string
	ask  func(t *testing.T, env map[string]string, inputs ...input) []answer
}

// clients are the real clients. All except the official client for Go are processes.
var clients = []client{
	{"the official client for Go", askWithGo},
	{"the SDK for Go v1", askWithGoV1},
	{"the AWS CLI", askWithCLI},
	{"boto3", askWithPython},
	{"the SDK for JavaScript", askWithJavaScript("get-session-embed-url.mjs")},
	{"the SDK for JavaScript v2", askWithJavaScript("get-session-embed-url-v2.mjs")},
	{"curl", askWithCurl},
}

// missing skips a test if this machine lacks something, and fails it in CI.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// runIn runs a command with env in a clean environment.
func runIn(t *testing.T, env map[string]string, name string, args ...string) (stdout, stderr []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true", "LC_ALL=C.UTF-8"}
	for variable, value := range env {
		command.Env = append(command.Env, variable+"="+value)
	}
	var printed bytes.Buffer
	command.Stderr = &printed
	stdout, err := command.Output()
	if command.ProcessState == nil {
		t.Fatal(err)
	}
	return stdout, printed.Bytes()
}

// askAProgram runs a program, passes it the inputs as JSON and reads the answers as JSON.
func askAProgram(t *testing.T, env map[string]string, inputs []input, name string, args ...string) (answers []answer) {
	t.Helper()
	encoded, err := json.Marshal(inputs)
	require.NoError(t, err)
	stdout, stderr := runIn(t, env, name, append(args, string(encoded))...)
	require.NoError(t, json.Unmarshal(stdout, &answers), "%s%s", stdout, stderr)
	require.Len(t, answers, len(inputs))
	return answers
}

func askWithGoV1(t *testing.T, env map[string]string, inputs ...input) []answer {
	return askAProgram(t, env, inputs, goV1)
}

func askWithPython(t *testing.T, env map[string]string, inputs ...input) []answer {
	needsBoto3(t)
	return askAProgram(t, env, inputs, python, filepath.Join("python", "get_session_embed_url.py"))
}

// python is Debian's, because Debian has boto3 for it.
const python = "/usr/bin/python3"

func needsBoto3(t *testing.T) {
	t.Helper()
	if exec.Command(python, "-c", "import boto3").Run() != nil {
		missing(t, "no boto3 for "+python+": apt-get install python3-boto3")
	}
}

func askWithJavaScript(script string) func(*testing.T, map[string]string, ...input) []answer {
	return func(t *testing.T, env map[string]string, inputs ...input) []answer {
		needsNode(t)
		return askAProgram(t, env, inputs, "node", filepath.Join("js", script))
	}
}

func needsNode(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "no Node.js: it must be version 20 or newer")
	}
	if _, err := os.Stat(filepath.Join("js", "node_modules")); err != nil {
		missing(t, "no compat/peers/js/node_modules: npm ci --prefix compat/peers/js")
	}
}

// askWithCLI passes the endpoint as an argument: the CLI of Debian 12 ignores the variable for it.
func askWithCLI(t *testing.T, env map[string]string, inputs ...input) (answers []answer) {
	const cli = "/usr/bin/aws"
	if _, err := os.Stat(cli); err != nil {
		missing(t, "no "+cli+": apt-get install awscli")
	}
	for _, in := range inputs {
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
			answers = append(answers, answer{EmbedUrl: out.EmbedUrl})
			continue
		}
		code := regexp.MustCompile(`An error occurred \((\w+)\)`).FindSubmatch(stderr)
		require.NotNil(t, code, "%s%s", stdout, stderr)
		// The CLI has no classes.
		answers = append(answers, answer{ErrorCode: string(code[1]), Class: string(code[1])})
	}
	return answers
}

// askWithCurl asks with curl alone. Curl signs the query as it is written, so it must be in
// canonical form.
func askWithCurl(t *testing.T, env map[string]string, inputs ...input) (answers []answer) {
	if _, err := exec.LookPath("curl"); err != nil {
		missing(t, "no curl: apt-get install curl")
	}
	for _, in := range inputs {
		var query []string
		for _, parameter := range [][2]string{
			{"entry-point", in.EntryPoint},
			{"session-lifetime", strings.TrimPrefix(strconv.FormatInt(in.SessionLifetimeInMinutes, 10), "0")},
			{"user-arn", in.UserArn},
		} {
			if parameter[1] != "" {
				query = append(query, parameter[0]+"="+strings.ReplaceAll(url.QueryEscape(parameter[1]), "+", "%20"))
			}
		}
		args := []string{"--silent", "--show-error", "--include", "--max-time", "30",
			"--aws-sigv4", "aws:amz:" + env["AWS_REGION"] + ":quicksight",
			"--user", env["AWS_ACCESS_KEY_ID"] + ":" + env["AWS_SECRET_ACCESS_KEY"],
			"--header", "accept: application/json", "--header", "content-type: application/json"}
		if env["AWS_SESSION_TOKEN"] != "" {
			args = append(args, "--header", "x-amz-security-token: "+env["AWS_SESSION_TOKEN"])
		}
		if env["AWS_CA_BUNDLE"] != "" {
			args = append(args, "--cacert", env["AWS_CA_BUNDLE"])
		}
		target := env["AWS_ENDPOINT_URL_QUICKSIGHT"] + "/accounts/" + in.AwsAccountId + "/session-embed-url?" + strings.Join(query, "&")
		stdout, stderr := runIn(t, env, "curl", append(args, strings.TrimSuffix(target, "?"))...)
		reply, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(stdout)), nil)
		require.NoError(t, err, "%s%s", stdout, stderr)
		var out struct{ EmbedUrl string }
		require.NoError(t, json.NewDecoder(reply.Body).Decode(&out))
		code := reply.Header.Get("X-Amzn-ErrorType")
		// Curl has no classes.
		answers = append(answers, answer{EmbedUrl: out.EmbedUrl, ErrorCode: code, Class: code})
	}
	return answers
}

func askWithGo(t *testing.T, env map[string]string, inputs ...input) (answers []answer) {
	for variable, value := range env {
		t.Setenv(variable, value)
	}
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithRetryMaxAttempts(1))
	require.NoError(t, err)
	client := quicksight.NewFromConfig(cfg)
	for _, in := range inputs {
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
		out, err := client.GetSessionEmbedUrl(context.Background(), params)
		var apiErr smithy.APIError
		if errors.As(err, &apiErr) {
			class := reflect.TypeOf(apiErr).Elem().Name()
			if class == "GenericAPIError" { // the code is not modelled
				class = apiErr.ErrorCode()
			}
			answers = append(answers, answer{ErrorCode: apiErr.ErrorCode(), Class: class})
			continue
		}
		require.NoError(t, err)
		answers = append(answers, answer{EmbedUrl: aws.ToString(out.EmbedUrl)})
	}
	return answers
}
