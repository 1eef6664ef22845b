package peers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

// steps returns a step of each kind, which calls do with the context and the request. The request
// is nil at Initialize.
func steps(do func(ctx context.Context, request *any) context.Context) map[string]apiOption {
	var none any
	return map[string]apiOption{
		"Initialize": func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("own", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				return next.HandleInitialize(do(ctx, &none), in)
			}), middleware.After)
		},
		"Serialize": func(stack *middleware.Stack) error {
			return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("own", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
				return next.HandleSerialize(do(ctx, &in.Request), in)
			}), middleware.After)
		},
		"Build": func(stack *middleware.Stack) error {
			return stack.Build.Add(middleware.BuildMiddlewareFunc("own", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
				return next.HandleBuild(do(ctx, &in.Request), in)
			}), middleware.After)
		},
		"Finalize, before the attempts": func(stack *middleware.Stack) error {
			return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("own", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				return next.HandleFinalize(do(ctx, &in.Request), in)
			}), "Retry", middleware.Before)
		},
		"Finalize, after signing": func(stack *middleware.Stack) error {
			return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("own", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				return next.HandleFinalize(do(ctx, &in.Request), in)
			}), middleware.After)
		},
		"Deserialize, before the deserializer": func(stack *middleware.Stack) error {
			return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("own", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
				return next.HandleDeserialize(do(ctx, &in.Request), in)
			}), middleware.Before)
		},
		"Deserialize, after the deserializer": func(stack *middleware.Stack) error {
			return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("own", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
				return next.HandleDeserialize(do(ctx, &in.Request), in)
			}), middleware.After)
		},
	}
}

// TestStepsThatDropTheContext replaces the context with an empty one, at each step.
func TestStepsThatDropTheContext(t *testing.T) {
	drop := func(context.Context, *any) context.Context { return context.Background() }
	for name, option := range steps(drop) {
		t.Run(name, func(t *testing.T) {
			var runs []outcome
			for _, peer := range peers {
				cfg := workingConfig(&script{attempts: []scripted{failure, aURL}}, set("Retryer", withoutDelay()))
				cfg.APIOptions = []apiOption{option}
				runs = append(runs, peer.ask(t.Context(), cfg, janes()))
			}
			// The official client fails if its steps lose what they pass on in the
			// context. This client does not.
			if runs[0].Layers == nil {
				assert.Equal(t, runs[0], runs[1])
			}
			assert.Equal(t, "URL of 200", runs[1].summary())
		})
	}
}

// TestStepsThatReplaceTheRequest replaces the request by a string, at each step: an error, and no
// panic.
func TestStepsThatReplaceTheRequest(t *testing.T) {
	replace := func(ctx context.Context, request *any) context.Context { *request = "not a request"; return ctx }
	for name, option := range steps(replace) {
		if name == "Initialize" {
			continue // there is none yet
		}
		t.Run(name, func(t *testing.T) {
			sent := &recorder{}
			client := quicksightembed.NewFromConfig(workingConfig(sent), quicksightembed.WithAPIOptions(option))
			_, err := client.GetSessionEmbedUrl(t.Context(), janes())
			assert.ErrorContains(t, err, "unknown transport type")
			_, err = client.SignGetSessionEmbedUrl(t.Context(), janes())
			if !strings.HasPrefix(name, "Deserialize") { // those are not called
				assert.ErrorContains(t, err, "unknown transport type")
			}
			assert.Empty(t, sent.requests)
		})
	}
}

// TestFunctionsThatFail fails a function in the APIOptions of the config, of the client and of the
// call.
func TestFunctionsThatFail(t *testing.T) {
	fails := func(*middleware.Stack) error { return errors.New("no such step") }
	ofOptions := func(_ string, options any) { set("APIOptions", []apiOption{fails})("", options) }
	for name, where := range map[string]func(*aws.Config) []func(string, any){
		"of the config": func(cfg *aws.Config) []func(string, any) { cfg.APIOptions = []apiOption{fails}; return nil },
		"of the client": func(cfg *aws.Config) []func(string, any) {
			cfg.ServiceOptions = append(cfg.ServiceOptions, ofOptions)
			return nil
		},
		"of the call": func(*aws.Config) []func(string, any) { return []func(string, any){ofOptions} },
	} {
		t.Run(name, func(t *testing.T) {
			for _, peer := range peers {
				sent := &recorder{}
				cfg := workingConfig(sent)
				ofCall := where(&cfg)
				o := peer.new(cfg)(t.Context(), janes(), ofCall...)
				assert.Contains(t, o.Text, "no such step", peer.name)
				assert.Empty(t, sent.requests, peer.name)
			}
		})
	}
}

