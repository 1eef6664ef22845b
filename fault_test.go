package quicksightembed_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"example.com/quicksightembed"
)

// What a call comes to, besides the code of an API error. The types are those of the README's table.
const (
	aURL              = "a URL"
	noReply           = "no reply"            // *smithyhttp.RequestSendError
	attemptTimeout    = "attempt timeout"     // the same, and Timeout() is true
	unreadable        = "unreadable"          // *smithy.DeserializationError
	canceled          = "canceled"            // *smithy.CanceledError
	canceledInBackOff = "canceled in backoff" // *aws.RequestCanceledError
	contextEnded      = "context ended"       // what ended before anything was sent
	noIdentity        = "get identity"        // none of these types, and this text
	notSigned         = "sign request"        // the same
	unknown           = "UnknownError"        // an error status without a code
)

// scene is one call, its server, and all that can be wrong with either.
type scene struct {
	ctx       context.Context
	cancel    context.CancelFunc
	listener  net.Listener
	transport *http.Transport
	options   quicksightembed.Options

	// What the client has come to, for a server that acts on it: a broken connection overtakes bytes that were not read yet.
	sent, headersRead, bodyRead chan struct{}

	atEnd []func() error

	mu         sync.Mutex
	tries      int
	openBodies int
}

func newScene(t *testing.T) *scene {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &scene{
		listener:  listener,
		transport: awshttp.NewBuildableClient().GetTransport(),
		sent:      make(chan struct{}, 16), headersRead: make(chan struct{}, 16), bodyRead: make(chan struct{}, 16),
	}
	s.ctx, s.cancel = context.WithTimeout(ctx, deadlineOfARow)
	s.options = quicksightembed.Options{
		Region:         "us-east-1",
		BaseEndpoint:   aws.String("http://" + listener.Addr().String()),
		Credentials:    staticCredentials("AKID", "SECRET-ACCESS-KEY", "TOKEN"),
		Retryer:        withoutDelay(),
		AttemptTimeout: 5 * time.Second,
		HTTPSignerV4:   countingSigner{s},
		HTTPClient:     &http.Client{Transport: s},
	}
	return s
}

// deadlineOfARow is what no row may take; the slowest takes three attempt timeouts of shortTimeout.
const deadlineOfARow = 10 * time.Second

// shortTimeout is for what never comes; longEnough for what must get somewhere first, on a busy machine too.
const (
	shortTimeout = 50 * time.Millisecond
	longEnough   = 300 * time.Millisecond
)

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// RoundTrip sends by the transport, and watches the body of the reply.
func (s *scene) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.transport.RoundTrip(req)
	if err == nil {
		s.count(&s.openBodies, 1)
		resp.Body = &watchedBody{ReadCloser: resp.Body, scene: s}
		signal(s.headersRead)
	}
	return resp, err
}

func (s *scene) count(n *int, by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n += by
}

type watchedBody struct {
	io.ReadCloser
	scene *scene
	once  sync.Once
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		signal(b.scene.bodyRead)
	}
	return n, err
}

func (b *watchedBody) Close() error {
	b.once.Do(func() { b.scene.count(&b.scene.openBodies, -1) })
	return b.ReadCloser.Close()
}

// countingSigner counts tries: each is signed once.
type countingSigner struct{ scene *scene }

func (c countingSigner) SignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, hash, service, region string, at time.Time, optFns ...func(*v4.SignerOptions)) error {
	c.scene.count(&c.scene.tries, 1)
	return v4.NewSigner().SignHTTP(ctx, credentials, r, hash, service, region, at, optFns...)
}

// step is what the server does with one connection. When it returns, the client may close the connection.
type step func(*scene, net.Conn)

// serve plays the steps, one for each connection, and the last for good, until the listener is closed.
func (s *scene) serve(steps []step, done chan<- struct{}) {
	var open sync.WaitGroup
	for i := 0; ; i++ {
		conn, err := s.listener.Accept()
		if err != nil {
			break
		}
		open.Add(1)
		go func() {
			defer open.Done()
			defer conn.Close()
			steps[min(i, len(steps)-1)](s, conn)
			io.Copy(io.Discard, conn) // until the client closes it
		}()
	}
	open.Wait()
	close(done)
}

// request reads the request of a connection.
func request(conn net.Conn) *http.Request {
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		conn.Close()
		return &http.Request{}
	}
	return req
}

