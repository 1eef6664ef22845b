package embedtest_test

import (
	"context"
	"encoding/json"
	"fmt"
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
	for status, want := range []string{`{"message":`, `{"error":{"RequestId":`} {
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
	server.Inject(embedtest.Throttle(), embedtest.Reset())
	issue(t, server, &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)})
	open(t, server, http.MethodGet, server.URL+"/x")
	requests := server.Requests()
	assert.Equal(t, "GET /accounts/111122223333/session-embed-url: 429 fault Throttle, ThrottlingException", requests[0].String())
	assert.Equal(t, "GET /accounts/111122223333/session-embed-url: no reply, fault Reset", requests[1].String())
	assert.Equal(t, "GET /accounts/111122223333/session-embed-url: 200 issued a URL", requests[2].String())
	assert.Equal(t, "GET /x: 403 MissingAuthenticationTokenException: the request is not signed: it has no Authorization header", requests[3].String())
}

func TestUserWhoIsUnregistered(t *testing.T) {
	for name, users := range map[string][]string{"of a list": {jane, bob}, "where everyone is": nil} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, func(o *embedtest.Options) { o.Users = users })
			server.UnregisterUser(jane)
			_, err := newClient(server).GetSessionEmbedUrl(ctx, janesInput())
			assert.ErrorContains(t, err, "the user "+jane+" is not registered")
			_, err = newClient(server).GetSessionEmbedUrl(ctx, inputOf(bob))
			assert.NoError(t, err)
			server.RegisterUser(jane)
			_, err = newClient(server).GetSessionEmbedUrl(ctx, janesInput())
			assert.NoError(t, err)
		})
	}
}

func inputOf(userArn string) *quicksightembed.GetSessionEmbedUrlInput {
	return &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account), UserArn: &userArn}
}

func TestKeyThatIsRevoked(t *testing.T) {
	server := newServer(t)
	credentials, err := server.Config().Credentials.Retrieve(ctx)
	require.NoError(t, err)
	server.RevokeKey(credentials.AccessKeyID)
	_, err = newClient(server).GetSessionEmbedUrl(ctx, janesInput())
	assert.ErrorContains(t, err, "UnrecognizedClientException")
	assert.ErrorContains(t, err, "is not known here, or was revoked")
}

func TestEditionThatChanges(t *testing.T) {
	server := newServer(t)
	server.SetEdition(embedtest.EditionStandard)
	_, err := newClient(server).GetSessionEmbedUrl(ctx, janesInput())
	assert.ErrorContains(t, err, "UnsupportedUserEditionException")
	server.SetEdition(embedtest.EditionNone)
	_, err = newClient(server).GetSessionEmbedUrl(ctx, janesInput())
	var notFound *quicksightembed.ResourceNotFoundException
	require.ErrorAs(t, err, &notFound)
	assert.Equal(t, quicksightembed.ExceptionResourceTypeAccountSettings, notFound.ResourceType)
}

func TestReset(t *testing.T) {
	server := newServer(t, func(o *embedtest.Options) {
		o.Users = []string{jane}
		o.Faults = []embedtest.Fault{embedtest.Throttle()}
	})
	client := newClient(server)
	lasting := issue(t, server, janesInput())
	open(t, server, http.MethodGet, lasting)
	server.RegisterUser(bob)
	server.SetEdition(embedtest.EditionNone)
	server.Advance(time.Hour)
	server.Inject(embedtest.Reset())
	credentials, err := server.Config().Credentials.Retrieve(ctx)
	require.NoError(t, err)
	server.RevokeKey(credentials.AccessKeyID)

	server.Reset()

	assert.Empty(t, server.Requests())
	assert.Zero(t, server.RequestCount())
	assert.Empty(t, server.Openings())
	assert.Equal(t, []embedtest.FaultStatus{{ID: 1, Name: "Throttle", Times: 1}}, server.Faults(), "those of Options")
	resp, _ := open(t, server, http.MethodGet, strings.Split(lasting, "?")[0])
	assert.Equal(t, 404, resp.StatusCode, "URLs are forgotten")
	_, err = client.GetSessionEmbedUrl(ctx, inputOf(bob))
	assert.ErrorContains(t, err, "the user "+bob+" is not registered")
	_, err = client.GetSessionEmbedUrl(ctx, janesInput())
	assert.NoError(t, err)
}

