package quicksightembed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

// realToken is as long as those of AWS, and has all of Base64.
var realToken = "FwoGZXIvYXdzEBYaDH+/" + strings.Repeat("aGVsbG8gd29ybGQ/+", 40) + "=="

// clientOf returns a client whose HTTP client is the function, which has credentials with the
// token.
func clientOf(token string, do func(*http.Request) (*http.Response, error), optFns ...func(*quicksightembed.Options)) *quicksightembed.Client {
	if do == nil {
		do = func(*http.Request) (*http.Response, error) { return nil, errors.New("nothing should be sent") }
	}
	return quicksightembed.New(quicksightembed.Options{
		Region: "us-east-1", Credentials: staticCredentials("AKID", secretKey, token),
		HTTPClient: smithyhttp.ClientDoFunc(do), Retryer: withoutDelay(),
	}, optFns...)
}

func replyOf(code int, body string, header ...string) *http.Response {
	resp := &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

// quotingError is an error of an HTTP client that quotes the request's headers around another
// error.
type quotingError struct {
	header http.Header
	err    error
}

func (e *quotingError) Error() string { return fmt.Sprintf("%v: %v", e.header, e.err) }
func (e *quotingError) Unwrap() error { return e.err }

func TestHTTPClientsThatQuoteTheRequest(t *testing.T) {
	var signature string
	notFound := &net.DNSError{Err: "no such host", Name: "q.example", IsNotFound: true}
	tries := 0
	client := clientOf(realToken, func(r *http.Request) (*http.Response, error) {
		tries++
		signature = signatureOf(r)
		return nil, &quotingError{r.Header, &url.Error{Op: "Get", URL: r.URL.String(), Err: &net.OpError{Op: "dial", Err: notFound}}}
	})
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	c := &capture{t: t}
	c.err(err)
	c.mustNotShow(realToken, signature, secretKey)
	var dnsErr *net.DNSError
	require.ErrorAs(t, err, &dnsErr, "what the network error is can be found")
	assert.Equal(t, 1, tries, "a host that does not exist is not asked again")
}

func TestHTTPClientsThatBlankTheHeaders(t *testing.T) {
	client := clientOf(realToken, func(r *http.Request) (*http.Response, error) {
		body := `{"code":"InvalidSignatureException","message":"` + r.Header.Get("X-Amz-Security-Token") + ` ` + signatureOf(r) + `"}`
		signed := signatureOf(r)
		clear(r.Header)
		r.Header.Set("Authorization", "none")
		return replyOf(403, body, "X-Signed", signed), nil
	})
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	assert.Equal(t, "REDACTED REDACTED", apiErrorOf(t, err).ErrorMessage())
}

// TestHTTPClientsThatKeepWhatTheyGet is for the race detector.
func TestHTTPClientsThatKeepWhatTheyGet(t *testing.T) {
	for name, optFn := range map[string]func(*quicksightembed.Options){"alone": nil, "in a stack": quicksightembed.WithAPIOptions(noStep)} {
		t.Run(name, func(t *testing.T) {
			done := make(chan struct{})
			client := clientOf(realToken, func(r *http.Request) (*http.Response, error) {
				resp := replyOf(200, nativeReply)
				resp.Request = r
				go func() {
					defer close(done)
					fmt.Fprint(io.Discard, resp.Request.Header, resp.StatusCode)
					clear(r.Header)
					r.URL.Host = "elsewhere.example"
				}()
				return resp, nil
			}, optFn)
			out, err := client.GetSessionEmbedUrl(ctx, janesInput())
			require.NoError(t, err)
			fmt.Fprintf(io.Discard, "%+v", out.ResultMetadata)
			<-done
		})
	}
}

// TestHTTPClientsThatBlankWhatTheyHaveReturned change the request before the next attempt, and the
// reply after the call.
func TestHTTPClientsThatBlankWhatTheyHaveReturned(t *testing.T) {
	var agents []string
	var replies []*http.Response
	client := clientOf(realToken, func(r *http.Request) (*http.Response, error) {
		agents = append(agents, r.UserAgent()+" "+r.Header.Get("Amz-Sdk-Invocation-Id"))
		resp := replyOf(500, `{}`, "X-Amzn-RequestId", "header-id")
		if len(agents) == 2 {
			resp = replyOf(200, nativeReply, "X-Amzn-RequestId", "header-id")
		}
		for _, values := range r.Header {
			values[0] = "blanked"
		}
		r.URL.RawQuery = "blanked"
		replies = append(replies, resp)
		return resp, nil
	})
	out, err := client.GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	for _, resp := range replies {
		clear(resp.Header)
	}
	assert.Equal(t, agents[0], agents[1])
	assert.Contains(t, agents[1], "lib/quicksightembed#")
	raw := awsmiddleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response)
	assert.Equal(t, "header-id", raw.Header.Get("X-Amzn-RequestId"))
	assert.Equal(t, "user-arn=arn%3Aaws%3Aquicksight%3Aus-east-1%3A111122223333%3Auser%2Fdefault%2Fjane", raw.Request.URL.RawQuery)
}

