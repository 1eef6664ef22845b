package quicksightembed_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/tracing"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

var ctx = context.Background()

// stall waits without an answer until the client gives up.
func stall(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// stallInBody sends a part of a reply, then waits until the client gives up.
func stallInBody(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, nativeReply[:20])
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// reset breaks the connection without an answer.
func reset(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }

func TestCallAgainstEmbedtest(t *testing.T) {
	for name, newServer := range map[string]func(...func(*embedtest.Options)) *embedtest.Server{
		"HTTP": embedtest.NewServer, "TLS": embedtest.NewTLSServer,
	} {
		for credentials, value := range map[string]aws.Credentials{
			"a long-term key": {AccessKeyID: "AKID", SecretAccessKey: "SECRET-ACCESS-KEY"},
			"a role session":  {AccessKeyID: "ASIA", SecretAccessKey: "SECRET-ACCESS-KEY", SessionToken: "TOKEN/+=="},
		} {
			t.Run(name+" with "+credentials, func(t *testing.T) {
				server := newServer(func(o *embedtest.Options) { o.Credentials = value })
				defer server.Close()
				client := quicksightembed.NewFromConfig(server.Config())
				in := janesInput()
				in.UserArn = aws.String("arn:aws:quicksight:us-east-1:111122223333:user/default/role/Jané D+e ~!*'()&=%?/x")
				in.EntryPoint = aws.String(quicksightembed.DashboardEntryPoint("abc"))
				in.SessionLifetimeInMinutes = aws.Int64(60)
				out, err := client.GetSessionEmbedUrl(ctx, in)
				require.NoError(t, err)
				assert.True(t, strings.HasPrefix(*out.EmbedUrl, server.URL+"/embedding/"))
				assert.Equal(t, int32(200), out.Status)
				assert.Equal(t, *in, server.Requests()[0].Input)
			})
		}
	}
}

func TestHeadersOfEachAttempt(t *testing.T) {
	server := newServer(t, replyWith(status(500, `{}`), status(500, `{}`), status(200, nativeReply)))
	client := newClient(t, server, func(o *quicksightembed.Options) { o.AppID = "my app" })
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)

	seen := server.seen()
	require.Len(t, seen, 3)
	for i, r := range seen {
		assert.Equal(t, fmt.Sprintf("attempt=%d; max=3", i+1), r.Header.Get("Amz-Sdk-Request"))
		assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$`, r.Header.Get("Amz-Sdk-Invocation-Id"))
		assert.Equal(t, seen[0].Header.Get("Amz-Sdk-Invocation-Id"), r.Header.Get("Amz-Sdk-Invocation-Id"), "one a call")
		assert.Regexp(t, `^aws-sdk-go-v2/\S+ ua/2.1 os/\S+ lang/go#\S+ md/GOOS#\S+ md/GOARCH#\S+ lib/quicksightembed#[0-9.]+ app/my-app$`, r.UserAgent())
		assert.Contains(t, r.Header.Get("Authorization"), "SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;host;x-amz-date, ")
		assert.Empty(t, r.Header.Get("X-Amzn-Trace-Id"))
	}
	assert.NotEqual(t, seen[0].Header.Get("Authorization"), seen[1].Header.Get("Authorization"), "each attempt is signed again")

	_, err = client.GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.NotEqual(t, seen[0].Header.Get("Amz-Sdk-Invocation-Id"), server.seen()[3].Header.Get("Amz-Sdk-Invocation-Id"))
}

func TestTraceHeaderInLambda(t *testing.T) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
	t.Setenv("_X_AMZN_TRACE_ID", "Root=1-abc;Parent=def")
	server := newServer(t, status(200, nativeReply))
	_, err := newClient(t, server).GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.Equal(t, "Root=1-abc;Parent=def", server.seen()[0].Header.Get("X-Amzn-Trace-Id"))
}

