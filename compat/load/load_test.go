package load

import (
	"crypto/sha256"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

var (
	calls      = flag.Int("calls", 5000, "how many `calls` TestLoad makes")
	goroutines = flag.Int("goroutines", 200, "how many `goroutines` TestLoad has")
)

// fate returns the fault of a request, 0 to 4, or -1 for none. The random invocation ID chooses it:
// one call in 20 has a fault, in its first attempt.
func fate(r embedtest.Request) int {
	first, err := strconv.ParseUint(r.Header.Get("Amz-Sdk-Invocation-Id")[:4], 16, 16)
	if err != nil || first%100 >= 5 || !strings.HasPrefix(r.Header.Get("Amz-Sdk-Request"), "attempt=1;") {
		return -1
	}
	return int(first % 100)
}

// countedListener counts connections.
type countedListener struct {
	net.Listener
	opened, open atomic.Int64
}

type countedConn struct {
	net.Conn
	once sync.Once
	open *atomic.Int64
}

func (l *countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.opened.Add(1)
	l.open.Add(1)
	return &countedConn{Conn: conn, open: &l.open}, nil
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// ledger records which user got which answer.
type ledger struct {
	mu     sync.Mutex
	server map[[16]byte]int // the user of each request that the server got, by request ID
	urls   map[[16]byte]bool
}

func short(text string) [16]byte {
	sum := sha256.Sum256([]byte(text))
	return [16]byte(sum[:16])
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

const userPrefix = "arn:aws:quicksight:us-east-1:111122223333:user/default/user-"

// TestLoad makes calls through one client from many goroutines, each for its own user, while
// one call in 20 meets a fault.
func TestLoad(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listener := &countedListener{Listener: inner}
	// The maps have their full size from the start, so that they do not grow.
	book := ledger{server: make(map[[16]byte]int, 2**calls), urls: make(map[[16]byte]bool, 2**calls)}
	var requests, truncated, faults atomic.Int64
	happens := func(n int) func(embedtest.Request) bool {
		return func(r embedtest.Request) bool { return fate(r) == n }
	}
	// net/http itself repeats a request, unchanged, if a reused connection breaks without an
	// answer.
	var broken sync.Map
	happensOnce := func(n int) func(embedtest.Request) bool {
		return func(r embedtest.Request) bool {
			if fate(r) != n {
				return false
			}
			_, again := broken.LoadOrStore(r.Header.Get("Amz-Sdk-Invocation-Id"), true)
			return !again
		}
	}
	server := embedtest.NewServer(func(o *embedtest.Options) {
		o.Listener = listener
		o.Faults = []embedtest.Fault{
			embedtest.Throttle().When(happens(0)), embedtest.Status(503).When(happens(1)), embedtest.Reset().When(happensOnce(2)),
			embedtest.Reply(502, http.Header{"Content-Type": {"text/html"}}, "<html>").When(happens(3)), embedtest.Truncate().When(happens(4)),
		}
		o.OnRequest = func(r embedtest.Request) {
			requests.Add(1)
			if r.Fault != "" {
				faults.Add(1)
			}
			if r.Fault == "Truncate" {
				truncated.Add(1)
			}
			user, err := strconv.Atoi(strings.TrimPrefix(r.UserArn, userPrefix))
			book.mu.Lock()
			defer book.mu.Unlock()
			assert.NoError(t, err)
			book.server[short(r.RequestId)] = user
		}
	})
	transport := awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
		transport.MaxIdleConns, transport.MaxIdleConnsPerHost = *goroutines, *goroutines
	})
	client := quicksightembed.NewFromConfig(server.Config(), func(o *quicksightembed.Options) {
		o.HTTPClient = transport
		o.AttemptTimeout = time.Minute // this machine can be slow
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			// Enough tokens if all goroutines meet a fault at once.
			o.RateLimiter = ratelimit.NewTokenRateLimit(uint(20 * *goroutines))
		})
	})

	var done, failed atomic.Int64
	var memory [2]uint64 // halfway, and at the end
	var open [2]int64
	var asking sync.WaitGroup
	next := make(chan int, *goroutines)
	start := time.Now()
	for user := range *goroutines {
		asking.Go(func() {
			in := janes()
			in.UserArn = aws.String(userPrefix + strconv.Itoa(user))
			for range next {
				out, err := client.GetSessionEmbedUrl(t.Context(), in)
				done.Add(1)
				if err != nil {
					failed.Add(1)
					var unreadable *smithy.DeserializationError
					assert.True(t, errors.As(err, &unreadable) && errors.Is(err, io.ErrUnexpectedEOF), "only what is truncated fails: %v", err)
					continue
				}
				id, url := short(*out.RequestId), short(*out.EmbedUrl)
				book.mu.Lock()
				owner, known := book.server[id]
				delete(book.server, id) // each answer is for one call
				twice := book.urls[url]
				book.urls[url] = true
				book.mu.Unlock()
				assert.True(t, known, "the answer was given to another call too")
				assert.Equal(t, user, owner, "the URL is for the user who was asked for")
				assert.False(t, twice, "the URL was given to another call too")
			}
		})
	}
	for i := range *calls {
		if i == *calls/2 {
			memory[0], open[0] = heap(), listener.open.Load()
		}
		next <- i
	}
	close(next)
	asking.Wait()
	took := time.Since(start)
	memory[1], open[1] = heap(), listener.open.Load()

	assert.EqualValues(t, *calls, done.Load(), "no call is lost")
	assert.Equal(t, truncated.Load(), failed.Load(), "what is truncated fails, and nothing else")
	assert.EqualValues(t, int64(*calls)-failed.Load(), len(book.urls), "every other call has its own URL")
	assert.Equal(t, int64(*calls)+faults.Load()-truncated.Load(), requests.Load(), "what failed otherwise was repeated once")
	assert.InDelta(t, 0.05, float64(faults.Load())/float64(*calls), 0.02)
	grown := int64(memory[1]) - int64(memory[0])
	assert.Less(t, grown, int64(16<<20), "memory is flat")
	assert.LessOrEqual(t, max(open[0], open[1]), int64(2**goroutines), "connections are flat")
	t.Logf("%d calls by %d goroutines in %.1f s: %d requests, %d faults, %d calls failed (truncated); %d connections opened, %d open halfway, %d at the end; heap %.1f MiB halfway, %.1f MiB at the end",
		done.Load(), *goroutines, took.Seconds(), requests.Load(), faults.Load(), failed.Load(), listener.opened.Load(), open[0], open[1],
		float64(memory[0])/(1<<20), float64(memory[1])/(1<<20))

	server.Close()
	require.NoError(t, goleak.Find(ignore))
	assert.Zero(t, listener.open.Load(), "no connection is left")
}
