package quicksightembed

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"weak"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/defaults"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// HTTPClient sends one request. Do and reads of the body must return when the request's context is
// done. It must not follow redirects (a signed request must not reach another host), and must be
// safe for concurrent use. It may keep and change requests and replies.
type HTTPClient interface {
	Do(*http.Request) (*http.Response, error)
}

// HTTPSignerV4 signs a request with Signature Version 4, in its headers, as *v4.Signer of
// aws-sdk-go-v2/aws/signer/v4 does.
type HTTPSignerV4 interface {
	SignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, payloadHash string, service string, region string, signingTime time.Time, optFns ...func(*v4.SignerOptions)) error
}

// EndpointResolverOptions choose a variant of the AWS endpoint. Neither can be used with
// Options.BaseEndpoint.
type EndpointResolverOptions struct {
	// UseDualStackEndpoint set to enabled sends to the endpoint that is reachable over IPv4 and
	// IPv6.
	UseDualStackEndpoint aws.DualStackEndpointState

	// UseFIPSEndpoint set to enabled sends to the FIPS 140 endpoint.
	UseFIPSEndpoint aws.FIPSEndpointState
}

// Options configure a [Client] or, in a function given to a call, that call alone. The zero value
// of every field but Region and Credentials works. Names and meaning are those of the official
// client's Options; AttemptTimeout, DisableClockSkewCorrection and DisableInputValidation are this
// package's own.
//
// A call that has unusable options fails with a *ValidationError; nothing is sent.
type Options struct {
	// APIOptions add steps of your own to the middleware stack of a call, such as those that
	// instrument a program or stub the service. The steps that they find there have the
	// official client's IDs. A function that fails, fails the call.
	APIOptions []func(*middleware.Stack) error

	// AppID is put into the User-Agent as app/{AppID}; AWS recommends at most 50 characters.
	AppID string

	// BaseEndpoint replaces the AWS endpoint, for a proxy or a test server: an http or https
	// URL with a host and perhaps a path prefix; no user info, query or fragment.
	BaseEndpoint *string

	// ClientLogMode chooses what is logged to Logger. The signature, session token and
	// authorization codes are redacted in every mode.
	ClientLogMode aws.ClientLogMode

	// Credentials provide the keys to sign with. Required: this operation has no unsigned
	// form. A provider must return when its context ends; nothing else bounds it. Give what an
	// aws.CredentialsCache asks a timeout: the cache ignores its callers' deadlines, so one
	// hung request blocks them all.
	Credentials aws.CredentialsProvider

	// DefaultsMode sets the connection timeouts of the default HTTP client, and of a
	// BuildableClient.
	DefaultsMode aws.DefaultsMode

	// EndpointOptions choose the FIPS or the dual-stack endpoint.
	EndpointOptions EndpointResolverOptions

	// Interceptors are called at fixed points of a call, as those of the official client are.
	Interceptors smithyhttp.InterceptorRegistry

	// Logger receives what ClientLogMode chooses. The default logs nothing.
	Logger logging.Logger

	// Region is the AWS region to send to and to sign for, such as "us-east-1". Required, with
	// a BaseEndpoint too.
	Region string

	// RetryMaxAttempts is how many attempts a call makes at most, the first included. 0 leaves
	// it to the Retryer, whose default is 3.
	RetryMaxAttempts int

	// RetryMode chooses the default Retryer: aws.RetryModeStandard (the default) or
	// aws.RetryModeAdaptive. Changing it in an option function has no effect, as in the
	// official client: by then the Retryer is made.
	RetryMode aws.RetryMode

	// Retryer decides whether, when and how often a failed attempt is repeated. All calls
	// share it, so that its quota bounds what a broken service is sent.
	Retryer aws.Retryer

	// RuntimeEnvironment is for DefaultsMode "auto"; config.LoadDefaultConfig fills it.
	RuntimeEnvironment aws.RuntimeEnvironment

	// TracerProvider receives the spans of a call. The default records nothing.
	TracerProvider tracing.TracerProvider

	// HTTPClient sends the requests. The default is the AWS core's, with the timeouts of
	// DefaultsMode. An *http.Client and an *awshttp.BuildableClient are used through a copy
	// that does not follow redirects. Clients and calls that are given the same
	// BuildableClient share its connections, and so do clients that are given none. A
	// BuildableClient whose MaxIdleConnsPerHost is the default of 10 keeps as many as its
	// MaxIdleConns, 100: there is one host.
	HTTPClient HTTPClient

	// HTTPSignerV4 signs the requests. The default is the AWS core's.
	HTTPSignerV4 HTTPSignerV4

	// AttemptTimeout bounds each attempt: sending the request and reading the reply, not
	// finding credentials. What takes longer is repeated while the caller's context lives. 0
	// is 15 seconds, negative is no bound.
	AttemptTimeout time.Duration

	// DisableClockSkewCorrection signs with this machine's clock even if the service has shown
	// it to be wrong. NewFromConfig takes it from the config
	// (AWS_DISABLE_CLOCK_SKEW_CORRECTION).
	DisableClockSkewCorrection bool

	// DisableInputValidation sends EntryPoint, SessionLifetimeInMinutes and UserArn unchecked
	// (escaped), for values that AWS accepts and this version does not know. AwsAccountId and
	// the options are checked all the same.
	DisableInputValidation bool

	sourceErrors []FieldError // what NewFromConfig could not read from cfg.ConfigSources
}

