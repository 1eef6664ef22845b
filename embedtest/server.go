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
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"example.com/quicksightembed"
)

// Limits that keep a server small however long it runs.
const (
	writeTimeout    = 30 * time.Second
	maxBodyBytes    = 64 << 10
	maxHeaderBytes  = 16 << 10
	maxRequests     = 1000
	maxOpenings     = 1000
	maxSessions     = 10000
	maxRoleSessions = 10000
)

// Server is an in-process QuickSight. Its methods are safe for concurrent use.
type Server struct {
	// URL is the base endpoint, such as "http://127.0.0.1:41234".
	URL string

	options  Options
	server   *httptest.Server
	close    context.CancelFunc // ends the requests that wait
	sessions *sessions
	roles    roleSessions
	ahead    atomic.Int64 // nanoseconds by which Advance has advanced the clock

	mu    sync.Mutex
	state state
}

// New starts a server for a test. It closes when the test ends. If the test has failed, it logs the
// requests that got an error or a fault. It panics if [Options.Validate] returns an error, which is
// a bug in the test.
func New(t testing.TB, optFns ...func(*Options)) *Server {
	t.Helper()
	s := NewServer(optFns...)
	t.Cleanup(func() {
		s.Close()
		if t.Failed() {
			for _, r := range s.Requests() {
				if r.Code != "" || r.Fault != "" {
					t.Logf("embedtest: %v", r)
				}
			}
		}
	})
	return s
}

// NewServer starts a server that speaks HTTP, or HTTPS if Options.TLS is set. The caller must
// Close it. It panics if [Options.Validate] returns an error.
func NewServer(optFns ...func(*Options)) *Server {
	s := &Server{}
	for _, fn := range optFns {
		if fn != nil {
			fn(&s.options)
		}
	}
	must(s.options.Validate())
	s.options.setDefaults()
	s.sessions = newSessions(s.Now, s.options.AllowedDomains)
	s.Reset()

	handler := http.Handler(http.HandlerFunc(s.serveHTTP))
	if s.options.Wrap != nil {
		handler = s.options.Wrap(handler)
	}
	s.server = httptest.NewUnstartedServer(handler)
	if s.options.Listener != nil {
		s.server.Listener.Close()
		s.server.Listener = s.options.Listener
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.close = cancel
	s.server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	s.server.Config.MaxHeaderBytes = maxHeaderBytes
	s.server.Config.ReadHeaderTimeout = 10 * time.Second
	s.server.Config.ReadTimeout = 30 * time.Second
	s.server.Config.WriteTimeout = writeTimeout
	s.server.Config.IdleTimeout = 2 * time.Minute
	s.URL = s.scheme() + "://" + s.address()
	if s.options.TLS {
		certificate := newCertificate(s.server.Listener.Addr(), s.options.PublicURL)
		s.server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
		s.server.StartTLS()
	} else {
		s.server.Start()
	}
	return s
}

// NewTLSServer starts a server that speaks HTTPS. Use it for browsers. Its certificate is for its
// address and localhost, and Client trusts it. The caller must Close the server. It panics as
// NewServer does.
func NewTLSServer(optFns ...func(*Options)) *Server {
	return NewServer(append(optFns[:len(optFns):len(optFns)], func(o *Options) { o.TLS = true })...)
}

// must panics with an error of the test.
func must(err error) {
	if err != nil {
		panic("embedtest: " + err.Error())
	}
}

func (s *Server) scheme() string {
	if s.options.TLS {
		return "https"
	}
	return "http"
}

// address returns the listener's address, or localhost and its port if it listens on all.
func (s *Server) address() string {
	addr := s.server.Listener.Addr()
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return addr.String()
}

// Close stops the server. It ends stalled and delayed requests at once, and all others after a
// second.
func (s *Server) Close() {
	s.close()
	breakOff := time.AfterFunc(time.Second, s.server.CloseClientConnections)
	defer breakOff.Stop()
	s.server.Close()
}

// Client returns an HTTP client that trusts the server's certificate. Close closes its connections.
func (s *Server) Client() *http.Client { return s.server.Client() }

// Certificate returns the server's certificate, or nil if it does not speak HTTPS.
func (s *Server) Certificate() *x509.Certificate { return s.server.Certificate() }

// Config returns an aws.Config whose clients call the server: region, credentials, base endpoint
// and HTTP client. For fast tests, its clients do not pause between attempts, and an attempt of a
// [quicksightembed.Client] times out after 1 second: see Options.RealPauses.
func (s *Server) Config() aws.Config {
	credentials := s.options.Credentials
	httpClient := *s.Client()
	// See Redirect.
	httpClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	cfg := aws.Config{
		Region:       s.options.Region,
		BaseEndpoint: aws.String(s.URL),
		HTTPClient:   &httpClient,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
	}
	if !s.options.RealPauses {
		cfg.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		}
		cfg.ServiceOptions = append(cfg.ServiceOptions, func(_ string, options any) {
			if o, ok := options.(*quicksightembed.Options); ok {
				o.AttemptTimeout = time.Second
			}
		})
	}
	return cfg
}

// serveHTTP answers requests to the API and from browsers.
func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Date", s.Now().UTC().Format(http.TimeFormat))
	switch {
	case r.URL.Path == "/favicon.ico": // browsers ask for it
		w.WriteHeader(http.StatusNoContent)
		return
	case strings.HasPrefix(r.URL.Path, embedPath):
		s.serveConsole(w, r)
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
	s.serveQuickSight(w, r, body.Bytes(), bodyErr)
}
