package embedtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	account = "111122223333"
	jane    = "arn:aws:quicksight:us-east-1:111122223333:user/default/jane"
	bob     = "arn:aws:quicksight:us-east-1:111122223333:user/default/bob"
)

var ctx = context.Background()

func janesInput() *quicksightembed.GetSessionEmbedUrlInput {
	return &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account), UserArn: aws.String(jane)}
}

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newServer(t *testing.T, optFns ...func(*embedtest.Options)) *embedtest.Server {
	t.Helper()
	return embedtest.New(t, optFns...)
}

// issue asks the server for a URL.
func issue(t *testing.T, server *embedtest.Server, in *quicksightembed.GetSessionEmbedUrlInput) string {
	t.Helper()
	out, err := quicksightembed.NewFromConfig(server.Config()).GetSessionEmbedUrl(ctx, in)
	require.NoError(t, err)
	return *out.EmbedUrl
}

// open opens a URL and returns the reply and the page.
func open(t *testing.T, server *embedtest.Server, method, url string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	require.NoError(t, err)
	return do(t, server.Client(), req)
}

// askOnce asks for Jane's URL in one attempt, and returns the raw reply.
func askOnce(t *testing.T, server *embedtest.Server, client aws.HTTPClient) (*http.Response, string) {
	t.Helper()
	req, err := quicksightembed.NewFromConfig(server.Config()).SignGetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	return do(t, client, req)
}

func do(t *testing.T, client aws.HTTPClient, req *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func TestURLsAreOfQuickSightsForm(t *testing.T) {
	server := newServer(t)
	for entryPoint, path := range map[string]string{"": "start", "/start/analyses": "start/analyses", "/dashboards/abc": "dashboards/abc"} {
		in := janesInput()
		if entryPoint != "" {
			in.EntryPoint = &entryPoint
		}
		url := issue(t, server, in)
		assert.Regexp(t, "^"+server.URL+"/embedding/[0-9a-f]{32}/"+path+`\?code=[\w-]{854}%3D%3D&identityprovider=quicksight&isauthcode=true$`, url)
		assert.Greater(t, len(url), 900, "as AWS says")
	}
}

func TestURLOpensOnce(t *testing.T) {
	server := newServer(t)
	in := janesInput()
	in.EntryPoint = aws.String("/dashboards/abc")
	url := issue(t, server, in)

	resp, _ := open(t, server, http.MethodHead, url)
	assert.Equal(t, 200, resp.StatusCode, "to look does not use it up")
	assert.Empty(t, resp.Cookies(), "nor does it open the session")
	resp, page := open(t, server, http.MethodGet, url+"&punyCodeEmbedOrigin=https%3A%2F%2Fapp.example.com%2F-&sdkVersion=2")
	assert.Equal(t, 200, resp.StatusCode)
	assert.Contains(t, page, "/dashboards/abc")
	assert.Contains(t, page, jane)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		resp, _ = open(t, server, method, url)
		assert.Equal(t, 410, resp.StatusCode)
	}
	assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	_, page = open(t, server, http.MethodGet, url)
	assert.Contains(t, page, "This URL was used")
}

func TestURLExpiresAfter5Minutes(t *testing.T) {
	clock := &clock{now: time.Now()}
	server := newServer(t, func(o *embedtest.Options) { o.Now = clock.Now })
	inTime, late := issue(t, server, janesInput()), issue(t, server, janesInput())
	clock.Advance(5 * time.Minute)
	resp, _ := open(t, server, http.MethodGet, inTime)
	assert.Equal(t, 200, resp.StatusCode)
	clock.Advance(time.Second)
	resp, page := open(t, server, http.MethodGet, late)
	assert.Equal(t, 410, resp.StatusCode)
	assert.Contains(t, page, "This URL has expired")
}