// Copy returns a copy of the options that can be changed without changing these.
func (o Options) Copy() Options {
	if o.BaseEndpoint != nil {
		o.BaseEndpoint = aws.String(*o.BaseEndpoint)
	}
	o.APIOptions = append([]func(*middleware.Stack) error{}, o.APIOptions...)
	o.APIOptions = slices.DeleteFunc(o.APIOptions, func(fn func(*middleware.Stack) error) bool { return fn == nil })
	o.Interceptors = o.Interceptors.Copy()
	return o
}

func (o *Options) apply(optFns []func(*Options)) {
	for _, fn := range optFns {
		if fn != nil {
			fn(o)
		}
	}
}

// defaults are what New uses for what its options leave unset.
func (o *Options) defaults() Options {
	return Options{
		HTTPClient:     defaultClient,
		HTTPSignerV4:   v4.NewSigner(),
		Logger:         logging.Nop{},
		Retryer:        o.defaultRetryer(),
		TracerProvider: tracing.NopTracerProvider{},
	}
}

// defaultRetryer keeps the RetryMaxAttempts that New gets, whatever an option function sets later,
// as the official client does.
func (o *Options) defaultRetryer() aws.Retryer {
	bounded := func(so *retry.StandardOptions) { so.MaxAttempts = cmp.Or(o.RetryMaxAttempts, so.MaxAttempts) }
	if o.RetryMode != aws.RetryModeAdaptive {
		return retry.NewStandard(bounded)
	}
	return retry.NewAdaptiveMode(func(ao *retry.AdaptiveModeOptions) {
		ao.StandardOptions = append(ao.StandardOptions, bounded)
	})
}

// fillUnset sets what is none, and cannot stay so, to what it is in other options.
func (o *Options) fillUnset(from *Options) {
	fill(&o.HTTPClient, from.HTTPClient)
	fill(&o.HTTPSignerV4, from.HTTPSignerV4)
	fill(&o.Logger, from.Logger)
	fill(&o.Retryer, from.Retryer)
	fill(&o.TracerProvider, from.TracerProvider)
}

func fill[T any](option *T, from T) {
	if isNone(*option) {
		*option = from
	}
}

// isNone reports whether v is nil, or a nil pointer or function in an interface.
func isNone(v any) bool {
	value := reflect.ValueOf(v)
	return v == nil || (value.Kind() == reflect.Pointer || value.Kind() == reflect.Func) && value.IsNil()
}

// problems returns what is wrong with the options besides region, endpoint and credentials.
func (o *Options) problems() []FieldError {
	fields := slices.Clone(o.sourceErrors)
	mode := o.DefaultsMode
	if !mode.SetFromString(string(mode)) {
		const problem = "must be auto, cross-region, in-region, legacy, mobile or standard"
		fields = append(fields, fieldError("Options.DefaultsMode", string(mode), problem))
	}
	if o.RetryMode != "" && o.RetryMode != aws.RetryModeStandard && o.RetryMode != aws.RetryModeAdaptive {
		fields = append(fields, fieldError("Options.RetryMode", string(o.RetryMode), "must be standard or adaptive"))
	}
	if o.RetryMaxAttempts < 0 {
		const problem = "must be 1 or more, or 0 for the Retryer's own"
		fields = append(fields, fieldError("Options.RetryMaxAttempts", fmt.Sprint(o.RetryMaxAttempts), problem))
	}
	return fields
}

