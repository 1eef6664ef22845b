package peers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// roundTrip is the time of a round trip to the service.
const roundTrip = 20 * time.Millisecond

// distantService is a service that answers with a URL over TLS and HTTP/1.1, as AWS's endpoints do,
// behind a line that delays all data.
type distantService struct {
	cfg    aws.Config
	opened atomic.Int64 // connections

	server *httptest.Server
	line   net.Listener
	ending sync.WaitGroup
}

// newDistantService starts a service that closes connections that are idle for the given time; 0:
// never. At the end of the test it closes those that the client keeps open.
func newDistantService(tb testing.TB, idle time.Duration) *distantService {
	tb.Helper()
	s := &distantService{}
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, urlReply) }))
	// The server would log connections that are closed early.
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.server.Config.IdleTimeout = idle
	s.server.TLS = &tls.Config{Certificates: []tls.Certificate{newCertificate(tb)}}
	s.server.StartTLS()
	var err error
	s.line, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	s.ending.Go(s.carry)
	roots := x509.NewCertPool()
	roots.AddCert(s.server.Certificate())
	s.cfg = workingConfig(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.TLSClientConfig.RootCAs = roots
	}))
	s.cfg.BaseEndpoint = aws.String("https://" + s.line.Addr().String())
	tb.Cleanup(s.close)
	return s
}

func (s *distantService) close() {
	s.line.Close()
	s.server.CloseClientConnections()
	s.server.Close()
	s.ending.Wait()
}

// newCertificate makes a certificate with an elliptic key. With the RSA key of httptest, the
// server's part of handshakes would keep the machine busy.
func newCertificate(tb testing.TB) tls.Certificate {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(tb, err)
	return tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: key}
}

func (s *distantService) carry() {
	for {
		near, err := s.line.Accept()
		if err != nil {
			return // the end of the test
		}
		s.opened.Add(1)
		far, err := net.Dial("tcp", s.server.Listener.Addr().String())
		if err != nil {
			near.Close()
			continue
		}
		// The first piece waits a round trip more, for TCP's handshake, which loopback does
		// at once.
		s.ending.Go(func() { delay(far, near, roundTrip, roundTrip/2) })
		s.ending.Go(func() { delay(near, far, 0, roundTrip/2) })
	}
}

// delay copies what it reads, after a delay of each. The first piece is delayed by first, too.
func delay(to io.WriteCloser, from io.Reader, first, each time.Duration) {
	type piece struct {
		data []byte
		due  time.Time
	}
	pieces := make(chan piece, 1024)
	go func() {
		defer close(pieces)
		for wait := first + each; ; wait = each {
			data := make([]byte, 4<<10)
			n, err := from.Read(data)
			if n > 0 {
				pieces <- piece{data[:n], time.Now().Add(wait)}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range pieces {
		time.Sleep(time.Until(p.due))
		to.Write(p.data) // on an error, the reader ends too
	}
	to.Close()
}

// people makes calls for count people, each one call after the other. They pause between calls for
// a random time, on average pause. It returns how long the calls took, in order. None may fail.
func people(tb testing.TB, call caller, count, callsOfEach int, pause time.Duration) (took []time.Duration) {
	tb.Helper()
	var mu sync.Mutex
	var waiting sync.WaitGroup
	for person := range count {
		random := mathrand.New(mathrand.NewPCG(1, uint64(person)))
		waiting.Go(func() {
			for range callsOfEach {
				begin := time.Now()
				err := call(tb.Context(), everyInput(), nil)
				end := time.Since(begin)
				if !assert.NoError(tb, err) {
					return
				}
				mu.Lock()
				took = append(took, end)
				mu.Unlock()
				time.Sleep(time.Duration(random.ExpFloat64() * float64(pause)))
			}
		})
	}
	waiting.Wait()
	slices.Sort(took)
	return took
}

// situations are loads: how many people call, how, and how many calls each makes.
var situations = []struct {
	name        string
	callers     int
	callsOfEach int
	idle        time.Duration // after which the service closes a connection
	measure     func(tb testing.TB, s *distantService, call caller, callers, calls int) (took []time.Duration, opened int64)
}{
	{"1 caller", 1, 30, 0, steadily},
	{"10 callers", 10, 30, 0, steadily},
	{"32 callers", 32, 30, 0, steadily},
	{"100 callers", 100, 30, 0, steadily},
	{"300 callers", 300, 30, 0, steadily},
	{"100 callers at once, again", 100, 1, 0, inBursts},
	{"32 callers, idle connections closed", 32, 30, 50 * time.Millisecond, steadily},
}

// steadily has people call at random times.
func steadily(tb testing.TB, s *distantService, call caller, callers, calls int) (took []time.Duration, opened int64) {
	tb.Helper()
	took = people(tb, call, callers, calls, 100*time.Millisecond)
	return took, s.opened.Load()
}

// inBursts has all people call at once, and again after a second. It measures the second burst.
func inBursts(tb testing.TB, s *distantService, call caller, callers, calls int) (took []time.Duration, opened int64) {
	tb.Helper()
	people(tb, call, callers, calls, 0)
	time.Sleep(time.Second)
	before := s.opened.Load()
	took = people(tb, call, callers, calls, 0)
	return took, s.opened.Load() - before
}

// BenchmarkDistance reports how long users of a busy backend wait, and how many connections it
// opens.
func BenchmarkDistance(b *testing.B) {
	for _, situation := range situations {
		b.Run(situation.name, func(b *testing.B) {
			for _, c := range callers {
				b.Run(c.name, func(b *testing.B) {
					calls := situation.callsOfEach
					if testing.Short() {
						calls = 1
					}
					for b.Loop() {
						service := newDistantService(b, situation.idle)
						took, opened := situation.measure(b, service, c.new(service.cfg), situation.callers, calls)
						b.ReportMetric(0, "ns/op")
						b.ReportMetric(float64(took[len(took)/2])/1e6, "p50-ms")
						b.ReportMetric(float64(took[len(took)*95/100])/1e6, "p95-ms")
						b.ReportMetric(float64(opened), "connections")
					}
				})
			}
		})
	}
}
