// Package embedtest is a QuickSight in the process: an HTTP server on loopback that does for GetSessionEmbedUrl what the
// service does. It verifies each request's signature with an implementation of its own, applies the service's rules, answers
// with the service's codes and statuses, and issues URLs that open once within 5 minutes.
//
//	srv := embedtest.NewServer()
//	defer srv.Close()
//	client := quicksightembed.NewFromConfig(srv.Config())
//
// The official client, the AWS CLI and the SDKs of other languages can use it too: it speaks HTTP.
//
// # What it answers
//
// A request that is signed wrongly gets IncompleteSignatureException (400), or MissingAuthenticationTokenException,
// InvalidSignatureException, UnrecognizedClientException or ExpiredTokenException (403), with a message that says what is
// wrong. QuickSight's own codes for this are not documented: these are those of other AWS front ends, and have not been
// verified against QuickSight itself.
//
// A request that is signed right gets the exception that its input or the server's state calls for:
//
//	InvalidParameterValueException 400             input that breaks a rule
//	SessionLifetimeInMinutesInvalidException 400   a lifetime outside 15 to 600 minutes
//	AccessDeniedException 401                      another account than Options.AwsAccountId
//	UnsupportedUserEditionException 403            Options.Edition is not an Enterprise edition
//	QuickSightUserNotFoundException 404            a user who is not in Options.Users
//	ResourceNotFoundException 404                  no subscription, or a dashboard or analysis that is not in Options
//
// and otherwise a URL. Any other answer, such as ThrottlingException, InternalFailureException or ResourceExistsException, and
// anything that goes wrong on the wire, is a [Fault] that a test injects. It remembers the last 1,000 requests and 10,000 URLs.
//
// Browsers that open a URL see a page that stands in for the console, and that amazon-quicksight-embedding-sdk takes for it.
// It is also an STS that answers AssumeRole, for users who sign in with roles: see Options.Roles.
package embedtest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// Options say what the server knows and how it answers. The zero value works: each field says its default.
type Options struct {
	// AwsAccountId is the account that the server is for. The default is "111122223333".
	AwsAccountId string

	// Region is the region that requests must be signed for. The default is "us-east-1".
	Region string

	// Credentials are those that Config returns, and that requests may be signed with. Access key and secret key have
	// defaults; where there is a session token, requests must have it too.
	Credentials aws.Credentials

	// UserArn is the QuickSight user of Credentials: whom a request without a UserArn is for, where they signed it.
	UserArn string

	// Identities are further ones that requests may be signed with, such as a role session for each end user.
	Identities []Identity

	// Roles are the ARNs of the roles, such as arn:aws:iam::111122223333:role/embed, that an identity may assume: the server
	// is STS too, and issues keys for a role session, whose QuickSight user is …:user/default/{role name}/{session name}.
	// The default is none.
	Roles []string

	// Edition is the account's. The default is EditionEnterprise.
	Edition Edition

	// Users are the ARNs of the registered users; any other gets QuickSightUserNotFoundException. Nil, the default, is that
	// everyone is registered; an empty list is that nobody is.
	Users []string

	// Dashboards are the IDs of the dashboards that exist. Nil, the default, is that all do.
	Dashboards []string

	// Analyses are the IDs of the analyses that exist. Nil, the default, is that all do.
	Analyses []string

	// AllowedDomains are the origins, such as "https://app.example.com", whose pages may show the console in a frame, as
	// they stand in the frame-ancestors of a Content-Security-Policy. The default is none.
	AllowedDomains []string

	// Envelope wraps replies as a gateway in front of the service does: {"success":true,"data":{…}} and
	// {"success":false,"error":{…}}.
	Envelope bool

	// Now is the server's clock, for the dates of requests, for URLs and sessions, and for the Date header of replies. The
	// default is time.Now. A request that is signed more than 15 minutes off it is refused.
	Now func() time.Time

	// Faults are injected before the first request.
	Faults []Fault

	// OnRequest is called with each request to the API just before it is answered, for a log. It may be called
	// concurrently, and must not close the server.
	OnRequest func(Request)

	// Listener is what the server listens on. The default is a free port of the loopback address 127.0.0.1.
	Listener net.Listener
}

// Identity is someone who signs requests.
type Identity struct {
	// Credentials are the identity's keys. Where CanExpire is set, requests get ExpiredTokenException after Expires.
	Credentials aws.Credentials

	// UserArn is the QuickSight user of the identity, such as
	// arn:aws:quicksight:us-east-1:111122223333:user/default/embed-role/jane of a role session: whom a request without a
	// UserArn is for.
	UserArn string
}

// Edition is an edition of QuickSight.
type Edition string

