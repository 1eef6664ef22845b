package quicksightembed_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

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

// callOnce makes a BuildableClient and a client, makes a call, and forgets them. It counts what is
// freed of them, and of the pool, of which something that the transport holds is a sign.
func callOnce(t *testing.T, base string, mode aws.DefaultsMode, freed *atomic.Int32) {
	held := new([64]byte)
	own := awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
		transport.IdleConnTimeout = 0 // the runtime keeps a stopped timer for a while, and with it the pool
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
	server.CloseClientConnections() // an idle connection holds its pool
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
