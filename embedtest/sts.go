package embedtest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// This file is the part of AWS STS that role sessions need: AssumeRole, in the query protocol,
// signed for the service "sts", by GET or POST. The limits of a session are from
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

const (
	stsVersion           = "2011-06-15"
	defaultRoleLifetime  = time.Hour
	shortestRoleLifetime = 15 * time.Minute
	chainedRoleLifetime  = time.Hour // if a role session assumes a role
)

var (
	roleSessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	actionName      = regexp.MustCompile(`^\w{1,64}$`)
)

// roleSessions are the signers that AssumeRole has issued keys for.
type roleSessions struct {
	mu    sync.Mutex
	byKey boundedMap[*signer]
}

func (s *roleSessions) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byKey = boundedMap[*signer]{}
}

// find returns the signer of an access key, or nil.
func (s *roleSessions) find(accessKeyID string) *signer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byKey.values[accessKeyID]
}

// issue makes keys for a role session that expire at until.
func (s *roleSessions) issue(iamARN, userArn string, until time.Time) aws.Credentials {
	by := &signer{iamARN: iamARN, isRoleSession: true, Identity: Identity{UserArn: userArn, Credentials: aws.Credentials{
		AccessKeyID:     "ASIA" + rand.Text()[:16],
		SecretAccessKey: randomHex(20),
		SessionToken:    base64.StdEncoding.EncodeToString([]byte("embedtest/" + randomHex(64))),
		CanExpire:       true,
		Expires:         until.UTC().Truncate(time.Second),
	}}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byKey.add(by.Credentials.AccessKeyID, by, maxRoleSessions)
	return by.Credentials
}

// isForSTS reports whether a request is of the query protocol, which QuickSight does not speak: a
// POST of a form, or an Action in the query of a GET or POST.
func isForSTS(r *http.Request) bool {
	contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	isForm := r.Method == http.MethodPost && contentType == "application/x-www-form-urlencoded"
	isGetOrPost := r.Method == http.MethodGet || r.Method == http.MethodPost
	return r.URL.Path == "/" && (isForm || isGetOrPost && r.URL.Query().Has("Action"))
}

// assumeRoleReply is the reply to AssumeRole.
type assumeRoleReply struct {
	XMLName         xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleResponse"`
	AssumedRoleId   string   `xml:"AssumeRoleResult>AssumedRoleUser>AssumedRoleId"`
	Arn             string   `xml:"AssumeRoleResult>AssumedRoleUser>Arn"`
	AccessKeyId     string   `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
	SecretAccessKey string   `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
	SessionToken    string   `xml:"AssumeRoleResult>Credentials>SessionToken"`
	Expiration      string   `xml:"AssumeRoleResult>Credentials>Expiration"`
	RequestId       string   `xml:"ResponseMetadata>RequestId"`
}

// stsErrorReply is the reply to a request that fails.
type stsErrorReply struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestId string
}

// serveSTS answers a request to STS, whose parameters are in the query or in the body.
func (s *Server) serveSTS(w http.ResponseWriter, r *http.Request, body []byte, bodyErr error) {
	query, queryErr := url.ParseQuery(r.URL.RawQuery)
	form, formErr := url.ParseQuery(string(body))
	maps.Copy(form, query)
	action := form.Get("Action")
	if !actionName.MatchString(action) {
		action = ""
	}
	assumed := roleToAssume{arn: form.Get("RoleArn"), name: form.Get("RoleSessionName")}
	s.serve(w, r, newRecord(action, r), answer{contentType: "text/xml", refuse: func(record *Request) *serviceError {
		if unreadable := refuseBody(bodyErr); unreadable != nil {
			return unreadable
		}
		by, refusal := s.verifier("sts").verify(r, body)
		if refusal != nil {
			return withSTSCode(refusal)
		}
		record.AccessKeyId = by.Credentials.AccessKeyID
		if err := errors.Join(queryErr, formErr); err != nil {
			return refuse(http.StatusBadRequest, "ValidationError", "the parameters cannot be read: %v", err)
		}
		if action != operationAssumeRole || form.Get("Version") != stsVersion {
			return refuse(http.StatusBadRequest, "InvalidAction", "the action %q of version %q is not AssumeRole of version %s, the only one here",
				form.Get("Action"), form.Get("Version"), stsVersion)
		}
		return s.refuseRole(record, &assumed, by, form.Get("DurationSeconds"))
	}, reply: func(record Request, failure *serviceError) []byte {
		var reply any
		if failure != nil {
			reply = stsErrorReply{Type: "Sender", Code: failure.code, Message: failure.message, RequestId: record.RequestId}
		} else {
			reply = s.issueRole(record, assumed)
		}
		encoded, _ := xml.Marshal(reply)
		return encoded
	}})
}

