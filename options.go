package quicksightembed

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/defaults"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/tracing"
)

// defaultAttemptTimeout bounds one try where Options.AttemptTimeout is zero.
const defaultAttemptTimeout = 15 * time.Second

// HTTPClient sends one request. A type of your own must end Do, and every Read of the reply's body, when the request's
// context ends, must not follow redirects (a signed request must not travel), and must be safe for concurrent use.
type HTTPClient interface {
	Do(*http.Request) (*http.Response, error)
}

// HTTPSignerV4 signs a request with Signature Version 4, in its headers. *v4.Signer of aws-sdk-go-v2/aws/signer/v4 is one.
type HTTPSignerV4 interface {
	SignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, payloadHash string, service string, region string, signingTime time.Time, optFns ...func(*v4.SignerOptions)) error
}

// EndpointResolverOptions choose a variant of the AWS endpoint. Neither goes together with Options.BaseEndpoint.
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

	// ClientLogMode chooses what is logged to Logger. The signature, session token and authorization codes are never
	// logged, in no mode.
	ClientLogMode aws.ClientLogMode

	// Credentials provide the keys to sign with. Required: this operation has no unsigned form. A provider must return
	// when its context ends.
	Credentials aws.CredentialsProvider

	// DefaultsMode sets the connection timeouts of the default HTTP client, and of a BuildableClient. Read by New only.
	DefaultsMode aws.DefaultsMode

	// EndpointOptions choose the FIPS or the dual-stack endpoint.
	EndpointOptions EndpointResolverOptions

	// Logger receives what ClientLogMode chooses, and warnings. The default logs nothing.
	Logger logging.Logger

	// Region is the AWS region to send to and to sign for, such as "us-east-1". Required, with a BaseEndpoint too.
	Region string

	// RetryMaxAttempts is how often a call is tried at the most, the first try included. 0 leaves it to the Retryer,
	// whose default is 3.
	RetryMaxAttempts int

	// RetryMode chooses the default Retryer: aws.RetryModeStandard (the default) or aws.RetryModeAdaptive. It counts in the
	// Options that New gets and in an aws.Config. Set by an option function it changes nothing, as in the official client:
	// by then the Retryer is made.
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
	if o.HTTPClient == nil {
		o.HTTPClient = from.HTTPClient
	}
	if o.HTTPSignerV4 == nil {
		o.HTTPSignerV4 = from.HTTPSignerV4
	}
	if o.Logger == nil {
		o.Logger = from.Logger
	}
	if o.Retryer == nil {
		o.Retryer = from.Retryer
	}
	if o.TracerProvider == nil {
		o.TracerProvider = from.TracerProvider
	}
}

func (o *Options) resolvedDefaultsMode() (mode aws.DefaultsMode) {
	mode.SetFromString(string(o.DefaultsMode))
	if mode == aws.DefaultsModeAuto {
		mode = defaults.ResolveDefaultsModeAuto(o.Region, o.RuntimeEnvironment)
	}
	return mode
}

func withModeTimeouts(client *awshttp.BuildableClient, mode aws.DefaultsMode) *awshttp.BuildableClient {
	config, err := defaults.GetModeConfiguration(mode)
	if err != nil || client == nil {
		return client // the legacy mode has no configuration
	}
	return client.WithDialerOptions(func(dialer *net.Dialer) {
		if timeout, ok := config.GetConnectTimeout(); ok {
			dialer.Timeout = timeout
		}
	}).WithTransportOptions(func(transport *http.Transport) {
		if timeout, ok := config.GetTLSNegotiationTimeout(); ok {
			transport.TLSHandshakeTimeout = timeout
		}
	})
}

// withoutRedirects returns a client that never follows a redirect: a signed request must not travel. An HTTPClient of the
// caller's own type is returned as it is.
func withoutRedirects(client HTTPClient) HTTPClient {
	if isNilPointer(client) {
		return client // reported by problems
	}
	switch client := client.(type) {
	case *http.Client:
		return neverRedirecting(*client)
	case *awshttp.BuildableClient:
		return lazyClient(sync.OnceValue(func() *http.Client { return neverRedirecting(*client.Freeze().(*http.Client)) }))
	}
	return client
}

