package quicksightembed

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/defaults"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/tracing"
)

// HTTPSignerV4 signs a request with Signature Version 4, in its headers. *v4.Signer of aws-sdk-go-v2/aws/signer/v4 is one.
type HTTPSignerV4 interface {
	SignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, payloadHash string, service string, region string, signingTime time.Time, optFns ...func(*v4.SignerOptions)) error
}

// EndpointResolverOptions choose a variant of the AWS endpoint. Neither can be used with Options.BaseEndpoint.
type EndpointResolverOptions struct {
	// UseDualStackEndpoint set to enabled sends to the endpoint that is reachable over IPv4 and IPv6.
	UseDualStackEndpoint aws.DualStackEndpointState

	// UseFIPSEndpoint set to enabled sends to the FIPS 140 endpoint.
	UseFIPSEndpoint aws.FIPSEndpointState
}

// Options configure a [Client] or, in a function given to a call, that call alone. The zero value of every field but
// Region and Credentials works. Names and meaning are those of the official client's Options; AttemptTimeout and
// DisableClockSkewCorrection are this package's own.
//
// A call that has unusable options fails with a *ValidationError; nothing is sent.
type Options struct {
	// AppID is put into the User-Agent as app/{AppID}; AWS recommends at most 50 characters.
	AppID string

	// BaseEndpoint replaces the AWS endpoint, for a proxy or a test server: an http or https URL with a host and perhaps
	// a path prefix; no user info, query or fragment.
	BaseEndpoint *string

	// ClientLogMode chooses what is logged to Logger. The signature, session token and authorization codes are not
	// logged in any mode.
	ClientLogMode aws.ClientLogMode

	// Credentials provide the keys to sign with. Required: this operation has no unsigned form. A provider must return
	// when its context ends; nothing else bounds it. An aws.CredentialsCache lets its callers share one request for keys, and
	// does not pass their deadlines on: give the request a limit of its own, as the example of a role session does, or one that
	// hangs blocks all of them.
	Credentials aws.CredentialsProvider

	// DefaultsMode sets the connection timeouts of the default HTTP client, and of a BuildableClient. Read by New only.
	DefaultsMode aws.DefaultsMode

	// EndpointOptions choose the FIPS or the dual-stack endpoint.
	EndpointOptions EndpointResolverOptions

	// Logger receives what ClientLogMode chooses, and warnings. The default logs nothing.
	Logger logging.Logger

	// Region is the AWS region to send to and to sign for, such as "us-east-1". Required, with a BaseEndpoint too.
	Region string

	// RetryMaxAttempts is how often a call is tried at most, the first try included. 0 leaves it to the Retryer,
	// whose default is 3.
	RetryMaxAttempts int

	// RetryMode chooses the default Retryer: aws.RetryModeStandard (the default) or aws.RetryModeAdaptive. It counts in the
	// Options that New gets and in an aws.Config. Set to the other one by an option function it changes nothing, as in the
	// official client: by then the Retryer is made.
	RetryMode aws.RetryMode

	// Retryer decides whether, when and how often a failed try is repeated. It is shared by all calls, so that its
	// quota bounds what a broken service is sent.
	Retryer aws.Retryer

	// RuntimeEnvironment is for DefaultsMode "auto"; config.LoadDefaultConfig fills it.
	RuntimeEnvironment aws.RuntimeEnvironment

	// TracerProvider receives the spans of a call. The default records nothing.
	TracerProvider tracing.TracerProvider

	// HTTPClient sends the requests. The default is the AWS core's, with the timeouts of DefaultsMode. An *http.Client and
	// an *awshttp.BuildableClient are used through a copy that does not follow redirects. An option of a call cannot be a
	// BuildableClient, because a copy of it has connections of its own: use what its Freeze method returns.
	HTTPClient HTTPClient

	// HTTPSignerV4 signs the requests. The default is the AWS core's.
	HTTPSignerV4 HTTPSignerV4

	// AttemptTimeout bounds each try: sending the request and reading the reply, not finding credentials. What takes
	// longer is tried again while the caller's context lives. 0 is 15 seconds, negative is no bound.
	AttemptTimeout time.Duration

	// DisableClockSkewCorrection signs with this machine's clock even where the service has shown it to be wrong.
	// NewFromConfig takes it from the config (AWS_DISABLE_CLOCK_SKEW_CORRECTION).
	DisableClockSkewCorrection bool

	// sourceErrors are what NewFromConfig could not read from cfg.ConfigSources.
	sourceErrors []FieldError
}

// Copy returns a copy of the options that can be changed without changing these.
func (o Options) Copy() Options {
	if o.BaseEndpoint != nil {
		o.BaseEndpoint = aws.String(*o.BaseEndpoint)
	}
	return o
}

