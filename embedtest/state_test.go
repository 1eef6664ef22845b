package embedtest_test

import (
	"context"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

func TestStateCallsForExceptions(t *testing.T) {
	type input = quicksightembed.GetSessionEmbedUrlInput
	for name, test := range map[string]struct {
		options func(*embedtest.Options)
		input   input
		code    string
		says    string
	}{
		"an Enterprise edition":       {func(o *embedtest.Options) { o.Edition = embedtest.EditionEnterpriseAndQ }, input{}, "", ""},
		"a Standard edition":          {func(o *embedtest.Options) { o.Edition = embedtest.EditionStandard }, input{}, "UnsupportedUserEditionException", "the edition STANDARD has no GetSessionEmbedUrl"},
		"no subscription":             {func(o *embedtest.Options) { o.Edition = embedtest.EditionNone }, input{}, "ResourceNotFoundException", "has no QuickSight subscription"},
		"another account":             {func(o *embedtest.Options) { o.AwsAccountId = "999988887777" }, input{}, "AccessDeniedException", ""},
		"a dashboard that exists":     {func(o *embedtest.Options) { o.Dashboards = []string{"d"} }, input{EntryPoint: aws.String("/dashboards/d")}, "", ""},
		"a dashboard that does not":   {func(o *embedtest.Options) { o.Dashboards = []string{"d"} }, input{EntryPoint: aws.String("/dashboards/e")}, "ResourceNotFoundException", "the dashboard e does not exist"},
		"the list of dashboards":      {func(o *embedtest.Options) { o.Dashboards = []string{} }, input{EntryPoint: aws.String("/start/dashboards")}, "", ""},
		"an analysis that exists":     {func(o *embedtest.Options) { o.Analyses = []string{"a"} }, input{EntryPoint: aws.String("/analyses/a")}, "", ""},
		"an analysis that does not":   {func(o *embedtest.Options) { o.Analyses = []string{} }, input{EntryPoint: aws.String("/analyses/a")}, "ResourceNotFoundException", "the analysis a does not exist"},
		"an analysis where all exist": {func(*embedtest.Options) {}, input{EntryPoint: aws.String("/analyses/a")}, "", ""},
		"an identity that is nobody":  {func(o *embedtest.Options) { o.Users = []string{jane} }, input{}, "QuickSightUserNotFoundException", "the identity that signed is not a QuickSight user"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, test.options)
			test.input.AwsAccountId = aws.String(account)
			_, err := newClient(server).GetSessionEmbedUrl(ctx, &test.input)
			if test.code == "" {
				assert.NoError(t, err)
				return
			}
			var apiErr smithy.APIError
			require.ErrorAs(t, err, &apiErr)
			assert.Equal(t, test.code, apiErr.ErrorCode())
			assert.Contains(t, apiErr.ErrorMessage(), test.says)
		})
	}
}

func TestRoleSessionsAreToldApart(t *testing.T) {
	const janesRole, bobsRole = "arn:aws:quicksight:us-east-1:111122223333:user/default/embed/jane", "arn:aws:quicksight:us-east-1:111122223333:user/default/embed/bob"
	janes := aws.Credentials{AccessKeyID: "ASIAJANE", SecretAccessKey: "janes-access-key", SessionToken: "tj"}
	bobs := aws.Credentials{AccessKeyID: "ASIABOB", SecretAccessKey: "bobs-access-key", SessionToken: "tb"}
	stale := aws.Credentials{AccessKeyID: "ASIASTALE", SecretAccessKey: "stale-access-key", SessionToken: "ts", CanExpire: true, Expires: time.Now().Add(-time.Minute)}
	server := newServer(t, func(o *embedtest.Options) {
		o.Users = []string{janesRole}
		o.Identities = []embedtest.Identity{{janes, janesRole}, {bobs, bobsRole}, {stale, janesRole}}
	})
	ask := func(credentials aws.Credentials) error {
		_, err := newClient(server).GetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)}, func(o *quicksightembed.Options) {
			o.Credentials = provider{credentials}
		})
		return err
	}
	assert.NoError(t, ask(janes))
	assert.Equal(t, janesRole, server.Requests()[0].UserArn)
	assert.Equal(t, "ASIAJANE", server.Requests()[0].AccessKeyId)
	assert.ErrorContains(t, ask(bobs), "the user "+bobsRole+" is not registered")
	assert.ErrorContains(t, ask(stale), "ExpiredTokenException")
	janes.SessionToken = bobs.SessionToken
	assert.ErrorContains(t, ask(janes), "the session token is not that of the access key")
}

type provider struct{ credentials aws.Credentials }

func (p provider) Retrieve(context.Context) (aws.Credentials, error) { return p.credentials, nil }

func TestUserWhoRegisters(t *testing.T) {
	server := newServer(t, func(o *embedtest.Options) { o.Users, o.UserArn = []string{}, jane })
	ask := func() error {
		_, err := newClient(server).GetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)})
		return err
	}
	assert.ErrorContains(t, ask(), "the user "+jane+" is not registered")
	server.RegisterUser(jane)
	assert.NoError(t, ask())
}

func TestRegisteringSomeoneLeavesEveryoneRegistered(t *testing.T) {
	server := newServer(t)
	server.RegisterUser(bob)
	_, err := newClient(server).GetSessionEmbedUrl(ctx, janesInput())
	assert.NoError(t, err)
}