func TestValidationComesBeforeCredentialsAndNetwork(t *testing.T) {
	server := newServer(t, status(200, nativeReply))
	client := newClient(t, server, func(o *quicksightembed.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			t.Error("credentials were looked up")
			return aws.Credentials{}, nil
		})
	})
	out, err := client.GetSessionEmbedUrl(ctx, nil)
	assert.Nil(t, out)
	var operationErr *smithy.OperationError
	require.ErrorAs(t, err, &operationErr)
	assert.EqualError(t, operationErr.Err, "invalid input: AwsAccountId is required: 12 digits")
	assert.Empty(t, server.seen())
}

func TestCallsWithoutUsableCredentials(t *testing.T) {
	const noCredentials = "no credentials: set Options.Credentials, or load them with config.LoadDefaultConfig; GetSessionEmbedUrl has no unsigned form"
	const required = "invalid input: Options.Credentials is required, and not anonymous: load them with config.LoadDefaultConfig; GetSessionEmbedUrl has no unsigned form"
	errProvider := errors.New("no role")
	for name, test := range map[string]struct {
		provider aws.CredentialsProvider
		want     string
	}{
		"none":                  {nil, required},
		"anonymous":             {aws.AnonymousCredentials{}, required},
		"anonymous, cached":     {aws.NewCredentialsCache(aws.AnonymousCredentials{}), required},
		"a provider that fails": {aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errProvider }), "get identity: get credentials: no role"},
		"no keys":               {staticCredentials("", "", ""), "get identity: get credentials: the provider returned no keys: " + noCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, status(200, nativeReply))
			client := newClient(t, server, func(o *quicksightembed.Options) { o.Credentials = test.provider })
			_, err := client.GetSessionEmbedUrl(ctx, janesInput())
			assert.EqualError(t, err, "operation error QuickSight: GetSessionEmbedUrl, "+test.want)
			_, err = client.SignGetSessionEmbedUrl(ctx, janesInput())
			assert.EqualError(t, err, "operation error QuickSight: GetSessionEmbedUrl, "+test.want)
			assert.Equal(t, strings.HasSuffix(test.want, "no role"), errors.Is(err, errProvider), "the provider's error is wrapped")
			assert.Empty(t, server.seen())
		})
	}
}

func TestRetriesAreBounded(t *testing.T) {
	server := newServer(t, status(500, `{"message":"m"}`, "X-Amzn-ErrorType", "InternalFailureException"))
	_, err := newClient(t, server).GetSessionEmbedUrl(ctx, janesInput())
	var maxErr *retry.MaxAttemptsError
	require.ErrorAs(t, err, &maxErr)
	assert.Equal(t, 3, maxErr.Attempt)
	assert.IsType(t, &quicksightembed.InternalFailureException{}, apiErrorOf(t, err))
	assert.Len(t, server.seen(), 3)

	_, err = newClient(t, server, func(o *quicksightembed.Options) { o.RetryMaxAttempts = 5 }).GetSessionEmbedUrl(ctx, janesInput())
	require.ErrorAs(t, err, &maxErr)
	assert.Len(t, server.seen(), 3+5, "as the client's options say")

	_, err = newClient(t, server).GetSessionEmbedUrl(ctx, janesInput(), func(o *quicksightembed.Options) { o.RetryMaxAttempts = 1 })
	require.Error(t, err)
	assert.Len(t, server.seen(), 3+5+1, "as the call's options say")
}

func TestRetryMaxAttemptsOfZeroIsTheRetryersOwn(t *testing.T) {
	throttled := status(429, `{}`)
	server := newServer(t, replyWith(throttled, throttled, throttled, throttled, throttled, status(200, nativeReply)))
	client := newClient(t, server, func(o *quicksightembed.Options) { o.RetryMaxAttempts = 5 })
	_, err := client.GetSessionEmbedUrl(ctx, janesInput(), func(o *quicksightembed.Options) { o.RetryMaxAttempts = 0 })
	require.Error(t, err)
	assert.Len(t, server.seen(), 5)
}