// breakOff closes a connection so that the client sees it broken, and not ended.
func breakOff(conn net.Conn) {
	for {
		inner, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = inner.NetConn()
	}
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

// raw answers with these bytes.
func raw(text string) step {
	return func(_ *scene, conn net.Conn) {
		request(conn)
		io.WriteString(conn, text)
	}
}

// cut answers with these bytes, and ends the connection.
func cut(text string) step {
	return func(s *scene, conn net.Conn) {
		raw(text)(s, conn)
		conn.Close()
	}
}

// endlessly answers with head, and then with part for ever.
func endlessly(head, part string) step {
	return func(_ *scene, conn net.Conn) {
		request(conn)
		_, err := io.WriteString(conn, head)
		for err == nil {
			_, err = io.WriteString(conn, part)
		}
	}
}

// slowly answers with head, and then with a byte now and then, so that something always comes.
func slowly(head string) step {
	return func(_ *scene, conn net.Conn) {
		request(conn)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		_, err := io.WriteString(conn, head)
		for err == nil {
			<-tick.C
			_, err = io.WriteString(conn, "x")
		}
	}
}

// brokenAfter answers with these bytes, and breaks the connection when the client has read so far.
func brokenAfter(text string, far func(*scene) chan struct{}) step {
	return func(s *scene, conn net.Conn) {
		raw(text)(s, conn)
		if far != nil {
			<-far(s)
		}
		breakOff(conn)
	}
}

func theHeaders(s *scene) chan struct{} { return s.headersRead }
func theBody(s *scene) chan struct{}    { return s.bodyRead }

// answer is a complete reply, with lines of header.
func answer(code int, body string, header ...string) step {
	lines := append([]string{fmt.Sprintf("HTTP/1.1 %d Status", code), "Connection: close"}, header...)
	if code >= 200 && code != 204 && code != 304 {
		lines = append(lines, fmt.Sprint("Content-Length: ", len(body)))
	}
	return raw(strings.Join(lines, "\r\n") + "\r\n\r\n" + body)
}

// fails answers with an error code of AWS.
func fails(code int, errorCode string) step {
	return answer(code, `{"message":"m"}`, "X-Amzn-ErrorType: "+errorCode)
}

// skewedBy answers by a clock that is off, and refuses what is signed for another time than it has.
func skewedBy(off time.Duration) step {
	return func(s *scene, conn net.Conn) {
		req, now := request(conn), time.Now().Add(off).UTC()
		signedAt, _ := time.Parse("20060102T150405Z", req.Header.Get("X-Amz-Date"))
		reply, body := "HTTP/1.1 200 OK", nativeReply
		if now.Sub(signedAt).Abs() > 15*time.Minute {
			reply, body = "HTTP/1.1 403 Forbidden\r\nX-Amzn-ErrorType: InvalidSignatureException", `{"message":"expired"}`
		}
		fmt.Fprintf(conn, "%s\r\nDate: %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", reply, now.Format(http.TimeFormat), len(body), body)
	}
}

var (
	fine      = answer(200, nativeReply)
	silence   = raw("")
	reset1    = brokenAfter("", nil)
	resetSoon = func(_ *scene, conn net.Conn) { breakOff(conn) } // before the request
	hangUp    = cut("")
)

const (
	ok200   = "HTTP/1.1 200 OK\r\nConnection: close\r\n"
	chunked = ok200 + "Transfer-Encoding: chunked\r\n\r\n"
	gzipped = ok200 + "Content-Encoding: gzip\r\n"
)

func withLength(n any) string { return fmt.Sprintf("%sContent-Length: %v\r\n\r\n", ok200, n) }

// zipped is text, compressed. A gzip bomb is 64 MiB of nothing.
func zipped(size int64, text io.Reader) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	io.Copy(w, io.LimitReader(text, size))
	w.Close()
	return out.String()
}

// frame is one of HTTP/2.
func frame(kind, flags byte, stream uint32, payload ...byte) []byte {
	header := append(binary.BigEndian.AppendUint32(nil, uint32(len(payload)))[1:], kind, flags)
	return append(binary.BigEndian.AppendUint32(header, stream), payload...)
}

const (
	h2Data, h2Headers, h2Reset, h2Settings, h2Ping, h2GoAway = 0, 1, 3, 4, 6, 7

	h2NoError, h2Internal, h2Refused = 0, 2, 7
)

func h2OK(body string) []byte {
	return append(frame(h2Headers, 4, 1, 0x88), frame(h2Data, 1, 1, []byte(body)...)...) // 0x88 is ":status: 200"
}

func h2ResetWith(code byte) []byte { return frame(h2Reset, 0, 1, 0, 0, 0, code) }

func h2GoingAway(lastStream, code byte) []byte {
	return frame(h2GoAway, 0, 0, 0, 0, 0, lastStream, 0, 0, 0, code)
}

// http2 answers each request of a connection with these frames, and shows that it lives.
func http2(frames ...[]byte) step { return http2Until(false, frames) }

// http2AndEnd says no more after the first request, upon which the client ends the connection.
func http2AndEnd(frames ...[]byte) step { return http2Until(true, frames) }

func http2Until(end bool, frames [][]byte) step {
	return func(_ *scene, conn net.Conn) {
		buffered := bufio.NewReader(conn)
		if _, err := buffered.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")); err != nil {
			return
		}
		conn.Write(frame(h2Settings, 0, 0))
		for {
			var head [9]byte
			if _, err := io.ReadFull(buffered, head[:]); err != nil {
				return
			}
			payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
			if _, err := io.ReadFull(buffered, payload); err != nil {
				return
			}
			if head[3] == h2Ping {
				conn.Write(frame(h2Ping, 1, 0, payload...))
			}
			if head[3] == h2Headers {
				conn.Write(bytes.Join(frames, nil))
				if end {
					conn.(*tls.Conn).CloseWrite() // and go on reading: a client that is writing is not to find the connection broken
				}
			}
		}
	}
}

// certificate is for 127.0.0.1, unless changed.
func certificate(t *testing.T, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// over changes the scene to TLS, with a certificate that the client trusts.
func over(change func(*x509.Certificate), changeConfig func(*tls.Config)) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		cert := certificate(t, change)
		config := &tls.Config{Certificates: []tls.Certificate{cert}}
		changeConfig(config)
		s.options.BaseEndpoint = aws.String("https://" + s.listener.Addr().String())
		s.listener = tls.NewListener(s.listener, config)
		parsed, err := x509.ParseCertificate(cert.Certificate[0])
		require.NoError(t, err)
		s.transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		s.transport.TLSClientConfig.RootCAs.AddCert(parsed)
	}
}

var (
	sameCert   = func(*x509.Certificate) {}
	sameConfig = func(*tls.Config) {}
	overTLS    = over(sameCert, sameConfig)
	overHTTP2  = over(sameCert, func(c *tls.Config) { c.NextProtos = []string{"h2"} })
)

