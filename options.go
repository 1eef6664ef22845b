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

// HTTPClient sends a request. Do, and reads of the body, must return when its context is done. It
// must be safe for concurrent use, and follow no redirects.
type HTTPClient interface {
	Do(*http.Request) (*http.Response, error)
}

// HTTPSignerV4 signs a request, as *v4.Signer of the AWS core does.
type HTTPSignerV4 interface {
	SignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, payloadHash string, service string, region string, signingTime time.Time, optFns ...func(*v4.SignerOptions)) error
}

// EndpointResolverOptions choose an AWS endpoint; not with a BaseEndpoint.
type EndpointResolverOptions struct {
	UseDualStackEndpoint aws.DualStackEndpointState // enabled: IPv4 and IPv6
	UseFIPSEndpoint      aws.FIPSEndpointState      // enabled: FIPS 140
}

// Options configure a [Client], or one call. Region and Credentials are required. The zero values
// of the others work.
type Options struct {
	// Region is the AWS region to send to and sign for, also with a BaseEndpoint.
	Region string

	// Credentials provide the keys to sign with. A provider must return when its context ends.
	// An aws.CredentialsCache ignores its callers' deadlines: give what it calls a timeout.
	Credentials aws.CredentialsProvider

	// BaseEndpoint replaces the AWS endpoint: an http or https URL, perhaps with a path; no
	// user info, query or fragment. EndpointOptions choose a variant of AWS's.
	BaseEndpoint    *string
	EndpointOptions EndpointResolverOptions

	// AttemptTimeout bounds each attempt, from sending to reading the reply. An attempt that
	// times out is retried. 0: 15 seconds; negative: no bound.
	AttemptTimeout time.Duration

	// Retryer decides which attempts are repeated, and when. All calls share its quota.
	// Default: one for RetryMode, standard (the default) or adaptive. Changing RetryMode in an
	// option function has no effect. RetryMaxAttempts includes the first; 0: the Retryer's, 3.
	Retryer          aws.Retryer
	RetryMode        aws.RetryMode
	RetryMaxAttempts int

	// HTTPClient sends the requests. The default, an *http.Client and a BuildableClient follow
	// no redirects. Clients and calls with the same BuildableClient, or with none, share up to
	// 100 idle connections, unless it sets other bounds. DefaultsMode sets timeouts to connect:
	// legacy (default: none), standard, in-region, cross-region, mobile, or auto, by Region and
	// RuntimeEnvironment.
	HTTPClient         HTTPClient
	DefaultsMode       aws.DefaultsMode
	RuntimeEnvironment aws.RuntimeEnvironment

	// APIOptions add middleware to the stack of a call. They find the official client's steps
	// under the same IDs. Interceptors are called at fixed points of a call.
	APIOptions   []func(*middleware.Stack) error
	Interceptors smithyhttp.InterceptorRegistry

	// Logger receives what ClientLogMode chooses, without secrets. Default: none.
	Logger        logging.Logger
	ClientLogMode aws.ClientLogMode

	HTTPSignerV4   HTTPSignerV4           // signs the requests; default: the AWS core's
	TracerProvider tracing.TracerProvider // receives the spans of a call; default: none
	AppID          string                 // app/{AppID} in the User-Agent, up to 50 characters

	// DisableClockSkewCorrection signs with this machine's clock even if it is wrong.
	// DisableInputValidation sends EntryPoint, SessionLifetimeInMinutes and UserArn unchecked,
	// for values that AWS accepts and this version does not know.
	DisableClockSkewCorrection bool
	DisableInputValidation     bool

	sourceErrors []FieldError // what NewFromConfig could not read from cfg.ConfigSources
}

// Copy copies BaseEndpoint, APIOptions and Interceptors, and shares the rest.
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

// defaults returns the defaults of options that are unset.
func (o *Options) defaults() Options {
	return Options{
		HTTPClient:     defaultClient,
		HTTPSignerV4:   v4.NewSigner(),
		Logger:         logging.Nop{},
		Retryer:        o.defaultRetryer(),
		TracerProvider: tracing.NopTracerProvider{},
	}
}

// defaultRetryer uses the RetryMaxAttempts that New got. What an option function sets later does
// not change it, as in the official client.
func (o *Options) defaultRetryer() aws.Retryer {
	bounded := func(so *retry.StandardOptions) { so.MaxAttempts = cmp.Or(o.RetryMaxAttempts, so.MaxAttempts) }
	if o.RetryMode != aws.RetryModeAdaptive {
		return retry.NewStandard(bounded)
	}
	return retry.NewAdaptiveMode(func(ao *retry.AdaptiveModeOptions) {
		ao.StandardOptions = append(ao.StandardOptions, bounded)
	})
}

