package peers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/quicksight/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

// TestOptionsOfACallAreTheSame makes three calls with one client: without options, with them, and
// without again.
func TestOptionsOfACallAreTheSame(t *testing.T) {
	twice := retry.AddWithMaxAttempts(retry.NewStandard(), 2)
	for name, options := range map[string][]func(string, any){
		"AppID":                         {set("AppID", "of-the-call")},
		"BaseEndpoint":                  {set("BaseEndpoint", aws.String("https://proxy.example.com/x"))},
		"Credentials":                   {set("Credentials", credentials("AKIDCALL", "SECRET", "TOKEN"))},
		"FIPS":                          {set("EndpointOptions.UseFIPSEndpoint", aws.FIPSEndpointStateEnabled)},
		"dual-stack":                    {set("EndpointOptions.UseDualStackEndpoint", aws.DualStackEndpointStateEnabled)},
		"HTTPClient":                    {set("HTTPClient", failing{"of the call"})},
		"Region":                        {set("Region", "eu-west-1")},
		"Region and BaseEndpoint":       {set("Region", "eu-west-1"), set("BaseEndpoint", aws.String("http://127.0.0.1:1"))},
		"RetryMaxAttempts":              {set("RetryMaxAttempts", 5)},
		"RetryMaxAttempts of 0":         {set("RetryMaxAttempts", 0)},
		"RetryMaxAttempts as it was":    {set("RetryMaxAttempts", 4)},
		"RetryMode":                     {set("RetryMode", aws.RetryModeAdaptive)},
		"Retryer":                       {set("Retryer", twice)},
		"Retryer and more attempts":     {set("Retryer", twice), set("RetryMaxAttempts", 6)},
		"one option after the other":    {set("AppID", "first"), set("AppID", "last")},
		"DefaultsMode":                  {set("DefaultsMode", aws.DefaultsModeMobile)},
		"TracerProvider, ClientLogMode": {set("TracerProvider", &recordingTracer{}), set("ClientLogMode", aws.LogRetries)},
	} {
		t.Run(name, func(t *testing.T) {
			var runs [][]string
			for _, peer := range peers {
				cfg := workingConfig(failing{"of the client"})
				cfg.RetryMaxAttempts = 4
				var run []string
				synctest.Test(t, func(t *testing.T) {
					ask := peer.new(cfg)
					for _, ofCall := range [][]func(string, any){nil, options, nil} {
						record := &sent{}
						ask(context.WithValue(t.Context(), sentKey{}, record), janes(), ofCall...)
						run = append(run, describeSent(t, record))
					}
				})
				runs = append(runs, run)
			}
			assert.Equal(t, runs[0], runs[1])
			assert.Equal(t, runs[1][0][:20], runs[1][2][:20], "an option of a call does not outlive it")
		})
	}
}

// describeSent describes all that options can change in what a call sent.
func describeSent(t *testing.T, record *sent) string {
	t.Helper()
	require.NotEmpty(t, record.requests)
	req := record.requests[0]
	key, _ := credentialOf(req)
	app := regexp.MustCompile(`app/\S+`).FindString(req.Header.Get("User-Agent"))
	skewed := time.Until(signingTime(t, req)) > 30*time.Minute
	return fmt.Sprintf("%d attempts by %s %+v %s %s token %q, signed ahead %t, %s", len(record.requests), record.via, endpointOfRequest(req), key, app,
		req.Header.Get("X-Amz-Security-Token"), skewed, req.Header.Get("Amz-Sdk-Request"))
}

// TestRetryMaxAttemptsOfAConfig sets the option to 0 after the default retryer was made.
func TestRetryMaxAttemptsOfAConfig(t *testing.T) {
	for _, mode := range []aws.RetryMode{aws.RetryModeStandard, aws.RetryModeAdaptive} {
		for _, peer := range peers {
			record := &sent{}
			synctest.Test(t, func(t *testing.T) {
				cfg := workingConfig(failing{}, set("RetryMaxAttempts", 0))
				cfg.RetryMaxAttempts, cfg.RetryMode = 5, mode
				peer.ask(context.WithValue(t.Context(), sentKey{}, record), cfg, janes())
			})
			assert.Len(t, record.requests, 5, "%s, %s", peer.name, mode)
		}
	}
}

