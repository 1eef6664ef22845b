package peers

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/quicksight"
	smithybearer "github.com/aws/smithy-go/auth/bearer"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// observation is all that a configuration can change in a call. The service is broken, and its
// clock is an hour ahead.
type observation struct {
	endpoint
	AccessKey      string
	AppID          string
	Added          string // the value of a header that a middleware or an interceptor adds
	Via            string // the HTTP client that sent it
	Attempts       int
	Retryer        string // its type
	FollowsSkew    bool   // the second attempt is signed with the service's clock
	Logged         string // the logger that logged
	ConnectTimeout string // of the default HTTP client
	Warning        string
}

// failing is a service that answers 500 to each attempt. Its clock is an hour ahead.
type failing struct{ name string }

func (b failing) Do(req *http.Request) (*http.Response, error) {
	record := req.Context().Value(sentKey{}).(*sent)
	record.requests, record.via = append(record.requests, req), b.name
	return response(500, http.Header{"Date": {time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}}, `{"message":"broken"}`), nil
}

type sentKey struct{}

type sent struct {
	requests []*http.Request
	via      string
}

// logger records its name when it logs, and the warning of this client.
type logger struct {
	name    string
	logged  *string
	warning *string
}

func (l logger) Logf(class logging.Classification, format string, args ...any) {
	if class == logging.Warn && strings.HasPrefix(format, "quicksightembed") {
		*l.warning = fmt.Sprintf(format, args...)
		return
	}
	*l.logged = l.name
}

// observed makes a call with each client and a config that change makes from base, on the clock of
// synctest.
func observed(t *testing.T, base aws.Config, change func(*aws.Config)) (official, ours observation) {
	t.Helper()
	for _, side := range []struct {
		into    *observation
		ask     func(context.Context, aws.Config, *quicksightembed.GetSessionEmbedUrlInput) outcome
		retryer func(aws.Config) aws.Retryer
	}{
		{&official, askOfficial, func(cfg aws.Config) aws.Retryer { return quicksight.NewFromConfig(cfg).Options().Retryer }},
		{&ours, askOurs, func(cfg aws.Config) aws.Retryer { return quicksightembed.NewFromConfig(cfg).Options().Retryer }},
	} {
		cfg := base.Copy()
		o := side.into
		cfg.Logger = logger{"the first", &o.Logged, &o.Warning}
		if _, chosen := cfg.HTTPClient.(failing); !chosen {
			cfg.HTTPClient = failing{"the first"}
		}
		change(&cfg)
		if l, replaced := cfg.Logger.(logger); replaced {
			l.logged, l.warning = &o.Logged, &o.Warning
			cfg.Logger = l
		}
		record := &sent{}
		synctest.Test(t, func(t *testing.T) {
			side.ask(context.WithValue(t.Context(), sentKey{}, record), cfg, janes())
		})
		require.NotEmpty(t, record.requests)
		req := record.requests[0]
		o.endpoint = endpointOfRequest(req)
		o.AccessKey, _ = credentialOf(req)
		if app := regexp.MustCompile(`app/(\S+)`).FindStringSubmatch(req.Header.Get("User-Agent")); app != nil {
			o.AppID = app[1]
		}
		o.Added, o.Via, o.Attempts = req.Header.Get("X-Added"), record.via, len(record.requests)
		if o.Attempts > 1 {
			o.FollowsSkew = signingTime(t, record.requests[1]).Sub(signingTime(t, req)) > 30*time.Minute
		}
		o.Retryer, o.ConnectTimeout = fmt.Sprintf("%T", side.retryer(cfg)), connectTimeout(t, cfg, side.ask)
	}
	return official, ours
}

func signingTime(t *testing.T, req *http.Request) time.Time {
	t.Helper()
	if req.Header.Get("X-Amz-Date") == "" {
		return time.Time{} // it is not signed
	}
	signed, err := time.Parse("20060102T150405Z", req.Header.Get("X-Amz-Date"))
	require.NoError(t, err)
	return signed
}