// fillUnset copies required options that are unset from other options.
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

// isNone reports whether v is nil, or an interface with a nil pointer or function.
func isNone(v any) bool {
	value := reflect.ValueOf(v)
	return v == nil || (value.Kind() == reflect.Pointer || value.Kind() == reflect.Func) && value.IsNil()
}

// problems returns what is wrong with the options, except region, endpoint and credentials.
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

// String describes the options, without secrets.
func (o Options) String() string {
	return fmt.Sprintf("{Region:%s BaseEndpoint:%s EndpointOptions:%+v AppID:%s AttemptTimeout:%s RetryMode:%s "+
		"RetryMaxAttempts:%d}", o.Region, redactBaseEndpoint(aws.ToString(o.BaseEndpoint)), o.EndpointOptions, o.AppID,
		o.AttemptTimeout, o.RetryMode, o.RetryMaxAttempts)
}

// LogValue is String.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

// MarshalText is String, also for JSON.
func (o Options) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Format prints String for every verb.
func (o Options) Format(f fmt.State, _ rune) { fmt.Fprint(f, o.String()) }

// sender returns the client that sends for HTTPClient. It follows no redirects, unless HTTPClient
// is the program's own type.
func (o *Options) sender() HTTPClient {
	switch client := o.HTTPClient.(type) {
	case *http.Client:
		return withoutRedirects(client)
	case *awshttp.BuildableClient:
		mode := o.DefaultsMode
		mode.SetFromString(string(mode)) // problems reports an unknown one
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

// defaultClient is for clients without an HTTPClient. They share its connections, as users of
// http.DefaultTransport do.
var defaultClient = awshttp.NewBuildableClient()

// pools has an *http.Client for each BuildableClient and defaults mode. It does not keep the
// BuildableClient alive, and is removed with it.
var pools sync.Map

func poolOf(client *awshttp.BuildableClient, mode aws.DefaultsMode) *http.Client {
	key := [...]any{identity(client), mode}
	if pool, ok := pools.Load(key); ok {
		return pool.(*http.Client)
	}
	tuned := client.WithTransportOptions(func(t *http.Transport) {
		// There is one host.
		if t.MaxIdleConnsPerHost == awshttp.DefaultHTTPTransportMaxIdleConnsPerHost {
			t.MaxIdleConnsPerHost = max(t.MaxIdleConnsPerHost, t.MaxIdleConns)
		}
	})
	if config, err := defaults.GetModeConfiguration(mode); err == nil { // legacy has none
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

// identity returns a key for a client that does not keep it alive. A client in a package variable
// lives forever and, in Go 1.24, can have no weak pointer: it is its own key.
func identity(client *awshttp.BuildableClient) any {
	cleanup := runtime.AddCleanup(client, func(int) {}, 0)
	if cleanup.Stop(); cleanup == (runtime.Cleanup{}) {
		return client
	}
	return weak.Make(client)
}

// optionsFrom returns the options that cfg sets.
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

// These are methods of the sources of an aws.Config (environment, shared config, load options).
// The official clients find them in the same way.
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
	setFromSources(o, "EndpointOptions.UseDualStackEndpoint", sources,
		dualStackSource.GetUseDualStackEndpoint, dualStack)
	setFromSources(o, "EndpointOptions.UseFIPSEndpoint", sources, fipsSource.GetUseFIPSEndpoint, fips)

	// cfg.BaseEndpoint is the global environment variable. It takes precedence over this
	// service's endpoint in the shared config, but not over its environment variable.
	_, global := os.LookupEnv("AWS_ENDPOINT_URL")
	_, service := os.LookupEnv("AWS_ENDPOINT_URL_QUICKSIGHT")
	if global && !service {
		return
	}
	var ignore bool
	setFromSources(o, "BaseEndpoint", sources, ignoreSource.GetIgnoreConfiguredEndpoints, &ignore)
	if !ignore {
		setFromSources(o, "BaseEndpoint", sources, serviceBaseEndpoint, &o.BaseEndpoint)
	}
}

func serviceBaseEndpoint(s baseEndpointSource, ctx context.Context) (*string, bool, error) {
	endpoint, found, err := s.GetServiceBaseEndpoint(ctx, ServiceID)
	return &endpoint, found, err
}

// setFromSources sets the target to the value of the first source of kind S that has one. An error
// becomes an error of each call, because New returns none.
func setFromSources[S, V any](o *Options, option string, sources []any, read func(S, context.Context) (V, bool, error), target *V) {
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

// warnOfUnsupported logs one warning that names the fields of cfg that change this operation in the
// official client and not in this one.
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
