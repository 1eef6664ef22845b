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
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

func newClient(server *embedtest.Server, optFns ...func(*quicksightembed.Options)) *quicksightembed.Client {
	return quicksightembed.NewFromConfig(server.Config(), optFns...)
}

func TestFaultThatARetryOvercomes(t *testing.T) {
	// On a slow machine, further attempts can time out.
	persistent := func(o *quicksightembed.Options) { o.RetryMaxAttempts = 20 }
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
				_, err := newClient(server, persistent).GetSessionEmbedUrl(ctx, janesInput())
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
		"ExpiredTokenException": 403, // of AWS front ends
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
				assert.Equal(t, code == "ExpiredTokenException", generic)
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

// TestCloseDoesNotWaitForAStall expects a stalled request to end before one that Close breaks off.
func TestCloseDoesNotWaitForAStall(t *testing.T) {
	server := embedtest.NewServer()
	server.Inject(embedtest.Stall())
	ended := make(chan string, 2)
	go func() {
		newClient(server, func(o *quicksightembed.Options) { o.RetryMaxAttempts, o.AttemptTimeout = 1, -1 }).GetSessionEmbedUrl(ctx, janesInput())
		ended <- "the stalled request"
	}()
	require.NoError(t, server.WaitForRequests(ctx, 1))
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	_, err = reader.ReadString('\n')
	require.NoError(t, err)
	go func() {
		io.Copy(io.Discard, reader)
		ended <- "the other"
	}()
	server.Close()
	assert.Equal(t, "the stalled request", <-ended)
	<-ended
}

func TestFaultsThatCannotBe(t *testing.T) {
	assert.PanicsWithValue(t, "embedtest: a status of 200 cannot be answered with: it must be 400 to 599", func() { embedtest.Status(200) })
	assert.PanicsWithValue(t, "embedtest: a status of 100 cannot be answered with: it must be 200 to 599", func() { embedtest.Reply(100, nil, "") })
	assert.PanicsWithValue(t, "embedtest: a fault cannot happen 0 times: it must be 1 or more", func() { embedtest.Throttle().Times(0) })
	assert.PanicsWithValue(t, "embedtest: a delay of 0s cannot be: it must be positive", func() { embedtest.Delay(0) })
	assert.PanicsWithValue(t, "embedtest: a rate limit of 0 requests in 1s cannot be: both must be positive", func() { embedtest.RateLimit(0, time.Second) })
	assert.PanicsWithValue(t, `embedtest: operation "GetSessionEmbedURL" must be GetSessionEmbedUrl or AssumeRole`, func() { embedtest.Throttle().ForOperation("GetSessionEmbedURL") })
	assert.Panics(t, func() { embedtest.Fail("ThrotlingException") })
	assert.Panics(t, func() { embedtest.Throttle().ForUser("jane") })
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

func TestScopedFaultsLeaveOthersAlone(t *testing.T) {
	const key = "AKIAJANE"
	for name, test := range map[string]struct {
		fault embedtest.Fault
		hit   func(embedtest.Request) bool
	}{
		"a user":        {embedtest.Fail("ResourceExistsException").ForUser(jane), func(r embedtest.Request) bool { return r.UserArn == jane }},
		"an access key": {embedtest.Fail("ResourceExistsException").ForAccessKey(key), func(r embedtest.Request) bool { return r.AccessKeyId == key }},
		"an operation":  {embedtest.Fail("ResourceExistsException").ForOperation("AssumeRole"), func(embedtest.Request) bool { return false }},
		"a user who claims to be one": {embedtest.Fail("ResourceExistsException").ForUser(jane).BeforeSignature(),
			func(r embedtest.Request) bool { return strings.Contains(r.URI, "jane") }},
	} {
		t.Run(name, func(t *testing.T) {
			keys := aws.Credentials{AccessKeyID: key, SecretAccessKey: "janes-access-key"}
			server := newServer(t, func(o *embedtest.Options) { o.Identities = []embedtest.Identity{{Credentials: keys}} })
			server.Inject(test.fault.Times(100))
			for _, user := range []string{jane, bob, jane} {
				newClient(server).GetSessionEmbedUrl(ctx, inputOf(user))
				newClient(server, func(o *quicksightembed.Options) { o.Credentials = provider{keys} }).GetSessionEmbedUrl(ctx, inputOf(user))
			}
			require.Len(t, server.Requests(), 6)
			for _, r := range server.Requests() {
				assert.Equal(t, test.hit(r), r.Fault == "Fail", r.String())
			}
		})
	}
}

func TestFaultBeforeTheSignatureHidesAWrongOne(t *testing.T) {
	for name, fault := range map[string]embedtest.Fault{
		"Status":    embedtest.Status(503).BeforeSignature(),
		"RateLimit": embedtest.RateLimit(1, time.Hour),
		"Delay":     embedtest.Delay(time.Millisecond).BeforeSignature(),
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t)
			if name == "RateLimit" {
				issue(t, server, janesInput())
				server.Inject(embedtest.RateLimit(1, time.Hour))
				issue(t, server, janesInput())
			} else {
				server.Inject(fault)
			}
			newClient(server, func(o *quicksightembed.Options) { o.RetryMaxAttempts, o.Region = 1, "eu-west-1" }).GetSessionEmbedUrl(ctx, janesInput())
			requests := server.Requests()
			last := requests[len(requests)-1]
			assert.Equal(t, name, last.Fault)
			assert.Equal(t, map[string]int{"Status": 503, "RateLimit": 429, "Delay": 403}[name], last.Status)
			assert.Empty(t, last.AccessKeyId, "a claim is not believed")
		})
	}
}