// connectTimeout returns the timeout of making a connection, in steps of 100 ms.
func connectTimeout(t *testing.T, cfg aws.Config, ask func(context.Context, aws.Config, *quicksightembed.GetSessionEmbedUrlInput) outcome) string {
	t.Helper()
	const step = 100 * time.Millisecond
	given := time.Duration(0)
	cfg.BaseEndpoint, cfg.Retryer = aws.String("http://127.0.0.1:1"), once
	cfg.HTTPClient = awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) {
		d.ControlContext = func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
			deadline, _ := ctx.Deadline()
			given = (time.Until(deadline) + step).Truncate(step) // as configured
			return errors.New("seen")
		}
	})
	ask(t.Context(), cfg, janes())
	return given.String()
}

// configField is a field of aws.Config, and its effect on this operation.
type configField struct {
	name   string
	effect effect
	note   string // for docs/configuration.md
	set    func(*aws.Config)
	but    *difference       // why the official client differs
	beside func(*aws.Config) // other fields that it needs to have an effect
}

type effect string

const (
	actedOn  effect = "yes"
	warnedOf effect = "no; one warning names it"
	nothing  effect = "no effect, in either client"
)

//lint:ignore SA1019 deprecated, and still set
var resolved = aws.Endpoint{URL: "https://resolved.example.com"}

var configFields = []configField{
	{name: "Region", effect: actedOn, note: "required", set: func(c *aws.Config) { c.Region = "eu-west-1" }},
	{name: "Credentials", effect: actedOn, note: "required", set: func(c *aws.Config) { c.Credentials = credentials("AKIDOTHER", "SECRET", "") }},
	{name: "BearerAuthTokenProvider", effect: nothing, note: "the operation is signed", set: func(c *aws.Config) {
		c.BearerAuthTokenProvider = smithybearer.StaticTokenProvider{Token: smithybearer.Token{Value: "token"}}
	}},
	{name: "HTTPClient", effect: actedOn, note: "a copy that follows no redirect", set: func(c *aws.Config) { c.HTTPClient = failing{"another"} }},
	{name: "EndpointResolver", effect: warnedOf, note: "deprecated; use `BaseEndpoint`", set: func(c *aws.Config) {
		//lint:ignore SA1019 deprecated, and still set
		c.EndpointResolver = aws.EndpointResolverFunc(func(string, string) (aws.Endpoint, error) { return resolved, nil })
	}},
	{name: "EndpointResolverWithOptions", effect: warnedOf, note: "deprecated; use `BaseEndpoint`", set: func(c *aws.Config) {
		//lint:ignore SA1019 deprecated, and still set
		c.EndpointResolverWithOptions = aws.EndpointResolverWithOptionsFunc(func(string, string, ...any) (aws.Endpoint, error) { return resolved, nil })
	}},
	{name: "RetryMaxAttempts", effect: actedOn, set: func(c *aws.Config) { c.RetryMaxAttempts = 5 }},
	{name: "RetryMode", effect: actedOn, set: func(c *aws.Config) { c.RetryMode = aws.RetryModeAdaptive }},
	{name: "Retryer", effect: actedOn, note: "beats `RetryMode`", set: func(c *aws.Config) {
		c.Retryer = func() aws.Retryer { return retry.AddWithMaxAttempts(retry.NewStandard(), 2) }
	}},
	{name: "ConfigSources", effect: actedOn, note: "FIPS, dual-stack, endpoint URLs", set: func(c *aws.Config) {
		c.ConfigSources = []any{config.LoadOptions{UseFIPSEndpoint: aws.FIPSEndpointStateEnabled}}
	}},
	{name: "APIOptions", effect: actedOn, note: "the program's own middleware", set: func(c *aws.Config) {
		c.APIOptions = append(c.APIOptions, smithyhttp.AddHeaderValue("X-Added", "by middleware"))
	}},
	{name: "Logger", effect: actedOn, set: func(c *aws.Config) { c.Logger = logger{name: "another"} },
		beside: func(c *aws.Config) { c.ClientLogMode = aws.LogRequest }},
	{name: "ClientLogMode", effect: actedOn, note: "secrets are left out", set: func(c *aws.Config) { c.ClientLogMode = aws.LogRequest }},
	{name: "DefaultsMode", effect: actedOn, note: "connection timeouts", set: func(c *aws.Config) { c.DefaultsMode = aws.DefaultsModeInRegion }},
	{name: "RuntimeEnvironment", effect: actedOn, note: "for `DefaultsMode` auto", set: func(c *aws.Config) {
		c.RuntimeEnvironment = aws.RuntimeEnvironment{EnvironmentIdentifier: "AWS_Lambda_go", Region: "us-east-1"}
	}, beside: func(c *aws.Config) { c.DefaultsMode = aws.DefaultsModeAuto }},
	{name: "AppID", effect: actedOn, note: "`app/…` in the User-Agent", set: func(c *aws.Config) { c.AppID = "my-app" }},
	{name: "BaseEndpoint", effect: actedOn, set: func(c *aws.Config) { c.BaseEndpoint = aws.String("https://proxy.example.com/quicksight") }},
	{name: "DisableRequestCompression", effect: nothing, note: "there is no body", set: func(c *aws.Config) { c.DisableRequestCompression = true }},
	{name: "RequestMinCompressSizeBytes", effect: nothing, note: "there is no body", set: func(c *aws.Config) { c.RequestMinCompressSizeBytes = 1 }},
	{name: "DisableClockSkewCorrection", effect: actedOn, note: "the official client does not pass it on", but: &clockSkewSwitch,
		set: func(c *aws.Config) { c.DisableClockSkewCorrection = true }},
	{name: "AccountIDEndpointMode", effect: nothing, note: "the service has no such endpoints", set: func(c *aws.Config) { c.AccountIDEndpointMode = aws.AccountIDEndpointModeRequired }},
	{name: "RequestChecksumCalculation", effect: nothing, note: "there is no body", set: func(c *aws.Config) { c.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired }},
	{name: "ResponseChecksumValidation", effect: nothing, note: "the operation has none", set: func(c *aws.Config) { c.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired }},
	{name: "Interceptors", effect: actedOn, note: "of all kinds", set: func(c *aws.Config) {
		c.Interceptors.AddAfterSerialization(headerAdder{})
	}},
	{name: "AuthSchemePreference", effect: warnedOf, note: "a warning if `noAuth` comes before `sigv4`: the official client then does not sign", set: func(c *aws.Config) {
		c.AuthSchemePreference = []string{"noAuth", "sigv4"}
	}},
	{name: "ServiceOptions", effect: actedOn, note: "called with `\"QuickSight\"` and this package's `*Options`", set: func(c *aws.Config) {
		c.ServiceOptions = append(c.ServiceOptions, set("AppID", "of-the-service"))
	}},
	{name: "RestrictFilePermissions", effect: nothing, note: "for credential caches", set: func(c *aws.Config) { c.RestrictFilePermissions = aws.RestrictFilePermissionsUnrestricted }},
}

