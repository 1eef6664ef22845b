package embedtest

import (
	"cmp"
	"crypto/subtle"
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

// sessions are the URLs that were issued and what became of them.
type sessions struct {
	now            func() time.Time
	frameAncestors string

	mu   sync.Mutex
	byID recent[*session]
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
	return &sessions{now: now, frameAncestors: "frame-ancestors " + ancestors}
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
	s.byID.add(id, issued, maxSessions)
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
	issued := s.byID.values[id]
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
