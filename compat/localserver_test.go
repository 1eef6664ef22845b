package compat

import (
	"bufio"
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

// exceptions are those of the operation.
var exceptions = []string{
	"AccessDeniedException", "InternalFailureException", "InvalidParameterValueException", "QuickSightUserNotFoundException",
	"ResourceExistsException", "ResourceNotFoundException", "SessionLifetimeInMinutesInvalidException", "ThrottlingException",
	"UnsupportedUserEditionException",
}

var localserver string // the built program

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "compat")
	if err != nil {
		panic(err)
	}
	localserver = filepath.Join(dir, "localserver")
	build := exec.Command("go", "build", "-o", localserver, "./examples/localserver")
	build.Dir = ".."
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	if err := readLive(); err != nil {
		panic(err)
	}
	for _, variable := range os.Environ() { // what the machine has set for AWS must not change the tests
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

// serve starts the local server as a process, and returns the environment that it tells clients to set.
func serve(t *testing.T, args ...string) (env map[string]string) {
	t.Helper()
	server := exec.Command(localserver, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
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

func TestRealClientsGetURLs(t *testing.T) {
	env := serve(t)
	for _, c := range clients {
		for name, in := range map[string]input{
			"the account alone":       {AwsAccountId: account},
			"the start page":          {AwsAccountId: account, EntryPoint: "/start"},
			"the analyses":            {AwsAccountId: account, EntryPoint: "/start/analyses"},
			"the dashboards":          {AwsAccountId: account, EntryPoint: "/start/dashboards"},
			"the favorites":           {AwsAccountId: account, EntryPoint: "/start/favorites"},
			"a dashboard":             {AwsAccountId: account, EntryPoint: "/dashboards/1a1ac2b2-3fc3-4b44-5e5d-c6db6778df89"},
			"an analysis":             {AwsAccountId: account, EntryPoint: "/analyses/sales_2026", SessionLifetimeInMinutes: 15},
			"a registered user":       {AwsAccountId: account, UserArn: jane, SessionLifetimeInMinutes: 600},
			"a role session":          {AwsAccountId: account, UserArn: "arn:aws:quicksight:us-east-1:111122223333:user/default/embed-role/jane@example.com"},
			"a user of the China":     {AwsAccountId: account, UserArn: "arn:aws-cn:quicksight:cn-north-1:111122223333:user/default/jane"},
			"a namespace":             {AwsAccountId: account, UserArn: "arn:aws:quicksight:eu-west-1:111122223333:user/Team-A_1.b/jane"},
			"a user name of all sort": {AwsAccountId: account, UserArn: "arn:aws:quicksight:us-east-1:111122223333:user/default/Jané Döe 東京 ~!*'()&=%?+;:,@#$[]"},
		} {
			t.Run(c.name+" asks for "+name, func(t *testing.T) {
				got := c.ask(t, env, in)
				require.Empty(t, got.ErrorCode)
				assert.Equal(t, 200, open(t, got.EmbedUrl))
				assert.Equal(t, 410, open(t, got.EmbedUrl), "it opens once")
			})
		}
	}
}

func TestRealClientsGetURLsOverTLSAndWithAToken(t *testing.T) {
	env := serve(t, "-tls", "-session-token", "token/+==", "-expires-in", "1h")
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			got := c.ask(t, env, input{AwsAccountId: account, UserArn: jane})
			require.Empty(t, got.ErrorCode)
			assert.Contains(t, got.EmbedUrl, "https://")
		})
	}
}

func TestRealClientsKnowEachException(t *testing.T) {
	for _, code := range exceptions {
		t.Run(code, func(t *testing.T) {
			env := serve(t, "-fail", code)
			for _, c := range clients {
				t.Run(c.name, func(t *testing.T) {
					got := c.ask(t, env, input{AwsAccountId: account})
					assert.Equal(t, answer{ErrorCode: code, Class: code}, got)
				})
			}
		})
	}
}

func TestRealClientsAreJudgedByState(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		in   input
		code string
	}{
		"an unknown user":    {[]string{"-user", jane}, input{AwsAccountId: account, UserArn: jane + "2"}, "QuickSightUserNotFoundException"},
		"another account":    {nil, input{AwsAccountId: "999988887777"}, "AccessDeniedException"},
		"a Standard edition": {[]string{"-edition", "STANDARD"}, input{AwsAccountId: account}, "UnsupportedUserEditionException"},
		"no subscription":    {[]string{"-edition", "NONE"}, input{AwsAccountId: account}, "ResourceNotFoundException"},
		"a bad entry point":  {nil, input{AwsAccountId: account, EntryPoint: "/start/"}, "InvalidParameterValueException"},
		"a bad ARN":          {nil, input{AwsAccountId: account, UserArn: "arn:aws:quicksight:111122223333:user/default/jane"}, "InvalidParameterValueException"},
	} {
		t.Run(name, func(t *testing.T) {
			env := serve(t, test.args...)
			for _, c := range clients {
				t.Run(c.name, func(t *testing.T) {
					assert.Equal(t, test.code, c.ask(t, env, test.in).ErrorCode)
				})
			}
		})
	}
}

func TestRealClientsAreRefusedWithWrongCredentials(t *testing.T) {
	for name, test := range map[string]struct {
		args  []string
		wrong map[string]string
		code  string
	}{
		"a wrong secret":     {nil, map[string]string{"AWS_SECRET_ACCESS_KEY": "wrong"}, "InvalidSignatureException"},
		"an unknown key":     {nil, map[string]string{"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN"}, "UnrecognizedClientException"},
		"another region":     {nil, map[string]string{"AWS_REGION": "eu-west-1"}, "InvalidSignatureException"},
		"a token it has not": {nil, map[string]string{"AWS_SESSION_TOKEN": "token"}, "UnrecognizedClientException"},
		"another token":      {[]string{"-session-token", "token"}, map[string]string{"AWS_SESSION_TOKEN": "other"}, "UnrecognizedClientException"},
		"an expired token":   {[]string{"-session-token", "token", "-expires-in", "-1s"}, nil, "ExpiredTokenException"},
	} {
		t.Run(name, func(t *testing.T) {
			env := serve(t, test.args...)
			maps.Copy(env, test.wrong)
			for _, c := range clients {
				t.Run(c.name, func(t *testing.T) {
					assert.Equal(t, test.code, c.ask(t, env, input{AwsAccountId: account, UserArn: jane}).ErrorCode)
				})
			}
		})
	}
}
