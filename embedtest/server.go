package embedtest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Limits that keep a server small however long it runs.
const (
	maxBodyBytes    = 64 << 10
	maxHeaderBytes  = 16 << 10
	maxRequests     = 1000
	maxSessions     = 10000
	maxRoleSessions = 10000
)

// Server is a QuickSight in the process. Its methods are safe for concurrent use.
type Server struct {
	// URL is the base endpoint, such as "http://127.0.0.1:41234".
	URL string

	options  Options
	server   *httptest.Server
	sessions *sessions
	roles    roleSessions
	ahead    atomic.Int64 // how many nanoseconds Advance has put the clock ahead

	mu       sync.Mutex
	requests []Request
	faults   []*Fault
}

// NewServer starts a server that speaks HTTP. The caller must Close it. It panics where an identity has no keys of its own, or a
// role is not the ARN of one: that is an error of the test.
func NewServer(optFns ...func(*Options)) *Server {
	s := newServer(optFns)
	s.URL = s.scheme() + "://" + s.address()
	s.server.Start()
	return s
}

// NewTLSServer starts a server that speaks HTTPS, for browsers, with a certificate of its own for its address and localhost,
// which Client trusts. The caller must Close it. It panics as NewServer does.
func NewTLSServer(optFns ...func(*Options)) *Server {
	s := newServer(optFns)
	s.server.TLS = &tls.Config{Certificates: []tls.Certificate{newCertificate(s.server.Listener.Addr())}}
	s.URL = s.scheme() + "://" + s.address()
	s.server.StartTLS()
	return s
}

func newServer(optFns []func(*Options)) *Server {
	s := &Server{}
	for _, fn := range optFns {
		if fn != nil {
			fn(&s.options)
		}
	}
	s.options.setDefaults()
	s.options.check()
	s.Inject(s.options.Faults...)
	s.sessions = newSessions(s.now, s.options.AllowedDomains)
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(s.serveHTTP))
	if s.options.Listener != nil {
		s.server.Listener.Close()
		s.server.Listener = s.options.Listener
	}
	s.server.Config.MaxHeaderBytes = maxHeaderBytes
	s.server.Config.ReadHeaderTimeout = 10 * time.Second
	s.server.Config.ReadTimeout = 30 * time.Second
	s.server.Config.WriteTimeout = 30 * time.Second
	s.server.Config.IdleTimeout = 2 * time.Minute
	return s
}

func (s *Server) scheme() string {
	if s.server.TLS != nil {
		return "https"
	}
	return "http"
}

// address is that of the listener, or where it listens on every address, its port of localhost.
func (s *Server) address() string {
	addr := s.server.Listener.Addr()
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return addr.String()
}

// Close ends the server when the requests that it is answering are done, or breaks them off after a second.
func (s *Server) Close() {
	breakOff := time.AfterFunc(time.Second, s.server.CloseClientConnections)
	defer breakOff.Stop()
	s.server.Close()
}

// RegisterUser adds the ARN of a user to those in Options.Users. Where that is nil, everyone is registered already.
func (s *Server) RegisterUser(userArn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.options.Users != nil {
		s.options.Users = append(slices.Clone(s.options.Users), userArn)
	}
}

// Advance puts the server's clock ahead, for example past the 5 minutes in which a URL can be opened, or the end of a
// session. Clients that correct for clock skew, as this module's does, follow it; a credentials cache does not, and keeps the keys
// of a role session that have expired here.
func (s *Server) Advance(d time.Duration) { s.ahead.Add(int64(d)) }

func (s *Server) now() time.Time { return s.options.Now().Add(time.Duration(s.ahead.Load())) }

// Client returns an HTTP client that trusts the server's certificate and is closed with the server.
func (s *Server) Client() *http.Client { return s.server.Client() }

// Certificate returns the server's certificate, or nil where it does not speak HTTPS.
func (s *Server) Certificate() *x509.Certificate { return s.server.Certificate() }

// Config returns an aws.Config whose clients call the server: region, credentials, base endpoint and HTTP client. They wait
// between tries as with AWS, unless its Retryer is set.
func (s *Server) Config() aws.Config {
	credentials := s.options.Credentials
	httpClient := *s.Client()
	httpClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // see Redirect
	return aws.Config{
		Region:       s.options.Region,
		BaseEndpoint: aws.String(s.URL),
		HTTPClient:   &httpClient,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
	}
}

// serveHTTP answers API requests and browsers.
func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	if r.URL.Path == "/favicon.ico" { // asked for by browsers
		http.NotFound(w, r)
		return
	}
	switch {
	case strings.HasPrefix(r.URL.Path, embedPath):
		s.sessions.serveConsole(w, r)
		return
	case strings.HasPrefix(r.URL.Path, controlPath) && strings.HasSuffix(r.URL.Path, "/embedControl"):
		s.sessions.serveControl(w, r)
		return
	case r.Method == http.MethodGet && r.URL.Path == "/" && strings.Contains(r.Header.Get("Accept"), "text/html"):
		s.sessions.serveWelcome(w)
		return
	}
	var body bytes.Buffer
	_, bodyErr := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if isForSTS(r) {
		s.serveSTS(w, r, body.Bytes(), bodyErr)
		return
	}
	s.serveAPI(w, r, body.Bytes(), bodyErr)
}
