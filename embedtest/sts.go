package embedtest

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// This file is as much of AWS STS as role sessions need: AssumeRole, in the query protocol, signed for the service "sts".
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

const (
	stsVersion           = "2011-06-15"
	stsNamespace         = "https://sts.amazonaws.com/doc/2011-06-15/"
	defaultRoleLifetime  = time.Hour
	shortestRoleLifetime = 15 * time.Minute
	longestRoleLifetime  = 12 * time.Hour
)

var (
	roleARN         = regexp.MustCompile(`^arn:(aws[a-z-]*):iam::(\d{12}):role/(?:[\w+=,.@/-]+/)?([\w+=,.@-]{1,64})$`)
	roleSessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

// roleSessions are the identities that AssumeRole has issued keys for.
type roleSessions struct {
	mu    sync.Mutex
	byKey recent[*Identity]
}

// find returns the identity of an access key, or nil.
func (s *roleSessions) find(accessKeyID string) *Identity {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byKey.values[accessKeyID]
}

// issue makes keys for a QuickSight user that last until the time.
func (s *roleSessions) issue(userArn string, until time.Time) aws.Credentials {
	identity := &Identity{UserArn: userArn, Credentials: aws.Credentials{
		AccessKeyID:     "ASIA" + strings.ToUpper(randomHex(8)),
		SecretAccessKey: randomHex(20),
		SessionToken:    base64.StdEncoding.EncodeToString([]byte("embedtest/" + randomHex(64))),
		CanExpire:       true,
		Expires:         until.UTC().Truncate(time.Second),
	}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byKey.add(identity.Credentials.AccessKeyID, identity, maxRoleSessions)
	return identity.Credentials
}

// isForSTS reports whether a request is of the query protocol, which QuickSight does not speak.
func isForSTS(r *http.Request) bool {
	contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return r.Method == http.MethodPost && r.URL.Path == "/" && contentType == "application/x-www-form-urlencoded"
}

// assumeRoleReply is the reply to AssumeRole.
type assumeRoleReply struct {
	XMLName xml.Name `xml:"AssumeRoleResponse"`
	XMLNS   string   `xml:"xmlns,attr"`
	Result  struct {
		AssumedRoleUser struct {
			AssumedRoleId string
			Arn           string
		}
		Credentials struct {
			AccessKeyId     string
			SecretAccessKey string
			SessionToken    string
			Expiration      string
		}
	} `xml:"AssumeRoleResult"`
	RequestId string `xml:"ResponseMetadata>RequestId"`
}

// stsErrorReply is the reply to a request that fails.
type stsErrorReply struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	XMLNS     string   `xml:"xmlns,attr"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestId string
}

// serveSTS answers AssumeRole.
func (s *Server) serveSTS(w http.ResponseWriter, r *http.Request, body []byte, bodyErr error) {
	record := newRecord("AssumeRole", r)
	reply, failure := s.assumeRole(&record, r, body, bodyErr)
	if failure != nil {
		record.Status, record.Code, record.Message = failure.status, failure.code, failure.message
	}
	s.record(record)
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-RequestId", record.RequestId)
	w.WriteHeader(record.Status)
	if failure != nil {
		xml.NewEncoder(w).Encode(stsErrorReply{XMLNS: stsNamespace, Type: "Sender", Code: failure.code, Message: failure.message, RequestId: record.RequestId})
		return
	}
	xml.NewEncoder(w).Encode(reply)
}

// assumeRole judges a request as AWS does, signature first, and returns keys for the role session, or why there are none.
func (s *Server) assumeRole(record *Request, r *http.Request, body []byte, bodyErr error) (reply assumeRoleReply, failure *serviceError) {
	if unreadable := judgeBody(bodyErr); unreadable != nil {
		return reply, unreadable
	}
	identity, refusal := s.verifier("sts").verify(r, body)
	if refusal != nil {
		return reply, inSTSWords(refusal)
	}
	record.AccessKeyId = identity.Credentials.AccessKeyID
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return reply, refuse(http.StatusBadRequest, "ValidationError", "the form cannot be read: %v", err)
	}
	if form.Get("Action") != "AssumeRole" || form.Get("Version") != stsVersion {
		return reply, refuse(http.StatusBadRequest, "InvalidAction", "the action %q of version %q is not AssumeRole of version %s, the only one here",
			form.Get("Action"), form.Get("Version"), stsVersion)
	}
	role, name := form.Get("RoleArn"), form.Get("RoleSessionName")
	lifetime, failure := roleLifetime(form.Get("DurationSeconds"))
	switch {
	case failure != nil:
		return reply, failure
	case !roleSessionName.MatchString(name):
		return reply, refuse(http.StatusBadRequest, "ValidationError", "RoleSessionName %q must be 2 to 64 letters, digits or _+=,.@-", name)
	case !slices.Contains(s.options.Roles, role):
		return reply, refuse(http.StatusForbidden, "AccessDenied", "the credentials are not allowed sts:AssumeRole on %q, or there is no such role", role)
	}

	parts := roleARN.FindStringSubmatch(role)
	partition, account, roleName := parts[1], parts[2], parts[3]
	record.UserArn = fmt.Sprintf("arn:%s:quicksight:%s:%s:user/default/%s/%s", partition, s.options.Region, account, roleName, name)
	credentials := s.roles.issue(record.UserArn, s.now().Add(lifetime))
	reply.XMLNS, reply.RequestId = stsNamespace, record.RequestId
	reply.Result.AssumedRoleUser.AssumedRoleId = "AROA" + strings.ToUpper(randomHex(8)) + ":" + name
	reply.Result.AssumedRoleUser.Arn = fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", partition, account, roleName, name)
	reply.Result.Credentials.AccessKeyId = credentials.AccessKeyID
	reply.Result.Credentials.SecretAccessKey = credentials.SecretAccessKey
	reply.Result.Credentials.SessionToken = credentials.SessionToken
	reply.Result.Credentials.Expiration = credentials.Expires.Format(time.RFC3339)
	return reply, nil
}

// roleLifetime reads for how many seconds keys are asked for.
func roleLifetime(seconds string) (time.Duration, *serviceError) {
	if seconds == "" {
		return defaultRoleLifetime, nil
	}
	n, err := strconv.Atoi(seconds)
	if err != nil || n < int(shortestRoleLifetime.Seconds()) || n > int(longestRoleLifetime.Seconds()) {
		return 0, refuse(http.StatusBadRequest, "ValidationError", "DurationSeconds %q must be %v to %v", seconds, shortestRoleLifetime.Seconds(), longestRoleLifetime.Seconds())
	}
	return time.Duration(n) * time.Second, nil
}

// inSTSWords gives a refusal the code that STS has for it.
func inSTSWords(refusal *serviceError) *serviceError {
	if code, ok := map[string]string{
		"ExpiredTokenException":               "ExpiredToken",
		"IncompleteSignatureException":        "IncompleteSignature",
		"InvalidSignatureException":           "SignatureDoesNotMatch",
		"MissingAuthenticationTokenException": "MissingAuthenticationToken",
		"UnrecognizedClientException":         "InvalidClientTokenId",
	}[refusal.code]; ok {
		return refuse(refusal.status, code, "%s", refusal.message)
	}
	return refusal
}