func neverRedirecting(client http.Client) *http.Client {
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// lazyClient is built when the first request is sent, as a BuildableClient is.
type lazyClient func() *http.Client

// Do sends the request.
func (c lazyClient) Do(req *http.Request) (*http.Response, error) { return c().Do(req) }

// CloseIdleConnections is for programs, and tests, that are done with a client.
func (c lazyClient) CloseIdleConnections() { c().CloseIdleConnections() }

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

// optionsFrom translates what of cfg changes this operation.
func optionsFrom(cfg aws.Config) Options {
	o := Options{
		AppID:                      cfg.AppID,
		BaseEndpoint:               cfg.BaseEndpoint,
		ClientLogMode:              cfg.ClientLogMode,
		Credentials:                cfg.Credentials,
		DefaultsMode:               cfg.DefaultsMode,
		DisableClockSkewCorrection: cfg.DisableClockSkewCorrection,
		HTTPClient:                 cfg.HTTPClient,
		Logger:                     cfg.Logger,
		Region:                     cfg.Region,
		RetryMaxAttempts:           cfg.RetryMaxAttempts,
		RetryMode:                  cfg.RetryMode,
		RuntimeEnvironment:         cfg.RuntimeEnvironment,
	}
	if cfg.Retryer != nil {
		o.Retryer = cfg.Retryer()
	}
	o.readSources(cfg.ConfigSources)
	return o
}

// What the sources of an aws.Config (environment, shared config, load options) say of endpoints. The official clients find
// it by these methods, through a module of their own.
type (
	dualStackSource interface {
		GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error)
	}
	fipsSource interface {
		GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error)
	}
	ignoreEndpointsSource interface {
		GetIgnoreConfiguredEndpoints(context.Context) (bool, bool, error)
	}
	baseEndpointSource interface {
		GetServiceBaseEndpoint(ctx context.Context, sdkID string) (string, bool, error)
	}
)

func (o *Options) readSources(sources []any) {
	ctx := context.Background()
	dualStack, found, err := firstFound(sources, func(s dualStackSource) (aws.DualStackEndpointState, bool, error) {
		return s.GetUseDualStackEndpoint(ctx)
	})
	o.noteSourceError("Options.EndpointOptions.UseDualStackEndpoint", err)
	if found {
		o.EndpointOptions.UseDualStackEndpoint = dualStack
	}

	fips, found, err := firstFound(sources, func(s fipsSource) (aws.FIPSEndpointState, bool, error) {
		return s.GetUseFIPSEndpoint(ctx)
	})
	o.noteSourceError("Options.EndpointOptions.UseFIPSEndpoint", err)
	if found {
		o.EndpointOptions.UseFIPSEndpoint = fips
	}

	// The global environment variable, which cfg.BaseEndpoint already holds, beats an endpoint of this service in the
	// shared config, but not the environment variable of this service.
	_, global := os.LookupEnv("AWS_ENDPOINT_URL")
	_, service := os.LookupEnv("AWS_ENDPOINT_URL_QUICKSIGHT")
	if global && !service {
		return
	}
	ignore, _, err := firstFound(sources, func(s ignoreEndpointsSource) (bool, bool, error) {
		return s.GetIgnoreConfiguredEndpoints(ctx)
	})
	o.noteSourceError("Options.BaseEndpoint", err)
	if ignore {
		return
	}
	endpoint, found, err := firstFound(sources, func(s baseEndpointSource) (string, bool, error) {
		return s.GetServiceBaseEndpoint(ctx, ServiceID)
	})
	o.noteSourceError("Options.BaseEndpoint", err)
	if found {
		o.BaseEndpoint = &endpoint
	}
}

// firstFound asks the sources of kind S in order, until one has a value or fails.
func firstFound[S, V any](sources []any, get func(S) (V, bool, error)) (value V, found bool, err error) {
	for _, source := range sources {
		if s, ok := source.(S); ok {
			if value, found, err = get(s); found || err != nil {
				return value, found && err == nil, err
			}
		}
	}
	return value, false, nil
}

// noteSourceError keeps an error for the first call to return: New has no error to return, and a FIPS setting that was
// not understood must not be taken for none.
func (o *Options) noteSourceError(field string, err error) {
	if err != nil {
		o.sourceErrors = append(o.sourceErrors, FieldError{Field: field, Problem: "could not be read from the AWS configuration: " + err.Error()})
	}
}

// warnOfUnsupported names, in one warning, the fields of cfg that are set and would change this operation in the official
// client, but do not in this one.
func warnOfUnsupported(cfg aws.Config) {
	var set []string
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"APIOptions", len(cfg.APIOptions) > 0},
		{"AuthSchemePreference", prefersUnsigned(cfg.AuthSchemePreference)},
		//lint:ignore SA1019 deprecated, and still set
		{"EndpointResolver", cfg.EndpointResolver != nil},
		//lint:ignore SA1019 deprecated, and still set
		{"EndpointResolverWithOptions", cfg.EndpointResolverWithOptions != nil},
		{"Interceptors", hasInterceptors(cfg)},
	} {
		if field.set {
			set = append(set, field.name)
		}
	}
	if len(set) > 0 && cfg.Logger != nil {
		cfg.Logger.Logf(logging.Warn, "quicksightembed does not act on these fields of aws.Config: %s", strings.Join(set, ", "))
	}
}

// prefersUnsigned reports whether the official client, with this preference, might not sign.
func prefersUnsigned(schemes []string) bool {
	return len(schemes) > 0 && (!slices.Contains(schemes, "sigv4") || slices.Contains(schemes, "noAuth"))
}

// hasInterceptors looks for an interceptor of any kind: a new kind in a later AWS core counts too.
func hasInterceptors(cfg aws.Config) bool {
	registry := reflect.ValueOf(cfg.Interceptors)
	for i := range registry.NumField() {
		if kind := registry.Field(i); kind.Kind() == reflect.Slice && kind.Len() > 0 {
			return true
		}
	}
	return false
}