func TestRetryerOfACallKeepsItsOwnBound(t *testing.T) {
	server := newServer(t, status(500, `{}`))
	client := newClient(t, server, func(o *quicksightembed.Options) { o.RetryMaxAttempts = 5 })
	_, err := client.GetSessionEmbedUrl(ctx, janesInput(), func(o *quicksightembed.Options) { o.Retryer = retry.AddWithMaxAttempts(withoutDelay(), 2) })
	require.Error(t, err)
	assert.Len(t, server.seen(), 2)
}

func TestRetriesStopWhenTheQuotaIsSpent(t *testing.T) {
	server := newServer(t, status(500, `{}`))
	client := newClient(t, server, func(o *quicksightembed.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.RateLimiter = ratelimit.NewTokenRateLimit(1) })
	})
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	assert.ErrorContains(t, err, "failed to get rate limit token")
	assert.Equal(t, "UnknownError", apiErrorOf(t, err).ErrorCode())
	assert.Len(t, server.seen(), 1)
}

func TestConnectionsThatFail(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	for name, handler := range map[string]http.HandlerFunc{"refused": nil, "reset": reset} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, handler)
			client := newClient(t, server, func(o *quicksightembed.Options) {
				if handler == nil {
					o.BaseEndpoint = aws.String(closed.URL)
				}
			})
			_, err := client.GetSessionEmbedUrl(ctx, janesInput())
			var maxErr *retry.MaxAttemptsError
			require.ErrorAs(t, err, &maxErr, "it is retried")
			assert.Equal(t, 3, maxErr.Attempt)
			var respErr *awshttp.ResponseError
			require.ErrorAs(t, err, &respErr)
			assert.Zero(t, respErr.HTTPStatusCode())
			var sendErr *smithyhttp.RequestSendError
			require.ErrorAs(t, err, &sendErr)
		})
	}
}

func TestTruncatedReplyIsUnreadable(t *testing.T) {
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, nativeReply)
	})
	_, err := newClient(t, server).GetSessionEmbedUrl(ctx, janesInput())
	var unreadable *smithy.DeserializationError
	require.ErrorAs(t, err, &unreadable)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Len(t, server.seen(), 1, "it is not retried")
}

func TestAttemptTimeout(t *testing.T) {
	for name, slow := range map[string]http.HandlerFunc{"before the headers": stall, "in the body": stallInBody} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, slow)
			client := newClient(t, server, func(o *quicksightembed.Options) { o.AttemptTimeout = 20 * time.Millisecond })
			_, err := client.GetSessionEmbedUrl(ctx, janesInput())
			var sendErr *smithyhttp.RequestSendError
			require.ErrorAs(t, err, &sendErr)
			assert.EqualError(t, sendErr.Err, "no complete reply within the attempt timeout of 20ms")
			var timeout interface{ Timeout() bool }
			require.ErrorAs(t, err, &timeout)
			assert.True(t, timeout.Timeout())
			var exhausted *retry.MaxAttemptsError
			require.ErrorAs(t, err, &exhausted)
			assert.Equal(t, 3, exhausted.Attempt)
		})
		t.Run(name+", then an answer", func(t *testing.T) {
			server := newServer(t, replyWith(slow, status(200, nativeReply)))
			client := newClient(t, server, func(o *quicksightembed.Options) {
				// On a slow machine, further attempts can time out.
				o.AttemptTimeout, o.RetryMaxAttempts = 200*time.Millisecond, 20
			})
			_, err := client.GetSessionEmbedUrl(ctx, janesInput())
			assert.NoError(t, err)
		})
	}
}

func TestAttemptTimeoutDoesNotBoundCredentials(t *testing.T) {
	server := newServer(t, status(200, nativeReply))
	client := newClient(t, server, func(o *quicksightembed.Options) {
		o.AttemptTimeout = time.Hour
		o.Credentials = aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			_, bounded := ctx.Deadline()
			assert.False(t, bounded)
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET-ACCESS-KEY"}, nil
		})
	})
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	assert.NoError(t, err)
}