// The editions. Only the Enterprise editions have GetSessionEmbedUrl.
const (
	EditionEnterprise     Edition = "ENTERPRISE"
	EditionEnterpriseAndQ Edition = "ENTERPRISE_AND_Q"
	EditionStandard       Edition = "STANDARD"
	EditionNone           Edition = "NONE" // the account has no subscription
)

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
	if o.Edition == "" {
		o.Edition = EditionEnterprise
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// identities are all who may sign requests.
func (o *Options) identities() []Identity {
	return append([]Identity{{Credentials: o.Credentials, UserArn: o.UserArn}}, o.Identities...)
}

// check panics on options that would let anybody in: they are an error of the test.
func (o *Options) check() {
	seen := map[string]bool{}
	for _, identity := range o.identities() {
		key := identity.Credentials.AccessKeyID
		if !identity.Credentials.HasKeys() || seen[key] {
			panic(fmt.Sprintf("embedtest: each identity must have an access key of its own and a secret key, which %q has not", key))
		}
		seen[key] = true
	}
	for _, role := range o.Roles {
		if !roleARN.MatchString(role) {
			panic(fmt.Sprintf("embedtest: a role must be arn:{partition}:iam::{account}:role/{name}, which %q is not", role))
		}
	}
}

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

// NewServer starts a server that speaks HTTP. The caller must Close it.
func NewServer(optFns ...func(*Options)) *Server {
	s := newServer(optFns)
	s.URL = s.scheme() + "://" + s.address()
	s.server.Start()
	return s
}

// NewTLSServer starts a server that speaks HTTPS, for browsers, with a certificate of its own for its address and localhost,
// which Client trusts. The caller must Close it.
func NewTLSServer(optFns ...func(*Options)) *Server {
	s := newServer(optFns)
	s.server.TLS = &tls.Config{Certificates: []tls.Certificate{newCertificate(s.server.Listener.Addr())}}
	s.URL = s.scheme() + "://" + s.address()
	s.server.StartTLS()
	return s
}

func newServer(optFns []func(*Options)) *Server {
	s := &Server{roles: roleSessions{byKey: map[string]*Identity{}}}
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
// session. Clients that correct for clock skew, as this module's does, follow it.
func (s *Server) Advance(d time.Duration) { s.ahead.Add(int64(d)) }

func (s *Server) now() time.Time { return s.options.Now().Add(time.Duration(s.ahead.Load())) }

// Client returns an HTTP client that trusts the server's certificate and is closed with the server.
func (s *Server) Client() *http.Client { return s.server.Client() }

// Certificate returns the server's certificate, or nil where it does not speak HTTPS.
func (s *Server) Certificate() *x509.Certificate { return s.server.Certificate() }

// Config returns an aws.Config whose clients call the server: region, credentials, base endpoint and HTTP client.
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

// Request is a request that the server has seen, with its verdict.
type Request struct {
	Operation string // "GetSessionEmbedUrl", or "AssumeRole" of STS
	Method    string
	URI       string      // path and query as they were sent
	Host      string      // the Host header
	Header    http.Header // as it was sent, secrets included

	// Input is what the request asked for, as far as it could be read.
	Input quicksightembed.GetSessionEmbedUrlInput

	// AccessKeyId is the access key that the request was signed with, "" where the signature is not right.
	AccessKeyId string

	// UserArn is the QuickSight user whom a request that is signed right is for: that of Input, or else of the Identity that
	// signed it. Where a role was assumed, it is that of the role session.
	UserArn string

	RequestId string // of the reply
	Status    int    // HTTP status of the reply, 0 where a fault left none
	Code      string // error code of the reply, "" where a URL or keys were issued, or a fault had no code
	Message   string // error message of the reply
	Fault     string // what was injected, such as "Throttle", "" for the server's own answer
}

// String describes the request and its verdict in one line, without secrets.
func (r Request) String() string {
	verdict := "issued a URL"
	if r.Operation == "AssumeRole" {
		verdict = "issued keys for " + r.UserArn
	}
	if r.Code != "" {
		verdict = r.Code + ": " + r.Message
	}
	if r.Fault != "" {
		verdict = strings.TrimSuffix("fault "+r.Fault+", "+r.Code, ", ")
	}
	return fmt.Sprintf("%s %s: %d %s", r.Method, printable(r.URI), r.Status, verdict)
}

// Format prints String whatever the verb: Header has a signature.
func (r Request) Format(f fmt.State, _ rune) { io.WriteString(f, r.String()) }

// Requests returns the requests to the API that the server has answered, oldest first; at most the last 1,000. Opening an
// embed URL is not one.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := slices.Clone(s.requests)
	for i := range requests {
		requests[i].Header = requests[i].Header.Clone()
	}
	return requests
}

func (s *Server) record(r Request) {
	s.mu.Lock()
	if len(s.requests) == maxRequests {
		s.requests = slices.Delete(s.requests, 0, 1)
	}
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	if s.options.OnRequest != nil {
		s.options.OnRequest(r)
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
