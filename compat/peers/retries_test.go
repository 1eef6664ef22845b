package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// scripted is the result of an attempt in a script: a reply, or an error of the connection.
type scripted struct {
	reply
	err error
}

func answered(status int, body string, header ...string) scripted {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return scripted{reply: reply{status: status, header: h, body: body}}
}

// skewed is a refusal by a service whose clock is off: the signature has expired.
func skewed(by time.Duration) scripted {
	t := answered(403, `{"message":"Signature expired"}`, "X-Amzn-Errortype", "InvalidSignatureException")
	t.header["Date"] = []string{by.String()}
	return t
}

func brokenConnection(op string, errno syscall.Errno) scripted {
	return scripted{err: &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(op, errno)}}
}

var (
	aURL         = answered(200, urlReply)
	throttled    = answered(429, `{"message":"slow down"}`, "X-Amzn-Errortype", "ThrottlingException")
	failure      = answered(500, `{"message":"oops"}`, "X-Amzn-Errortype", "InternalFailureException")
	badGateway   = answered(502, `<html>Bad Gateway</html>`, "Content-Type", "text/html")
	unavailable  = answered(503, ``)
	gatewayTime  = answered(504, `upstream request timeout`)
	denied       = answered(401, `{"message":"no"}`, "X-Amzn-Errortype", "AccessDeniedException")
	expiredToken = answered(403, `{"message":"expired"}`, "X-Amzn-Errortype", "ExpiredTokenException")
	refusedDial  = brokenConnection("connect", syscall.ECONNREFUSED)
	resetRead    = brokenConnection("read", syscall.ECONNRESET)
	truncated    = scripted{reply: reply{200, nil, urlReply[:40], io.ErrUnexpectedEOF}}
	noHost       = scripted{err: &net.DNSError{Err: "no such host", Name: "quicksight.us-east-1.amazonaws.com", IsNotFound: true}}
)

func (t scripted) isThrottle() bool { return t.header.Get("X-Amzn-Errortype") == "ThrottlingException" }

// script is a service that plays attempts, and then repeats the last one. It records each request.
type script struct {
	attempts []scripted
	start    time.Time
	seen     []seenRequest
}

type seenRequest struct {
	SdkRequest string        // the header Amz-Sdk-Request
	Invocation string        // the header Amz-Sdk-Invocation-Id
	SignedAt   time.Duration // how far the signing time is ahead of the client's clock
	AccessKey  string
	after      time.Duration // since the start of the call
}

func (s *script) Do(req *http.Request) (*http.Response, error) {
	signed, err := time.Parse("20060102T150405Z", req.Header.Get("X-Amz-Date"))
	if err != nil {
		return nil, err
	}
	accessKey, _ := credentialOf(req)
	s.seen = append(s.seen, seenRequest{
		SdkRequest: req.Header.Get("Amz-Sdk-Request"), Invocation: req.Header.Get("Amz-Sdk-Invocation-Id"),
		SignedAt: -time.Since(signed).Round(time.Minute), AccessKey: accessKey, after: time.Since(s.start),
	})
	next := s.attempts[min(len(s.seen), len(s.attempts))-1]
	if next.err != nil {
		return nil, next.err
	}
	r := next.reply
	if off := next.header.Get("Date"); off != "" {
		by, err := time.ParseDuration(off)
		if err != nil {
			return nil, err
		}
		r.header = r.header.Clone()
		r.header.Set("Date", time.Now().Add(by).UTC().Format(http.TimeFormat))
	}
	return r.transport()(req)
}

// recordingRetryer records all that retry.Attempt asks a retryer.
type recordingRetryer struct {
	aws.RetryerV2
	log []string
}

func (r *recordingRetryer) IsErrorRetryable(err error) bool {
	retryable := r.RetryerV2.IsErrorRetryable(err)
	r.log = append(r.log, fmt.Sprintf("is %v retryable? %t", layersOf(err), retryable))
	return retryable
}

func (r *recordingRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	r.log = append(r.log, fmt.Sprintf("how long after attempt %d?", attempt))
	return r.RetryerV2.RetryDelay(attempt, err)
}

func (r *recordingRetryer) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	release, tokenErr := r.RetryerV2.GetRetryToken(ctx, err)
	r.log = append(r.log, fmt.Sprintf("a token for a retry: %v", tokenErr))
	return r.released("retry", release), tokenErr
}

func (r *recordingRetryer) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	release, err := r.RetryerV2.GetAttemptToken(ctx)
	r.log = append(r.log, fmt.Sprintf("a token for an attempt: %v", err))
	return r.released("attempt", release), err
}

