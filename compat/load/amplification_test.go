package load

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

var backends = flag.Int("backends", 20, "how many `backends` TestRetryAmplification simulates")

// A simulated backend asks once in each second, and gives up on a call after half a minute, as its
// page would. The service is well for some time, then it is not, and then it is well again.
const (
	well   = 10 * time.Second
	outage = 5 * time.Minute
	after  = 2 * time.Minute

	patience = 30 * time.Second
)

// What the service does while it is not well.
const (
	down     = "down"       // answers each request with a 500, at once
	silent   = "silent"     // answers none
	overload = "overloaded" // answers half as many as are asked for, and throttles the others
)

// world is a service and those that call it.
type world struct {
	trouble string
	start   time.Time

	mu       sync.Mutex
	capacity float64   // requests that an overloaded service could answer now
	refilled time.Time // when capacity was last reckoned
	asked    [600]int  // calls, by the second in which they were asked for
	sent     [600]int  // requests, by the second in which they were sent
	answered [600]int  // calls that got a URL, by the second in which they were asked for
	slow     time.Time // when the last call was asked for that failed, or took more than a second
}

func (w *world) second() int { return int(time.Since(w.start) / time.Second) }

func (w *world) isUnwell() bool {
	since := time.Since(w.start)
	return well <= since && since < well+outage
}

// takes reports whether an overloaded service takes one more request.
func (w *world) takes() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	rate := float64(*backends) / 2
	w.capacity = min(rate, w.capacity+rate*time.Since(w.refilled).Seconds())
	w.refilled = time.Now()
	if w.capacity < 1 {
		return false
	}
	w.capacity--
	return true
}

// Do is the service.
func (w *world) Do(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.sent[w.second()]++
	w.mu.Unlock()
	status, header, body := 200, http.Header{}, urlBody
	if w.isUnwell() {
		switch {
		case w.trouble == down:
			status, body = 500, `{}`
		case w.trouble == silent:
			<-req.Context().Done()
			return nil, req.Context().Err()
		case !w.takes():
			status, body = 429, `{"message":"slow down"}`
			header.Set("X-Amzn-ErrorType", "ThrottlingException")
		}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// ask is one call.
func (w *world) ask(t *testing.T, client *quicksightembed.Client) {
	asked, second := time.Now(), w.second()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := client.GetSessionEmbedUrl(ctx, janes())
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked[second]++
	if err == nil {
		w.answered[second]++
	}
	if (err != nil || time.Since(asked) > time.Second) && asked.After(w.slow) {
		w.slow = asked
	}
}

// jitter is the back-off of the core, with random numbers that are the same each time.
type jitter struct {
	mu     sync.Mutex
	random *rand.Rand
}

func (j *jitter) BackoffDelay(attempt int, err error) (time.Duration, error) {
	base := 50 * time.Millisecond
	if (retry.IsErrorThrottles(retry.DefaultThrottles)).IsErrorThrottle(err).Bool() {
		base = time.Second
	}
	longest := min(float64(base)*math.Pow(2, float64(attempt-1)), float64(retry.DefaultMaxBackoff))
	j.mu.Lock()
	defer j.mu.Unlock()
	return time.Duration(j.random.Float64() * longest), nil
}

// patient is the adaptive mode, which looks for a token every quarter of a second. By itself it
// waits as long as it reckons that it takes: fractions of a nanosecond in the end, which never
// pass by the clock of a bubble.
type patient struct{ *retry.AdaptiveMode }

func (p patient) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	for {
		release, err := p.AdaptiveMode.GetAttemptToken(ctx)
		if err == nil {
			return release, nil
		}
		select {
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func retryerFor(mode aws.RetryMode, backend int) aws.Retryer {
	standard := func(o *retry.StandardOptions) {
		o.Backoff = &jitter{random: rand.New(rand.NewPCG(7, uint64(backend)))}
	}
	if mode == aws.RetryModeStandard {
		return retry.NewStandard(standard)
	}
	return patient{retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
		o.FailOnNoAttemptTokens = true
		o.StandardOptions = append(o.StandardOptions, standard)
	})}
}

// simulate runs a world by the clock of a bubble.
func simulate(t *testing.T, trouble string, mode aws.RetryMode) *world {
	w := &world{trouble: trouble}
	synctest.Test(t, func(t *testing.T) {
		w.start = time.Now()
		w.refilled = w.start
		var asking sync.WaitGroup
		for i := range *backends {
			client := quicksightembed.New(quicksightembed.Options{
				Region: "us-east-1", HTTPClient: smithyhttp.ClientDoFunc(w.Do), Retryer: retryerFor(mode, i),
				Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}, nil
				}),
			})
			random := rand.New(rand.NewPCG(11, uint64(i)))
			asking.Go(func() {
				for range (well + outage + after) / time.Second {
					when := time.Duration(random.Int64N(int64(time.Second)))
					time.Sleep(when)
					asking.Go(func() { w.ask(t, client) })
					time.Sleep(time.Second - when)
				}
			})
		}
		asking.Wait()
	})
	return w
}