func TestAttemptTimeoutIsNoDeadline(t *testing.T) {
	for _, attemptTimeout := range []time.Duration{0, time.Second, -1} {
		server := newServer(t, status(200, nativeReply))
		client := newClient(t, server, func(o *quicksightembed.Options) {
			o.AttemptTimeout = attemptTimeout
			o.HTTPClient = smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
				_, bounded := r.Context().Deadline()
				assert.False(t, bounded)
				return server.Client().Do(r)
			})
		})
		_, err := client.GetSessionEmbedUrl(ctx, janesInput())
		require.NoError(t, err)
	}
}

func TestCallersContextEndsTheCall(t *testing.T) {
	t.Run("before it", func(t *testing.T) {
		server := newServer(t, status(200, nativeReply))
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		_, err := newClient(t, server).GetSessionEmbedUrl(ctx, janesInput())
		assert.ErrorIs(t, err, context.Canceled)
		assert.Empty(t, server.seen())
	})
	for name, slow := range map[string]http.HandlerFunc{"while sending": stall, "in the body": stallInBody} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(ctx)
			server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				cancel()
				slow(w, r)
			})
			_, err := newClient(t, server).GetSessionEmbedUrl(ctx, janesInput())
			var canceled *smithy.CanceledError
			require.ErrorAs(t, err, &canceled)
			assert.ErrorIs(t, err, context.Canceled)
			assert.Len(t, server.seen(), 1, "it is not retried")
		})
	}
	t.Run("by its deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		server := newServer(t, stall)
		_, err := newClient(t, server).GetSessionEmbedUrl(ctx, janesInput())
		var canceled *smithy.CanceledError
		require.ErrorAs(t, err, &canceled)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("in back-off", func(t *testing.T) {
		ctx, cancel := context.WithCancel(ctx)
		server := newServer(t, status(500, `{}`))
		client := newClient(t, server, func(o *quicksightembed.Options) {
			o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) {
					cancel()
					return time.Hour, nil
				})
			})
		})
		_, err := client.GetSessionEmbedUrl(ctx, janesInput())
		var canceled *aws.RequestCanceledError
		require.ErrorAs(t, err, &canceled)
		assert.Len(t, server.seen(), 1)
	})
}

// closeCounter is a body that counts the bytes read from it and the calls of Close.
type closeCounter struct {
	io.Reader
	read   int
	closed int
}

func (c *closeCounter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	return n, err
}

func (c *closeCounter) Close() error {
	c.closed++
	return nil
}

// endless is a body that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestEachBodyIsBoundedAndClosed(t *testing.T) {
	for name, body := range map[string]io.Reader{
		"a success": strings.NewReader(nativeReply), "no JSON": strings.NewReader("<html>"), "a body without end": endless{},
	} {
		t.Run(name, func(t *testing.T) {
			counter := &closeCounter{Reader: body}
			client := quicksightembed.New(quicksightembed.Options{
				Region: "us-east-1", Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", ""),
				HTTPClient: smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: 200, Body: counter}, nil
				}),
			})
			client.GetSessionEmbedUrl(ctx, janesInput())
			assert.Equal(t, 1, counter.closed)
			assert.LessOrEqual(t, counter.read, 1<<20+1)
		})
	}
}

func TestCallInTheContextOfAnotherOperation(t *testing.T) {
	outer := awsmiddleware.SetRegion(awsmiddleware.SetServiceID(ctx, "S3"), "eu-west-1")
	server := newServer(t, status(200, nativeReply))
	client := newClient(t, server, func(o *quicksightembed.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			assert.Equal(t, "QuickSight", awsmiddleware.GetServiceID(ctx))
			assert.Empty(t, awsmiddleware.GetRegion(ctx), "what the AWS core keeps of the other operation is not passed on")
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET-ACCESS-KEY"}, nil
		})
	})
	_, err := client.GetSessionEmbedUrl(outer, janesInput())
	assert.NoError(t, err)
}

