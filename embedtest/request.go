package embedtest

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"example.com/quicksightembed"
)

// Request is a request that the server has seen, with its verdict.
type Request struct {
	Operation string // "GetSessionEmbedUrl", or "AssumeRole" of STS
	Method    string
	URI       string      // path and query as they were sent
	Host      string      // the Host header
	Header    http.Header // as it was sent, secrets included

	// Input is what the request asked for, as far as it could be read; empty for AssumeRole.
	Input quicksightembed.GetSessionEmbedUrlInput

	// AccessKeyId is the access key that the request was signed with, "" where the signature is not right.
	AccessKeyId string

	// UserArn is the QuickSight user whom a request that is signed right is for: that of Input, or else of the Identity that
	// signed it. Where a role was assumed, it is that of the role session.
	UserArn string

	RequestId string // of the reply
	Status    int    // HTTP status of the reply, 0 where a fault left none
	Code      string // error code of the reply, "" where a URL or keys were issued, or a fault had no code
	Message   string // error message of the reply
	Fault     string // what was injected, such as "Throttle", "" for the server's own answer
}

// newRecord returns the record of a request that nothing is wrong with so far.
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

// String describes the request and its verdict in one line, without secrets.
func (r Request) String() string {
	verdict := "issued a URL"
	if r.Operation == "AssumeRole" {
		verdict = "issued keys for " + r.UserArn
	}
	if r.Code != "" {
		verdict = r.Code + ": " + r.Message
	}
	if r.Fault != "" {
		verdict = strings.TrimSuffix("fault "+r.Fault+", "+r.Code, ", ")
	}
	return fmt.Sprintf("%s %s: %d %s", r.Method, printable(r.URI), r.Status, verdict)
}

// Format prints String whatever the verb: Header has a signature.
func (r Request) Format(f fmt.State, _ rune) { io.WriteString(f, r.String()) }

// Requests returns the requests to the API that the server has judged, oldest first; at most the last 1,000. Those of
// AssumeRole are among them, told apart by their Operation. Opening an embed URL is not one.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := slices.Clone(s.requests)
	for i := range requests {
		requests[i].Header = requests[i].Header.Clone()
	}
	return requests
}

func (s *Server) record(r Request) {
	s.mu.Lock()
	if len(s.requests) == maxRequests {
		s.requests = slices.Delete(s.requests, 0, 1)
	}
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	if s.options.OnRequest != nil {
		s.options.OnRequest(r)
	}
}