func (r *recordingRetryer) released(kind string, release func(error) error) func(error) error {
	return func(err error) error {
		r.log = append(r.log, fmt.Sprintf("the token of the %s is back after %v", kind, layersOf(err)))
		return release(err)
	}
}

// played is all that can be observed of a call through a script.
type played struct {
	Seen        []seenRequest
	Invocations int
	Asked       []string // of the retryer
	Quota       uint     // what is left of 500
	outcome
}

// retryers are the modes of the core and a custom one, with a quota that can be read afterwards.
var retryers = map[string]func(*ratelimit.TokenRateLimit) aws.RetryerV2{
	"standard": func(quota *ratelimit.TokenRateLimit) aws.RetryerV2 {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.RateLimiter = quota })
	},
	"adaptive": func(quota *ratelimit.TokenRateLimit) aws.RetryerV2 {
		return retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
			o.StandardOptions = append(o.StandardOptions, func(o *retry.StandardOptions) { o.RateLimiter, o.Backoff = quota, atOnce })
		})
	},
	"custom": func(quota *ratelimit.TokenRateLimit) aws.RetryerV2 {
		return everything{retry.NewStandard(func(o *retry.StandardOptions) { o.RateLimiter = quota })}
	},
}

// everything is a retryer that retries everything at once, up to five attempts.
type everything struct{ *retry.Standard }

func (everything) IsErrorRetryable(error) bool                  { return true }
func (everything) MaxAttempts() int                             { return 5 }
func (everything) RetryDelay(int, error) (time.Duration, error) { return 0, nil }

// play runs a client through a script.
func play(t *testing.T, ask func(context.Context, aws.Config, *quicksightembed.GetSessionEmbedUrlInput) outcome,
	mode string, provider func() aws.CredentialsProvider, deadline time.Duration, attempts []scripted) (p played) {
	t.Helper()
	inTime := synctest.Test // time passes at once
	if mode == "adaptive" && slices.ContainsFunc(attempts, scripted.isThrottle) {
		// The adaptive mode's own rate limit waits for fractions of a nanosecond, which
		// never pass on the clock of synctest.
		inTime = func(t *testing.T, f func(*testing.T)) { f(t) }
	}
	inTime(t, func(t *testing.T) {
		quota := ratelimit.NewTokenRateLimit(500)
		recording := &recordingRetryer{RetryerV2: retryers[mode](quota)}
		service := &script{attempts: attempts, start: time.Now()}
		cfg := workingConfig(service)
		cfg.Retryer = func() aws.Retryer { return recording }
		if provider != nil {
			cfg.Credentials = provider()
		}
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		defer cancel()
		p.outcome = ask(ctx, cfg, janes())
		p.Seen, p.Asked, p.Quota = service.seen, recording.log, quota.Remaining()
	})
	invocations := map[string]bool{}
	for i := range p.Seen {
		invocations[p.Seen[i].Invocation] = true
		p.Seen[i].Invocation, p.Seen[i].after = "", 0 // random
	}
	p.Invocations = len(invocations)
	return p
}

// changing returns providers that have other credentials for the second attempt, or fail.
func changing(others bool) func() aws.CredentialsProvider {
	return func() aws.CredentialsProvider {
		retrieved := 0
		return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			if retrieved++; retrieved > 1 && !others {
				return aws.Credentials{}, errors.New("the role session has ended")
			}
			return aws.Credentials{AccessKeyID: fmt.Sprintf("AKID%d", retrieved), SecretAccessKey: "SECRET", SessionToken: "TOKEN"}, nil
		})
	}
}

// expiring returns a cache of credentials that expire before the second attempt.
func expiring() aws.CredentialsProvider {
	retrieved := 0
	return aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		retrieved++
		return aws.Credentials{AccessKeyID: fmt.Sprintf("AKID%d", retrieved), SecretAccessKey: "SECRET", CanExpire: true, Expires: time.Now().Add(time.Second)}, nil
	}))
}