func TestConnectionIsReusedAfterEachKindOfReply(t *testing.T) {
	var connections atomic.Int32
	server := &recordingServer{}
	server.Server = httptest.NewUnstartedServer(replyWith(
		status(200, nativeReply), status(400, `{"code":"AccessDeniedException"}`), status(502, `<html>`), status(200, `{}`), status(200, nativeReply)))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client := newClient(t, server)
	for range 5 {
		client.GetSessionEmbedUrl(ctx, janesInput())
	}
	assert.Equal(t, int32(1), connections.Load())
}

func TestOptionsOfACall(t *testing.T) {
	server := newServer(t, status(200, nativeReply))
	client := newClient(t, server)
	_, err := client.GetSessionEmbedUrl(ctx, janesInput(), nil, func(o *quicksightembed.Options) {
		o.Region = "eu-west-1"
		o.AppID = "call"
		o.Credentials = staticCredentials("ASIAJANE", "SECRET-ACCESS-KEY", "TOKEN")
		// Nil keeps the client's value.
		o.Retryer, o.HTTPClient, o.HTTPSignerV4, o.Logger, o.TracerProvider = nil, nil, nil, nil, nil
	})
	require.NoError(t, err)
	_, err = client.GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)

	ofCall, next := server.seen()[0], server.seen()[1]
	assert.Contains(t, ofCall.Header.Get("Authorization"), "Credential=ASIAJANE/")
	assert.Contains(t, ofCall.Header.Get("Authorization"), "/eu-west-1/quicksight/")
	assert.Equal(t, "TOKEN", ofCall.Header.Get("X-Amz-Security-Token"))
	assert.Contains(t, ofCall.UserAgent(), " app/call")
	assert.Contains(t, next.Header.Get("Authorization"), "Credential=AKID/")
	assert.Contains(t, next.Header.Get("Authorization"), "/us-east-1/quicksight/")
	assert.Empty(t, next.Header.Get("X-Amz-Security-Token"))
	assert.NotContains(t, next.UserAgent(), "app/")
}

// signedFor returns the time that the request was signed for.
func signedFor(t *testing.T, r *http.Request) time.Time {
	t.Helper()
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	require.NoError(t, err)
	return signed
}

// skewedServer has a wrong clock, and refuses requests that are signed for another time.
func skewedServer(t *testing.T, off time.Duration) *recordingServer {
	return newServer(t, func(w http.ResponseWriter, r *http.Request) {
		now := time.Now().Add(off)
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		if now.Sub(signedFor(t, r)).Abs() > 15*time.Minute {
			status(403, `{"message":"Signature expired"}`, "X-Amzn-ErrorType", "InvalidSignatureException")(w, r)
			return
		}
		io.WriteString(w, nativeReply)
	})
}

func TestClockSkewIsCorrected(t *testing.T) {
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			server := skewedServer(t, off)
			client := newClient(t, server)
			_, err := client.GetSessionEmbedUrl(ctx, janesInput())
			require.NoError(t, err)
			assert.Len(t, server.seen(), 2, "one attempt to see the skew, and one to succeed")

			_, err = client.GetSessionEmbedUrl(ctx, janesInput(), func(o *quicksightembed.Options) { o.AppID = "other" })
			require.NoError(t, err)
			assert.Len(t, server.seen(), 3, "the client remembers the skew")
			req, err := client.SignGetSessionEmbedUrl(ctx, janesInput())
			require.NoError(t, err)
			assert.WithinDuration(t, time.Now().Add(off), signedFor(t, req), time.Minute)
		})
	}
}

func TestClockSkewCorrectionCanBeDisabled(t *testing.T) {
	server := skewedServer(t, time.Hour)
	client := newClient(t, server, func(o *quicksightembed.Options) { o.DisableClockSkewCorrection = true })
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	assert.Equal(t, "InvalidSignatureException", apiErrorOf(t, err).ErrorCode())
	assert.Len(t, server.seen(), 1)
}

func TestRetryIsNotCorrectedWhereCorrectionIsDisabled(t *testing.T) {
	later := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	server := newServer(t, replyWith(status(500, `{}`, "Date", later), status(200, nativeReply)))
	client := newClient(t, server, func(o *quicksightembed.Options) { o.DisableClockSkewCorrection = true })
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), signedFor(t, server.seen()[1]), time.Minute)
}

