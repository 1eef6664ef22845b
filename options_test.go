package quicksightembed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

func TestDefaultRetryers(t *testing.T) {
	assert.IsType(t, &retry.Standard{}, quicksightembed.New(quicksightembed.Options{}).Options().Retryer)
	assert.IsType(t, &retry.AdaptiveMode{}, quicksightembed.New(quicksightembed.Options{RetryMode: aws.RetryModeAdaptive}).Options().Retryer)
	own := withoutDelay()
	cfg := aws.Config{Retryer: func() aws.Retryer { return own }, RetryMode: aws.RetryModeAdaptive}
	assert.Same(t, own, quicksightembed.NewFromConfig(cfg).Options().Retryer)
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
		"fewer attempts than one": {
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

func TestNilPointersAreNone(t *testing.T) {
	for name, set := range map[string]func(*quicksightembed.Options){
		"an http.Client":    func(o *quicksightembed.Options) { o.HTTPClient = (*http.Client)(nil) },
		"a BuildableClient": func(o *quicksightembed.Options) { o.HTTPClient = (*awshttp.BuildableClient)(nil) },
		"a function":        func(o *quicksightembed.Options) { o.HTTPClient = smithyhttp.ClientDoFunc(nil) },
		"a signer":          func(o *quicksightembed.Options) { o.HTTPSignerV4 = (*v4.Signer)(nil) },
		"a logger":          func(o *quicksightembed.Options) { o.Logger = (*logging.StandardLogger)(nil) },
		"a retryer":         func(o *quicksightembed.Options) { o.Retryer = (*retry.Standard)(nil) },
		"a tracer provider": func(o *quicksightembed.Options) { o.TracerProvider = (*tracing.NopTracerProvider)(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, status(200, nativeReply))
			direct := newClient(t, server).Options()
			set(&direct)
			for where, client := range map[string]*quicksightembed.Client{
				"New":                       quicksightembed.New(direct),
				"an option function of New": newClient(t, server, set),
				"a call":                    newClient(t, server),
			} {
				var optFns []func(*quicksightembed.Options)
				if where == "a call" {
					optFns = append(optFns, set)
				}
				_, err := client.GetSessionEmbedUrl(ctx, janesInput(), optFns...)
				assert.NoError(t, err, where)
			}
		})
	}
}

// TestNilPointerOfCredentials expects a refusal: the client's credentials are another identity's.
func TestNilPointerOfCredentials(t *testing.T) {
	server := newServer(t, status(200, nativeReply))
	set := func(o *quicksightembed.Options) { o.Credentials = (*aws.CredentialsCache)(nil) }
	for _, call := range []func() error{
		func() error { _, err := newClient(t, server, set).GetSessionEmbedUrl(ctx, janesInput()); return err },
		func() error { _, err := newClient(t, server).GetSessionEmbedUrl(ctx, janesInput(), set); return err },
	} {
		assert.Equal(t, "Options.Credentials", fieldsOf(t, call())[0].Field)
	}
	assert.Empty(t, server.seen())
}

func TestBaseEndpointOfACallDoesNotChangeTheClient(t *testing.T) {
	base := "https://first.example"
	client := quicksightembed.New(quicksightembed.Options{Region: "us-east-1", BaseEndpoint: &base, Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", "")})
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
	credentials := staticCredentials("AKID", "SECRET-ACCESS-KEY", "")
	_, err := quicksightembed.New(quicksightembed.Options{RetryMaxAttempts: -1, Credentials: credentials}).GetSessionEmbedUrl(context.Background(), nil)
	assert.EqualError(t, err, "operation error QuickSight: GetSessionEmbedUrl, invalid input: AwsAccountId is required: 12 digits; "+
		`Options.Region is required, such as us-east-1: set AWS_REGION; Options.RetryMaxAttempts "-1" must be 1 or more, or 0 for the Retryer's own`)
}

func (brokenSource) GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error) {
	return 0, false, errBroken
}

func TestOptionsAndClientArePrintedWithoutKeys(t *testing.T) {
	o := quicksightembed.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String("https://jane:pass@localhost"),
		Credentials:  valueCredentials{aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET-ACCESS-KEY"}},
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

// valueCredentials is a provider whose fields fmt prints, as credentials.StaticCredentialsProvider.
type valueCredentials struct{ Value aws.Credentials }

func (v valueCredentials) Retrieve(context.Context) (aws.Credentials, error) { return v.Value, nil }

// TestNilRetryerWithABound sets a nil pointer as retryer: the bound is the default retryer's.
func TestNilRetryerWithABound(t *testing.T) {
	attempts := 0
	direct := quicksightembed.Options{
		Region: "us-east-1", Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", ""), Retryer: (*retry.Standard)(nil), RetryMaxAttempts: 2,
		HTTPClient: smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) { attempts++; return replyOf(500, "{}"), nil }),
	}
	ofCall := func(o *quicksightembed.Options) { o.Retryer, o.RetryMaxAttempts = (*retry.Standard)(nil), 2 }
	with := func(set func(*quicksightembed.Options)) quicksightembed.Options {
		o := direct
		set(&o)
		return o
	}
	unset := func(o *quicksightembed.Options) { o.Retryer, o.RetryMaxAttempts = withoutDelay(), 0 }
	for name, test := range map[string]struct {
		client *quicksightembed.Client
		optFns []func(*quicksightembed.Options)
	}{
		"in New": {client: quicksightembed.New(direct)},
		"in a config": {client: quicksightembed.NewFromConfig(aws.Config{
			Region: "us-east-1", Credentials: direct.Credentials, HTTPClient: direct.HTTPClient, RetryMaxAttempts: 2,
			Retryer: func() aws.Retryer { return (*retry.Standard)(nil) },
		})},
		"in a call":  {client: quicksightembed.New(with(unset)), optFns: []func(*quicksightembed.Options){ofCall}},
		"in a stack": {client: quicksightembed.New(direct, quicksightembed.WithAPIOptions(noStep))},
	} {
		t.Run(name, func(t *testing.T) {
			attempts = 0
			_, err := test.client.GetSessionEmbedUrl(ctx, janesInput(), test.optFns...)
			assert.ErrorContains(t, err, "exceeded maximum number of attempts, 2")
			assert.Equal(t, 2, attempts)
			req, err := test.client.SignGetSessionEmbedUrl(ctx, janesInput(), test.optFns...)
			require.NoError(t, err)
			assert.Equal(t, "attempt=1; max=2", req.Header.Get("Amz-Sdk-Request"))
		})
	}
}

func TestNilsDoNoHarm(t *testing.T) {
	assert.Equal(t, "ThrottlingException", (*quicksightembed.ThrottlingException)(nil).ErrorCode())
	for _, exception := range []smithy.APIError{
		(*quicksightembed.AccessDeniedException)(nil), (*quicksightembed.InternalFailureException)(nil), (*quicksightembed.InvalidParameterValueException)(nil),
		(*quicksightembed.QuickSightUserNotFoundException)(nil), (*quicksightembed.ResourceExistsException)(nil), (*quicksightembed.ResourceNotFoundException)(nil),
		(*quicksightembed.SessionLifetimeInMinutesInvalidException)(nil), (*quicksightembed.ThrottlingException)(nil), (*quicksightembed.UnsupportedUserEditionException)(nil),
	} {
		assert.Equal(t, fmt.Sprintf("*quicksightembed.%s", exception.ErrorCode()), fmt.Sprintf("%T", exception))
		assert.Equal(t, exception.ErrorCode()+": ", exception.Error())
		assert.NotPanics(t, func() { exception.ErrorFault() })
	}
	assert.NotPanics(t, func() {
		_ = (*quicksightembed.ValidationError)(nil).Error() + (*quicksightembed.CredentialsError)(nil).Error()
		fmt.Fprint(io.Discard, (*quicksightembed.GetSessionEmbedUrlInput)(nil), (*quicksightembed.GetSessionEmbedUrlOutput)(nil), (*quicksightembed.Options)(nil))
		slog.New(slog.NewJSONHandler(io.Discard, nil)).Info("m", "in", (*quicksightembed.GetSessionEmbedUrlInput)(nil), "out", (*quicksightembed.GetSessionEmbedUrlOutput)(nil), "options", (*quicksightembed.Options)(nil))
	})
}

func TestWhatOptionFunctionsKeepChangesNothing(t *testing.T) {
	var kept *string
	var whole *quicksightembed.Options
	keep := func(o *quicksightembed.Options) {
		o.BaseEndpoint = aws.String("https://first.example")
		kept, whole = o.BaseEndpoint, o
	}
	client := quicksightembed.New(quicksightembed.Options{Region: "us-east-1", Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", "")}, keep)
	*kept, whole.Region = "https://second.example", "eu-west-1"
	for _, optFns := range [][]func(*quicksightembed.Options){nil, {func(*quicksightembed.Options) {}}} {
		req, err := client.SignGetSessionEmbedUrl(ctx, janesInput(), optFns...)
		require.NoError(t, err)
		assert.Equal(t, "first.example", req.URL.Host)
		assert.Contains(t, req.Header.Get("Authorization"), "/us-east-1/")
	}
}

func TestAuthSchemePreferences(t *testing.T) {
	for preference, warns := range map[string]bool{
		"": false, "sigv4": false, "sigv4a": false, "httpBearerAuth": false, "sigv4,noAuth": false, "noAuth": true, "noAuth,sigv4": true, "sigv4a,noAuth": true,
	} {
		t.Run(preference, func(t *testing.T) {
			var own logLines
			var standard bytes.Buffer
			before := slog.Default()
			defer slog.SetDefault(before)
			slog.SetDefault(slog.New(slog.NewTextHandler(&standard, nil)))
			cfg := aws.Config{AuthSchemePreference: strings.Split(preference, ",")}
			quicksightembed.NewFromConfig(cfg)
			assert.Equal(t, warns, strings.Contains(standard.String(), "level=WARN") && strings.Contains(standard.String(), "AuthSchemePreference"))
			cfg.Logger = &own
			standard.Reset()
			quicksightembed.NewFromConfig(cfg)
			assert.Equal(t, warns, len(own) == 1)
			assert.Empty(t, standard.String())
		})
	}
}

// loadConfig loads the default config from a shared config file and these environment variables.
func loadConfig(t *testing.T, sharedConfig string, env map[string]string) aws.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(file, []byte(sharedConfig), 0o600))
	t.Setenv("AWS_CONFIG_FILE", file)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "SECRET-ACCESS-KEY")
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
		"AWS_MAX_ATTEMPTS": "7", "AWS_RETRY_MODE": "adaptive", "AWS_SDK_UA_APP_ID": "my-app",
	})
	// Only newer versions of config read this from the environment.
	cfg.DisableClockSkewCorrection = true
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

