package quicksightembed

import (
	"context"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/logging"
)

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
	readFirst(o, "Options.EndpointOptions.UseDualStackEndpoint", sources, &o.EndpointOptions.UseDualStackEndpoint, dualStackSource.GetUseDualStackEndpoint)
	readFirst(o, "Options.EndpointOptions.UseFIPSEndpoint", sources, &o.EndpointOptions.UseFIPSEndpoint, fipsSource.GetUseFIPSEndpoint)

	// The global environment variable, which cfg.BaseEndpoint already holds, beats an endpoint of this service in the
	// shared config, but not the environment variable of this service.
	_, global := os.LookupEnv("AWS_ENDPOINT_URL")
	_, service := os.LookupEnv("AWS_ENDPOINT_URL_QUICKSIGHT")
	if global && !service {
		return
	}
	var ignore bool
	readFirst(o, "Options.BaseEndpoint", sources, &ignore, ignoreEndpointsSource.GetIgnoreConfiguredEndpoints)
	if ignore {
		return
	}
	readFirst(o, "Options.BaseEndpoint", sources, &o.BaseEndpoint, func(s baseEndpointSource, ctx context.Context) (*string, bool, error) {
		endpoint, found, err := s.GetServiceBaseEndpoint(ctx, ServiceID)
		return &endpoint, found, err
	})
}

// readFirst sets the target to what the first source of kind S says that has a value. An error is kept for the first call to
// return: New has none to return, and a FIPS setting that was not understood must not be taken for none.
func readFirst[S, V any](o *Options, field string, sources []any, target *V, get func(S, context.Context) (V, bool, error)) {
	for _, source := range sources {
		s, ok := source.(S)
		if !ok {
			continue
		}
		value, found, err := get(s, context.Background())
		if err != nil {
			o.sourceErrors = append(o.sourceErrors, FieldError{Field: field, Problem: "could not be read from the AWS configuration: " + err.Error()})
			return
		}
		if found {
			*target = value
			return
		}
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