func TestErrorsThatCannotBePrinted(t *testing.T) {
	for name, err := range map[string]error{"a url.Error without a cause": &url.Error{}, "a nil error in an interface": (*url.Error)(nil), "wrapped": fmt.Errorf("%w", &url.Error{Op: "Get"})} {
		t.Run(name, func(t *testing.T) {
			_, got := clientOf("", func(*http.Request) (*http.Response, error) { return nil, err }).GetSessionEmbedUrl(ctx, janesInput())
			require.ErrorAs(t, got, new(*smithyhttp.RequestSendError))
			for layer := got; layer != nil; layer = errors.Unwrap(layer) {
				assert.NotPanics(t, func() { _ = layer.Error() })
			}
		})
	}
}

func TestMessagesAreHiddenAndNothingElse(t *testing.T) {
	piece := realToken[100:140]
	for name, test := range map[string]struct{ token, message, want string }{
		"an apostrophe in a query":    {"", "open https://q.example/start?title=Bob's&code=" + embedCode + " now", "open https://q.example/start?REDACTED now"},
		"a token":                     {realToken, "the token " + realToken + " is old", "the token REDACTED is old"},
		"a token, escaped":            {realToken, "the token " + url.QueryEscape(realToken) + " is old", "the token REDACTED is old"},
		"a token, escaped twice":      {realToken, "the token " + url.QueryEscape(url.QueryEscape(realToken)), "REDACTED"},
		"a token in hexadecimal":      {realToken, "the token " + strings.NewReplacer("+", `\x2b`, "/", `\x2f`).Replace(realToken), "REDACTED"},
		"a token in HTML, twice":      {realToken, "the token " + strings.ReplaceAll(realToken, "+", "&amp;#43;"), "REDACTED"},
		"a token that is cut off":     {realToken, "the token " + piece, "REDACTED"},
		"a short token":               {"test", "this is a test of latest tests", "this is a test of latest tests"},
		"a regular expression":        {realToken, `must match ^(?=.{1,64}$)[a-z]+(?:=x)?$ or /a?b=c/`, `must match ^(?=.{1,64}$)[a-z]+(?:=x)?$ or /a?REDACTED`},
		"a question":                  {realToken, "Is it right? Then a=b.", "Is it right? Then a=b."},
		"code":                        {realToken, "x ? y=1 : z[i?1:2]=3", "x ? y=1 : z[i?1:2]=3"},
		"user info":                   {"", "see https://jane:pa'ss@q.example/", "see https://REDACTED@q.example/"},
		"a URL with slashes for JSON": {"", `{"u":"https:\/\/q.example\/?code=` + embedCode + `"}`, `{"u":"https:\/\/q.example\/?REDACTED"}`},
		"an email address is no URL":  {"", "write to jane@q.example", "write to jane@q.example"},
		"a URL without a query":       {"", "see https://docs.example/x#errors", "see https://docs.example/x#errors"},
	} {
		t.Run(name, func(t *testing.T) {
			quoted, err := json.Marshal(test.message)
			require.NoError(t, err)
			client := clientOf(test.token, func(*http.Request) (*http.Response, error) {
				return replyOf(400, `{"code":"X","message":`+string(quoted)+`}`), nil
			})
			_, err = client.GetSessionEmbedUrl(ctx, janesInput())
			assert.Equal(t, test.want, apiErrorOf(t, err).ErrorMessage())
		})
	}
}

func TestShortTokensDoNotChangeDNSErrors(t *testing.T) {
	tries := 0
	client := clientOf("test", func(r *http.Request) (*http.Response, error) {
		tries++
		return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: &net.DNSError{Err: "no such host", Name: "test.example", IsNotFound: true}}
	})
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	require.ErrorAs(t, err, new(*net.DNSError))
	assert.ErrorContains(t, err, "lookup test.example: no such host")
	assert.Equal(t, 1, tries)
}

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

