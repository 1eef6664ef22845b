package quicksightembed_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
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