type headerAdder struct{}

func (headerAdder) AfterSerialization(_ context.Context, in *smithyhttp.InterceptorContext) error {
	in.Request.Header.Set("X-Added", "by an interceptor")
	return nil
}

func TestEveryFieldOfTheConfigIsListed(t *testing.T) {
	var fields, listed []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[aws.Config]()) {
		if field.IsExported() {
			fields = append(fields, field.Name)
		}
	}
	for _, field := range configFields {
		listed = append(listed, field.name)
	}
	assert.ElementsMatch(t, fields, listed, "what does a new field do to this operation?")
}

func TestEveryFieldOfTheConfig(t *testing.T) {
	for _, field := range configFields {
		t.Run(field.name, func(t *testing.T) {
			beside := func(c *aws.Config) {}
			if field.beside != nil {
				beside = field.beside
			}
			officialBefore, oursBefore := observed(t, workingConfig(nil), beside)
			require.Equal(t, officialBefore, oursBefore)
			official, ours := observed(t, workingConfig(nil), func(c *aws.Config) { beside(c); field.set(c) })

			if field.effect == warnedOf {
				assert.Contains(t, ours.Warning, field.name)
				ours.Warning = ""
				assert.NotEqual(t, officialBefore, official)
			}
			assert.Empty(t, ours.Warning)
			assert.Equal(t, field.effect == actedOn, oursBefore != ours, "%+v", ours)
			if field.but != nil {
				assert.NotEqual(t, official, ours, field.but.about)
			} else if field.effect != warnedOf {
				assert.Equal(t, official, ours)
			}
			if field.effect == nothing {
				assert.Equal(t, officialBefore, official)
			}
		})
	}
}

