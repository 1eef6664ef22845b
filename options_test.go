package quicksightembed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

// loadConfig loads the default config with a shared config file and an environment of these variables.
func loadConfig(t *testing.T, sharedConfig string, env map[string]string) aws.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(file, []byte(sharedConfig), 0o600))
	t.Setenv("AWS_CONFIG_FILE", file)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for name, value := range env {
		t.Setenv(name, value)
	}
	cfg, err := config.LoadDefaultConfig(context.Background())
	require.NoError(t, err)
	return cfg
}

func TestEndpointFromEnvironmentAndSharedConfig(t *testing.T) {
	const services = "[default]\nregion = eu-west-1\nservices = s\n[services s]\nquicksight =\n  endpoint_url = https://of-the-service.example\n"
	for name, test := range map[string]struct {
		config string
		env    map[string]string
		want   string
	}{
		"a region":                               {"[default]\nregion = eu-west-1\n", nil, "quicksight.eu-west-1.amazonaws.com"},
		"a region of the environment":            {"[default]\nregion = eu-west-1\n", map[string]string{"AWS_REGION": "us-west-2"}, "quicksight.us-west-2.amazonaws.com"},
		"a profile":                              {"[default]\nregion = eu-west-1\n[profile p]\nregion = us-west-2\n", map[string]string{"AWS_PROFILE": "p"}, "quicksight.us-west-2.amazonaws.com"},
		"FIPS":                                   {"[default]\nregion = us-east-1\nuse_fips_endpoint = true\n", nil, "quicksight-fips.us-east-1.amazonaws.com"},
		"FIPS of the environment":                {"[default]\nregion = us-east-1\n", map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"}, "quicksight-fips.us-east-1.amazonaws.com"},
		"FIPS off in the environment":            {"[default]\nregion = us-east-1\nuse_fips_endpoint = true\n", map[string]string{"AWS_USE_FIPS_ENDPOINT": "false"}, "quicksight.us-east-1.amazonaws.com"},
		"dual-stack":                             {"[default]\nregion = us-east-1\nuse_dualstack_endpoint = true\n", nil, "quicksight.us-east-1.api.aws"},
		"dual-stack of the environment":          {"[default]\nregion = us-east-1\n", map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "quicksight.us-east-1.api.aws"},
		"an endpoint":                            {"[default]\nregion = us-east-1\nendpoint_url = https://of-the-profile.example\n", nil, "of-the-profile.example"},
		"an endpoint of the service":             {services, nil, "of-the-service.example"},
		"the environment beats the service":      {services, map[string]string{"AWS_ENDPOINT_URL": "https://of-the-environment.example"}, "of-the-environment.example"},
		"the service's environment beats both":   {services, map[string]string{"AWS_ENDPOINT_URL": "https://x.example", "AWS_ENDPOINT_URL_QUICKSIGHT": "https://of-both.example"}, "of-both.example"},
		"endpoints that are ignored":             {services, map[string]string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "quicksight.eu-west-1.amazonaws.com"},
		"an endpoint of another service's alone": {"[default]\nregion = us-east-1\nservices = s\n[services s]\ns3 =\n  endpoint_url = https://x.example\n", nil, "quicksight.us-east-1.amazonaws.com"},
	} {
		t.Run(name, func(t *testing.T) {
			client := quicksightembed.NewFromConfig(loadConfig(t, test.config, test.env))
			req, err := client.SignGetSessionEmbedUrl(context.Background(), janesInput())
			require.NoError(t, err)
			assert.Equal(t, test.want, req.URL.Host)
		})
	}
}

func TestOtherSettingsFromEnvironment(t *testing.T) {
	cfg := loadConfig(t, "[default]\nregion = us-east-1\n", map[string]string{
		"AWS_MAX_ATTEMPTS": "7", "AWS_RETRY_MODE": "adaptive", "AWS_SDK_UA_APP_ID": "my-app", "AWS_DISABLE_CLOCK_SKEW_CORRECTION": "true",
	})
	client := quicksightembed.NewFromConfig(cfg)
	options := client.Options()
	assert.Equal(t, 7, options.Retryer.MaxAttempts())
	assert.Equal(t, aws.RetryModeAdaptive, options.RetryMode)
	assert.True(t, options.DisableClockSkewCorrection)
	req, err := client.SignGetSessionEmbedUrl(context.Background(), janesInput())
	require.NoError(t, err)
	assert.Contains(t, req.UserAgent(), " app/my-app")
	assert.Equal(t, "attempt=1; max=7", req.Header.Get("Amz-Sdk-Request"))
}

func TestDefaultRetryers(t *testing.T) {
	assert.IsType(t, &retry.Standard{}, quicksightembed.New(quicksightembed.Options{}).Options().Retryer)
	assert.IsType(t, &retry.AdaptiveMode{}, quicksightembed.New(quicksightembed.Options{RetryMode: aws.RetryModeAdaptive}).Options().Retryer)
	own := withoutDelay()
	cfg := aws.Config{Retryer: func() aws.Retryer { return own }, RetryMode: aws.RetryModeAdaptive}
	assert.Same(t, own, quicksightembed.NewFromConfig(cfg).Options().Retryer)
}

// transportOf returns the transport of the client that the options lead to.
func transportOf(t *testing.T, o quicksightembed.Options) *http.Transport {
	t.Helper()
	var got *http.Transport
	quicksightembed.New(o, func(o *quicksightembed.Options) {
		got = o.HTTPClient.(*awshttp.BuildableClient).GetTransport()
	})
	return got
}

func TestDefaultsModeSetsTimeouts(t *testing.T) {
	for mode, want := range map[aws.DefaultsMode]string{
		"": "10s", "legacy": "10s", "standard": "3.1s", "in-region": "1.1s", "cross-region": "3.1s", "mobile": "30s", "auto": "3.1s", "In-Region": "1.1s",
	} {
		o := quicksightembed.Options{DefaultsMode: mode}
		assert.Equal(t, want, transportOf(t, o).TLSHandshakeTimeout.String(), mode)
		o.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) { tr.MaxIdleConnsPerHost = 77 })
		assert.Equal(t, want, transportOf(t, o).TLSHandshakeTimeout.String(), mode)
		assert.Equal(t, 77, transportOf(t, o).MaxIdleConnsPerHost, "the caller's own settings stay")
	}
	auto := quicksightembed.Options{DefaultsMode: "auto", Region: "us-east-1", RuntimeEnvironment: aws.RuntimeEnvironment{EnvironmentIdentifier: "AWS_Lambda_go", Region: "us-east-1"}}
	assert.Equal(t, "1.1s", transportOf(t, auto).TLSHandshakeTimeout.String(), "in its own region")
}

