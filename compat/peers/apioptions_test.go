package peers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/quicksight"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

type apiOption = func(*middleware.Stack) error

// places are the steps beside which programs insert their own, in the official client's order.
var places = []string{
	"RegisterServiceMetadata", "OperationInputValidation", "OperationSerializer",
	"ClientRequestID", "ComputeContentLength", "UserAgent", "RecursionDetection",
	"ResolveAuthScheme", "GetIdentity", "ResolveEndpointV2", "ComputePayloadHash", "Signing", "Retry", "RetryMetricsHeader",
	"AddRawResponseToMetadata", "ResponseErrorWrapper", "RequestIDRetriever", "OperationDeserializer", "RecordResponseTiming", "RequestResponseLogger",
}

// observer records what steps beside the places see, before and after the next step.
type observer struct{ seen []string }

func (o *observer) note(ctx context.Context, at string, saw ...any) {
	_, bounded := ctx.Deadline()
	o.seen = append(o.seen, fmt.Sprint(at, " ", saw, " in ", []any{
		awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), awsmiddleware.GetRegion(ctx), middleware.GetServiceID(ctx),
		middleware.GetOperationName(ctx), v4.GetPayloadHash(ctx), bounded,
	}))
}

// request describes a request. It replaces what differs in each request, and the client's name.
func (o *observer) request(request any) string {
	req := request.(*smithyhttp.Request)
	header := req.Header.Clone()
	for _, volatile := range []string{"X-Amz-Date", "Amz-Sdk-Invocation-Id", "User-Agent"} {
		if header.Get(volatile) != "" {
			header.Set(volatile, "set")
		}
	}
	if scope, _, signed := strings.Cut(header.Get("Authorization"), "Signature="); signed {
		header.Set("Authorization", scope[len("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20060102"):])
	}
	return fmt.Sprint(req.Method, " ", req.URL, " ", req.Host, " ", header)
}

// back describes what comes back from the next step.
func (o *observer) back(result any, metadata middleware.Metadata, err error) string {
	id, hasID := awsmiddleware.GetRequestIDMetadata(metadata)
	_, hasTime := awsmiddleware.GetResponseAt(metadata)
	attempts, _ := retry.GetAttemptResults(metadata)
	return fmt.Sprintf("returned %s, metadata: ID %q %t, raw %t, time %t, %d attempts, error %v", packageOf.ReplaceAllString(fmt.Sprintf("%T", result), ""),
		id, hasID, awsmiddleware.GetRawResponse(metadata) != nil, hasTime, len(attempts.Results), layersOf(err))
}

var packageOf = regexp.MustCompile(`quicksight(embed)?\.`)

// place puts steps before and after each place.
func (o *observer) place(stack *middleware.Stack) error {
	var errs []error
	for _, at := range places {
		for _, pos := range []middleware.RelativePosition{middleware.Before, middleware.After} {
			name := fmt.Sprint(map[middleware.RelativePosition]string{middleware.Before: "before ", middleware.After: "after "}[pos], at)
			errs = append(errs, o.beside(stack, at, name, pos))
		}
	}
	return errors.Join(errs...)
}

