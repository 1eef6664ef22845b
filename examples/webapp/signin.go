package main

import (
	"net/http"
	"strings"
	"time"
)

// visitor is someone who is signed in to your application.
type visitor struct {
	Name  string    // that of the QuickSight user, or of the role session
	Until time.Time // when the sign-in ends, zero if that is not known
}

// signIn says who sent a request. It is the seam to your own sign-in: demoSignIn has passwords for
// the demo, proxySignIn leaves it to a proxy.
type signIn interface {
	visitor(r *http.Request) (visitor, bool)
}

// proxySignIn trusts the header in which an authenticating proxy names the user, such as
// X-Auth-Request-User of oauth2-proxy. The proxy must remove the header from what browsers send,
// and nothing else must reach this server.
type proxySignIn struct{ header string }

func (p proxySignIn) visitor(r *http.Request) (visitor, bool) {
	names := r.Header.Values(p.header)
	return visitor{Name: strings.Join(names, "")}, len(names) == 1 && names[0] != ""
}
