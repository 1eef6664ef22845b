package quicksightembed

import (
	"net"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/defaults"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// HTTPClient sends one request. A type of your own must end Do, and every Read of the reply's body, when the request's
// context ends, must not follow redirects (a signed request must not travel), and must be safe for concurrent use.
type HTTPClient interface {
	Do(*http.Request) (*http.Response, error)
}

func withModeTimeouts(client *awshttp.BuildableClient, mode aws.DefaultsMode) *awshttp.BuildableClient {
	config, err := defaults.GetModeConfiguration(mode)
	if err != nil || client == nil {
		return client // the legacy mode has no configuration
	}
	return client.WithDialerOptions(func(dialer *net.Dialer) {
		if timeout, ok := config.GetConnectTimeout(); ok {
			dialer.Timeout = timeout
		}
	}).WithTransportOptions(func(transport *http.Transport) {
		if timeout, ok := config.GetTLSNegotiationTimeout(); ok {
			transport.TLSHandshakeTimeout = timeout
		}
	})
}

// withoutRedirects returns a client that never follows a redirect: a signed request must not travel. An HTTPClient of the
// caller's own type is returned as it is.
func withoutRedirects(client HTTPClient) HTTPClient {
	if isNilPointer(client) {
		return client // reported by problems
	}
	switch client := client.(type) {
	case *http.Client:
		return neverRedirecting(*client)
	case *awshttp.BuildableClient:
		return lazyClient(sync.OnceValue(func() *http.Client { return neverRedirecting(*client.Freeze().(*http.Client)) }))
	}
	return client
}

func neverRedirecting(client http.Client) *http.Client {
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// lazyClient is built when the first request is sent, as a BuildableClient is.
type lazyClient func() *http.Client

// Do sends the request.
func (c lazyClient) Do(req *http.Request) (*http.Response, error) { return c().Do(req) }

// CloseIdleConnections is for programs, and tests, that are done with a client.
func (c lazyClient) CloseIdleConnections() { c().CloseIdleConnections() }