func TestSessionLastsAsLongAsAskedFor(t *testing.T) {
	clock := &clock{now: time.Now().Truncate(time.Second)}
	server := newServer(t, func(o *embedtest.Options) { o.Now = clock.Now })
	for minutes, in := range map[time.Duration]*quicksightembed.GetSessionEmbedUrlInput{
		600: janesInput(),
		15:  {AwsAccountId: aws.String(account), SessionLifetimeInMinutes: aws.Int64(15)},
	} {
		_, page := open(t, server, http.MethodGet, issue(t, server, in))
		assert.Contains(t, page, clock.Now().Add(minutes*time.Minute).UTC().Format(time.RFC3339))
	}
}

func TestURLsThatWereNotIssued(t *testing.T) {
	server := newServer(t)
	issued := issue(t, server, janesInput())
	for name, url := range map[string]string{
		"another code":        strings.Replace(issued, "code=", "code=0", 1),
		"no code":             strings.Split(issued, "?")[0],
		"another entry point": strings.Replace(issued, "/start?", "/start/analyses?", 1),
		"another id":          strings.Replace(issued, "/embedding/", "/embedding/0", 1),
		"nothing":             server.URL + "/embedding/",
	} {
		t.Run(name, func(t *testing.T) {
			resp, page := open(t, server, http.MethodGet, url)
			assert.Equal(t, 404, resp.StatusCode)
			assert.Contains(t, page, "This URL was not issued here.")
		})
	}
	resp, _ := open(t, server, http.MethodPost, issued)
	assert.Equal(t, 405, resp.StatusCode)
	resp, _ = open(t, server, http.MethodGet, issued)
	assert.Equal(t, 200, resp.StatusCode, "none of this used it up")
}

func TestPageShowsUserSafely(t *testing.T) {
	server := newServer(t)
	in := janesInput()
	in.UserArn = aws.String(jane + "<script>alert(1)</script>")
	_, page := open(t, server, http.MethodGet, issue(t, server, in))
	assert.Contains(t, page, "jane&lt;script&gt;")
}

func TestOnlyAllowedDomainsMayFrameThePage(t *testing.T) {
	server := newServer(t)
	resp, _ := open(t, server, http.MethodGet, issue(t, server, janesInput()))
	assert.Equal(t, "frame-ancestors 'none'", resp.Header.Get("Content-Security-Policy"))
	server = newServer(t, func(o *embedtest.Options) {
		o.AllowedDomains = []string{"https://app.example.com", "https://*.example.org"}
	})
	resp, _ = open(t, server, http.MethodGet, issue(t, server, janesInput()))
	assert.Equal(t, "frame-ancestors https://app.example.com https://*.example.org", resp.Header.Get("Content-Security-Policy"))
}

func TestOnlyKnownUsersGetURLsWhereUsersAreTold(t *testing.T) {
	server := newServer(t, func(o *embedtest.Options) { o.Users = []string{jane} })
	client := quicksightembed.NewFromConfig(server.Config())
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	assert.NoError(t, err)
	_, err = client.GetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account), UserArn: aws.String(bob)})
	var notFound *quicksightembed.QuickSightUserNotFoundException
	require.ErrorAs(t, err, &notFound)
	assert.Equal(t, "the user "+bob+" is not registered", notFound.ErrorMessage())
	assert.Equal(t, *notFound.RequestId, server.Requests()[1].RequestId)
}

func TestNobodyIsRegisteredWhereTheListIsEmpty(t *testing.T) {
	server := newServer(t, func(o *embedtest.Options) { o.Users = []string{} })
	_, err := quicksightembed.NewFromConfig(server.Config()).GetSessionEmbedUrl(ctx, janesInput())
	var notFound *quicksightembed.QuickSightUserNotFoundException
	assert.ErrorAs(t, err, &notFound)
}

func TestClientFollowsAClockThatIsOff(t *testing.T) {
	server := newServer(t, func(o *embedtest.Options) { o.Now = func() time.Time { return time.Now().Add(time.Hour) } })
	client := quicksightembed.NewFromConfig(server.Config())
	for range 2 {
		_, err := client.GetSessionEmbedUrl(ctx, janesInput())
		require.NoError(t, err)
	}
	require.Len(t, server.Requests(), 3)
	assert.Equal(t, "InvalidSignatureException", server.Requests()[0].Code)
}

func TestSignatureOfAnotherIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*quicksightembed.Options)
		code   string
	}{
		"another secret": {func(o *quicksightembed.Options) {
			o.Credentials = provider{aws.Credentials{AccessKeyID: "AKIAKNOWN", SecretAccessKey: "guessed-by-nobody"}}
		}, "InvalidSignatureException"},
		"another key": {func(o *quicksightembed.Options) {
			o.Credentials = provider{aws.Credentials{AccessKeyID: "AKIAOTHER", SecretAccessKey: "guessed-by-nobody"}}
		}, "UnrecognizedClientException"},
		"another server's keys": {func(o *quicksightembed.Options) { o.Credentials = newServer(t).Config().Credentials }, "UnrecognizedClientException"},
		"another region":        {func(o *quicksightembed.Options) { o.Region = "eu-west-1" }, "InvalidSignatureException"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, func(o *embedtest.Options) { o.Credentials.AccessKeyID = "AKIAKNOWN" })
			_, err := quicksightembed.NewFromConfig(server.Config()).GetSessionEmbedUrl(ctx, janesInput(), test.change)
			var apiErr smithy.APIError
			require.ErrorAs(t, err, &apiErr)
			assert.Equal(t, test.code, apiErr.ErrorCode())
			require.Len(t, server.Requests(), 1)
			assert.Equal(t, 403, server.Requests()[0].Status)
			assert.Equal(t, test.code, server.Requests()[0].Code)
		})
	}
}

// send signs a request that the client would not send, and returns the status, error code and
// message of the reply.
func send(t *testing.T, server *embedtest.Server, method, target string) (status int, code, message string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, server.URL+target, nil)
	require.NoError(t, err)
	credentials, err := server.Config().Credentials.Retrieve(ctx)
	require.NoError(t, err)
	emptySHA256 := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	require.NoError(t, v4.NewSigner().SignHTTP(ctx, credentials, req, emptySHA256, "quicksight", "us-east-1", time.Now()))
	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var body struct{ Message string }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&body))
	return resp.StatusCode, resp.Header.Get("X-Amzn-ErrorType"), body.Message
}

func TestServiceAppliesItsRules(t *testing.T) {
	const path = "/accounts/111122223333/session-embed-url"
	for name, test := range map[string]struct {
		method, target string
		status         int
		code, message  string
	}{
		"another account":           {"GET", "/accounts/999988887777/session-embed-url", 401, "AccessDeniedException", "the credentials are not allowed quicksight:GetSessionEmbedUrl in account 999988887777: they are of account 111122223333"},
		"an account that is none":   {"GET", "/accounts/1/session-embed-url", 400, "InvalidParameterValueException", `AwsAccountId "1" must be 12 digits`},
		"an entry point of no form": {"GET", path + "?entry-point=%2F", 400, "InvalidParameterValueException", `EntryPoint "/" must be /start, /start/analyses, /start/dashboards, /start/favorites, /dashboards/{id} or /analyses/{id}, where id is 1 to 512 letters, digits, _ or -`},
		"an empty entry point":      {"GET", path + "?entry-point=", 400, "InvalidParameterValueException", `EntryPoint "" must be /start, /start/analyses, /start/dashboards, /start/favorites, /dashboards/{id} or /analyses/{id}, where id is 1 to 512 letters, digits, _ or -`},
		"a short session":           {"GET", path + "?session-lifetime=14", 400, "SessionLifetimeInMinutesInvalidException", `SessionLifetimeInMinutes "14" must be 15 to 600 minutes`},
		"a session beyond numbers":  {"GET", path + "?session-lifetime=99999999999999999999", 400, "SessionLifetimeInMinutesInvalidException", `SessionLifetimeInMinutes "9223372036854775807" must be 15 to 600 minutes`},
		"a session of no length":    {"GET", path + "?session-lifetime=1h", 400, "InvalidParameterValueException", `session-lifetime "1h" is not a number of minutes`},
		"an ARN without a region":   {"GET", path + "?user-arn=arn%3Aaws%3Aquicksight%3A111122223333%3Auser%2Fdefault%2Fjane", 400, "InvalidParameterValueException", `UserArn "arn:aws:quicksight:111122223333:user/default/jane" has no region: it must be arn:{partition}:quicksight:{region}:{account}:user/{namespace}/{user name}`},
		"a parameter twice":         {"GET", path + "?session-lifetime=15&session-lifetime=16", 400, "InvalidParameterValueException", "session-lifetime is given 2 times"},
		"another method":            {"DELETE", path, 404, "UnknownOperationException", "DELETE " + path + " is not GetSessionEmbedUrl, the only operation here"},
		"another operation":         {"GET", "/accounts/111122223333/users", 404, "UnknownOperationException", "GET /accounts/111122223333/users is not GetSessionEmbedUrl, the only operation here"},
		"an unknown parameter":      {"GET", path + "?x=y", 200, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t)
			status, code, message := send(t, server, test.method, test.target)
			assert.Equal(t, test.status, status)
			assert.Equal(t, test.code, code)
			assert.Equal(t, test.message, message)
		})
	}
}