const loadCredentials = "load them with config.LoadDefaultConfig; GetSessionEmbedUrl has no unsigned form"

var noCredentials = FieldError{Field: "Options.Credentials", Problem: "is required, and not anonymous: " + loadCredentials}

func (o *Options) lacksCredentials() bool {
	return isNone(o.Credentials) || aws.IsCredentialsProvider(o.Credentials, (*aws.AnonymousCredentials)(nil))
}

// String describes the options without what may have a secret.
func (o Options) String() string {
	return fmt.Sprintf("{Region:%s BaseEndpoint:%s EndpointOptions:%+v AppID:%s AttemptTimeout:%s RetryMode:%s "+
		"RetryMaxAttempts:%d}", o.Region, redactBaseEndpoint(aws.ToString(o.BaseEndpoint)), o.EndpointOptions, o.AppID,
		o.AttemptTimeout, o.RetryMode, o.RetryMaxAttempts)
}

// LogValue is String: a credentials provider that is logged by its fields shows its keys.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

// MarshalText makes String the JSON form too, for loggers that print values as JSON.
func (o Options) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Format prints String whatever the verb.
func (o Options) Format(f fmt.State, _ rune) { fmt.Fprint(f, o.String()) }

// sender returns what sends for HTTPClient. It never follows a redirect, unless HTTPClient is of
// the program's own type.
func (o *Options) sender() HTTPClient {
	switch client := o.HTTPClient.(type) {
	case *http.Client:
		return withoutRedirects(client)
	case *awshttp.BuildableClient:
		mode := o.DefaultsMode
		mode.SetFromString(string(mode)) // an unknown one is a problem
		if mode == aws.DefaultsModeAuto {
			mode = defaults.ResolveDefaultsModeAuto(o.Region, o.RuntimeEnvironment)
		}
		return poolOf(client, mode)
	}
	return o.HTTPClient
}

func withoutRedirects(client *http.Client) *http.Client {
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// defaultClient is for clients that are given none. Its connections are as shared as those of
// http.DefaultTransport.
var defaultClient = awshttp.NewBuildableClient()

// pools are the *http.Client that sends for each BuildableClient in each defaults mode. It does not
// lead to the BuildableClient, and goes with that.
var pools sync.Map

func poolOf(client *awshttp.BuildableClient, mode aws.DefaultsMode) *http.Client {
	key := [...]any{identity(client), mode}
	if pool, ok := pools.Load(key); ok {
		return pool.(*http.Client)
	}
	tuned := client.WithTransportOptions(func(t *http.Transport) {
		if t.MaxIdleConnsPerHost == awshttp.DefaultHTTPTransportMaxIdleConnsPerHost { // there is one host
			t.MaxIdleConnsPerHost = max(t.MaxIdleConnsPerHost, t.MaxIdleConns)
		}
	})
	if config, err := defaults.GetModeConfiguration(mode); err == nil { // the legacy mode has none
		tuned = tuned.WithDialerOptions(func(d *net.Dialer) {
			d.Timeout, _ = config.GetConnectTimeout()
		}).WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout, _ = config.GetTLSNegotiationTimeout()
		})
	}
	pool, loaded := pools.LoadOrStore(key, withoutRedirects(tuned.Freeze().(*http.Client)))
	if !loaded {
		runtime.AddCleanup(client, func(key [2]any) { pools.Delete(key) }, key)
	}
	return pool.(*http.Client)
}

// identity is a key for a client that does not keep it alive. A client that is a package's variable
// has no cleanup, as it lives for good, and in Go 1.24 no weak pointer: it is its own key.
func identity(client *awshttp.BuildableClient) any {
	cleanup := runtime.AddCleanup(client, func(int) {}, 0)
	if cleanup.Stop(); cleanup == (runtime.Cleanup{}) {
		return client
	}
	return weak.Make(client)
}

