package embedtest

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault is something that goes wrong with a request that the server would otherwise answer with a URL: so a wrong signature is
// never hidden by it, and AssumeRole never meets one. Inject it:
//
//	srv.Inject(embedtest.Throttle().Times(2))
//	srv.Inject(embedtest.Stall().When(func(r embedtest.Request) bool { return r.UserArn == jane }))
//
// An outage is a fault whose When returns true for as long as it lasts.
type Fault struct {
	name    string
	times   int // how often it still happens; 0 is without end
	when    func(Request) bool
	failure *serviceError
	skew    time.Duration
	status  int // what serve answers with
	serve   func(w http.ResponseWriter, r *http.Request, reply func() []byte)
}

// Times returns the fault for n requests. A fault without Times or When happens once. Less than 1 is an error of the test,
// and panics.
func (f Fault) Times(n int) Fault {
	if n < 1 {
		panic(fmt.Sprintf("embedtest: a fault cannot happen %d times", n))
	}
	f.times = n
	return f
}

// When returns the fault for each request that the predicate holds for; with Times, for that many of them. The predicate
// may be called concurrently; Status, Code and Message of its request are not set yet.
func (f Fault) When(predicate func(Request) bool) Fault {
	f.when = predicate
	return f
}

// Inject queues faults. For each request the first fault in the queue that it fits happens, until none is left.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		if f.times == 0 && f.when == nil {
			f.times = 1
		}
		s.faults = append(s.faults, &f)
	}
}

// takeFault returns the fault that happens to the request, or one that is nothing. Predicates run without the lock, so that
// they may ask the server.
func (s *Server) takeFault(r Request) *Fault {
	s.mu.Lock()
	queue := slices.Clone(s.faults)
	s.mu.Unlock()
	for _, f := range queue {
		if (f.when == nil || f.when(r)) && s.useUp(f) {
			return f
		}
	}
	return &Fault{}
}

// useUp counts that a fault happens, and reports false where it was used up in the meantime.
func (s *Server) useUp(f *Fault) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.faults, f)
	if i < 0 {
		return false
	}
	switch f.times {
	case 0: // without end
	case 1:
		s.faults = slices.Delete(s.faults, i, i+1)
	default:
		f.times--
	}
	return true
}

// Fail answers with an exception, such as "ResourceExistsException", with the status that QuickSight documents for it, or
// 400 for another code.
func Fail(code string) Fault {
	return Fault{name: "Fail", failure: refuse(cmp.Or(statusOf[code], http.StatusBadRequest), code, "injected by the test")}
}

// Throttle answers with ThrottlingException, 429.
func Throttle() Fault {
	f := Fail("ThrottlingException")
	f.name = "Throttle"
	return f
}

// Status answers with an error status, 400 to 599, as a proxy or load balancer gives it, without a code. Another status
// panics.
func Status(status int) Fault {
	mustBeStatus(status, 400, 599)
	return Fault{name: "Status", failure: refuse(status, "", "injected by the test")}
}

// SkewedClock answers as if the server's clock were off by d: with the Date of that clock, and with
// InvalidSignatureException where d is more than 15 minutes. For a clock that stays off, use Advance.
func SkewedClock(d time.Duration) Fault {
	f := Fault{name: "SkewedClock", skew: d}
	if d.Abs() > dateWindow {
		f.failure = refuse(http.StatusForbidden, "InvalidSignatureException", "the request is signed for a time that is %s off", d)
	}
	return f
}

// Reply answers with this status, 200 to 599, and body. The header is added to that of the server's own answer; the same
// names replace its values. Another status panics.
func Reply(status int, header http.Header, body string) Fault {
	mustBeStatus(status, 200, 599)
	return Fault{name: "Reply", status: status, serve: func(w http.ResponseWriter, _ *http.Request, _ func() []byte) {
		for name, values := range header {
			w.Header()[http.CanonicalHeaderKey(name)] = values
		}
		w.WriteHeader(status)
		w.Write([]byte(body))
	}}
}

// Redirect answers with a redirect, which a client must not follow: its request is signed for this host.
func Redirect(status int, location string) Fault {
	f := Reply(status, http.Header{"Location": {location}}, "")
	f.name = "Redirect"
	return f
}

func mustBeStatus(status, least, most int) {
	if status < least || status > most {
		panic(fmt.Sprintf("embedtest: a status of %d cannot be answered with: it must be %d to %d", status, least, most))
	}
}

// Reset breaks the connection before the reply. Where the connection has been used before, net/http sends the request again
// within the same try, which is a further request: use When for a service that breaks all connections.
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

// Stall never answers, until the client gives up or the server is closed.
func Stall() Fault {
	return Fault{name: "Stall", serve: func(_ http.ResponseWriter, r *http.Request, _ func() []byte) { stall(r) }}
}

// stall waits, and then breaks the connection instead of letting net/http complete the reply. The context of the request
// ends when its connection does.
func stall(r *http.Request) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// StallInBody sends half of the reply, and then nothing until the client gives up or the server is closed.
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

// onTheWire is a fault that writes the reply by itself, as net/http would not write it.
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

// hijack takes the connection of a reply. It cannot fail: the server speaks HTTP/1.1 alone.
func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	return conn
}

// reset closes a connection so that the other side sees it broken, and not ended.
func reset(conn net.Conn) {
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn() // below TLS
	}
	if t, ok := conn.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	conn.Close()
}
