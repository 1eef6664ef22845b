package embedtest

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed"
)

// serviceError is an error as the service answers it.
type serviceError struct {
	status  int
	code    string
	message string
}

// statusOf are the statuses of the exceptions that QuickSight documents for the operation.
var statusOf = map[string]int{
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
	return refuse(statusOf[code], code, format, args...)
}

func refuse(status int, code, format string, args ...any) *serviceError {
	return &serviceError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// serveAPI answers a request to the API: signature first, as AWS does, then the operation.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, body []byte, bodyErr error) {
	record := newRecord("GetSessionEmbedUrl", r)
	failure := s.judge(&record, r, body, bodyErr)
	fault := &Fault{}
	if failure == nil {
		fault = s.takeFault(record)
		failure, record.Fault = fault.failure, fault.name
	}
	if failure != nil {
		record.Status, record.Code, record.Message = failure.status, failure.code, failure.message
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-RequestId", record.RequestId)
	if failure != nil && failure.code != "" {
		w.Header().Set("X-Amzn-ErrorType", failure.code)
	}
	if fault.skew != 0 {
		w.Header().Set("Date", s.now().Add(fault.skew).UTC().Format(http.TimeFormat))
	}
	if fault.serve != nil {
		record.Status = fault.status
		s.record(record)
		fault.serve(w, r, func() []byte { return s.reply(record, nil) })
		return
	}
	s.record(record)
	w.WriteHeader(record.Status)
	w.Write(s.reply(record, failure))
}

// judge returns what is wrong with the request, or nil where it is to get a URL, and fills the record.
func (s *Server) judge(record *Request, r *http.Request, body []byte, bodyErr error) *serviceError {
	input, operationErr := parseInput(r)
	if input != nil {
		record.Input = *input
	}
	if unreadable := judgeBody(bodyErr); unreadable != nil {
		return unreadable
	}
	identity, refusal := s.verifier("quicksight").verify(r, body)
	if refusal != nil {
		return refusal
	}
	record.AccessKeyId = identity.Credentials.AccessKeyID
	if operationErr != nil {
		return operationErr
	}
	record.UserArn = identity.UserArn
	if input.UserArn != nil {
		record.UserArn = *input.UserArn
	}
	if invalid := judgeInput(input); invalid != nil {
		return invalid
	}
	return s.judgeState(input, record.UserArn)
}

func judgeBody(err error) *serviceError {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "the body is larger than %d bytes", maxBodyBytes)
	case err != nil:
		return refuse(http.StatusBadRequest, "SerializationException", "the body cannot be read: %v", err)
	}
	return nil
}

// verifier is one for requests to a service of AWS.
func (s *Server) verifier(service string) verifier {
	return verifier{
		identities:   s.options.identities(),
		roleSessions: &s.roles,
		region:       s.options.Region,
		service:      service,
		now:          s.now(),
	}
}

func (s *Server) isRegistered(userArn string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.Users == nil || slices.Contains(s.options.Users, userArn)
}

