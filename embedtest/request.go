package embedtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"example.com/quicksightembed"
)

// Request is a request to the API, and how the server answered it.
type Request struct {
	Operation string // "GetSessionEmbedUrl", or the Action of a request to STS; "" if unknown
	Method    string
	URI       string      // path and query as they were sent
	Host      string      // the Host header
	Header    http.Header // as it was sent, secrets included

	// Input is what the request asked for, as far as it could be read; empty for AssumeRole.
	Input quicksightembed.GetSessionEmbedUrlInput

	// AccessKeyId is the access key that signed the request, empty if the signature is wrong
	// or was not verified.
	AccessKeyId string

	// UserArn is the QuickSight user that a correctly signed request is for: that of Input, or
	// else that of the Identity that signed it, or that of the role session of AssumeRole.
	UserArn string

	RequestId string // of the reply
	Status    int    // HTTP status of the reply, 0 if a fault left none
	Code      string // error code of the reply, empty on success or if a fault had none
	Message   string // error message of the reply
	Fault     string // what was injected, such as "Throttle"; empty for the server's own answer
}

// newRecord returns the record of a request that has not failed so far.
func newRecord(operation string, r *http.Request) Request {
	return Request{
		Operation: operation, Method: r.Method, URI: r.RequestURI, Host: r.Host, Header: r.Header.Clone(),
		RequestId: newRequestID(), Status: http.StatusOK,
	}
}

func newRequestID() string {
	id := randomHex(16)
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
}

// String describes the request and its answer in one line, without secrets.
func (r Request) String() string {
	answer := "issued a URL"
	if r.Operation == operationAssumeRole {
		answer = "issued keys for " + r.UserArn
	}
	if r.Code != "" {
		answer = r.Code + ": " + r.Message
	}
	if r.Fault != "" {
		answer = strings.TrimSuffix("fault "+r.Fault+", "+r.Code, ", ")
	}
	status := strconv.Itoa(r.Status)
	if r.Status == 0 {
		status = "no reply,"
	}
	return fmt.Sprintf("%s %s: %s %s", r.Method, redact(r.URI), status, answer)
}

// Format prints String for every verb, because Header has a signature.
func (r Request) Format(f fmt.State, _ rune) { io.WriteString(f, r.String()) }

// MarshalJSON encodes the request and its answer without secrets. It omits Header.
func (r Request) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"operation": r.Operation, "method": r.Method, "uri": redact(r.URI), "host": r.Host, "input": r.Input,
		"accessKeyId": r.AccessKeyId, "userArn": r.UserArn, "requestId": r.RequestId,
		"status": r.Status, "code": r.Code, "message": r.Message, "fault": r.Fault,
	})
}

// Requests returns the requests to the API that the server has answered, oldest first; at most the
// last 1,000: see RequestCount. For opened embed URLs, see Openings.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := append([]Request{}, s.state.requests...)
	for i := range requests {
		requests[i].Header = requests[i].Header.Clone()
	}
	return requests
}

// RequestCount returns how many requests to the API there were since the start or the last Reset,
// including those that Requests no longer returns.
func (s *Server) RequestCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.count
}

// WaitForRequests waits until RequestCount is n or more. It returns an error when the context is
// done.
func (s *Server) WaitForRequests(ctx context.Context, n int) error {
	for {
		s.mu.Lock()
		count, more := s.state.count, s.state.counted
		s.mu.Unlock()
		if count >= n {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return fmt.Errorf("embedtest: %d of %d requests came: %w", count, n, ctx.Err())
		}
	}
}

func (s *Server) record(r Request) {
	s.mu.Lock()
	s.state.requests = appendBounded(s.state.requests, r, maxRequests)
	s.state.count++
	close(s.state.counted)
	s.state.counted = make(chan struct{})
	s.mu.Unlock()
	if s.options.OnRequest != nil {
		s.options.OnRequest(r)
	}
}
