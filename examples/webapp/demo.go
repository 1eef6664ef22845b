package main

import (
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/gorilla/securecookie"
	lru "github.com/hashicorp/golang-lru/v2"

	"example.com/quicksightembed/embedtest"
)

// This file is the demo: a QuickSight in this process, and a sign-in with one password for all.
// With -aws, none of it runs.

const (
	demoAccount   = "111122223333"
	demoRegion    = "us-east-1"
	demoPassword  = "demo"
	demoDashboard = "sales-overview"
	demoRole      = "arn:aws:iam::" + demoAccount + ":role/embed-console"
	unregistered  = "noor" // a user whom QuickSight does not know, to show what that looks like

	sessionLifetime = 8 * time.Hour
	shortestKey     = 32
)

// demoSettings are the settings of the program without -aws.
type demoSettings struct {
	quickSightAddr string
	users          []string
}

func (d *demoSettings) setDefaults(s *settings) {
	s.account, s.roleARN = cmp.Or(s.account, demoAccount), cmp.Or(s.roleARN, demoRole)
	if s.dashboard == "" {
		s.dashboard, s.dashboardName = demoDashboard, "Sales overview"
	}
	if len(d.users) == 0 {
		d.users = []string{"jane", "mateo", unregistered}
	}
}

// start starts a QuickSight in this process. It has TLS because the embedding SDK requires it.
func (d *demoSettings) start(s *settings, log *slog.Logger) (quickSight, error) {
	listener, err := net.Listen("tcp", d.quickSightAddr)
	if err != nil {
		return quickSight{}, fmt.Errorf("cannot listen for QuickSight: %w; choose another address with -quicksight-addr", err)
	}
	server := embedtest.NewTLSServer(func(o *embedtest.Options) {
		o.Listener = listener
		o.AwsAccountId, o.Region = s.account, demoRegion
		o.Roles = []string{s.roleARN}
		o.Faults = []embedtest.Fault{embedtest.Fail("QuickSightUserNotFoundException").When(func(r embedtest.Request) bool {
			return strings.HasSuffix(r.UserArn, "/"+unregistered)
		})}
		o.Dashboards = []string{s.dashboard}
		o.AllowedDomains = []string{s.origin}
		o.OnRequest = func(r embedtest.Request) { log.Info("QuickSight was asked", "request", r.String()) }
	})
	// The name localhost is in the certificate and in the page's address: browsers see one
	// site.
	q := quickSight{cfg: server.Config(), consoleOrigin: "https://" + onLocalhost(listener), stop: server.Close}
	q.cfg.BaseEndpoint = aws.String(q.consoleOrigin)
	return q, nil
}

// session is the signed content of the cookie.
type session struct {
	ID string
	visitor
}

// demoSignIn is a sign-in with one password for all users, and sessions in a signed cookie.
type demoSignIn struct {
	users     []string
	cookie    http.Cookie // without a value
	codec     *securecookie.SecureCookie
	ended     *lru.Cache[string, bool] // IDs of sessions that were signed out
	attempts  *limiter
	onSignOut func(user string)
	now       func() time.Time
	log       *slog.Logger
}

func newDemoSignIn(s *settings, onSignOut func(user string), log *slog.Logger) *demoSignIn {
	key := cmp.Or(sessionKey(), string(securecookie.GenerateRandomKey(shortestKey)))
	cookie := http.Cookie{Name: "session", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(sessionLifetime.Seconds())}
	if strings.HasPrefix(s.origin, "https://") {
		cookie.Name, cookie.Secure = "__Host-session", true
	}
	return &demoSignIn{
		users: s.demo.users, cookie: cookie, codec: securecookie.New([]byte(key), nil).SetSerializer(securecookie.JSONEncoder{}),
		ended: newCache[bool](), attempts: newLimiter(10*time.Second, 10), onSignOut: onSignOut, now: time.Now, log: log,
	}
}

// signIn answers a valid user name and password with a session.
func (d *demoSignIn) signIn(w http.ResponseWriter, r *http.Request) {
	var form struct{ User, Password string }
	if !readJSON(w, r, &form) {
		return
	}
	address, _, _ := net.SplitHostPort(r.RemoteAddr)
	log := d.log.With("request", requestID(r), "user", form.User, "address", address)
	if !d.attempts.allow("user "+form.User, "address "+address) {
		log.Warn("too many attempts to sign in")
		problem{429, "There were too many attempts to sign in", "Wait a minute, then try again.", false, ""}.write(w)
		return
	}
	if subtle.ConstantTimeCompare([]byte(form.Password), []byte(demoPassword)) != 1 || !slices.Contains(d.users, form.User) {
		log.Warn("someone could not sign in")
		problem{401, "The user name or password is not right", "Check both and try again.", false, ""}.write(w)
		return
	}
	http.SetCookie(w, d.begin(form.User))
	log.Info("signed in")
	w.WriteHeader(http.StatusNoContent)
}

func (d *demoSignIn) signOut(w http.ResponseWriter, r *http.Request) {
	if found, ok := d.session(r); ok {
		d.ended.Add(found.ID, true)
		d.onSignOut(found.Name)
		d.log.Info("signed out", "request", requestID(r), "user", found.Name)
	}
	cookie := d.cookie
	cookie.MaxAge = -1
	http.SetCookie(w, &cookie)
	w.WriteHeader(http.StatusNoContent)
}

// begin returns the cookie of a new session.
func (d *demoSignIn) begin(user string) *http.Cookie {
	cookie := d.cookie
	value, err := d.codec.Encode(cookie.Name, session{rand.Text(), visitor{Name: user, Until: d.now().Add(sessionLifetime)}})
	if err != nil {
		panic(err) // strings and a time
	}
	cookie.Value = value
	return &cookie
}

func (d *demoSignIn) visitor(r *http.Request) (visitor, bool) {
	found, ok := d.session(r)
	return found.visitor, ok
}

// session returns the session of a request. It returns false if the request has none, or one that
// is not signed with the key, has expired or was signed out.
func (d *demoSignIn) session(r *http.Request) (found session, ok bool) {
	cookie, err := r.Cookie(d.cookie.Name)
	if err != nil || d.codec.Decode(d.cookie.Name, cookie.Value, &found) != nil || !d.now().Before(found.Until) {
		return session{}, false
	}
	return found, !d.ended.Contains(found.ID)
}