func (o *observer) beside(stack *middleware.Stack, at, name string, pos middleware.RelativePosition) error {
	if _, ok := stack.Initialize.Get(at); ok {
		return stack.Initialize.Insert(middleware.InitializeMiddlewareFunc(name, func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			o.note(ctx, name, packageOf.ReplaceAllString(fmt.Sprintf("%T", in.Parameters), ""))
			out, metadata, err := next.HandleInitialize(ctx, in)
			o.note(ctx, name, o.back(out.Result, metadata, err))
			return out, metadata, err
		}), at, pos)
	}
	if _, ok := stack.Serialize.Get(at); ok {
		return stack.Serialize.Insert(middleware.SerializeMiddlewareFunc(name, func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
			if pos == middleware.After {
				o.note(ctx, name, o.request(in.Request))
			}
			out, metadata, err := next.HandleSerialize(ctx, in)
			o.note(ctx, name, o.back(out.Result, metadata, err))
			return out, metadata, err
		}), at, pos)
	}
	if _, ok := stack.Build.Get(at); ok {
		return stack.Build.Insert(middleware.BuildMiddlewareFunc(name, func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
			o.note(ctx, name, o.request(in.Request))
			out, metadata, err := next.HandleBuild(ctx, in)
			o.note(ctx, name, o.back(out.Result, metadata, err))
			return out, metadata, err
		}), at, pos)
	}
	if _, ok := stack.Finalize.Get(at); ok {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc(name, func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			o.note(ctx, name, o.request(in.Request))
			out, metadata, err := next.HandleFinalize(ctx, in)
			o.note(ctx, name, o.back(out.Result, metadata, err))
			return out, metadata, err
		}), at, pos)
	}
	return stack.Deserialize.Insert(middleware.DeserializeMiddlewareFunc(name, func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		o.note(ctx, name, o.request(in.Request))
		out, metadata, err := next.HandleDeserialize(ctx, in)
		resp, _ := out.RawResponse.(*smithyhttp.Response)
		o.note(ctx, name, o.back(out.Result, metadata, err), resp.StatusCode, resp.Header)
		return out, metadata, err
	}), at, pos)
}

// TestAPIOptionsSeeTheSame compares what steps before and after each place see.
func TestAPIOptionsSeeTheSame(t *testing.T) {
	for name, attempts := range map[string][]scripted{
		"success": {aURL}, "throttled once": {throttled, aURL}, "an exception": {denied}, "no connection": {refusedDial}, "HTML": {badGateway},
	} {
		t.Run(name, func(t *testing.T) {
			var observers [2]observer
			var outcomes [2]outcome
			for i, peer := range peers {
				cfg := workingConfig(&script{attempts: attempts}, set("Retryer", withoutDelay()))
				cfg.APIOptions = []apiOption{observers[i].place}
				outcomes[i] = peer.ask(t.Context(), cfg, janes())
			}
			assert.GreaterOrEqual(t, len(observers[0].seen), 2*2*len(places)-1)
			assert.Equal(t, observers[0].seen, observers[1].seen)
			assert.Equal(t, outcomes[0].Layers, outcomes[1].Layers)
			assert.Equal(t, outcomes[0].Attempts, outcomes[1].Attempts)
		})
	}
}

// TestPlacesAreInTheSameOrder compares the order of the steps in the two stacks.
func TestPlacesAreInTheSameOrder(t *testing.T) {
	var orders [2][]string
	for i, peer := range peers {
		cfg := workingConfig(&recorder{})
		cfg.APIOptions = []apiOption{func(stack *middleware.Stack) error {
			orders[i] = slices.DeleteFunc(stack.List(), func(id string) bool { return !slices.Contains(places, id) })
			return nil
		}}
		peer.ask(t.Context(), cfg, janes())
	}
	assert.ElementsMatch(t, places, orders[0])
	assert.Equal(t, orders[0], orders[1])
}

