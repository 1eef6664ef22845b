package embedtest

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed"
)

// Options configure what the server knows and how it answers. The zero value works: a field is off
// or empty by default, unless its comment says another default.
type Options struct {
	// AwsAccountId is the account of the server. The default is "111122223333".
	AwsAccountId string

	// Region is the region that requests must be signed for. The default is "us-east-1".
	// Requests to STS may also be signed for "us-east-1", the region of its global endpoint.
	Region string

	// Credentials are those that Config returns and that requests may be signed with. If they
	// have a session token, requests must have it too. The default keys are new for each
	// server, so that a server refuses the clients of others.
	Credentials aws.Credentials

	// UserArn is the QuickSight user of Credentials: the user that a request without a UserArn
	// is for. The default is none: such a request gets a URL if everyone is registered, and
	// QuickSightUserNotFoundException otherwise.
	UserArn string

	// Identities are more keys that requests may be signed with, such as those of a role
	// session for each end user.
	Identities []Identity

	// Roles are the ARNs of roles, such as arn:aws:iam::111122223333:role/embed, that an
	// identity may assume: AssumeRole of STS returns keys for a role session, whose QuickSight
	// user is …:user/default/{role name}/{session name}. The keys last as long as the request
	// says, by the server's clock; default 1 hour, with package stscreds 15 minutes. The
	// default is none.
	Roles []string

	// MaxSessionDuration is the longest session of Roles, 1 to 12 hours. The default is 1
	// hour. A role that is assumed with the keys of a role session always lasts at most 1 hour.
	MaxSessionDuration time.Duration

	// Edition is the account's edition. The default is EditionEnterprise.
	Edition Edition

	// Users are the ARNs of the registered users; others get QuickSightUserNotFoundException.
	// Nil, the default, registers everyone; an empty list registers nobody.
	Users []string

	// Dashboards are the IDs of the dashboards that exist. Nil, the default, means all.
	Dashboards []string

	// Analyses are the IDs of the analyses that exist. Nil, the default, means all.
	Analyses []string

	// Denied are IAM actions that no identity is allowed: "quicksight:GetSessionEmbedUrl",
	// "quicksight:GetAuthCode" (for calls with a UserArn) or "sts:AssumeRole". The default is
	// none.
	Denied []string

	// AllowedDomains are the origins whose pages may show the console in a frame, such as
	// "https://app.example.com" or "https://*.example.com". The default is none.
	AllowedDomains []string

	// TLS makes NewServer and New speak HTTPS, as NewTLSServer does.
	TLS bool

	// PublicURL is where browsers reach the server, such as "https://quicksight.test:8484".
	// Set it if that is not where the server listens. Embed URLs begin with it. The default is
	// the host that a request was sent to.
	PublicURL string

	// Envelope wraps replies as a gateway in front of the service does:
	// {"success":true,"data":{…}} and {"success":false,"error":{…}}.
	Envelope bool

	// EnvelopeIdOnly wraps replies as Envelope does, without the URL: data has an id and the
	// time of creation.
	EnvelopeIdOnly bool

	// ConsoleDelay is how long the console's page takes to answer. That of AWS takes seconds.
	ConsoleDelay time.Duration

	// ConsoleSilent makes the console's page post no message to the page around it, not even
	// about errors. Otherwise it posts ERROR_OCCURRED and PAGE_NAVIGATION, which AWS documents
	// for consoles.
	ConsoleSilent bool

	// RealPauses gives clients of Config the pauses between attempts, and the timeouts, that
	// they have with AWS.
	RealPauses bool

	// Now is the server's clock: for the dates of requests, for URLs and sessions, and for the
	// Date header of replies. The default is time.Now. It may be called concurrently.
	Now func() time.Time

	// Faults are injected before the first request, and again by Reset.
	Faults []Fault

	// OnRequest is called with each request to the API just before it is answered, for a log.
	// It may be called concurrently, and must not close the server.
	OnRequest func(Request)

	// Wrap returns a handler around the server's own, to log or to answer more paths. It is
	// called once, before the server starts.
	Wrap func(http.Handler) http.Handler

	// Listener is what the server listens on. The default is a free port of 127.0.0.1.
	Listener net.Listener
}

