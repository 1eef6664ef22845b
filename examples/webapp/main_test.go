package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeSDK writes a file that replaces the npm package: these tests do not run the SDK.
func fakeSDK(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "sdk.js")
	require.NoError(t, os.WriteFile(name, []byte("// sdk"), 0o600))
	return name
}

func TestDemo(t *testing.T) {
	for _, model := range []string{"registered", "role"} {
		t.Run(model, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			stdout, write := io.Pipe()
			stderr := &logBuffer{}
			exited := make(chan int, 1)
			go func() {
				exited <- run(ctx, []string{"-addr", "127.0.0.1:0", "-quicksight-addr", "127.0.0.1:0", "-identity", model, "-sdk", fakeSDK(t)}, write, stderr)
			}()
			lines := bufio.NewScanner(stdout)
			require.True(t, lines.Scan())
			page := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "The page:"))
			assert.Regexp(t, `^http://localhost:\d+$`, page)
			require.True(t, lines.Scan())
			assert.Regexp(t, `^QuickSight:  https://localhost:\d+ `, lines.Text())
			quickSight := strings.Fields(lines.Text())[1]
			require.True(t, lines.Scan())
			assert.Contains(t, lines.Text(), `Sign in as jane or mateo or noor, with the password "demo".`)

			transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
			defer transport.CloseIdleConnections()
			v := newVisitor(t, page, transport)
			v.host = strings.TrimPrefix(page, "http://")
			v.signIn("jane")
			status, reply := v.ask(`{"place":"dashboards"}`)
			require.Equal(t, http.StatusOK, status, reply)
			require.True(t, strings.HasPrefix(reply["embedUrl"].(string), quickSight+"/embedding/"), "it is of the origin that the page may frame")
			resp, err := (&http.Client{Transport: transport}).Get(reply["embedUrl"].(string))
			require.NoError(t, err)
			resp.Body.Close()
			assert.Equal(t, http.StatusOK, resp.StatusCode)
			assert.Equal(t, "frame-ancestors "+page, resp.Header.Get("Content-Security-Policy"))

			v.signIn("noor")
			status, reply = v.ask(`{"place":"dashboards"}`)
			assert.Equal(t, http.StatusForbidden, status)
			assert.Equal(t, "Your QuickSight user is not registered in this account", reply["title"])

			transport.CloseIdleConnections()
			stop()
			assert.Zero(t, <-exited)
			assert.Contains(t, stderr.String(), "msg=stopping")
			assert.NotContains(t, stderr.String(), "code=")
		})
	}
}

func TestRequestThatHasBegunIsAnsweredWhenTheProgramStops(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	begun, finish := make(chan bool), make(chan bool)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- true
		<-finish
		io.WriteString(w, "done")
	})
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	log := &stopNotice{said: make(chan bool, 1)}
	go func() { stopped <- serve(ctx, listener, handler, slog.New(slog.NewTextHandler(log, nil))) }()

	answered := make(chan string, 1)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	go func() {
		resp, err := (&http.Client{Transport: transport}).Get("http://" + listener.Addr().String())
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answered <- string(body)
	}()
	<-begun
	stop()
	<-log.said
	assert.Empty(t, stopped, "it waits")
	finish <- true
	assert.Equal(t, "done", <-answered)
	assert.NoError(t, <-stopped)
	_, err = net.Dial("tcp", listener.Addr().String())
	assert.Error(t, err, "it listens no more")
}

// stopNotice is a log that reports when the program stops.
type stopNotice struct{ said chan bool }

func (s *stopNotice) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "stopping") {
		s.said <- true
	}
	return len(p), nil
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"the npm package":      {nil, "run: npm ci"},
		"a port that is taken": {[]string{"-sdk", fakeSDK(t), "-addr", taken.Addr().String()}, "choose another address with -addr"},
		"QuickSight's port":    {[]string{"-sdk", fakeSDK(t), "-addr", "127.0.0.1:0", "-quicksight-addr", taken.Addr().String()}, "choose another address with -quicksight-addr"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			var stderr strings.Builder
			assert.Equal(t, exitError, run(t.Context(), test.args, io.Discard, &stderr))
			assert.Contains(t, stderr.String(), test.want)
		})
	}
}