// TestAPIOptionsChangeTheRequest adds what programs add most.
func TestAPIOptionsChangeTheRequest(t *testing.T) {
	for name, option := range map[string]apiOption{
		"user agent":   awsmiddleware.AddUserAgentKeyValue("acme", "1.2.3"),
		"SDK agent":    awsmiddleware.AddSDKAgentKeyValue(awsmiddleware.FrameworkMetadata, "acme", "1.2.3"),
		"header":       smithyhttp.AddHeaderValue("X-Acme", "tenant"),
		"header set":   smithyhttp.SetHeaderValue("X-Acme", "tenant"),
		"no signature": func(stack *middleware.Stack) error { _, err := stack.Finalize.Remove("Signing"); return err },
		"no client ID": func(stack *middleware.Stack) error { _, err := stack.Build.Remove("ClientRequestID"); return err },
		"another host": func(stack *middleware.Stack) error {
			return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("host", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				in.Request.(*smithyhttp.Request).URL.Host = "proxy.example.com"
				return next.HandleFinalize(ctx, in)
			}), "ResolveEndpointV2", middleware.After)
		},
		"a header that is not signed": func(stack *middleware.Stack) error {
			return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("late", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				in.Request.(*smithyhttp.Request).Header.Set("Traceparent", "00-1-2-01")
				return next.HandleFinalize(ctx, in)
			}), middleware.After)
		},
		"another input": func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("default", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				switch params := in.Parameters.(type) {
				case *quicksight.GetSessionEmbedUrlInput:
					params.SessionLifetimeInMinutes = aws.Int64(15)
				case *quicksightembed.GetSessionEmbedUrlInput:
					params.SessionLifetimeInMinutes = aws.Int64(15)
				}
				return next.HandleInitialize(ctx, in)
			}), middleware.Before)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var sent [2]string
			for i, peer := range peers {
				transport := &recorder{}
				cfg := workingConfig(transport)
				cfg.APIOptions = []apiOption{option}
				o := peer.ask(t.Context(), cfg, janes())
				require.Empty(t, o.Text)
				req := transport.requests[0]
				scope, _, _ := strings.Cut(req.Header.Get("Authorization"), ", Signature")
				for _, changing := range []string{"X-Amz-Date", "Amz-Sdk-Invocation-Id", "Authorization"} {
					if req.Header.Get(changing) != "" {
						req.Header.Set(changing, "set")
					}
				}
				agents := strings.Fields(req.Header.Get("User-Agent"))
				req.Header.Set("User-Agent", strings.Join(slices.DeleteFunc(agents, func(agent string) bool { return !strings.Contains(agent, "acme") }), " "))
				sent[i] = fmt.Sprint(req.URL, " ", cmp.Or(req.Host, req.URL.Host), " ", req.Header, scope)
			}
			assert.Equal(t, sent[0], sent[1])
		})
	}
}

// TestAPIOptionsAnswerForTheService adds a stub at each step.
func TestAPIOptionsAnswerForTheService(t *testing.T) {
	for name, stub := range map[string]func(result any, err error) apiOption{
		"Initialize": func(result any, err error) apiOption {
			return func(stack *middleware.Stack) error {
				return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("stub", func(context.Context, middleware.InitializeInput, middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
					return middleware.InitializeOutput{Result: result}, middleware.Metadata{}, err
				}), middleware.After)
			}
		},
		"Serialize": func(result any, err error) apiOption {
			return func(stack *middleware.Stack) error {
				return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("stub", func(context.Context, middleware.SerializeInput, middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
					return middleware.SerializeOutput{Result: result}, middleware.Metadata{}, err
				}), middleware.Before)
			}
		},
		"Finalize": func(result any, err error) apiOption {
			return func(stack *middleware.Stack) error {
				return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("stub", func(context.Context, middleware.FinalizeInput, middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
					return middleware.FinalizeOutput{Result: result}, middleware.Metadata{}, err
				}), middleware.Before)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			url := aws.String("https://stub.example.com")
			for _, err := range []error{nil, errors.New("stubbed")} {
				// Without credentials and a region.
				cfg := aws.Config{HTTPClient: &recorder{}}
				if name == "Finalize" {
					cfg.Region = "us-east-1"
				}
				cfg.APIOptions = []apiOption{stub(&quicksight.GetSessionEmbedUrlOutput{EmbedUrl: url}, err)}
				official := askOfficial(t.Context(), cfg, janes())
				cfg.APIOptions = []apiOption{stub(&quicksightembed.GetSessionEmbedUrlOutput{EmbedUrl: url}, err)}
				assert.Equal(t, official, askOurs(t.Context(), cfg, janes()))
				assert.Empty(t, cfg.HTTPClient.(*recorder).requests)
			}
			cfg := workingConfig(&recorder{})
			cfg.APIOptions = []apiOption{stub(&quicksight.GetSessionEmbedUrlOutput{EmbedUrl: url}, nil)}
			assert.Contains(t, askOurs(t.Context(), cfg, janes()).Text, "a middleware has returned a *quicksight.GetSessionEmbedUrlOutput: it must return a *quicksightembed.GetSessionEmbedUrlOutput")
		})
	}
	t.Run("Deserialize", func(t *testing.T) {
		for _, provider := range []aws.CredentialsProvider{nil, credentials("AKID", "SECRET", "")} {
			for _, peer := range peers {
				cfg := workingConfig(&recorder{})
				cfg.Credentials = provider
				cfg.APIOptions = []apiOption{func(stack *middleware.Stack) error {
					return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("stub", func(context.Context, middleware.DeserializeInput, middleware.DeserializeHandler) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
						out.RawResponse = &smithyhttp.Response{Response: response(http.StatusOK, nil, urlReply)}
						return out, metadata, nil
					}), middleware.After)
				}}
				assert.NotNil(t, peer.ask(t.Context(), cfg, janes()).EmbedUrl, peer.name)
				assert.Empty(t, cfg.HTTPClient.(*recorder).requests)
			}
		}
	})
}

