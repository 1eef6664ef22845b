package quicksightembed_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

func TestRedirectsAreNeverFollowed(t *testing.T) {
	for name, client := range map[string]quicksightembed.HTTPClient{
		"the default client":          nil,
		"a BuildableClient":           awshttp.NewBuildableClient(),
		"a frozen client":             awshttp.NewBuildableClient().Freeze(),
		"an http.Client":              &http.Client{},
		"an http.Client that follows": &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }},
	} {
		for _, code := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprint(name, " on ", code), func(t *testing.T) {
				target := newServer(t, status(200, nativeReply))
				server := newServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target.URL, code) })
				own := newClient(t, server, func(o *quicksightembed.Options) { o.HTTPClient = client })
				if client == nil {
					own = quicksightembed.New(quicksightembed.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", "")})
				}
				_, err := own.GetSessionEmbedUrl(ctx, janesInput())
				var respErr *awshttp.ResponseError
				require.ErrorAs(t, err, &respErr)
				assert.Equal(t, code, respErr.HTTPStatusCode())
				assert.Empty(t, target.seen())
			})
		}
	}
}

func TestRedirectsAreNotFollowedByTheClientOfACall(t *testing.T) {
	target := newServer(t, status(200, nativeReply))
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target.URL, http.StatusTemporaryRedirect)
	})
	_, err := newClient(t, server).GetSessionEmbedUrl(ctx, janesInput(), func(o *quicksightembed.Options) { o.HTTPClient = server.Client() })
	require.Error(t, err)
	assert.Empty(t, target.seen())
}

func TestCallersHTTPClientStaysAsItIs(t *testing.T) {
	own := &http.Client{}
	quicksightembed.New(quicksightembed.Options{HTTPClient: own})
	assert.Nil(t, own.CheckRedirect)
}

func TestHTTPClientsThatMisbehave(t *testing.T) {
	closed := &closeCounter{Reader: strings.NewReader("")}
	defer func() { assert.Equal(t, 1, closed.closed) }()
	for name, test := range map[string]struct {
		resp *http.Response
		err  error
		want string
	}{
		"neither reply nor error": {nil, nil, "request send failed, the HTTP client returned neither a reply nor an error"},
		"both":                    {&http.Response{StatusCode: 200, Body: closed}, errors.New("boom"), "request send failed, boom"},
		"a reply without a body":  {&http.Response{StatusCode: 200}, nil, "it has no EmbedUrl"},
	} {
		t.Run(name, func(t *testing.T) {
			client := quicksightembed.New(quicksightembed.Options{
				Region: "us-east-1", Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", ""), Retryer: aws.NopRetryer{},
				HTTPClient: smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) { return test.resp, test.err }),
			})
			_, err := client.GetSessionEmbedUrl(ctx, janesInput())
			assert.ErrorContains(t, err, test.want)
		})
	}
}

// quotingError is an HTTP client's error that quotes the request's headers before another error.
type quotingError struct {
	header http.Header
	err    error
}

func (e *quotingError) Error() string { return fmt.Sprintf("%v: %v", e.header, e.err) }

func (e *quotingError) Unwrap() error { return e.err }

func TestHTTPClientsThatQuoteTheRequest(t *testing.T) {
	var signature string
	notFound := &net.DNSError{Err: "no such host", Name: "q.example", IsNotFound: true}
	attempts := 0
	client := clientOf(realToken, func(r *http.Request) (*http.Response, error) {
		attempts++
		signature = signatureOf(r)
		return nil, &quotingError{r.Header, &url.Error{Op: "Get", URL: r.URL.String(), Err: &net.OpError{Op: "dial", Err: notFound}}}
	})
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	c := &capture{t: t}
	c.err(err)
	c.mustNotShow(realToken, signature, secretKey)
	var dnsErr *net.DNSError
	require.ErrorAs(t, err, &dnsErr, "what the network error is can be found")
	assert.Equal(t, 1, attempts, "a host that does not exist is not asked again")
}

func TestHTTPClientsThatBlankTheHeaders(t *testing.T) {
	client := clientOf(realToken, func(r *http.Request) (*http.Response, error) {
		body := `{"code":"InvalidSignatureException","message":"` + r.Header.Get("X-Amz-Security-Token") + ` ` + signatureOf(r) + `"}`
		signed := signatureOf(r)
		clear(r.Header)
		r.Header.Set("Authorization", "none")
		return replyOf(403, body, "X-Signed", signed), nil
	})
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	assert.Equal(t, "REDACTED REDACTED", apiErrorOf(t, err).ErrorMessage())
}

