package quicksightembed_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"example.com/quicksightembed"
)

func TestMain(m *testing.M) {
	// What the machine has set for AWS must not change the tests.
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") || name == "_X_AMZN_TRACE_ID" {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}

const (
	account = "111122223333"
	jane    = "arn:aws:quicksight:us-east-1:111122223333:user/default/jane"

	// nativeReply is QuickSight's own form of a success.
	nativeReply = `{"EmbedUrl":"https://us-east-1.quicksight.aws.amazon.com/embedding/abc/start?code=c0de&isauthcode=true","RequestId":"body-id","Status":200}`
)

func janesInput() *quicksightembed.GetSessionEmbedUrlInput {
	return &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account), UserArn: aws.String(jane)}
}

// recordingServer answers with the handler and keeps the requests.
type recordingServer struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
}

func newServer(t *testing.T, handler http.HandlerFunc) *recordingServer {
	t.Helper()
	s := &recordingServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *recordingServer) seen() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// replyWith answers each request with the next of the replies, and with the last one from then on.
func replyWith(replies ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		reply := replies[0]
		if len(replies) > 1 {
			replies = replies[1:]
		}
		mu.Unlock()
		reply(w, r)
	}
}

// status answers with a status, a body and pairs of header names and values.
func status(code int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func staticCredentials(key, secret, token string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: key, SecretAccessKey: secret, SessionToken: token}, nil
	})
}

// newClient returns a client of the server that retries without delay.
func newClient(t *testing.T, server *recordingServer, optFns ...func(*quicksightembed.Options)) *quicksightembed.Client {
	t.Helper()
	return quicksightembed.New(quicksightembed.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(server.URL),
		Credentials:  staticCredentials("AKID", "SECRET-ACCESS-KEY", ""),
		HTTPClient:   server.Client(),
		Retryer:      withoutDelay(),
	}, optFns...)
}

func withoutDelay() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
}

func fieldsOf(t *testing.T, err error) []quicksightembed.FieldError {
	t.Helper()
	var invalid *quicksightembed.ValidationError
	require.ErrorAs(t, err, &invalid)
	return invalid.Fields
}

// realToken is as long as those of AWS, and has all of Base64.
var realToken = "FwoGZXIvYXdzEBYaDH+/" + strings.Repeat("aGVsbG8gd29ybGQ/+", 40) + "=="

// clientOf returns a client whose HTTP client is the function, which has credentials with the
// token.
func clientOf(token string, do func(*http.Request) (*http.Response, error), optFns ...func(*quicksightembed.Options)) *quicksightembed.Client {
	if do == nil {
		do = func(*http.Request) (*http.Response, error) { return nil, errors.New("nothing should be sent") }
	}
	return quicksightembed.New(quicksightembed.Options{
		Region: "us-east-1", Credentials: staticCredentials("AKID", secretKey, token),
		HTTPClient: smithyhttp.ClientDoFunc(do), Retryer: withoutDelay(),
	}, optFns...)
}

func replyOf(code int, body string, header ...string) *http.Response {
	resp := &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}