func TestOptionsThatCannotBe(t *testing.T) {
	for name, test := range map[string]struct {
		set  func(*embedtest.Options)
		want string
	}{
		"an account":           {func(o *embedtest.Options) { o.AwsAccountId = "1" }, `AwsAccountId "1" must be 12 digits`},
		"a region":             {func(o *embedtest.Options) { o.Region = "US East" }, `region "US East" must be one such as us-east-1`},
		"a user":               {func(o *embedtest.Options) { o.Users = []string{"jane"} }, `UserArn "jane" must be arn:`},
		"a signer":             {func(o *embedtest.Options) { o.UserArn = "jane" }, `UserArn "jane" must be arn:`},
		"an edition":           {func(o *embedtest.Options) { o.Edition = "PRO" }, `edition "PRO" must be one of ["ENTERPRISE" "ENTERPRISE_AND_Q" "STANDARD" "NONE"]`},
		"a dashboard":          {func(o *embedtest.Options) { o.Dashboards = []string{"a b"} }, `EntryPoint "/dashboards/a b" must be`},
		"an analysis":          {func(o *embedtest.Options) { o.Analyses = []string{""} }, `EntryPoint "/analyses/" must be`},
		"a role":               {func(o *embedtest.Options) { o.Roles = []string{"embed"} }, `role "embed" must be arn:{partition}:iam::{account}:role/{name}`},
		"a session too short":  {func(o *embedtest.Options) { o.MaxSessionDuration = time.Minute }, "maximum session duration 1m0s must be 1h to 12h"},
		"a session too long":   {func(o *embedtest.Options) { o.MaxSessionDuration = 13 * time.Hour }, "maximum session duration 13h0m0s must be 1h to 12h"},
		"an empty user":        {func(o *embedtest.Options) { o.Users = []string{""} }, `UserArn "" must be arn:{partition}:quicksight:{region}:{account}:user/{namespace}/{user name}`},
		"an action":            {func(o *embedtest.Options) { o.Denied = []string{"GetAuthCode"} }, `denied action "GetAuthCode" must be one of ["quicksight:GetSessionEmbedUrl" "quicksight:GetAuthCode" "sts:AssumeRole"]`},
		"a domain":             {func(o *embedtest.Options) { o.AllowedDomains = []string{"app.example.com"} }, `allowed domain "app.example.com" must be an origin such as https://app.example.com`},
		"a domain with a path": {func(o *embedtest.Options) { o.AllowedDomains = []string{"https://app.example.com/"} }, `allowed domain "https://app.example.com/"`},
		"a public URL":         {func(o *embedtest.Options) { o.PublicURL = "quicksight.test" }, `public URL "quicksight.test" must be scheme and host`},
		"a pattern of hosts":   {func(o *embedtest.Options) { o.PublicURL = "https://*.test" }, `public URL "https://*.test" must be scheme and host`},
		"a delay":              {func(o *embedtest.Options) { o.ConsoleDelay = -1 }, "console delay -1ns must not be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			var options embedtest.Options
			test.set(&options)
			err := options.Validate()
			require.ErrorContains(t, err, test.want)
			assert.PanicsWithValue(t, "embedtest: "+err.Error(), func() { embedtest.NewServer(test.set) })
		})
	}
	assert.NoError(t, embedtest.Options{}.Validate())
	server := newServer(t)
	assert.Panics(t, func() { server.RegisterUser("jane") })
	assert.Panics(t, func() { server.UnregisterUser("jane") })
	assert.Panics(t, func() { server.RegisterUser("") })
	assert.Panics(t, func() { server.SetEdition("PRO") })
}

