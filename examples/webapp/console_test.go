package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

func TestEachPlaceHasAnEntryPoint(t *testing.T) {
	v := newBackend(t, "-lifetime", "60").visitor(t)
	v.signIn("jane")
	for key, entryPoint := range map[string]string{
		"start": "/start", "analyses": "/start/analyses", "dashboards": "/start/dashboards", "favorites": "/start/favorites", "dashboard": "/dashboards/sales-overview",
	} {
		t.Run(key, func(t *testing.T) {
			status, reply := v.ask(`{"place":"` + key + `"}`)
			assert.Equal(t, http.StatusOK, status)
			assert.Contains(t, reply["embedUrl"], entryPoint+"?code=")
			requests := v.backend.quickSight.Requests()
			asked := requests[len(requests)-1]
			assert.Equal(t, entryPoint, *asked.Input.EntryPoint)
			assert.Equal(t, int64(60), *asked.Input.SessionLifetimeInMinutes)
		})
	}
}

func TestNothingButThePlacesIsAskedFor(t *testing.T) {
	v := newBackend(t).visitor(t)
	v.signIn("jane")
	for _, body := range []string{
		`{}`, `{"place":""}`, `{"place":"/start"}`, `{"place":"/dashboards/secret"}`, `{"place":"dashboard/secret"}`,
		`{"place":["start"]}`, `[]`, `x`, ``,
	} {
		status, reply := v.ask(body)
		assert.Equal(t, http.StatusBadRequest, status, body)
		assert.NotEmpty(t, reply["title"])
	}
	assert.Empty(t, v.backend.quickSight.Requests())
}

func TestURLIsForTheUserOfTheSession(t *testing.T) {
	for model, userArn := range map[string]string{"registered": janesARN, "role": janesRole} {
		t.Run(model, func(t *testing.T) {
			b := newBackend(t, "-identity", model)
			v := b.visitor(t)
			v.signIn("jane")
			resp, _ := v.do("POST", "/api/console-url?user=mateo&userArn="+strings.Replace(janesARN, "jane", "mateo", 1),
				`{"place":"start","user":"mateo","User":"mateo","userArn":"x","UserArn":"x","AwsAccountId":"999988887777","account":"999988887777"}`,
				func(r *http.Request) { r.Header.Set("X-User", "mateo") })
			assert.Equal(t, http.StatusOK, resp.StatusCode)
			requests := b.quickSight.Requests()
			asked := requests[len(requests)-1]
			assert.Equal(t, userArn, asked.UserArn)
			assert.Equal(t, demoAccount, *asked.Input.AwsAccountId)
			assert.Equal(t, model == "role", asked.Input.UserArn == nil, "a role session names nobody")
		})
	}
}

func TestNobodyGetsNoURL(t *testing.T) {
	v := newBackend(t).visitor(t)
	status, reply := v.ask(`{"place":"start"}`)
	assert.Equal(t, http.StatusUnauthorized, status)
	assert.Equal(t, "Sign in again.", reply["action"])
	assert.Empty(t, v.backend.quickSight.Requests())
}

func TestURLIsNotLogged(t *testing.T) {
	v := newBackend(t, "-identity", "role").visitor(t)
	cookie := v.signIn("jane")
	_, reply := v.ask(`{"place":"start"}`)
	log := v.backend.log.String()
	assert.Contains(t, log, `msg="embed URL issued"`)
	assert.Contains(t, log, "user=jane entry_point=/start")
	code := strings.Split(strings.Split(reply["embedUrl"].(string), "code=")[1], "&")[0]
	for _, secret := range []string{code, cookie.Value, "ASIA", "embedding/"} {
		assert.NotContains(t, log, secret)
	}
}

