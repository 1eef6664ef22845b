package quicksightembed

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
	"unique"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyrand "github.com/aws/smithy-go/rand"
	"github.com/aws/smithy-go/tracing"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// ServiceID is the service's name in errors, spans and ServiceOptions.
const ServiceID = "QuickSight"

const (
	operation       = "GetSessionEmbedUrl"
	emptyBodySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	version         = "0.2.0" // of this library, as in the CHANGELOG
)

// GetSessionEmbedUrlAPIClient is a *Client, or a mock in a test.
type GetSessionEmbedUrlAPIClient interface {
	GetSessionEmbedUrl(context.Context, *GetSessionEmbedUrlInput, ...func(*Options)) (*GetSessionEmbedUrlOutput, error)
}

// Client is safe for concurrent use and needs no closing. Make one per process, and pass what
// differs between calls, such as credentials, as options of the call.
type Client struct {
	options      *Options     // a pointer, so that fmt prints no keys
	problems     []FieldError // with options that every call needs
	sendProblems []FieldError // with region, endpoint, credentials: not needed by stubs
	endpoint     *url.URL
	userAgent    unique.Handle[string] // the same for many clients
	attempts     *retry.Attempt
	sender       HTTPClient
	inStack      bool          // the program has its own middleware
	clockSkew    *atomic.Int64 // nanoseconds that the service's clock was ahead
}

// New returns a client. It fills in unset options, then calls the functions in order. Unusable
// options are a *ValidationError of each call.
func New(options Options, optFns ...func(*Options)) *Client {
	options = options.Copy()
	if isNone(options.Retryer) {
		options.RetryMode = cmp.Or(options.RetryMode, aws.RetryModeStandard)
	}
	defaults := options.defaults()
	options.fillUnset(&defaults)
	options.apply(optFns)
	options.fillUnset(&defaults)
	return newClient(options, &Client{options: &Options{}, clockSkew: new(atomic.Int64)})
}

// NewFromConfig returns a client with the settings of cfg. It calls cfg.ServiceOptions with
// ServiceID and *Options, then optFns. One warning names settings that this client does not
// support.
func NewFromConfig(cfg aws.Config, optFns ...func(*Options)) *Client {
	warnOfUnsupported(cfg)
	return New(optionsFrom(cfg), func(o *Options) {
		for _, fn := range cfg.ServiceOptions {
			if fn != nil {
				fn(ServiceID, o)
			}
		}
		o.apply(optFns)
	})
}

// newClient makes a client of complete options. It shares the clock skew and, if the options are
// the same, User-Agent and retryer with the client that it is made from.
func newClient(o Options, from *Client) *Client {
	o = o.Copy() // option functions may have kept a pointer into it
	if o.RetryMaxAttempts > 0 && o.RetryMaxAttempts != from.options.RetryMaxAttempts {
		o.Retryer = retry.AddWithMaxAttempts(o.Retryer, o.RetryMaxAttempts)
	}
	c := &Client{options: &o, problems: o.problems(), sender: o.sender(), clockSkew: from.clockSkew}
	c.inStack = len(o.APIOptions) > 0 || o.intercepted()
	if c.userAgent = from.userAgent; c.userAgent == (unique.Handle[string]{}) || o.AppID != from.options.AppID {
		c.userAgent = unique.Make(requestUserAgent(o.AppID))
	}
	c.endpoint, c.sendProblems = resolveEndpoint(&o)
	if o.lacksCredentials() {
		c.sendProblems = append(c.sendProblems, noCredentials)
	}
	c.attempts = retry.NewAttemptMiddleware(o.Retryer, newRequest, func(a *retry.Attempt) {
		a.LogAttempts = o.ClientLogMode.IsRetries()
		a.ClientSkew = c.clockSkew
		a.DisableClockSkewCorrection = o.DisableClockSkewCorrection
	})
	return c
}

// with returns the client for a call with its own options. It shares retry quota, connections and
// clock skew with c, unless the options change the Retryer or the HTTPClient.
func (c *Client) with(optFns []func(*Options)) *Client {
	if len(optFns) == 0 {
		return c
	}
	o := c.Options()
	o.apply(optFns)
	o.fillUnset(c.options)
	return newClient(o, c)
}

// Options returns a copy of the client's options.
func (c *Client) Options() Options { return c.options.Copy() }

// Format prints the options, without secrets.
func (c *Client) Format(f fmt.State, verb rune) { c.options.Format(f, verb) }