func TestUnusableOptions(t *testing.T) {
	for name, test := range map[string]struct {
		set  func(*quicksightembed.Options)
		want quicksightembed.FieldError
	}{
		"a defaults mode that is none": {
			func(o *quicksightembed.Options) { o.DefaultsMode = "fast" },
			quicksightembed.FieldError{Field: "Options.DefaultsMode", Value: `"fast"`, Problem: "must be auto, cross-region, in-region, legacy, mobile or standard"},
		},
		"a retry mode that is none": {
			func(o *quicksightembed.Options) { o.RetryMode = "never" },
			quicksightembed.FieldError{Field: "Options.RetryMode", Value: `"never"`, Problem: "must be standard or adaptive"},
		},
		"fewer tries than one": {
			func(o *quicksightembed.Options) { o.RetryMaxAttempts = -1 },
			quicksightembed.FieldError{Field: "Options.RetryMaxAttempts", Value: `"-1"`, Problem: "must be 1 or more, or 0 for the Retryer's own"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, status(200, nativeReply))
			_, err := newClient(t, server, test.set).GetSessionEmbedUrl(context.Background(), janesInput())
			assert.Equal(t, []quicksightembed.FieldError{test.want}, fieldsOf(t, err), "as an option of the client")
			_, err = newClient(t, server).GetSessionEmbedUrl(context.Background(), janesInput(), test.set)
			assert.Equal(t, []quicksightembed.FieldError{test.want}, fieldsOf(t, err), "as an option of the call")
			assert.Empty(t, server.seen())
		})
	}
}

