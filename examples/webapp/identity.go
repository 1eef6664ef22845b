package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"example.com/quicksightembed"
)

// AWS knows two models of who a user of your application is in QuickSight:
// https://docs.aws.amazon.com/quicksight/latest/user/embedded-analytics-full-console-for-authenticated-users-get.html

// identity makes a call one for a user.
type identity interface {
	// apply fills in who the call is for.
	apply(user string, in *quicksightembed.GetSessionEmbedUrlInput) (optFns []func(*quicksightembed.Options))
	// forget drops what is kept for a user who signs out.
	forget(user string)
}

// registeredUsers are users whom RegisterUser or an invitation has made known to QuickSight. The backend signs with its own
// credentials and names the user.
type registeredUsers struct {
	region, account, namespace string
}

func (r registeredUsers) apply(user string, in *quicksightembed.GetSessionEmbedUrlInput) []func(*quicksightembed.Options) {
	in.UserArn = aws.String(registeredARN(r.region, r.account, r.namespace, user))
	return nil
}

func (registeredUsers) forget(string) {}

func registeredARN(region, account, namespace, user string) string {
	return fmt.Sprintf("arn:%s:quicksight:%s:%s:user/%s/%s", partitionOf(region), region, account, namespace, user)
}

// roleUsers are users who each have a session of an IAM role, named after them. The backend signs with the credentials of that
// session, and names nobody.
type roleUsers struct {
	sts     stscreds.AssumeRoleAPIClient
	roleARN string
	timeout time.Duration // of asking STS

	mu          sync.Mutex
	credentials map[string]*aws.CredentialsCache
	users       []string // who has credentials, the longest first
}

// maxRoleUsers bounds how many users' credentials are kept. Who has none gets new ones.
const maxRoleUsers = 1000

func newRoleUsers(client stscreds.AssumeRoleAPIClient, roleARN string) *roleUsers {
	return &roleUsers{sts: client, roleARN: roleARN, timeout: 5 * time.Second, credentials: map[string]*aws.CredentialsCache{}}
}

func (r *roleUsers) apply(user string, _ *quicksightembed.GetSessionEmbedUrlInput) []func(*quicksightembed.Options) {
	credentials := r.of(user)
	return []func(*quicksightembed.Options){func(o *quicksightembed.Options) { o.Credentials = credentials }}
}

// of returns the credentials of a user's role session, which STS is asked for when they are first used, and again a minute before
// they expire.
func (r *roleUsers) of(user string) *aws.CredentialsCache {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cached := r.credentials[user]; cached != nil {
		return cached
	}
	if len(r.users) == maxRoleUsers {
		delete(r.credentials, r.users[0])
		r.users = r.users[1:]
	}
	provider := stscreds.NewAssumeRoleProvider(r.sts, r.roleARN, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = user })
	r.credentials[user] = aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		// The cache lets all requests of a user wait for one answer, without their deadlines: one that never comes would block
		// the user for good.
		ctx, cancel := context.WithTimeout(ctx, r.timeout)
		defer cancel()
		return provider.Retrieve(ctx)
	}), func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = time.Minute })
	r.users = append(r.users, user)
	return r.credentials[user]
}

func (r *roleUsers) forget(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.credentials, user)
	r.users = slices.DeleteFunc(r.users, func(u string) bool { return u == user })
}

var (
	roleARN         = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`)
	roleSessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

// roleSessionARN is the QuickSight user of a role session.
func roleSessionARN(region, roleARN, user string) string {
	parts := strings.Split(roleARN, ":")
	role := roleARN[strings.LastIndex(roleARN, "/")+1:]
	return fmt.Sprintf("arn:%s:quicksight:%s:%s:user/default/%s/%s", parts[1], region, parts[4], role, user)
}

func partitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
