package embedtest

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The operations that faults happen to.
const (
	operationGetSessionEmbedURL = "GetSessionEmbedUrl"
	operationAssumeRole         = "AssumeRole"
)

// Fault makes something go wrong with a request that would otherwise succeed: the server refuses
// wrong signatures and inputs first. Inject it:
//
//	server.Inject(embedtest.Throttle().Times(2))
//	server.Inject(embedtest.Stall().ForUser(jane))
//	server.Inject(embedtest.Fail("AccessDenied").ForOperation("AssumeRole"))
//
// A fault happens once, unless Times, When or RateLimit says otherwise. For an outage, use a When
// that returns true while it lasts, or end the fault with RemoveFaults.
type Fault struct {
	name      string
	times     int // how often it happens; 0: no limit
	when      func(Request) bool
	operation string
	user, key string // "" is any
	early     bool   // happens before the signature is verified

	failure *serviceError
	header  http.Header // added to the reply's header
	skew    time.Duration
	delay   time.Duration
	limit   *limit
	status  int // what serve answers with
	serve   func(w http.ResponseWriter, r *http.Request, reply func() []byte)
}

// Times returns the fault for n requests. It panics if n is less than 1.
func (f Fault) Times(n int) Fault {
	if n < 1 {
		must(fmt.Errorf("a fault cannot happen %d times: it must be 1 or more", n))
	}
	f.times = n
	return f
}

// When returns the fault for each request for which the predicate returns true; with Times, for
// that many of them. The predicate may be called concurrently, and may call the server's methods.
// Its request has no answer yet: Status is 200, and Code and Message are empty.
func (f Fault) When(predicate func(Request) bool) Fault {
	f.when = predicate
	return f
}

// ForUser returns the fault for requests for one QuickSight user; "" is any user. It panics if
// userArn is not the ARN of a user.
func (f Fault) ForUser(userArn string) Fault {
	must(Options{UserArn: userArn}.Validate())
	f.user = userArn
	return f
}

// ForAccessKey returns the fault for requests signed with one access key; "" is any key.
func (f Fault) ForAccessKey(accessKeyID string) Fault {
	f.key = accessKeyID
	return f
}

// ForOperation returns the fault for an operation: "GetSessionEmbedUrl", the default, or
// "AssumeRole". It panics for another.
func (f Fault) ForOperation(operation string) Fault {
	if operation != operationGetSessionEmbedURL && operation != operationAssumeRole {
		must(fmt.Errorf("operation %q must be %s or %s", operation, operationGetSessionEmbedURL, operationAssumeRole))
	}
	f.operation = operation
	return f
}

// BeforeSignature returns the fault so that it happens before the signature is verified, as faults
// of load balancers and firewalls do. Its predicates see the user and key that the request names.
func (f Fault) BeforeSignature() Fault {
	f.early = true
	return f
}

func (f *Fault) fits(r Request) bool {
	return r.Operation == cmp.Or(f.operation, operationGetSessionEmbedURL) &&
		(f.user == "" || f.user == r.UserArn) && (f.key == "" || f.key == r.AccessKeyId) && (f.when == nil || f.when(r))
}

// injected is a fault that can still happen.
type injected struct {
	Fault
	FaultStatus
}

// Inject queues faults and returns their IDs. Each request gets the first fault in the queue that
// fits it.
func (s *Server) Inject(faults ...Fault) (ids []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		if f.times == 0 && f.when == nil && f.limit == nil {
			f.times = 1
		}
		if f.limit != nil {
			f.limit = &limit{requests: f.limit.requests, per: f.limit.per}
		}
		s.state.faultID++
		ids = append(ids, s.state.faultID)
		s.state.faults = append(s.state.faults, &injected{f, FaultStatus{ID: s.state.faultID, Name: f.name, Times: f.times}})
	}
	return ids
}