// judgeInput applies the service's rules, which are those that the client checks before it sends.
func judgeInput(input *quicksightembed.GetSessionEmbedUrlInput) *serviceError {
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

// judgeState compares what is asked for with what the server knows.
func (s *Server) judgeState(input *quicksightembed.GetSessionEmbedUrlInput, userArn string) *serviceError {
	o := &s.options
	dashboard, isDashboard := dashboardOf(aws.ToString(input.EntryPoint))
	analysis, isAnalysis := analysisOf(aws.ToString(input.EntryPoint))
	switch {
	case *input.AwsAccountId != o.AwsAccountId:
		return exception("AccessDeniedException", "the credentials are not allowed quicksight:GetSessionEmbedUrl in account %s", *input.AwsAccountId)
	case o.Edition == EditionNone:
		return exception("ResourceNotFoundException", "the account %s has no QuickSight subscription", o.AwsAccountId)
	case o.Edition != EditionEnterprise && o.Edition != EditionEnterpriseAndQ:
		return exception("UnsupportedUserEditionException", "the edition %s has no GetSessionEmbedUrl", o.Edition)
	case !s.isRegistered(userArn) && userArn == "":
		return exception("QuickSightUserNotFoundException", "the identity that signed is not a QuickSight user")
	case !s.isRegistered(userArn):
		return exception("QuickSightUserNotFoundException", "the user %s is not registered", userArn)
	case isDashboard && o.Dashboards != nil && !slices.Contains(o.Dashboards, dashboard):
		return exception("ResourceNotFoundException", "the dashboard %s does not exist", dashboard)
	case isAnalysis && o.Analyses != nil && !slices.Contains(o.Analyses, analysis):
		return exception("ResourceNotFoundException", "the analysis %s does not exist", analysis)
	}
	return nil
}

// reply returns the body of an answer: a URL, or the failure, as the service or a gateway in front of it puts it.
func (s *Server) reply(record Request, failure *serviceError) []byte {
	var body map[string]any
	switch {
	case failure != nil && s.options.Envelope && failure.code != "": // one without a code comes from before the gateway
		body = map[string]any{"success": false, "error": map[string]any{"code": failure.code, "message": failure.message, "RequestId": record.RequestId}}
	case failure != nil:
		body = map[string]any{"message": failure.message, "RequestId": record.RequestId}
	case s.options.Envelope:
		id, path := s.sessions.issue(&record.Input, record.UserArn)
		body = map[string]any{"success": true, "data": map[string]any{
			"id": id, "created_at": s.now().UTC().Format(time.RFC3339), "embed_url": s.scheme() + "://" + record.Host + path, "request_id": record.RequestId,
		}}
	default:
		_, path := s.sessions.issue(&record.Input, record.UserArn)
		body = map[string]any{"EmbedUrl": s.scheme() + "://" + record.Host + path, "RequestId": record.RequestId, "Status": http.StatusOK}
	}
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false) // as the service: a URL's & stays an &
	encoder.Encode(body)
	return encoded.Bytes()
}

// parseInput reads the input off a request to GetSessionEmbedUrl.
func parseInput(r *http.Request) (*quicksightembed.GetSessionEmbedUrlInput, *serviceError) {
	path, ok := strings.CutPrefix(r.URL.Path, "/accounts/")
	account, ok2 := strings.CutSuffix(path, "/session-embed-url")
	if r.Method != http.MethodGet || !ok || !ok2 {
		return nil, refuse(http.StatusNotFound, "UnknownOperationException", "%s %s is not GetSessionEmbedUrl, the only operation here", r.Method, r.URL.Path)
	}
	parameters, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, exception("InvalidParameterValueException", "the query cannot be read: %v", err)
	}
	query := map[string][]string{}
	for _, p := range parameters {
		query[p.name] = append(query[p.name], p.value)
	}
	input := &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: &account}
	for _, name := range []string{"entry-point", "session-lifetime", "user-arn"} { // AWS ignores what it does not know
		values := query[name]
		if len(values) == 0 {
			continue
		}
		if len(values) > 1 {
			return input, exception("InvalidParameterValueException", "%s is given %d times", name, len(values))
		}
		switch name {
		case "entry-point":
			input.EntryPoint = &values[0]
		case "user-arn":
			input.UserArn = &values[0]
		case "session-lifetime":
			minutes, err := strconv.ParseInt(values[0], 10, 64)
			if err != nil && !errors.Is(err, strconv.ErrRange) { // out of range, it is the nearest number
				return input, exception("InvalidParameterValueException", "session-lifetime %q is not a number of minutes", values[0])
			}
			input.SessionLifetimeInMinutes = &minutes
		}
	}
	return input, nil
}

func randomHex(bytes int) string {
	random := make([]byte, bytes)
	rand.Read(random)
	return hex.EncodeToString(random)
}