// TestEndsOfContextsAreTheSame ends the caller's context at each stage of a call.
func TestEndsOfContextsAreTheSame(t *testing.T) {
	for name, test := range map[string]struct {
		deadline time.Duration // 0 is none
		provider func(context.Context, context.CancelFunc) error
		send     func(*http.Request, context.CancelFunc) (*http.Response, error)
		before   bool
	}{
		"before the call": {before: true},
		"in credentials": {provider: func(ctx context.Context, cancel context.CancelFunc) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}},
		"in credentials, by a deadline": {deadline: time.Second, provider: func(ctx context.Context, _ context.CancelFunc) error {
			<-ctx.Done()
			return ctx.Err()
		}},
		"while sending": {send: func(r *http.Request, cancel context.CancelFunc) (*http.Response, error) {
			cancel()
			<-r.Context().Done()
			return nil, r.Context().Err()
		}},
		"while sending, by a deadline": {deadline: time.Second, send: func(r *http.Request, _ context.CancelFunc) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}},
		"after an error that is retried": {send: func(r *http.Request, cancel context.CancelFunc) (*http.Response, error) {
			cancel()
			return response(500, nil, `{}`), nil
		}},
		"in the back-off": {deadline: 3 * time.Second, send: func(*http.Request, context.CancelFunc) (*http.Response, error) {
			return response(503, http.Header{"X-Amz-Retry-After": {"4000"}}, `{}`), nil
		}},
		"after a success": {send: func(_ *http.Request, cancel context.CancelFunc) (*http.Response, error) {
			cancel()
			return response(200, nil, urlReply), nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var outcomes []outcome
			for _, peer := range peers {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					if test.deadline > 0 {
						ctx, cancel = context.WithTimeout(t.Context(), test.deadline)
						defer cancel()
					}
					send := test.send
					if send == nil {
						send = func(*http.Request, context.CancelFunc) (*http.Response, error) {
							return nil, errors.New("not to be reached")
						}
					}
					cfg := workingConfig(smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) { return send(r, cancel) }))
					if test.provider != nil {
						cfg.Credentials = aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
							return aws.Credentials{}, test.provider(ctx, cancel)
						})
					}
					if test.before {
						cancel()
					}
					outcomes = append(outcomes, peer.ask(ctx, cfg, janes()))
				})
			}
			assert.Equal(t, outcomes[0], outcomes[1])
			assert.Equal(t, name != "after a success", outcomes[1].Layers != nil)
		})
	}
}

// TestFailingSignerAndProviderAreTheSame compares errors before sending.
func TestFailingSignerAndProviderAreTheSame(t *testing.T) {
	signing := workingConfig(&recorder{}, set("HTTPSignerV4", failingSigner{}))
	providing := workingConfig(&recorder{})
	providing.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("no role") })
	for name, cfg := range map[string]aws.Config{"a signer": signing, "a provider": providing} {
		t.Run(name, func(t *testing.T) {
			official, ours := askOfficial(t.Context(), cfg, janes()), askOurs(t.Context(), cfg, janes())
			assert.Equal(t, official.Text, ours.Text)
			assert.Equal(t, official.Layers[len(official.Layers)-1], ours.Layers[len(ours.Layers)-1])
		})
	}
}

type failingSigner struct{}

func (failingSigner) SignHTTP(context.Context, aws.Credentials, *http.Request, string, string, string, time.Time, ...func(*v4.SignerOptions)) error {
	return errors.New("no key store")
}

// TestSkewIsRemembered makes two calls with one client to a service whose clock is an hour ahead.
func TestSkewIsRemembered(t *testing.T) {
	for _, peer := range peers {
		synctest.Test(t, func(t *testing.T) {
			service := &script{attempts: []scripted{skewed(time.Hour), answered(200, urlReply, "Date", "1h")}, start: time.Now()}
			ask := peer.new(workingConfig(service))
			ask(t.Context(), janes())
			ask(t.Context(), janes())
			var signed []time.Duration
			for _, request := range service.seen {
				signed = append(signed, request.SignedAt)
			}
			assert.Equal(t, []time.Duration{0, time.Hour, time.Hour}, signed, peer.name)
		})
	}
}

