package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
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

// difference is a deliberate difference between this client and the official one. The tests allow
// no others, and the table of docs/differences.md lists them.
type difference struct {
	about    string
	official string
	ours     string
	shown    func(t *testing.T) // fails if the clients do not differ like this
}

// The differences that other tests meet too.
var (
	refusedInput = difference{
		about:    "Input or base endpoint that breaks a documented rule",
		official: "sent, except without an account ID or against an endpoint rule",
		ours:     "`*ValidationError` with every failing field; nothing is sent",
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
		about:    "Region that is not one host label",
		official: "accepted with dots (`us-east-1.evil`), or empty with a base endpoint",
		ours:     "`*ValidationError`: it becomes part of the host, and is signed",
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
		about:    "Base endpoint with IPv6 or `_` in its host, and the default port",
		official: "error",
		ours:     "sent, without the port",
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
		about:    "Success without `EmbedUrl`",
		official: "`EmbedUrl` is nil or empty",
		ours:     "`smithy.DeserializationError`",
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
		about:    "Envelope of a gateway, `{\"success\":…}`",
		official: "nothing in it is found",
		ours:     "`Id`, `CreatedAt`, `EmbedUrl`, or the error",
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
		about:    "JSON keys in another case",
		official: "mostly ignored",
		ours:     "read, as `encoding/json` does",
		shown: func(t *testing.T) {
			official, ours := compareReplies(t, reply{status: 200, body: `{"embedurl":"https://x"}`})
			assert.Nil(t, official.EmbedUrl)
			assert.Equal(t, "https://x", aws.ToString(ours.EmbedUrl))
			official, ours = compareReplies(t, reply{status: 400, header: errorType("AccessDeniedException"), body: `{"MESSAGE":"m"}`})
			assert.Equal(t, []string{"", "m"}, []string{official.Message, ours.Message})
		},
	}
	wrongType = difference{
		about:    "Value of a wrong type, except `EmbedUrl`",
		official: "the whole reply is unreadable",
		ours:     "ignored; the rest is read",
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
		about:    "Empty `RequestId` or message",
		official: "pointer to an empty string",
		ours:     "nil",
		shown: func(t *testing.T) {
			official, ours := compareReplies(t, reply{status: 200, body: `{"EmbedUrl":"https://x","RequestId":""}`})
			assert.Equal(t, aws.String(""), official.RequestId)
			assert.Nil(t, ours.RequestId)
		},
	}
	eitherMessage = difference{
		about:    "Exception with `message` and `Message`",
		official: "either, at random",
		ours:     "`message`",
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
		about:    "Error text of an unreadable reply",
		official: "the JSON decoder's",
		ours:     "names the content type, the key, or where a redirect leads",
		shown: func(t *testing.T) {
			page := reply{status: 502, header: http.Header{"Content-Type": {"text/html"}}, body: `<html>`}
			cfg := workingConfig(page.transport())
			cfg.Retryer = once
			official, ours := askOfficial(t.Context(), cfg, janes()), askOurs(t.Context(), cfg, janes())
			assert.NotContains(t, official.Text, "text/html")
			assert.Contains(t, ours.Text, `the reply (content type "text/html") cannot be used`)
		},
	}
	cancelledInBody = difference{
		about:    "Context that ends while the body is read",
		official: "`smithy.DeserializationError`",
		ours:     "`smithy.CanceledError`",
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
		about:    "`AWS_DISABLE_CLOCK_SKEW_CORRECTION`, and its field in the config",
		official: "not passed on",
		ours:     "the machine's clock signs",
		shown: func(t *testing.T) {
			official, ours := observed(t, workingConfig(nil), func(c *aws.Config) { c.DisableClockSkewCorrection = true })
			assert.True(t, official.FollowsSkew)
			assert.False(t, ours.FollowsSkew)
		},
	}
	hiddenSecrets = difference{
		about:    "Secrets in errors, logs and metadata",
		official: "as they are",
		ours:     "`REDACTED`; the metadata's request has no headers",
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
		about:    "Unusable options",
		official: "negative `RetryMaxAttempts`: no bound; unknown modes: the default",
		ours:     "`*ValidationError` of each call",
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
		about:    "nil pointer as HTTP client, signer, logger, retryer or tracer",
		official: "panic",
		ours:     "the default",
		shown: func(t *testing.T) {
			official, ours := workingConfig(&recorder{}), workingConfig(&recorder{})
			official.Retryer = func() aws.Retryer { return (*retry.Standard)(nil) }
			ours.Retryer = official.Retryer
			assert.Panics(t, func() { askOfficial(t.Context(), official, janes()) })
			assert.Empty(t, askOurs(t.Context(), ours, janes()).Text)
		},
	},
	{
		about:    "Connections and timeouts, outside the legacy mode",
		official: "connections for each client; timeouts in the config's `BuildableClient` alone",
		ours:     "connections shared by all that have the same `BuildableClient`, or none; timeouts in each",
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
		about:    "No or anonymous credentials, empty keys",
		official: "sent unsigned, or signed with an empty key",
		ours:     "error; nothing is sent",
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
		about:    "Redirects 307 and 308",
		official: "followed",
		ours:     "not followed, with any client of `net/http` or the AWS core",
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
		about:    "No answer",
		official: "waits until the context ends",
		ours:     "15 seconds for an attempt (`Options.AttemptTimeout`), then retries",
		shown: func(t *testing.T) {
			for i, want := range []int{1, 3} {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					attempts := 0
					peers[i].ask(ctx, workingConfig(smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
						attempts++
						<-r.Context().Done()
						return nil, r.Context().Err()
					})), janes())
					assert.Equal(t, want, attempts, peers[i].name)
				})
			}
		},
	},
	{
		about:    "Credentials provider that fails",
		official: "error with the text `get identity: …`",
		ours:     "`*CredentialsError` with the same text, URLs redacted",
		shown: func(t *testing.T) {
			cfg := workingConfig(&recorder{})
			cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{}, errors.New("no role at https://portal.example/credentials?role_name=embed")
			})
			_, err := quicksightembed.NewFromConfig(cfg).GetSessionEmbedUrl(t.Context(), janes())
			var credentialsErr *quicksightembed.CredentialsError
			require.ErrorAs(t, err, &credentialsErr)
			assert.Equal(t, strings.ReplaceAll(askOfficial(t.Context(), cfg, janes()).Text, "?role_name=embed", "?REDACTED"), err.Error())
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
		about:    "Reply above 1 MiB",
		official: "read whole",
		ours:     "`smithy.DeserializationError`; no more is read",
		shown: func(t *testing.T) {
			official, ours := compareReplies(t, reply{status: 200, body: urlReply[:len(urlReply)-1] + `,"x":"` + strings.Repeat("x", 1<<20) + `"}`})
			assert.Nil(t, official.Layers)
			assert.Contains(t, ours.Layers, "smithy.DeserializationError")
		},
	},
	{
		about:    "Complete JSON, shorter than `Content-Length`",
		official: "accepted",
		ours:     "`smithy.DeserializationError`",
		shown: func(t *testing.T) {
			official, ours := compareReplies(t, reply{status: 200, body: urlReply, broken: io.ErrUnexpectedEOF})
			assert.Nil(t, official.Layers)
			assert.Contains(t, ours.Layers, "smithy.DeserializationError")
		},
	},
	{
		about:    "Reply 101, Switching Protocols",
		official: "read until the connection ends, whatever the context",
		ours:     "error; its body is not read",
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
		about:    "`HTTPSignerV4` as an option of a call",
		official: "ignored",
		ours:     "used",
		shown: func(t *testing.T) {
			for i, calls := range []int{0, 1} {
				signer := &countingSigner{Signer: v4.NewSigner()}
				assert.Empty(t, peers[i].new(workingConfig(&recorder{}))(t.Context(), janes(), set("HTTPSignerV4", signer)).Text)
				assert.Equal(t, calls, signer.calls)
			}
		},
	},
	{
		about:    "`HTTPClient` that returns neither reply nor error, or no body",
		official: "`smithy.GenericAPIError` with status 0; panic",
		ours:     "`smithyhttp.RequestSendError`; an empty body",
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
		about:    "Context values for an `HTTPClient` or a signer",
		official: "service and operation, under two keys each; region; payload hash",
		ours:     "service and operation, under the AWS core's keys",
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
		about:    "`User-Agent`; scope of the tracer",
		official: "its module, and features in use",
		ours:     "this library",
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
		about:    "Middleware that sets a signing name or region (deprecated), or a path before `OperationSerializer`",
		official: "used",
		ours:     "ignored: use `Options.Region`, `BaseEndpoint`",
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
		about:    "IDs of the middleware stack that only the generated client uses",
		official: "`" + strings.Join(officialSteps, "`, `") + "`",
		ours:     "absent: a function that looks for one fails the call",
		shown: func(t *testing.T) {
			var ids [2][]string
			for i, peer := range peers {
				cfg := workingConfig(&recorder{})
				cfg.APIOptions = []apiOption{func(stack *middleware.Stack) error {
					ids[i] = stack.List()
					return nil
				}}
				peer.ask(t.Context(), cfg, janes())
			}
			absent := slices.DeleteFunc(ids[0], func(id string) bool { return slices.Contains(ids[1], id) })
			assert.ElementsMatch(t, officialSteps, absent)
		},
	},
	{
		about:    "Spans within a call",
		official: "one for each step; `RetryLoop` twice",
		ours:     "operation, `RetryLoop`, attempts, identity, HTTP exchange",
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

// officialSteps are the IDs of the official client's stack that this client's does not have.
var officialSteps = []string{
	"legacyEndpointContextSetter", "SetLogger", "setOperationInput", "ResolveEndpoint", "disableHTTPS",
	"setLegacyContextSigningOptions", "SetCredentialSourceMiddleware", "spanRetryLoop", "InterceptBeforeRetryLoop",
	"InterceptAttempt", "ErrorCloseResponseBody", "CloseResponseBody",
}

// namesOf returns the names of spans and of their children.
func namesOf(spans []*span) (names []string) {
	for _, s := range spans {
		names = append(append(names, s.name), namesOf(s.children)...)
	}
	return names
}

// noticed is a body that records whether it was read.
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

// differencesTable returns the table of docs/differences.md.
func differencesTable() string {
	var table strings.Builder
	table.WriteString("| what | official client | this client |\n|---|---|---|\n")
	for _, d := range differences {
		fmt.Fprintf(&table, "| %s | %s | %s |\n", d.about, d.official, d.ours)
	}
	return table.String()
}