func TestRetriesAreTheSame(t *testing.T) {
	after := func(milliseconds string) scripted {
		return answered(503, `{}`, "X-Amz-Retry-After", milliseconds)
	}
	const hour = time.Hour
	for name, test := range map[string]struct {
		attempts []scripted
		standard string // attempts and outcome in the standard mode
		provider func() aws.CredentialsProvider
		deadline time.Duration
	}{
		"success at once":                         {attempts: []scripted{aURL}, standard: "1: URL of 200"},
		"throttled once":                          {attempts: []scripted{throttled, aURL}, standard: "2: URL of 200"},
		"throttled twice":                         {attempts: []scripted{throttled, throttled, aURL}, standard: "3: URL of 200"},
		"throttled for good":                      {attempts: []scripted{throttled}, standard: `3: ThrottlingException "slow down" of 429`},
		"500 once":                                {attempts: []scripted{failure, aURL}, standard: "2: URL of 200"},
		"500 for good":                            {attempts: []scripted{failure}, standard: `3: InternalFailureException "oops" of 500`},
		"502 with HTML once":                      {attempts: []scripted{badGateway, aURL}, standard: "2: URL of 200"},
		"502 with HTML for good":                  {attempts: []scripted{badGateway}, standard: "3: smithy.DeserializationError of 502"},
		"503 once":                                {attempts: []scripted{unavailable, aURL}, standard: "2: URL of 200"},
		"503 for good":                            {attempts: []scripted{unavailable}, standard: `3: UnknownError "UnknownError" of 503`},
		"504 once":                                {attempts: []scripted{gatewayTime, aURL}, standard: "2: URL of 200"},
		"504 for good":                            {attempts: []scripted{gatewayTime}, standard: "3: smithy.DeserializationError of 504"},
		"refused once":                            {attempts: []scripted{refusedDial, aURL}, standard: "2: URL of 200"},
		"refused for good":                        {attempts: []scripted{refusedDial}, standard: "3: syscall.Errno of 0"},
		"reset once":                              {attempts: []scripted{resetRead, aURL}, standard: "2: URL of 200"},
		"reset for good":                          {attempts: []scripted{resetRead}, standard: "3: syscall.Errno of 0"},
		"no such host":                            {attempts: []scripted{noHost}, standard: "1: net.DNSError of 0"},
		"truncated once":                          {attempts: []scripted{truncated, aURL}, standard: "1: smithy.DeserializationError of 200"},
		"truncated for good":                      {attempts: []scripted{truncated}, standard: "1: smithy.DeserializationError of 200"},
		"denied":                                  {attempts: []scripted{denied, aURL}, standard: `1: AccessDeniedException "no" of 401`},
		"one of each":                             {attempts: []scripted{throttled, badGateway, aURL}, standard: "3: URL of 200"},
		"throttled, then denied":                  {attempts: []scripted{throttled, denied}, standard: `2: AccessDeniedException "no" of 401`},
		"a clock that is wrong once":              {attempts: []scripted{skewed(hour), aURL}, standard: "2: URL of 200"},
		"a clock that is behind once":             {attempts: []scripted{skewed(-hour), aURL}, standard: "2: URL of 200"},
		"a clock that stays wrong":                {attempts: []scripted{skewed(hour)}, standard: `2: InvalidSignatureException "Signature expired" of 403`},
		"a clock that runs away":                  {attempts: []scripted{skewed(hour), skewed(2 * hour), skewed(3 * hour)}, standard: `3: InvalidSignatureException "Signature expired" of 403`},
		"a clock 3 minutes off":                   {attempts: []scripted{skewed(3 * time.Minute)}, standard: `1: InvalidSignatureException "Signature expired" of 403`},
		"a wrong clock and a 500":                 {attempts: []scripted{skewed(hour), failure, aURL}, standard: "3: URL of 200"},
		"retry after 2 s":                         {attempts: []scripted{after("2000"), aURL}, standard: "2: URL of 200"},
		"retry after an hour":                     {attempts: []scripted{after("3600000"), aURL}, standard: "2: URL of 200"},
		"retry after nonsense":                    {attempts: []scripted{after("soon"), aURL}, standard: "2: URL of 200"},
		"a token that expired":                    {attempts: []scripted{expiredToken}, standard: `1: ExpiredTokenException "expired" of 403`},
		"credentials that change in between":      {attempts: []scripted{failure, aURL}, provider: changing(true), standard: "2: URL of 200"},
		"credentials that are gone in between":    {attempts: []scripted{failure, aURL}, provider: changing(false), standard: "1: errors.errorString of 0"},
		"credentials that expire in the back-off": {attempts: []scripted{after("2000"), after("0"), aURL}, provider: expiring, standard: "3: URL of 200"},
		"a deadline in the back-off":              {attempts: []scripted{after("4000")}, deadline: 3 * time.Second, standard: "1: context.deadlineExceededError of 0"},
		"a deadline and a wrong clock":            {attempts: []scripted{skewed(hour), aURL}, deadline: time.Minute, standard: "2: URL of 200"},
	} {
		for mode := range retryers {
			t.Run(name+", "+mode, func(t *testing.T) {
				t.Parallel()
				var runs []played
				for _, peer := range peers {
					deadline := test.deadline
					if deadline == 0 {
						deadline = 24 * time.Hour
					}
					runs = append(runs, play(t, peer.ask, mode, test.provider, deadline, test.attempts))
				}
				official, ours := runs[0], runs[1]
				for _, run := range []*played{&official, &ours} {
					if contains(run.Layers, "smithy.DeserializationError") {
						run.Layers, run.Text = upTo(run.Layers, "smithy.DeserializationError"), ""
					}
				}
				assert.Equal(t, official, ours)
				assert.LessOrEqual(t, ours.Invocations, 1)
				if mode == "standard" {
					assert.Equal(t, test.standard, fmt.Sprintf("%d: %s", len(ours.Seen), ours.summary()))
				}
			})
		}
	}
}

