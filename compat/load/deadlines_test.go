package load

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

const (
	account = "111122223333"
	jane    = "arn:aws:quicksight:us-east-1:111122223333:user/default/jane"
	urlBody = `{"EmbedUrl":"https://us-east-1.quicksight.aws.amazon.com/embedding/abc/start?code=c0de","RequestId":"r","Status":200}`
)

func janes() *quicksightembed.GetSessionEmbedUrlInput {
	return &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account), UserArn: aws.String(jane)}
}

// pipes is a listener without a network. With it, a real client and a real server run in a bubble
// of synctest, in which time passes at once.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serve starts a server with the handler and returns the options of a client for it.
func serve(t *testing.T, handler http.HandlerFunc) quicksightembed.Options {
	t.Helper()
	listener := &pipes{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: handler}
	go server.Serve(listener)
	transport := &http.Transport{DialContext: listener.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	return quicksightembed.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://quicksight.example"), HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}, nil
		}),
	}
}

func silence(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func halfABody(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, urlBody[:20])
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func failure(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }

func throttling(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Amzn-ErrorType", "ThrottlingException")
	w.WriteHeader(429)
}

// TestCallsEndInTime runs on the clock of synctest. The times are exact, except the random pauses
// between attempts, which have bounds.
func TestCallsEndInTime(t *testing.T) {
	second, millisecond := time.Second, time.Millisecond
	blocked := aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		<-ctx.Done()
		return aws.Credentials{}, ctx.Err()
	})
	for _, test := range []struct {
		name        string
		server      http.HandlerFunc
		change      func(*quicksightembed.Options)
		deadline    time.Duration // the caller's
		least, most time.Duration
	}{
		{name: "a server that never answers", server: silence, least: 45 * second, most: 45*second + 150*millisecond},
		{name: "a body that never ends", server: halfABody, least: 45 * second, most: 45*second + 150*millisecond},
		{name: "a server that fails", server: failure, least: 0, most: 150 * millisecond},
		{name: "a server that throttles", server: throttling, least: 0, most: 3 * second},
		{name: "attempts of a second", server: silence, change: func(o *quicksightembed.Options) { o.AttemptTimeout = second }, least: 3 * second, most: 3*second + 150*millisecond},
		{name: "one attempt", server: silence, change: func(o *quicksightembed.Options) { o.RetryMaxAttempts = 1 }, least: 15 * second, most: 15 * second},
		{name: "ten attempts", server: silence, change: func(o *quicksightembed.Options) { o.RetryMaxAttempts = 10 }, least: 150 * second, most: 150*second + 25550*millisecond},
		{name: "no attempt timeout, and a deadline", server: silence, change: func(o *quicksightembed.Options) { o.AttemptTimeout = -1 }, deadline: 20 * second, least: 20 * second, most: 20 * second},
		{name: "a deadline in the first attempt", server: silence, deadline: 7 * second, least: 7 * second, most: 7 * second},
		{name: "a deadline in the third attempt", server: silence, deadline: 40 * second, least: 40 * second, most: 40 * second},
		{name: "a deadline in the body", server: halfABody, deadline: 7 * second, least: 7 * second, most: 7 * second},
		{name: "a deadline in the back-off", server: failure, change: pausing(time.Hour), deadline: 7 * second, least: 7 * second, most: 7 * second},
		{name: "a deadline in the credentials", server: silence, change: func(o *quicksightembed.Options) { o.Credentials = blocked }, deadline: 7 * second, least: 7 * second, most: 7 * second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				options := serve(t, test.server)
				if test.change != nil {
					test.change(&options)
				}
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				start := time.Now()
				_, err := quicksightembed.New(options).GetSessionEmbedUrl(ctx, janes())
				took := time.Since(start)
				require.Error(t, err)
				assert.GreaterOrEqual(t, took, test.least)
				assert.LessOrEqual(t, took, test.most)
				if test.deadline > 0 {
					assert.ErrorIs(t, err, context.DeadlineExceeded)
				}
			})
		})
	}
}

func pausing(d time.Duration) func(*quicksightembed.Options) {
	return func(o *quicksightembed.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return d, nil })
		})
	}
}

// TestCancelingEndsACallAtOnce cancels each call after three seconds.
func TestCancelingEndsACallAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		server http.HandlerFunc
		change func(*quicksightembed.Options)
	}{
		"before the headers": {silence, nil},
		"in the body":        {halfABody, nil},
		"in the back-off":    {failure, pausing(time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				options := serve(t, test.server)
				if test.change != nil {
					test.change(&options)
				}
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(3*time.Second, cancel)
				start := time.Now()
				_, err := quicksightembed.New(options).GetSessionEmbedUrl(ctx, janes())
				assert.ErrorIs(t, err, context.Canceled)
				assert.Equal(t, 3*time.Second, time.Since(start))
			})
		})
	}
}