// TestHTTPClientsThatKeepWhatTheyGet is for the race detector.
func TestHTTPClientsThatKeepWhatTheyGet(t *testing.T) {
	for name, optFn := range map[string]func(*quicksightembed.Options){"alone": nil, "in a stack": quicksightembed.WithAPIOptions(noStep)} {
		t.Run(name, func(t *testing.T) {
			done := make(chan struct{})
			client := clientOf(realToken, func(r *http.Request) (*http.Response, error) {
				resp := replyOf(200, nativeReply)
				resp.Request = r
				go func() {
					defer close(done)
					fmt.Fprint(io.Discard, resp.Request.Header, resp.StatusCode)
					clear(r.Header)
					r.URL.Host = "elsewhere.example"
				}()
				return resp, nil
			}, optFn)
			out, err := client.GetSessionEmbedUrl(ctx, janesInput())
			require.NoError(t, err)
			fmt.Fprintf(io.Discard, "%+v", out.ResultMetadata)
			<-done
		})
	}
}

// TestHTTPClientsThatBlankWhatTheyHaveReturned has an HTTP client that changes the request before
// the next attempt, and the reply after the call.
func TestHTTPClientsThatBlankWhatTheyHaveReturned(t *testing.T) {
	var agents []string
	var replies []*http.Response
	client := clientOf(realToken, func(r *http.Request) (*http.Response, error) {
		agents = append(agents, r.UserAgent()+" "+r.Header.Get("Amz-Sdk-Invocation-Id"))
		resp := replyOf(500, `{}`, "X-Amzn-RequestId", "header-id")
		if len(agents) == 2 {
			resp = replyOf(200, nativeReply, "X-Amzn-RequestId", "header-id")
		}
		for _, values := range r.Header {
			values[0] = "blanked"
		}
		r.URL.RawQuery = "blanked"
		replies = append(replies, resp)
		return resp, nil
	})
	out, err := client.GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	for _, resp := range replies {
		clear(resp.Header)
	}
	assert.Equal(t, agents[0], agents[1])
	assert.Contains(t, agents[1], "lib/quicksightembed#")
	raw := awsmiddleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response)
	assert.Equal(t, "header-id", raw.Header.Get("X-Amzn-RequestId"))
	assert.Equal(t, "user-arn=arn%3Aaws%3Aquicksight%3Aus-east-1%3A111122223333%3Auser%2Fdefault%2Fjane", raw.Request.URL.RawQuery)
}

func TestHTTPClientOfTheOptionsIsTheProgramsOwn(t *testing.T) {
	for _, own := range []quicksightembed.HTTPClient{&http.Client{}, awshttp.NewBuildableClient(), awshttp.NewBuildableClient().Freeze().(*http.Client)} {
		assert.Same(t, own, quicksightembed.New(quicksightembed.Options{HTTPClient: own}).Options().HTTPClient)
		assert.True(t, quicksightembed.New(quicksightembed.Options{}, func(o *quicksightembed.Options) { o.HTTPClient = own }).Options().HTTPClient == own)
	}
	assert.NotPanics(t, func() {
		one, other := quicksightembed.New(quicksightembed.Options{DefaultsMode: "standard"}), quicksightembed.New(quicksightembed.Options{})
		_ = one.Options().HTTPClient == other.Options().HTTPClient
	})
}

func TestRedirectsAreWhatTheServerSent(t *testing.T) {
	for name, test := range map[string]struct {
		code     int
		location string
		want     string
	}{
		"301 without Location": {301, "", `(content type "text/html")`},
		"302 without Location": {302, "", `(content type "text/html")`},
		"307 without Location": {307, "", `(content type "text/html")`},
		"302":                  {302, "/login?code=" + embedCode, `(a redirect to "/login?REDACTED", which is not followed)`},
		"200 with a Location":  {200, "https://q.example/", `(content type "text/html")`},
		"503 with a Location":  {503, "https://q.example/", `(content type "text/html")`},
	} {
		t.Run(name, func(t *testing.T) {
			header := []string{"Content-Type", "text/html"}
			if test.location != "" {
				header = append(header, "Location", test.location)
			}
			server := newServer(t, status(test.code, "<html>", header...))
			client := newClient(t, server, func(o *quicksightembed.Options) { o.HTTPClient = awshttp.NewBuildableClient() })
			_, err := client.GetSessionEmbedUrl(ctx, janesInput())
			assert.ErrorContains(t, err, "the reply "+test.want+" cannot be used")
			assert.ErrorContains(t, err, `in "<html>"`)
			assert.NotContains(t, err.Error(), "amazonaws.com/badhttp")
		})
	}
}

