package peers

import (
	"bufio"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	account = "111122223333"
	jane    = "arn:aws:quicksight:us-east-1:111122223333:user/default/jane"
)

// exceptions are the exceptions of the operation.
var exceptions = []string{
	"AccessDeniedException", "InternalFailureException", "InvalidParameterValueException", "QuickSightUserNotFoundException",
	"ResourceExistsException", "ResourceNotFoundException", "SessionLifetimeInMinutesInvalidException", "ThrottlingException",
	"UnsupportedUserEditionException",
}

// The built programs.
var quickSightLocal, goV1 string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		panic(err)
	}
	quickSightLocal, goV1 = filepath.Join(dir, "quicksight-local"), filepath.Join(dir, "gosdkv1")
	for program, source := range map[string][2]string{
		quickSightLocal: {"../..", "./cmd/quicksight-local"}, goV1: {".", "./programs/gosdkv1"},
	} {
		build := exec.Command("go", "build", "-o", program, source[1])
		build.Dir = source[0]
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			panic(err)
		}
	}
	if err := readLive(); err != nil {
		panic(err)
	}
	// The machine's settings for AWS must not change the tests.
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			os.Unsetenv(name)
		}
	}
	os.Setenv("AWS_CONFIG_FILE", os.DevNull)
	os.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// serve starts quicksight-local, and returns the environment variables that it prints for clients.
func serve(t *testing.T, args ...string) (env map[string]string) {
	t.Helper()
	server := exec.Command(quickSightLocal, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	var log strings.Builder
	server.Stderr = &log
	stdout, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		require.NoError(t, server.Process.Signal(syscall.SIGTERM))
		assert.NoError(t, server.Wait(), "it stops cleanly")
		if t.Failed() {
			t.Log(log.String())
		}
	})
	env = map[string]string{}
	export := regexp.MustCompile(`export (\w+)=(.*)`)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.Contains(lines.Text(), "get-session-embed-url") {
		if variable := export.FindStringSubmatch(lines.Text()); variable != nil {
			env[variable[1]] = variable[2]
		}
	}
	require.NotEmpty(t, env)
	return env
}

// open returns the status of opening a URL.
func open(t *testing.T, url string) int {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	resp.Body.Close()
	return resp.StatusCode
}

// entryPoints, lifetimes and users are what real clients ask for.
var (
	entryPoints = []string{
		"", "/start", "/start/analyses", "/start/dashboards", "/start/favorites",
		"/dashboards/1a1ac2b2-3fc3-4b44-5e5d-c6db6778df89", "/analyses/sales_2026",
	}
	lifetimes = []int64{15, 16, 60, 599, 600}
	users     = []string{
		"jane", "jane doe", "jane+doe", "jane%20doe", "jane%2Bdoe", "jane&doe", "jane=doe", "jane?doe", "jane#doe", "jane;doe",
		"jane:doe", "jane,doe", "jane@example.com", "embed-role/jane@example.com", "o'neil", `jane"doe`, `jane\doe`,
		"jane~doe", "jane*doe", "jane!(doe)", "jane$doe", "[jane]", "{jane}", "<jane>", "Jané Döe", "東京", "😀", "a/b/c",
	}
)

func TestRealClientsGetURLs(t *testing.T) {
	var inputs []input
	for _, entryPoint := range entryPoints {
		inputs = append(inputs, input{AwsAccountId: account, EntryPoint: entryPoint})
	}
	for _, lifetime := range lifetimes {
		inputs = append(inputs, input{AwsAccountId: account, UserArn: jane, SessionLifetimeInMinutes: lifetime})
	}
	for _, user := range users {
		inputs = append(inputs, input{AwsAccountId: account, UserArn: "arn:aws:quicksight:us-east-1:111122223333:user/default/" + user})
	}
	inputs = append(inputs,
		input{AwsAccountId: account, UserArn: "arn:aws-cn:quicksight:cn-north-1:111122223333:user/default/jane"},
		input{AwsAccountId: account, UserArn: "arn:aws:quicksight:eu-west-1:111122223333:user/Team-A_1.b/jane"},
	)
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			env := serve(t)
			for i, got := range c.ask(t, env, inputs...) {
				require.Empty(t, got.ErrorCode, inputs[i])
				assert.Equal(t, 200, open(t, got.EmbedUrl), inputs[i])
				assert.Equal(t, 410, open(t, got.EmbedUrl), "it opens once")
			}
			for i, request := range seen(t, env) {
				assert.Equal(t, inputs[i].UserArn, request.UserArn, "it arrives as it was given")
			}
		})
	}
}

// seen are the requests that a server has seen.
func seen(t *testing.T, env map[string]string) (requests []struct{ UserArn string }) {
	t.Helper()
	resp, err := http.Get(env["AWS_ENDPOINT_URL_QUICKSIGHT"] + "/_embedtest/requests")
	require.NoError(t, err)
	defer resp.Body.Close()
	var body struct{ Requests []struct{ UserArn string } }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&body))
	require.NotEmpty(t, body.Requests)
	return body.Requests
}

func TestRealClientsGetURLsOverTLSAndWithAToken(t *testing.T) {
	env := serve(t, "-tls", "-session-token", "token/+==", "-expires-in", "1h")
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			got := c.ask(t, env, input{AwsAccountId: account, UserArn: jane})[0]
			require.Empty(t, got.ErrorCode)
			assert.Contains(t, got.EmbedUrl, "https://")
		})
	}
}

func TestRealClientsKnowEachException(t *testing.T) {
	env := serve(t)
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			var inputs []input
			var want []answer
			for _, code := range exceptions {
				inject(t, env, `{"fault":"Fail","code":"`+code+`"}`)
				inputs = append(inputs, input{AwsAccountId: account})
				want = append(want, answer{ErrorCode: code, Class: code})
			}
			assert.Equal(t, want, c.ask(t, env, inputs...))
		})
	}
}

