package embedtest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.com/quicksightembed"
)

// serviceError is an error as the service answers it.
type serviceError struct {
	status  int
	code    string
	message string
}

func refuse(status int, code, format string, args ...any) *serviceError {
	return &serviceError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// serveAPI answers a request to the API: signature first, as AWS does, then the operation.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, body []byte, bodyErr error) {
	record := Request{
		Method: r.Method, URI: r.RequestURI, Host: r.Host, Header: r.Header.Clone(),
		RequestId: newRequestID(), Status: http.StatusOK,
	}
	input, operationErr := parseInput(r)
	if input != nil {
		record.Input = *input
	}
	v := verifier{credentials: s.options.Credentials, region: s.options.Region, service: "quicksight", now: s.options.Now()}

	reply := map[string]any{"RequestId": record.RequestId}
	failure := v.verify(r, body)
	if bodyErr != nil {
		failure = refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "the body cannot be read, or is larger than %d bytes", maxBodyBytes)
	}
	if failure == nil {
		failure = operationErr
	}
	if failure == nil {
		failure = s.judge(input)
	}
	if failure == nil {
		reply["EmbedUrl"] = s.URL + s.sessions.issue(input)
		reply["Status"] = http.StatusOK
	} else {
		record.Status, record.Code, record.Message = failure.status, failure.code, failure.message
		reply["message"] = failure.message
		w.Header().Set("X-Amzn-ErrorType", failure.code)
	}
	s.record(record)

	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-RequestId", record.RequestId)
	w.WriteHeader(record.Status)
	json.NewEncoder(w).Encode(reply)
}

// parseInput reads the input off a request to GetSessionEmbedUrl.
func parseInput(r *http.Request) (*quicksightembed.GetSessionEmbedUrlInput, *serviceError) {
	path, ok := strings.CutPrefix(r.URL.Path, "/accounts/")
	account, ok2 := strings.CutSuffix(path, "/session-embed-url")
	if r.Method != http.MethodGet || !ok || !ok2 {
		return nil, refuse(http.StatusNotFound, "UnknownOperationException", "%s %s is not GetSessionEmbedUrl, the only operation here", r.Method, r.URL.Path)
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidParameterValueException", "the query cannot be read: %v", err)
	}
	input := &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: &account}
	for _, name := range []string{"entry-point", "session-lifetime", "user-arn"} { // AWS ignores what it does not know
		values := query[name]
		if len(values) == 0 {
			continue
		}
		if len(values) > 1 {
			return input, refuse(http.StatusBadRequest, "InvalidParameterValueException", "%s is given %d times", name, len(values))
		}
		switch name {
		case "entry-point":
			input.EntryPoint = &values[0]
		case "user-arn":
			input.UserArn = &values[0]
		case "session-lifetime":
			minutes, err := strconv.ParseInt(values[0], 10, 64)
			if err != nil {
				return input, refuse(http.StatusBadRequest, "InvalidParameterValueException", "session-lifetime %q is not a number of minutes", values[0])
			}
			input.SessionLifetimeInMinutes = &minutes
		}
	}
	return input, nil
}

// judge applies the service's rules, which are those that the client checks before it sends, and then its state.
func (s *Server) judge(input *quicksightembed.GetSessionEmbedUrlInput) *serviceError {
	var invalid *quicksightembed.ValidationError
	if errors.As(input.Validate(), &invalid) {
		code := "InvalidParameterValueException"
		if invalid.Fields[0].Field == "SessionLifetimeInMinutes" {
			code = "SessionLifetimeInMinutesInvalidException"
		}
		return refuse(http.StatusBadRequest, code, "%s", invalid.Fields[0])
	}
	if *input.AwsAccountId != s.options.AwsAccountId {
		return refuse(http.StatusUnauthorized, "AccessDeniedException", "the credentials are not allowed quicksight:GetSessionEmbedUrl in account %s", *input.AwsAccountId)
	}
	if input.UserArn != nil && s.options.Users != nil && !slices.Contains(s.options.Users, *input.UserArn) {
		return refuse(http.StatusNotFound, "QuickSightUserNotFoundException", "the user %s is not registered", *input.UserArn)
	}
	return nil
}

func newRequestID() string {
	id := randomHex(16)
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
}

func randomHex(bytes int) string {
	random := make([]byte, bytes)
	rand.Read(random)
	return hex.EncodeToString(random)
}
