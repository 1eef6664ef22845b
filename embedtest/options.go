package embedtest

import (
	"cmp"
	"fmt"
	"net"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Options say what the server knows and how it answers. The zero value works: each field says its default.
type Options struct {
	// AwsAccountId is the account that the server is for. The default is "111122223333".
	AwsAccountId string

	// Region is the region that requests must be signed for. The default is "us-east-1".
	Region string

	// Credentials are those that Config returns, and that requests may be signed with. Access key and secret key have
	// defaults; where there is a session token, requests must have it too.
	Credentials aws.Credentials

	// UserArn is the QuickSight user of Credentials: whom a request without a UserArn is for, where they signed it. The default is
	// none: such a request then gets a URL where everyone is registered, and QuickSightUserNotFoundException otherwise.
	UserArn string

	// Identities are further ones that requests may be signed with, such as a role session for each end user.
	Identities []Identity

	// Roles are the ARNs of the roles, such as arn:aws:iam::111122223333:role/embed, that an identity may assume: the server
	// is STS too, and issues keys for a role session, whose QuickSight user is …:user/default/{role name}/{session name}.
	// They last as long as is asked for, by the server's clock: 15 minutes, unless told otherwise, by package stscreds. Faults do
	// not happen to AssumeRole. The default is none.
	Roles []string

	// Edition is the account's. The default is EditionEnterprise.
	Edition Edition

	// Users are the ARNs of the registered users; any other gets QuickSightUserNotFoundException. Nil, the default, is that
	// everyone is registered; an empty list is that nobody is.
	Users []string

	// Dashboards are the IDs of the dashboards that exist. Nil, the default, is that all do.
	Dashboards []string

	// Analyses are the IDs of the analyses that exist. Nil, the default, is that all do.
	Analyses []string

	// AllowedDomains are the origins, such as "https://app.example.com", whose pages may show the console in a frame, as
	// they stand in the frame-ancestors of a Content-Security-Policy. The default is none.
	AllowedDomains []string

	// Envelope wraps replies as a gateway in front of the service does: {"success":true,"data":{…}} and
	// {"success":false,"error":{…}}.
	Envelope bool

	// Now is the server's clock, for the dates of requests, for URLs and sessions, and for the Date header of replies. The
	// default is time.Now. A request that is signed more than 15 minutes off it is refused. It may be called concurrently.
	Now func() time.Time

	// Faults are injected before the first request.
	Faults []Fault

	// OnRequest is called with each request to the API just before it is answered, for a log. It may be called
	// concurrently, and must not close the server.
	OnRequest func(Request)

	// Listener is what the server listens on. The default is a free port of the loopback address 127.0.0.1.
	Listener net.Listener
}

// Identity is someone who signs requests.
type Identity struct {
	// Credentials are the identity's keys. Where CanExpire is set, requests get ExpiredTokenException after Expires.
	Credentials aws.Credentials

	// UserArn is the QuickSight user of the identity, such as
	// arn:aws:quicksight:us-east-1:111122223333:user/default/embed-role/jane of a role session: whom a request without a
	// UserArn is for.
	UserArn string
}

// Edition is an edition of QuickSight.
type Edition string

// The editions. Only the Enterprise editions have GetSessionEmbedUrl.
const (
	EditionEnterprise     Edition = "ENTERPRISE"
	EditionEnterpriseAndQ Edition = "ENTERPRISE_AND_Q"
	EditionStandard       Edition = "STANDARD"
	EditionNone           Edition = "NONE" // the account has no subscription
)

func (o *Options) setDefaults() {
	o.AwsAccountId = cmp.Or(o.AwsAccountId, "111122223333")
	o.Region = cmp.Or(o.Region, "us-east-1")
	o.Credentials.AccessKeyID = cmp.Or(o.Credentials.AccessKeyID, "AKIAIOSFODNN7EXAMPLE")
	o.Credentials.SecretAccessKey = cmp.Or(o.Credentials.SecretAccessKey, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	o.Edition = cmp.Or(o.Edition, EditionEnterprise)
	if o.Now == nil {
		o.Now = time.Now
	}
}

// identities are all who may sign requests.
func (o *Options) identities() []Identity {
	return append([]Identity{{Credentials: o.Credentials, UserArn: o.UserArn}}, o.Identities...)
}

// check panics on options that would let anybody in: they are an error of the test.
func (o *Options) check() {
	seen := map[string]bool{}
	for _, identity := range o.identities() {
		key := identity.Credentials.AccessKeyID
		if !identity.Credentials.HasKeys() || seen[key] {
			panic(fmt.Sprintf("embedtest: each identity must have an access key of its own and a secret key, which %q has not", key))
		}
		seen[key] = true
	}
	for _, role := range o.Roles {
		if !roleARN.MatchString(role) {
			panic(fmt.Sprintf("embedtest: a role must be arn:{partition}:iam::{account}:role/{name}, which %q is not", role))
		}
	}
}