// TestReplacedSigning replaces the step that signs by one of the program.
func TestReplacedSigning(t *testing.T) {
	own := middleware.FinalizeMiddlewareFunc("Signing", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		in.Request.(*smithyhttp.Request).Header.Set("Authorization", "Bearer of a gateway")
		return next.HandleFinalize(ctx, in)
	})
	for _, peer := range peers {
		for name, provider := range map[string]aws.CredentialsProvider{"with credentials": credentials("AKID", "SECRET", ""), "without": nil} {
			t.Run(peer.name+" "+name, func(t *testing.T) {
				sent := &recorder{}
				cfg := workingConfig(sent)
				cfg.Credentials = provider
				cfg.APIOptions = []apiOption{func(stack *middleware.Stack) error {
					_, err := stack.Finalize.Swap("Signing", own)
					return err
				}}
				assert.Empty(t, peer.ask(t.Context(), cfg, janes()).Text)
				require.Len(t, sent.requests, 1)
				assert.Equal(t, "Bearer of a gateway", sent.requests[0].Header.Get("Authorization"))
			})
		}
	}
}

// TestHedgingFromADeserializeStep sends each request twice at once. It is for the race detector.
func TestHedgingFromADeserializeStep(t *testing.T) {
	hedge := func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("hedge", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				next.HandleDeserialize(ctx, in)
			}()
			out, metadata, err = next.HandleDeserialize(ctx, in)
			<-done
			return out, metadata, err
		}), middleware.After)
	}
	for _, peer := range peers {
		cfg := workingConfig(smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) { return response(200, nil, urlReply), nil }))
		cfg.APIOptions = []apiOption{hedge}
		assert.Equal(t, "URL of 200", peer.ask(t.Context(), cfg, janes()).summary(), peer.name)
	}
}

// TestRepeatedSteps calls the rest of the stack twice, from outside and from inside the attempts.
func TestRepeatedSteps(t *testing.T) {
	twice := func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		next.HandleFinalize(ctx, in)
		return next.HandleFinalize(ctx, in)
	}
	for _, pos := range []middleware.RelativePosition{middleware.Before, middleware.After} {
		t.Run(fmt.Sprint("on side ", pos, " of Retry"), func(t *testing.T) {
			var runs []string
			for _, peer := range peers {
				service := &script{attempts: []scripted{failure, throttled, aURL}}
				cfg := workingConfig(service, set("Retryer", withoutDelay()))
				cfg.APIOptions = []apiOption{func(stack *middleware.Stack) error {
					return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("twice", twice), "Retry", pos)
				}}
				o := peer.ask(t.Context(), cfg, janes())
				run := o.summary()
				for _, request := range service.seen {
					run += ", " + request.SdkRequest
				}
				runs = append(runs, run)
			}
			assert.Equal(t, runs[0], runs[1])
		})
	}
}

// around inserts a step of the same kind beside the one at a place. The step calls do with the
// request, which is nil at Initialize. do can call next any number of times.
func around(stack *middleware.Stack, at, name string, pos middleware.RelativePosition, do func(ctx context.Context, request any, next func(context.Context) error) error) error {
	if _, ok := stack.Initialize.Get(at); ok {
		return stack.Initialize.Insert(middleware.InitializeMiddlewareFunc(name, func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
			err = do(ctx, nil, func(ctx context.Context) error { out, metadata, err = next.HandleInitialize(ctx, in); return err })
			return out, metadata, err
		}), at, pos)
	}
	if _, ok := stack.Serialize.Get(at); ok {
		return stack.Serialize.Insert(middleware.SerializeMiddlewareFunc(name, func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (out middleware.SerializeOutput, metadata middleware.Metadata, err error) {
			err = do(ctx, in.Request, func(ctx context.Context) error { out, metadata, err = next.HandleSerialize(ctx, in); return err })
			return out, metadata, err
		}), at, pos)
	}
	if _, ok := stack.Build.Get(at); ok {
		return stack.Build.Insert(middleware.BuildMiddlewareFunc(name, func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (out middleware.BuildOutput, metadata middleware.Metadata, err error) {
			err = do(ctx, in.Request, func(ctx context.Context) error { out, metadata, err = next.HandleBuild(ctx, in); return err })
			return out, metadata, err
		}), at, pos)
	}
	if _, ok := stack.Finalize.Get(at); ok {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc(name, func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
			err = do(ctx, in.Request, func(ctx context.Context) error { out, metadata, err = next.HandleFinalize(ctx, in); return err })
			return out, metadata, err
		}), at, pos)
	}
	return stack.Deserialize.Insert(middleware.DeserializeMiddlewareFunc(name, func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
		err = do(ctx, in.Request, func(ctx context.Context) error { out, metadata, err = next.HandleDeserialize(ctx, in); return err })
		return out, metadata, err
	}), at, pos)
}