// brokenSource is a source of an aws.Config that fails.
type brokenSource struct{}

var errBroken = errors.New("not a boolean")

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

// logLines is a logger that keeps its lines.
type logLines []string

func (l *logLines) Logf(classification logging.Classification, format string, v ...any) {
	*l = append(*l, string(classification)+" "+fmt.Sprintf(format, v...))
}

func TestOneWarningNamesWhatIsNotActedOn(t *testing.T) {
	var log logLines
	cfg := aws.Config{
		Logger:               &log,
		APIOptions:           []func(*middleware.Stack) error{nil},
		AuthSchemePreference: []string{"sigv4a", "noAuth", "sigv4"},
		//lint:ignore SA1019 deprecated, and still set
		EndpointResolver: aws.EndpointResolverFunc(nil),
		//lint:ignore SA1019 deprecated, and still set
		EndpointResolverWithOptions: aws.EndpointResolverWithOptionsFunc(nil),
		Interceptors:                smithyhttp.InterceptorRegistry{AfterSigning: []smithyhttp.AfterSigningInterceptor{nil}},
	}
	quicksightembed.NewFromConfig(cfg)
	assert.Equal(t, logLines{"WARN quicksightembed does not act on these fields of aws.Config: AuthSchemePreference, EndpointResolver, EndpointResolverWithOptions"}, log)
}

