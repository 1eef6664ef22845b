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
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"example.com/quicksightembed"
)

func TestMain(m *testing.M) {
	// The machine's settings for AWS must not change the tests.
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") || name == "_X_AMZN_TRACE_ID" {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}

const (
	account = "111122223333"
	jane    = "arn:aws:quicksight:us-east-1:111122223333:user/default/jane"

	// nativeReply is a success in QuickSight's own form.
	nativeReply = `{"EmbedUrl":"https://us-east-1.quicksight.aws.amazon.com/embedding/abc/start?code=c0de&isauthcode=true","RequestId":"body-id","Status":200}`
)

func janesInput() *quicksightembed.GetSessionEmbedUrlInput {
	return &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account), UserArn: aws.String(jane)}
}

// recordingServer answers with the handler and keeps the requests.
type recordingServer struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
}

func newServer(t *testing.T, handler http.HandlerFunc) *recordingServer {
	t.Helper()
	s := &recordingServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *recordingServer) seen() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// replyWith answers each request with the next reply, and repeats the last.
func replyWith(replies ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		reply := replies[0]
		if len(replies) > 1 {
			replies = replies[1:]
		}
		mu.Unlock()
		reply(w, r)
	}
}

// status answers with a status, a body and pairs of header names and values.
func status(code int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func staticCredentials(key, secret, token string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: key, SecretAccessKey: secret, SessionToken: token}, nil
	})
}

// newClient returns a client that calls the server and retries without delay.
func newClient(t *testing.T, server *recordingServer, optFns ...func(*quicksightembed.Options)) *quicksightembed.Client {
	t.Helper()
	return quicksightembed.New(quicksightembed.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(server.URL),
		Credentials:  staticCredentials("AKID", "SECRET-ACCESS-KEY", ""),
		HTTPClient:   server.Client(),
		Retryer:      withoutDelay(),
	}, optFns...)
}

func withoutDelay() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
}

func fieldsOf(t *testing.T, err error) []quicksightembed.FieldError {
	t.Helper()
	var invalid *quicksightembed.ValidationError
	require.ErrorAs(t, err, &invalid)
	return invalid.Fields
}

// realToken is as long as a token of AWS, and has all kinds of Base64 characters.
var realToken = "FwoGZXIvYXdzEBYaDH+/" + strings.Repeat("aGVsbG8gd29ybGQ/+", 40) + "=="

// clientOf returns a client that sends with do, and has the token in its credentials.
func clientOf(token string, do func(*http.Request) (*http.Response, error), optFns ...func(*quicksightembed.Options)) *quicksightembed.Client {
	if do == nil {
		do = func(*http.Request) (*http.Response, error) { return nil, errors.New("nothing should be sent") }
	}
	return quicksightembed.New(quicksightembed.Options{
		Region: "us-east-1", Credentials: staticCredentials("AKID", secretKey, token),
		HTTPClient: smithyhttp.ClientDoFunc(do), Retryer: withoutDelay(),
	}, optFns...)
}

func replyOf(code int, body string, header ...string) *http.Response {
	resp := &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

// The result of a call, unless it is the code of an API error.
const (
	aURL              = "a URL"
	noReply           = "no reply"            // *smithyhttp.RequestSendError
	attemptTimeout    = "attempt timeout"     // the same, and Timeout() is true
	unreadable        = "unreadable"          // *smithy.DeserializationError
	canceled          = "canceled"            // *smithy.CanceledError
	canceledInBackOff = "canceled in backoff" // *aws.RequestCanceledError
	contextEnded      = "context ended"       // none of these types: nothing was sent
	noIdentity        = "get identity"        // *quicksightembed.CredentialsError
	notSigned         = "sign request"        // any type, and this text
	unknown           = "UnknownError"        // an error status without a code
)

// scene is one call, its server, and everything that can be wrong with either.
type scene struct {
	ctx       context.Context
	cancel    context.CancelFunc
	listener  net.Listener
	transport *http.Transport
	options   quicksightembed.Options

	// How far the client is. The server waits for it before it breaks the connection: bytes
	// that are unread then are lost.
	sent, headersRead, bodyRead chan struct{}

	atEnd []func() error

	mu         sync.Mutex
	attempts   int
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

// deadlineOfARow bounds each row. The slowest rows take three attempt timeouts of longEnough.
const deadlineOfARow = 10 * time.Second

// shortTimeout is for calls that get no reply. longEnough is for calls that must make some progress
// first, even on a busy machine.
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

// RoundTrip sends with the transport, and watches the body of the reply.
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

// countingSigner counts attempts: each is signed once.
type countingSigner struct{ scene *scene }

func (c countingSigner) SignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, hash, service, region string, at time.Time, optFns ...func(*v4.SignerOptions)) error {
	c.scene.count(&c.scene.attempts, 1)
	return v4.NewSigner().SignHTTP(ctx, credentials, r, hash, service, region, at, optFns...)
}

// step is what the server does with one connection. When it returns, the client may close the
// connection.
type step func(*scene, net.Conn)

// serve plays one step for each connection, and repeats the last, until the listener is closed.
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

// breakOff resets a connection: the client gets an error, not its end.
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

// slowly answers with head, and then with one byte every 5 milliseconds.
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

// brokenAfter answers with these bytes, waits for the client's signal far, and breaks off.
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

// answer is a complete reply, with these header lines.
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

// skewedBy answers with a wrong clock, and refuses requests that are signed for another time.
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
	resetSoon = func(_ *scene, conn net.Conn) { breakOff(conn) } // without reading the request
	hangUp    = cut("")
)