func TestHTTPClientOfTheOptionsIsTheProgramsOwn(t *testing.T) {
	for _, own := range []quicksightembed.HTTPClient{&http.Client{}, awshttp.NewBuildableClient(), awshttp.NewBuildableClient().Freeze().(*http.Client)} {
		assert.Same(t, own, quicksightembed.New(quicksightembed.Options{HTTPClient: own}).Options().HTTPClient)
		assert.True(t, quicksightembed.New(quicksightembed.Options{}, func(o *quicksightembed.Options) { o.HTTPClient = own }).Options().HTTPClient == own)
	}
	assert.NotPanics(t, func() {
		one, other := quicksightembed.New(quicksightembed.Options{DefaultsMode: "standard"}), quicksightembed.New(quicksightembed.Options{})
		_ = one.Options().HTTPClient == other.Options().HTTPClient
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

// endlessContext reports a deadline, and does not end.
type endlessContext struct{ context.Context }

func (endlessContext) Deadline() (time.Time, bool) { return time.Now(), true }

func TestAttemptTimeoutInAContextThatDoesNotEnd(t *testing.T) {
	tries := 0
	client := clientOf("", func(r *http.Request) (*http.Response, error) {
		tries++
		<-r.Context().Done()
		return nil, r.Context().Err()
	}, func(o *quicksightembed.Options) { o.AttemptTimeout = 10 * time.Millisecond })
	_, err := client.GetSessionEmbedUrl(endlessContext{ctx}, janesInput())
	assert.ErrorContains(t, err, "no complete reply within the attempt timeout of 10ms")
	assert.Equal(t, 3, tries)
}

func TestCredentialsErrorsSayThatTheContextEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(ctx)
	errProvider := errors.New("the token service did not answer")
	client := clientOf("", nil, func(o *quicksightembed.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			cancel()
			return aws.Credentials{}, errProvider
		})
	})
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorIs(t, err, errProvider)
	var credentialsErr *quicksightembed.CredentialsError
	require.ErrorAs(t, err, &credentialsErr)
	assert.EqualError(t, credentialsErr, "get identity: get credentials: the token service did not answer")
}

func TestRedirectsAreWhatTheServerSent(t *testing.T) {
	for name, test := range map[string]struct {
		code     int
		location string
		want     string
	}{
		"301 without Location": {301, "", `(content type "text/html")`},
		"302 without Location": {302, "", `(content type "text/html")`},
		"307 without Location": {307, "", `(content type "text/html")`},
		"302":                  {302, "/login?code=" + embedCode, `(a redirect to "/login?REDACTED", which is not followed)`},
		"200 with a Location":  {200, "https://q.example/", `(content type "text/html")`},
		"503 with a Location":  {503, "https://q.example/", `(content type "text/html")`},
	} {
		t.Run(name, func(t *testing.T) {
			header := []string{"Content-Type", "text/html"}
			if test.location != "" {
				header = append(header, "Location", test.location)
			}
			server := newServer(t, status(test.code, "<html>", header...))
			client := newClient(t, server, func(o *quicksightembed.Options) { o.HTTPClient = awshttp.NewBuildableClient() })
			_, err := client.GetSessionEmbedUrl(ctx, janesInput())
			assert.ErrorContains(t, err, "the reply "+test.want+" cannot be read")
			assert.ErrorContains(t, err, `in "<html>"`)
			assert.NotContains(t, err.Error(), "amazonaws.com/badhttp")
		})
	}
}