func TestNoWarningOfWhatIsActedOn(t *testing.T) {
	var log logLines
	cfg := loadConfig(t, "[default]\nregion = us-east-1\nendpoint_url = https://x.example\n", map[string]string{"AWS_RETRY_MODE": "adaptive"})
	cfg.Logger = &log
	cfg.AuthSchemePreference = []string{"sigv4a", "sigv4"}
	quicksightembed.NewFromConfig(cfg)
	assert.Empty(t, log)
}

type apiOption = func(*middleware.Stack) error

// noStep makes a call use a stack, and adds nothing to it.
func noStep(*middleware.Stack) error { return nil }

// TestHedging has a step that sends two requests at once and returns the first answer. It is for
// the race detector.
func TestHedging(t *testing.T) {
	hedge := func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("hedge", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			type answer struct {
				out      middleware.DeserializeOutput
				metadata middleware.Metadata
				err      error
			}
			answers := make(chan answer, 2)
			for range 2 {
				go func() {
					out, metadata, err := next.HandleDeserialize(ctx, in)
					answers <- answer{out, metadata, err}
				}()
			}
			first := <-answers
			<-answers
			return first.out, first.metadata, first.err
		}), middleware.Before)
	}
	server := newServer(t, replyWith(status(500, `{}`), status(500, `{}`), status(200, nativeReply)))
	client := newClient(t, server, quicksightembed.WithAPIOptions(hedge))
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.Len(t, server.seen(), 4)
}

