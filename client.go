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

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyrand "github.com/aws/smithy-go/rand"
	"github.com/aws/smithy-go/tracing"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// ServiceID is the name of the service in errors, in spans, and for functions in aws.Config.ServiceOptions.
const ServiceID = "QuickSight"

const (
	operation       = "GetSessionEmbedUrl"
	signingName     = "quicksight"
	emptyBodySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	tracerScope     = "example.com/quicksightembed"
)

// Client calls GetSessionEmbedUrl. It is safe for concurrent use and needs no closing. Make one per process, with New or
// NewFromConfig, and pass what differs between calls (each end user's role-session credentials) as options of the call.
type Client struct {
	settings *settings
}

// New returns a client with the options, on which the functions are called in order after HTTPClient, HTTPSignerV4, Logger, Retryer
// and TracerProvider have got their defaults where they were unset. Options that cannot work are reported by each call.
func New(options Options, optFns ...func(*Options)) *Client {
	options = options.Copy()
	if options.Retryer == nil {
		options.RetryMode = cmp.Or(options.RetryMode, aws.RetryModeStandard)
	}
	defaults := options.defaults()
	if buildable, ok := options.HTTPClient.(*awshttp.BuildableClient); ok {
		options.HTTPClient = withModeTimeouts(buildable, options.resolvedDefaultsMode())
	}
	options.fillUnset(defaults)
	applyOptions(&options, optFns)
	options.fillUnset(defaults)
	if options.RetryMaxAttempts > 0 {
		options.Retryer = retry.AddWithMaxAttempts(options.Retryer, options.RetryMaxAttempts)
	}
	options.HTTPClient = withoutRedirects(options.HTTPClient)
	return &Client{settings: newSettings(options, userAgent(options.AppID), new(atomic.Int64))}
}

// NewFromConfig returns a client with the settings of cfg, such as config.LoadDefaultConfig of aws-sdk-go-v2/config
// returns: region, credentials, endpoint URL, FIPS and dual-stack, retries, HTTP client, logging, app ID, defaults mode.
// cfg.ServiceOptions are called with ServiceID and *Options, then optFns. Fields of cfg that would change this operation
// in the official client but not in this one are named in one warning through cfg.Logger.
func NewFromConfig(cfg aws.Config, optFns ...func(*Options)) *Client {
	warnOfUnsupported(cfg)
	return New(optionsFrom(cfg), func(o *Options) {
		for _, fn := range cfg.ServiceOptions {
			if fn != nil {
				fn(ServiceID, o)
			}
		}
		applyOptions(o, optFns)
	})
}

// Options returns a copy of the client's options.
func (c *Client) Options() Options { return c.settings.options.Copy() }

// Format prints the client's options without what may hold a secret, whatever the verb.
func (c *Client) Format(f fmt.State, verb rune) { c.settings.options.Format(f, verb) }

func applyOptions(o *Options, optFns []func(*Options)) {
	for _, fn := range optFns {
		if fn != nil {
			fn(o)
		}
	}
}

// GetSessionEmbedUrl asks QuickSight for a URL that opens its console, once and within 5 minutes, for one user, and that a
// web page can put into an iframe. The user must be an author or admin of an Enterprise edition account, and the page's
// domain allowed there. It tries at most 3 times, each time for at most 15 seconds besides finding credentials, and while ctx
// lives, unless [Options] say otherwise. A nil params is an input without AwsAccountId.
//
// Every error is a *smithy.OperationError. Inside it, errors.As finds
//   - a *[ValidationError]: the input or the options are wrong, and nothing was sent;
//   - an error whose text has "get identity: ": no credentials, or their provider failed. Where it asked a service such as STS,
//     that one's error is in a second *smithy.OperationError, and may be any of the following: look for it first;
//   - one of this package's exceptions, or a *smithy.GenericAPIError: what QuickSight answered. All are smithy.APIError;
//   - an *awshttp.ResponseError: the status and the request ID of the reply, around the error itself; 0 and "" where there was
//     no reply;
//   - a *smithyhttp.RequestSendError: no reply, or none within the attempt timeout. An interface{ Timeout() bool }, which
//     errors.As finds too, then returns true;
//   - a *smithy.DeserializationError: a reply that cannot be read: not the JSON expected, cut off, or larger than 1 MiB;
//   - a *smithy.CanceledError or an *aws.RequestCanceledError: ctx ended while sending or waiting. errors.Is finds
//     context.Canceled or context.DeadlineExceeded whenever ctx ended. What the last try failed with is not in it;
//   - a *retry.MaxAttemptsError: no try is left. It is around the error of the last.
//
// The packages are smithy-go, its transport/http (smithyhttp), and of aws-sdk-go-v2 aws, aws/retry and aws/transport/http
// (awshttp).
//
// See https://docs.aws.amazon.com/quicksight/latest/APIReference/API_GetSessionEmbedUrl.html
func (c *Client) GetSessionEmbedUrl(ctx context.Context, params *GetSessionEmbedUrlInput, optFns ...func(*Options)) (out *GetSessionEmbedUrlOutput, err error) {
	if ctx == nil {
		return nil, operationError(errNilContext)
	}
	s := c.settings.with(optFns)
	ctx, span := s.startOperation(ctx)
	defer func() { err = endOperation(span, err) }()

	call, err := s.newCall(ctx, params)
	if err != nil {
		return nil, err
	}
	result, metadata, err := s.attempts.HandleFinalize(ctx, middleware.FinalizeInput{Request: call}, call)
	if err != nil {
		return nil, err
	}
	out = result.Result.(*GetSessionEmbedUrlOutput)
	out.ResultMetadata = metadata
	return out, nil
}