func TestUnsignedRequestIsRefused(t *testing.T) {
	server := newServer(t)
	resp, body := open(t, server, http.MethodGet, server.URL+"/accounts/111122223333/session-embed-url")
	assert.Equal(t, 403, resp.StatusCode)
	assert.Equal(t, "MissingAuthenticationTokenException", resp.Header.Get("X-Amzn-ErrorType"))
	assert.NotContains(t, body, "EmbedUrl")
}

func TestHeaderIsBounded(t *testing.T) {
	server := newServer(t)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	req.Header.Set("X-Long", strings.Repeat("x", 32<<10))
	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, 431, resp.StatusCode)
	assert.Empty(t, server.Requests())
}

func TestRequestsAreCopies(t *testing.T) {
	server := newServer(t)
	issue(t, server, janesInput())
	server.Requests()[0].Header.Set("Authorization", "changed")
	assert.NotEqual(t, "changed", server.Requests()[0].Header.Get("Authorization"))
}

func TestIconIsNotARequestToTheAPI(t *testing.T) {
	server := newServer(t)
	resp, _ := open(t, server, http.MethodGet, server.URL+"/favicon.ico")
	assert.Equal(t, 204, resp.StatusCode)
	assert.Empty(t, server.Requests())
}

func TestReplyIsOfTheServicesForm(t *testing.T) {
	server := newServer(t)
	_, body := askOnce(t, server, server.Client())
	assert.Regexp(t, `^{"EmbedUrl":"`+server.URL+`/embedding/\w+/start\?code=[\w%-]+&identityprovider=quicksight&isauthcode=true","RequestId":"[0-9a-f-]{36}"}\n$`, body)
}

func TestBodyIsBounded(t *testing.T) {
	server := newServer(t)
	resp, err := server.Client().Post(server.URL+"/", "text/plain", strings.NewReader(strings.Repeat("x", 65<<10)))
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, 413, resp.StatusCode)
}

func TestRequestsKeepsTheLast1000(t *testing.T) {
	server := newServer(t)
	for i := range 1002 {
		open(t, server, http.MethodGet, fmt.Sprint(server.URL, "/", i))
	}
	requests := server.Requests()
	require.Len(t, requests, 1000)
	assert.Equal(t, "/2", requests[0].URI)
	assert.Equal(t, "/1001", requests[999].URI)
}

func TestTLSServer(t *testing.T) {
	server := embedtest.NewTLSServer(nil)
	defer server.Close()
	embedURL, err := url.Parse(issue(t, server, janesInput()))
	require.NoError(t, err)
	assert.Equal(t, "https", embedURL.Scheme)
	resp, _ := open(t, server, http.MethodGet, embedURL.String())
	assert.Equal(t, 200, resp.StatusCode)
}