func TestStepsThatDropTheContext(t *testing.T) {
	for name, option := range map[string]apiOption{
		"Initialize": func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("drop", func(_ context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				return next.HandleInitialize(context.Background(), in)
			}), middleware.After)
		},
		"Build": func(stack *middleware.Stack) error {
			return stack.Build.Add(middleware.BuildMiddlewareFunc("drop", func(_ context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
				return next.HandleBuild(context.Background(), in)
			}), middleware.Before)
		},
		"Finalize": func(stack *middleware.Stack) error {
			return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("drop", func(_ context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				return next.HandleFinalize(context.Background(), in)
			}), middleware.After)
		},
		"Deserialize": func(stack *middleware.Stack) error {
			return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("drop", func(_ context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
				return next.HandleDeserialize(context.Background(), in)
			}), middleware.After)
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, replyWith(status(500, `{}`), status(200, nativeReply)))
			client := newClient(t, server, quicksightembed.WithAPIOptions(option))
			_, err := client.GetSessionEmbedUrl(ctx, janesInput())
			assert.NoError(t, err)
		})
	}
}

func TestStubsNeedNeitherRegionNorCredentials(t *testing.T) {
	url := aws.String("https://stub.example")
	for name, option := range map[string]apiOption{
		"Initialize": func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("stub", func(context.Context, middleware.InitializeInput, middleware.InitializeHandler) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
				out.Result = &quicksightembed.GetSessionEmbedUrlOutput{EmbedUrl: url}
				return out, metadata, nil
			}), middleware.Before)
		},
		"Finalize": func(stack *middleware.Stack) error {
			return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("stub", func(context.Context, middleware.FinalizeInput, middleware.FinalizeHandler) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
				out.Result = &quicksightembed.GetSessionEmbedUrlOutput{EmbedUrl: url}
				return out, metadata, nil
			}), middleware.Before)
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := quicksightembed.New(quicksightembed.Options{APIOptions: []apiOption{option}})
			out, err := client.GetSessionEmbedUrl(ctx, janesInput())
			require.NoError(t, err)
			assert.Equal(t, url, out.EmbedUrl)
		})
	}
	_, err := quicksightembed.New(quicksightembed.Options{}, quicksightembed.WithAPIOptions(noStep)).GetSessionEmbedUrl(ctx, janesInput())
	assert.Len(t, fieldsOf(t, err), 2, "without a stub both are needed")
}

// TestUnsignedRequests expects that a stub after the signing step needs no credentials, and that
// nothing is sent without credentials.
func TestUnsignedRequests(t *testing.T) {
	server := newServer(t, status(200, nativeReply))
	stub := func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("stub", func(context.Context, middleware.DeserializeInput, middleware.DeserializeHandler) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
			out.RawResponse = &smithyhttp.Response{Response: replyOf(200, nativeReply)}
			return out, metadata, nil
		}), middleware.After)
	}
	out, err := newClient(t, server, withoutCredentials, quicksightembed.WithAPIOptions(stub)).GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.NotNil(t, out.EmbedUrl)

	client := newClient(t, server, withoutCredentials, quicksightembed.WithAPIOptions(noStep))
	_, err = client.GetSessionEmbedUrl(ctx, janesInput())
	assert.Equal(t, "Options.Credentials", fieldsOf(t, err)[0].Field)
	_, err = client.SignGetSessionEmbedUrl(ctx, janesInput())
	assert.Equal(t, "Options.Credentials", fieldsOf(t, err)[0].Field)
	assert.Empty(t, server.seen())
}

// ownSigner signs in a header of its own.
type ownSigner struct{}

func (ownSigner) SignHTTP(_ context.Context, _ aws.Credentials, r *http.Request, _, _, _ string, _ time.Time, _ ...func(*v4.SignerOptions)) error {
	r.Header.Set("X-Acme-Signature", "signed")
	return nil
}

