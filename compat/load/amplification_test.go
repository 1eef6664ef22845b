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

// Each simulated backend makes one call a second, with patience as its deadline. The service is
// well, then in trouble for the outage, then well again.
const (
	well   = 10 * time.Second
	outage = 5 * time.Minute
	after  = 2 * time.Minute

	patience = 30 * time.Second
)

// The kinds of trouble.
const (
	down     = "down"       // answers each request with a 500, at once
	silent   = "silent"     // answers no request
	overload = "overloaded" // answers backends/2 requests a second, throttles the others
)

// world is a service and its callers.
type world struct {
	trouble string
	start   time.Time

	mu       sync.Mutex
	capacity float64   // requests that an overloaded service can answer now
	refilled time.Time // when capacity was last computed
	asked    [600]int  // calls, by the second of their start
	sent     [600]int  // requests, by the second of their sending
	answered [600]int  // calls that got a URL, by the second of their start
	slow     time.Time // start of the last call that failed or was slow
}

func (w *world) second() int { return int(time.Since(w.start) / time.Second) }

func (w *world) isUnwell() bool {
	since := time.Since(w.start)
	return well <= since && since < well+outage
}

// takes reports whether an overloaded service can answer one more request.
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

// Do answers as the service.
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

// ask makes one call and records it.
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

// jitter is the back-off of the AWS core, with a fixed seed.
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

// patient is the adaptive mode, but looks for a token every 250 ms. The mode itself computes how
// long to wait: in the end fractions of a nanosecond, which never pass on the clock of synctest.
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

// simulate runs a world on the clock of synctest.
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

// ratio divides two sums, each over the seconds between from and until.
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
		// Upper bounds: requests for each call, in the whole outage and in its last minute,
		// when the quota is spent; the time from its end until calls succeed within a
		// second again.
		all, late float64
		recovery  time.Duration
		answered  float64 // lower bound: share of the calls in the last minute
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

// TestRetryAmplificationOnLoopback checks on real connections how the simulation treats a service
// that is down: each backend spends its quota, 500 tokens at 14 a retry, and then sends one request
// a call.
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