func TestDeniedActionsAreRefusedInIAMsWords(t *testing.T) {
	withoutUser := janesInput()
	withoutUser.UserArn = nil
	for name, test := range map[string]struct {
		input            *quicksightembed.GetSessionEmbedUrlInput
		action, resource string
	}{
		"GetSessionEmbedUrl":                    {janesInput(), "quicksight:GetSessionEmbedUrl", "*"},
		"GetSessionEmbedUrl, without a UserArn": {withoutUser, "quicksight:GetSessionEmbedUrl", "*"},
		"GetAuthCode":                           {janesInput(), "quicksight:GetAuthCode", jane},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, func(o *embedtest.Options) { o.Denied = []string{test.action} })
			_, err := newClient(server).GetSessionEmbedUrl(ctx, test.input)
			var denied *quicksightembed.AccessDeniedException
			require.ErrorAs(t, err, &denied)
			assert.Equal(t, "User: arn:aws:iam::111122223333:user/embedtest is not authorized to perform: "+test.action+" on resource: "+test.resource, *denied.Message)
			assert.Equal(t, 403, server.Requests()[0].Status)
		})
	}
	server := newServer(t, func(o *embedtest.Options) { o.Denied = []string{"quicksight:GetAuthCode"} })
	_, err := newClient(server).GetSessionEmbedUrl(ctx, withoutUser)
	assert.NoError(t, err, "without a UserArn, GetAuthCode is not needed")
}

func TestErrorsAreOfTheServicesForm(t *testing.T) {
	server := newServer(t, func(o *embedtest.Options) { o.Users = []string{} })
	for name, test := range map[string]struct {
		fault embedtest.Fault
		want  string
	}{
		"a modelled exception":     {embedtest.Throttle(), `^{"Message":"injected by the test","RequestId":"[0-9a-f-]{36}"}\n$`},
		"one with a resource type": {embedtest.Fail("ResourceExistsException"), `^{"Message":"injected by the test","RequestId":"[0-9a-f-]{36}","ResourceType":"USER"}\n$`},
		"of a front end":           {embedtest.Fail("ServiceUnavailable"), `^{"message":"injected by the test"}\n$`},
		"of a proxy":               {embedtest.Status(502), `^{"message":"injected by the test"}\n$`},
	} {
		t.Run(name, func(t *testing.T) {
			server.Inject(test.fault.BeforeSignature())
			_, body := askOnce(t, server, server.Client())
			assert.Regexp(t, test.want, body)
		})
	}
}

func TestEnvelopeWithAnIdAlone(t *testing.T) {
	server := newServer(t, func(o *embedtest.Options) { o.EnvelopeIdOnly = true })
	_, body := askOnce(t, server, server.Client())
	assert.Regexp(t, `^{"data":{"created_at":"[0-9TZ:-]{20}","id":"[0-9a-f]{32}"},"success":true}\n$`, body)
	out, err := newClient(server).GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.Nil(t, out.EmbedUrl)
	assert.NotEmpty(t, *out.Id)
}

func TestPublicURL(t *testing.T) {
	server := newServer(t, func(o *embedtest.Options) { o.PublicURL, o.TLS = "https://quicksight.test:8484", true })
	assert.True(t, strings.HasPrefix(issue(t, server, janesInput()), "https://quicksight.test:8484/embedding/"))
	assert.NoError(t, server.Certificate().VerifyHostname("quicksight.test"))
}

func TestWrap(t *testing.T) {
	server := newServer(t, func(o *embedtest.Options) {
		o.Wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Via", "1.1 proxy")
				next.ServeHTTP(w, r)
			})
		}
	})
	resp, _ := askOnce(t, server, server.Client())
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "1.1 proxy", resp.Header.Get("Via"))
}

func TestOperationsHaveTheirTrueNames(t *testing.T) {
	server := newServer(t)
	for target, operation := range map[string]string{
		"/accounts/111122223333/session-embed-url": "GetSessionEmbedUrl",
		"/":       "",
		"/health": "",
		"/accounts/111122223333/namespaces/default/users": "",
		"/?Action=AssumeRole&Version=2011-06-15":          "AssumeRole",
		"/?Action=GetCallerIdentity&Version=2011-06-15":   "GetCallerIdentity",
		"/?Action=%3Cscript%3E":                           "",
	} {
		open(t, server, http.MethodGet, server.URL+target)
		requests := server.Requests()
		assert.Equal(t, operation, requests[len(requests)-1].Operation, target)
	}
}