// GetSessionEmbedUrl returns a URL that opens the console for one user, an author or admin of an
// Enterprise edition account that allows the page's domain. By default, a call makes at most 3
// attempts of 15 seconds, each after a credentials lookup. It ends with ctx.
//
// Every error is a *smithy.OperationError. Inside it, errors.As finds
//   - *[ValidationError]: the input or options are wrong; nothing was sent
//   - *[CredentialsError]: check it first, it can contain an error of STS
//   - *…Exception or *smithy.GenericAPIError, both smithy.APIError: the answer
//   - *awshttp.ResponseError, around it: HTTP status and request ID
//   - *smithyhttp.RequestSendError: no reply in time, or none
//   - *smithy.DeserializationError: an unreadable reply, or one above 1 MiB
//   - *retry.MaxAttemptsError, around the last attempt's error
//   - with errors.Is: context.Canceled or context.DeadlineExceeded, if ctx ended
//
// See https://docs.aws.amazon.com/quicksight/latest/APIReference/API_GetSessionEmbedUrl.html
func (c *Client) GetSessionEmbedUrl(ctx context.Context, params *GetSessionEmbedUrlInput, optFns ...func(*Options)) (out *GetSessionEmbedUrlOutput, err error) {
	return (&call{Client: c.with(optFns)}).run(ctx, params)
}

// SignGetSessionEmbedUrl returns the signed request of a first attempt. Send it once, within 5
// minutes; do not log it. Deserialize steps of APIOptions are not called.
func (c *Client) SignGetSessionEmbedUrl(ctx context.Context, params *GetSessionEmbedUrlInput, optFns ...func(*Options)) (req *http.Request, err error) {
	unsent := *c.with(optFns)
	// Nothing is sent, so it must not use up the quota of the client's retryer.
	once := retry.AddWithMaxAttempts(aws.NopRetryer{}, unsent.options.Retryer.MaxAttempts())
	unsent.attempts = retry.NewAttemptMiddleware(once, newRequest)
	call := &call{Client: &unsent, signOnly: true}
	if _, err := call.run(ctx, params); err != nil {
		return nil, err
	}
	return call.signed.WithContext(ctx), nil
}

// call is the state of one operation and of its current attempt.
type call struct {
	*Client
	signOnly     bool
	url          url.URL       // of the request, without the endpoint
	invocationID string        // the same for all attempts
	exchange     [6]link       // see linkExchange
	skew         time.Duration // of the service's clock, as the last attempt found it

	// Of the current attempt.
	credentials aws.Credentials
	signed      *smithyhttp.Request // if signOnly
}

// run makes the call: directly or, if the program has its own middleware, through a stack.
func (c *call) run(ctx context.Context, params *GetSessionEmbedUrlInput) (out *GetSessionEmbedUrlOutput, err error) {
	if ctx == nil {
		return nil, operationError(errors.New("the context is nil: pass context.Background() if there is none"))
	}
	ctx, span := c.start(ctx)
	defer func() { err = end(ctx, span, err) }()

	if !c.options.DisableClockSkewCorrection {
		c.skew = time.Duration(c.clockSkew.Load())
	}
	invoke := c.invoke
	if c.inStack {
		invoke = c.invokeStack
	}
	result, metadata, err := invoke(ctx, params)
	if err != nil || c.signed != nil {
		return nil, err
	}
	out, _ = result.(*GetSessionEmbedUrlOutput)
	switch {
	case c.signOnly:
		return nil, errors.New("a middleware has answered before the request was signed")
	case out == nil:
		return nil, fmt.Errorf("a middleware has returned a %T: it must return a %T", result, out)
	}
	out.ResultMetadata = metadata
	return out, nil
}

// start adds to the context what the AWS core reads from it, and starts the operation's span.
func (c *call) start(ctx context.Context) (context.Context, tracing.Span) {
	ctx = middleware.ClearStackValues(ctx)
	if c.options.Logger != (logging.Nop{}) {
		ctx = middleware.SetLogger(ctx, c.options.Logger)
	}
	tracer := c.options.TracerProvider.Tracer("example.com/quicksightembed")
	return tracer.StartSpan(tracing.WithOperationTracer(ctx, tracer), ServiceID+"."+operation, operationSpan...)
}

var operationSpan = []tracing.SpanOption{func(o *tracing.SpanOptions) {
	o.Kind = tracing.SpanKindClient
	o.Properties.Set("rpc.system", "aws-api")
	o.Properties.Set("rpc.method", operation)
	o.Properties.Set("rpc.service", ServiceID)
}}

// end records how the operation ended, and wraps its error. If the context ended, the error wraps
// the context's error, even if a credentials provider returned another one.
func end(ctx context.Context, span tracing.Span, err error) error {
	defer span.End()
	span.SetProperty("error", err != nil)
	if err == nil {
		span.SetStatus(tracing.SpanStatusOK)
		return nil
	}
	span.SetStatus(tracing.SpanStatusError)
	span.SetProperty("exception.type", fmt.Sprintf("%T", err))
	span.SetProperty("exception.message", err.Error())
	var apiErr smithy.APIError
	if errors.As(err, &apiErr) {
		span.SetProperty("api.error_code", apiErr.ErrorCode())
		span.SetProperty("api.error_message", apiErr.ErrorMessage())
		span.SetProperty("api.error_fault", apiErr.ErrorFault().String())
	}
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w (%w)", err, ctx.Err())
	}
	return operationError(err)
}

func operationError(err error) error {
	return &smithy.OperationError{ServiceID: ServiceID, OperationName: operation, Err: err}
}