// named changes the scene to a host name, and to a DNS server that answers the first queries with these codes, and the
// others with the address. Code -1 is no answer.
func named(perTry ...int) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		server, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		s.atEnd = append(s.atEnd, server.Close)
		go func() {
			query := make([]byte, 1024)
			for {
				n, from, err := server.ReadFrom(query)
				if err != nil {
					return
				}
				s.mu.Lock()
				code := perTry[min(s.tries, len(perTry))-1]
				s.mu.Unlock()
				if reply := dnsReply(query[:n], code); reply != nil {
					server.WriteTo(reply, from)
				}
			}
		}()
		resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
			if err == nil {
				s.mu.Lock()
				s.atEnd = append(s.atEnd, conn.Close) // the standard library waits for an answer after the lookup was given up
				s.mu.Unlock()
			}
			return conn, err
		}}
		s.transport.DialContext = (&net.Dialer{Resolver: resolver}).DialContext
		_, port, err := net.SplitHostPort(s.listener.Addr().String())
		require.NoError(t, err)
		s.options.BaseEndpoint = aws.String("http://quicksight.invalid.:" + port)
	}
}

// dnsReply answers a query with a code, or where that is 0 and an IPv4 address is asked for, with 127.0.0.1.
func dnsReply(query []byte, code int) []byte {
	if code < 0 {
		return nil
	}
	end := 12 + bytes.IndexByte(query[12:], 0) + 5 // of the question
	reply := append([]byte{}, query[:end]...)
	reply[2], reply[3] = 0x81, 0x80|byte(code) // a response
	copy(reply[6:12], make([]byte, 6))         // no records
	if isIPv4 := query[end-3] == 1; code == 0 && isIPv4 {
		reply[7] = 1
		reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1)
	}
	return reply
}

// impatient shortens the attempt timeout.
func impatient(_ *testing.T, s *scene) { s.options.AttemptTimeout = shortTimeout }

// refusing lets the first n dials go to a port where nobody listens.
func refusing(n int) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		nobody, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		nobody.Close()
		dials := 0
		s.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if dials++; dials <= n {
				address = nobody.Addr().String()
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
	}
}

// identity gives the client these credentials, one a try.
func identity(perTry ...func(*scene, context.Context) (aws.Credentials, error)) func(*testing.T, *scene) {
	return func(_ *testing.T, s *scene) {
		asked := 0
		s.options.Credentials = aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			asked++
			return perTry[min(asked, len(perTry))-1](s, ctx)
		})
	}
}

func keys(*scene, context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET-ACCESS-KEY"}, nil
}

func otherKeys(*scene, context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "ASIA", SecretAccessKey: "OTHER-ACCESS-KEY", SessionToken: "OTHER"}, nil
}

func noKeys(*scene, context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, errors.New("the role session has ended")
}

// blocked waits for the end of the context, as a provider must.
func blocked(_ *scene, ctx context.Context) (aws.Credentials, error) {
	<-ctx.Done()
	return aws.Credentials{}, ctx.Err()
}

func cancelsAndBlocks(s *scene, ctx context.Context) (aws.Credentials, error) {
	s.cancel()
	return blocked(s, ctx)
}

// signer replaces the signer of the scene.
type signer struct {
	countingSigner
	before func(context.Context, *scene) error
}

func (s signer) SignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, hash, service, region string, at time.Time, optFns ...func(*v4.SignerOptions)) error {
	if err := s.before(ctx, s.scene); err != nil {
		return err
	}
	return s.countingSigner.SignHTTP(ctx, credentials, r, hash, service, region, at, optFns...)
}

func signing(before func(context.Context, *scene) error) func(*testing.T, *scene) {
	return func(_ *testing.T, s *scene) {
		s.options.HTTPSignerV4 = signer{countingSigner{s}, before}
	}
}

// within gives the caller's context a deadline.
func within(d time.Duration) func(*testing.T, *scene) {
	return func(_ *testing.T, s *scene) { s.ctx, s.cancel = context.WithTimeout(ctx, d) }
}

func backingOff(f func(*scene) time.Duration) func(*testing.T, *scene) {
	return func(_ *testing.T, s *scene) {
		s.options.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return f(s), nil })
		})
	}
}

// canceling cancels the caller's context when the server has got so far.
func canceling(first step, far func(*scene) chan struct{}) step {
	return func(s *scene, conn net.Conn) {
		first(s, conn)
		if far != nil {
			<-far(s)
		}
		s.cancel()
	}
}

func cancelsAtOnce(_ *testing.T, s *scene) { s.cancel() }