func TestWaitForRequests(t *testing.T) {
	server := newServer(t)
	answered := make(chan error, 1)
	go func() { answered <- server.WaitForRequests(ctx, 2) }()
	issue(t, server, janesInput())
	issue(t, server, janesInput())
	assert.NoError(t, <-answered)
	assert.NoError(t, server.WaitForRequests(ctx, 1), "there were already")

	go func() { answered <- server.WaitForRequests(ctx, 3) }()
	require.Never(t, func() bool { return len(answered) > 0 }, 50*time.Millisecond, 10*time.Millisecond)
	server.Reset()
	for range 3 {
		issue(t, server, janesInput())
	}
	assert.NoError(t, <-answered, "they count from the start again")

	ended, cancel := context.WithCancel(ctx)
	cancel()
	err := server.WaitForRequests(ended, 4)
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "3 of 4 requests came")
}

func TestOpenings(t *testing.T) {
	server := newServer(t)
	used, late := issue(t, server, janesInput()), issue(t, server, inputOf(bob))
	open(t, server, http.MethodHead, used)
	open(t, server, http.MethodGet, used)
	open(t, server, http.MethodGet, used)
	open(t, server, http.MethodGet, server.URL+"/embedding/x/start/analyses?code=x")
	server.Advance(6 * time.Minute)
	open(t, server, http.MethodGet, late)
	assert.Equal(t, []embedtest.Opening{
		{UserArn: jane, EntryPoint: "/start", Status: 200},
		{UserArn: jane, EntryPoint: "/start", Status: 410, Problem: "This URL was used: it opens once. Ask for a new one."},
		{EntryPoint: "/start/analyses", Status: 404, Problem: "This URL was not issued here."},
		{UserArn: bob, EntryPoint: "/start", Status: 410, Problem: "This URL has expired: it can be opened within 5 minutes. Ask for a new one."},
	}, server.Openings())
}

func TestRequestHasNoSecretsInJSON(t *testing.T) {
	server := newServer(t, func(o *embedtest.Options) { o.Credentials.SessionToken = "a-session-token" })
	issue(t, server, janesInput())
	open(t, server, http.MethodGet, server.URL+"/?X-Amz-Signature=5d672d79&X-Amz-Security-Token=a-session-token")
	encoded, err := json.Marshal(server.Requests())
	require.NoError(t, err)
	assert.Contains(t, string(encoded), `"operation":"GetSessionEmbedUrl"`)
	assert.Contains(t, string(encoded), `"userArn":"`+jane+`"`)
	_, signature, _ := strings.Cut(server.Requests()[0].Header.Get("Authorization"), "Signature=")
	for _, secret := range []string{"a-session-token", "5d672d79", signature} {
		assert.NotContains(t, string(encoded), secret)
	}
}

// failing is a test that has failed and is over.
type failing struct {
	testing.TB
	cleanups []func()
	log      []string
}

func (f *failing) Helper()           {}
func (f *failing) Cleanup(fn func()) { f.cleanups = append(f.cleanups, fn) }
func (f *failing) Failed() bool      { return true }
func (f *failing) Logf(format string, args ...any) {
	f.log = append(f.log, fmt.Sprintf(format, args...))
}
func (f *failing) Errorf(format string, args ...any) { f.Logf(format, args...) }

func TestNewLogsWhatItRefusedIfTheTestFails(t *testing.T) {
	test := &failing{TB: t}
	server := embedtest.New(test)
	client := newClient(server)
	for _, account := range []string{"111122223333", "999988887777"} {
		client.GetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: &account})
	}
	require.Len(t, test.cleanups, 1)
	test.cleanups[0]()
	assert.Equal(t, []string{"embedtest: GET /accounts/999988887777/session-embed-url: 401 AccessDeniedException: " +
		"the credentials are not allowed quicksight:GetSessionEmbedUrl in account 999988887777: they are of account 111122223333"}, test.log)
	_, err := server.Client().Get(server.URL)
	assert.Error(t, err, "it is closed")
}
