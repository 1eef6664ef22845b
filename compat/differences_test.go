package compat

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/quicksight"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// difference is something that this client does otherwise than the official one, on purpose. The tests excuse nothing else,
// and the README's table is made of these.
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
		about:    "Input that breaks a documented rule",
		official: "sends it, or returns `smithy.InvalidParamsError` or the error of an endpoint rule",
		ours:     "returns a `*ValidationError` that names every failing field; sends nothing",
		why:      "bad input should not leave the process",
		shown: func(t *testing.T) {
			for _, in := range []*quicksightembed.GetSessionEmbedUrlInput{
				{},
				{AwsAccountId: aws.String("1111")},
				{AwsAccountId: aws.String(account), EntryPoint: aws.String("/start/../x")},
				{AwsAccountId: aws.String(account), SessionLifetimeInMinutes: aws.Int64(14)},
				{AwsAccountId: aws.String(account), UserArn: aws.String("arn:aws:quicksight:111122223333:user/default/jane")},
			} {
				sent := &recorder{}
				official := askOfficial(t.Context(), workingConfig(sent), in)
				assert.True(t, len(sent.requests) == 1 || contains(official.Layers, "smithy.InvalidParamsError"), official.Text)
				sent = &recorder{}
				assert.Equal(t, []string{"smithy.OperationError", "ValidationError"}, askOurs(t.Context(), workingConfig(sent), in).Layers)
				assert.Empty(t, sent.requests)
			}
		},
	}
	strictRegion = difference{
		about:    "A region that has dots, or none beside a base endpoint",
		official: "is taken: `us-east-1.evil` leads to `quicksight.us-east-1.evil.amazonaws.com`",
		ours:     "is refused with a `*ValidationError`",
		why:      "a region is one label of the host name, and it is signed",
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
			for _, body := range []string{``, `{}`, `null`, `{"EmbedUrl":null}`, `{"EmbedUrl":""}`, `{"embedurl":"https://x"}`} {
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
		official: "repeats what AWS says, and logs requests and replies as they are",
		ours:     "writes `REDACTED` for session tokens, signatures and queries of URLs",
		why:      "logs are read by many",
		shown: func(t *testing.T) {
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
		official: "takes a negative `RetryMaxAttempts` for no bound, and an unknown retry or defaults mode for the default; a nil pointer panics",
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
			cfg := workingConfig((*http.Client)(nil))
			assert.Panics(t, func() { askOfficial(t.Context(), cfg, janes()) })
			assert.Contains(t, askOurs(t.Context(), cfg, janes()).Layers, "ValidationError")
		},
	},
	{
		about:    "A `BuildableClient` as an option of one call",
		official: "opens new connections for each call",
		ours:     "returns a `*ValidationError`",
		why:      "it leaks connections; `New` takes one",
		shown: func(t *testing.T) {
			server := embedtest.NewServer()
			defer server.Close()
			buildable := awshttp.NewBuildableClient()
			_, err := quicksight.NewFromConfig(server.Config()).GetSessionEmbedUrl(t.Context(), officialInput(janes()), func(o *quicksight.Options) { o.HTTPClient = buildable })
			assert.NoError(t, err)
			_, err = quicksightembed.NewFromConfig(server.Config()).GetSessionEmbedUrl(t.Context(), janes(), func(o *quicksightembed.Options) { o.HTTPClient = buildable })
			assert.ErrorContains(t, err, "BuildableClient")
		},
	},
	{
		about:    "No credentials, or anonymous ones",
		official: "sends the request unsigned, where they are anonymous",
		ours:     "returns an error before sending",
		why:      "this operation has no unsigned form",
		shown: func(t *testing.T) {
			sent := &recorder{}
			cfg := workingConfig(sent)
			cfg.Credentials = aws.AnonymousCredentials{}
			askOfficial(t.Context(), cfg, janes())
			require.Len(t, sent.requests, 1)
			assert.Empty(t, sent.requests[0].Header.Get("Authorization"))
			ours := askOurs(t.Context(), cfg, janes())
			assert.Len(t, sent.requests, 1)
			assert.Contains(t, ours.Text, "no credentials")
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
			cfg := server.Config()
			cfg.HTTPClient, cfg.Retryer = nil, once
			server.Inject(embedtest.Redirect(307, server.URL+"/elsewhere").Times(2))
			askOfficial(t.Context(), cfg, janes())
			assert.Len(t, server.Requests(), 2)
			ours := askOurs(t.Context(), cfg, janes())
			assert.Len(t, server.Requests(), 3)
			assert.Equal(t, 307, ours.HTTPStatus)
		},
	},
	{
		about:    "A service that does not answer",
		official: "is waited for until the caller's context ends",
		ours:     "is waited for 15 seconds a try (`Options.AttemptTimeout`), and tried again",
		why:      "nothing hangs",
		shown: func(t *testing.T) {
			for name, want := range map[string]int{"the official client": 1, "this client": 3} {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					tries := 0
					asks[name](ctx, workingConfig(smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
						tries++
						<-r.Context().Done()
						return nil, r.Context().Err()
					})), janes())
					assert.Equal(t, want, tries, name)
				})
			}
		},
	},
	withoutURL,
	enveloped,
	eitherMessage,
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
	clockSkewSwitch,
	hiddenSecrets,
	{
		about:    "`User-Agent`",
		official: "names its module, and which features of the SDK are in use",
		ours:     "names this library; no features",
		why:      "it does not claim to be another",
		shown: func(t *testing.T) {
			sent := &recorder{}
			askOfficial(t.Context(), workingConfig(sent), janes())
			askOurs(t.Context(), workingConfig(sent), janes())
			official, ours := sent.requests[0].Header.Get("User-Agent"), sent.requests[1].Header.Get("User-Agent")
			assert.Regexp(t, `api/quicksight#[\d.]+ m/`, official)
			assert.Regexp(t, `lib/quicksightembed#[\d.]+$`, ours)
			common := regexp.MustCompile(`^aws-sdk-go-v2/\S+ ua/\S+ os/\S+ lang/\S+`)
			assert.Equal(t, common.FindString(official), common.FindString(ours))
		},
	},
	{
		about:    "The span `RetryLoop`",
		official: "is started twice, one in the other (v1.113.0)",
		ours:     "is started once",
		why:      "the AWS core starts it too",
		shown: func(t *testing.T) {
			loops := map[string]int{}
			for name, ask := range asks {
				tracer := &recordingTracer{}
				ask(t.Context(), workingConfig(&recorder{}, set("TracerProvider", tracer)), janes())
				loops[name] = strings.Count(tree(tracer.roots, ""), "RetryLoop")
			}
			assert.Equal(t, map[string]int{"the official client": 2, "this client": 1}, loops)
		},
	},
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