// FaultStatus is a fault that can still happen.
type FaultStatus struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`     // such as "Throttle"
	Times    int    `json:"times"`    // how often it happens in all; 0: no limit
	Happened int    `json:"happened"` // how often it has happened
}

// Faults returns the faults that can still happen, in the order of the queue.
func (s *Server) Faults() []FaultStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	faults := []FaultStatus{}
	for _, f := range s.state.faults {
		faults = append(faults, f.FaultStatus)
	}
	return faults
}

// RemoveFaults removes faults by their IDs, or all faults if none is given. It returns how many
// were still queued.
func (s *Server) RemoveFaults(ids ...int) (removed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.state.faults)
	s.state.faults = slices.DeleteFunc(s.state.faults, func(f *injected) bool {
		return len(ids) == 0 || slices.Contains(ids, f.ID)
	})
	return before - len(s.state.faults)
}

// AssertFaultsHappened fails the test for each injected fault that has not happened, or not as
// often as Times says.
func (s *Server) AssertFaultsHappened(t testing.TB) {
	t.Helper()
	for _, f := range s.Faults() {
		if f.Happened == 0 || f.Happened < f.Times {
			t.Errorf("embedtest: fault %d, %s, happened %d times, not %d", f.ID, f.Name, f.Happened, max(f.Times, 1))
		}
	}
}

// takeFault returns the fault that happens to the request before its signature is verified, if
// early, or after it; or the zero value. Predicates run without the lock, so that they may call
// the server's methods.
func (s *Server) takeFault(r Request, early bool) Fault {
	s.mu.Lock()
	queue := slices.Clone(s.state.faults)
	s.mu.Unlock()
	for _, f := range queue {
		if f.early == early && f.fits(r) {
			if fault, happens := s.useUp(f); happens {
				return fault
			}
		}
	}
	return Fault{}
}

// useUp counts that a fault happens. It returns false if the fault was used up in the meantime, or
// if its rate limit is not reached.
func (s *Server) useUp(f *injected) (fault Fault, happens bool) {
	now := s.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.state.faults, f)
	if i < 0 {
		return fault, false
	}
	fault = f.Fault
	if f.limit != nil {
		wait := f.limit.take(now)
		if wait == 0 {
			return Fault{}, false
		}
		seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
		fault.header = http.Header{"Retry-After": {seconds}}
		fault.failure = exception("ThrottlingException", "more than %d requests in %s: the next one in %s s", f.limit.requests, f.limit.per, seconds)
	}
	f.Happened++
	if f.Happened == f.times {
		s.state.faults = slices.Delete(s.state.faults, i, i+1)
	}
	return fault, true
}

// limit is how many requests are answered in each interval. The first of them begins an interval.
type limit struct {
	requests int
	per      time.Duration
	start    time.Time
	taken    int
}

// take returns 0 if a request is within the limit, or else how long it is until the next one is.
func (l *limit) take(now time.Time) time.Duration {
	if now.Sub(l.start) >= l.per {
		l.start, l.taken = now, 0
	}
	if l.taken < l.requests {
		l.taken++
		return 0
	}
	return l.start.Add(l.per).Sub(now)
}

// RateLimit lets n requests through in each interval and answers the others with
// ThrottlingException, 429, and a Retry-After header in seconds, before the signature is verified.
// It has no end, unless Times says otherwise. It panics if n or the interval is not positive.
func RateLimit(n int, per time.Duration) Fault {
	if n < 1 || per <= 0 {
		must(fmt.Errorf("a rate limit of %d requests in %s cannot be: both must be positive", n, per))
	}
	return Fault{name: "RateLimit", limit: &limit{requests: n, per: per}}.BeforeSignature()
}

// Delay answers as usual, after d. It panics if d is not positive.
func Delay(d time.Duration) Fault {
	if d <= 0 {
		must(fmt.Errorf("a delay of %s cannot be: it must be positive", d))
	}
	return Fault{name: "Delay", delay: d}
}

// frontEndStatus are the statuses of the error codes that all AWS services share, and of those of
// STS. https://docs.aws.amazon.com/quicksight/latest/APIReference/CommonErrors.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
var frontEndStatus = map[string]int{
	"AccessDenied":                        http.StatusForbidden,
	"ExpiredToken":                        http.StatusForbidden,
	"ExpiredTokenException":               http.StatusForbidden,
	"IncompleteSignatureException":        http.StatusBadRequest,
	"InternalFailure":                     http.StatusInternalServerError,
	"InvalidSignatureException":           http.StatusForbidden,
	"MissingAuthenticationTokenException": http.StatusForbidden,
	"OptInRequired":                       http.StatusForbidden,
	"RegionDisabledException":             http.StatusForbidden,
	"RequestExpired":                      http.StatusBadRequest,
	"ServiceUnavailable":                  http.StatusServiceUnavailable,
	"Throttling":                          http.StatusBadRequest,
	"UnrecognizedClientException":         http.StatusForbidden,
	"ValidationError":                     http.StatusBadRequest,
}

// Fail answers with an error code, such as "ResourceExistsException", and the status that AWS
// documents for it. It panics for a code that AWS does not document, and lists those that it does.
// For other codes, use Reply.
func Fail(code string) Fault {
	status := cmp.Or(exceptionStatus[code], frontEndStatus[code])
	if status == 0 {
		codes := slices.Concat(slices.Sorted(maps.Keys(exceptionStatus)), slices.Sorted(maps.Keys(frontEndStatus)))
		must(fmt.Errorf("error code %q must be one of %q", code, codes))
	}
	failure := refuse(status, code, "injected by the test")
	if code == "ResourceExistsException" {
		failure.resourceType = "USER"
	}
	return Fault{name: "Fail", failure: failure}
}

// Throttle answers with ThrottlingException, 429.
func Throttle() Fault {
	f := Fail("ThrottlingException")
	f.name = "Throttle"
	return f
}

// Status answers with an error status, 400 to 599, and no error code, as a proxy or load balancer
// does. It panics for another status.
func Status(status int) Fault {
	mustBeStatus(status, 400, 599)
	return Fault{name: "Status", failure: refuse(status, "", "injected by the test")}
}

// SkewedClock answers as if the server's clock were off by d: with the Date of that clock, and with
// InvalidSignatureException if d is more than 15 minutes. For a clock that stays off, use Advance.
func SkewedClock(d time.Duration) Fault {
	f := Fault{name: "SkewedClock", skew: d}
	if d.Abs() > dateWindow {
		f.failure = refuse(http.StatusForbidden, "InvalidSignatureException", "the request is signed for a time that is %s off", d)
	}
	return f
}

// Reply answers with this status, 200 to 599, and body. The header is added to the server's own,
// and replaces values of the same name. It panics for another status.
func Reply(status int, header http.Header, body string) Fault {
	mustBeStatus(status, 200, 599)
	return Fault{name: "Reply", status: status, header: header, serve: func(w http.ResponseWriter, _ *http.Request, _ func() []byte) {
		w.WriteHeader(status)
		w.Write([]byte(body))
	}}
}

// Redirect answers with a redirect. A client must not follow it: its request is signed for this
// host. It panics as Reply does.
func Redirect(status int, location string) Fault {
	f := Reply(status, http.Header{"Location": {location}}, "")
	f.name = "Redirect"
	return f
}

func mustBeStatus(status, least, most int) {
	if status < least || status > most {
		must(fmt.Errorf("a status of %d cannot be answered with: it must be %d to %d", status, least, most))
	}
}

// Reset breaks the connection before the reply. If the connection was used before, net/http sends
// the request again within the same attempt: to break all connections, use When.
func Reset() Fault {
	return Fault{name: "Reset", serve: func(w http.ResponseWriter, _ *http.Request, _ func() []byte) {
		reset(hijack(w))
	}}
}

// ResetInReply breaks the connection within the reply's body.
func ResetInReply() Fault {
	return onTheWire("ResetInReply", func(conn net.Conn, head string, body []byte) {
		fmt.Fprintf(conn, "%sContent-Length: %d\r\n\r\n%s", head, len(body), body[:len(body)/2])
		reset(conn)
	})
}

// Stall sends nothing until the client gives up or the server is closed.
func Stall() Fault {
	return Fault{name: "Stall", serve: func(_ http.ResponseWriter, r *http.Request, _ func() []byte) { stall(r) }}
}

// stall waits for the end of the request's context: when its connection ends or the server is
// closed. It then breaks the connection, so that net/http does not complete the reply.
func stall(r *http.Request) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// StallInBody sends half of the reply, and then nothing until the client gives up or the server is
// closed.
func StallInBody() Fault {
	return Fault{name: "StallInBody", status: http.StatusOK, serve: func(w http.ResponseWriter, r *http.Request, reply func() []byte) {
		body := reply()
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body[:len(body)/2])
		w.(http.Flusher).Flush()
		stall(r)
	}}
}

// Truncate closes the connection cleanly in the middle of the reply's body.
func Truncate() Fault {
	return onTheWire("Truncate", func(conn net.Conn, head string, body []byte) {
		fmt.Fprintf(conn, "%sContent-Length: %d\r\n\r\n%s", head, len(body), body[:len(body)/2])
	})
}

// WrongContentLength sends the whole reply with a Content-Length that is 10 bytes too small.
func WrongContentLength() Fault {
	return onTheWire("WrongContentLength", func(conn net.Conn, head string, body []byte) {
		fmt.Fprintf(conn, "%sContent-Length: %d\r\n\r\n%s", head, len(body)-10, body)
	})
}

// onTheWire returns a fault that writes the reply to the connection as net/http would not.
func onTheWire(name string, write func(conn net.Conn, head string, body []byte)) Fault {
	return Fault{name: name, status: http.StatusOK, serve: func(w http.ResponseWriter, _ *http.Request, reply func() []byte) {
		w.Header().Set("Connection", "close")
		var head strings.Builder
		head.WriteString("HTTP/1.1 200 OK\r\n")
		w.Header().Write(&head)
		conn := hijack(w)
		defer conn.Close()
		write(conn, head.String(), reply())
	}}
}

// hijack takes the connection of a reply. It cannot fail: the server speaks only HTTP/1.1.
func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	return conn
}

// reset closes a connection so that the other side sees a reset instead of a clean end.
func reset(conn net.Conn) {
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn() // below TLS
	}
	if t, ok := conn.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	conn.Close()
}
