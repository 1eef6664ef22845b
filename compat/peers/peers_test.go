package peers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/quicksight"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"example.com/quicksightembed"
)

// outcome is the result of a call. It is equal for both clients if they behave the same.
type outcome struct {
	EmbedUrl  *string
	RequestId *string
	Status    int32
	HeaderId  string    // the request ID in the metadata
	HasRaw    bool      // the metadata has the response
	Attempts  []attempt // in the metadata, of a success

	Layers     []string // types of the error, outermost first
	Text       string   // of the error
	Code       string
	Message    string
	Fault      smithy.ErrorFault
	HTTPStatus int
	ErrorId    string         // the request ID of awshttp.ResponseError
	Exception  map[string]any // the fields of the modelled exception
}

// attempt is what the metadata has about one attempt.
type attempt struct {
	Retryable, Retried bool
	Layers             []string
	RequestId          string
	HasServerTime      bool
	HasResponseAt      bool
	HasSkew            bool
	HasRawResponse     bool
}

// asker makes a call with its client and with options of the call.
type asker func(ctx context.Context, in *quicksightembed.GetSessionEmbedUrlInput, options ...func(string, any)) outcome

func newOfficial(cfg aws.Config) asker {
	client := quicksight.NewFromConfig(cfg)
	return func(ctx context.Context, in *quicksightembed.GetSessionEmbedUrlInput, options ...func(string, any)) outcome {
		out, err := client.GetSessionEmbedUrl(ctx, officialInput(in), ofCall[quicksight.Options](options)...)
		if err != nil {
			return failed(err)
		}
		return succeeded(out.EmbedUrl, out.RequestId, out.Status, out.ResultMetadata)
	}
}

func newOurs(cfg aws.Config) asker {
	client := quicksightembed.NewFromConfig(cfg)
	return func(ctx context.Context, in *quicksightembed.GetSessionEmbedUrlInput, options ...func(string, any)) outcome {
		out, err := client.GetSessionEmbedUrl(ctx, in, ofCall[quicksightembed.Options](options)...)
		if err != nil {
			return failed(err)
		}
		return succeeded(out.EmbedUrl, out.RequestId, out.Status, out.ResultMetadata)
	}
}

func ofCall[Options any](options []func(string, any)) (optFns []func(*Options)) {
	for _, option := range options {
		optFns = append(optFns, func(o *Options) { option(quicksight.ServiceID, o) })
	}
	return optFns
}

// askOfficial makes a call with a new official client. askOurs makes it with a new client of this
// project.
func askOfficial(ctx context.Context, cfg aws.Config, in *quicksightembed.GetSessionEmbedUrlInput) outcome {
	return newOfficial(cfg)(ctx, in)
}

func askOurs(ctx context.Context, cfg aws.Config, in *quicksightembed.GetSessionEmbedUrlInput) outcome {
	return newOurs(cfg)(ctx, in)
}

// peers are both clients, the official one first.
var peers = []struct {
	name string
	ask  func(context.Context, aws.Config, *quicksightembed.GetSessionEmbedUrlInput) outcome
	new  func(aws.Config) asker
}{
	{"the official client", askOfficial, newOfficial},
	{"this client", askOurs, newOurs},
}

func officialInput(in *quicksightembed.GetSessionEmbedUrlInput) *quicksight.GetSessionEmbedUrlInput {
	return &quicksight.GetSessionEmbedUrlInput{
		AwsAccountId: in.AwsAccountId, EntryPoint: in.EntryPoint,
		SessionLifetimeInMinutes: in.SessionLifetimeInMinutes, UserArn: in.UserArn,
	}
}