// TestAPIOptionsRefuseAReply adds a step that fails after each reply, once with the real one and
// once with one that has no body.
func TestAPIOptionsRefuseAReply(t *testing.T) {
	for _, bare := range []bool{false, true} {
		var layers [2][]string
		for i, peer := range peers {
			cfg := workingConfig(&recorder{})
			cfg.APIOptions = []apiOption{func(stack *middleware.Stack) error {
				return stack.Deserialize.Insert(middleware.DeserializeMiddlewareFunc("refuse", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
					out, metadata, _ := next.HandleDeserialize(ctx, in)
					if bare {
						out.RawResponse = &smithyhttp.Response{Response: &http.Response{StatusCode: 418}}
					}
					return out, metadata, errors.New("refused")
				}), "OperationDeserializer", middleware.After)
			}}
			layers[i] = peer.ask(t.Context(), cfg, janes()).Layers
		}
		assert.Equal(t, layers[0], layers[1])
	}
}

func TestAPIOptionsOfACall(t *testing.T) {
	for _, peer := range peers {
		transport := &recorder{}
		cfg := workingConfig(transport)
		cfg.APIOptions = []apiOption{smithyhttp.AddHeaderValue("X-Of", "client")}
		ask := peer.new(cfg)
		ask(t.Context(), janes(), func(_ string, options any) {
			switch o := options.(type) {
			case *quicksight.Options:
				quicksight.WithAPIOptions(smithyhttp.AddHeaderValue("X-Of", "call"))(o)
			case *quicksightembed.Options:
				quicksightembed.WithAPIOptions(smithyhttp.AddHeaderValue("X-Of", "call"))(o)
			}
		})
		ask(t.Context(), janes())
		assert.Equal(t, []string{"client", "call"}, transport.requests[0].Header["X-Of"], peer.name)
		assert.Equal(t, []string{"client"}, transport.requests[1].Header["X-Of"], peer.name)

		cfg.APIOptions = []apiOption{func(*middleware.Stack) error { return errors.New("no") }}
		assert.True(t, strings.HasSuffix(peer.ask(t.Context(), cfg, janes()).Text, "no"), peer.name)
	}
}

func TestSignedRequestHasWhatAPIOptionsAdd(t *testing.T) {
	client := quicksightembed.NewFromConfig(workingConfig(nil), quicksightembed.WithAPIOptions(smithyhttp.AddHeaderValue("X-Acme", "tenant")))
	req, err := client.SignGetSessionEmbedUrl(t.Context(), janes())
	require.NoError(t, err)
	assert.Contains(t, req.Header.Get("Authorization"), "x-acme")
}

func BenchmarkAPIOptions(b *testing.B) {
	cfg := workingConfig(stub(okReply))
	b.Run("none", func(b *testing.B) { benchmark(b, cfg, everyInput(), false, nil) })
	cfg.APIOptions = []apiOption{func(*middleware.Stack) error { return nil }}
	b.Run("nothing", func(b *testing.B) { benchmark(b, cfg, everyInput(), false, nil) })
	cfg.APIOptions = []apiOption{awsmiddleware.AddUserAgentKeyValue("a", "b"), smithyhttp.AddHeaderValue("X-A", "b")}
	b.Run("user agent and header", func(b *testing.B) { benchmark(b, cfg, everyInput(), false, nil) })
}
