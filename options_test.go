package quicksightembed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
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

// TestNilPointerOfCredentials never falls back on those of the client: they are another identity's.
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
		`Options.Region is required, such as us-east-1; Options.RetryMaxAttempts "-1" must be 1 or more, or 0 for the Retryer's own`)
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

// valueCredentials is a provider that fmt prints by its fields, as
// credentials.StaticCredentialsProvider is.
type valueCredentials struct{ Value aws.Credentials }

func (v valueCredentials) Retrieve(context.Context) (aws.Credentials, error) { return v.Value, nil }

// TestNilRetryerWithABound has a retryer that is none, so the bound is one of the default retryer.
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
