package quicksightembed_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

// loadConfig loads the default config with a shared config file and an environment of these
// variables.
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
	cfg.DisableClockSkewCorrection = true // its variable is read by newer versions of config: see compat/
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