const (
	ok200   = "HTTP/1.1 200 OK\r\nConnection: close\r\n"
	chunked = ok200 + "Transfer-Encoding: chunked\r\n\r\n"
	gzipped = ok200 + "Content-Encoding: gzip\r\n"
)

func withLength(n any) string { return fmt.Sprintf("%sContent-Length: %v\r\n\r\n", ok200, n) }

// zipped returns at most size bytes of text, compressed.
func zipped(size int64, text io.Reader) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	io.Copy(w, io.LimitReader(text, size))
	w.Close()
	return out.String()
}

// frame is an HTTP/2 frame.
func frame(kind, flags byte, stream uint32, payload ...byte) []byte {
	header := append(binary.BigEndian.AppendUint32(nil, uint32(len(payload)))[1:], kind, flags)
	return append(binary.BigEndian.AppendUint32(header, stream), payload...)
}

const (
	h2Data, h2Headers, h2Reset, h2Settings, h2Ping, h2GoAway = 0, 1, 3, 4, 6, 7

	h2NoError, h2Internal, h2Refused = 0, 2, 7
)

func h2OK(body string) []byte {
	// 0x88 is ":status: 200".
	return append(frame(h2Headers, 4, 1, 0x88), frame(h2Data, 1, 1, []byte(body)...)...)
}

func h2ResetWith(code byte) []byte { return frame(h2Reset, 0, 1, 0, 0, 0, code) }

func h2GoingAway(lastStream, code byte) []byte {
	return frame(h2GoAway, 0, 0, 0, 0, 0, lastStream, 0, 0, 0, code)
}

// http2 answers each request of a connection with these frames, and answers pings.
func http2(frames ...[]byte) step { return http2Until(false, frames) }

// http2AndEnd stops writing after the first request: the client then ends the connection.
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
					conn.(*tls.Conn).CloseWrite() // and go on reading
				}
			}
		}
	}
}

// certificate returns a certificate for 127.0.0.1, unless change changes that.
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

// named changes the scene to a host name and a DNS server. Each attempt has its own code, and the
// last code repeats: see dnsReply.
func named(perAttempt ...int) func(*testing.T, *scene) {
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
				code := perAttempt[min(s.attempts, len(perAttempt))-1]
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
				// net waits for an answer even if the lookup was aborted.
				s.atEnd = append(s.atEnd, conn.Close)
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

// dnsReply answers a query with a code. Code 0 gives 127.0.0.1 to a query for an IPv4 address, and
// code -1 gives no answer.
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

// refusing sends the first n dials to a port without a listener.
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

// identity gives each attempt the next of these credentials, and repeats the last.
func identity(perAttempt ...func(*scene, context.Context) (aws.Credentials, error)) func(*testing.T, *scene) {
	return func(_ *testing.T, s *scene) {
		asked := 0
		s.options.Credentials = aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			asked++
			return perAttempt[min(asked, len(perAttempt))-1](s, ctx)
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

// blocked returns when the context ends, as a provider must.
func blocked(_ *scene, ctx context.Context) (aws.Credentials, error) {
	<-ctx.Done()
	return aws.Credentials{}, ctx.Err()
}

func cancelsAndBlocks(s *scene, ctx context.Context) (aws.Credentials, error) {
	s.cancel()
	return blocked(s, ctx)
}

// signer calls before, then signs.
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

// canceling plays first, waits for the client's signal far, and cancels the caller's context.
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