// TestQuotaIsSpentTheSame calls a failing service until the quota is spent, and then three times
// when it is well again.
func TestQuotaIsSpentTheSame(t *testing.T) {
	var runs [][]string
	for _, peer := range peers {
		synctest.Test(t, func(t *testing.T) {
			quota := ratelimit.NewTokenRateLimit(50)
			service := &script{attempts: []scripted{failure}}
			cfg := workingConfig(service)
			shared := retry.NewStandard(func(o *retry.StandardOptions) { o.RateLimiter = quota })
			cfg.Retryer = func() aws.Retryer { return shared }
			var run []string
			for range 8 {
				before := len(service.seen)
				o := peer.ask(t.Context(), cfg, janes())
				run = append(run, fmt.Sprintf("%d attempts, %d left, %v", len(service.seen)-before, quota.Remaining(), o.Layers))
			}
			service.attempts = []scripted{aURL}
			for range 3 {
				peer.ask(t.Context(), cfg, janes())
				run = append(run, fmt.Sprintf("%d left", quota.Remaining()))
			}
			runs = append(runs, run)
		})
	}
	assert.Equal(t, runs[0], runs[1])
	assert.Contains(t, runs[1][7], "1 attempts", "the quota is spent")
}

// TestBackOffIsBounded bounds the pauses between the attempts of both clients, with the default
// retryer.
func TestBackOffIsBounded(t *testing.T) {
	for name, test := range map[string]struct {
		attempt     scripted
		least, most time.Duration // between the first and the second attempt
	}{
		"a 500":               {failure, 0, time.Second},
		"throttling":          {throttled, 0, 2 * time.Second},
		"retry after 2 s":     {answered(503, ``, "X-Amz-Retry-After", "2000"), 2 * time.Second, 2 * time.Second},
		"retry after an hour": {answered(503, ``, "X-Amz-Retry-After", "3600000"), 5 * time.Second, 6 * time.Second},
	} {
		for _, peer := range peers {
			t.Run(name+", "+peer.name, func(t *testing.T) {
				for range 100 { // the pauses are random
					synctest.Test(t, func(t *testing.T) {
						service := &script{attempts: []scripted{test.attempt}, start: time.Now()}
						peer.ask(t.Context(), workingConfig(service), janes())
						if assert.Len(t, service.seen, 3) {
							pause := service.seen[1].after - service.seen[0].after
							assert.GreaterOrEqual(t, pause, test.least)
							assert.LessOrEqual(t, pause, test.most)
							assert.LessOrEqual(t, service.seen[2].after, 2*retry.DefaultMaxBackoff)
						}
					})
				}
			})
		}
	}
}

// TestBrokenConnectionsAreTheSame compares the errors of net/http itself, for a port without a
// listener and for a server that breaks off.
func TestBrokenConnectionsAreTheSame(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	server := embedtest.NewServer()
	t.Cleanup(server.Close)
	for name, test := range map[string]struct {
		base     string
		fault    embedtest.Fault
		attempts int
	}{
		"refused":           {base: "http://" + listener.Addr().String()},
		"reset":             {base: server.URL, fault: embedtest.Reset(), attempts: 3},
		"reset in the body": {base: server.URL, fault: embedtest.ResetInReply(), attempts: 3},
		"cut off":           {base: server.URL, fault: embedtest.Truncate(), attempts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			var outcomes []outcome
			for _, peer := range peers {
				cfg := server.Config()
				cfg.BaseEndpoint, cfg.Retryer = &test.base, withoutDelay
				if test.attempts > 0 {
					server.Inject(test.fault.Times(test.attempts))
				}
				o := peer.ask(t.Context(), cfg, janes())
				if contains(o.Layers, "smithy.DeserializationError") {
					o.Layers, o.Text, o.ErrorId = upTo(o.Layers, "smithy.DeserializationError"), "", ""
				}
				o.Text = regexp.MustCompile(`127\.0\.0\.1:\d+->`).ReplaceAllString(o.Text, "")
				outcomes = append(outcomes, o)
			}
			assert.NotNil(t, outcomes[1].Layers)
			assert.Equal(t, outcomes[0], outcomes[1])
		})
	}
}