// SignGetSessionEmbedUrl validates, builds and signs the request of a first attempt, and does not send it. The caller sends
// it within five minutes; it is not for retries. Its errors are those of GetSessionEmbedUrl that come before sending.
func (c *Client) SignGetSessionEmbedUrl(ctx context.Context, params *GetSessionEmbedUrlInput, optFns ...func(*Options)) (req *http.Request, err error) {
	if ctx == nil {
		return nil, operationError(errNilContext)
	}
	s := c.settings.with(optFns)
	callerCtx := ctx
	ctx, span := s.startOperation(ctx)
	defer func() { err = endOperation(span, err) }()

	call, err := s.newCall(ctx, params)
	if err != nil {
		return nil, err
	}
	sign := func(ctx context.Context, in middleware.FinalizeInput) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
		out.Result = in.Request
		return out, metadata, call.sign(ctx, in.Request.(*smithyhttp.Request).Request)
	}
	// Nothing is sent, so nothing may count towards the quota of the client's retryer.
	attempts := retry.NewAttemptMiddleware(retry.AddWithMaxAttempts(aws.NopRetryer{}, s.options.Retryer.MaxAttempts()), newRequest)
	result, _, err := attempts.HandleFinalize(ctx, middleware.FinalizeInput{Request: call}, middleware.FinalizeHandlerFunc(sign))
	if err != nil {
		return nil, err
	}
	return result.Result.(*smithyhttp.Request).WithContext(callerCtx), nil
}

// startOperation prepares the context for what of the AWS core runs in it, and starts the span of the whole operation.
func (s *settings) startOperation(ctx context.Context) (context.Context, tracing.Span) {
	ctx = middleware.ClearStackValues(ctx)
	ctx = awsmiddleware.SetServiceID(ctx, ServiceID)
	ctx = awsmiddleware.SetOperationName(ctx, operation)
	ctx = middleware.SetLogger(ctx, s.options.Logger)
	tracer := s.options.TracerProvider.Tracer(tracerScope)
	ctx = tracing.WithOperationTracer(ctx, tracer)
	return tracer.StartSpan(ctx, ServiceID+"."+operation, operationSpan...)
}

var operationSpan = []tracing.SpanOption{func(o *tracing.SpanOptions) {
	o.Kind = tracing.SpanKindClient
	o.Properties.Set("rpc.system", "aws-api")
	o.Properties.Set("rpc.method", operation)
	o.Properties.Set("rpc.service", ServiceID)
}}

// call is one operation on its way: what its attempts have in common.
type call struct {
	*settings
	url          url.URL
	invocationID string
	skew         time.Duration // to sign with: as seen by the last attempt
	request      *http.Request // of the attempt that is being sent
}

var invocationIDs = smithyrand.NewUUID(rand.Reader)

// newCall validates everything before anything is looked up or sent.
func (s *settings) newCall(ctx context.Context, params *GetSessionEmbedUrlInput) (*call, error) {
	if fields := append(params.problems(), s.problems...); len(fields) > 0 {
		return nil, &ValidationError{Fields: fields}
	}
	_, span := tracing.StartSpan(ctx, "OperationSerializer")
	defer span.End()
	invocationID, err := invocationIDs.GetUUID()
	if err != nil {
		return nil, err
	}
	call := &call{settings: s, url: requestURL(s.endpoint, params), invocationID: invocationID}
	if !s.options.DisableClockSkewCorrection {
		call.skew = time.Duration(s.clockSkew.Load())
	}
	return call, nil
}

