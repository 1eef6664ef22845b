package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// This file stands in for your identity provider. What the rest needs of it is sessions.of: who sent a request.

const (
	sessionCookie   = "session"
	sessionLifetime = 8 * time.Hour
)

// session is what the cookie says, signed.
type session struct {
	ID      string
	User    string
	Expires time.Time
}

// sessions signs and checks sessions. The key is new with each start of the program, which so signs everyone out.
type sessions struct {
	key []byte
	now func() time.Time

	mu        sync.Mutex
	signedOut map[string]time.Time // session ID to when it expires
}

func newSessions() *sessions {
	key := make([]byte, 32)
	rand.Read(key)
	return &sessions{key: key, now: time.Now, signedOut: map[string]time.Time{}}
}

// begin returns a session of the user, and the cookie that carries it.
func (s *sessions) begin(user string, secure bool) (session, *http.Cookie) {
	id := make([]byte, 16)
	rand.Read(id)
	begun := session{ID: base64.RawURLEncoding.EncodeToString(id), User: user, Expires: s.now().Add(sessionLifetime)}
	payload, err := json.Marshal(begun)
	if err != nil {
		panic(err) // strings and a time
	}
	encoded := base64.RawURLEncoding.EncodeToString(payload)
	return begun, &http.Cookie{
		Name: sessionCookie, Value: encoded + "." + s.sign(encoded), Path: "/", MaxAge: int(sessionLifetime.Seconds()),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

func (s *sessions) sign(encoded string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(encoded))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// of returns the session of a request, or false where it has none that is signed by this program, not expired and not signed
// out.
func (s *sessions) of(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return session{}, false
	}
	encoded, signature, _ := strings.Cut(cookie.Value, ".")
	if !hmac.Equal([]byte(signature), []byte(s.sign(encoded))) {
		return session{}, false
	}
	var found session
	payload, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || json.Unmarshal(payload, &found) != nil || !s.now().Before(found.Expires) {
		return session{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, isSignedOut := s.signedOut[found.ID]
	return found, !isSignedOut
}

// end makes a session worthless, where someone kept its cookie.
func (s *sessions) end(ended session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, expires := range s.signedOut {
		if !s.now().Before(expires) {
			delete(s.signedOut, id)
		}
	}
	s.signedOut[ended.ID] = ended.Expires
}

func (a *app) signIn(w http.ResponseWriter, r *http.Request) {
	var form struct{ User, Password string }
	if !readJSON(w, r, &form) {
		return
	}
	given, want := sha256.Sum256([]byte(form.Password)), sha256.Sum256([]byte(a.settings.password))
	if subtle.ConstantTimeCompare(given[:], want[:]) != 1 || !slices.Contains(a.settings.users, form.User) {
		a.log.Warn("someone could not sign in", "request", requestID(r))
		writeJSON(w, http.StatusUnauthorized, problem{Title: "The user name or password is not right", Action: "Check both and try again."})
		return
	}
	begun, cookie := a.sessions.begin(form.User, strings.HasPrefix(a.settings.origin, "https://"))
	http.SetCookie(w, cookie)
	a.log.Info("signed in", "request", requestID(r), "user", begun.User)
	w.WriteHeader(http.StatusNoContent)
}

func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	if ended, ok := a.sessions.of(r); ok {
		a.sessions.end(ended)
		a.identity.forget(ended.User)
		a.log.Info("signed out", "request", requestID(r), "user", ended.User)
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	w.WriteHeader(http.StatusNoContent)
}
