package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"example.com/quicksightembed/embedtest"
)

func TestMain(m *testing.M) {
	// What the machine has set for AWS must not change the tests.
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") || name == "WEBAPP_SESSION_KEY" {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}

const (
	janesARN  = "arn:aws:quicksight:us-east-1:111122223333:user/default/jane"
	janesRole = "arn:aws:quicksight:us-east-1:111122223333:user/default/embed-console/jane"
)

// logBuffer is written by the backend and read by the test.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// backend is a running app and the QuickSight that it asks.
type backend struct {
	*httptest.Server
	quickSight *embedtest.Server
	log        *logBuffer
}

func newBackend(t *testing.T, args ...string) *backend {
	t.Helper()
	s, err := parseFlags(append([]string{"-origin", "http://app.example.com"}, args...), io.Discard)
	require.NoError(t, err)
	b := &backend{log: &logBuffer{}, quickSight: embedtest.NewServer(func(o *embedtest.Options) { o.Roles = []string{demoRole} })}
	t.Cleanup(b.quickSight.Close)
	cfg := b.quickSight.Config()
	cfg.RetryMaxAttempts = 1
	q := quickSight{cfg: cfg, consoleOrigin: "https://localhost:8443"}
	b.Server = httptest.NewServer(newHandler(s, q, []byte(strings.Repeat("sdk ", 1000)), slog.New(slog.NewTextHandler(b.log, nil))))
	t.Cleanup(b.Close)
	return b
}

// browser is a visitor's browser.
type browser struct {
	t       *testing.T
	backend *backend // nil unless newBackend made it
	url     string
	host    string // the Host of requests
	client  *http.Client
}

func (b *backend) visitor(t *testing.T) *browser {
	v := newVisitor(t, b.URL, b.Client().Transport)
	v.backend, v.host = b, "app.example.com"
	return v
}

func newVisitor(t *testing.T, url string, transport http.RoundTripper) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{t: t, url: url, client: &http.Client{
		Transport:     transport,
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// do sends a request as the page's script does. change, if any, modifies it first.
func (v *browser) do(method, path, body string, change func(*http.Request)) (*http.Response, string) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, strings.NewReader(body))
	require.NoError(v.t, err)
	req.Host = v.host
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if change != nil {
		change(req)
	}
	resp, err := v.client.Do(req)
	require.NoError(v.t, err)
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	require.NoError(v.t, err)
	return resp, string(content)
}

func (v *browser) signIn(user string) *http.Cookie {
	v.t.Helper()
	resp, body := v.do("POST", "/api/sign-in", `{"user":"`+user+`","password":"demo"}`, nil)
	require.Equal(v.t, http.StatusNoContent, resp.StatusCode, body)
	return resp.Cookies()[0]
}

func (v *browser) ask(body string) (status int, reply map[string]any) {
	v.t.Helper()
	resp, content := v.do("POST", "/api/console-url", body, nil)
	require.NoError(v.t, json.Unmarshal([]byte(content), &reply), content)
	return resp.StatusCode, reply
}

func TestPageIsForThoseWhoAreSignedIn(t *testing.T) {
	v := newBackend(t).visitor(t)
	resp, _ := v.do("GET", "/", "", nil)
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	assert.Equal(t, "/sign-in", resp.Header.Get("Location"))
	v.signIn("jane")
	resp, page := v.do("GET", "/", "", nil)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, page, `<strong id="user">jane</strong>`)
	assert.Contains(t, page, `data-place="dashboard">Sales overview</a>`)
	assert.Empty(t, v.backend.quickSight.Requests(), "its script asks for the URL")
	resp, _ = v.do("GET", "/sign-in", "", nil)
	assert.Equal(t, "/", resp.Header.Get("Location"))
}

func TestPageWithoutADashboardInTheMenu(t *testing.T) {
	assert.Len(t, placesWith("", ""), 4)
	assert.Equal(t, place{"dashboard", "Sales", "/dashboards/d"}, placesWith("d", "Sales")[4])
}

func TestDashboardIsCalledAsItIsSaid(t *testing.T) {
	v := newBackend(t, "-dashboard", "d-1").visitor(t)
	v.signIn("jane")
	_, page := v.do("GET", "/", "", nil)
	assert.Contains(t, page, `data-place="dashboard">d-1</a>`)
	v = newBackend(t, "-dashboard", "d-1", "-dashboard-name", "Orders").visitor(t)
	v.signIn("jane")
	_, page = v.do("GET", "/", "", nil)
	assert.Contains(t, page, `data-place="dashboard">Orders</a>`)
}

func TestSignInPageNamesItsUsers(t *testing.T) {
	_, page := newBackend(t, "-user", "bob").visitor(t).do("GET", "/sign-in", "", nil)
	assert.Contains(t, page, "sign in as <strong>bob</strong>, with the password")
	assert.NotContains(t, page, "jane")
	assert.NotContains(t, page, "You are signed out.")
	_, page = newBackend(t).visitor(t).do("GET", "/sign-in?ended", "", nil)
	assert.Contains(t, page, "You are signed out.")
	assert.Contains(t, page, "<strong>noor</strong> (who is not registered")
}

func TestPageEscapesNames(t *testing.T) {
	v := newBackend(t, "-user", "<b>jane").visitor(t)
	v.signIn("<b>jane")
	_, page := v.do("GET", "/", "", nil)
	assert.Contains(t, page, "&lt;b&gt;jane")
}

func TestFilesOfThePage(t *testing.T) {
	v := newBackend(t).visitor(t)
	for path, contentType := range map[string]string{
		"/assets/app.js":           "text/javascript; charset=utf-8",
		"/assets/signin.js":        "text/javascript; charset=utf-8",
		"/assets/embedding-sdk.js": "text/javascript; charset=utf-8",
		"/assets/style.css":        "text/css; charset=utf-8",
		"/assets/icon.svg":         "image/svg+xml",
	} {
		resp, body := v.do("GET", path, "", nil)
		assert.Equal(t, http.StatusOK, resp.StatusCode, path)
		assert.Equal(t, contentType, resp.Header.Get("Content-Type"), path)
		assert.NotEmpty(t, body)
	}
	resp, body := v.do("GET", "/healthz", "", nil)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, "ok\n", body)
	for _, path := range []string{"/assets/signin.html", "/assets/", "/assets/x.js"} {
		resp, _ = v.do("GET", path, "", nil)
		assert.Equal(t, http.StatusNotFound, resp.StatusCode, path)
	}
}

func TestFilesAreCompressed(t *testing.T) {
	v := newBackend(t).visitor(t)
	resp, body := v.do("GET", "/assets/embedding-sdk.js", "", func(r *http.Request) { r.Header.Set("Accept-Encoding", "gzip") })
	assert.Equal(t, "gzip", resp.Header.Get("Content-Encoding"))
	assert.Less(t, len(body), 500)
}
