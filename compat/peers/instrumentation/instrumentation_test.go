// Package instrumentation runs the instrumentation of real programs with the official client and
// with this one. It is a separate module because it requires many others.
package instrumentation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	official "github.com/aws/aws-sdk-go-v2/service/quicksight"
	"github.com/aws/aws-xray-sdk-go/instrumentation/awsv2"
	"github.com/aws/aws-xray-sdk-go/strategy/sampling"
	"github.com/aws/aws-xray-sdk-go/xray"
	"github.com/awsdocs/aws-doc-sdk-examples/gov2/testtools"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	//lint:ignore SA1019 no longer supported, and in use
	"go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-sdk-go-v2/otelaws"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	ours "example.com/quicksightembed"
)

const account = "111122223333"

// clients make the same call.
var clients = []struct {
	name string
	ask  func(context.Context, aws.Config) error
}{
	{"the official client", func(ctx context.Context, cfg aws.Config) error {
		_, err := official.NewFromConfig(cfg).GetSessionEmbedUrl(ctx, &official.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)})
		return err
	}},
	{"this client", func(ctx context.Context, cfg aws.Config) error {
		_, err := ours.NewFromConfig(cfg).GetSessionEmbedUrl(ctx, &ours.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)})
		return err
	}},
}

type answer struct {
	status    int
	errorType string
	body      string
}

// services are the answers to a call's requests, in order. A service without answers refuses
// connections.
var services = map[string][]answer{
	"success":        {{200, "", `{"EmbedUrl":"https://q.example/start?code=1","RequestId":"body-id","Status":200}`}},
	"throttled once": {{429, "ThrottlingException", `{"message":"slow down"}`}, {200, "", `{"EmbedUrl":"https://q.example/start?code=1"}`}},
	"an exception":   {{403, "AccessDeniedException", `{"message":"no"}`}},
	"HTML":           {{400, "", `<html>`}},
	"no connection":  nil,
}

// serve returns a config for a service, and the headers that it gets.
func serve(t *testing.T, answers []answer) (cfg aws.Config, seen func() []http.Header) {
	t.Helper()
	requests := make(chan http.Header, 10)
	left := answers
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r.Header
		a := left[0]
		left = left[1:]
		w.Header().Set("X-Amzn-RequestId", "header-id")
		if a.errorType != "" {
			w.Header().Set("X-Amzn-ErrorType", a.errorType)
		}
		w.WriteHeader(a.status)
		io.WriteString(w, a.body)
	}))
	if answers == nil {
		server.Close()
	}
	t.Cleanup(server.Close)
	return aws.Config{
			Region:       "us-east-1",
			BaseEndpoint: aws.String(server.URL),
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}, nil
			}),
			Retryer: func() aws.Retryer {
				return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Nanosecond })
			},
		}, func() (headers []http.Header) {
			for len(requests) > 0 {
				headers = append(headers, <-requests)
			}
			return headers
		}
}

// sameForBoth removes what differs between runs and clients from a text: ports, and the packages of
// types and errors.
func sameForBoth(text string) string {
	text = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(text, "127.0.0.1:port")
	text = regexp.MustCompile(`\*?(types|quicksightembed)\.`).ReplaceAllString(text, "")
	// The rest of this text is a listed difference.
	return regexp.MustCompile(`(deserialization failed).*`).ReplaceAllString(text, "$1")
}

// headersOf describes which of the headers the requests have, and whether they are signed.
func headersOf(requests []http.Header, names ...string) (described []string) {
	for _, header := range requests {
		for _, name := range names {
			value := regexp.MustCompile(`[0-9a-f]{8,}`).ReplaceAllString(header.Get(name), "id")
			signed := strings.Contains(header.Get("Authorization"), strings.ToLower(name))
			described = append(described, fmt.Sprintf("%s: %s, signed %t, attempt %s", name, value, signed, header.Get("Amz-Sdk-Request")))
		}
	}
	return described
}