// countingServer counts the connections that are opened to it.
func countingServer(t *testing.T, delay time.Duration) (*httptest.Server, *atomic.Int32) {
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(delay)
		io.WriteString(w, nativeReply)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server, &opened
}

func TestClientsAndCallsShareConnections(t *testing.T) {
	for _, mode := range []aws.DefaultsMode{"", "legacy", "standard", "in-region"} {
		for name, own := range map[string]quicksightembed.HTTPClient{"of a config": awshttp.NewBuildableClient(), "without one": nil} {
			t.Run(string(mode)+" "+name, func(t *testing.T) {
				server, opened := countingServer(t, 0)
				cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", ""), HTTPClient: own, DefaultsMode: mode}
				for range 100 {
					_, err := quicksightembed.NewFromConfig(cfg).GetSessionEmbedUrl(ctx, janesInput())
					require.NoError(t, err)
				}
				runtime.GC()
				client := quicksightembed.NewFromConfig(cfg)
				for _, httpClient := range []quicksightembed.HTTPClient{own, client.Options().HTTPClient, nil} {
					_, err := client.GetSessionEmbedUrl(ctx, janesInput(), func(o *quicksightembed.Options) { o.HTTPClient = httpClient })
					require.NoError(t, err)
				}
				_, err := quicksightembed.NewFromConfig(cfg, func(o *quicksightembed.Options) { o.HTTPClient = own }).GetSessionEmbedUrl(ctx, janesInput())
				require.NoError(t, err)
				assert.Equal(t, int32(1), opened.Load())
			})
		}
	}
}

func TestCallsGivenOneBuildableClientShareItsConnections(t *testing.T) {
	server, opened := countingServer(t, 0)
	client := quicksightembed.New(quicksightembed.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", ""), DefaultsMode: "standard"})
	own := awshttp.NewBuildableClient()
	for range 100 {
		_, err := client.GetSessionEmbedUrl(ctx, janesInput(), func(o *quicksightembed.Options) { o.HTTPClient = own })
		require.NoError(t, err)
		if opened.Load() == 1 {
			runtime.GC()
		}
	}
	assert.Equal(t, int32(1), opened.Load())
}

func TestHundredCallersAtOnce(t *testing.T) {
	for name, own := range map[string]quicksightembed.HTTPClient{"a BuildableClient": awshttp.NewBuildableClient(), "none": nil} {
		t.Run(name, func(t *testing.T) {
			server, opened := countingServer(t, 5*time.Millisecond)
			client := quicksightembed.New(quicksightembed.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", ""), HTTPClient: own})
			var callers sync.WaitGroup
			for range 100 {
				callers.Add(1)
				go func() {
					defer callers.Done()
					for range 10 {
						_, err := client.GetSessionEmbedUrl(ctx, janesInput())
						assert.NoError(t, err)
					}
				}()
			}
			callers.Wait()
			assert.LessOrEqual(t, opened.Load(), int32(200), "of 1,000 calls")
		})
	}
}

// callOnce makes a BuildableClient and a client, makes a call, and forgets both. freed counts which
// of the two are freed, and the pool: held is freed with the transport.
func callOnce(t *testing.T, base string, mode aws.DefaultsMode, freed *atomic.Int32) {
	held := new([64]byte)
	own := awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
		// The runtime keeps a stopped timer, and with it the pool, for a while.
		transport.IdleConnTimeout = 0
		transport.OnProxyConnectResponse = func(context.Context, *url.URL, *http.Request, *http.Response) error {
			return errors.New(string(held[:]))
		}
	})
	client := quicksightembed.New(quicksightembed.Options{
		Region: "us-east-1", BaseEndpoint: &base, Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", ""), HTTPClient: own, DefaultsMode: mode,
	})
	_, err := client.GetSessionEmbedUrl(ctx, janesInput(), func(o *quicksightembed.Options) { o.HTTPClient = own })
	require.NoError(t, err)
	runtime.AddCleanup(held, func(int) { freed.Add(1) }, 0)
	runtime.AddCleanup(own, func(int) { freed.Add(1) }, 0)
	runtime.AddCleanup(client, func(int) { freed.Add(1) }, 0)
}

