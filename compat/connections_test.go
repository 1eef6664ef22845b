package compat

import (
	"crypto/x509"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

var calls = flag.Int("calls", 5000, "how many `calls` TestConnections makes with each client")

// connections counts those of a server.
type connections struct {
	mu     sync.Mutex
	opened int
	open   map[net.Conn]bool
	closed chan struct{} // there is one to look at
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

// left returns how many are open, once they are no more than most, or where that takes 10 seconds.
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

// TestConnections makes calls from 256 goroutines over TLS, and counts the connections that are
// opened for them, and those that are left idle: no more than the pool keeps, whose size is all
// that the AWS core's keeps, or one that a user has set.
func TestConnections(t *testing.T) {
	const goroutines = 256
	// While one is being dialed for a goroutine, another can become free for it: then both are
	// kept, up to the pool's size, and on a machine that is slow to shake hands that happens to a
	// goroutine more than once.
	const burst = 4 * goroutines
	for name, test := range map[string]struct {
		http2, large bool
		opened, left int // at the most
	}{
		"HTTP/1.1, the default pool":    {left: awshttp.DefaultHTTPTransportMaxIdleConns, opened: *calls},
		"HTTP/1.1, a pool for them all": {left: goroutines, opened: burst, large: true},
		"HTTP/2":                        {left: goroutines, opened: burst, http2: true},
	} {
		for _, c := range callers {
			t.Run(name+", "+c.name, func(t *testing.T) {
				ignore := goleak.IgnoreCurrent()
				counted := &connections{open: map[net.Conn]bool{}, closed: make(chan struct{}, 1)}
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, urlReply) }))
				server.Config.ConnState = counted.note
				server.Config.ErrorLog = log.New(io.Discard, "", 0) // of connections that are closed while they are made
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
						for range *calls / goroutines {
							if !assert.NoError(t, call(t.Context(), janes(), nil)) {
								return
							}
						}
					})
				}
				waiting.Wait()
				left := counted.left(test.left)
				t.Logf("%d calls: %d connections opened, %d left", *calls/goroutines*goroutines, counted.opened, left)
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
func countingServer(t *testing.T) (server *httptest.Server, opened func() int) {
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

// TestManyClientsOfOneConfig counts the connections of 100 clients, each of which makes a call, and
// of 100 calls that are given a BuildableClient.
func TestManyClientsOfOneConfig(t *testing.T) {
	for mode, most := range map[aws.DefaultsMode]map[string]int{
		"":                       {"the official client": 1, "this client": 1},
		aws.DefaultsModeStandard: {"the official client": 100, "this client": 1},
	} {
		for _, peer := range peers {
			t.Run(string(mode)+" "+peer.name, func(t *testing.T) {
				server, opened := countingServer(t)
				cfg := workingConfig(awshttp.NewBuildableClient())
				cfg.BaseEndpoint, cfg.DefaultsMode = aws.String(server.URL), mode
				for range 100 {
					require.Empty(t, peer.ask(t.Context(), cfg, janes()).Text)
				}
				assert.Equal(t, most[peer.name], opened())

				server, opened = countingServer(t)
				cfg.BaseEndpoint = aws.String(server.URL)
				ask, ofCalls := peer.new(cfg), awshttp.NewBuildableClient()
				for range 100 {
					require.Empty(t, ask(t.Context(), janes(), set("HTTPClient", ofCalls)).Text)
				}
				assert.Equal(t, 1, opened(), "of calls")
			})
		}
	}
}