func TestOpenTelemetry(t *testing.T) {
	for name, answers := range services {
		t.Run(name, func(t *testing.T) {
			var spans, headers [2][]string
			for i, client := range clients {
				exporter := tracetest.NewInMemoryExporter()
				provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
				cfg, seen := serve(t, answers)
				otelaws.AppendMiddlewares(&cfg.APIOptions, otelaws.WithTracerProvider(provider), otelaws.WithTextMapPropagator(propagation.TraceContext{}))
				ctx, page := provider.Tracer("backend").Start(t.Context(), "GET /console")
				client.ask(ctx, cfg)
				page.End()
				for _, span := range exporter.GetSpans() {
					var attributes []string
					for _, attribute := range span.Attributes {
						attributes = append(attributes, fmt.Sprint(attribute.Key, "=", attribute.Value.String()))
					}
					slices.Sort(attributes)
					for _, event := range span.Events {
						attributes = append(attributes, fmt.Sprint(event.Name, event.Attributes))
					}
					isChild := span.Parent.SpanID() == page.SpanContext().SpanID()
					spans[i] = append(spans[i], sameForBoth(fmt.Sprint(span.Name, span.SpanKind, span.Status, isChild, attributes)))
				}
				headers[i] = headersOf(seen(), "Traceparent")
				require.NoError(t, provider.Shutdown(t.Context()))
			}
			assert.Len(t, spans[0], 2)
			assert.Equal(t, spans[0], spans[1])
			assert.Equal(t, headers[0], headers[1])
			assert.Len(t, headers[1], len(answers))
		})
	}
}

// daemon receives X-Ray segments.
func daemon(t *testing.T) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestXRay(t *testing.T) {
	for name, answers := range services {
		t.Run(name, func(t *testing.T) {
			var segments [2]string
			var headers [2][]string
			for i, client := range clients {
				conn := daemon(t)
				always, err := sampling.NewLocalizedStrategyFromJSONBytes([]byte(`{"version":2,"default":{"fixed_target":1,"rate":1}}`))
				require.NoError(t, err)
				emitter, err := xray.NewDefaultEmitter(conn.LocalAddr().(*net.UDPAddr))
				require.NoError(t, err)
				ctx, err := xray.ContextWithConfig(t.Context(), xray.Config{Emitter: emitter, SamplingStrategy: always})
				require.NoError(t, err)
				ctx, segment := xray.BeginSegment(ctx, "backend")
				cfg, seen := serve(t, answers)
				awsv2.AWSV2Instrumentor(&cfg.APIOptions)
				client.ask(ctx, cfg)
				segment.Close(nil)

				require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
				packet := make([]byte, 1<<16)
				n, _, err := conn.ReadFrom(packet)
				require.NoError(t, err)
				_, document, _ := bytes.Cut(packet[:n], []byte("\n"))
				var sent any
				require.NoError(t, json.Unmarshal(document, &sent))
				text, err := json.MarshalIndent(withoutVolatile(sent), "", " ")
				require.NoError(t, err)
				segments[i] = sameForBoth(string(text))
				headers[i] = headersOf(seen(), "X-Amzn-Trace-Id")
			}
			assert.Contains(t, segments[0], `"operation": "GetSessionEmbedUrl"`)
			assert.Equal(t, segments[0], segments[1])
			assert.Equal(t, headers[0], headers[1])
		})
	}
}

// withoutVolatile drops what differs in each run: IDs, times and stacks.
func withoutVolatile(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range []string{"id", "parent_id", "trace_id", "start_time", "end_time", "stack", "working_directory"} {
			delete(value, key)
		}
		for key, inner := range value {
			value[key] = withoutVolatile(inner)
		}
	case []any:
		for i, inner := range value {
			value[i] = withoutVolatile(inner)
		}
	}
	return value
}

// TestStubber uses the stubber of the examples in the AWS documentation.
func TestStubber(t *testing.T) {
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	outputs := []any{
		&official.GetSessionEmbedUrlOutput{EmbedUrl: aws.String("https://stub.example")},
		&ours.GetSessionEmbedUrlOutput{EmbedUrl: aws.String("https://stub.example")},
	}
	inputs := []any{
		&official.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)},
		&ours.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)},
	}
	for i, client := range clients {
		for name, raised := range map[string]*testtools.StubError{"success": nil, "an error": {Err: errors.New("stubbed")}} {
			t.Run(client.name+", "+name, func(t *testing.T) {
				stubber := testtools.NewStubber()
				stubber.SdkConfig.HTTPClient = noHTTP{t}
				stubber.Add(testtools.Stub{OperationName: "GetSessionEmbedUrl", Input: inputs[i], Output: outputs[i], Error: raised})
				testtools.VerifyError(client.ask(t.Context(), *stubber.SdkConfig), raised, t)
				testtools.ExitTest(stubber, t)
			})
		}
	}
}

type noHTTP struct{ t *testing.T }

func (n noHTTP) Do(*http.Request) (*http.Response, error) {
	n.t.Error("a request was sent")
	return nil, errors.New("a request was sent")
}