// defaults are what New uses for what its options leave unset.
func (o *Options) defaults() *Options {
	return &Options{
		HTTPClient:     withModeTimeouts(awshttp.NewBuildableClient(), o.resolvedDefaultsMode()),
		HTTPSignerV4:   v4.NewSigner(),
		Logger:         logging.Nop{},
		Retryer:        o.defaultRetryer(),
		TracerProvider: tracing.NopTracerProvider{},
	}
}

// defaultRetryer keeps the RetryMaxAttempts that New gets, whatever an option function sets later, as the official client does.
func (o *Options) defaultRetryer() aws.Retryer {
	bounded := func(so *retry.StandardOptions) {
		if o.RetryMaxAttempts > 0 {
			so.MaxAttempts = o.RetryMaxAttempts
		}
	}
	if o.RetryMode == aws.RetryModeAdaptive {
		return retry.NewAdaptiveMode(func(ao *retry.AdaptiveModeOptions) { ao.StandardOptions = append(ao.StandardOptions, bounded) })
	}
	return retry.NewStandard(bounded)
}

// fillUnset sets what is nil, and cannot stay so, to what it is in other options.
func (o *Options) fillUnset(from *Options) {
	o.HTTPClient = cmp.Or(o.HTTPClient, from.HTTPClient)
	o.HTTPSignerV4 = cmp.Or(o.HTTPSignerV4, from.HTTPSignerV4)
	o.Logger = cmp.Or(o.Logger, from.Logger)
	o.Retryer = cmp.Or(o.Retryer, from.Retryer)
	o.TracerProvider = cmp.Or(o.TracerProvider, from.TracerProvider)
}

func (o *Options) resolvedDefaultsMode() (mode aws.DefaultsMode) {
	mode.SetFromString(string(o.DefaultsMode))
	if mode == aws.DefaultsModeAuto {
		mode = defaults.ResolveDefaultsModeAuto(o.Region, o.RuntimeEnvironment)
	}
	return mode
}

// problems returns what is wrong with the options besides Region and endpoint.
func (o *Options) problems() (fields []FieldError) {
	fields = append(fields, o.sourceErrors...)
	if mode := o.DefaultsMode; !mode.SetFromString(string(mode)) {
		fields = append(fields, fieldError("Options.DefaultsMode", string(mode), "must be auto, cross-region, in-region, legacy, mobile or standard"))
	}
	if o.RetryMode != "" && o.RetryMode != aws.RetryModeStandard && o.RetryMode != aws.RetryModeAdaptive {
		fields = append(fields, fieldError("Options.RetryMode", string(o.RetryMode), "must be standard or adaptive"))
	}
	if o.RetryMaxAttempts < 0 {
		fields = append(fields, fieldError("Options.RetryMaxAttempts", strconv.Itoa(o.RetryMaxAttempts), "must be 1 or more, or 0 for the Retryer's own"))
	}
	for _, field := range []struct {
		name  string
		value any
	}{
		{"Options.Credentials", o.Credentials},
		{"Options.HTTPClient", o.HTTPClient},
		{"Options.HTTPSignerV4", o.HTTPSignerV4},
		{"Options.Logger", o.Logger},
		{"Options.Retryer", o.Retryer},
		{"Options.TracerProvider", o.TracerProvider},
	} {
		if isNilPointer(field.value) {
			fields = append(fields, FieldError{Field: field.name, Problem: fmt.Sprintf("is a nil %T: leave it out, or set it to one that was made", field.value)})
		}
	}
	return fields
}

func isNilPointer(v any) bool {
	value := reflect.ValueOf(v)
	return value.Kind() == reflect.Pointer && value.IsNil()
}

// String describes the options without what may hold a secret.
func (o Options) String() string {
	endpoint := ""
	if o.BaseEndpoint != nil {
		endpoint = redactBaseEndpoint(*o.BaseEndpoint)
	}
	return fmt.Sprintf("{Region:%s BaseEndpoint:%s EndpointOptions:%+v AppID:%s AttemptTimeout:%s RetryMode:%s RetryMaxAttempts:%d}",
		o.Region, endpoint, o.EndpointOptions, o.AppID, o.AttemptTimeout, o.RetryMode, o.RetryMaxAttempts)
}

// LogValue is String: a credentials provider that is logged by its fields shows its keys.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

// MarshalText makes String the JSON form too, for loggers that print values as JSON.
func (o Options) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Format prints String whatever the verb.
func (o Options) Format(f fmt.State, _ rune) { io.WriteString(f, o.String()) }
