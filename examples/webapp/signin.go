package main

import (
	"net/http"
	"strings"
	"time"
)

// visitor is someone who is signed in to your application.
type visitor struct {
	Name  string    // of the QuickSight user or the role session
	Until time.Time // when the sign-in ends; zero if unknown
}

// signIn returns who sent a request. Implement it for your own sign-in. demoSignIn checks the
// demo's password, proxySignIn leaves that to a proxy.
type signIn interface {
	visitor(r *http.Request) (visitor, bool)
}

// proxySignIn trusts the header in which an authenticating proxy names the user, such as
// X-Auth-Request-User of oauth2-proxy. The proxy must remove the header from what browsers send,
// and only the proxy may reach this server.
type proxySignIn struct{ header string }

func (p proxySignIn) visitor(r *http.Request) (visitor, bool) {
	names := r.Header.Values(p.header)
	return visitor{Name: strings.Join(names, "")}, len(names) == 1 && names[0] != ""
}
