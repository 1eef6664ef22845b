package embedtest

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed"
)

// serviceError is an error that the service answers with.
type serviceError struct {
	status       int
	code         string
	message      string
	resourceType quicksightembed.ExceptionResourceType // set if the exception has one
}

// exceptionStatus are the statuses of the exceptions that QuickSight documents for the operation:
// https://docs.aws.amazon.com/quicksight/latest/APIReference/API_GetSessionEmbedUrl.html
var exceptionStatus = map[string]int{
	"AccessDeniedException":                    http.StatusUnauthorized,
	"InternalFailureException":                 http.StatusInternalServerError,
	"InvalidParameterValueException":           http.StatusBadRequest,
	"QuickSightUserNotFoundException":          http.StatusNotFound,
	"ResourceExistsException":                  http.StatusConflict,
	"ResourceNotFoundException":                http.StatusNotFound,
	"SessionLifetimeInMinutesInvalidException": http.StatusBadRequest,
	"ThrottlingException":                      http.StatusTooManyRequests,
	"UnsupportedUserEditionException":          http.StatusForbidden,
}

func exception(code, format string, args ...any) *serviceError {
	return refuse(exceptionStatus[code], code, format, args...)
}

func refuse(status int, code, format string, args ...any) *serviceError {
	return &serviceError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// answer is how an operation answers.
type answer struct {
	contentType string
	refuse      func(record *Request) *serviceError // what is wrong, or nil; fills the record
	reply       func(record Request, failure *serviceError) []byte
}

// serve answers a request to an operation, or applies a fault to it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, record Request, a answer) {
	claim := record
	auth, _ := parseAuthorization(r)
	claim.AccessKeyId, claim.UserArn = auth.accessKeyID, aws.ToString(record.Input.UserArn)
	fault := s.takeFault(claim, true)
	failure := fault.failure
	if failure == nil && fault.serve == nil {
		failure = a.refuse(&record)
		if failure == nil && fault.name == "" {
			fault = s.takeFault(record, false)
			failure = fault.failure
		}
	}
	record.Fault = fault.name
	if failure != nil {
		record.Status, record.Code, record.Message = failure.status, failure.code, failure.message
	}
	if fault.serve != nil {
		record.Status = fault.status
	}
	s.record(record)

	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("X-Amzn-RequestId", record.RequestId)
	if record.Code != "" {
		w.Header().Set("X-Amzn-ErrorType", record.Code)
	}
	if fault.skew != 0 {
		w.Header().Set("Date", s.Now().Add(fault.skew).UTC().Format(http.TimeFormat))
	}
	for name, values := range fault.header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if fault.serve != nil {
		fault.serve(w, r, func() []byte { return a.reply(record, nil) })
		return
	}
	pause(w, r, fault.delay)
	w.WriteHeader(record.Status)
	w.Write(a.reply(record, failure))
}

// pause waits. It breaks the connection if the client gives up or the server is closed first.
func pause(w http.ResponseWriter, r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d + writeTimeout))
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// serveQuickSight answers a request to QuickSight. It checks the signature first, as AWS does, and
// then the operation.
func (s *Server) serveQuickSight(w http.ResponseWriter, r *http.Request, body []byte, bodyErr error) {
	input, operation, operationErr := parseInput(r)
	record := newRecord(operation, r)
	record.Input = input
	s.serve(w, r, record, answer{contentType: "application/json", reply: s.reply, refuse: func(record *Request) *serviceError {
		if unreadable := refuseBody(bodyErr); unreadable != nil {
			return unreadable
		}
		signer, refusal := s.verifier("quicksight").verify(r, body)
		if refusal != nil {
			return refusal
		}
		record.AccessKeyId = signer.Credentials.AccessKeyID
		if operation == "" {
			return operationErr
		}
		record.UserArn = cmp.Or(aws.ToString(input.UserArn), signer.UserArn)
		if denied := s.refuseDenied(signer, aws.ToString(input.UserArn)); denied != nil {
			return denied
		}
		if operationErr != nil {
			return operationErr
		}
		if invalid := refuseInput(&input); invalid != nil {
			return invalid
		}
		return s.refuseState(&input, record.UserArn)
	}})
}

