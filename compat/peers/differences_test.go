package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// difference is something that this client does otherwise than the official one, on purpose. The
// tests excuse nothing else, and the README's table is made of these.
type difference struct {
	about    string
	official string
	ours     string
	why      string
	shown    func(t *testing.T) // fails where the clients do not differ so
}

// The differences that other tests come upon too.
var (
	refusedInput = difference{
		about:    "Input, or a base endpoint, that breaks a documented rule",
		official: "sends it, unless there is no account ID or an empty one (`smithy.InvalidParamsError`, `smithy.SerializationError`) or an endpoint rule fails",
		ours:     "returns a `*ValidationError` that names every failing field; sends nothing",
		why:      "bad input should not leave the process",
		shown: func(t *testing.T) {
			for _, in := range []*quicksightembed.GetSessionEmbedUrlInput{
				{},
				{AwsAccountId: aws.String("")},
				{AwsAccountId: aws.String("1111")},
				{AwsAccountId: aws.String(account), EntryPoint: aws.String("/start/../x")},
				{AwsAccountId: aws.String(account), SessionLifetimeInMinutes: aws.Int64(14)},
				{AwsAccountId: aws.String(account), UserArn: aws.String("arn:aws:quicksight:111122223333:user/default/jane")},
			} {
				sent := &recorder{}
				official := askOfficial(t.Context(), workingConfig(sent), in)
				assert.True(t, len(sent.requests) == 1 || contains(official.Layers, "smithy.InvalidParamsError") || contains(official.Layers, "smithy.SerializationError"), official.Text)
				sent = &recorder{}
				assert.Equal(t, []string{"smithy.OperationError", "ValidationError"}, askOurs(t.Context(), workingConfig(sent), in).Layers)
				assert.Empty(t, sent.requests)
			}
			for _, base := range []string{"https://jane:secret@proxy.example.com", "https://proxy.example.com/?a=b", "https://proxy.example.com:99999"} {
				cfg := workingConfig(nil)
				cfg.BaseEndpoint = &base
				official, ours := endpointsOf(t, cfg)
				assert.NotEqual(t, refused, official)
				assert.Equal(t, refused, ours)
			}
		},
	}
	strictRegion = difference{
		about:    "A region that is not one label of a host name",
		official: "is taken where it has dots (`us-east-1.evil` leads to `quicksight.us-east-1.evil.amazonaws.com`), and beside a base endpoint where it is empty",
		ours:     "is refused with a `*ValidationError`",
		why:      "it is part of the host name, and it is signed",
		shown: func(t *testing.T) {
			cfg := workingConfig(nil)
			cfg.Region = "us-east-1.evil"
			official, ours := endpointsOf(t, cfg)
			assert.Equal(t, "quicksight.us-east-1.evil.amazonaws.com", official.Host)
			assert.Equal(t, refused, ours)

			cfg.Region, cfg.BaseEndpoint = "", aws.String("https://proxy.example.com")
			official, ours = endpointsOf(t, cfg)
			assert.Equal(t, "/quicksight/aws4_request", official.Scope)
			assert.Equal(t, refused, ours)
		},
	}
	defaultPort = difference{
		about:    "A base endpoint of an IPv6 address, or of a host with `_`, that names the default port",
		official: "returns an error",
		ours:     "sends, without the port",
		why:      "the same endpoint without the port works",
		shown: func(t *testing.T) {
			for base, host := range map[string]string{"http://[::1]:80": "[::1]", "https://my_service:443": "my_service"} {
				cfg := workingConfig(nil)
				cfg.BaseEndpoint = &base
				official, ours := endpointsOf(t, cfg)
				assert.Equal(t, refused, official)
				assert.Equal(t, host, ours.Host)
			}
		},
	}
	withoutURL = difference{
		about:    "A success without `EmbedUrl`",
		official: "returns an output whose `EmbedUrl` is nil or empty",
		ours:     "returns a `smithy.DeserializationError`",
		why:      "`*out.EmbedUrl` must be safe",
		shown: func(t *testing.T) {
			for _, body := range []string{``, `{}`, `null`, `{"EmbedUrl":null}`, `{"EmbedUrl":""}`} {
				official, ours := compareReplies(t, reply{status: 200, body: body})
				assert.Nil(t, official.Layers)
				assert.Empty(t, aws.ToString(official.EmbedUrl))
				assert.Contains(t, ours.Layers, "smithy.DeserializationError")
			}
		},
	}
	enveloped = difference{
		about:    "A gateway's envelope, `{\"success\":…}`",
		official: "finds no `EmbedUrl` and no error in it",
		ours:     "reads `data` and `error`: `Id`, `CreatedAt`, `EmbedUrl`, or the error",
		why:      "such a gateway is in use",
		shown: func(t *testing.T) {
			official, ours := compareReplies(t, reply{status: 200, body: `{"success":true,"data":{"id":"1","embed_url":"https://x"}}`})
			assert.Nil(t, official.EmbedUrl)
			assert.Equal(t, "https://x", aws.ToString(ours.EmbedUrl))
			official, ours = compareReplies(t, reply{status: 200, body: `{"success":false,"error":{"code":"AccessDeniedException","message":"m"}}`})
			assert.Nil(t, official.Layers)
			assert.Equal(t, `AccessDeniedException "m" of 200`, ours.summary())
		},
	}
	anyCase = difference{
		about:    "JSON keys in another case, `{\"embedUrl\":…}`",
		official: "are ignored, except those of an error's code and of the message of an unknown code",
		ours:     "are understood",
		why:      "`encoding/json` does so; QuickSight does not send them",
		shown: func(t *testing.T) {
			official, ours := compareReplies(t, reply{status: 200, body: `{"embedurl":"https://x"}`})
			assert.Nil(t, official.EmbedUrl)
			assert.Equal(t, "https://x", aws.ToString(ours.EmbedUrl))
			official, ours = compareReplies(t, reply{status: 400, header: errorType("AccessDeniedException"), body: `{"MESSAGE":"m"}`})
			assert.Equal(t, []string{"", "m"}, []string{official.Message, ours.Message})
		},
	}
	wrongType = difference{
		about:    "A value of a wrong type, other than `EmbedUrl`'s",
		official: "makes the reply unreadable: a URL or an error code is lost",
		ours:     "is ignored, and the rest is read",
		why:      "a request ID that is a number should not lose a URL",
		shown: func(t *testing.T) {
			official, ours := compareReplies(t, reply{status: 200, body: `{"EmbedUrl":"https://x","RequestId":7}`})
			assert.Contains(t, official.Layers, "smithy.DeserializationError")
			assert.Equal(t, "https://x", aws.ToString(ours.EmbedUrl))
			assert.Nil(t, ours.RequestId)
			official, ours = compareReplies(t, reply{status: 429, header: errorType("ThrottlingException"), body: `{"message":{}}`})
			assert.Contains(t, official.Layers, "smithy.DeserializationError")
			assert.Equal(t, "ThrottlingException", ours.Code)
		},
	}
	emptyText = difference{
		about:    "An empty `RequestId` or `message` in a reply",
		official: "is a pointer to an empty string",
		ours:     "is nil",
		why:      "it says nothing",
		shown: func(t *testing.T) {
			official, ours := compareReplies(t, reply{status: 200, body: `{"EmbedUrl":"https://x","RequestId":""}`})
			assert.Equal(t, aws.String(""), official.RequestId)
			assert.Nil(t, ours.RequestId)
		},
	}
	eitherMessage = difference{
		about:    "An exception with both `message` and `Message`",
		official: "takes one of them, not always the same",
		ours:     "takes `message`",
		why:      "the same reply should be the same error",
		shown: func(t *testing.T) {
			messages := map[string]bool{}
			for range 200 {
				official, ours := compareReplies(t, reply{status: 400, header: errorType("AccessDeniedException"), body: `{"message":"m","Message":"M"}`})
				messages[official.Message] = true
				assert.Equal(t, "m", ours.Message)
			}
			assert.Len(t, messages, 2)
		},
	}
	unreadableText = difference{
		about:    "The text of the error for a reply that cannot be read",
		official: "is the JSON decoder's",
		ours:     "names the content type, what is wrong with which key, or where a redirect leads",
		why:      "such a reply is a proxy's: the text should tell whose",
		shown: func(t *testing.T) {
			page := reply{status: 502, header: http.Header{"Content-Type": {"text/html"}}, body: `<html>`}
			cfg := workingConfig(page.transport())
			cfg.Retryer = once
			official, ours := askOfficial(t.Context(), cfg, janes()), askOurs(t.Context(), cfg, janes())
			assert.NotContains(t, official.Text, "text/html")
			assert.Contains(t, ours.Text, `the reply (content type "text/html") cannot be read`)
		},
	}
	cancelledInBody = difference{
		about:    "A context that ends while the reply's body is read",
		official: "is a `smithy.DeserializationError`",
		ours:     "is a `smithy.CanceledError`, as while sending",
		why:      "the reply is not what was wrong",
		shown: func(t *testing.T) {
			for i, layer := range []string{"smithy.DeserializationError", "smithy.CanceledError"} {
				ctx, cancel := context.WithCancel(t.Context())
				cfg := workingConfig(smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) {
					cancel()
					return reply{status: 200, body: urlReply[:40], broken: context.Canceled}.transport()(nil)
				}))
				assert.Contains(t, peers[i].ask(ctx, cfg, janes()).Layers, layer)
			}
		},
	}
	clockSkewSwitch = difference{
		about:    "`AWS_DISABLE_CLOCK_SKEW_CORRECTION`, `aws.Config.DisableClockSkewCorrection`",
		official: "does not pass it on: the signing time follows the service's clock",
		ours:     "signs with this machine's clock where it is set",
		why:      "a setting should do what it says",
		shown: func(t *testing.T) {
			official, ours := observed(t, workingConfig(nil), func(c *aws.Config) { c.DisableClockSkewCorrection = true })
			assert.True(t, official.FollowsSkew)
			assert.False(t, ours.FollowsSkew)
		},
	}
	hiddenSecrets = difference{
		about:    "Secrets in errors and logs",
		official: "repeats what AWS says, logs requests, replies and the string to sign as they are, and leads from the metadata to the signed request",
		ours:     "writes `REDACTED` for session tokens, signatures, and what looks like the query of a URL; the metadata's request has no header",
		why:      "logs are read by many",
		shown: func(t *testing.T) {
			logs := map[string]string{}
			for _, peer := range peers {
				var logged strings.Builder
				server := embedtest.NewServer(func(o *embedtest.Options) { o.Credentials.SessionToken = "t0ken" })
				cfg := server.Config()
				cfg.ClientLogMode = aws.LogSigning | aws.LogRequestWithBody | aws.LogResponseWithBody
				cfg.Logger = logging.NewStandardLogger(&logged)
				assert.Empty(t, peer.ask(t.Context(), cfg, janes()).Text)
				server.Close()
				logs[peer.name] = logged.String()
			}
			for secret, pattern := range map[string]string{"token": "t0ken", "signature": "Signature=[0-9a-f]{64}", "code": `code=[\w%-]{64}`} {
				assert.Regexp(t, pattern, logs["the official client"], secret)
				assert.NotRegexp(t, pattern, logs["this client"], secret)
			}
			body := `{"message":"open https://x.example/embedding/1?code=c0de"}`
			official, ours := compareReplies(t, reply{status: 400, header: errorType("AccessDeniedException"), body: body})
			assert.Contains(t, official.Text, "c0de")
			assert.NotContains(t, ours.Text, "c0de")
			assert.Equal(t, "open https://x.example/embedding/1?REDACTED", ours.Message)
		},
	}
)