func TestOptionsSetToNilKeepTheirDefaults(t *testing.T) {
	client := quicksightembed.New(quicksightembed.Options{}, func(o *quicksightembed.Options) {
		o.Retryer, o.HTTPClient, o.HTTPSignerV4, o.Logger, o.TracerProvider = nil, nil, nil, nil, nil
	})
	o := client.Options()
	assert.NotNil(t, o.Retryer)
	assert.NotNil(t, o.HTTPClient)
	assert.NotNil(t, o.HTTPSignerV4)
	assert.NotNil(t, o.Logger)
	assert.NotNil(t, o.TracerProvider)
}

func TestNilPointersAreReported(t *testing.T) {
	for field, set := range map[string]func(*quicksightembed.Options){
		"Options.Credentials is a nil *aws.CredentialsCache":     func(o *quicksightembed.Options) { o.Credentials = (*aws.CredentialsCache)(nil) },
		"Options.HTTPClient is a nil *http.Client":               func(o *quicksightembed.Options) { o.HTTPClient = (*http.Client)(nil) },
		"Options.HTTPClient is a nil *http.BuildableClient":      func(o *quicksightembed.Options) { o.HTTPClient = (*awshttp.BuildableClient)(nil) },
		"Options.HTTPSignerV4 is a nil *v4.Signer":               func(o *quicksightembed.Options) { o.HTTPSignerV4 = (*v4.Signer)(nil) },
		"Options.Logger is a nil *logging.StandardLogger":        func(o *quicksightembed.Options) { o.Logger = (*logging.StandardLogger)(nil) },
		"Options.Retryer is a nil *retry.Standard":               func(o *quicksightembed.Options) { o.Retryer = (*retry.Standard)(nil) },
		"Options.TracerProvider is a nil *tracing.NopTracerProv": func(o *quicksightembed.Options) { o.TracerProvider = (*tracing.NopTracerProvider)(nil) },
	} {
		t.Run(field, func(t *testing.T) {
			server := newServer(t, status(200, nativeReply))
			_, err := newClient(t, server, set).GetSessionEmbedUrl(context.Background(), janesInput())
			assert.ErrorContains(t, err, field)
			_, err = newClient(t, server).GetSessionEmbedUrl(context.Background(), janesInput(), set)
			assert.ErrorContains(t, err, field)
			var direct quicksightembed.Options
			set(&direct)
			_, err = quicksightembed.New(direct).GetSessionEmbedUrl(context.Background(), janesInput())
			assert.ErrorContains(t, err, field)
			assert.Empty(t, server.seen())
		})
	}
}

func TestBaseEndpointOfACallDoesNotChangeTheClient(t *testing.T) {
	base := "https://first.example"
	client := quicksightembed.New(quicksightembed.Options{Region: "us-east-1", BaseEndpoint: &base, Credentials: staticCredentials("AKID", "SECRET", "")})
	base = "https://changed-by-the-caller.example"
	change := func(o *quicksightembed.Options) { *o.BaseEndpoint = "https://second.example" }
	for _, test := range []struct {
		optFns []func(*quicksightembed.Options)
		want   string
	}{
		{[]func(*quicksightembed.Options){change}, "second.example"},
		{nil, "first.example"},
		{[]func(*quicksightembed.Options){func(*quicksightembed.Options) {}}, "first.example"},
	} {
		req, err := client.SignGetSessionEmbedUrl(context.Background(), janesInput(), test.optFns...)
		require.NoError(t, err)
		assert.Equal(t, test.want, req.URL.Host)
	}
}

func TestInputAndOptionsAreReportedTogether(t *testing.T) {
	_, err := quicksightembed.New(quicksightembed.Options{RetryMaxAttempts: -1}).GetSessionEmbedUrl(context.Background(), nil)
	assert.EqualError(t, err, "operation error QuickSight: GetSessionEmbedUrl, invalid input: AwsAccountId is required: 12 digits; "+
		`Options.Region is required, such as us-east-1; Options.RetryMaxAttempts "-1" must be 1 or more, or 0 for the Retryer's own`)
}