// ratio is of sums over seconds.
func ratio(of, to [600]int, from, until time.Duration) float64 {
	a, b := 0, 0
	for second := int(from / time.Second); second < int(until/time.Second); second++ {
		a, b = a+of[second], b+to[second]
	}
	return float64(a) / float64(b)
}

func TestRetryAmplification(t *testing.T) {
	const recovered = well + outage
	for _, test := range []struct {
		trouble string
		mode    aws.RetryMode
		// At the most: requests sent for each that is asked for, in the whole outage and
		// in its last minute, when the quota is spent, and the time after it until calls
		// succeed within a second again.
		all, late float64
		recovery  time.Duration
		answered  float64 // at the least, of the calls in the last minute
	}{
		{down, aws.RetryModeStandard, 1.15, 1.1, 0, 0},
		{down, aws.RetryModeAdaptive, 1.15, 1.1, 0, 0},
		{silent, aws.RetryModeStandard, 1.15, 1.1, 0, 0},
		{silent, aws.RetryModeAdaptive, 1.15, 1.1, 0, 0},
		{overload, aws.RetryModeStandard, 2, 1.25, 10 * time.Second, 0.4},
		{overload, aws.RetryModeAdaptive, 1.1, 1.1, time.Minute, 0.2},
	} {
		t.Run(fmt.Sprintf("%s, %s", test.trouble, test.mode), func(t *testing.T) {
			w := simulate(t, test.trouble, test.mode)
			all := ratio(w.sent, w.asked, well, recovered)
			late := ratio(w.sent, w.asked, recovered-time.Minute, recovered)
			answered := ratio(w.answered, w.asked, recovered-time.Minute, recovered)
			recovery := max(0, w.slow.Sub(w.start.Add(recovered)))
			t.Logf("%d backends: %.2f requests a call in the outage, %.2f in its last minute, where %.0f%% of the calls are answered; all well %.1f s after it",
				*backends, all, late, 100*answered, recovery.Seconds())
			assert.LessOrEqual(t, all, test.all)
			assert.LessOrEqual(t, late, test.late)
			assert.GreaterOrEqual(t, answered, test.answered)
			assert.LessOrEqual(t, recovery, test.recovery)
			assert.InDelta(t, 1, ratio(w.sent, w.asked, 0, well), 0.001, "before the outage")
			assert.InDelta(t, 1, ratio(w.answered, w.asked, recovered+test.recovery, recovered+after), 0.001, "after the outage")
		})
	}
}

// TestRetryAmplificationOnLoopback counts on real connections what the simulation says of a
// service that is down: each backend spends its quota, 500 tokens at 14 a retry, and then sends
// one request a call.
func TestRetryAmplificationOnLoopback(t *testing.T) {
	const callers, calls, retries = 4, 100, 500 / 14
	var isDown atomic.Bool
	var sent atomic.Int64
	server := embedtest.NewServer(func(o *embedtest.Options) {
		o.OnRequest = func(embedtest.Request) { sent.Add(1) }
		o.Faults = []embedtest.Fault{embedtest.Fail("InternalFailureException").When(func(embedtest.Request) bool { return isDown.Load() })}
	})
	defer server.Close()
	isDown.Store(true)
	var clients []*quicksightembed.Client
	for range callers {
		clients = append(clients, quicksightembed.NewFromConfig(server.Config(), func(o *quicksightembed.Options) {
			o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		}))
	}
	all := func() int64 {
		before := sent.Load()
		var asking sync.WaitGroup
		for _, client := range clients {
			asking.Go(func() {
				for range calls {
					_, err := client.GetSessionEmbedUrl(t.Context(), janes())
					assert.Equal(t, isDown.Load(), err != nil)
				}
			})
		}
		asking.Wait()
		return sent.Load() - before
	}
	require.EqualValues(t, callers*(calls+retries), all(), "until the quota is spent, and then")
	require.EqualValues(t, callers*calls, all(), "when it is spent")
	isDown.Store(false)
	require.EqualValues(t, callers*calls, all(), "when the service is well again")
}