// loaded returns what config.LoadDefaultConfig makes of a shared config file and environment
// variables.
func loaded(t *testing.T, file string, env map[string]string) aws.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
	t.Setenv("AWS_CONFIG_FILE", path)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
	for name, value := range env {
		t.Setenv(name, value)
	}
	cfg, err := config.LoadDefaultConfig(t.Context())
	require.NoError(t, err)
	return cfg
}

func TestEnvironmentAndSharedConfig(t *testing.T) {
	type env = map[string]string
	const (
		region   = "[default]\nregion = eu-west-1\n"
		services = region + "services = s\n[services s]\nquicksight =\n  endpoint_url = https://of-the-service.example\n"
	)
	for name, test := range map[string]struct {
		file string
		env  env
		want string // part of the observation
		but  *difference
	}{
		"nothing but a region":                    {region, nil, "URL:https://quicksight.eu-west-1.amazonaws.com Host:quicksight.eu-west-1.amazonaws.com Scope:eu-west-1/quicksight/aws4_request} AccessKey:AKIDENV", nil},
		"AWS_REGION":                              {region, env{"AWS_REGION": "us-west-2"}, "Scope:us-west-2/", nil},
		"AWS_DEFAULT_REGION":                      {"", env{"AWS_DEFAULT_REGION": "us-west-2"}, "Scope:us-west-2/", nil},
		"AWS_PROFILE":                             {region + "[profile p]\nregion = ap-south-1\n", env{"AWS_PROFILE": "p"}, "Scope:ap-south-1/", nil},
		"keys of a profile":                       {region + "[profile p]\nregion = ap-south-1\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = s\n", env{"AWS_PROFILE": "p", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "AccessKey:AKIDPROFILE", nil},
		"endpoint_url":                            {region + "endpoint_url = https://of-the-profile.example/x\n", nil, "URL:https://of-the-profile.example/x ", nil},
		"AWS_ENDPOINT_URL":                        {region, env{"AWS_ENDPOINT_URL": "http://of-the-environment.example"}, "URL:http://of-the-environment.example ", nil},
		"AWS_ENDPOINT_URL_QUICKSIGHT":             {region, env{"AWS_ENDPOINT_URL_QUICKSIGHT": "https://quick.example"}, "URL:https://quick.example ", nil},
		"AWS_ENDPOINT_URL_S3":                     {region, env{"AWS_ENDPOINT_URL_S3": "https://s3.example"}, "URL:https://quicksight.eu-west-1.amazonaws.com ", nil},
		"both endpoint variables":                 {region, env{"AWS_ENDPOINT_URL_QUICKSIGHT": "https://quick.example", "AWS_ENDPOINT_URL": "https://x.example"}, "URL:https://quick.example ", nil},
		"a services section":                      {services, nil, "URL:https://of-the-service.example ", nil},
		"a services section and a variable":       {services, env{"AWS_ENDPOINT_URL": "https://x.example"}, "URL:https://x.example ", nil},
		"a services section and its variable":     {services, env{"AWS_ENDPOINT_URL_QUICKSIGHT": "https://quick.example"}, "URL:https://quick.example ", nil},
		"a services section of another service":   {region + "services = s\n[services s]\ns3 =\n  endpoint_url = https://s3.example\n", nil, "URL:https://quicksight.eu-west-1.amazonaws.com ", nil},
		"services and endpoint_url of a profile":  {region + "endpoint_url = https://of-the-profile.example\nservices = s\n[services s]\nquicksight =\n  endpoint_url = https://of-the-service.example\n", nil, "URL:https://of-the-service.example ", nil},
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS":     {services, env{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "URL:https://quicksight.eu-west-1.amazonaws.com ", nil},
		"ignored endpoint variables":              {region, env{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_ENDPOINT_URL": "https://x.example", "AWS_ENDPOINT_URL_QUICKSIGHT": "https://quick.example"}, "URL:https://quicksight.eu-west-1.amazonaws.com ", nil},
		"ignore_configured_endpoint_urls":         {services + "[profile p]\nregion = eu-west-1\nignore_configured_endpoint_urls = true\nendpoint_url = https://x.example\n", env{"AWS_PROFILE": "p"}, "URL:https://quicksight.eu-west-1.amazonaws.com ", nil},
		"AWS_USE_FIPS_ENDPOINT":                   {region, env{"AWS_USE_FIPS_ENDPOINT": "true"}, "URL:https://quicksight-fips.eu-west-1.amazonaws.com ", nil},
		"use_fips_endpoint":                       {region + "use_fips_endpoint = true\n", nil, "URL:https://quicksight-fips.eu-west-1.amazonaws.com ", nil},
		"AWS_USE_FIPS_ENDPOINT beats the profile": {region + "use_fips_endpoint = true\n", env{"AWS_USE_FIPS_ENDPOINT": "false"}, "URL:https://quicksight.eu-west-1.amazonaws.com ", nil},
		"AWS_USE_DUALSTACK_ENDPOINT":              {region, env{"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "URL:https://quicksight.eu-west-1.api.aws ", nil},
		"use_dualstack_endpoint":                  {region + "use_dualstack_endpoint = true\n", nil, "URL:https://quicksight.eu-west-1.api.aws ", nil},
		"FIPS and dual-stack":                     {region, env{"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"}, "URL:https://quicksight-fips.eu-west-1.api.aws ", nil},
		"AWS_MAX_ATTEMPTS":                        {region, env{"AWS_MAX_ATTEMPTS": "6"}, "Attempts:6 ", nil},
		"max_attempts":                            {region + "max_attempts = 2\n", nil, "Attempts:2 ", nil},
		"AWS_RETRY_MODE":                          {region, env{"AWS_RETRY_MODE": "adaptive"}, "Attempts:3 Retryer:*retry.AdaptiveMode ", nil},
		"retry_mode and max_attempts":             {region + "retry_mode = adaptive\nmax_attempts = 4\n", nil, "Attempts:4 ", nil},
		"AWS_SDK_UA_APP_ID":                       {region, env{"AWS_SDK_UA_APP_ID": "env-app"}, "AppID:env-app ", nil},
		"sdk_ua_app_id":                           {region + "sdk_ua_app_id = file-app\n", nil, "AppID:file-app ", nil},
		"AWS_DEFAULTS_MODE":                       {region, env{"AWS_DEFAULTS_MODE": "in-region"}, "ConnectTimeout:1.1s ", nil},
		"defaults_mode":                           {region + "defaults_mode = cross-region\n", nil, "ConnectTimeout:3.1s ", nil},
		"AWS_DEFAULTS_MODE auto in Lambda":        {region, env{"AWS_DEFAULTS_MODE": "auto", "AWS_EXECUTION_ENV": "AWS_Lambda_go1.x", "AWS_REGION": "eu-west-1"}, "ConnectTimeout:1.1s ", nil},
		"AWS_DISABLE_CLOCK_SKEW_CORRECTION":       {region, env{"AWS_DISABLE_CLOCK_SKEW_CORRECTION": "true"}, "FollowsSkew:false ", &clockSkewSwitch},
		"AWS_DISABLE_REQUEST_COMPRESSION":         {region, env{"AWS_DISABLE_REQUEST_COMPRESSION": "true"}, "Attempts:3 ", nil},
		"AWS_ACCOUNT_ID_ENDPOINT_MODE":            {region, env{"AWS_ACCOUNT_ID_ENDPOINT_MODE": "required"}, "URL:https://quicksight.eu-west-1.amazonaws.com ", nil},
		"AWS_AUTH_SCHEME_PREFERENCE":              {region, env{"AWS_AUTH_SCHEME_PREFERENCE": "sigv4a,sigv4"}, "Scope:eu-west-1/quicksight/aws4_request", nil},
	} {
		t.Run(name, func(t *testing.T) {
			official, ours := observed(t, loaded(t, test.file, test.env), func(*aws.Config) {})
			if test.but != nil {
				assert.NotEqual(t, official, ours, test.but.about)
			} else {
				assert.Equal(t, official, ours)
			}
			assert.Contains(t, fmt.Sprintf("%+v", ours), test.want)
		})
	}
}

// TestDefaultsModes checks each mode's timeout of making a connection: the deadline of the dialer.
func TestDefaultsModes(t *testing.T) {
	server := embedtest.NewServer()
	t.Cleanup(server.Close)
	for mode, want := range map[aws.DefaultsMode]time.Duration{
		"":                          30 * time.Second,
		aws.DefaultsModeLegacy:      30 * time.Second,
		aws.DefaultsModeStandard:    3100 * time.Millisecond,
		aws.DefaultsModeInRegion:    1100 * time.Millisecond,
		aws.DefaultsModeCrossRegion: 3100 * time.Millisecond,
		aws.DefaultsModeMobile:      30 * time.Second,
		aws.DefaultsModeAuto:        3100 * time.Millisecond,
	} {
		for _, peer := range peers {
			t.Run(fmt.Sprintf("%s, mode %q", peer.name, mode), func(t *testing.T) {
				var given time.Duration
				cfg := server.Config()
				cfg.DefaultsMode = mode
				cfg.HTTPClient = awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) {
					d.ControlContext = func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
						deadline, _ := ctx.Deadline()
						given = time.Until(deadline)
						return nil
					}
				})
				require.Empty(t, peer.ask(t.Context(), cfg, janes()).Text)
				assert.LessOrEqual(t, given, want)
				assert.Greater(t, given, want-time.Second, "less what has passed since")
			})
		}
	}
}

func TestCABundle(t *testing.T) {
	server := embedtest.NewTLSServer()
	t.Cleanup(server.Close)
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	for name, test := range map[string]struct {
		env  map[string]string
		file string
		want string
	}{
		"AWS_CA_BUNDLE": {map[string]string{"AWS_CA_BUNDLE": bundle}, "", ""},
		"ca_bundle":     {nil, "ca_bundle = " + bundle + "\n", ""},
		"no bundle":     {nil, "", "certificate signed by unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			env := maps.Clone(test.env)
			if env == nil {
				env = map[string]string{}
			}
			env["AWS_ENDPOINT_URL"] = server.URL
			cfg := loaded(t, "[default]\nregion = us-east-1\n"+test.file, env)
			cfg.Credentials, cfg.Retryer = server.Config().Credentials, once
			official, ours := askOfficial(t.Context(), cfg, janes()), askOurs(t.Context(), cfg, janes())
			assert.Equal(t, official.Layers, ours.Layers)
			for _, o := range []outcome{official, ours} {
				assert.Contains(t, o.Text, test.want)
				assert.Equal(t, test.want == "", o.EmbedUrl != nil)
			}
		})
	}
}

// TestOptionsAreTheSame compares the Options of both clients for the same configuration, field by
// field.
func TestOptionsAreTheSame(t *testing.T) {
	for name, cfg := range map[string]aws.Config{
		"the zero config": {},
		"all that is plain": {
			Region: "eu-west-1", AppID: "app", BaseEndpoint: aws.String("https://x.example"), ClientLogMode: aws.LogRetries, DefaultsMode: aws.DefaultsModeMobile,
			RetryMaxAttempts: 7, RetryMode: aws.RetryModeAdaptive, RuntimeEnvironment: aws.RuntimeEnvironment{Region: "eu-west-1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			official := reflect.ValueOf(quicksight.NewFromConfig(cfg).Options())
			ours := reflect.ValueOf(quicksightembed.NewFromConfig(cfg).Options())
			compared := 0
			for _, field := range reflect.VisibleFields(ours.Type()) {
				theirs, mine := official.FieldByName(field.Name), ours.FieldByIndex(field.Index)
				kind := reflect.Indirect(mine).Kind()
				if theirs.IsValid() && kind != reflect.Interface && kind != reflect.Invalid && field.Name != "EndpointOptions" {
					assert.Equal(t, theirs.Interface(), mine.Interface(), field.Name)
					compared++
				}
			}
			assert.GreaterOrEqual(t, compared, 7)
		})
	}
}