func TestRegionThatIsMissing(t *testing.T) {
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	var stderr strings.Builder
	assert.Equal(t, exitError, run(t.Context(), []string{"-aws", "-account", demoAccount, "-user-header", "X-User", "-addr", "127.0.0.1:0", "-sdk", fakeSDK(t)}, io.Discard, &stderr))
	assert.Contains(t, stderr.String(), "no region: set AWS_REGION")
}

func TestFlagsThatAreWrong(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"an account":            {[]string{"-account", "1"}, 2, `AwsAccountId "1" must be 12 digits`},
		"a dashboard":           {[]string{"-dashboard", "a/b"}, 2, `EntryPoint "/dashboards/a/b"`},
		"a lifetime":            {[]string{"-lifetime", "14"}, 2, `SessionLifetimeInMinutes "14" must be 15 to 600`},
		"an identity":           {[]string{"-identity", "x"}, 2, `-identity "x" must be registered or role`},
		"an identity's region":  {[]string{"-identity-region", "US East"}, 2, "-lifetime or -identity-region: invalid input: UserArn"},
		"a namespace":           {[]string{"-namespace", "a/b"}, 2, `-namespace "a/b" must be 1 to 64 letters, digits or ._-`},
		"a user":                {[]string{"-user", ""}, 2, `-user "": invalid input: UserArn`},
		"an origin with a path": {[]string{"-origin", "https://app.example.com/"}, 2, `-origin "https://app.example.com/" must be`},
		"an origin that adds":   {[]string{"-origin", "https://app.example.com;x"}, 2, "-origin"},
		"an address":            {[]string{"-addr", "8080"}, 2, `-addr "8080" must be host:port`},
		"a public address":      {[]string{"-addr", ":8080"}, 2, `-addr ":8080" is reached from other machines: give the -origin of the page`},
		"plain HTTP in public":  {[]string{"-addr", ":8080", "-origin", "http://app.example.com"}, 2, `-origin "http://app.example.com" is plain HTTP: put a proxy with HTTPS in front`},
		"a console of its own":  {[]string{"-console-origin", "https://x.example"}, 2, "go with -aws"},
		"an argument":           {[]string{"x"}, 2, `unexpected argument "x"`},
		"an unknown flag":       {[]string{"-x"}, 2, "flag provided but not defined: -x\n-h lists the flags"},
		"AWS without account":   {[]string{"-aws", "-user-header", "X-User"}, 2, "AwsAccountId"},
		"AWS without a proxy":   {[]string{"-aws", "-account", demoAccount}, 2, "-aws needs -user-header"},
		"AWS with demo users":   {[]string{"-aws", "-account", demoAccount, "-user-header", "X-User", "-user", "jane"}, 2, "-user goes without -aws"},
		"AWS without a role":    {[]string{"-aws", "-account", demoAccount, "-user-header", "X-User", "-identity", "role"}, 2, `-role-arn "" must be arn:`},
		"a user of no session":  {[]string{"-identity", "role", "-user", "jane doe"}, 2, `-user "jane doe" cannot name a role session`},
		"a role that is none":   {[]string{"-identity", "role", "-role-arn", "embed"}, 2, `-role-arn "embed" must be arn:`},
		"a question of help":    {[]string{"-h"}, 0, "-dashboard-name"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr strings.Builder
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // the program ends at once if it accepts the flags
			assert.Equal(t, test.code, run(ctx, test.args, io.Discard, &stderr))
			assert.Contains(t, stderr.String(), test.want)
			if test.code == 2 {
				assert.NotContains(t, stderr.String(), "-dashboard-name", "the reason is not lost among the flags")
			}
		})
	}
	t.Setenv("WEBAPP_SESSION_KEY", "short")
	_, err := parseFlags(nil, io.Discard)
	assert.ErrorContains(t, err, "the variable WEBAPP_SESSION_KEY must have at least 32 characters")
}

func TestPublicAddressesThatAreSafe(t *testing.T) {
	for _, args := range [][]string{
		{"-addr", ":8080", "-origin", "https://app.example.com"},
		{"-addr", ":8080", "-origin", "http://app.example.com", "-insecure"},
		{"-addr", "[::1]:8080"}, {"-addr", "127.0.0.1:8080", "-origin", "http://app.example.com"},
	} {
		_, err := parseFlags(args, io.Discard)
		assert.NoError(t, err, args)
	}
}
