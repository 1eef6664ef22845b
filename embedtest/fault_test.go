package embedtest_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// newClient returns a client that retries without delay.
func newClient(server *embedtest.Server, optFns ...func(*quicksightembed.Options)) *quicksightembed.Client {
	cfg := server.Config()
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	return quicksightembed.NewFromConfig(cfg, optFns...)
}

func TestFaultThatARetryOvercomes(t *testing.T) {
	short := func(o *quicksightembed.Options) { o.AttemptTimeout = 300 * time.Millisecond }
	for name, fault := range map[string]embedtest.Fault{
		"Throttle":    embedtest.Throttle().Times(2),
		"Status":      embedtest.Status(503).Times(2),
		"Fail":        embedtest.Fail("InternalFailureException").Times(2),
		"Reset":       embedtest.Reset().Times(2),
		"Stall":       embedtest.Stall(),
		"StallInBody": embedtest.StallInBody(),
		"SkewedClock": embedtest.SkewedClock(time.Hour),
		"Reply":       embedtest.Reply(502, http.Header{"Content-Type": {"text/html"}}, "<html>"),
	} {
		for transport, start := range map[string]func(...func(*embedtest.Options)) *embedtest.Server{"HTTP": embedtest.NewServer, "TLS": embedtest.NewTLSServer} {
			t.Run(name+" over "+transport, func(t *testing.T) {
				t.Parallel()
				server := start()
				defer server.Close()
				server.Inject(fault)
				_, err := newClient(server, short).GetSessionEmbedUrl(ctx, janesInput())
				require.NoError(t, err)
				requests := server.Requests()
				require.GreaterOrEqual(t, len(requests), 2)
				assert.Equal(t, name, requests[0].Fault)
				assert.Empty(t, requests[len(requests)-1].Fault)
				assert.Empty(t, requests[len(requests)-1].Code)
			})
		}
	}
}

func TestFaultThatIsFinal(t *testing.T) {
	for name, test := range map[string]struct {
		fault embedtest.Fault
		check func(*testing.T, error)
	}{
		"ResetInReply": {embedtest.ResetInReply(), func(t *testing.T, err error) {
			assert.ErrorIs(t, err, syscall.ECONNRESET)
		}},
		"Truncate": {embedtest.Truncate(), func(t *testing.T, err error) { assert.ErrorIs(t, err, io.ErrUnexpectedEOF) }},
		"WrongContentLength": {embedtest.WrongContentLength(), func(t *testing.T, err error) {
			assert.ErrorContains(t, err, "unexpected EOF")
		}},
		"Redirect": {embedtest.Redirect(307, "https://elsewhere.example/"), func(t *testing.T, err error) {
			var respErr *awshttp.ResponseError
			require.ErrorAs(t, err, &respErr)
			assert.Equal(t, 307, respErr.HTTPStatusCode())
		}},
		"Reply": {embedtest.Reply(200, nil, `{"success":true,"data":{"id":7}}`), func(t *testing.T, err error) {
			assert.ErrorContains(t, err, "id is of the type number")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t)
			server.Inject(test.fault)
			_, err := newClient(server, func(o *quicksightembed.Options) { o.RetryMaxAttempts = 1 }).GetSessionEmbedUrl(ctx, janesInput())
			require.Error(t, err)
			test.check(t, err)
			var respErr *awshttp.ResponseError
			require.ErrorAs(t, err, &respErr)
			assert.Equal(t, server.Requests()[0].RequestId, respErr.ServiceRequestID())
			assert.Equal(t, name, server.Requests()[0].Fault)
		})
	}
}

func TestEachExceptionCanBeInjected(t *testing.T) {
	for code, status := range map[string]int{
		"AccessDeniedException": 401, "InternalFailureException": 500, "InvalidParameterValueException": 400,
		"QuickSightUserNotFoundException": 404, "ResourceExistsException": 409, "ResourceNotFoundException": 404,
		"SessionLifetimeInMinutesInvalidException": 400, "ThrottlingException": 429, "UnsupportedUserEditionException": 403,
		"SomeOtherException": 400,
	} {
		for envelope, want := range map[bool]string{false: "the service's form", true: "an envelope"} {
			t.Run(code+" in "+want, func(t *testing.T) {
				server := newServer(t, func(o *embedtest.Options) { o.Envelope = envelope })
				server.Inject(embedtest.Fail(code).Times(3))
				_, err := newClient(server).GetSessionEmbedUrl(ctx, janesInput())
				var apiErr smithy.APIError
				require.ErrorAs(t, err, &apiErr)
				assert.Equal(t, code, apiErr.ErrorCode())
				assert.Equal(t, status, server.Requests()[0].Status)
				_, generic := apiErr.(*smithy.GenericAPIError)
				assert.Equal(t, code == "SomeOtherException", generic)
			})
		}
	}
}

