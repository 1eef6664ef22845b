package embedtest

import (
	"cmp"
	"crypto/subtle"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed"
)

// What QuickSight documents of its URLs:
// https://docs.aws.amazon.com/quicksight/latest/APIReference/API_GetSessionEmbedUrl.html
const (
	urlLifetime            = 5 * time.Minute
	defaultSessionLifetime = 600 * time.Minute
)

const embedPath = "/embedding/"

// sessions are the URLs that were issued and what became of them.
type sessions struct {
	now            func() time.Time
	frameAncestors string

	mu   sync.Mutex
	byID map[string]*session
	ids  []string // oldest first
}

type session struct {
	user, entryPoint string
	code             string // opens the session, once
	cookie           string // keeps it open, in the browser that opened it
	lifetime         time.Duration
	issuedAt         time.Time
	openedAt         time.Time // zero until the URL is opened
}

func (s *session) endsAt() time.Time { return s.openedAt.Add(s.lifetime) }

func newSessions(now func() time.Time, allowedDomains []string) *sessions {
	ancestors := "'none'"
	if len(allowedDomains) > 0 {
		ancestors = strings.Join(allowedDomains, " ")
	}
	return &sessions{now: now, frameAncestors: "frame-ancestors " + ancestors, byID: map[string]*session{}}
}

// issue makes a session for a user and returns its id, and its URL without scheme and host.
func (s *sessions) issue(input *quicksightembed.GetSessionEmbedUrlInput, userArn string) (id, path string) {
	issued := &session{
		user:       cmp.Or(userArn, "the identity that signed the request"),
		entryPoint: cmp.Or(aws.ToString(input.EntryPoint), quicksightembed.EntryPointStart),
		code:       randomHex(32),
		cookie:     randomHex(32),
		lifetime:   defaultSessionLifetime,
		issuedAt:   s.now(),
	}
	if input.SessionLifetimeInMinutes != nil {
		issued.lifetime = time.Duration(*input.SessionLifetimeInMinutes) * time.Minute
	}
	id = randomHex(16)

	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ids) == maxSessions {
		delete(s.byID, s.ids[0])
		s.ids = s.ids[1:]
	}
	s.byID[id] = issued
	s.ids = append(s.ids, id)
	return id, embedPath + id + issued.entryPoint + "?code=" + issued.code + "&identityprovider=quicksight&isauthcode=true"
}

// What became of a URL.
const (
	notIssued = "This URL was not issued here."
	used      = "This URL was used: it opens once. Ask for a new one."
	expired   = "This URL has expired: it can be opened within 5 minutes. Ask for a new one."
	ended     = "This session has ended. Ask for a new URL."
)

// open returns the session that a request is for, or says why there is none: with the code of its URL, which opens it once,
// or with the cookie of the browser that did. To look (HEAD) does not use the URL up.
func (s *sessions) open(r *http.Request) (opened session, status int, problem string) {
	id, entryPoint, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, embedPath), "/")
	code, cookie := r.URL.Query().Get("code"), ""
	if c, err := r.Cookie(cookieName); err == nil {
		cookie = c.Value
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	issued := s.byID[id]
	if issued == nil || issued.entryPoint != "/"+entryPoint {
		return opened, http.StatusNotFound, notIssued
	}
	now, isOpen := s.now(), !issued.openedAt.IsZero()
	if code == "" && isOpen && same(cookie, issued.cookie) {
		if !now.Before(issued.endsAt()) {
			return opened, http.StatusGone, ended
		}
		return *issued, http.StatusOK, ""
	}
	switch {
	case !same(code, issued.code):
		return opened, http.StatusNotFound, notIssued
	case isOpen:
		return opened, http.StatusGone, used
	case now.Sub(issued.issuedAt) > urlLifetime:
		return opened, http.StatusGone, expired
	case r.Method != http.MethodHead:
		issued.openedAt = now
	}
	return *issued, http.StatusOK, ""
}

// same compares secrets without telling by its time how much of them is right.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

const cookieName = "embedtest-session"

var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>QuickSight (embedtest)</title>
<h1>QuickSight (embedtest)</h1>
{{if .Problem}}<p>{{.Problem}}</p>
{{else}}<dl>
<dt>Entry point<dd>{{.EntryPoint}}
<dt>User<dd>{{.User}}
<dt>Time left<dd>{{.Left}}
<dt>Session lasts until<dd>{{.Until}}
</dl>
{{end}}`))

// serveHTTP answers the opening of an embed URL. Parameters that the embedding SDK adds do not matter.
func (s *sessions) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "an embed URL is opened with GET", http.StatusMethodNotAllowed)
		return
	}
	opened, status, problem := s.open(r)
	w.Header().Set("Content-Security-Policy", s.frameAncestors)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if status == http.StatusOK && r.Method == http.MethodGet {
		http.SetCookie(w, opened.browserCookie(r))
	}
	w.WriteHeader(status)
	page.Execute(w, map[string]string{
		"Problem":    problem,
		"EntryPoint": opened.entryPoint,
		"User":       opened.user,
		"Left":       opened.endsAt().Sub(s.now()).Round(time.Second).String(),
		"Until":      opened.endsAt().UTC().Format(time.RFC3339),
	})
}

// browserCookie keeps the session open in the browser that opened it. In a frame of another site, browsers take it over TLS
// alone.
func (s *session) browserCookie(r *http.Request) *http.Cookie {
	cookie := &http.Cookie{Name: cookieName, Value: s.cookie, Path: r.URL.Path, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if r.TLS != nil {
		cookie.Secure, cookie.SameSite = true, http.SameSiteNoneMode
	}
	return cookie
}