// roleToAssume is the role session that a request asks for.
type roleToAssume struct {
	arn, name  string
	lifetime   time.Duration
	sessionARN string // of the assumed role
}

// refuseRole returns why the role cannot be assumed, or nil, and fills the role and the record.
func (s *Server) refuseRole(record *Request, role *roleToAssume, by *signer, seconds string) *serviceError {
	invalid := func(format string, args ...any) *serviceError {
		return refuse(http.StatusBadRequest, "ValidationError", format, args...)
	}
	parts := roleARN.FindStringSubmatch(role.arn)
	if parts == nil {
		return invalid("RoleArn %q must be arn:{partition}:iam::{account}:role/{name}", role.arn)
	}
	if !roleSessionName.MatchString(role.name) {
		return invalid("RoleSessionName %q must be 2 to 64 letters, digits or _+=,.@-", role.name)
	}
	role.lifetime = defaultRoleLifetime
	if seconds != "" {
		n, err := strconv.ParseInt(seconds, 10, 32)
		role.lifetime = time.Duration(n) * time.Second
		if err != nil || role.lifetime < shortestRoleLifetime {
			return invalid("DurationSeconds %q must be %v or more", seconds, shortestRoleLifetime.Seconds())
		}
	}
	switch {
	case slices.Contains(s.options.Denied, actionAssumeRole) || !slices.Contains(s.options.Roles, role.arn):
		return notAuthorized("AccessDenied", by, actionAssumeRole, role.arn)
	case by.isRoleSession && role.lifetime > chainedRoleLifetime:
		return invalid("DurationSeconds %q is more than the 1 hour of a role that is assumed with the keys of a role session", seconds)
	case role.lifetime > s.options.MaxSessionDuration:
		return invalid("DurationSeconds %q is more than the MaxSessionDuration of the role, %s", seconds, s.options.MaxSessionDuration)
	}
	partition, account, roleName := parts[1], parts[2], parts[3]
	record.UserArn = fmt.Sprintf("arn:%s:quicksight:%s:%s:user/default/%s/%s", partition, s.options.Region, account, roleName, role.name)
	role.sessionARN = fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", partition, account, roleName, role.name)
	return nil
}

func (s *Server) issueRole(record Request, role roleToAssume) assumeRoleReply {
	credentials := s.roles.issue(role.sessionARN, record.UserArn, s.Now().Add(role.lifetime))
	return assumeRoleReply{
		AssumedRoleId: "AROA" + rand.Text()[:16] + ":" + role.name, Arn: role.sessionARN,
		AccessKeyId: credentials.AccessKeyID, SecretAccessKey: credentials.SecretAccessKey,
		SessionToken: credentials.SessionToken, Expiration: credentials.Expires.Format(time.RFC3339),
		RequestId: record.RequestId,
	}
}

// withSTSCode replaces the code of a refusal by that of STS.
func withSTSCode(refusal *serviceError) *serviceError {
	if code, ok := map[string]string{
		"ExpiredTokenException":               "ExpiredToken",
		"IncompleteSignatureException":        "IncompleteSignature",
		"InvalidSignatureException":           "SignatureDoesNotMatch",
		"MissingAuthenticationTokenException": "MissingAuthenticationToken",
		"UnrecognizedClientException":         "InvalidClientTokenId",
	}[refusal.code]; ok {
		refusal.code = code
	}
	return refusal
}