func TestRateLimit(t *testing.T) {
	clock := &clock{now: time.Now()}
	server := newServer(t, func(o *embedtest.Options) {
		o.Now = clock.Now
		o.Faults = []embedtest.Fault{embedtest.RateLimit(2, 1500*time.Millisecond)}
	})
	statuses := func() (statuses []int) {
		for range 3 {
			resp, _ := askOnce(t, server, server.Client())
			statuses = append(statuses, resp.StatusCode)
			if resp.StatusCode == 429 {
				assert.Equal(t, "2", resp.Header.Get("Retry-After"), "seconds, rounded up")
			}
		}
		return statuses
	}
	assert.Equal(t, []int{200, 200, 429}, statuses())
	clock.Advance(1500 * time.Millisecond)
	assert.Equal(t, []int{200, 200, 429}, statuses(), "in the next interval")
	requests := server.Requests()
	assert.Equal(t, "more than 2 requests in 1.5s: the next one in 2 s", requests[len(requests)-1].Message)
	assert.Equal(t, []embedtest.FaultStatus{{ID: 1, Name: "RateLimit", Happened: 2}}, server.Faults(), "it has no end")
	server.Reset()
	assert.Equal(t, []int{200, 200, 429}, statuses(), "which forgets what was taken")
}

func TestDelayAnswersInTheEnd(t *testing.T) {
	server := newServer(t)
	server.Inject(embedtest.Delay(50 * time.Millisecond))
	start := time.Now()
	issue(t, server, janesInput())
	assert.GreaterOrEqual(t, time.Since(start), 50*time.Millisecond)
	assert.Equal(t, "Delay", server.Requests()[0].Fault)
}

func TestFaultsAreListedAndRemoved(t *testing.T) {
	server := newServer(t)
	ids := server.Inject(embedtest.Throttle().Times(2), embedtest.Status(503).When(func(embedtest.Request) bool { return false }), embedtest.Reset().ForUser(bob))
	require.Equal(t, []int{1, 2, 3}, ids)
	askOnce(t, server, server.Client())
	assert.Equal(t, []embedtest.FaultStatus{
		{ID: 1, Name: "Throttle", Times: 2, Happened: 1}, {ID: 2, Name: "Status"}, {ID: 3, Name: "Reset", Times: 1},
	}, server.Faults())
	assert.Equal(t, 1, server.RemoveFaults(1, 4))
	resp, _ := askOnce(t, server, server.Client())
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, 2, server.RemoveFaults())
	assert.Empty(t, server.Faults())
}

func TestAssertFaultsHappened(t *testing.T) {
	server := newServer(t)
	test := &failing{TB: t}
	server.Inject(embedtest.Throttle(), embedtest.Throttle().Times(3), embedtest.Reset().ForUser(bob))
	askOnce(t, server, server.Client())
	askOnce(t, server, server.Client())
	server.AssertFaultsHappened(test)
	assert.Equal(t, []string{"embedtest: fault 2, Throttle, happened 1 times, not 3", "embedtest: fault 3, Reset, happened 0 times, not 1"}, test.log)

	server.RemoveFaults()
	server.AssertFaultsHappened(t)
}

func TestConfigIsFastUnlessToldOtherwise(t *testing.T) {
	timeoutOf := func(server *embedtest.Server) (timeout time.Duration, delay time.Duration) {
		client := quicksightembed.NewFromConfig(server.Config())
		o := client.Options()
		delay, err := o.Retryer.RetryDelay(3, errors.New("x"))
		require.NoError(t, err)
		return o.AttemptTimeout, delay
	}
	timeout, delay := timeoutOf(newServer(t))
	assert.Equal(t, time.Second, timeout)
	assert.Zero(t, delay)
	timeout, delay = timeoutOf(newServer(t, func(o *embedtest.Options) { o.RealPauses = true }))
	assert.Zero(t, timeout, "the client's default")
	assert.NotZero(t, delay)
}
