package webapp

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed/embedtest"
)

const cli = "/usr/bin/aws"

// runCLI runs the AWS CLI with nothing but the environment, and returns what it prints.
func runCLI(t *testing.T, env []string, args ...string) (out []byte, err error) {
	t.Helper()
	if _, err := os.Stat(cli); err != nil {
		missing(t, "no "+cli+": apt-get install awscli")
	}
	command := exec.CommandContext(t.Context(), cli, append(args, "--output", "json", "--region", "us-east-1")...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true"}, env...)
	return command.CombinedOutput()
}

func TestAWSCLIAssumesARoleAndAsksForItsURL(t *testing.T) {
	server := embedtest.NewServer(func(o *embedtest.Options) {
		o.Roles = []string{role}
		o.Users = []string{users + "embed-console/jane"}
	})
	t.Cleanup(server.Close)
	credentials, err := server.Config().Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	own := []string{"AWS_ACCESS_KEY_ID=" + credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + credentials.SecretAccessKey}
	assume := func(role string) ([]byte, error) {
		return runCLI(t, own, "sts", "assume-role", "--endpoint-url", server.URL, "--role-arn", role, "--role-session-name", "jane")
	}

	out, err := assume(role)
	require.NoError(t, err, "%s", out)
	var assumed struct {
		Credentials     struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }
		AssumedRoleUser struct{ AssumedRoleId, Arn string }
	}
	require.NoError(t, json.Unmarshal(out, &assumed), "%s", out)
	assert.Equal(t, "arn:aws:sts::111122223333:assumed-role/embed-console/jane", assumed.AssumedRoleUser.Arn)
	assert.NotEmpty(t, assumed.Credentials.Expiration)

	sessions := []string{
		"AWS_ACCESS_KEY_ID=" + assumed.Credentials.AccessKeyId,
		"AWS_SECRET_ACCESS_KEY=" + assumed.Credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN=" + assumed.Credentials.SessionToken,
	}
	out, err = runCLI(t, sessions, "quicksight", "get-session-embed-url", "--endpoint-url", server.URL, "--aws-account-id", account)
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), server.URL+"/embedding/")
	requests := server.Requests()
	assert.Equal(t, users+"embed-console/jane", requests[len(requests)-1].UserArn)

	out, err = assume(role + "-2")
	assert.Error(t, err)
	assert.Contains(t, string(out), "An error occurred (AccessDenied) when calling the AssumeRole operation")
}
