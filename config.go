package quicksightembed

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/logging"
)

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
