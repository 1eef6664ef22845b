package quicksightembed_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

type apiOption = func(*middleware.Stack) error

// noStep takes a call through a stack, and adds nothing to it.
func noStep(*middleware.Stack) error { return nil }

// TestHedging lets a step send two requests at once, and takes the first answer. It is for the race
// detector.
func TestHedging(t *testing.T) {
	hedge := func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("hedge", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			type answer struct {
				out      middleware.DeserializeOutput
				metadata middleware.Metadata
				err      error
			}
			answers := make(chan answer, 2)
			for range 2 {
				go func() {
					out, metadata, err := next.HandleDeserialize(ctx, in)
					answers <- answer{out, metadata, err}
				}()
			}
			first := <-answers
			<-answers
			return first.out, first.metadata, first.err
		}), middleware.Before)
	}
	server := newServer(t, replyWith(status(500, `{}`), status(500, `{}`), status(200, nativeReply)))
	client := newClient(t, server, quicksightembed.WithAPIOptions(hedge))
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.Len(t, server.seen(), 4)
}

func TestStepsThatDropTheContext(t *testing.T) {
	for name, option := range map[string]apiOption{
		"Initialize": func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("drop", func(_ context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				return next.HandleInitialize(context.Background(), in)
			}), middleware.After)
		},
		"Build": func(stack *middleware.Stack) error {
			return stack.Build.Add(middleware.BuildMiddlewareFunc("drop", func(_ context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
				return next.HandleBuild(context.Background(), in)
			}), middleware.Before)
		},
		"Finalize": func(stack *middleware.Stack) error {
			return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("drop", func(_ context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				return next.HandleFinalize(context.Background(), in)
			}), middleware.After)
		},
		"Deserialize": func(stack *middleware.Stack) error {
			return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("drop", func(_ context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
				return next.HandleDeserialize(context.Background(), in)
			}), middleware.After)
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, replyWith(status(500, `{}`), status(200, nativeReply)))
			client := newClient(t, server, quicksightembed.WithAPIOptions(option))
			_, err := client.GetSessionEmbedUrl(ctx, janesInput())
			assert.NoError(t, err)
		})
	}
}

func TestStubsNeedNeitherRegionNorCredentials(t *testing.T) {
	url := aws.String("https://stub.example")
	for name, option := range map[string]apiOption{
		"Initialize": func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("stub", func(context.Context, middleware.InitializeInput, middleware.InitializeHandler) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
				out.Result = &quicksightembed.GetSessionEmbedUrlOutput{EmbedUrl: url}
				return out, metadata, nil
			}), middleware.Before)
		},
		"Finalize": func(stack *middleware.Stack) error {
			return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("stub", func(context.Context, middleware.FinalizeInput, middleware.FinalizeHandler) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
				out.Result = &quicksightembed.GetSessionEmbedUrlOutput{EmbedUrl: url}
				return out, metadata, nil
			}), middleware.Before)
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := quicksightembed.New(quicksightembed.Options{APIOptions: []apiOption{option}})
			out, err := client.GetSessionEmbedUrl(ctx, janesInput())
			require.NoError(t, err)
			assert.Equal(t, url, out.EmbedUrl)
		})
	}
	_, err := quicksightembed.New(quicksightembed.Options{}, quicksightembed.WithAPIOptions(noStep)).GetSessionEmbedUrl(ctx, janesInput())
	assert.Len(t, fieldsOf(t, err), 2, "without a stub both are needed")
}

// TestUnsignedRequests needs no credentials for a stub below the signature, and sends nothing
// without.
func TestUnsignedRequests(t *testing.T) {
	server := newServer(t, status(200, nativeReply))
	stub := func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("stub", func(context.Context, middleware.DeserializeInput, middleware.DeserializeHandler) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
			out.RawResponse = &smithyhttp.Response{Response: replyOf(200, nativeReply)}
			return out, metadata, nil
		}), middleware.After)
	}
	withoutCredentials := func(o *quicksightembed.Options) { o.Credentials = nil }
	out, err := newClient(t, server, withoutCredentials, quicksightembed.WithAPIOptions(stub)).GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.NotNil(t, out.EmbedUrl)

	client := newClient(t, server, withoutCredentials, quicksightembed.WithAPIOptions(noStep))
	_, err = client.GetSessionEmbedUrl(ctx, janesInput())
	assert.Equal(t, "Options.Credentials", fieldsOf(t, err)[0].Field)
	_, err = client.SignGetSessionEmbedUrl(ctx, janesInput())
	assert.Equal(t, "Options.Credentials", fieldsOf(t, err)[0].Field)
	assert.Empty(t, server.seen())
}

func TestFunctionThatFails(t *testing.T) {
	server := newServer(t, status(200, nativeReply))
	errOption := errors.New("no such step")
	client := newClient(t, server)
	fails := quicksightembed.WithAPIOptions(func(*middleware.Stack) error { return errOption })
	_, err := client.GetSessionEmbedUrl(ctx, janesInput(), fails)
	assert.ErrorIs(t, err, errOption)
	_, err = client.SignGetSessionEmbedUrl(ctx, janesInput(), fails)
	assert.ErrorIs(t, err, errOption)
	_, err = client.GetSessionEmbedUrl(ctx, janesInput())
	assert.NoError(t, err, "the next call has no such function")
}

func TestSigningWithAPIOptions(t *testing.T) {
	server := newServer(t, status(200, nativeReply))
	client := newClient(t, server, quicksightembed.WithAPIOptions(smithyhttp.SetHeaderValue("X-Acme", "tenant"), awsmiddleware.AddUserAgentKeyValue("acme", "1.2")))
	req, err := client.SignGetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.Contains(t, req.Header.Get("Authorization"), "x-acme")
	assert.Contains(t, req.UserAgent(), "acme/1.2")
	assert.Equal(t, "attempt=1; max=3", req.Header.Get("Amz-Sdk-Request"))
	assert.Equal(t, server.URL+"/accounts/111122223333/session-embed-url?user-arn=arn%3Aaws%3Aquicksight%3Aus-east-1%3A111122223333%3Auser%2Fdefault%2Fjane", req.URL.String())
	assert.Equal(t, ctx, req.Context())
	assert.Empty(t, server.seen())
}

func TestClockSkewAndTimeoutInAStack(t *testing.T) {
	server := skewedServer(t, time.Hour)
	client := newClient(t, server, quicksightembed.WithAPIOptions(noStep))
	for range 2 {
		_, err := client.GetSessionEmbedUrl(ctx, janesInput())
		require.NoError(t, err)
	}
	assert.Len(t, server.seen(), 3)

	slow := newServer(t, http.HandlerFunc(stall))
	_, err := newClient(t, slow, quicksightembed.WithAPIOptions(noStep)).GetSessionEmbedUrl(ctx, janesInput(), func(o *quicksightembed.Options) { o.AttemptTimeout = 20 * time.Millisecond })
	assert.ErrorContains(t, err, "no complete reply within the attempt timeout of 20ms")
	assert.Len(t, slow.seen(), 3)
}

func TestSecretsAreHiddenInAStack(t *testing.T) {
	for name, reply := range leakyReplies {
		t.Run(name, func(t *testing.T) {
			showReply(t, handledBy(reply), func(_ *testing.T, s *scene) { s.options.APIOptions = []apiOption{noStep} })
		})
	}
}