// invoke makes the call without a middleware.Stack.
func (c *call) invoke(ctx context.Context, params *GetSessionEmbedUrlInput) (result any, metadata middleware.Metadata, err error) {
	if _, err := c.validate(params); err != nil {
		return nil, metadata, err
	}
	ctx = awsmiddleware.SetOperationName(awsmiddleware.SetServiceID(ctx, ServiceID), operation)
	c.url = requestURL(params)
	c.invocationID, _ = invocationIDs.GetUUID() // crypto/rand does not fail
	c.linkExchange()
	out, metadata, err := c.attempts.HandleFinalize(ctx, middleware.FinalizeInput{Request: c}, c)
	return out.Result, metadata, err
}

var invocationIDs = smithyrand.NewUUID(rand.Reader)

// validate returns the input, or what is wrong with it and the options. In a stack, what a stub
// does not need is checked later, where it is used.
func (c *call) validate(parameters any) (*GetSessionEmbedUrlInput, error) {
	params, ok := parameters.(*GetSessionEmbedUrlInput)
	if !ok {
		return nil, fmt.Errorf("unknown input parameters type %T", parameters)
	}
	fields := params.problems(c.options.DisableInputValidation)
	if !c.inStack {
		fields = append(fields, c.sendProblems...)
	}
	if fields = append(fields, c.problems...); len(fields) > 0 {
		return nil, &ValidationError{Fields: fields}
	}
	return params, nil
}

// HandleFinalize makes one attempt, for the attempt middleware.
func (c *call) HandleFinalize(ctx context.Context, in middleware.FinalizeInput) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
	for _, step := range attemptSteps {
		if err := step.do(c, ctx, in.Request.(*smithyhttp.Request)); err != nil {
			return out, metadata, err
		}
	}
	received, metadata, err := c.exchange[0].HandleDeserialize(ctx, middleware.DeserializeInput(in))
	c.skew, _ = awsmiddleware.GetAttemptSkew(metadata)
	out.Result = received.Result
	return out, metadata, err
}

// attemptSteps prepare the request of an attempt. In a stack each is a middleware, with the ID of
// the official client's. There is one auth scheme, so there is nothing to resolve.
var attemptSteps = []attemptStep{
	{id: "ResolveAuthScheme", do: func(*call, context.Context, *smithyhttp.Request) error { return nil }},
	{id: "GetIdentity", do: (*call).getIdentity},
	{id: "ResolveEndpointV2", do: (*call).resolveEndpoint},
	{id: "Signing", do: (*call).sign},
}

type attemptStep struct {
	id   string
	do   func(*call, context.Context, *smithyhttp.Request) error
	call *call // in a stack
}

func (c *call) getIdentity(ctx context.Context, _ *smithyhttp.Request) (err error) {
	if c.options.lacksCredentials() {
		return nil // a stub needs none
	}
	ctx, span := tracing.StartSpan(ctx, "GetIdentity")
	defer span.End()
	c.credentials, err = c.options.Credentials.Retrieve(ctx)
	if err == nil && !c.credentials.HasKeys() {
		err = errors.New("the provider returned no keys: no credentials: set Options.Credentials, " +
			"or " + loadCredentials)
	}
	if err != nil {
		return &CredentialsError{Err: fmt.Errorf("get credentials: %w", err)}
	}
	return nil
}

func (c *call) resolveEndpoint(_ context.Context, req *smithyhttp.Request) error {
	// If credentials are missing, that is the last problem, and does not matter here.
	if len(c.sendProblems) > 0 && c.sendProblems[0] != noCredentials {
		return &ValidationError{Fields: c.sendProblems}
	}
	req.URL.Scheme, req.URL.Host = c.endpoint.Scheme, c.endpoint.Host
	if prefix := c.endpoint.Path; prefix != "" {
		// net/url ignores a RawPath that does not match Path, and the official client then
		// sends Path.
		req.URL.RawPath = smithyhttp.JoinPath(cmp.Or(c.endpoint.RawPath, prefix), req.URL.RawPath)
		req.URL.Path = smithyhttp.JoinPath(prefix, req.URL.Path)
	}
	return nil
}

// sign uses the clock skew that the last attempt found: the official signer gets it through a
// channel that is internal to the core. A request without credentials stays unsigned, for a stub.
func (c *call) sign(ctx context.Context, req *smithyhttp.Request) error {
	if !c.credentials.HasKeys() {
		return nil // the transport refuses it
	}
	hash, at := cmp.Or(v4.GetPayloadHash(ctx), emptyBodySHA256), time.Now().Add(c.skew)
	region := c.options.Region
	err := c.options.HTTPSignerV4.SignHTTP(ctx, c.credentials, req.Request, hash, "quicksight", region, at, withoutLog...)
	if err != nil {
		return fmt.Errorf("sign request: sign http: %w", err)
	}
	return nil
}

// withoutLog keeps a signer from logging the canonical request, which has the session token.
var withoutLog = []func(*v4.SignerOptions){func(o *v4.SignerOptions) { o.LogSigning = false }}