func TestErrorsAreForPeopleAndDetailsForTheLog(t *testing.T) {
	for name, test := range map[string]struct {
		fault  embedtest.Fault
		status int
		title  string
	}{
		"user unknown":     {embedtest.Fail("QuickSightUserNotFoundException"), 403, "Your QuickSight user is not registered in this account"},
		"not allowed":      {embedtest.Fail("AccessDeniedException"), 403, "This application may not open QuickSight for you"},
		"no dashboard":     {embedtest.Fail("ResourceNotFoundException"), 404, "That page of QuickSight does not exist"},
		"wrong edition":    {embedtest.Fail("UnsupportedUserEditionException"), 403, "The edition of this QuickSight account cannot be embedded"},
		"throttled":        {embedtest.Throttle(), 503, "QuickSight is busy"},
		"broken":           {embedtest.Fail("InternalFailureException"), 502, "QuickSight cannot be reached"},
		"denied":           {embedtest.Reply(403, http.Header{"X-Amzn-ErrorType": {"AccessDeniedException"}}, `{"Message":"User: arn:aws:iam::1:user/x is not authorized to perform: quicksight:GetAuthCode on resource: arn:aws:quicksight:us-east-1:1:user/default/jane"}`), 403, "This application may not open QuickSight for you"},
		"no URL":           {embedtest.Reply(200, nil, `{"success":true,"data":{"id":"x"}}`), 502, "QuickSight sent no address to open"},
		"another":          {embedtest.Reply(400, http.Header{"X-Amzn-ErrorType": {"SomethingNewException"}}, "{}"), 502, "QuickSight cannot be reached"},
		"a proxy's answer": {embedtest.Reply(502, nil, "<html>"), 502, "QuickSight cannot be reached"},
		"no answer":        {embedtest.Reset(), 502, "QuickSight cannot be reached"},
		"keys refused":     {embedtest.Reply(403, http.Header{"X-Amzn-ErrorType": {"ExpiredTokenException"}}, "{}"), 502, "AWS does not accept the credentials of this application"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newBackend(t).visitor(t)
			v.signIn("jane")
			v.backend.quickSight.Inject(test.fault)
			status, reply := v.ask(`{"place":"start"}`)
			assert.Equal(t, test.status, status)
			assert.Equal(t, test.title, reply["title"])
			assert.NotEmpty(t, reply["action"])
			assert.NotContains(t, fmt.Sprint(reply), "Exception")
			assert.NotContains(t, fmt.Sprint(reply), "arn:")
			require.Len(t, reply["reference"], 26)
			assert.Regexp(t, `msg="no embed URL[^"]*" request=`+reply["reference"].(string)+" user=jane", v.backend.log.String())
			if name == "denied" {
				assert.Equal(t, "Ask its administrator to allow quicksight:GetAuthCode in this account.", reply["action"])
			}
		})
	}
}

func TestErrorsThatNeedNoService(t *testing.T) {
	ask := func(ctx context.Context, in *quicksightembed.GetSessionEmbedUrlInput) (status int, title string) {
		_, err := quicksightembed.New(quicksightembed.Options{Region: "us-east-1"}).GetSessionEmbedUrl(ctx, in)
		shown := explain(err, in)
		return shown.status, shown.Title
	}
	status, title := ask(t.Context(), nil)
	assert.Equal(t, http.StatusInternalServerError, status, "wrong input")
	assert.Equal(t, "This application is not set up right", title)
	status, _ = ask(t.Context(), &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(demoAccount)})
	assert.Equal(t, http.StatusInternalServerError, status, "no credentials")
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	status, title = ask(late, &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(demoAccount)})
	assert.Equal(t, http.StatusGatewayTimeout, status)
	assert.Equal(t, "QuickSight takes too long to answer", title)
}

func TestRoleThatMayNotBeAssumed(t *testing.T) {
	v := newBackend(t, "-identity", "role", "-role-arn", "arn:aws:iam::111122223333:role/other").visitor(t)
	v.signIn("jane")
	status, reply := v.ask(`{"place":"start"}`)
	assert.Equal(t, http.StatusBadGateway, status)
	assert.Equal(t, "AWS gave no credentials for you", reply["title"])
	assert.Contains(t, v.backend.log.String(), "AccessDenied")
}

func TestSTSIsAskedOncePerUser(t *testing.T) {
	b := newBackend(t, "-identity", "role")
	jane, mateo := b.visitor(t), b.visitor(t)
	jane.signIn("jane")
	mateo.signIn("mateo")
	for range 2 {
		jane.ask(`{"place":"start"}`)
		mateo.ask(`{"place":"start"}`)
	}
	assumed := func() (users []string) {
		for _, request := range b.quickSight.Requests() {
			if request.Operation == "AssumeRole" {
				users = append(users, request.UserArn[strings.LastIndex(request.UserArn, "/")+1:])
			}
		}
		return users
	}
	assert.Equal(t, []string{"jane", "mateo"}, assumed())
	jane.do("POST", "/api/sign-out", "", nil)
	jane.signIn("jane")
	jane.ask(`{"place":"start"}`)
	mateo.ask(`{"place":"start"}`)
	assert.Equal(t, []string{"jane", "mateo", "jane"}, assumed(), "signing out drops the credentials, of that user alone")
}

func TestCredentialsOfUsersWhoAreActiveAreKept(t *testing.T) {
	users := newRoleUsers(sts.New(sts.Options{}), demoRole)
	first := users.of("user-0")
	for i := range 999 {
		assert.Same(t, users.of(fmt.Sprint("user-", i)), users.of(fmt.Sprint("user-", i)))
	}
	assert.Same(t, first, users.of("user-0"))
	for i := range 1000 {
		users.of(fmt.Sprint("other-", i))
	}
	assert.Equal(t, 1000, users.credentials.Len())
	assert.NotSame(t, first, users.of("user-0"), "it made room")
}

