package embedtest

import (
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed"
)

// The limits that QuickSight documents for its URLs:
// https://docs.aws.amazon.com/quicksight/latest/APIReference/API_GetSessionEmbedUrl.html
const (
	urlLifetime            = 5 * time.Minute
	defaultSessionLifetime = 600 * time.Minute
)

// sessions are the URLs that were issued and what became of them.
type sessions struct {
	now            func() time.Time
	frameAncestors string

	mu       sync.Mutex
	byID     boundedMap[*session]
	openings []Opening
}

// Opening is what happened when a browser opened an embed URL.
type Opening struct {
	UserArn    string // the user of the URL, empty if it was not issued here
	EntryPoint string
	Status     int    // 200 if the console opened
	Problem    string // why the console did not open, empty if it did
}

// Openings returns the embed URLs that browsers have opened, oldest first; at most the last 1,000.
// HEAD requests, and requests for an open session by its cookie, are not included.
func (s *Server) Openings() []Opening {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	return slices.Clone(s.sessions.openings)
}

func (s *sessions) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID, s.openings = boundedMap[*session]{}, nil
}

type session struct {
	user, entryPoint string
	code             string // opens the session once
	cookie           string // keeps it open in the browser that opened it
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

// issue makes a session for a user and returns its id, and its URL without scheme and host. The URL
// has over 900 characters, as in AWS's user guide, and a code of padded base64url.
func (s *sessions) issue(input *quicksightembed.GetSessionEmbedUrlInput, userArn string) (id, path string) {
	issued := &session{
		user:       userArn,
		entryPoint: cmp.Or(aws.ToString(input.EntryPoint), quicksightembed.EntryPointStart),
		code:       randomCode(),
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
	return id, embedPath + id + issued.entryPoint + "?code=" + url.QueryEscape(issued.code) + "&identityprovider=quicksight&isauthcode=true"
}

func randomCode() string {
	random := make([]byte, 640)
	rand.Read(random)
	return base64.URLEncoding.EncodeToString(random)
}

// Why a URL or a session does not open.
const (
	notIssued    = "This URL was not issued here."
	escapedTwice = "This URL was escaped twice, as & is in HTML or JSON, or ? in a URL. Put it into the frame as it was issued."
	used         = "This URL was used: it opens once. Ask for a new one."
	expired      = "This URL has expired: it can be opened within 5 minutes. Ask for a new one."
	ended        = "This session has ended. Ask for a new URL."
)

// escapes matches what remains of the &, ? or % of a URL that was escaped twice.
var escapes = regexp.MustCompile(`(?i)&amp;|(\\|%5c)u0026|%26(identityprovider|isauthcode)|%3fcode|%253d`)

// open returns the session that a request is for, or why it does not open. The code of the URL
// opens it once; then the cookie of that browser opens it until it ends. HEAD does not use the URL
// up.
func (s *sessions) open(r *http.Request) (found session, status int, problem string) {
	id, entryPoint, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, embedPath), "/")
	query, cookie := r.URL.Query(), ""
	code := query.Get("code")
	if c, err := r.Cookie(cookieName); err == nil {
		cookie = c.Value
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	issued := s.byID.values[id]
	if issued != nil {
		found = *issued
	}
	isOpen := !found.openedAt.IsZero()
	if code == "" && isOpen && found.entryPoint == "/"+entryPoint && same(cookie, found.cookie) {
		if !s.now().Before(found.endsAt()) {
			return found, http.StatusGone, ended
		}
		return found, http.StatusOK, ""
	}
	isAsIssued := issued != nil && found.entryPoint == "/"+entryPoint && same(code, found.code) &&
		query.Get("identityprovider") == "quicksight" && query.Get("isauthcode") == "true"
	status = http.StatusOK
	switch {
	case !isAsIssued && escapes.MatchString(r.RequestURI):
		status, problem = http.StatusBadRequest, escapedTwice
	case !isAsIssued:
		found, status, problem = session{}, http.StatusNotFound, notIssued
	case isOpen:
		status, problem = http.StatusGone, used
	case s.now().Sub(found.issuedAt) > urlLifetime:
		status, problem = http.StatusGone, expired
	}
	if r.Method == http.MethodHead {
		return found, status, problem
	}
	if problem == "" {
		issued.openedAt = s.now()
		found = *issued
	}
	s.openings = appendBounded(s.openings, Opening{
		UserArn: found.user, EntryPoint: "/" + entryPoint, Status: status, Problem: problem,
	}, maxOpenings)
	return found, status, problem
}

// same compares secrets in constant time.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
