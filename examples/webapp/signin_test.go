package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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

func TestCookiesThatAreNoSession(t *testing.T) {
	clock := time.Now()
	s := newSessions()
	s.now = func() time.Time { return clock }
	_, good := s.begin("jane", false)
	_, others := newSessions().begin("jane", false)
	ended, endedCookie := s.begin("jane", false)
	s.end(ended)
	payload, signature, _ := strings.Cut(good.Value, ".")
	isSession := func(value string) bool {
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: value})
		_, ok := s.of(r)
		return ok
	}
	assert.True(t, isSession(good.Value))
	for name, value := range map[string]string{
		"of another key": others.Value,
		"of another":     strings.Split(others.Value, ".")[0] + "." + signature,
		"unsigned":       payload,
		"signed empty":   payload + ".",
		"signed out":     endedCookie.Value,
		"garbage":        "x",
		"empty":          "",
		"signed garbage": "x." + s.sign("x"),
	} {
		assert.False(t, isSession(value), name)
	}
	clock = clock.Add(sessionLifetime)
	assert.False(t, isSession(good.Value), "it has expired")
	s.end(session{ID: "another", Expires: clock.Add(time.Hour)})
	assert.Len(t, s.signedOut, 1, "those that have expired are forgotten")
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