func TestIdentitiesThatWouldLetAnybodyIn(t *testing.T) {
	for name, identities := range map[string][]embedtest.Identity{
		"no keys":   {{UserArn: jane}},
		"no secret": {{Credentials: aws.Credentials{AccessKeyID: "A"}}},
		"two alike": {{Credentials: aws.Credentials{AccessKeyID: "A", SecretAccessKey: "s"}}, {Credentials: aws.Credentials{AccessKeyID: "A", SecretAccessKey: "t"}}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Panics(t, func() { embedtest.NewServer(func(o *embedtest.Options) { o.Identities = identities }) })
		})
	}
}

func TestCertificateIsItsOwn(t *testing.T) {
	one, two := embedtest.NewTLSServer(), embedtest.NewTLSServer()
	defer one.Close()
	defer two.Close()
	assert.False(t, one.Certificate().IsCA)
	assert.NotEqual(t, one.Certificate().Raw, two.Certificate().Raw)
	assert.NoError(t, one.Certificate().VerifyHostname("localhost"))
	assert.NoError(t, one.Certificate().VerifyHostname("127.0.0.1"))
	_, err := two.Client().Get(one.URL)
	assert.ErrorContains(t, err, "certificate")
	assert.Nil(t, newServer(t).Certificate())
}

func TestServerOnEveryAddress(t *testing.T) {
	listener, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	server := newServer(t, func(o *embedtest.Options) { o.Listener = listener })
	assert.Regexp(t, `^http://localhost:\d+$`, server.URL)
	assert.True(t, strings.HasPrefix(issue(t, server, janesInput()), server.URL+"/embedding/"))
}

func TestEnvelope(t *testing.T) {
	server := newServer(t, func(o *embedtest.Options) { o.Envelope = true })
	out, err := newClient(server).GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.NotEmpty(t, *out.Id)
	assert.WithinDuration(t, time.Now(), *out.CreatedAt, time.Minute)
	assert.Equal(t, server.Requests()[0].RequestId, *out.RequestId)
	resp, _ := open(t, server, http.MethodGet, *out.EmbedUrl)
	assert.Equal(t, 200, resp.StatusCode)

	server.Inject(embedtest.Status(502), embedtest.Fail("ThrottlingException"))
	for status, want := range []string{`{"RequestId":`, `{"error":{"RequestId":`} {
		_, body := askOnce(t, server, server.Client())
		assert.True(t, strings.HasPrefix(body, want), "%d: %s", status, body)
	}
}

func TestSessionStaysOpenForTheBrowserThatOpenedIt(t *testing.T) {
	server := embedtest.NewTLSServer()
	defer server.Close()
	in := janesInput()
	in.SessionLifetimeInMinutes = aws.Int64(15)
	url := issue(t, server, in)
	page, _, _ := strings.Cut(url, "?")

	resp, _ := open(t, server, http.MethodGet, page)
	assert.Equal(t, 404, resp.StatusCode, "without the code")

	browser := server.Client()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser.Jar = jar
	resp, body := open(t, server, http.MethodGet, url)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Contains(t, body, "<dt>Time left<dd>15m0s")
	cookie := resp.Cookies()[0]
	assert.True(t, cookie.HttpOnly && cookie.Secure)
	assert.True(t, strings.HasSuffix(page, cookie.Path), "it is for this session alone")
	assert.Equal(t, "no-referrer", resp.Header.Get("Referrer-Policy"))
	assert.Equal(t, http.SameSiteNoneMode, cookie.SameSite)

	server.Advance(14 * time.Minute)
	resp, body = open(t, server, http.MethodGet, page)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Contains(t, body, "<dt>Time left<dd>1m0s")
	resp, _ = open(t, server, http.MethodGet, url)
	assert.Equal(t, 410, resp.StatusCode, "the URL is used, in that browser too")

	server.Advance(time.Minute)
	resp, body = open(t, server, http.MethodGet, page)
	assert.Equal(t, 410, resp.StatusCode)
	assert.Contains(t, body, "This session has ended.")
}

func TestListenerAndOnRequest(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	seen := make(chan embedtest.Request, 1)
	server := newServer(t, func(o *embedtest.Options) {
		o.Listener = listener
		o.OnRequest = func(r embedtest.Request) { seen <- r }
	})
	assert.Equal(t, "http://"+listener.Addr().String(), server.URL)
	issue(t, server, janesInput())
	assert.Equal(t, 200, (<-seen).Status)
}

func TestRequestIsPrintedInOneLineWithoutSecrets(t *testing.T) {
	server := newServer(t)
	server.Inject(embedtest.Throttle())
	issue(t, server, &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)})
	open(t, server, http.MethodGet, server.URL+"/x")
	requests := server.Requests()
	assert.Equal(t, "GET /accounts/111122223333/session-embed-url: 429 fault Throttle, ThrottlingException", requests[0].String())
	assert.Equal(t, "GET /accounts/111122223333/session-embed-url: 200 issued a URL", requests[1].String())
	assert.Equal(t, "GET /x: 403 MissingAuthenticationTokenException: the request is not signed: it has no Authorization header", requests[2].String())
}