func refuseBody(err error) *serviceError {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "the body is larger than %d bytes", maxBodyBytes)
	case err != nil:
		return refuse(http.StatusBadRequest, "SerializationException", "the body cannot be read: %v", err)
	}
	return nil
}

// verifier returns the verifier for requests to a service: "quicksight" or "sts".
func (s *Server) verifier(service string) verifier {
	v := verifier{find: s.findSigner, regions: []string{s.options.Region}, service: service, now: s.Now()}
	if service == "sts" {
		v.regions = append(v.regions, "us-east-1") // the region of the global endpoint
	}
	return v
}

// findSigner returns the signer that has an access key, or nil.
func (s *Server) findSigner(accessKeyID string) *signer {
	s.mu.Lock()
	revoked := s.state.revoked[accessKeyID]
	s.mu.Unlock()
	if revoked {
		return nil
	}
	for _, identity := range s.options.identities() {
		if identity.Credentials.AccessKeyID == accessKeyID {
			return &signer{Identity: identity, iamARN: "arn:aws:iam::" + s.options.AwsAccountId + ":user/embedtest"}
		}
	}
	return s.roles.find(accessKeyID)
}

// refuseDenied refuses a call if Options.Denied has an action that it needs: GetSessionEmbedUrl
// and, with a UserArn, GetAuthCode for that user. The message is IAM's. It is not yet verified
// against QuickSight.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonquicksight.html
func (s *Server) refuseDenied(by *signer, userArn string) *serviceError {
	denied := func(action string) bool { return slices.Contains(s.options.Denied, action) }
	switch {
	case denied(actionGetSessionEmbedURL):
		return notAuthorized("AccessDeniedException", by, actionGetSessionEmbedURL, "*")
	case userArn != "" && denied(actionGetAuthCode):
		return notAuthorized("AccessDeniedException", by, actionGetAuthCode, userArn)
	}
	return nil
}

func notAuthorized(code string, by *signer, action, resource string) *serviceError {
	return refuse(http.StatusForbidden, code, "User: %s is not authorized to perform: %s on resource: %s", by.iamARN, action, resource)
}

// refuseInput applies the service's rules: the same that the client checks before it sends.
func refuseInput(input *quicksightembed.GetSessionEmbedUrlInput) *serviceError {
	var invalid *quicksightembed.ValidationError
	if !errors.As(input.Validate(), &invalid) {
		return nil
	}
	code := "InvalidParameterValueException"
	if invalid.Fields[0].Field == "SessionLifetimeInMinutes" {
		code = "SessionLifetimeInMinutesInvalidException"
	}
	return exception(code, "%s", invalid.Fields[0])
}

// refuseState refuses a request that the account, edition, users or resources do not allow.
func (s *Server) refuseState(input *quicksightembed.GetSessionEmbedUrlInput, userArn string) *serviceError {
	s.mu.Lock()
	edition, isRegistered := s.state.edition, s.state.isRegistered(userArn)
	s.mu.Unlock()
	o := &s.options
	dashboard, isDashboard := dashboardOf(aws.ToString(input.EntryPoint))
	analysis, isAnalysis := analysisOf(aws.ToString(input.EntryPoint))
	switch {
	case *input.AwsAccountId != o.AwsAccountId:
		return exception("AccessDeniedException", "the credentials are not allowed %s in account %s: they are of account %s",
			actionGetSessionEmbedURL, *input.AwsAccountId, o.AwsAccountId)
	case edition == EditionNone:
		failure := exception("ResourceNotFoundException", "the account %s has no QuickSight subscription", o.AwsAccountId)
		failure.resourceType = quicksightembed.ExceptionResourceTypeAccountSettings
		return failure
	case edition == EditionStandard:
		return exception("UnsupportedUserEditionException", "the edition %s has no GetSessionEmbedUrl", edition)
	case !isRegistered && userArn == "":
		return exception("QuickSightUserNotFoundException", "the identity that signed is not a QuickSight user")
	case !isRegistered:
		return exception("QuickSightUserNotFoundException", "the user %s is not registered", userArn)
	case isDashboard && o.Dashboards != nil && !slices.Contains(o.Dashboards, dashboard):
		return exception("ResourceNotFoundException", "the dashboard %s does not exist", dashboard)
	case isAnalysis && o.Analyses != nil && !slices.Contains(o.Analyses, analysis):
		return exception("ResourceNotFoundException", "the analysis %s does not exist", analysis)
	}
	return nil
}