func TestPoolsAreNotKeptByWhatNobodyReaches(t *testing.T) {
	server, _ := countingServer(t, 0)
	var freed atomic.Int32
	const made = 10
	for range made {
		callOnce(t, server.URL, aws.DefaultsModeLegacy, &freed)
		callOnce(t, server.URL, aws.DefaultsModeStandard, &freed)
	}
	server.CloseClientConnections() // an idle connection references its pool
	const most = 2*3*made - made/2
	assert.Eventually(t, func() bool { runtime.GC(); return freed.Load() >= most }, 10*time.Second, time.Millisecond)
}

// packageClient is not on the heap: the linker places it.
var packageClient = awshttp.NewBuildableClient()

func TestClientsShareTheConnectionsOfAPackagesVariable(t *testing.T) {
	server, opened := countingServer(t, 0)
	for range 10 {
		client := quicksightembed.New(quicksightembed.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", ""), HTTPClient: packageClient})
		_, err := client.GetSessionEmbedUrl(ctx, janesInput())
		require.NoError(t, err)
		runtime.GC()
	}
	assert.Equal(t, int32(1), opened.Load())
}

func TestTransportOfTheProgramIsNotTouched(t *testing.T) {
	transport := &http.Transport{MaxIdleConnsPerHost: 10, MaxIdleConns: 100}
	own := &http.Client{Transport: transport}
	quicksightembed.New(quicksightembed.Options{HTTPClient: own, Region: "us-east-1", Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", "")})
	assert.Same(t, transport, own.Transport)
	assert.Equal(t, 10, transport.MaxIdleConnsPerHost)
	assert.Nil(t, own.CheckRedirect)
	buildable := awshttp.NewBuildableClient()
	quicksightembed.New(quicksightembed.Options{HTTPClient: buildable, Region: "us-east-1", Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", "")})
	assert.Equal(t, 10, buildable.GetTransport().MaxIdleConnsPerHost)
}

// transportOf returns the transport of a client with the options. The AWS core wraps it in its own
// type, so only reflection can read its timeouts.
func transportOf(o quicksightembed.Options) reflect.Value {
	client := reflect.ValueOf(quicksightembed.New(o)).Elem().FieldByName("sender").Elem().Elem()
	return client.FieldByName("Transport").Elem().Field(0).Elem().Elem()
}

func TestDefaultsModeSetsTimeouts(t *testing.T) {
	for mode, want := range map[aws.DefaultsMode]string{
		"": "10s", "legacy": "10s", "standard": "3.1s", "in-region": "1.1s", "cross-region": "3.1s", "mobile": "30s", "auto": "3.1s", "In-Region": "1.1s",
	} {
		for name, own := range map[string]*awshttp.BuildableClient{
			"the default client": nil,
			"the program's own":  awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) { tr.MaxIdleConnsPerHost = 77 }),
		} {
			transport := transportOf(quicksightembed.Options{DefaultsMode: mode, HTTPClient: own})
			assert.Equal(t, want, time.Duration(transport.FieldByName("TLSHandshakeTimeout").Int()).String(), "%s, %s", mode, name)
			kept := map[bool]int64{true: 77, false: 100}[own != nil]
			assert.Equal(t, kept, transport.FieldByName("MaxIdleConnsPerHost").Int(), "%s, %s", mode, name)
		}
	}
	auto := quicksightembed.Options{DefaultsMode: "auto", Region: "us-east-1", RuntimeEnvironment: aws.RuntimeEnvironment{EnvironmentIdentifier: "AWS_Lambda_go", Region: "us-east-1"}}
	assert.Equal(t, "1.1s", time.Duration(transportOf(auto).FieldByName("TLSHandshakeTimeout").Int()).String(), "in its own region")
}