func TestProgramSignsByItself(t *testing.T) {
	for name, test := range map[string]struct {
		header string
		optFns []func(*quicksightembed.Options)
	}{
		"in a step, without credentials": {"Authorization", []func(*quicksightembed.Options){
			withoutCredentials, quicksightembed.WithAPIOptions(smithyhttp.SetHeaderValue("Authorization", "signed"))}},
		"in a header of its own": {"X-Acme-Signature", []func(*quicksightembed.Options){
			func(o *quicksightembed.Options) { o.HTTPSignerV4 = ownSigner{} }}},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, status(200, nativeReply))
			_, err := newClient(t, server, test.optFns...).GetSessionEmbedUrl(ctx, janesInput())
			require.NoError(t, err)
			assert.Equal(t, "signed", server.seen()[0].Header.Get(test.header))
		})
	}
}

func withoutCredentials(o *quicksightembed.Options) { o.Credentials = nil }

func TestFunctionThatFails(t *testing.T) {
	server := newServer(t, status(200, nativeReply))
	errOption := errors.New("no such step")
	client := newClient(t, server)
	fails := quicksightembed.WithAPIOptions(func(*middleware.Stack) error { return errOption })
	_, err := client.GetSessionEmbedUrl(ctx, janesInput(), fails)
	assert.ErrorIs(t, err, errOption)
	_, err = client.SignGetSessionEmbedUrl(ctx, janesInput(), fails)
	assert.ErrorIs(t, err, errOption)
	_, err = client.GetSessionEmbedUrl(ctx, janesInput())
	assert.NoError(t, err, "the next call has no such function")
}

func TestSigningWithAPIOptions(t *testing.T) {
	server := newServer(t, status(200, nativeReply))
	client := newClient(t, server, quicksightembed.WithAPIOptions(smithyhttp.SetHeaderValue("X-Acme", "tenant"), awsmiddleware.AddUserAgentKeyValue("acme", "1.2")))
	req, err := client.SignGetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.Contains(t, req.Header.Get("Authorization"), "x-acme")
	assert.Contains(t, req.UserAgent(), "acme/1.2")
	assert.Equal(t, "attempt=1; max=3", req.Header.Get("Amz-Sdk-Request"))
	assert.Equal(t, server.URL+"/accounts/111122223333/session-embed-url?user-arn=arn%3Aaws%3Aquicksight%3Aus-east-1%3A111122223333%3Auser%2Fdefault%2Fjane", req.URL.String())
	assert.Equal(t, ctx, req.Context())
	assert.Empty(t, server.seen())
}

func TestClockSkewAndTimeoutInAStack(t *testing.T) {
	server := skewedServer(t, time.Hour)
	client := newClient(t, server, quicksightembed.WithAPIOptions(noStep))
	for range 2 {
		_, err := client.GetSessionEmbedUrl(ctx, janesInput())
		require.NoError(t, err)
	}
	assert.Len(t, server.seen(), 3)

	slow := newServer(t, http.HandlerFunc(stall))
	_, err := newClient(t, slow, quicksightembed.WithAPIOptions(noStep)).GetSessionEmbedUrl(ctx, janesInput(), func(o *quicksightembed.Options) { o.AttemptTimeout = 20 * time.Millisecond })
	assert.ErrorContains(t, err, "exceeded maximum number of attempts, 3")
	assert.ErrorContains(t, err, "no complete reply within the attempt timeout of 20ms")
}

func TestInterceptorOfEachKindIsCalled(t *testing.T) {
	kinds := reflect.TypeFor[smithyhttp.InterceptorRegistry]()
	for i := range kinds.NumField() {
		t.Run(kinds.Field(i).Name, func(t *testing.T) {
			client := newClient(t, newServer(t, status(200, nativeReply)), func(o *quicksightembed.Options) {
				list := reflect.ValueOf(&o.Interceptors).Elem().Field(i)
				list.Set(reflect.MakeSlice(list.Type(), 1, 1)) // nil: a call panics
			})
			assert.Panics(t, func() { client.GetSessionEmbedUrl(ctx, janesInput()) })
		})
	}
}

func TestSecretsAreHiddenInAStack(t *testing.T) {
	for name, reply := range leakyReplies {
		t.Run(name, func(t *testing.T) {
			showReply(t, handledBy(reply), func(_ *testing.T, s *scene) { s.options.APIOptions = []apiOption{noStep} })
		})
	}
}