var differences = []difference{
	refusedInput,
	strictRegion,
	defaultPort,
	{
		about:    "Options that cannot work",
		official: "takes a negative `RetryMaxAttempts` for no bound, and an unknown retry or defaults mode for the default",
		ours:     "returns a `*ValidationError` from each call",
		why:      "a typing error should not change how often a service that is down is called",
		shown: func(t *testing.T) {
			for _, option := range []func(*aws.Config){
				func(c *aws.Config) { c.RetryMode = "standrad" },
				func(c *aws.Config) { c.DefaultsMode = "fast" },
				func(c *aws.Config) { c.RetryMaxAttempts = -1 },
			} {
				cfg := workingConfig(&recorder{})
				option(&cfg)
				assert.Nil(t, askOfficial(t.Context(), cfg, janes()).Layers)
				assert.Contains(t, askOurs(t.Context(), cfg, janes()).Layers, "ValidationError")
			}
		},
	},
	{
		about:    "A nil pointer as an HTTP client, signer, logger, retryer or tracer",
		official: "panics",
		ours:     "is none: the default is used",
		why:      "a nil pointer in an interface is easily made, and hard to find",
		shown: func(t *testing.T) {
			official, ours := workingConfig(&recorder{}), workingConfig(&recorder{})
			official.Retryer = func() aws.Retryer { return (*retry.Standard)(nil) }
			ours.Retryer = official.Retryer
			assert.Panics(t, func() { askOfficial(t.Context(), official, janes()) })
			assert.Empty(t, askOurs(t.Context(), ours, janes()).Text)
		},
	},
	{
		about:    "Connections in the defaults modes other than legacy, and the timeouts of a mode",
		official: "each client has its own; a mode's timeouts are set in a `BuildableClient` of the config alone",
		ours:     "all that are given one `BuildableClient`, or none, share connections; it has the mode's timeouts however it was given",
		why:      "a client for each request should not open a connection for each",
		shown: func(t *testing.T) {
			opened := map[string]int{}
			for _, peer := range peers {
				server, count := countingServer(t)
				for range 10 {
					cfg := workingConfig(awshttp.NewBuildableClient())
					cfg.BaseEndpoint, cfg.DefaultsMode = aws.String(server.URL), aws.DefaultsModeStandard
					ask := peer.new(cfg)
					ask(t.Context(), janes())
					ask(t.Context(), janes(), set("HTTPClient", cfg.HTTPClient))
				}
				opened[peer.name] = count()
			}
			assert.Equal(t, map[string]int{"the official client": 20, "this client": 10}, opened)
		},
	},
	{
		about:    "No credentials, anonymous ones, or empty keys",
		official: "sends the request unsigned, or signed with an empty key",
		ours:     "returns an error before sending",
		why:      "this operation has no unsigned form",
		shown: func(t *testing.T) {
			for _, none := range []aws.CredentialsProvider{nil, aws.AnonymousCredentials{}, credentials("", "", "")} {
				sent := &recorder{}
				cfg := workingConfig(sent)
				cfg.Credentials = none
				askOfficial(t.Context(), cfg, janes())
				require.Len(t, sent.requests, 1)
				key, _ := credentialOf(sent.requests[0])
				assert.Empty(t, key)
				ours := askOurs(t.Context(), cfg, janes())
				assert.Len(t, sent.requests, 1)
				assert.Regexp(t, "Options.Credentials is required|the provider returned no keys", ours.Text)
			}
		},
	},
	{
		about:    "Redirects",
		official: "follows a 307 or 308",
		ours:     "follows none, whichever client of `net/http` or of the AWS core is given",
		why:      "a signed request must not travel",
		shown: func(t *testing.T) {
			server := embedtest.NewServer()
			defer server.Close()
			for _, client := range []aws.HTTPClient{nil, &http.Client{}, awshttp.NewBuildableClient()} {
				for _, status := range []int{307, 308} {
					cfg := server.Config()
					cfg.HTTPClient, cfg.Retryer = client, once
					server.Inject(embedtest.Redirect(status, server.URL+"/elsewhere").Times(2))
					before := len(server.Requests())
					askOfficial(t.Context(), cfg, janes())
					assert.Len(t, server.Requests(), before+2)
					ours := askOurs(t.Context(), cfg, janes())
					assert.Len(t, server.Requests(), before+3)
					assert.Equal(t, status, ours.HTTPStatus)
				}
			}
		},
	},
	{
		about:    "A service that does not answer",
		official: "is waited for until the caller's context ends",
		ours:     "is waited for 15 seconds a try (`Options.AttemptTimeout`), and tried again",
		why:      "nothing hangs",
		shown: func(t *testing.T) {
			for i, want := range []int{1, 3} {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					tries := 0
					peers[i].ask(ctx, workingConfig(smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
						tries++
						<-r.Context().Done()
						return nil, r.Context().Err()
					})), janes())
					assert.Equal(t, want, tries, peers[i].name)
				})
			}
		},
	},
	{
		about:    "A credentials provider that fails",
		official: "is an error with the text `get identity: …`",
		ours:     "is a `*CredentialsError` with the same text",
		why:      "it can be told from what QuickSight answers",
		shown: func(t *testing.T) {
			cfg := workingConfig(&recorder{})
			cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("no role") })
			_, err := quicksightembed.NewFromConfig(cfg).GetSessionEmbedUrl(t.Context(), janes())
			var credentialsErr *quicksightembed.CredentialsError
			require.ErrorAs(t, err, &credentialsErr)
			assert.Equal(t, askOfficial(t.Context(), cfg, janes()).Text, err.Error())
		},
	},
	withoutURL,
	enveloped,
	anyCase,
	wrongType,
	emptyText,
	eitherMessage,
	unreadableText,
	cancelledInBody,
	{
		about:    "A reply of more than 1 MiB",
		official: "is read whole",
		ours:     "is a `smithy.DeserializationError`; no more is read",
		why:      "a proxy that is out of order should not fill the memory",
		shown: func(t *testing.T) {
			official, ours := compareReplies(t, reply{status: 200, body: urlReply[:len(urlReply)-1] + `,"x":"` + strings.Repeat("x", 1<<20) + `"}`})
			assert.Nil(t, official.Layers)
			assert.Contains(t, ours.Layers, "smithy.DeserializationError")
		},
	},
	{
		about:    "A reply that ends before its `Content-Length`, with complete JSON",
		official: "is taken",
		ours:     "is a `smithy.DeserializationError`",
		why:      "it was cut off: what is missing is not known",
		shown: func(t *testing.T) {
			official, ours := compareReplies(t, reply{status: 200, body: urlReply, broken: io.ErrUnexpectedEOF})
			assert.Nil(t, official.Layers)
			assert.Contains(t, ours.Layers, "smithy.DeserializationError")
		},
	},
	{
		about:    "A reply of 101, Switching Protocols",
		official: "is read until the connection ends, whatever timeout or context there is",
		ours:     "is an error of its headers; its body, which is the connection, is not read",
		why:      "nothing hangs",
		shown: func(t *testing.T) {
			for i, read := range []bool{true, false} {
				body := &noticed{Reader: strings.NewReader(`{"message":"m"}`)}
				cfg := workingConfig(smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: 101, Header: errorType("ThrottlingException"), Body: body}, nil
				}))
				cfg.Retryer = once
				assert.Equal(t, "ThrottlingException", peers[i].ask(t.Context(), cfg, janes()).Code)
				assert.Equal(t, read, body.read)
			}
		},
	},
	clockSkewSwitch,
	hiddenSecrets,
	{
		about:    "`HTTPSignerV4` as an option of one call",
		official: "is ignored: the client's own signs",
		ours:     "signs",
		why:      "an option of a call should count in it",
		shown: func(t *testing.T) {
			for i, calls := range []int{0, 1} {
				signer := &countingSigner{Signer: v4.NewSigner()}
				assert.Empty(t, peers[i].new(workingConfig(&recorder{}))(t.Context(), janes(), set("HTTPSignerV4", signer)).Text)
				assert.Equal(t, calls, signer.calls)
			}
		},
	},
	{
		about:    "An `HTTPClient` of one's own that returns neither reply nor error, or a reply without a body",
		official: "returns a `smithy.GenericAPIError` of the status 0, or panics",
		ours:     "returns a `smithyhttp.RequestSendError` that says so, or reads an empty body",
		why:      "the client is what is to be mended",
		shown: func(t *testing.T) {
			cfg := workingConfig(smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) { return nil, nil }))
			cfg.Retryer = once
			assert.Equal(t, "UnknownError", askOfficial(t.Context(), cfg, janes()).Code)
			assert.Contains(t, askOurs(t.Context(), cfg, janes()).Text, "the HTTP client returned neither a reply nor an error")
			cfg.HTTPClient = smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 200}, nil })
			assert.Panics(t, func() { askOfficial(t.Context(), cfg, janes()) })
			assert.Contains(t, askOurs(t.Context(), cfg, janes()).Layers, "smithy.DeserializationError")
		},
	},
	{
		about:    "What an `HTTPClient` or a signer finds in the context",
		official: "service and operation in both forms (`middleware.GetServiceID` of smithy-go and of the AWS core), the region, the payload's hash",
		ours:     "service and operation in the AWS core's form",
		why:      "nothing in the AWS core reads the others, and each costs",
		shown: func(t *testing.T) {
			for i, found := range []string{"QuickSight QuickSight us-east-1", "QuickSight  "} {
				got := ""
				cfg := workingConfig(smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
					ctx := r.Context()
					got = strings.Join([]string{awsmiddleware.GetServiceID(ctx), middleware.GetServiceID(ctx), awsmiddleware.GetRegion(ctx)}, " ")
					return response(200, nil, urlReply), nil
				}))
				peers[i].ask(t.Context(), cfg, janes())
				assert.Equal(t, found, got)
			}
		},
	},
	{
		about:    "`User-Agent`, and the scope of the tracer",
		official: "names its module, and in the `User-Agent` which features of the SDK are in use",
		ours:     "names this library; no features",
		why:      "it does not claim to be another",
		shown: func(t *testing.T) {
			sent := &recorder{}
			askOfficial(t.Context(), workingConfig(sent), janes())
			askOurs(t.Context(), workingConfig(sent), janes())
			official, ours := sent.requests[0].Header.Get("User-Agent"), sent.requests[1].Header.Get("User-Agent")
			assert.Regexp(t, `api/quicksight#[\d.]+ m/`, official)
			assert.Regexp(t, `lib/quicksightembed#[\d.]+$`, ours)
			for i, scope := range []string{"github.com/aws/aws-sdk-go-v2/service/quicksight", "example.com/quicksightembed"} {
				tracer := &recordingTracer{}
				peers[i].ask(t.Context(), workingConfig(&recorder{}, set("TracerProvider", tracer)), janes())
				assert.Equal(t, scope, tracer.scope)
			}
			common := regexp.MustCompile(`^aws-sdk-go-v2/\S+ ua/\S+ os/\S+ lang/\S+`)
			assert.Equal(t, common.FindString(official), common.FindString(ours))
		},
	},
	{
		about:    "A middleware that sets a signing name or region in the context (deprecated), or a path before `OperationSerializer`",
		official: "signs with them; joins the operation's path to it",
		ours:     "signs with `Options.Region`; sets the operation's path",
		why:      "`Options.Region` and `BaseEndpoint` do it",
		shown: func(t *testing.T) {
			steer := func(stack *middleware.Stack) error {
				return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("steer", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
					in.Request.(*smithyhttp.Request).URL.Path = "/before"
					//lint:ignore SA1019 programs set it
					return next.HandleSerialize(awsmiddleware.SetSigningRegion(ctx, "eu-west-1"), in)
				}), middleware.Before)
			}
			for i, want := range []string{"/before/accounts/111122223333/session-embed-url eu-west-1/quicksight", "/accounts/111122223333/session-embed-url us-east-1/quicksight"} {
				sent := &recorder{}
				cfg := workingConfig(sent)
				cfg.APIOptions = []apiOption{steer}
				peers[i].ask(t.Context(), cfg, janes())
				_, scope := credentialOf(sent.requests[0])
				assert.Equal(t, want, sent.requests[0].URL.Path+" "+strings.TrimSuffix(scope, "/aws4_request"))
			}
		},
	},
	{
		about:    "Spans inside of a call",
		official: "has one for each step, and starts `RetryLoop` twice, one in the other (v1.113.0)",
		ours:     "has those of the operation, the attempts, the identity and the HTTP exchange",
		why:      "the others take no time",
		shown: func(t *testing.T) {
			names := map[string]string{}
			for _, peer := range peers {
				tracer := &recordingTracer{}
				peer.ask(t.Context(), workingConfig(&recorder{}, set("TracerProvider", tracer)), janes())
				names[peer.name] = strings.Join(namesOf(tracer.roots), " ")
			}
			assert.Equal(t, map[string]string{
				"the official client": "QuickSight.GetSessionEmbedUrl OperationSerializer RetryLoop RetryLoop Attempt ResolveAuthScheme GetIdentity " +
					"ResolveEndpoint ComputePayloadSHA256 SignRequest DoHTTPRequest OperationDeserializer",
				"this client": "QuickSight.GetSessionEmbedUrl RetryLoop Attempt GetIdentity DoHTTPRequest",
			}, names)
		},
	},
}

// namesOf are the names of spans, and of those in them.
func namesOf(spans []*span) (names []string) {
	for _, s := range spans {
		names = append(append(names, s.name), namesOf(s.children)...)
	}
	return names
}

// noticed is a body that tells whether it was read.
type noticed struct {
	io.Reader
	read bool
}

func (n *noticed) Read(p []byte) (int, error) {
	n.read = true
	return n.Reader.Read(p)
}

func (n *noticed) Close() error { return nil }

type countingSigner struct {
	*v4.Signer
	calls int
}

func (s *countingSigner) SignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, payloadHash, service, region string, at time.Time, optFns ...func(*v4.SignerOptions)) error {
	s.calls++
	return s.Signer.SignHTTP(ctx, credentials, r, payloadHash, service, region, at, optFns...)
}

func TestDifferences(t *testing.T) {
	for _, d := range differences {
		t.Run(d.about, d.shown)
	}
}

// differencesTable is the README's.
func differencesTable() string {
	var table strings.Builder
	table.WriteString("| what | the official client | this client | because |\n|---|---|---|---|\n")
	for _, d := range differences {
		fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", d.about, d.official, d.ours, d.why)
	}
	return table.String()
}
