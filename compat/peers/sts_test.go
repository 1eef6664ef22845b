package peers

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

const embedRole = "arn:aws:iam::111122223333:role/embed"

// assume calls AssumeRole, in one attempt.
func assume(server *embedtest.Server, change func(*sts.AssumeRoleInput), optFns ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	in := &sts.AssumeRoleInput{RoleArn: aws.String(embedRole), RoleSessionName: aws.String("jane@example.com")}
	if change != nil {
		change(in)
	}
	cfg := server.Config()
	cfg.RetryMaxAttempts = 1
	return sts.NewFromConfig(cfg).AssumeRole(context.Background(), in, optFns...)
}

// keys returns the keys in an output.
func keys(out *sts.AssumeRoleOutput) aws.CredentialsProvider {
	c := out.Credentials
	return credentials(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

// asking asks for a URL with the keys in an output.
func asking(server *embedtest.Server, out *sts.AssumeRoleOutput) error {
	_, err := quicksightembed.NewFromConfig(server.Config()).GetSessionEmbedUrl(context.Background(),
		&quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)},
		func(o *quicksightembed.Options) { o.Credentials = keys(out) })
	return err
}

// newSTS returns a server that has roles.
func newSTS(t *testing.T) *embedtest.Server {
	t.Helper()
	server := embedtest.NewServer(func(o *embedtest.Options) {
		o.Credentials.AccessKeyID = "AKIAKNOWN"
		o.Roles = []string{embedRole, "arn:aws-cn:iam::111122223333:role/team/a/embed"}
	})
	t.Cleanup(server.Close)
	return server
}

func TestRoleSessionIsAQuickSightUser(t *testing.T) {
	server := newSTS(t)
	for role, user := range map[string]string{
		embedRole: "arn:aws:quicksight:us-east-1:111122223333:user/default/embed/jane@example.com",
		"arn:aws-cn:iam::111122223333:role/team/a/embed": "arn:aws-cn:quicksight:us-east-1:111122223333:user/default/embed/jane@example.com",
	} {
		t.Run(role, func(t *testing.T) {
			out, err := assume(server, func(in *sts.AssumeRoleInput) { in.RoleArn = &role })
			require.NoError(t, err)
			assert.WithinDuration(t, time.Now().Add(time.Hour), *out.Credentials.Expiration, time.Minute)
			assert.Equal(t, strings.Split(role, ":iam:")[0]+":sts::111122223333:assumed-role/embed/jane@example.com", *out.AssumedRoleUser.Arn)
			require.NoError(t, asking(server, out))
			requests := server.Requests()
			assumed, asked := requests[len(requests)-2], requests[len(requests)-1]
			assert.Equal(t, "AssumeRole", assumed.Operation)
			assert.Equal(t, user, assumed.UserArn)
			assert.Equal(t, "POST /: 200 issued keys for "+user, assumed.String())
			assert.Equal(t, "GetSessionEmbedUrl", asked.Operation)
			assert.Equal(t, user, asked.UserArn)
			assert.Equal(t, *out.Credentials.AccessKeyId, asked.AccessKeyId)
			assert.NotContains(t, fmt.Sprint(requests), *out.Credentials.SessionToken)
		})
	}
}

func TestAssumeRoleRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change     func(*sts.AssumeRoleInput)
		options    func(*sts.Options)
		code, says string
	}{
		"a role that is not there": {func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String(embedRole + "2") }, nil, "AccessDenied", embedRole + "2"},
		"a name of one letter":     {func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("j") }, nil, "ValidationError", `RoleSessionName "j" must be 2 to 64`},
		"a name with a space":      {func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("j d") }, nil, "ValidationError", `RoleSessionName "j d" must be`},
		"a short time":             {func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) }, nil, "ValidationError", `DurationSeconds "899" must be 900 or more`},
		"a long time":              {func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(43201) }, nil, "ValidationError", `DurationSeconds "43201" is more than the MaxSessionDuration of the role, 1h0m0s`},
		"another secret": {nil, func(o *sts.Options) {
			o.Credentials = credentials("AKIAKNOWN", "guessed-by-nobody", "")
		}, "SignatureDoesNotMatch", "the signature does not match"},
		"another key": {nil, func(o *sts.Options) {
			o.Credentials = credentials("AKIAOTHER", "guessed", "")
		}, "InvalidClientTokenId", "AKIAOTHER"},
		"another region": {nil, func(o *sts.Options) { o.Region = "eu-west-1" }, "SignatureDoesNotMatch", `region "eu-west-1"`},
	} {
		t.Run(name, func(t *testing.T) {
			server := newSTS(t)
			var options []func(*sts.Options)
			if test.options != nil {
				options = append(options, test.options)
			}
			_, err := assume(server, test.change, options...)
			var apiErr smithy.APIError
			require.ErrorAs(t, err, &apiErr)
			assert.Equal(t, test.code, apiErr.ErrorCode())
			assert.Contains(t, apiErr.ErrorMessage(), test.says)
			assert.Equal(t, test.code, server.Requests()[0].Code)
		})
	}
}

func TestNoRoleCanBeAssumedWhereNoneIsTold(t *testing.T) {
	server := embedtest.NewServer()
	defer server.Close()
	_, err := assume(server, nil)
	assert.ErrorContains(t, err, "AccessDenied")
}

func TestKeysOfARoleSessionAreForItAlone(t *testing.T) {
	server := newSTS(t)
	janes, err := assume(server, nil)
	require.NoError(t, err)
	bobs, err := assume(server, func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("bob") })
	require.NoError(t, err)
	mixed := *janes.Credentials
	mixed.SessionToken = bobs.Credentials.SessionToken
	assert.ErrorContains(t, asking(server, &sts.AssumeRoleOutput{Credentials: &mixed}), "the session token is not that of the access key")
	require.NoError(t, asking(server, bobs))

	server.Advance(time.Hour)
	assert.ErrorContains(t, asking(server, janes), "ExpiredTokenException")
}

func TestRoleSessionAssumesARole(t *testing.T) {
	server := newSTS(t)
	out, err := assume(server, nil)
	require.NoError(t, err)
	_, err = assume(server, nil, func(o *sts.Options) { o.Credentials = keys(out) })
	assert.NoError(t, err)
}

func TestOtherOperationsOfSTS(t *testing.T) {
	server := newSTS(t)
	_, err := sts.NewFromConfig(server.Config()).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	assert.ErrorContains(t, err, `InvalidAction: the action "GetCallerIdentity" of version "2011-06-15" is not AssumeRole`)
	resp, err := server.Client().Post(server.URL, "application/x-www-form-urlencoded", strings.NewReader("Action=AssumeRole"))
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusForbidden, resp.StatusCode, "it is not signed")
	resp, err = server.Client().Post(server.URL, "application/x-www-form-urlencoded", strings.NewReader(strings.Repeat("x", 65<<10)))
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
}

func TestRolesThatAreNone(t *testing.T) {
	for _, role := range []string{"", "embed", "arn:aws:iam::1:role/embed", "arn:aws:iam::111122223333:user/embed", "arn:aws:iam::111122223333:role/"} {
		assert.Panics(t, func() { embedtest.NewServer(func(o *embedtest.Options) { o.Roles = []string{role} }) }, role)
	}
}

func TestFaultsAreForURLsAlone(t *testing.T) {
	server := newSTS(t)
	server.Inject(embedtest.Fail("ResourceExistsException"))
	out, err := assume(server, nil)
	require.NoError(t, err)
	assert.ErrorContains(t, asking(server, out), "ResourceExistsException")
}
