// Package embedtest is a QuickSight in the process: an HTTP server on loopback that does for GetSessionEmbedUrl what the
// service does. It verifies each request's signature with an implementation of its own, applies the service's rules, answers
// with the service's codes and statuses, and issues URLs that open once within 5 minutes.
//
//	srv := embedtest.NewServer()
//	defer srv.Close()
//	client := quicksightembed.NewFromConfig(srv.Config())
//
// The official client and those of other languages can use it too: it speaks HTTP.
//
// It answers with AccessDeniedException for another account than its own, QuickSightUserNotFoundException for a user that it
// was not told of, InvalidParameterValueException and SessionLifetimeInMinutesInvalidException for input that breaks a rule,
// and IncompleteSignatureException, MissingAuthenticationTokenException, InvalidSignatureException,
// UnrecognizedClientException or ExpiredTokenException where the signature is wrong. The codes and statuses for signatures
// are those of other AWS front ends; they have not been verified against QuickSight itself.
package embedtest

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed"
)

// Limits that keep a server small however long it runs.
const (
	maxBodyBytes   = 64 << 10
	maxHeaderBytes = 16 << 10
	maxRequests    = 1000
	maxSessions    = 10000
)

// Options say what the server knows. The zero value works: each field says its default.
type Options struct {
	// AwsAccountId is the account that has a QuickSight subscription. The default is "111122223333".
	AwsAccountId string

	// Region is the region that requests must be signed for. The default is "us-east-1".
	Region string

	// Credentials are those that requests must be signed with. Access key and secret key have defaults; where there is a
	// session token, requests must have it too.
	Credentials aws.Credentials

	// Users are the ARNs of the registered users; any other UserArn gets QuickSightUserNotFoundException. Nil, the
	// default, is that every user is registered; an empty list is that none is.
	Users []string

	// AllowedDomains are the origins, such as "https://app.example.com", whose pages may show the console in a frame, as
	// they stand in the frame-ancestors of a Content-Security-Policy. The default is none.
	AllowedDomains []string

	// Now is the server's clock, for the dates of requests, for URLs and sessions, and for the Date header of replies. The
	// default is time.Now. A request that is signed more than 15 minutes off it is refused.
	Now func() time.Time
}

func (o *Options) setDefaults() {
	if o.AwsAccountId == "" {
		o.AwsAccountId = "111122223333"
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Credentials.AccessKeyID == "" {
		o.Credentials.AccessKeyID = "AKIAIOSFODNN7EXAMPLE"
	}
	if o.Credentials.SecretAccessKey == "" {
		o.Credentials.SecretAccessKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// Server is a QuickSight in the process. Its methods are safe for concurrent use.
type Server struct {
	// URL is the base endpoint, such as "http://127.0.0.1:41234".
	URL string

	options  Options
	server   *httptest.Server
	sessions *sessions

	mu       sync.Mutex
	requests []Request
}

// NewServer starts a server that speaks HTTP. The caller must Close it.
func NewServer(optFns ...func(*Options)) *Server {
	s := newServer(optFns)
	s.server.Start()
	s.URL = s.server.URL
	return s
}

// NewTLSServer starts a server that speaks HTTPS, for browsers, with a certificate that Client trusts. The caller must
// Close it.
func NewTLSServer(optFns ...func(*Options)) *Server {
	s := newServer(optFns)
	s.server.StartTLS()
	s.URL = s.server.URL
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
	s.sessions = newSessions(s.options.Now, s.options.AllowedDomains)
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(s.serveHTTP))
	s.server.Config.MaxHeaderBytes = maxHeaderBytes
	s.server.Config.ReadHeaderTimeout = 10 * time.Second
	s.server.Config.ReadTimeout = 30 * time.Second
	s.server.Config.WriteTimeout = 30 * time.Second
	s.server.Config.IdleTimeout = 2 * time.Minute
	return s
}

// Close ends the server when the requests that it is answering are done.
func (s *Server) Close() { s.server.Close() }

// Client returns an HTTP client that trusts the server's certificate and is closed with the server.
func (s *Server) Client() *http.Client { return s.server.Client() }

// Config returns an aws.Config whose clients call the server: region, credentials, base endpoint and HTTP client.
func (s *Server) Config() aws.Config {
	credentials := s.options.Credentials
	return aws.Config{
		Region:       s.options.Region,
		BaseEndpoint: aws.String(s.URL),
		HTTPClient:   s.Client(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
	}
}

// Request is a request that the server has seen, with its verdict.
type Request struct {
	Method string
	URI    string      // path and query as they were sent
	Host   string      // the Host header
	Header http.Header // as it was sent, secrets included

	// Input is what the request asked for, as far as it could be read.
	Input quicksightembed.GetSessionEmbedUrlInput

	RequestId string // of the reply
	Status    int    // HTTP status of the reply
	Code      string // error code of the reply, "" where a URL was issued
	Message   string // error message of the reply
}

// Requests returns the requests to the API that the server has answered, oldest first; at most the last 1,000. Opening an
// embed URL is not one.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *Server) record(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) == maxRequests {
		s.requests = slices.Delete(s.requests, 0, 1)
	}
	s.requests = append(s.requests, r)
}

// serveHTTP answers API requests and the opening of embed URLs.
func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Date", s.options.Now().UTC().Format(http.TimeFormat))
	if isEmbedPath(r.URL.Path) {
		s.sessions.serveHTTP(w, r)
		return
	}
	var body bytes.Buffer
	_, bodyErr := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	s.serveAPI(w, r, body.Bytes(), bodyErr)
}