// optionsFrom translates what of cfg changes this operation.
func optionsFrom(cfg aws.Config) Options {
	o := Options{
		APIOptions: cfg.APIOptions, AppID: cfg.AppID, BaseEndpoint: cfg.BaseEndpoint, ClientLogMode: cfg.ClientLogMode,
		Credentials: cfg.Credentials, DefaultsMode: cfg.DefaultsMode, HTTPClient: cfg.HTTPClient, Interceptors: cfg.Interceptors,
		Logger: cfg.Logger, Region: cfg.Region, RetryMaxAttempts: cfg.RetryMaxAttempts, RetryMode: cfg.RetryMode,
		RuntimeEnvironment: cfg.RuntimeEnvironment, DisableClockSkewCorrection: cfg.DisableClockSkewCorrection,
	}
	if cfg.Retryer != nil {
		o.Retryer = cfg.Retryer()
	}
	o.readSources(cfg.ConfigSources)
	return o
}

// A source of an aws.Config (environment, shared config, load options) says of endpoints what it
// has methods for. The official clients find it by these, through a module of their own.
type (
	dualStackSource interface {
		GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error)
	}
	fipsSource interface {
		GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error)
	}
	ignoreSource interface {
		GetIgnoreConfiguredEndpoints(context.Context) (bool, bool, error)
	}
	baseEndpointSource interface {
		GetServiceBaseEndpoint(ctx context.Context, sdkID string) (string, bool, error)
	}
)

func (o *Options) readSources(sources []any) {
	dualStack, fips := &o.EndpointOptions.UseDualStackEndpoint, &o.EndpointOptions.UseFIPSEndpoint
	readFirst(o, "EndpointOptions.UseDualStackEndpoint", sources, dualStackSource.GetUseDualStackEndpoint, dualStack)
	readFirst(o, "EndpointOptions.UseFIPSEndpoint", sources, fipsSource.GetUseFIPSEndpoint, fips)

	// cfg.BaseEndpoint has the global environment variable. It beats an endpoint of this
	// service in the shared config, but not the environment variable of this service.
	_, global := os.LookupEnv("AWS_ENDPOINT_URL")
	_, service := os.LookupEnv("AWS_ENDPOINT_URL_QUICKSIGHT")
	if global && !service {
		return
	}
	var ignore bool
	readFirst(o, "BaseEndpoint", sources, ignoreSource.GetIgnoreConfiguredEndpoints, &ignore)
	if !ignore {
		readFirst(o, "BaseEndpoint", sources, serviceBaseEndpoint, &o.BaseEndpoint)
	}
}

func serviceBaseEndpoint(s baseEndpointSource, ctx context.Context) (*string, bool, error) {
	endpoint, found, err := s.GetServiceBaseEndpoint(ctx, ServiceID)
	return &endpoint, found, err
}

// readFirst sets the target to what the first source of kind S says that has a value. Calls return
// an error: New returns none, and a FIPS setting that was not understood must not be taken for
// none.
func readFirst[S, V any](o *Options, option string, sources []any, read func(S, context.Context) (V, bool, error), target *V) {
	for _, source := range sources {
		s, ok := source.(S)
		if !ok {
			continue
		}
		switch value, found, err := read(s, context.Background()); {
		case err != nil:
			problem := "could not be read from the AWS configuration: " + err.Error()
			o.sourceErrors = append(o.sourceErrors, FieldError{Field: "Options." + option, Problem: problem})
			return
		case found:
			*target = value
			return
		}
	}
}

// warnOfUnsupported names, in one warning, the fields of cfg that are set and would change this
// operation in the official client, but do not in this one.
func warnOfUnsupported(cfg aws.Config) {
	var names []string
	note := func(isSet bool, name string) {
		if isSet {
			names = append(names, name)
		}
	}
	note(prefersUnsigned(cfg.AuthSchemePreference), "AuthSchemePreference")
	//lint:ignore SA1019 deprecated, and still set
	note(cfg.EndpointResolver != nil, "EndpointResolver")
	//lint:ignore SA1019 deprecated, and still set
	note(cfg.EndpointResolverWithOptions != nil, "EndpointResolverWithOptions")
	const warning = "quicksightembed does not act on these fields of aws.Config: "
	switch {
	case names == nil:
	case cfg.Logger != nil:
		cfg.Logger.Logf(logging.Warn, warning+"%s", strings.Join(names, ", "))
	default:
		slog.Warn(warning + strings.Join(names, ", "))
	}
}

// prefersUnsigned reports whether the official client, with this preference, would not sign.
func prefersUnsigned(schemes []string) bool {
	i := slices.Index(schemes, "noAuth")
	return i >= 0 && !slices.Contains(schemes[:i], "sigv4")
}
