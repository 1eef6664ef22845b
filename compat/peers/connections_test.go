package peers

import (
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// connections counts the connections of a server.
type connections struct {
	mu     sync.Mutex
	opened int
	open   map[net.Conn]bool
	closed chan struct{} // a connection was closed
}

func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.opened++
		c.open[conn] = true
	case http.StateClosed:
		delete(c.open, conn)
		select {
		case c.closed <- struct{}{}:
		default:
		}
	}
}

// left waits until no more than most connections are open, for up to 10 seconds, and returns how
// many are.
func (c *connections) left(most int) int {
	late := time.After(10 * time.Second)
	for {
		c.mu.Lock()
		open := len(c.open)
		c.mu.Unlock()
		if open <= most {
			return open
		}
		select {
		case <-c.closed:
		case <-late:
			return open
		}
	}
}

// TestConnections makes calls from 256 goroutines over TLS. It bounds the connections that are
// opened and those left idle: at most the size of the pool, which is the AWS core's or set by a
// user.
func TestConnections(t *testing.T) {
	const goroutines, calls = 256, 5000
	// While a connection is dialed for a goroutine, another can become free for it. Both are
	// then kept, up to the pool's size. If handshakes are slow, this happens to a goroutine
	// more than once.
	const burst = 4 * goroutines
	for name, test := range map[string]struct {
		http2, large bool
		opened, left int // upper bounds
	}{
		"HTTP/1.1, the default pool":    {left: awshttp.DefaultHTTPTransportMaxIdleConns, opened: calls},
		"HTTP/1.1, a pool for them all": {left: goroutines, opened: burst, large: true},
		"HTTP/2":                        {left: goroutines, opened: burst, http2: true},
	} {
		for _, c := range callers {
			t.Run(name+", "+c.name, func(t *testing.T) {
				ignore := goleak.IgnoreCurrent()
				counted := &connections{open: map[net.Conn]bool{}, closed: make(chan struct{}, 1)}
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, urlReply) }))
				server.Config.ConnState = counted.note
				// The server would log connections that are closed early.
				server.Config.ErrorLog = log.New(io.Discard, "", 0)
				server.EnableHTTP2 = test.http2
				server.StartTLS()
				roots := x509.NewCertPool()
				roots.AddCert(server.Certificate())
				cfg := workingConfig(awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
					transport.TLSClientConfig.RootCAs = roots
					if test.large {
						transport.MaxIdleConns, transport.MaxIdleConnsPerHost = goroutines, goroutines
					}
				}))
				cfg.BaseEndpoint = aws.String(server.URL)
				call := c.new(cfg)

				var waiting sync.WaitGroup
				for range goroutines {
					waiting.Go(func() {
						for range calls / goroutines {
							if !assert.NoError(t, call(t.Context(), janes(), nil)) {
								return
							}
						}
					})
				}
				waiting.Wait()
				left := counted.left(test.left)
				t.Logf("%d calls: %d connections opened, %d left", calls/goroutines*goroutines, counted.opened, left)
				if c.name == "ours" {
					assert.LessOrEqual(t, counted.opened, test.opened)
					assert.LessOrEqual(t, left, test.left)
				}
				server.Close()
				require.NoError(t, goleak.Find(ignore))
			})
		}
	}
}

// countingServer answers with a URL, and counts the connections that are opened to it.
func countingServer(t testing.TB) (server *httptest.Server, opened func() int) {
	counted := &connections{open: map[net.Conn]bool{}, closed: make(chan struct{}, 1)}
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, urlReply) }))
	server.Config.ConnState = counted.note
	server.Start()
	t.Cleanup(server.Close)
	return server, func() int {
		counted.mu.Lock()
		defer counted.mu.Unlock()
		return counted.opened
	}
}

// manyClients are numbers of clients of one config. Each client makes a call.
var manyClients = []struct {
	name  string
	count int
	keep  bool // the program keeps the clients
}{
	{"1 client", 1, true},
	{"10 clients", 10, true},
	{"100 clients", 100, true},
	{"a client for each of 100 calls", 100, false},
}

var defaultsModes = []aws.DefaultsMode{
	aws.DefaultsModeLegacy, aws.DefaultsModeStandard, aws.DefaultsModeInRegion, aws.DefaultsModeCrossRegion, aws.DefaultsModeMobile, aws.DefaultsModeAuto,
}

// held is what the clients of a config use after their calls. It includes the server's part, which
// is the same for each connection.
type held struct{ connections, goroutines, bytes int }

// callOfEach makes a call with each client, and returns what they use then.
func callOfEach(tb testing.TB, mode aws.DefaultsMode, newCaller func(aws.Config) caller, clients int, keep bool) held {
	tb.Helper()
	server, opened := countingServer(tb)
	cfg := workingConfig(awshttp.NewBuildableClient())
	cfg.BaseEndpoint, cfg.DefaultsMode = aws.String(server.URL), mode
	var kept []caller
	before := goleak.IgnoreCurrent()
	goroutines, bytes := runtime.NumGoroutine(), heapInUse()
	for range clients {
		call := newCaller(cfg)
		if keep {
			kept = append(kept, call)
		}
		require.NoError(tb, call(tb.Context(), janes(), nil))
	}
	h := held{connections: opened(), bytes: heapInUse() - bytes}
	h.goroutines = runtime.NumGoroutine() - goroutines // last, after those of requests
	runtime.KeepAlive(kept)
	server.Close()
	require.NoError(tb, goleak.Find(before)) // the next count starts at 0
	return h
}

func heapInUse() int {
	runtime.GC()
	runtime.GC() // the second frees what has a finalizer
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// BenchmarkManyClients reports what many clients of one config use.
func BenchmarkManyClients(b *testing.B) {
	for _, mode := range defaultsModes {
		for _, many := range manyClients {
			b.Run(string(mode)+"/"+many.name, func(b *testing.B) {
				for _, c := range callers {
					b.Run(c.name, func(b *testing.B) {
						for b.Loop() {
							h := callOfEach(b, mode, c.new, many.count, many.keep)
							b.ReportMetric(0, "ns/op")
							b.ReportMetric(float64(h.connections), "connections")
							b.ReportMetric(float64(h.goroutines), "goroutines")
							b.ReportMetric(float64(h.bytes)/1024, "KiB")
						}
					})
				}
			})
		}
	}
}

// TestCallsWithOneHTTPClient counts the connections of 100 calls with one BuildableClient as
// option.
func TestCallsWithOneHTTPClient(t *testing.T) {
	for _, mode := range defaultsModes {
		for _, peer := range peers {
			t.Run(string(mode)+" "+peer.name, func(t *testing.T) {
				server, opened := countingServer(t)
				cfg := workingConfig(awshttp.NewBuildableClient())
				cfg.BaseEndpoint, cfg.DefaultsMode = aws.String(server.URL), mode
				ask, ofCalls := peer.new(cfg), awshttp.NewBuildableClient()
				for range 100 {
					require.Empty(t, ask(t.Context(), janes(), set("HTTPClient", ofCalls)).Text)
				}
				assert.Equal(t, 1, opened())
			})
		}
	}
}