func TestNilContext(t *testing.T) {
	server := newServer(t, status(200, nativeReply))
	client := newClient(t, server)
	const want = "operation error QuickSight: GetSessionEmbedUrl, the context is nil: pass context.Background() if there is none"
	var none context.Context
	_, err := client.GetSessionEmbedUrl(none, janesInput())
	assert.EqualError(t, err, want)
	_, err = client.SignGetSessionEmbedUrl(none, janesInput())
	assert.EqualError(t, err, want)
	assert.Empty(t, server.seen())
}

func TestClockSkewCorrectionCanBeDisabledForACall(t *testing.T) {
	client := newClient(t, skewedServer(t, time.Hour))
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	req, err := client.SignGetSessionEmbedUrl(ctx, janesInput(), func(o *quicksightembed.Options) { o.DisableClockSkewCorrection = true })
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), signedFor(t, req), time.Minute)
}

// countingQuota is a retry quota that counts calls.
type countingQuota struct{ calls atomic.Int32 }

func (q *countingQuota) GetToken(context.Context, uint) (func() error, error) {
	q.calls.Add(1)
	return func() error { return nil }, nil
}

func (q *countingQuota) AddTokens(uint) error {
	q.calls.Add(1)
	return nil
}

func TestSigningDoesNotCountTowardsTheQuota(t *testing.T) {
	var quota countingQuota
	client := newClient(t, newServer(t, nil), func(o *quicksightembed.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.RateLimiter = &quota })
	})
	_, err := client.SignGetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.Zero(t, quota.calls.Load())
}

func TestSignWithoutSending(t *testing.T) {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())
	type key struct{}
	own := context.WithValue(ctx, key{}, "mine")

	req, err := client.SignGetSessionEmbedUrl(own, janesInput())
	require.NoError(t, err)
	assert.Empty(t, server.Requests())
	assert.Equal(t, "attempt=1; max=3", req.Header.Get("Amz-Sdk-Request"))
	assert.Equal(t, own, req.Context())

	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, 200, resp.StatusCode)

	_, err = client.SignGetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("12")})
	assert.Equal(t, "AwsAccountId", fieldsOf(t, err)[0].Field)
}

func TestOneClientServesManyGoroutines(t *testing.T) {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())
	var urls sync.Map
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			out, err := client.GetSessionEmbedUrl(ctx, janesInput(), func(o *quicksightembed.Options) { o.AppID = fmt.Sprint(i) })
			if assert.NoError(t, err) {
				_, twice := urls.LoadOrStore(*out.EmbedUrl, i)
				assert.False(t, twice)
			}
		}()
	}
	wg.Wait()
}

// spanRecorder is a tracer that keeps the names of the spans, indented by their depth, and their
// properties.
type spanRecorder struct {
	tree       []string
	open       int
	properties map[string]any
}

func (r *spanRecorder) Tracer(string, ...tracing.TracerOption) tracing.Tracer { return r }

func (r *spanRecorder) StartSpan(ctx context.Context, name string, opts ...tracing.SpanOption) (context.Context, tracing.Span) {
	r.tree = append(r.tree, strings.Repeat("  ", r.open)+name)
	r.open++
	var o tracing.SpanOptions
	for _, opt := range opts {
		opt(&o)
	}
	span := &recordedSpan{recorder: r, name: name}
	return tracing.WithSpan(ctx, span), span
}

type recordedSpan struct {
	recorder *spanRecorder
	name     string
	ended    bool
}

func (s *recordedSpan) Name() string                            { return s.name }
func (s *recordedSpan) Context() tracing.SpanContext            { return tracing.SpanContext{} }
func (s *recordedSpan) AddEvent(string, ...tracing.EventOption) {}
func (s *recordedSpan) SetStatus(status tracing.SpanStatus)     { s.SetProperty("status", status) }
func (s *recordedSpan) SetProperty(k, v any)                    { s.recorder.properties[s.name+" "+k.(string)] = v }
func (s *recordedSpan) End() {
	if !s.ended {
		s.ended = true
		s.recorder.open--
	}
}

