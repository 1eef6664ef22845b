package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed/embedtest"
)

func TestSessionCookie(t *testing.T) {
	cookie := newBackend(t).visitor(t).signIn("jane")
	assert.True(t, cookie.HttpOnly)
	assert.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	assert.Equal(t, "/", cookie.Path)
	assert.Equal(t, 8*60*60, cookie.MaxAge)
	assert.False(t, cookie.Secure, "it is served over HTTP")

	cookie = newBackend(t, "-origin", "https://app.example.com").visitor(t).signIn("jane")
	assert.True(t, cookie.Secure)
}

func TestThoseWhoCannotSignIn(t *testing.T) {
	for name, body := range map[string]string{
		"a wrong password": `{"user":"jane","password":"Demo"}`,
		"no password":      `{"user":"jane"}`,
		"an unknown user":  `{"user":"mallory","password":"demo"}`,
		"nobody":           `{"password":"demo"}`,
	} {
		t.Run(name, func(t *testing.T) {
			v := newBackend(t).visitor(t)
			resp, answer := v.do("POST", "/api/sign-in", body, nil)
			assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
			assert.Contains(t, answer, "The user name or password is not right", "it does not tell which")
			assert.Empty(t, resp.Cookies())
			assert.NotContains(t, v.backend.log.String(), "emo\"")
		})
	}
	resp, _ := newBackend(t).visitor(t).do("POST", "/api/sign-in", `{"user":"`+strings.Repeat("x", 5<<10)+`"}`, nil)
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode, "what is too long is not read")
}

func newSignIn(t *testing.T, args ...string) *demoSignIn {
	t.Helper()
	s, err := parseFlags(args, io.Discard)
	require.NoError(t, err)
	return newDemoSignIn(s, func(string) {}, slog.New(slog.DiscardHandler))
}

func TestCookiesThatAreNoSession(t *testing.T) {
	clock := time.Now()
	d := newSignIn(t)
	d.now = func() time.Time { return clock }
	good, others, ended := d.begin("jane").Value, newSignIn(t).begin("jane").Value, d.begin("jane")
	isSession := func(value string) bool {
		r := httptest.NewRequest("POST", "/api/sign-out", nil)
		r.AddCookie(&http.Cookie{Name: "session", Value: value})
		_, ok := d.visitor(r)
		return ok
	}
	r := httptest.NewRequest("POST", "/api/sign-out", nil)
	r.AddCookie(ended)
	d.signOut(httptest.NewRecorder(), r)
	assert.True(t, isSession(good))
	for name, value := range map[string]string{
		"of another key": others, "cut": good[:len(good)-4], "signed out": ended.Value, "garbage": "x", "empty": "",
		"changed": good[:10] + "x" + good[11:],
	} {
		assert.False(t, isSession(value), name)
	}
	clock = clock.Add(sessionLifetime)
	assert.False(t, isSession(good), "it has expired")
}

// With a key in the environment, people stay signed in after a restart and in a second process.
func TestSessionOutlivesTheProcess(t *testing.T) {
	t.Setenv("WEBAPP_SESSION_KEY", "0123456789abcdef0123456789abcdef")
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(newSignIn(t).begin("jane"))
	found, ok := newSignIn(t).visitor(r)
	assert.True(t, ok)
	assert.Equal(t, "jane", found.Name)
}

func TestCookieOfHTTPSIsBoundToItsHost(t *testing.T) {
	cookie := newSignIn(t, "-origin", "https://app.example.com").begin("jane")
	assert.Equal(t, "__Host-session", cookie.Name)
	assert.True(t, cookie.Secure && cookie.HttpOnly)
	assert.Equal(t, "/", cookie.Path)
	cookie = newSignIn(t).begin("jane")
	assert.Equal(t, "session", cookie.Name)
	assert.False(t, cookie.Secure)
}

func TestAttemptsToSignInAreLimitedAndLogged(t *testing.T) {
	v := newBackend(t).visitor(t)
	signIn := func(user, password string) int {
		resp, _ := v.do("POST", "/api/sign-in", `{"user":"`+user+`","password":"`+password+`"}`, nil)
		return resp.StatusCode
	}
	for range 10 {
		assert.Equal(t, http.StatusUnauthorized, signIn("jane", "guessed"))
	}
	assert.Equal(t, http.StatusTooManyRequests, signIn("jane", "demo"), "the right one does not help")
	assert.Equal(t, http.StatusTooManyRequests, signIn("mateo", "demo"), "nor another user, from the same address")
	assert.Contains(t, v.backend.log.String(), `msg="someone could not sign in" request=`)
	assert.Regexp(t, `msg="too many attempts to sign in" request=\w+ user=jane address=127.0.0.1`, v.backend.log.String())
}

func TestLimitIsForEachKey(t *testing.T) {
	l := newLimiter(time.Hour, 2)
	for _, step := range []struct {
		keys []string
		want bool
	}{
		{[]string{"a"}, true}, {[]string{"a"}, true}, {[]string{"a"}, false}, {[]string{"b"}, true},
		{[]string{"b", "a"}, false}, {[]string{"b"}, false}, {[]string{"c", "d"}, true},
	} {
		assert.Equal(t, step.want, l.allow(step.keys...), step.keys)
	}
}

// An authenticating proxy names the user.
func TestProxyNamesTheUser(t *testing.T) {
	s, err := parseFlags([]string{"-aws", "-account", demoAccount, "-user-header", "X-Auth-Request-User", "-origin", "https://app.example.com"}, io.Discard)
	require.NoError(t, err)
	server := embedtest.New(t)
	backend := httptest.NewServer(newHandler(s, quickSight{cfg: server.Config()}, nil, slog.New(slog.DiscardHandler)))
	defer backend.Close()
	v := newVisitor(t, backend.URL, backend.Client().Transport)
	v.host = "app.example.com"
	for name, test := range map[string]struct {
		names  []string
		status int
	}{
		"a user": {[]string{"jane"}, 200}, "nobody": {nil, 401}, "an empty name": {[]string{""}, 401}, "two": {[]string{"jane", "mateo"}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			asProxy := func(r *http.Request) { r.Header["X-Auth-Request-User"] = test.names }
			resp, _ := v.do("POST", "/api/console-url", `{"place":"start"}`, asProxy)
			assert.Equal(t, test.status, resp.StatusCode)
			resp, _ = v.do("GET", "/", "", asProxy)
			assert.Equal(t, test.status, resp.StatusCode)
		})
	}
	require.Len(t, server.Requests(), 1)
	assert.Equal(t, janesARN, server.Requests()[0].UserArn)
	resp, _ := v.do("POST", "/api/sign-in", `{"user":"jane","password":"demo"}`, nil)
	assert.Equal(t, http.StatusNotFound, resp.StatusCode, "the demo's password is gone")
}

func TestCookieIsWorthlessAfterSigningOut(t *testing.T) {
	b := newBackend(t)
	v := b.visitor(t)
	kept := v.signIn("jane")
	resp, _ := v.do("POST", "/api/sign-out", "", nil)
	assert.Equal(t, http.StatusNoContent, resp.StatusCode)
	assert.Negative(t, resp.Cookies()[0].MaxAge)
	resp, _ = b.visitor(t).do("POST", "/api/console-url", `{"place":"start"}`, func(r *http.Request) { r.AddCookie(kept) })
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	assert.Empty(t, b.quickSight.Requests())
}