func TestFaultsHappenInOrderAndAsOftenAsTold(t *testing.T) {
	server := newServer(t)
	server.Inject(
		embedtest.Fail("ResourceExistsException").When(func(r embedtest.Request) bool { return r.UserArn == bob }),
		embedtest.Fail("AccessDeniedException"),
		embedtest.Fail("InvalidParameterValueException").Times(2),
	)
	ask := func(userArn string) string {
		_, err := newClient(server).GetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account), UserArn: &userArn})
		var apiErr smithy.APIError
		if errors.As(err, &apiErr) {
			return apiErr.ErrorCode()
		}
		return ""
	}
	assert.Equal(t, "ResourceExistsException", ask(bob))
	assert.Equal(t, "AccessDeniedException", ask(jane))
	assert.Equal(t, "InvalidParameterValueException", ask(jane))
	assert.Equal(t, "ResourceExistsException", ask(bob), "a predicate holds for good")
	assert.Equal(t, "InvalidParameterValueException", ask(jane))
	assert.Equal(t, "", ask(jane))
	assert.Panics(t, func() { embedtest.Throttle().Times(0) })
}

func TestPredicateMayAskTheServer(t *testing.T) {
	server := newServer(t)
	server.Inject(embedtest.Throttle().When(func(embedtest.Request) bool { return len(server.Requests()) < 2 }))
	_, err := newClient(server).GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.Len(t, server.Requests(), 3)
}

func TestFaultHappensOnceAmongManyAtATime(t *testing.T) {
	server := newServer(t)
	server.Inject(embedtest.Fail("ResourceExistsException").Times(5))
	client := newClient(server)
	var failed atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if _, err := client.GetSessionEmbedUrl(ctx, janesInput()); err != nil {
				failed.Add(1)
			}
		}()
	}
	wg.Wait()
	assert.Equal(t, int32(5), failed.Load())
}

func TestFaultDoesNotHideAWrongSignature(t *testing.T) {
	server := newServer(t)
	server.Inject(embedtest.Throttle())
	_, err := newClient(server).GetSessionEmbedUrl(ctx, janesInput(), func(o *quicksightembed.Options) { o.Region = "eu-west-1" })
	var apiErr smithy.APIError
	require.ErrorAs(t, err, &apiErr)
	assert.Equal(t, "InvalidSignatureException", apiErr.ErrorCode())
}

func TestCloseEndsAStall(t *testing.T) {
	for name, fault := range map[string]embedtest.Fault{"before the reply": embedtest.Stall(), "in the body": embedtest.StallInBody()} {
		t.Run(name, func(t *testing.T) {
			server := embedtest.NewServer()
			server.Inject(fault.When(func(embedtest.Request) bool { go server.Close(); return true }))
			bounded, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			_, err := newClient(server, func(o *quicksightembed.Options) { o.RetryMaxAttempts, o.AttemptTimeout = 1, -1 }).GetSessionEmbedUrl(bounded, janesInput())
			assert.ErrorContains(t, err, "EOF", "the connection is broken")
			assert.NoError(t, bounded.Err())
			server.Close()
		})
	}
}

func TestCloseBreaksOffARequestThatIsNeverComplete(t *testing.T) {
	server := embedtest.NewServer()
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n", line, "it reads the body")
	closed := make(chan struct{})
	go func() {
		server.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("it waits for the request to time out")
	}
}

func TestFaultsThatCannotBe(t *testing.T) {
	assert.PanicsWithValue(t, "embedtest: a status of 200 cannot be answered with: it must be 400 to 599", func() { embedtest.Status(200) })
	assert.PanicsWithValue(t, "embedtest: a status of 100 cannot be answered with: it must be 200 to 599", func() { embedtest.Reply(100, nil, "") })
	assert.PanicsWithValue(t, "embedtest: a status of 0 cannot be answered with: it must be 200 to 599", func() { embedtest.Redirect(0, "/") })
}

func TestFaultsFromTheStart(t *testing.T) {
	server := newServer(t, func(o *embedtest.Options) { o.Faults = []embedtest.Fault{embedtest.Throttle()} })
	_, err := newClient(server).GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.Equal(t, "Throttle", server.Requests()[0].Fault)
}

func TestClientOfConfigDoesNotFollowRedirects(t *testing.T) {
	target, server := newServer(t), newServer(t)
	server.Inject(embedtest.Redirect(307, target.URL))
	resp, _ := askOnce(t, server, server.Config().HTTPClient)
	assert.Equal(t, 307, resp.StatusCode)
	assert.Empty(t, target.Requests())
}

func TestSmallSkewShowsInTheDateAlone(t *testing.T) {
	server := newServer(t)
	server.Inject(embedtest.SkewedClock(-time.Minute))
	var date time.Time
	_, err := newClient(server, func(o *quicksightembed.Options) {
		next := o.HTTPClient
		o.HTTPClient = smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
			resp, err := next.Do(r)
			if err == nil {
				date, err = http.ParseTime(resp.Header.Get("Date"))
			}
			return resp, err
		})
	}).GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().Add(-time.Minute), date, 10*time.Second)
}