// Both models of identity report missing AWS credentials as such.
func TestCredentialsThatAreMissing(t *testing.T) {
	for _, model := range []string{"registered", "role"} {
		t.Run(model, func(t *testing.T) {
			s, err := parseFlags([]string{"-origin", "http://app.example.com", "-identity", model}, io.Discard)
			require.NoError(t, err)
			server := embedtest.New(t)
			cfg := server.Config()
			cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{}, errors.New("no EC2 IMDS role found")
			})
			log := &logBuffer{}
			backend := httptest.NewServer(newHandler(s, quickSight{cfg: cfg}, nil, slog.New(slog.NewTextHandler(log, nil))))
			defer backend.Close()
			v := newVisitor(t, backend.URL, backend.Client().Transport)
			v.host = "app.example.com"
			v.signIn("jane")
			status, reply := v.ask(`{"place":"start"}`)
			assert.Equal(t, http.StatusBadGateway, status)
			assert.Equal(t, "This application has no AWS credentials", reply["title"])
			assert.Contains(t, log.String(), "no EC2 IMDS role found")
		})
	}
}

func TestAdviceNamesTheRegionOfTheUser(t *testing.T) {
	b := newBackend(t, "-identity-region", "eu-west-1")
	v := b.visitor(t)
	v.signIn("jane")
	b.quickSight.UnregisterUser("arn:aws:quicksight:eu-west-1:111122223333:user/default/jane")
	status, reply := v.ask(`{"place":"start"}`)
	assert.Equal(t, http.StatusForbidden, status)
	assert.Equal(t, "Ask your QuickSight administrator to register you as an author or admin. This application looked for you in eu-west-1.", reply["action"])
}

func TestConsoleSessionIsNeverLongerThanTheSignIn(t *testing.T) {
	now := time.Now()
	for name, test := range map[string]struct {
		minutes int64
		left    time.Duration // 0: unknown
		want    int64
		ok      bool
	}{
		"as long as it can":      {0, 0, 600, true},
		"as long as is said":     {60, 0, 60, true},
		"as long as the sign-in": {0, 90 * time.Minute, 90, true},
		"shorter than that":      {60, 90 * time.Minute, 60, true},
		"not more than 10 hours": {0, 24 * time.Hour, 600, true},
		"the shortest":           {0, 15 * time.Minute, 15, true},
		"too short for one":      {0, 15*time.Minute - time.Second, 14, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := &consoleURL{minutes: test.minutes, now: func() time.Time { return now }}
			var until time.Time
			if test.left != 0 {
				until = now.Add(test.left)
			}
			minutes, ok := c.lifetime(until)
			assert.Equal(t, test.want, minutes)
			assert.Equal(t, test.ok, ok)
		})
	}
	v := newBackend(t).visitor(t)
	v.signIn("jane")
	v.ask(`{"place":"start"}`)
	assert.Equal(t, int64(8*60-1), *v.backend.quickSight.Requests()[0].Input.SessionLifetimeInMinutes)
}

func TestURLsForOneUserAreLimited(t *testing.T) {
	b := newBackend(t)
	jane, mateo := b.visitor(t), b.visitor(t)
	jane.signIn("jane")
	mateo.signIn("mateo")
	var status int
	for range 31 {
		status, _ = jane.ask(`{"place":"start"}`)
	}
	assert.Equal(t, http.StatusTooManyRequests, status)
	status, _ = mateo.ask(`{"place":"start"}`)
	assert.Equal(t, http.StatusOK, status)
}

func TestSTSThatDoesNotAnswerBlocksNobodyForGood(t *testing.T) {
	quickSight := embedtest.NewServer(func(o *embedtest.Options) { o.Roles = []string{demoRole} })
	defer quickSight.Close()
	target, err := url.Parse(quickSight.URL)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	var asked atomic.Int32
	silentOnce := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	defer silentOnce.Close()
	users := newRoleUsers(sts.New(sts.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(silentOnce.URL), Credentials: quickSight.Config().Credentials, HTTPClient: silentOnce.Client(),
	}), demoRole)
	users.timeout = 100 * time.Millisecond

	_, err = users.of("jane").Retrieve(context.Background())
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = users.of("jane").Retrieve(context.Background())
	assert.NoError(t, err)
}

func TestAttemptsLeaveTimeForRetries(t *testing.T) {
	var unset, own quicksightembed.Options
	own.AttemptTimeout = time.Second
	withRetries(&unset)
	withRetries(&own)
	assert.LessOrEqual(t, 3*unset.AttemptTimeout, callTimeout)
	assert.Positive(t, unset.AttemptTimeout)
	assert.Equal(t, time.Second, own.AttemptTimeout, "the configuration's own")
}
