package embedtest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

const embedRole = "arn:aws:iam::111122223333:role/embed"

func newSTS(t *testing.T, optFns ...func(*embedtest.Options)) *embedtest.Server {
	t.Helper()
	return newServer(t, append([]func(*embedtest.Options){func(o *embedtest.Options) { o.Roles = []string{embedRole} }}, optFns...)...)
}

// stsReply is what STS answers: the credentials, or an error.
type stsReply struct {
	Status      int
	Code        string  `xml:"Error>Code"`
	Message     string  `xml:"Error>Message"`
	Credentials stsKeys `xml:"AssumeRoleResult>Credentials"`
	User        string  `xml:"AssumeRoleResult>AssumedRoleUser>Arn"`
}

type stsKeys struct {
	AccessKeyId, SecretAccessKey, SessionToken string
	Expiration                                 time.Time
}

func (k stsKeys) aws() aws.Credentials {
	return aws.Credentials{AccessKeyID: k.AccessKeyId, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}
}

// askSTS sends parameters in the query or in a form, signed for a region.
func askSTS(t *testing.T, server *embedtest.Server, method, region string, query, form url.Values, keys ...aws.Credentials) (reply stsReply) {
	t.Helper()
	body := form.Encode()
	req, err := http.NewRequestWithContext(ctx, method, server.URL+"/?"+query.Encode(), strings.NewReader(body))
	require.NoError(t, err)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	}
	credentials, err := server.Config().Credentials.Retrieve(ctx)
	require.NoError(t, err)
	if len(keys) > 0 {
		credentials = keys[0]
	}
	sum := sha256.Sum256([]byte(body))
	require.NoError(t, v4.NewSigner().SignHTTP(ctx, credentials, req, hex.EncodeToString(sum[:]), "sts", region, time.Now()))
	resp, page := do(t, server.Client(), req)
	require.NoError(t, xml.Unmarshal([]byte(page), &reply), page)
	reply.Status = resp.StatusCode
	return reply
}

func assumeRole(more ...string) url.Values {
	values := url.Values{"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleArn": {embedRole}, "RoleSessionName": {"jane"}}
	for i := 0; i < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	return values
}

func TestAssumeRoleIsAskedForAsSDKsAsk(t *testing.T) {
	for name, test := range map[string]struct {
		method, region string
		query, form    url.Values
	}{
		"a POST of a form":                  {"POST", "eu-west-1", nil, assumeRole()},
		"a POST with parameters in its URL": {"POST", "eu-west-1", assumeRole(), nil},
		"a GET":                             {"GET", "eu-west-1", assumeRole(), nil},
		"for the global endpoint":           {"POST", "us-east-1", nil, assumeRole()},
	} {
		t.Run(name, func(t *testing.T) {
			server := newSTS(t, func(o *embedtest.Options) { o.Region = "eu-west-1" })
			reply := askSTS(t, server, test.method, test.region, test.query, test.form)
			require.Equal(t, 200, reply.Status, reply.Message)
			assert.Equal(t, "arn:aws:sts::111122223333:assumed-role/embed/jane", reply.User)
			assert.WithinDuration(t, time.Now().Add(time.Hour), reply.Credentials.Expiration, time.Minute)
			assert.Equal(t, "AssumeRole", server.Requests()[0].Operation)

			_, err := newClient(server).GetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)},
				func(o *quicksightembed.Options) { o.Credentials = provider{reply.Credentials.aws()} })
			require.NoError(t, err)
			assert.Equal(t, "arn:aws:quicksight:eu-west-1:111122223333:user/default/embed/jane", server.Requests()[1].UserArn)
		})
	}
}

func TestAssumeRoleIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		set     func(*embedtest.Options)
		form    url.Values
		status  int
		code    string
		message string
	}{
		"another action":         {nil, url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}}, 400, "InvalidAction", `the action "GetCallerIdentity" of version "2011-06-15" is not AssumeRole`},
		"another version":        {nil, assumeRole("Version", "2010-01-01"), 400, "InvalidAction", `of version "2010-01-01"`},
		"a role that is none":    {nil, assumeRole("RoleArn", "embed"), 400, "ValidationError", `RoleArn "embed" must be arn:{partition}:iam::{account}:role/{name}`},
		"no role":                {nil, assumeRole("RoleArn", ""), 400, "ValidationError", `RoleArn "" must be arn:`},
		"an unknown role":        {nil, assumeRole("RoleArn", embedRole+"2"), 403, "AccessDenied", "User: arn:aws:iam::111122223333:user/embedtest is not authorized to perform: sts:AssumeRole on resource: " + embedRole + "2"},
		"a role that IAM denies": {func(o *embedtest.Options) { o.Denied = []string{"sts:AssumeRole"} }, assumeRole(), 403, "AccessDenied", "is not authorized to perform: sts:AssumeRole on resource: " + embedRole},
		"a name of one letter":   {nil, assumeRole("RoleSessionName", "j"), 400, "ValidationError", `RoleSessionName "j" must be 2 to 64 letters`},
		"14 minutes":             {nil, assumeRole("DurationSeconds", "840"), 400, "ValidationError", `DurationSeconds "840" must be 900 or more`},
		"a time that is none":    {nil, assumeRole("DurationSeconds", "1h"), 400, "ValidationError", `DurationSeconds "1h" must be 900 or more`},
		"an hour and a second":   {nil, assumeRole("DurationSeconds", "3601"), 400, "ValidationError", `DurationSeconds "3601" is more than the MaxSessionDuration of the role, 1h0m0s`},
		"more than the role's":   {func(o *embedtest.Options) { o.MaxSessionDuration = 2 * time.Hour }, assumeRole("DurationSeconds", "7201"), 400, "ValidationError", "the MaxSessionDuration of the role, 2h0m0s"},
		"the role's":             {func(o *embedtest.Options) { o.MaxSessionDuration = 12 * time.Hour }, assumeRole("DurationSeconds", "43200"), 200, "", ""},
		"an hour":                {nil, assumeRole("DurationSeconds", "3600"), 200, "", ""},
		"15 minutes":             {nil, assumeRole("DurationSeconds", "900"), 200, "", ""},
		"a fault of the test's": {func(o *embedtest.Options) {
			o.Faults = []embedtest.Fault{embedtest.Fail("AccessDenied").ForOperation("AssumeRole")}
		}, assumeRole(), 403, "AccessDenied", "injected by the test"},
		"a fault of QuickSight's": {func(o *embedtest.Options) { o.Faults = []embedtest.Fault{embedtest.Throttle()} }, assumeRole(), 200, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := newSTS(t, test.set)
			reply := askSTS(t, server, "POST", "us-east-1", nil, test.form)
			assert.Equal(t, test.status, reply.Status)
			assert.Equal(t, test.code, reply.Code)
			assert.Contains(t, reply.Message, test.message)
		})
	}
}

func TestRoleSessionThatAssumesARoleLastsAnHour(t *testing.T) {
	server := newSTS(t, func(o *embedtest.Options) { o.MaxSessionDuration = 12 * time.Hour })
	chained := askSTS(t, server, "POST", "us-east-1", nil, assumeRole("DurationSeconds", "7200")).Credentials.aws()
	reply := askSTS(t, server, "POST", "us-east-1", nil, assumeRole("DurationSeconds", "3601"), chained)
	assert.Equal(t, "ValidationError", reply.Code)
	assert.Equal(t, `DurationSeconds "3601" is more than the 1 hour of a role that is assumed with the keys of a role session`, reply.Message)
	assert.Equal(t, 200, askSTS(t, server, "POST", "us-east-1", nil, assumeRole(), chained).Status)
}

func TestSTSHasItsOwnCodes(t *testing.T) {
	server := newSTS(t)
	keys := aws.Credentials{AccessKeyID: "AKIAOTHER", SecretAccessKey: "guessed-by-nobody"}
	reply := askSTS(t, server, "POST", "us-east-1", nil, assumeRole(), keys)
	assert.Equal(t, "InvalidClientTokenId", reply.Code)
	reply = askSTS(t, server, "POST", "eu-central-1", nil, assumeRole())
	assert.Equal(t, "SignatureDoesNotMatch", reply.Code)
	assert.Equal(t, `the credential scope has the region "eu-central-1", and must have "us-east-1"`, reply.Message)
}
