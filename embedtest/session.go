package embedtest

import (
	"crypto/subtle"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"example.com/quicksightembed"
)

// What QuickSight documents of its URLs:
// https://docs.aws.amazon.com/quicksight/latest/APIReference/API_GetSessionEmbedUrl.html
const (
	urlLifetime            = 5 * time.Minute
	defaultSessionLifetime = 600 * time.Minute
)

const embedPath = "/embedding/"

func isEmbedPath(path string) bool { return strings.HasPrefix(path, embedPath) }

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
	code             string
	lifetime         time.Duration
	issuedAt         time.Time
	openedAt         time.Time // zero until the URL is opened
}

func newSessions(now func() time.Time, allowedDomains []string) *sessions {
	ancestors := "'none'"
	if len(allowedDomains) > 0 {
		ancestors = strings.Join(allowedDomains, " ")
	}
	return &sessions{now: now, frameAncestors: "frame-ancestors " + ancestors, byID: map[string]*session{}}
}

// issue makes a session and returns its URL without scheme and host.
func (s *sessions) issue(input *quicksightembed.GetSessionEmbedUrlInput) string {
	issued := &session{
		user:       "the identity that signed the request",
		entryPoint: quicksightembed.EntryPointStart,
		code:       randomHex(32),
		lifetime:   defaultSessionLifetime,
		issuedAt:   s.now(),
	}
	if input.UserArn != nil {
		issued.user = *input.UserArn
	}
	if input.EntryPoint != nil {
		issued.entryPoint = *input.EntryPoint
	}
	if input.SessionLifetimeInMinutes != nil {
		issued.lifetime = time.Duration(*input.SessionLifetimeInMinutes) * time.Minute
	}
	id := randomHex(16)

	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ids) == maxSessions {
		delete(s.byID, s.ids[0])
		s.ids = s.ids[1:]
	}
	s.byID[id] = issued
	s.ids = append(s.ids, id)
	return embedPath + id + issued.entryPoint + "?code=" + issued.code + "&identityprovider=quicksight&isauthcode=true"
}

// open opens the session of a URL, or says why not. To look (HEAD) does not use the URL up.
func (s *sessions) open(u *url.URL, look bool) (opened session, status int, problem string) {
	id, entryPoint, _ := strings.Cut(strings.TrimPrefix(u.Path, embedPath), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	issued := s.byID[id]
	switch now := s.now(); {
	case issued == nil,
		issued.entryPoint != "/"+entryPoint,
		subtle.ConstantTimeCompare([]byte(issued.code), []byte(u.Query().Get("code"))) == 0:
		return opened, http.StatusNotFound, "This URL was not issued here."
	case !issued.openedAt.IsZero():
		return opened, http.StatusGone, "This URL was used: it opens once. Ask for a new one."
	case now.Sub(issued.issuedAt) > urlLifetime:
		return opened, http.StatusGone, "This URL has expired: it can be opened within 5 minutes. Ask for a new one."
	case !look:
		issued.openedAt = now
	}
	return *issued, http.StatusOK, ""
}

var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{{.Title}}</title>
<h1>{{.Title}}</h1>
{{if .Problem}}<p>{{.Problem}}</p>
{{else}}<dl>
<dt>Entry point<dd>{{.EntryPoint}}
<dt>User<dd>{{.User}}
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
	opened, status, problem := s.open(r.URL, r.Method == http.MethodHead)
	w.Header().Set("Content-Security-Policy", s.frameAncestors)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	page.Execute(w, map[string]string{
		"Title":      "QuickSight (embedtest)",
		"Problem":    problem,
		"EntryPoint": opened.entryPoint,
		"User":       opened.user,
		"Until":      opened.openedAt.Add(opened.lifetime).UTC().Format(time.RFC3339),
	})
}