// newRequest builds the request of one attempt of a *call, for the attempt middleware, which then sets Amz-Sdk-Request.
func newRequest(v any) any {
	call := v.(*call)
	requestURL := call.url // a copy: the signer writes to it
	values := [...]string{call.invocationID, call.userAgent}
	req := &smithyhttp.Request{Request: &http.Request{
		Method: http.MethodGet,
		URL:    &requestURL,
		Header: http.Header{
			"Amz-Sdk-Invocation-Id": values[0:1:1],
			"User-Agent":            values[1:2:2],
		},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Host: requestURL.Host,
	}}
	(&awsmiddleware.RecursionDetection{}).HandleBuild(context.Background(), middleware.BuildInput{Request: req}, endOfBuild)
	return req
}

// endOfBuild lets a build middleware of the core be called as a plain function that sets a header.
var endOfBuild = middleware.BuildHandlerFunc(func(context.Context, middleware.BuildInput) (out middleware.BuildOutput, metadata middleware.Metadata, err error) {
	return out, metadata, nil
})

// HandleFinalize makes one try, for the attempt middleware: credentials, signature, sending, and reading what comes back.
func (c *call) HandleFinalize(ctx context.Context, in middleware.FinalizeInput) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
	req := in.Request.(*smithyhttp.Request).Request
	if err := c.sign(ctx, req); err != nil {
		return out, metadata, err
	}
	logger := middleware.GetLogger(ctx)
	logRequest(logger, &c.options, req)

	attemptCtx, cancel := c.withAttemptTimeout(ctx)
	defer cancel()
	resp, metadata, err := c.send(attemptCtx, req)
	c.skew, _ = awsmiddleware.GetAttemptSkew(metadata)
	requestID := noteRequestID(ctx, &metadata, resp)
	if err == nil {
		out.Result, err = c.receive(ctx, attemptCtx, req, resp)
	} else {
		resp.Body.Close()
		err = c.broken(ctx, attemptCtx, &smithyhttp.RequestSendError{Err: reply{request: req}.hideQuoted(err)})
	}
	hideRequestSecrets(resp)
	if err != nil {
		err = &awshttp.ResponseError{
			ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: resp}, Err: err},
			RequestID:     requestID,
		}
	}
	return out, metadata, err
}

// sign finds credentials and signs the request. The signing time follows the clock skew seen last: the channel by which
// the attempt middleware tells it to the official client's signer is internal to the core.
func (c *call) sign(ctx context.Context, req *http.Request) error {
	markStep(ctx, "ResolveAuthScheme", "auth.scheme_id", "aws.auth#sigv4")
	credentials, err := c.credentials(ctx)
	if err != nil {
		return fmt.Errorf("get identity: %w", err)
	}
	markStep(ctx, "ResolveEndpoint", "client.call.resolved_endpoint", c.endpoint)
	markStep(ctx, "ComputePayloadSHA256", "", nil)
	_, span := tracing.StartSpan(ctx, "SignRequest")
	defer span.End()
	err = c.options.HTTPSignerV4.SignHTTP(ctx, credentials, req, emptyBodySHA256, signingName, c.options.Region, time.Now().Add(c.skew), withoutSigningLog)
	if err != nil {
		return fmt.Errorf("sign request: sign http: %w", err)
	}
	return nil
}

// markStep records a span for a step that the official client takes in each try and this one has taken beforehand, so that
// what reads spans finds the same ones.
func markStep(ctx context.Context, name, key string, value any) {
	if _, traced := tracing.GetSpan(ctx); !traced {
		return
	}
	_, span := tracing.StartSpan(ctx, name)
	defer span.End()
	if key != "" {
		span.SetProperty(key, fmt.Sprint(value))
	}
}

// withoutSigningLog keeps a signer from logging the canonical request, which holds the session token.
func withoutSigningLog(o *v4.SignerOptions) { o.LogSigning = false }

func (c *call) credentials(ctx context.Context) (aws.Credentials, error) {
	ctx, span := tracing.StartSpan(ctx, "GetIdentity")
	defer span.End()
	provider := c.options.Credentials
	if provider == nil || aws.IsCredentialsProvider(provider, (*aws.AnonymousCredentials)(nil)) {
		return aws.Credentials{}, errNoCredentials
	}
	credentials, err := provider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("get credentials: %w", err)
	}
	if !credentials.HasKeys() {
		return aws.Credentials{}, fmt.Errorf("get credentials: the provider returned no keys: %w", errNoCredentials)
	}
	return credentials, nil
}

func (c *call) withAttemptTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.attemptTimeout < 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.attemptTimeout)
}