// TestLogsOfRetriesAreTheSame compares the lines of ClientLogMode LogRetries.
func TestLogsOfRetriesAreTheSame(t *testing.T) {
	var logs []string
	for _, peer := range peers {
		var logged strings.Builder
		cfg := workingConfig(&script{attempts: []scripted{failure, throttled, failure}})
		cfg.ClientLogMode, cfg.Logger = aws.LogRetries, logging.LoggerFunc(func(class logging.Classification, format string, args ...any) {
			fmt.Fprintf(&logged, "%s "+format+"\n", append([]any{class}, args...)...)
		})
		cfg.Retryer = withoutDelay
		peer.ask(t.Context(), cfg, janes())
		logs = append(logs, logged.String())
	}
	assert.Equal(t, logs[0], logs[1])
	assert.Contains(t, logs[1], "retrying request QuickSight/GetSessionEmbedUrl, attempt 3")
}

// TestTraceOfLambdaIsTheSame compares the header that detects loops of functions.
func TestTraceOfLambdaIsTheSame(t *testing.T) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "embed")
	t.Setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1")
	sent := &recorder{}
	for _, peer := range peers {
		peer.ask(t.Context(), workingConfig(sent), janes())
	}
	assert.Equal(t, sent.requests[0].Header["X-Amzn-Trace-Id"], sent.requests[1].Header["X-Amzn-Trace-Id"])
	assert.NotEmpty(t, sent.requests[1].Header["X-Amzn-Trace-Id"])
}

// TestModelIsTheSame compares the exceptions and constants of both clients.
func TestModelIsTheSame(t *testing.T) {
	text := aws.String
	for _, pair := range [][2]smithy.APIError{
		{&types.AccessDeniedException{Message: text("m"), ErrorCodeOverride: text("O")}, &quicksightembed.AccessDeniedException{Message: text("m"), ErrorCodeOverride: text("O")}},
		{&types.InternalFailureException{Message: text("m"), ErrorCodeOverride: text("O")}, &quicksightembed.InternalFailureException{Message: text("m"), ErrorCodeOverride: text("O")}},
		{&types.InvalidParameterValueException{Message: text("m"), ErrorCodeOverride: text("O")}, &quicksightembed.InvalidParameterValueException{Message: text("m"), ErrorCodeOverride: text("O")}},
		{&types.QuickSightUserNotFoundException{Message: text("m"), ErrorCodeOverride: text("O")}, &quicksightembed.QuickSightUserNotFoundException{Message: text("m"), ErrorCodeOverride: text("O")}},
		{&types.ResourceExistsException{Message: text("m"), ErrorCodeOverride: text("O")}, &quicksightembed.ResourceExistsException{Message: text("m"), ErrorCodeOverride: text("O")}},
		{&types.ResourceNotFoundException{Message: text("m"), ErrorCodeOverride: text("O")}, &quicksightembed.ResourceNotFoundException{Message: text("m"), ErrorCodeOverride: text("O")}},
		{&types.SessionLifetimeInMinutesInvalidException{Message: text("m"), ErrorCodeOverride: text("O")}, &quicksightembed.SessionLifetimeInMinutesInvalidException{Message: text("m"), ErrorCodeOverride: text("O")}},
		{&types.ThrottlingException{Message: text("m"), ErrorCodeOverride: text("O")}, &quicksightembed.ThrottlingException{Message: text("m"), ErrorCodeOverride: text("O")}},
		{&types.UnsupportedUserEditionException{Message: text("m"), ErrorCodeOverride: text("O")}, &quicksightembed.UnsupportedUserEditionException{Message: text("m"), ErrorCodeOverride: text("O")}},
		{&types.ThrottlingException{}, &quicksightembed.ThrottlingException{}},
	} {
		assert.Equal(t, failed(pair[0]), failed(pair[1]))
	}
	var official, ours []string
	for _, value := range types.ExceptionResourceType("").Values() {
		official = append(official, string(value))
	}
	for _, value := range []quicksightembed.ExceptionResourceType{
		quicksightembed.ExceptionResourceTypeUser, quicksightembed.ExceptionResourceTypeGroup, quicksightembed.ExceptionResourceTypeNamespace,
		quicksightembed.ExceptionResourceTypeAccountSettings, quicksightembed.ExceptionResourceTypeIampolicyAssignment, quicksightembed.ExceptionResourceTypeDataSource,
		quicksightembed.ExceptionResourceTypeDataSet, quicksightembed.ExceptionResourceTypeVpcConnection, quicksightembed.ExceptionResourceTypeIngestion,
	} {
		ours = append(ours, string(value))
	}
	assert.Equal(t, official, ours)
}