// reply returns the body of an answer: a URL or the failure, in the form of the service or of a
// gateway in front of it.
func (s *Server) reply(record Request, failure *serviceError) []byte {
	body := map[string]any{"RequestId": record.RequestId}
	wrapped := s.options.Envelope || s.options.EnvelopeIdOnly
	switch {
	// A failure without a code is from a proxy in front of the gateway.
	case failure != nil && wrapped && failure.code != "":
		body["code"], body["message"] = failure.code, failure.message
		body = map[string]any{"success": false, "error": body}
	case failure != nil && exceptionStatus[failure.code] != 0: // the members of the API's model
		body["Message"] = failure.message
		if failure.resourceType != "" {
			body["ResourceType"] = failure.resourceType
		}
	case failure != nil:
		body = map[string]any{"message": failure.message}
	default:
		id, path := s.sessions.issue(&record.Input, record.UserArn)
		embedURL := cmp.Or(s.options.PublicURL, s.scheme()+"://"+record.Host) + path
		body["EmbedUrl"] = embedURL
		if wrapped {
			data := map[string]any{"id": id, "created_at": s.Now().UTC().Format(time.RFC3339)}
			if !s.options.EnvelopeIdOnly {
				maps.Copy(data, map[string]any{"embed_url": embedURL, "request_id": record.RequestId})
			}
			body = map[string]any{"success": true, "data": data}
		}
	}
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false) // a URL's & stays an &, as with the service
	encoder.Encode(body)
	return encoded.Bytes()
}

// parseInput reads the input of a request to GetSessionEmbedUrl. The operation is empty if the
// request is for another one.
func parseInput(r *http.Request) (input quicksightembed.GetSessionEmbedUrlInput, operation string, failure *serviceError) {
	path, ok := strings.CutPrefix(r.URL.Path, "/accounts/")
	account, ok2 := strings.CutSuffix(path, "/session-embed-url")
	if r.Method != http.MethodGet || !ok || !ok2 {
		return input, "", refuse(http.StatusNotFound, "UnknownOperationException", "%s %s is not GetSessionEmbedUrl, the only operation here", r.Method, r.URL.Path)
	}
	operation, input.AwsAccountId = operationGetSessionEmbedURL, &account
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return input, operation, exception("InvalidParameterValueException", "the query cannot be read: %v", err)
	}
	// AWS ignores unknown parameters.
	for _, name := range []string{"entry-point", "session-lifetime", "user-arn"} {
		values := query[name]
		if len(values) == 0 {
			continue
		}
		if len(values) > 1 {
			return input, operation, exception("InvalidParameterValueException", "%s is given %d times", name, len(values))
		}
		switch name {
		case "entry-point":
			input.EntryPoint = &values[0]
		case "user-arn":
			input.UserArn = &values[0]
		case "session-lifetime":
			minutes, err := strconv.ParseInt(values[0], 10, 64)
			// ParseInt returns the nearest number if one is out of range.
			if err != nil && !errors.Is(err, strconv.ErrRange) {
				return input, operation, exception("InvalidParameterValueException", "session-lifetime %q is not a number of minutes", values[0])
			}
			input.SessionLifetimeInMinutes = &minutes
		}
	}
	return input, operation, nil
}

func randomHex(bytes int) string {
	random := make([]byte, bytes)
	rand.Read(random)
	return hex.EncodeToString(random)
}