// send sends the request through the core's own middleware for response metadata, from which the clock skew is derived.
// The response is never nil.
func (c *call) send(ctx context.Context, req *http.Request) (*http.Response, middleware.Metadata, error) {
	c.request = req
	out, metadata, err := awsmiddleware.AddRawResponse{}.HandleDeserialize(ctx, middleware.DeserializeInput{Request: c}, doInTime)
	return out.RawResponse.(*smithyhttp.Response).Response, metadata, err
}

// doInTime and doNow are handlers for the core's middleware. They find the call in the input, so that none is made for each try.
var (
	doInTime = middleware.DeserializeHandlerFunc(func(ctx context.Context, in middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
		timing := awsmiddleware.RecordResponseTiming{DisableClockSkewCorrection: in.Request.(*call).options.DisableClockSkewCorrection}
		return timing.HandleDeserialize(ctx, in, doNow)
	})
	doNow = middleware.DeserializeHandlerFunc(func(ctx context.Context, in middleware.DeserializeInput) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
		resp, err := in.Request.(*call).do(ctx)
		out.RawResponse = &smithyhttp.Response{Response: resp}
		return out, metadata, err
	})
)

func (c *call) do(ctx context.Context) (*http.Response, error) {
	ctx, span := tracing.StartSpan(ctx, "DoHTTPRequest")
	defer span.End()
	resp, err := c.options.HTTPClient.Do(c.request.WithContext(ctx))
	if resp == nil {
		resp = &http.Response{Header: http.Header{}}
		if err == nil {
			err = errors.New("the HTTP client returned neither a reply nor an error")
		}
	}
	if resp.StatusCode == http.StatusSwitchingProtocols && resp.Body != nil {
		resp.Body.Close() // it is the connection, and no context ends a Read of that
		resp.Body = nil
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	if span, traced := tracing.GetSpan(ctx); traced { // to make the values costs
		span.SetProperty("http.method", c.request.Method)
		span.SetProperty("http.request_content_length", int64(0))
		span.SetProperty("net.protocol.version", fmt.Sprintf("%d.%d", resp.ProtoMajor, resp.ProtoMinor))
		span.SetProperty("http.status_code", resp.StatusCode)
		span.SetProperty("http.response_content_length", resp.ContentLength)
	}
	return resp, err
}

// noteRequestID puts the request ID of the reply's header where the official client does.
func noteRequestID(ctx context.Context, metadata *middleware.Metadata, resp *http.Response) string {
	id := cmp.Or(resp.Header.Get("X-Amzn-Requestid"), resp.Header.Get("X-Amz-Requestid"))
	if id == "" {
		return ""
	}
	awsmiddleware.SetRequestIDMetadata(metadata, id)
	if span, traced := tracing.GetSpan(ctx); traced {
		span.SetProperty("aws.request_id", id)
	}
	return id
}

// receive reads and decodes the reply.
func (c *call) receive(ctx, attemptCtx context.Context, req *http.Request, resp *http.Response) (*GetSessionEmbedUrlOutput, error) {
	_, span := tracing.StartSpan(ctx, "OperationDeserializer")
	defer span.End()
	reply, err := readReply(req, resp)
	logReply(middleware.GetLogger(ctx), &c.options, reply)
	if err != nil {
		return nil, c.broken(ctx, attemptCtx, reply.unreadable(err))
	}
	return reply.decode()
}

// broken returns the error of a try that was broken off by the end of a context, where that is why it failed, and otherwise
// err.
func (c *call) broken(ctx, attemptCtx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return &smithy.CanceledError{Err: ctx.Err()}
	case attemptCtx.Err() != nil:
		return &smithyhttp.RequestSendError{Err: &attemptTimeoutError{after: c.attemptTimeout}}
	}
	return err
}

// endOperation records how the operation ended, and wraps its error.
func endOperation(span tracing.Span, err error) error {
	defer span.End()
	span.SetProperty("error", err != nil)
	if err == nil {
		span.SetStatus(tracing.SpanStatusOK)
		return nil
	}
	span.SetProperty("exception.type", fmt.Sprintf("%T", err))
	span.SetProperty("exception.message", err.Error())
	var apiErr smithy.APIError
	if errors.As(err, &apiErr) {
		span.SetProperty("api.error_code", apiErr.ErrorCode())
		span.SetProperty("api.error_message", apiErr.ErrorMessage())
		span.SetProperty("api.error_fault", apiErr.ErrorFault().String())
	}
	span.SetStatus(tracing.SpanStatusError)
	return operationError(err)
}

func operationError(err error) error {
	return &smithy.OperationError{ServiceID: ServiceID, OperationName: operation, Err: err}
}