// Identity is someone who signs requests.
type Identity struct {
	// Credentials are the identity's keys. If CanExpire is set, requests get
	// ExpiredTokenException after Expires.
	Credentials aws.Credentials

	// UserArn is the QuickSight user of the identity: the user that a request without a
	// UserArn is for. For a role session it ends in user/default/{role name}/{session name}.
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

var editions = []Edition{EditionEnterprise, EditionEnterpriseAndQ, EditionStandard, EditionNone}

// The IAM actions that a call needs.
const (
	actionGetSessionEmbedURL = "quicksight:GetSessionEmbedUrl"
	actionGetAuthCode        = "quicksight:GetAuthCode"
	actionAssumeRole         = "sts:AssumeRole"
)

var actions = []string{actionGetSessionEmbedURL, actionGetAuthCode, actionAssumeRole}

func (o *Options) setDefaults() {
	o.AwsAccountId = cmp.Or(o.AwsAccountId, "111122223333")
	o.Region = cmp.Or(o.Region, "us-east-1")
	o.Credentials.AccessKeyID = cmp.Or(o.Credentials.AccessKeyID, "AKIA"+rand.Text()[:16])
	o.Credentials.SecretAccessKey = cmp.Or(o.Credentials.SecretAccessKey, randomHex(20))
	o.Edition = cmp.Or(o.Edition, EditionEnterprise)
	o.MaxSessionDuration = cmp.Or(o.MaxSessionDuration, time.Hour)
	if o.Now == nil {
		o.Now = time.Now
	}
}

var (
	region  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	origin  = regexp.MustCompile(`^https?://(\*\.)?[A-Za-z0-9.-]+(:(\d+|\*))?$`)
	roleARN = regexp.MustCompile(`^arn:(aws[a-z-]*):iam::(\d{12}):role/(?:[\w+=,.@/-]+/)?([\w+=,.@-]{1,64})$`)
)

// Validate returns an error for the first invalid value, and says what is valid. New, NewServer
// and NewTLSServer panic with it.
func (o Options) Validate() (err error) {
	o.setDefaults()
	check := func(ok bool, format string, args ...any) {
		if !ok && err == nil {
			err = fmt.Errorf(format, args...)
		}
	}
	// Uses the client's rules. A user may be of another account.
	checkInput := func(entryPoint, userArn *string) {
		in := quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: &o.AwsAccountId, EntryPoint: entryPoint, UserArn: userArn}
		if parts := strings.Split(aws.ToString(userArn), ":"); len(parts) > 5 {
			in.AwsAccountId = &parts[4]
		}
		if invalid := in.Validate(); err == nil {
			err = invalid
		}
	}
	checkInput(nil, nil)
	check(region.MatchString(o.Region), "region %q must be one such as us-east-1", o.Region)
	check(slices.Contains(editions, o.Edition), "edition %q must be one of %q", o.Edition, editions)
	check(o.MaxSessionDuration >= time.Hour && o.MaxSessionDuration <= 12*time.Hour,
		"maximum session duration %s must be 1h to 12h", o.MaxSessionDuration)
	check(o.ConsoleDelay >= 0, "console delay %s must not be negative", o.ConsoleDelay)
	check(o.PublicURL == "" || origin.MatchString(o.PublicURL) && !strings.Contains(o.PublicURL, "*"),
		"public URL %q must be scheme and host, such as https://quicksight.test:8484", o.PublicURL)
	for _, user := range o.Users {
		checkInput(nil, &user)
	}
	for _, id := range o.Dashboards {
		checkInput(aws.String(quicksightembed.DashboardEntryPoint(id)), nil)
	}
	for _, id := range o.Analyses {
		checkInput(aws.String(quicksightembed.AnalysisEntryPoint(id)), nil)
	}
	for _, role := range o.Roles {
		check(roleARN.MatchString(role), "role %q must be arn:{partition}:iam::{account}:role/{name}", role)
	}
	for _, action := range o.Denied {
		check(slices.Contains(actions, action), "denied action %q must be one of %q", action, actions)
	}
	for _, domain := range o.AllowedDomains {
		check(origin.MatchString(domain), "allowed domain %q must be an origin such as https://app.example.com", domain)
	}
	keys := map[string]bool{}
	for _, identity := range o.identities() {
		if identity.UserArn != "" {
			checkInput(nil, &identity.UserArn)
		}
		key := identity.Credentials.AccessKeyID
		check(identity.Credentials.HasKeys() && !keys[key], "identity %q must have a secret key, and an access key that no other has", key)
		keys[key] = true
	}
	return err
}

// identities returns all who may sign requests.
func (o *Options) identities() []Identity {
	return append([]Identity{{Credentials: o.Credentials, UserArn: o.UserArn}}, o.Identities...)
}