func deepJSON(depth int, inner string) string {
	return `{"x":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `,` + strings.TrimPrefix(inner, "{")
}

// fault is something that goes wrong with a call. A server plays its steps, one for each connection, and the last for good.
type fault struct {
	name   string
	server []step
	with   func(*testing.T, *scene)
	want   string
	status int
	tries  int // that were signed
}

func faults() []fault {
	return []fault{
		{"nothing", []step{fine}, nil, aURL, 200, 1},

		{"refused once", []step{fine}, refusing(1), aURL, 200, 2},
		{"refused for good", []step{fine}, refusing(9), noReply, 0, 3},
		{"no such host", []step{fine}, named(3), noReply, 0, 1},
		{"a DNS server that fails once", []step{fine}, named(2, 0), aURL, 200, 2},
		{"a DNS server that fails", []step{fine}, named(2), noReply, 0, 3},
		{"a DNS server that is silent", []step{fine}, and(named(-1), impatient), attemptTimeout, 0, 3},

		{"TLS", []step{fine}, overTLS, aURL, 200, 1},
		{"an expired certificate", []step{fine}, over(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }, sameConfig), noReply, 0, 3},
		{"a certificate of the future", []step{fine}, over(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }, sameConfig), noReply, 0, 3},
		{"a certificate of another host", []step{fine}, over(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"localhost"} }, sameConfig), noReply, 0, 3},
		{"a certificate of nobody known", []step{fine}, and(overTLS, func(_ *testing.T, s *scene) { s.transport.TLSClientConfig.RootCAs = x509.NewCertPool() }), noReply, 0, 3},
		{"TLS 1.1", []step{fine}, over(sameCert, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }), noReply, 0, 3},
		{"no TLS where there should be", []step{cut("HTTP/1.1 400 Bad Request\r\n\r\n")}, func(_ *testing.T, s *scene) {
			s.options.BaseEndpoint = aws.String("https://" + s.listener.Addr().String())
		}, noReply, 0, 3},
		{"a reset in the TLS handshake", []step{resetSoon}, overTLS, noReply, 0, 3},
		{"a reset in the TLS handshake, once", []step{resetSoon, fine}, overTLS, aURL, 200, 2},
		{"silence in the TLS handshake", []step{func(_ *scene, conn net.Conn) { io.Copy(io.Discard, conn.(*tls.Conn).NetConn()) }}, and(overTLS, impatient), attemptTimeout, 0, 3},

		{"a reset before the request", []step{resetSoon}, nil, noReply, 0, 3},
		{"a reset before the request, once", []step{resetSoon, fine}, nil, aURL, 200, 2},
		{"a reset before the headers", []step{reset1}, nil, noReply, 0, 3},
		{"a reset before the headers, once", []step{reset1, fine}, nil, aURL, 200, 2},
		{"a reset within the headers", []step{brokenAfter("HTTP/1.1 200 OK\r\nConte", nil)}, nil, noReply, 0, 3},
		{"a reset within the headers, once", []step{brokenAfter("HTTP/1.1 200 OK\r\nConte", nil), fine}, nil, aURL, 200, 2},
		{"a reset after the headers", []step{brokenAfter(withLength(200), theHeaders)}, nil, unreadable, 200, 3},
		{"a reset after the headers, once", []step{brokenAfter(withLength(200), theHeaders), fine}, nil, aURL, 200, 2},
		{"a reset in the body", []step{brokenAfter(withLength(200)+nativeReply[:50], theBody)}, nil, unreadable, 200, 3},
		{"a reset in the body, once", []step{brokenAfter(withLength(200)+nativeReply[:50], theBody), fine}, nil, aURL, 200, 2},
		{"an end before the headers", []step{hangUp}, nil, noReply, 0, 3},
		{"an end before the headers, once", []step{hangUp, fine}, nil, aURL, 200, 2},
		{"an end within the headers", []step{cut("HTTP/1.1 200 OK\r\nConte")}, nil, noReply, 0, 3},

		{"silence before the headers", []step{silence}, impatient, attemptTimeout, 0, 3},
		{"silence before the headers, once", []step{silence, fine}, slowed, aURL, 200, 2},
		{"silence in the status line", []step{raw("HTTP/1.1 2")}, impatient, attemptTimeout, 0, 3},
		{"silence in the headers", []step{raw("HTTP/1.1 200 OK\r\nConte")}, impatient, attemptTimeout, 0, 3},
		{"silence before the body", []step{raw(withLength(200))}, slowed, attemptTimeout, 200, 3},
		{"silence in the body", []step{raw(withLength(200) + nativeReply[:50])}, slowed, attemptTimeout, 200, 3},
		{"silence in the body, once", []step{raw(withLength(200) + nativeReply[:50]), fine}, slowed, aURL, 200, 2},
		{"silence in the body of a 500", []step{raw("HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n{")}, slowed, attemptTimeout, 500, 3},
		{"headers that trickle", []step{slowly("HTTP/1.1 200 OK\r\nX-Slow: ")}, impatient, attemptTimeout, 0, 3},
		{"a body that trickles", []step{slowly(withLength(10000))}, slowed, attemptTimeout, 200, 3},

		{"a body that ends early", []step{cut(withLength(200) + nativeReply[:50])}, nil, unreadable, 200, 1},
		{"a body without length that ends early", []step{cut(ok200 + "\r\n" + nativeReply[:50])}, nil, unreadable, 200, 1},
		{"a body without length", []step{cut(ok200 + "\r\n" + nativeReply)}, nil, aURL, 200, 1},
		{"chunks", []step{raw(chunked + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(nativeReply), nativeReply))}, nil, aURL, 200, 1},
		{"chunks without end", []step{cut(chunked + "5\r\n{\"Emb\r\n")}, nil, unreadable, 200, 1},
		{"a chunk of no size", []step{cut(chunked + "zz\r\n{\"Emb\r\n")}, nil, unreadable, 200, 1},
		{"a chunk of an absurd size", []step{cut(chunked + "ffffffffffffffff1\r\n{}\r\n")}, nil, unreadable, 200, 1},
		{"a trailer that is none", []step{cut(chunked + "2\r\n{}\r\n0\r\nno trailer\r\n\r\n")}, nil, unreadable, 200, 1},
		{"a Content-Length that is too small", []step{raw(withLength(50) + nativeReply)}, nil, unreadable, 200, 1},
		{"a Content-Length that is too large", []step{cut(withLength(len(nativeReply)+1) + nativeReply)}, nil, unreadable, 200, 1},
		{"a Content-Length of exabytes", []step{cut(withLength(int64(1)<<62) + nativeReply)}, nil, unreadable, 200, 1},
		{"a Content-Length that is negative", []step{raw(withLength(-1) + nativeReply)}, nil, noReply, 0, 3},
		{"a Content-Length that is none", []step{raw(withLength("many") + nativeReply)}, nil, noReply, 0, 3},
		{"two Content-Lengths", []step{raw(ok200 + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + nativeReply)}, nil, noReply, 0, 3},
		{"an unknown transfer encoding", []step{raw(ok200 + "Transfer-Encoding: rot13\r\n\r\n" + nativeReply)}, nil, noReply, 0, 3},
		{"an endless body", []step{endlessly(ok200+"\r\n", strings.Repeat(" ", 4096))}, nil, unreadable, 200, 1},
		{"an endless body in chunks", []step{endlessly(chunked, "1000\r\n"+strings.Repeat(" ", 4096)+"\r\n")}, nil, unreadable, 200, 1},
		{"an endless body of a 502", []step{endlessly("HTTP/1.1 502 Oops\r\n\r\n", strings.Repeat(" ", 4096))}, nil, unreadable, 502, 3},
		{"a reply of 1 MiB", []step{answer(200, nativeReply+strings.Repeat(" ", 1<<20-len(nativeReply)))}, nil, aURL, 200, 1},
		{"a reply of 1 MiB and a byte", []step{answer(200, nativeReply+strings.Repeat(" ", 1<<20-len(nativeReply)+1))}, nil, unreadable, 200, 1},

		{"gzip that was not asked for", []step{answer(200, zipped(1<<20, strings.NewReader(nativeReply)), "Content-Encoding: gzip")}, nil, aURL, 200, 1},
		{"a gzip bomb", []step{answer(200, zipped(64<<20, endless{}), "Content-Encoding: gzip")}, nil, unreadable, 200, 1},
		{"gzip that is cut off", []step{cut(gzipped + "\r\n" + zipped(1<<20, strings.NewReader(nativeReply))[:60])}, nil, unreadable, 200, 1},
		{"gzip that is none", []step{answer(200, nativeReply, "Content-Encoding: gzip")}, nil, unreadable, 200, 1},
		{"another encoding", []step{answer(200, "\x8b\x02\x80", "Content-Encoding: br")}, nil, unreadable, 200, 1},

		{"a header of 2 MiB", []step{answer(200, nativeReply, "X-Long: "+strings.Repeat("x", 2<<20))}, nil, aURL, 200, 1},
		{"a header of 12 MiB", []step{answer(200, nativeReply, "X-Long: "+strings.Repeat("x", 12<<20))}, nil, noReply, 0, 3},
		{"headers without end", []step{endlessly("HTTP/1.1 200 OK\r\n", "X-More: "+strings.Repeat("x", 4096)+"\r\n")}, nil, noReply, 0, 3},
		{"a header line without colon", []step{raw("HTTP/1.1 200 OK\r\nno header\r\n\r\n")}, nil, noReply, 0, 3},
		{"a header with a null byte", []step{raw("HTTP/1.1 200 OK\r\nX-Null: \x00\r\n\r\n")}, nil, noReply, 0, 3},

		{"HTTP/1.0", []step{cut("HTTP/1.0 200 OK\r\n\r\n" + nativeReply)}, nil, aURL, 200, 1},
		{"HTTP/0.9", []step{cut(nativeReply)}, nil, noReply, 0, 3},
		{"HTTP/9.9", []step{raw("HTTP/x.9 200 OK\r\n\r\n" + nativeReply)}, nil, noReply, 0, 3},
		{"a status of two digits", []step{raw("HTTP/1.1 20 OK\r\n\r\n" + nativeReply)}, nil, noReply, 0, 3},
		{"a status of four digits", []step{raw("HTTP/1.1 2000 OK\r\n\r\n" + nativeReply)}, nil, noReply, 0, 3},
		{"a status of 999", []step{answer(999, `{}`)}, nil, unknown, 999, 1},

		{"HTTP/2", []step{http2(h2OK(nativeReply))}, overHTTP2, aURL, 200, 1},
		{"HTTP/2, GOAWAY before the request is taken, once", []step{http2(h2GoingAway(0, h2NoError)), http2(h2OK(nativeReply))}, overHTTP2, aURL, 200, 1},
		{"HTTP/2, GOAWAY before the request is taken", []step{http2AndEnd(h2GoingAway(0, h2NoError))}, and(overHTTP2, impatient), attemptTimeout, 0, 3},
		{"HTTP/2, GOAWAY with an error, once", []step{http2AndEnd(h2GoingAway(1, h2Internal)), http2(h2OK(nativeReply))}, overHTTP2, aURL, 200, 2},
		{"HTTP/2, GOAWAY with an error", []step{http2AndEnd(h2GoingAway(1, h2Internal))}, overHTTP2, noReply, 0, 3},
		{"HTTP/2, GOAWAY and the reply", []step{http2(h2GoingAway(1, h2NoError), h2OK(nativeReply))}, overHTTP2, aURL, 200, 1},
		{"HTTP/2, a stream that is refused, once", []step{http2(h2ResetWith(h2Refused)), http2(h2OK(nativeReply))}, and(overHTTP2, oneRequestAConnection), aURL, 200, 1},
		{"HTTP/2, a stream that is reset, once", []step{http2(h2ResetWith(h2Internal)), http2(h2OK(nativeReply))}, and(overHTTP2, oneRequestAConnection), aURL, 200, 2},
		{"HTTP/2, a stream that is reset", []step{http2(h2ResetWith(h2Internal))}, and(overHTTP2, oneRequestAConnection), noReply, 0, 3},
		{"HTTP/2, a stream that is reset in the body", []step{http2(frame(h2Headers, 4, 1, 0x88), frame(h2Data, 0, 1, '{'), h2ResetWith(h2Internal))}, and(overHTTP2, oneRequestAConnection), unreadable, 200, 1},
		{"HTTP/2, silence", []step{http2()}, and(overHTTP2, impatient), attemptTimeout, 0, 3},
		{"HTTP/2, headers that are none", []step{http2(frame(h2Headers, 4, 1, 0xff, 0xff))}, overHTTP2, noReply, 0, 3},
		{"HTTP/1.1 where HTTP/2 is spoken", []step{cut("")}, overHTTP2, noReply, 0, 3},

		{"100, then 200", []step{raw("HTTP/1.1 100 Continue\r\n\r\n" + withLength(len(nativeReply)) + nativeReply)}, nil, aURL, 200, 1},
		{"102 and 103, then 200", []step{raw("HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 103 Hints\r\nLink: <x>\r\n\r\n" + withLength(len(nativeReply)) + nativeReply)}, nil, aURL, 200, 1},
		{"103 without end", []step{endlessly("", "HTTP/1.1 103 Hints\r\nX-Hint: "+strings.Repeat("x", 4096)+"\r\n\r\n")}, nil, noReply, 0, 3},
		{"101, and no more", []step{cut("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")}, nil, unknown, 101, 1},
		{"101, and silence", []step{raw("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")}, nil, unknown, 101, 1},
		{"200 without a body", []step{answer(200, ``)}, nil, unreadable, 200, 1},
		{"202 with a URL", []step{answer(202, nativeReply)}, nil, aURL, 202, 1},
		{"204", []step{answer(204, ``)}, nil, unreadable, 204, 1},
		{"205", []step{answer(205, ``)}, nil, unreadable, 205, 1},
		{"300", []step{answer(300, ``)}, nil, unknown, 300, 1},
		{"301", []step{answer(301, ``, "Location: http://127.0.0.1:1/")}, nil, unknown, 301, 1},
		{"302", []step{answer(302, ``, "Location: http://127.0.0.1:1/")}, nil, unknown, 302, 1},
		{"303", []step{answer(303, ``, "Location: http://127.0.0.1:1/")}, nil, unknown, 303, 1},
		{"304", []step{answer(304, ``)}, nil, unknown, 304, 1},
		{"307", []step{answer(307, ``, "Location: http://127.0.0.1:1/")}, nil, unknown, 307, 1},
		{"308", []step{answer(308, ``, "Location: http://127.0.0.1:1/")}, nil, unknown, 308, 1},
		{"a redirect to itself", []step{answer(307, ``, "Location: ")}, nil, unknown, 307, 1},

		{"400", []step{answer(400, `{}`)}, nil, unknown, 400, 1},
		{"401", []step{answer(401, `{}`)}, nil, unknown, 401, 1},
		{"403", []step{answer(403, `{}`)}, nil, unknown, 403, 1},
		{"404", []step{answer(404, `{}`)}, nil, unknown, 404, 1},
		{"405", []step{answer(405, `{}`)}, nil, unknown, 405, 1},
		{"407", []step{answer(407, `{}`)}, nil, unknown, 407, 1},
		{"408", []step{answer(408, `{}`)}, nil, unknown, 408, 1},
		{"409", []step{answer(409, `{}`)}, nil, unknown, 409, 1},
		{"413", []step{answer(413, `{}`)}, nil, unknown, 413, 1},
		{"421", []step{answer(421, `{}`)}, nil, unknown, 421, 1},
		{"429", []step{answer(429, `{}`)}, nil, unknown, 429, 3},
		{"429 once", []step{answer(429, `{}`), fine}, nil, aURL, 200, 2},
		{"431", []step{answer(431, `{}`)}, nil, unknown, 431, 1},
		{"500", []step{answer(500, `{}`)}, nil, unknown, 500, 3},
		{"500 once", []step{answer(500, `{}`), fine}, nil, aURL, 200, 2},
		{"500 twice", []step{answer(500, `{}`), answer(500, `{}`), fine}, nil, aURL, 200, 3},
		{"501", []step{answer(501, `{}`)}, nil, unknown, 501, 1},
		{"502", []step{answer(502, `{}`)}, nil, unknown, 502, 3},
		{"502 once", []step{answer(502, `{}`), fine}, nil, aURL, 200, 2},
		{"503", []step{answer(503, `{}`)}, nil, unknown, 503, 3},
		{"503 once", []step{answer(503, `{}`), fine}, nil, aURL, 200, 2},
		{"503, to be tried again soon", []step{answer(503, ``, "X-Amz-Retry-After: 10"), fine}, nil, aURL, 200, 2},
		{"504", []step{answer(504, `{}`)}, nil, unknown, 504, 3},
		{"504 once", []step{answer(504, `{}`), fine}, nil, aURL, 200, 2},
		{"505", []step{answer(505, `{}`)}, nil, unknown, 505, 1},

		{"AccessDeniedException", []step{fails(401, "AccessDeniedException")}, nil, "AccessDeniedException", 401, 1},
		{"InternalFailureException", []step{fails(500, "InternalFailureException")}, nil, "InternalFailureException", 500, 3},
		{"InvalidParameterValueException", []step{fails(400, "InvalidParameterValueException")}, nil, "InvalidParameterValueException", 400, 1},
		{"QuickSightUserNotFoundException", []step{fails(404, "QuickSightUserNotFoundException")}, nil, "QuickSightUserNotFoundException", 404, 1},
		{"ResourceExistsException", []step{fails(409, "ResourceExistsException")}, nil, "ResourceExistsException", 409, 1},
		{"ResourceNotFoundException", []step{fails(404, "ResourceNotFoundException")}, nil, "ResourceNotFoundException", 404, 1},
		{"SessionLifetimeInMinutesInvalidException", []step{fails(400, "SessionLifetimeInMinutesInvalidException")}, nil, "SessionLifetimeInMinutesInvalidException", 400, 1},
		{"ThrottlingException", []step{fails(429, "ThrottlingException")}, nil, "ThrottlingException", 429, 3},
		{"ThrottlingException twice", []step{fails(429, "ThrottlingException"), fails(429, "ThrottlingException"), fine}, nil, aURL, 200, 3},
		{"UnsupportedUserEditionException", []step{fails(403, "UnsupportedUserEditionException")}, nil, "UnsupportedUserEditionException", 403, 1},
		{"ExpiredTokenException", []step{fails(403, "ExpiredTokenException")}, nil, "ExpiredTokenException", 403, 1},
		{"throttled, then denied", []step{fails(429, "ThrottlingException"), fails(401, "AccessDeniedException")}, nil, "AccessDeniedException", 401, 2},
		{"a quota that is spent", []step{fails(429, "ThrottlingException")}, spent, "ThrottlingException", 429, 1},

		{"HTML from a proxy, 200", []step{answer(200, `<html>`, "Content-Type: text/html")}, nil, unreadable, 200, 1},
		{"HTML from a proxy, 403", []step{answer(403, `<html>`, "Content-Type: text/html")}, nil, unreadable, 403, 1},
		{"HTML from a proxy, 502", []step{answer(502, `<html>`, "Content-Type: text/html")}, nil, unreadable, 502, 3},
		{"HTML from a proxy, 502 once", []step{answer(502, `<html>`, "Content-Type: text/html"), fine}, nil, aURL, 200, 2},
		{"invalid UTF-8", []step{answer(200, "{\"EmbedUrl\":\"https://q.example/\xff\xfe\"}")}, nil, aURL, 200, 1},
		{"invalid UTF-8 outside a string", []step{answer(200, "\xff\xfe{}")}, nil, unreadable, 200, 1},
		{"a byte order mark", []step{answer(200, "\ufeff"+nativeReply)}, nil, unreadable, 200, 1},
		{"JSON nested 100,000 deep", []step{answer(200, deepJSON(100000, nativeReply))}, nil, unreadable, 200, 1},
		{"JSON nested 1,000 deep", []step{answer(200, deepJSON(1000, nativeReply))}, nil, aURL, 200, 1},
		{"an error nested 100,000 deep", []step{answer(400, deepJSON(100000, `{"code":"X"}`))}, nil, unreadable, 400, 1},
		{"EmbedUrl twice", []step{answer(200, `{"EmbedUrl":"","EmbedUrl":"https://q.example/"}`)}, nil, aURL, 200, 1},
		{"EmbedUrl twice, the last one empty", []step{answer(200, `{"EmbedUrl":"https://q.example/","EmbedUrl":""}`)}, nil, unreadable, 200, 1},
		{"a key in odd case", []step{answer(200, `{"embedurl":"https://q.example/"}`)}, nil, aURL, 200, 1},
		{"a number for the URL", []step{answer(200, `{"EmbedUrl":7}`)}, nil, unreadable, 200, 1},
		{"a number for the request ID", []step{answer(200, `{"EmbedUrl":"https://q.example/","RequestId":7}`)}, nil, aURL, 200, 1},
		{"a number for a code", []step{answer(400, `{"code":7}`)}, nil, unknown, 400, 1},
		{"a list", []step{answer(200, `[]`)}, nil, unreadable, 200, 1},
		{"null", []step{answer(200, `null`)}, nil, unreadable, 200, 1},
		{"an envelope of a failure, 200", []step{answer(200, `{"success":false,"error":{"code":"ThrottlingException"}}`)}, nil, "ThrottlingException", 200, 3},
		{"an envelope of nothing", []step{answer(200, `{"success":true}`)}, nil, unreadable, 200, 1},

		{"credentials that fail", []step{fine}, identity(noKeys), noIdentity, 0, 0},
		{"credentials that fail between tries", []step{answer(500, `{}`), fine}, identity(keys, noKeys), noIdentity, 0, 1},
		{"credentials that change between tries", []step{answer(500, `{}`), fine}, identity(keys, otherKeys), aURL, 200, 2},
		{"credentials that block", []step{fine}, and(identity(blocked), within(shortTimeout)), noIdentity, 0, 0},
		{"credentials that block between tries", []step{answer(500, `{}`), fine}, and(identity(keys, blocked), within(longEnough)), noIdentity, 0, 1},

		{"a clock an hour ahead", []step{skewedBy(time.Hour)}, nil, aURL, 200, 2},
		{"a clock hours behind", []step{skewedBy(-5 * time.Hour)}, nil, aURL, 200, 2},
		{"a clock 10 minutes ahead", []step{skewedBy(10 * time.Minute)}, nil, aURL, 200, 1},
		{"a clock that drifts", []step{skewedBy(time.Hour), skewedBy(2 * time.Hour), skewedBy(3 * time.Hour)}, nil, "InvalidSignatureException", 403, 3},
		{"a clock that is wrong once", []step{skewedBy(time.Hour), skewedBy(0), skewedBy(0)}, nil, aURL, 200, 3},
		{"a clock that is not followed", []step{skewedBy(time.Hour)}, func(_ *testing.T, s *scene) { s.options.DisableClockSkewCorrection = true }, "InvalidSignatureException", 403, 1},

		{"canceled before", []step{fine}, cancelsAtOnce, contextEnded, 0, 0},
		{"canceled in credentials", []step{fine}, identity(cancelsAndBlocks), noIdentity, 0, 0},
		{"canceled in sign", []step{fine}, signing(func(_ context.Context, s *scene) error { s.cancel(); return nil }), canceled, 0, 1},
		{"a signer that fails", []step{fine}, signing(func(context.Context, *scene) error { return errors.New("no key store") }), notSigned, 0, 0},
		{"a signer that blocks", []step{fine}, and(within(shortTimeout), signing(func(ctx context.Context, _ *scene) error { <-ctx.Done(); return ctx.Err() })), notSigned, 0, 0},
		{"canceled in send", []step{canceling(silence, nil)}, nil, canceled, 0, 1},
		{"canceled in the headers", []step{canceling(raw("HTTP/1.1 200 OK\r\nX-"), nil)}, nil, canceled, 0, 1},
		{"canceled after the headers", []step{canceling(raw(withLength(200)), theHeaders)}, nil, canceled, 200, 1},
		{"canceled in the body", []step{canceling(raw(withLength(200)+"{"), theBody)}, nil, canceled, 200, 1},
		{"canceled in the second try", []step{answer(500, `{}`), canceling(silence, nil)}, nil, canceled, 0, 2},
		{"canceled in back-off", []step{answer(500, `{}`)}, backingOff(func(s *scene) time.Duration { s.cancel(); return time.Hour }), canceledInBackOff, 0, 1},
		{"a deadline in send", []step{silence}, within(longEnough), canceled, 0, 1},
		{"a deadline in the body", []step{raw(withLength(200) + "{")}, within(longEnough), canceled, 200, 1},
		{"a deadline in back-off", []step{answer(500, `{}`)}, and(within(longEnough), backingOff(func(*scene) time.Duration { return time.Hour })), canceledInBackOff, 0, 1},
	}
}

func and(a, b func(*testing.T, *scene)) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		a(t, s)
		b(t, s)
	}
}

func slowed(_ *testing.T, s *scene) { s.options.AttemptTimeout = longEnough }

func spent(_ *testing.T, s *scene) {
	s.options.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.RateLimiter = ratelimit.NewTokenRateLimit(1) })
}

func oneRequestAConnection(_ *testing.T, s *scene) { s.transport.DisableKeepAlives = true }

// kindOf says what a call has come to, and checks what all errors of its kind must have.
func kindOf(t *testing.T, s *scene, out *quicksightembed.GetSessionEmbedUrlOutput, err error) string {
	t.Helper()
	if err == nil {
		require.NotEmpty(t, aws.ToString(out.EmbedUrl))
		return aURL
	}
	require.Nil(t, out)
	require.IsType(t, &smithy.OperationError{}, err)
	var (
		canceledErr  *smithy.CanceledError
		inBackOffErr *aws.RequestCanceledError
		sendErr      *smithyhttp.RequestSendError
		readErr      *smithy.DeserializationError
		apiErr       smithy.APIError
		timeout      interface{ Timeout() bool }
	)
	ended := s.ctx.Err() != nil
	if ended {
		assert.ErrorIs(t, err, s.ctx.Err(), "the caller's context has ended")
	}
	for _, text := range []string{noIdentity, notSigned} {
		if strings.HasPrefix(errors.Unwrap(err).Error(), text+": ") {
			return text
		}
	}
	switch {
	case errors.As(err, &canceledErr):
		return canceled
	case errors.As(err, &inBackOffErr):
		return canceledInBackOff
	case errors.As(err, &sendErr) && errors.As(err, &timeout) && timeout.Timeout() && strings.Contains(err.Error(), "no complete reply within the attempt timeout"):
		return attemptTimeout
	case errors.As(err, &sendErr):
		return noReply
	case errors.As(err, &readErr):
		return unreadable
	case errors.As(err, &apiErr):
		return apiErr.ErrorCode()
	case ended:
		return contextEnded
	}
	return err.Error()
}

// closesConnections closes idle connections until all are closed. One of HTTP/2 is idle when the server has shown, a moment after
// a try was broken off, that it lives.
func (s *scene) closesConnections(done <-chan struct{}) bool {
	late, again := time.After(deadlineOfARow), time.NewTicker(10*time.Millisecond)
	defer again.Stop()
	for {
		s.transport.CloseIdleConnections()
		select {
		case <-done:
			return true
		case <-again.C:
		case <-late:
			return false
		}
	}
}

// openFiles counts the file descriptors of the process, or returns 0 where that cannot be seen.
func openFiles() int {
	if runtime.GOOS != "linux" {
		return 0
	}
	files, _ := os.ReadDir("/proc/self/fd")
	return len(files)
}

func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds, and mutation testing runs it for each mutant")
	}
	faults := faults()
	require.GreaterOrEqual(t, len(faults), 80)
	newScene(t).listener.Close() // what the first socket of a process opens for good is open now
	for _, row := range faults {
		t.Run(row.name, func(t *testing.T) {
			ignore, files := goleak.IgnoreCurrent(), openFiles()
			s := newScene(t)
			defer func() { s.cancel() }()
			if row.with != nil {
				row.with(t, s)
			}
			done := make(chan struct{})
			go s.serve(row.server, done)

			start := time.Now()
			out, err := quicksightembed.New(s.options).GetSessionEmbedUrl(s.ctx, janesInput())
			assert.Less(t, time.Since(start), deadlineOfARow)
			assert.Equal(t, row.want, kindOf(t, s, out, err), "%v", err)
			assert.Equal(t, row.tries, s.tries)
			if err == nil {
				assert.Equal(t, row.status, int(out.Status))
			}
			var respErr *awshttp.ResponseError
			if errors.As(err, &respErr) {
				assert.Equal(t, row.status, respErr.HTTPStatusCode())
			}
			var maxErr *retry.MaxAttemptsError
			assert.Equal(t, err != nil && row.tries == 3, errors.As(err, &maxErr), "the last of several tries says so")

			assert.Zero(t, s.openBodies, "each body is closed")
			s.listener.Close()
			assert.True(t, s.closesConnections(done), "a connection is left open")
			if t.Failed() {
				return
			}
			s.mu.Lock()
			for _, end := range s.atEnd {
				end()
			}
			s.mu.Unlock()
			assert.NoError(t, goleak.Find(ignore))
			assert.LessOrEqual(t, openFiles(), files, "no file is left open")
		})
	}
}