// remove removes the step at a place.
func remove(stack *middleware.Stack, at string) { // an error: it is of another kind
	stack.Initialize.Remove(at)
	stack.Serialize.Remove(at)
	stack.Build.Remove(at)
	stack.Finalize.Remove(at)
	stack.Deserialize.Remove(at)
}

// FuzzAPIOptions compares the clients with scripted functions in APIOptions. They remove steps, and
// add steps that add a header, fail, call the rest again, or drop the context.
func FuzzAPIOptions(f *testing.F) {
	f.Add([]byte{0, 5, 0, 12, 1, 3}, uint8(0))
	f.Add([]byte{1, 17}, uint8(1))
	f.Add([]byte{2, 12, 0, 30}, uint8(2))
	f.Add([]byte{3, 8, 4, 11}, uint8(3))
	f.Add([]byte{0, 24, 2, 25, 3, 39, 4, 19}, uint8(4))
	services := [][]scripted{{aURL}, {throttled, aURL}, {denied}, {refusedDial, aURL}, {failure}}
	f.Fuzz(func(t *testing.T, steps []byte, service uint8) {
		if len(steps) > 12 {
			return
		}
		kinds := map[byte]bool{}
		place := func(ran *[]string) apiOption {
			return func(stack *middleware.Stack) error {
				for i := 0; i+1 < len(steps); i += 2 {
					kind, at := steps[i]%5, places[int(steps[i+1]/2)%len(places)]
					kinds[kind] = true
					if kind == 4 {
						remove(stack, at)
						continue
					}
					name := fmt.Sprint("step ", i)
					do := func(ctx context.Context, request any, next func(context.Context) error) error {
						*ran = append(*ran, fmt.Sprint(name, " at ", at))
						switch req, ok := request.(*smithyhttp.Request); {
						case kind == 0 && ok:
							req.Header.Add("X-Step", name)
						case kind == 1:
							return errors.New(name + " fails")
						case kind == 2 && slices.Index(places, at) > slices.Index(places, "OperationSerializer"):
							next(ctx)
						case kind == 3:
							ctx = context.Background()
						}
						return next(ctx)
					}
					if err := around(stack, at, name, middleware.RelativePosition(steps[i+1]%2), do); err != nil {
						*ran = append(*ran, err.Error()) // it was removed
					}
				}
				return nil
			}
		}
		var ran [2][]string
		var sent [2][]string
		var outcomes [2]outcome
		for i, peer := range peers {
			transport := &script{attempts: services[int(service)%len(services)]}
			cfg := workingConfig(smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
				sent[i] = append(sent[i], fmt.Sprint(r.URL.Host, r.URL.RequestURI(), r.Header["X-Step"], r.Header["Authorization"] != nil))
				r.Header.Set("X-Amz-Date", "20260102T030405Z")
				return transport.Do(r)
			}), set("Retryer", withoutDelay()))
			cfg.APIOptions = []apiOption{place(&ran[i])}
			func() {
				defer func() {
					if i == 0 && recover() != nil {
						outcomes[i].Layers = []string{"a panic"}
					}
				}()
				outcomes[i] = peer.ask(t.Context(), cfg, janes())
			}()
		}
		// Without the context, or the step that fills it, the official client can fail and
		// this one can succeed.
		if (kinds[3] || kinds[4]) && outcomes[0].Layers != nil {
			return
		}
		require.Equal(t, outcomes[0], outcomes[1])
		require.Equal(t, ran[0], ran[1])
		require.Equal(t, sent[0], sent[1])
	})
}
