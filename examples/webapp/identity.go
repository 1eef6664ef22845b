package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	lru "github.com/hashicorp/golang-lru/v2"

	"example.com/quicksightembed"
)

// AWS has two models of who a user of your application is in QuickSight: a registered user, or a
// role session. See docs/role-sessions.md.

// identity sets the user of a call.
type identity interface {
	// apply sets whom the call is for.
	apply(user string, in *quicksightembed.GetSessionEmbedUrlInput) (optFns []func(*quicksightembed.Options))
	// forget drops what is cached for a user who signs out.
	forget(user string)
}

// registeredUsers are users whom RegisterUser or an invitation has added to QuickSight. The backend
// signs with its own credentials and names the user.
type registeredUsers struct {
	region, account, namespace string
}

func (r registeredUsers) apply(user string, in *quicksightembed.GetSessionEmbedUrlInput) []func(*quicksightembed.Options) {
	in.UserArn = aws.String(fmt.Sprintf("arn:%s:quicksight:%s:%s:user/%s/%s", partitionOf(r.region), r.region, r.account, r.namespace, user))
	return nil
}

func (registeredUsers) forget(string) {}

// roleUsers are users who each have their own session of an IAM role, named after them. The backend
// signs with the credentials of that session and names no user.
type roleUsers struct {
	sts         stscreds.AssumeRoleAPIClient
	roleARN     string
	timeout     time.Duration                             // of a call of STS
	credentials *lru.Cache[string, *aws.CredentialsCache] // by user
}

func newRoleUsers(client stscreds.AssumeRoleAPIClient, roleARN string) *roleUsers {
	return &roleUsers{sts: client, roleARN: roleARN, timeout: 5 * time.Second, credentials: newCache[*aws.CredentialsCache]()}
}

func (r *roleUsers) apply(user string, _ *quicksightembed.GetSessionEmbedUrlInput) []func(*quicksightembed.Options) {
	credentials := r.of(user)
	return []func(*quicksightembed.Options){func(o *quicksightembed.Options) { o.Credentials = credentials }}
}

// of returns the credentials of a user's role session. Their first use calls STS, and so does the
// first use in the minute before they expire.
func (r *roleUsers) of(user string) *aws.CredentialsCache {
	if cached, ok := r.credentials.Get(user); ok {
		return cached
	}
	provider := stscreds.NewAssumeRoleProvider(r.sts, r.roleARN, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = user })
	credentials := aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		// The cache ignores its callers' deadlines: without a timeout, one hung call would
		// block the user for good.
		ctx, cancel := context.WithTimeout(ctx, r.timeout)
		defer cancel()
		return provider.Retrieve(ctx)
	}), func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = time.Minute })
	if others, ok, _ := r.credentials.PeekOrAdd(user, credentials); ok {
		return others // a concurrent request added them
	}
	return credentials
}

func (r *roleUsers) forget(user string) { r.credentials.Remove(user) }

func partitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