func TestBaseEndpointWithABadEscape(t *testing.T) {
	for _, base := range []string{"https://q.example/%zz", "https://q%zz.example"} {
		o := optionsFor("us-east-1", plain)
		o.BaseEndpoint = &base
		_, err := quicksightembed.New(o).GetSessionEmbedUrl(ctx, janesInput())
		assert.Equal(t, "must have two hexadecimal digits after each %, and none in its host", fieldsOf(t, err)[0].Problem)
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

func TestEntryPointsThatPeoplePass(t *testing.T) {
	for value, want := range map[string]string{
		"https://us-east-1.quicksight.aws.amazon.com/sn/dashboards/1a1a":                           "is a URL: give its path alone, /dashboards/1a1a",
		"https://us-east-1.quicksight.aws.amazon.com/sn/dashboards/1a1a/sheets/2b?x=y#z":           "is a URL: give its path alone, /dashboards/1a1a",
		"https://us-east-1.quicksight.aws.amazon.com/sn/analyses/1a1a/":                            "is a URL: give its path alone, /analyses/1a1a",
		"https://us-east-1.quicksight.aws.amazon.com/embedding/abc/start?code=" + embedCode + "&x": "is a URL: give its path alone, /start",
		"https://us-east-1.quicksight.aws.amazon.com/sn/start/favorites":                           "is a URL: give its path alone, /start/favorites",
		"https://us-east-1.quicksight.aws.amazon.com/sn/start/datasets":                            "is a URL: it must be /start, /start/analyses, ",
		"/dashboards/abc?theme=dark":                                                               `has "?theme=dark" too much: give /dashboards/abc alone`,
		"/dashboards/abc#p.x=1":                                                                    `has "#p.x=1" too much: give /dashboards/abc alone`,
		"/start/":                                                                                  `has "/" too much: give /start alone`,
		"/dashboards/abc/sheets/def":                                                               `has "/sheets/def" too much: give /dashboards/abc alone`,
		"/sn/dashboards/abc":                                                                       `has "/sn" too much: give /dashboards/abc alone`,
		"/sn/dashboards/abc/":                                                                      `has more than an entry point: give /dashboards/abc alone`,
		"/embedding/abc/start?code=" + embedCode + "&isauthcode=true":                              `has more than an entry point: give /start alone`,
	} {
		in := janesInput()
		in.EntryPoint = &value
		field := fieldsOf(t, in.Validate())[0]
		assert.True(t, strings.HasPrefix(field.Problem, want), "%s %s", value, field.Problem)
		assert.NotContains(t, field.String(), embedCode)
	}
}

func TestInputValidationCanBeDisabled(t *testing.T) {
	in := janesInput()
	in.EntryPoint, in.SessionLifetimeInMinutes, in.UserArn = aws.String("/q/new page?a=b&c"), aws.Int64(1000), aws.String("jane")
	disable := func(o *quicksightembed.Options) { o.DisableInputValidation = true }
	for _, option := range []func(*quicksightembed.Options){nil, quicksightembed.WithAPIOptions(noStep)} {
		client := clientOf("", nil, option)
		_, err := client.SignGetSessionEmbedUrl(ctx, in)
		assert.Len(t, fieldsOf(t, err), 3)
		req, err := client.SignGetSessionEmbedUrl(ctx, in, disable)
		require.NoError(t, err)
		assert.Equal(t, "entry-point=%2Fq%2Fnew%20page%3Fa%3Db%26c&session-lifetime=1000&user-arn=jane", req.URL.RawQuery)
		_, err = client.SignGetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("../x")}, disable)
		assert.Equal(t, "AwsAccountId", fieldsOf(t, err)[0].Field)
		_, err = client.SignGetSessionEmbedUrl(ctx, in, disable, func(o *quicksightembed.Options) { o.Region = "x.evil" })
		assert.Equal(t, "Options.Region", fieldsOf(t, err)[0].Field)
	}
}

func TestInputIsPrintedWithItsValues(t *testing.T) {
	in := janesInput()
	in.SessionLifetimeInMinutes = aws.Int64(60)
	const want = "{AwsAccountId:111122223333 SessionLifetimeInMinutes:60 UserArn:" + jane + "}"
	assert.Equal(t, want, fmt.Sprintf("%v", in))
	assert.Equal(t, want, fmt.Sprintf("%+v", *in))
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("asking", "in", in)
	assert.Contains(t, log.String(), `"in":{"AwsAccountId":"111122223333","SessionLifetimeInMinutes":60,"UserArn":"`+jane+`"}`)
}

// fixed is a mock of a handler's test.
type fixed struct{ url string }

func (f fixed) GetSessionEmbedUrl(context.Context, *quicksightembed.GetSessionEmbedUrlInput, ...func(*quicksightembed.Options)) (*quicksightembed.GetSessionEmbedUrlOutput, error) {
	return &quicksightembed.GetSessionEmbedUrlOutput{EmbedUrl: &f.url}, nil
}

func TestClientCanBeMocked(t *testing.T) {
	for _, client := range []quicksightembed.GetSessionEmbedUrlAPIClient{fixed{"https://q.example"}, clientOf("", func(*http.Request) (*http.Response, error) { return replyOf(200, nativeReply), nil })} {
		out, err := client.GetSessionEmbedUrl(ctx, janesInput())
		require.NoError(t, err)
		assert.NotEmpty(t, *out.EmbedUrl)
	}
}