// brokenSource is a source of an aws.Config that fails.
type brokenSource struct{}

var errBroken = errors.New("not a boolean")

func (brokenSource) GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error) {
	return 0, false, errBroken
}

func TestConfigSourceThatFailsIsReported(t *testing.T) {
	client := quicksightembed.NewFromConfig(aws.Config{Region: "us-east-1", ConfigSources: []any{brokenSource{}}})
	_, err := client.GetSessionEmbedUrl(context.Background(), janesInput())
	assert.ErrorContains(t, err, "Options.EndpointOptions.UseFIPSEndpoint could not be read from the AWS configuration: not a boolean")
}

func TestServiceOptionsComeBeforeTheCallersFunctions(t *testing.T) {
	cfg := aws.Config{Region: "us-east-1", ServiceOptions: []func(string, any){
		nil,
		func(service string, options any) {
			assert.Equal(t, "QuickSight", service)
			options.(*quicksightembed.Options).Region = "eu-west-1"
			options.(*quicksightembed.Options).AppID = "service"
		},
	}}
	client := quicksightembed.NewFromConfig(cfg, nil, func(o *quicksightembed.Options) { o.AppID += "+caller" })
	assert.Equal(t, "eu-west-1", client.Options().Region)
	assert.Equal(t, "service+caller", client.Options().AppID)
}

// logLines is a logger that keeps what it is told.
type logLines []string

func (l *logLines) Logf(classification logging.Classification, format string, v ...any) {
	*l = append(*l, string(classification)+" "+fmt.Sprintf(format, v...))
}

func TestOneWarningNamesWhatIsNotActedOn(t *testing.T) {
	var log logLines
	cfg := aws.Config{
		Logger:               &log,
		APIOptions:           []func(*middleware.Stack) error{nil},
		AuthSchemePreference: []string{"sigv4a"},
		//lint:ignore SA1019 deprecated, and still set
		EndpointResolver: aws.EndpointResolverFunc(nil),
		//lint:ignore SA1019 deprecated, and still set
		EndpointResolverWithOptions: aws.EndpointResolverWithOptionsFunc(nil),
		Interceptors:                smithyhttp.InterceptorRegistry{AfterSigning: []smithyhttp.AfterSigningInterceptor{nil}},
	}
	quicksightembed.NewFromConfig(cfg)
	assert.Equal(t, logLines{"WARN quicksightembed does not act on these fields of aws.Config: APIOptions, AuthSchemePreference, EndpointResolver, EndpointResolverWithOptions, Interceptors"}, log)
}

func TestNoWarningOfWhatIsActedOn(t *testing.T) {
	var log logLines
	cfg := loadConfig(t, "[default]\nregion = us-east-1\nendpoint_url = https://x.example\n", map[string]string{"AWS_RETRY_MODE": "adaptive"})
	cfg.Logger = &log
	cfg.AuthSchemePreference = []string{"sigv4a", "sigv4"}
	quicksightembed.NewFromConfig(cfg)
	assert.Empty(t, log)
}

func TestOptionsAndClientArePrintedWithoutKeys(t *testing.T) {
	o := quicksightembed.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String("https://jane:pass@localhost"),
		Credentials:  valueCredentials{aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}},
	}
	client := quicksightembed.New(o)
	var texts []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		texts = append(texts, fmt.Sprintf(verb, o), fmt.Sprintf(verb, client))
	}
	for _, value := range []any{o, &o, client.Options()} {
		body, err := json.Marshal(value)
		require.NoError(t, err)
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("starting", "options", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("starting", "options", value)
		texts = append(texts, string(body), log.String())
	}
	for _, text := range texts {
		assert.Contains(t, text, "us-east-1")
		assert.NotContains(t, text, "SECRET")
		assert.NotContains(t, text, "pass")
	}
}

// valueCredentials is a provider that fmt prints by its fields, as credentials.StaticCredentialsProvider is.
type valueCredentials struct{ Value aws.Credentials }

func (v valueCredentials) Retrieve(context.Context) (aws.Credentials, error) { return v.Value, nil }