func TestSpans(t *testing.T) {
	server := newServer(t, replyWith(
		status(500, `{}`, "X-Amzn-RequestId", "first"),
		status(404, `{"message":"m"}`, "X-Amzn-ErrorType", "ResourceNotFoundException", "X-Amzn-RequestId", "second")))
	recorder := &spanRecorder{properties: map[string]any{}}
	client := newClient(t, server, func(o *quicksightembed.Options) { o.TracerProvider = recorder })
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	require.Error(t, err)

	attempt := []string{"    Attempt", "      GetIdentity", "      DoHTTPRequest"}
	want := append([]string{"QuickSight.GetSessionEmbedUrl", "  RetryLoop"}, attempt...)
	assert.Equal(t, append(want, attempt...), recorder.tree)
	assert.Zero(t, recorder.open, "every span is ended")

	assert.Equal(t, "GET", recorder.properties["DoHTTPRequest http.method"])
	assert.Equal(t, 404, recorder.properties["DoHTTPRequest http.status_code"])
	assert.Equal(t, int64(15), recorder.properties["DoHTTPRequest http.response_content_length"])
	assert.Equal(t, int64(0), recorder.properties["DoHTTPRequest http.request_content_length"])
	assert.Equal(t, "1.1", recorder.properties["DoHTTPRequest net.protocol.version"])
	assert.Equal(t, "second", recorder.properties["Attempt aws.request_id"])
	assert.Equal(t, true, recorder.properties["QuickSight.GetSessionEmbedUrl error"])
	assert.Equal(t, tracing.SpanStatusError, recorder.properties["QuickSight.GetSessionEmbedUrl status"])
	assert.Equal(t, "ResourceNotFoundException", recorder.properties["QuickSight.GetSessionEmbedUrl api.error_code"])
	assert.Equal(t, "m", recorder.properties["QuickSight.GetSessionEmbedUrl api.error_message"])
	assert.Equal(t, "client", recorder.properties["QuickSight.GetSessionEmbedUrl api.error_fault"])
	assert.Equal(t, "*http.ResponseError", recorder.properties["QuickSight.GetSessionEmbedUrl exception.type"])
}

// endlessContext has a deadline but never ends.
type endlessContext struct{ context.Context }

func (endlessContext) Deadline() (time.Time, bool) { return time.Now(), true }

func TestAttemptTimeoutInAContextThatDoesNotEnd(t *testing.T) {
	attempts := 0
	client := clientOf("", func(r *http.Request) (*http.Response, error) {
		attempts++
		<-r.Context().Done()
		return nil, r.Context().Err()
	}, func(o *quicksightembed.Options) { o.AttemptTimeout = 10 * time.Millisecond })
	_, err := client.GetSessionEmbedUrl(endlessContext{ctx}, janesInput())
	assert.ErrorContains(t, err, "no complete reply within the attempt timeout of 10ms")
	assert.Equal(t, 3, attempts)
}

// fixed is a mock, as in the test of a handler.
type fixed struct{ url string }

func (f fixed) GetSessionEmbedUrl(context.Context, *quicksightembed.GetSessionEmbedUrlInput, ...func(*quicksightembed.Options)) (*quicksightembed.GetSessionEmbedUrlOutput, error) {
	return &quicksightembed.GetSessionEmbedUrlOutput{EmbedUrl: &f.url}, nil
}

func TestClientCanBeMocked(t *testing.T) {
	for _, client := range []quicksightembed.GetSessionEmbedUrlAPIClient{fixed{"https://q.example"}, clientOf("", func(*http.Request) (*http.Response, error) { return replyOf(200, nativeReply), nil })} {
		out, err := client.GetSessionEmbedUrl(ctx, janesInput())
		require.NoError(t, err)
		assert.NotEmpty(t, *out.EmbedUrl)
	}
}