func succeeded(embedURL, requestID *string, status int32, metadata middleware.Metadata) outcome {
	o := outcome{EmbedUrl: embedURL, RequestId: requestID, Status: status}
	o.HeaderId, _ = awsmiddleware.GetRequestIDMetadata(metadata)
	o.HasRaw = awsmiddleware.GetRawResponse(metadata) != nil
	results, _ := retry.GetAttemptResults(metadata)
	for _, result := range results.Results {
		a := attempt{Retryable: result.Retryable, Retried: result.Retried, Layers: layersOf(result.Err)}
		a.RequestId, _ = awsmiddleware.GetRequestIDMetadata(result.ResponseMetadata)
		_, a.HasServerTime = awsmiddleware.GetServerTime(result.ResponseMetadata)
		_, a.HasResponseAt = awsmiddleware.GetResponseAt(result.ResponseMetadata)
		_, a.HasSkew = awsmiddleware.GetAttemptSkew(result.ResponseMetadata)
		a.HasRawResponse = awsmiddleware.GetRawResponse(result.ResponseMetadata) != nil
		o.Attempts = append(o.Attempts, a)
	}
	return o
}

func failed(err error) outcome {
	o := outcome{Layers: layersOf(err), Text: err.Error()}
	var apiErr smithy.APIError
	if errors.As(err, &apiErr) {
		o.Code, o.Message, o.Fault = apiErr.ErrorCode(), apiErr.ErrorMessage(), apiErr.ErrorFault()
		o.Exception = fieldsOf(apiErr)
	}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		o.HTTPStatus, o.ErrorId = response.HTTPStatusCode(), response.ServiceRequestID()
	}
	return o
}

// layersOf returns the types of an error and of those that it wraps, without the package if it is a
// client's own.
func layersOf(err error) (layers []string) {
	for err != nil {
		of := reflect.TypeOf(err)
		name := strings.TrimPrefix(of.String(), "*")
		pkg, short, _ := strings.Cut(name, ".")
		if pkg == "types" || pkg == "quicksightembed" || pkg == "quicksight" {
			name = short
		}
		if name == "CredentialsError" { // only this client has it
			name = "fmt.wrapError"
		}
		layers = append(layers, name)
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, each := range joined.Unwrap() {
				layers = append(layers, "("+strings.Join(layersOf(each), " ")+")")
			}
			return layers
		}
		err = errors.Unwrap(err)
	}
	return layers
}

// fieldsOf returns the type of an exception, and its exported fields that have a value.
func fieldsOf(exception smithy.APIError) map[string]any {
	fields := map[string]any{"type": strings.TrimPrefix(layersOf(exception)[0], "smithy.")}
	value := reflect.ValueOf(exception).Elem()
	for i := range value.NumField() {
		field := value.Type().Field(i)
		if !field.IsExported() || value.Field(i).IsZero() {
			continue
		}
		if text, ok := value.Field(i).Interface().(*string); ok {
			fields[field.Name] = *text
			continue
		}
		fields[field.Name] = value.Field(i).String() // ExceptionResourceType
	}
	return fields
}

// set returns a function that sets an option of either client, such as
// "EndpointOptions.UseFIPSEndpoint".
func set(option string, value any) func(string, any) {
	return func(_ string, options any) {
		field := reflect.ValueOf(options).Elem()
		for name := range strings.SplitSeq(option, ".") {
			field = field.FieldByName(name)
		}
		field.Set(reflect.ValueOf(value))
	}
}

// workingConfig returns a valid config with a transport.
func workingConfig(transport aws.HTTPClient, options ...func(string, any)) aws.Config {
	return aws.Config{
		Region:         "us-east-1",
		Credentials:    credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""),
		HTTPClient:     transport,
		ServiceOptions: options,
	}
}

func credentials(key, secret, token string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: key, SecretAccessKey: secret, SessionToken: token}, nil
	})
}

func janes() *quicksightembed.GetSessionEmbedUrlInput {
	return &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account), UserArn: aws.String(jane)}
}

const urlReply = `{"EmbedUrl":"https://us-east-1.quicksight.aws.amazon.com/embedding/abc/start?code=c0de","RequestId":"body-id","Status":200}`

// response returns a reply without a server.
func response(status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// recorder is a transport that keeps the requests and answers with a URL.
type recorder struct{ requests []*http.Request }

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	r.requests = append(r.requests, req)
	return response(http.StatusOK, nil, urlReply), nil
}

var _ smithyhttp.ClientDo = (*recorder)(nil)

// once is a retryer that does not retry.
func once() aws.Retryer { return aws.NopRetryer{} }

// withoutDelay is the standard retryer without pauses.
func withoutDelay() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) { o.Backoff = atOnce })
}

var atOnce = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