func inject(t *testing.T, env map[string]string, fault string) {
	t.Helper()
	resp, err := http.Post(env["AWS_ENDPOINT_URL_QUICKSIGHT"]+"/_embedtest/faults", "application/json", strings.NewReader(fault))
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

func TestRealClientsAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		env  map[string]string // wrong values
		in   input
		code string
	}{
		"an unknown user":      {[]string{"-user", jane}, nil, input{UserArn: jane + "2"}, "QuickSightUserNotFoundException"},
		"another account":      {[]string{"-account", "999988887777"}, nil, input{}, "AccessDeniedException"},
		"a denied action":      {[]string{"-denied", "quicksight:GetSessionEmbedUrl"}, nil, input{}, "AccessDeniedException"},
		"a Standard edition":   {[]string{"-edition", "STANDARD"}, nil, input{}, "UnsupportedUserEditionException"},
		"no subscription":      {[]string{"-edition", "NONE"}, nil, input{}, "ResourceNotFoundException"},
		"no such dashboard":    {[]string{"-dashboard", "a"}, nil, input{EntryPoint: "/dashboards/b"}, "ResourceNotFoundException"},
		"a bad entry point":    {nil, nil, input{EntryPoint: "/start/"}, "InvalidParameterValueException"},
		"a long session":       {nil, nil, input{SessionLifetimeInMinutes: 601}, "SessionLifetimeInMinutesInvalidException"},
		"a bad ARN":            {nil, nil, input{UserArn: "arn:aws:quicksight:111122223333:user/default/jane"}, "InvalidParameterValueException"},
		"a wrong secret":       {nil, map[string]string{"AWS_SECRET_ACCESS_KEY": "wrong"}, input{UserArn: jane}, "InvalidSignatureException"},
		"an unknown key":       {nil, map[string]string{"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN"}, input{}, "UnrecognizedClientException"},
		"another region":       {nil, map[string]string{"AWS_REGION": "eu-west-1"}, input{}, "InvalidSignatureException"},
		"a token it has not":   {nil, map[string]string{"AWS_SESSION_TOKEN": "token"}, input{}, "UnrecognizedClientException"},
		"another token":        {[]string{"-session-token", "token"}, map[string]string{"AWS_SESSION_TOKEN": "other"}, input{}, "UnrecognizedClientException"},
		"a token that is gone": {[]string{"-session-token", "token", "-expires-in", "-1s"}, nil, input{}, "ExpiredTokenException"},
	} {
		t.Run(name, func(t *testing.T) {
			env := serve(t, test.args...)
			maps.Copy(env, test.env)
			test.in.AwsAccountId = account
			for _, c := range clients {
				t.Run(c.name, func(t *testing.T) {
					assert.Equal(t, test.code, c.ask(t, env, test.in)[0].ErrorCode)
				})
			}
		})
	}
}

func TestAWSCLIAssumesARoleAndAsksForItsURL(t *testing.T) {
	env := serve(t, "-role", embedRole, "-user", jane)
	stdout, stderr := runIn(t, env, "/usr/bin/aws", "sts", "assume-role", "--endpoint-url", env["AWS_ENDPOINT_URL_STS"],
		"--region", env["AWS_REGION"], "--role-arn", embedRole, "--role-session-name", "jane", "--output", "json")
	var assumed struct {
		Credentials     struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }
		AssumedRoleUser struct{ Arn string }
	}
	require.NoError(t, json.Unmarshal(stdout, &assumed), "%s", stderr)
	assert.Equal(t, "arn:aws:sts::111122223333:assumed-role/embed/jane", assumed.AssumedRoleUser.Arn)
	assert.NotEmpty(t, assumed.Credentials.Expiration)

	env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = assumed.Credentials.AccessKeyId, assumed.Credentials.SecretAccessKey
	env["AWS_SESSION_TOKEN"] = assumed.Credentials.SessionToken
	got := askWithCLI(t, env, input{AwsAccountId: account})[0]
	assert.Equal(t, "QuickSightUserNotFoundException", got.ErrorCode, "the role session is a user of its own")
	assert.Equal(t, "arn:aws:quicksight:us-east-1:111122223333:user/default/embed/jane", seen(t, env)[1].UserArn)

	_, stderr = runIn(t, env, "/usr/bin/aws", "sts", "assume-role", "--endpoint-url", env["AWS_ENDPOINT_URL_STS"],
		"--region", env["AWS_REGION"], "--role-arn", embedRole+"2", "--role-session-name", "jane")
	assert.Contains(t, string(stderr), "User: arn:aws:sts::111122223333:assumed-role/embed/jane")
}

// TestExamplesInOtherLanguages runs the example tests as people do, with the program in the path.
func TestExamplesInOtherLanguages(t *testing.T) {
	path := map[string]string{"PATH": filepath.Dir(quickSightLocal) + string(os.PathListSeparator) + os.Getenv("PATH")}
	t.Run("Python", func(t *testing.T) {
		needsBoto3(t)
		_, stderr := runIn(t, path, python, "-m", "unittest", "-v", "python/test_quicksight_local.py")
		assert.Contains(t, string(stderr), "Ran 3 tests")
		assert.Contains(t, string(stderr), "\nOK\n")
	})
	t.Run("JavaScript", func(t *testing.T) {
		needsNode(t)
		stdout, stderr := runIn(t, path, "node", "--test", "--test-reporter=tap", "js/quicksight-local.test.mjs")
		assert.Contains(t, string(stdout), "# pass 3\n# fail 0\n", string(stderr))
	})
}
