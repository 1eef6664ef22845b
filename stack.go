package quicksightembed

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// WithAPIOptions adds to Options.APIOptions.
func WithAPIOptions(optFns ...func(*middleware.Stack) error) func(*Options) {
	return func(o *Options) { o.APIOptions = append(o.APIOptions, optFns...) }
}

// intercepted reports whether there are interceptors.
func (o *Options) intercepted() bool {
	r := &o.Interceptors
	return len(r.BeforeExecution)+len(r.BeforeSerialization)+len(r.AfterSerialization)+len(r.BeforeRetryLoop)+
		len(r.BeforeAttempt)+len(r.BeforeSigning)+len(r.AfterSigning)+len(r.BeforeTransmit)+len(r.AfterTransmit)+
		len(r.BeforeDeserialization)+len(r.AfterDeserialization)+len(r.AfterAttempt)+len(r.AfterExecution) > 0
}

// invokeStack makes the call through a stack, to which the functions in Options.APIOptions add
// their steps. IDs and order of its steps are the official client's, so that they find their
// places.
func (c *call) invokeStack(ctx context.Context, params *GetSessionEmbedUrlInput) (result any, metadata middleware.Metadata, err error) {
	const end = middleware.After
	// Add does not fail: the IDs are distinct.
	stack := middleware.NewStack(operation, smithyhttp.NewStackRequest)
	stack.Initialize.Add(&awsmiddleware.RegisterServiceMetadata{
		ServiceID: ServiceID, Region: c.options.Region, OperationName: operation}, end)
	stack.Initialize.Add(middleware.InitializeMiddlewareFunc("OperationInputValidation", c.validateStep), end)
	stack.Serialize.Add(middleware.SerializeMiddlewareFunc("OperationSerializer", c.serializeStep), end)
	stack.Build.Add(&awsmiddleware.ClientRequestID{}, end)
	stack.Build.Add(&smithyhttp.ComputeContentLength{}, end)
	stack.Build.Add(newUserAgent(c.options.AppID), end)
	stack.Build.Add(&awsmiddleware.RecursionDetection{}, end)
	stack.Finalize.Add(c.attempts, end)
	//lint:ignore SA1019 programs use it to find a place
	stack.Finalize.Add(&retry.MetricsHeader{}, end)
	for _, step := range attemptSteps {
		step.call = c
		stack.Finalize.Add(&step, end)
	}
	// It adds the hash to the context, for the program's steps.
	stack.Finalize.Insert(&v4.ComputePayloadSHA256{}, "Signing", middleware.Before)
	c.linkExchange()
	for _, step := range c.exchange {
		stack.Deserialize.Add(step.DeserializeMiddleware, end)
	}
	if c.options.intercepted() {
		addInterceptors(stack, &c.options.Interceptors)
	}
	for _, fn := range c.options.APIOptions {
		if err := fn(stack); err != nil {
			return nil, metadata, err
		}
	}
	if c.signOnly {
		stack.Deserialize.Clear() // there is no reply
	}
	send := middleware.HandlerFunc(func(ctx context.Context, request any) (any, middleware.Metadata, error) {
		out, metadata, err := (*transport)(c).HandleDeserialize(ctx, middleware.DeserializeInput{Request: request})
		return out.RawResponse, metadata, err
	})
	ctx = middleware.WithOperationName(middleware.WithServiceID(ctx, ServiceID), operation)
	return middleware.DecorateHandler(send, stack).Handle(ctx, cmp.Or(params, &GetSessionEmbedUrlInput{}))
}

// addInterceptors adds the steps that call interceptors where the official client does.
func addInterceptors(stack *middleware.Stack, r *smithyhttp.InterceptorRegistry) {
	const before, after = middleware.Before, middleware.After
	const serializer, deserializer = "OperationSerializer", "OperationDeserializer"
	execution := smithyhttp.InterceptExecution{BeforeExecution: r.BeforeExecution, AfterExecution: r.AfterExecution}
	beforeSerialization := smithyhttp.InterceptBeforeSerialization{Interceptors: r.BeforeSerialization}
	afterSerialization := smithyhttp.InterceptAfterSerialization{Interceptors: r.AfterSerialization}
	attempt := smithyhttp.InterceptAttempt{BeforeAttempt: r.BeforeAttempt, AfterAttempt: r.AfterAttempt}
	transmit := smithyhttp.InterceptTransmit{BeforeTransmit: r.BeforeTransmit, AfterTransmit: r.AfterTransmit}
	beforeDeserialization := smithyhttp.InterceptBeforeDeserialization{Interceptors: r.BeforeDeserialization}
	afterDeserialization := smithyhttp.InterceptAfterDeserialization{Interceptors: r.AfterDeserialization}
	stack.Initialize.Add(&execution, before)
	stack.Serialize.Insert(&beforeSerialization, serializer, before)
	stack.Serialize.Insert(&afterSerialization, serializer, after)
	stack.Finalize.Insert(&smithyhttp.InterceptBeforeRetryLoop{Interceptors: r.BeforeRetryLoop}, "Retry", before)
	stack.Finalize.Insert(&attempt, "Retry", after)
	stack.Finalize.Insert(&smithyhttp.InterceptBeforeSigning{Interceptors: r.BeforeSigning}, "Signing", before)
	stack.Finalize.Insert(&smithyhttp.InterceptAfterSigning{Interceptors: r.AfterSigning}, "Signing", after)
	stack.Deserialize.Add(&transmit, after)
	// A reply comes from below: what is before its deserialization is after the deserializer.
	stack.Deserialize.Insert(&beforeDeserialization, deserializer, after)
	stack.Deserialize.Insert(&afterDeserialization, deserializer, before)
}

// ID is the official client's.
func (s *attemptStep) ID() string { return s.id }

// HandleFinalize takes the step.
func (s *attemptStep) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, metadata, fmt.Errorf("unknown transport type %T", in.Request)
	}
	if err := s.do(s.call, ctx, req); err != nil {
		return out, metadata, err
	}
	out, metadata, err = next.HandleFinalize(ctx, in)
	s.call.skew, _ = awsmiddleware.GetAttemptSkew(metadata)
	return out, metadata, err
}

func (c *call) validateStep(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
	if _, err := c.validate(in.Parameters); err != nil {
		return out, metadata, err
	}
	return next.HandleInitialize(ctx, in)
}

// serializeStep validates again: the program's steps may have changed the input.
func (c *call) serializeStep(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (out middleware.SerializeOutput, metadata middleware.Metadata, err error) {
	params, err := c.validate(in.Parameters)
	if err != nil {
		return out, metadata, err
	}
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, metadata, fmt.Errorf("unknown transport type %T", in.Request)
	}
	*req.URL, req.Method = requestURL(params), http.MethodGet
	return next.HandleSerialize(ctx, in)
}
