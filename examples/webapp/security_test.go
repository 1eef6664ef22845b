package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHeaderOfEveryReply(t *testing.T) {
	v := newBackend(t).visitor(t)
	for name, request := range map[string]struct{ method, path, body, cache string }{
		"a page":       {"GET", "/sign-in", "", "no-store"},
		"a redirect":   {"GET", "/", "", "no-store"},
		"a file":       {"GET", "/assets/app.js", "", "max-age=3600"},
		"the SDK":      {"GET", "/assets/embedding-sdk.js", "", "max-age=3600"},
		"an answer":    {"POST", "/api/console-url", "{}", "no-store"},
		"health":       {"GET", "/healthz", "", ""},
		"nothing":      {"GET", "/nothing", "", ""},
		"a bad method": {"DELETE", "/api/sign-in", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			resp, _ := v.do(request.method, request.path, request.body, nil)
			assert.Equal(t, request.cache, resp.Header.Get("Cache-Control"))
			assert.Equal(t, "no-referrer", resp.Header.Get("Referrer-Policy"))
			assert.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
			policy := strings.Split(resp.Header.Get("Content-Security-Policy"), "; ")
			for _, directive := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-src https://localhost:8443", "frame-ancestors 'none'", "base-uri 'none'"} {
				assert.Contains(t, policy, directive)
			}
			assert.NotContains(t, resp.Header.Get("Content-Security-Policy"), "unsafe")
		})
	}
}

func TestPageAtAnotherNameSaysWhereItIs(t *testing.T) {
	b := newBackend(t)
	v := b.visitor(t)
	v.host = "internal:8080"
	resp, page := v.do("GET", "/sign-in", "", nil)
	assert.Equal(t, http.StatusMisdirectedRequest, resp.StatusCode)
	assert.Equal(t, "This page is at http://app.example.com. A proxy in front must pass the Host header on.\n", page)
	resp, _ = v.do("GET", "/healthz", "", nil)
	assert.Equal(t, http.StatusOK, resp.StatusCode, "load balancers ask by address")
	resp, _ = v.do("POST", "/api/sign-in", "{}", func(r *http.Request) { r.Header.Set("Origin", "http://internal:8080") })
	assert.Equal(t, http.StatusMisdirectedRequest, resp.StatusCode)
}

func TestOriginOfTheConsoleFollowsTheRegion(t *testing.T) {
	for region, origin := range map[string]string{
		"us-east-1":     "https://us-east-1.quicksight.aws.amazon.com",
		"eu-central-1":  "https://eu-central-1.quicksight.aws.amazon.com",
		"cn-north-1":    "https://cn-north-1.quicksight.amazonaws.cn",
		"us-gov-west-1": "https://quicksight.us-gov-west-1.amazonaws.com",
	} {
		assert.Equal(t, origin, consoleOrigin(region))
	}
}

func TestRequestsOfOtherSitesAreRefused(t *testing.T) {
	header := func(names ...string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			for i := 0; i < len(names); i += 2 {
				r.Header.Set(names[i], names[i+1])
			}
		}
	}
	for name, test := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"the page":                         {header("Sec-Fetch-Site", "same-origin"), http.StatusOK},
		"the page, in an old browser":      {func(r *http.Request) { header("Origin", "http://app.example.com")(r) }, http.StatusOK},
		"another site":                     {header("Sec-Fetch-Site", "cross-site"), http.StatusForbidden},
		"another host of the site":         {header("Sec-Fetch-Site", "same-site"), http.StatusForbidden},
		"another site that names the page": {func(r *http.Request) { header("Sec-Fetch-Site", "cross-site", "Origin", "http://app.example.com")(r) }, http.StatusForbidden},
		"an old browser on another site":   {header("Origin", "https://evil.example"), http.StatusForbidden},
		"a page that hides where it is":    {header("Origin", "null"), http.StatusForbidden},
		"something that does not say":      {header(), http.StatusForbidden},
		"a form":                           {header("Sec-Fetch-Site", "same-origin", "Content-Type", "application/x-www-form-urlencoded"), http.StatusForbidden},
		"JSON that is sent as text":        {header("Sec-Fetch-Site", "same-origin", "Content-Type", "text/plain"), http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			v := newBackend(t).visitor(t)
			v.signIn("jane")
			resp, body := v.do("POST", "/api/console-url", `{"place":"start"}`, test.change)
			assert.Equal(t, test.status, resp.StatusCode)
			assert.Equal(t, test.status == http.StatusOK, strings.Contains(body, "embedUrl"))
			resp, _ = v.do("POST", "/api/sign-out", "", test.change)
			assert.Equal(t, test.status == http.StatusOK, resp.StatusCode == http.StatusNoContent)
		})
	}
}
