package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"example.com/quicksightembed/embedtest"
)

const (
	controlPath     = "/_embedtest/"
	maxControlBytes = 64 << 10
)

// control is the API with which tests in other languages read requests, inject faults and advance
// the clock. It answers JSON to programs on this machine, and refuses web pages.
type control struct {
	server atomic.Pointer[embedtest.Server]
}

// action answers a request with a value, as JSON, or with an error that says what is valid.
type action func(server *embedtest.Server, r *http.Request) (any, error)

var actions = map[string]action{
	"GET health": func(server *embedtest.Server, _ *http.Request) (any, error) {
		return map[string]any{"status": "ok", "now": server.Now().UTC()}, nil
	},
	"POST reset": func(server *embedtest.Server, _ *http.Request) (any, error) {
		server.Reset()
		return struct{}{}, nil
	},
	"GET requests": func(server *embedtest.Server, _ *http.Request) (any, error) {
		return map[string]any{"count": server.RequestCount(), "requests": server.Requests()}, nil
	},
	"GET faults": func(server *embedtest.Server, _ *http.Request) (any, error) {
		return map[string]any{"faults": server.Faults()}, nil
	},
	"POST faults":        injectFault,
	"DELETE faults":      removeFaults,
	"DELETE faults/{id}": removeFaults,
	"POST clock":         advanceClock,
}

// wrap puts the control in front of the server's own handler.
func (c *control) wrap(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	for pattern, act := range actions {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+controlPath+path, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxControlBytes)
			server := c.server.Load()
			if server == nil {
				reply(w, http.StatusServiceUnavailable, nil, errors.New("the server is starting: ask again"))
				return
			}
			value, err := act(server, r)
			reply(w, http.StatusBadRequest, value, err)
		})
	}
	mux.HandleFunc(controlPath, func(w http.ResponseWriter, r *http.Request) {
		reply(w, http.StatusNotFound, nil, fmt.Errorf("%s %s is not one of %q under %s",
			r.Method, r.URL.Path, slices.Sorted(maps.Keys(actions)), controlPath))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, controlPath) {
			next.ServeHTTP(w, r)
			return
		}
		if err := refuseForeign(r); err != nil {
			reply(w, http.StatusForbidden, nil, err)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// refuseForeign refuses requests from other machines and from web pages, and a foreign Host: the
// name of a page that resolves to this machine (DNS rebinding).
func refuseForeign(r *http.Request) error {
	peer, _, _ := net.SplitHostPort(r.RemoteAddr)
	host := (&url.URL{Host: r.Host}).Hostname()
	site := r.Header.Get("Sec-Fetch-Site")
	switch {
	case !isLoopback(peer):
		return fmt.Errorf("requests to %s must come from this machine, not from %s", controlPath, peer)
	case host != "localhost" && !isLoopback(host):
		return fmt.Errorf("the Host of requests to %s must be localhost, 127.0.0.1 or [::1], not %q", controlPath, r.Host)
	case r.Header.Get("Origin") != "" || site != "" && site != "none":
		return fmt.Errorf("requests to %s must not come from a web page", controlPath)
	}
	return nil
}

func isLoopback(host string) bool { return net.ParseIP(host).IsLoopback() }

// reply answers with the value, or with the status and the error.
func reply(w http.ResponseWriter, status int, value any, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err == nil {
		status = http.StatusOK
	} else {
		value = map[string]string{"error": err.Error()}
	}
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}

// decode reads a JSON object into value. It returns an error for members that value does not have.
func decode(r *http.Request, value any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		return fmt.Errorf("the body must be a JSON object: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("the body must be one JSON object")
	}
	return nil
}

// duration is a time.Duration in JSON, such as "1.5s" or "6m".
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}

func advanceClock(server *embedtest.Server, r *http.Request) (any, error) {
	var body struct{ Advance duration }
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	if body.Advance == 0 {
		return nil, errors.New(`"advance" must be a time such as "6m"`)
	}
	server.Advance(time.Duration(body.Advance))
	return map[string]any{"now": server.Now().UTC()}, nil
}

// faultToInject is a fault in JSON. Members that the fault does not use are ignored.
type faultToInject struct {
	Fault    string
	Code     string      // of Fail
	Status   int         // of Status, Reply and Redirect
	Header   http.Header // of Reply
	Body     string      // of Reply
	Location string      // of Redirect
	Duration duration    // of Delay and SkewedClock, and the interval of RateLimit
	Requests int         // of RateLimit

	Times           int  // default 1
	Always          bool // happens until it is removed
	User            string
	AccessKey       string
	Operation       string
	BeforeSignature bool
}

var newFaults = map[string]func(faultToInject) embedtest.Fault{
	"Delay": func(f faultToInject) embedtest.Fault { return embedtest.Delay(time.Duration(f.Duration)) },
	"Fail":  func(f faultToInject) embedtest.Fault { return embedtest.Fail(f.Code) },
	"RateLimit": func(f faultToInject) embedtest.Fault {
		return embedtest.RateLimit(f.Requests, time.Duration(f.Duration))
	},
	"Redirect":           func(f faultToInject) embedtest.Fault { return embedtest.Redirect(f.Status, f.Location) },
	"Reply":              func(f faultToInject) embedtest.Fault { return embedtest.Reply(f.Status, f.Header, f.Body) },
	"Reset":              func(faultToInject) embedtest.Fault { return embedtest.Reset() },
	"ResetInReply":       func(faultToInject) embedtest.Fault { return embedtest.ResetInReply() },
	"SkewedClock":        func(f faultToInject) embedtest.Fault { return embedtest.SkewedClock(time.Duration(f.Duration)) },
	"Stall":              func(faultToInject) embedtest.Fault { return embedtest.Stall() },
	"StallInBody":        func(faultToInject) embedtest.Fault { return embedtest.StallInBody() },
	"Status":             func(f faultToInject) embedtest.Fault { return embedtest.Status(f.Status) },
	"Throttle":           func(faultToInject) embedtest.Fault { return embedtest.Throttle() },
	"Truncate":           func(faultToInject) embedtest.Fault { return embedtest.Truncate() },
	"WrongContentLength": func(faultToInject) embedtest.Fault { return embedtest.WrongContentLength() },
}

func injectFault(server *embedtest.Server, r *http.Request) (any, error) {
	var body faultToInject
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	newFault := newFaults[body.Fault]
	if newFault == nil {
		return nil, fmt.Errorf("fault %q must be one of %q", body.Fault, slices.Sorted(maps.Keys(newFaults)))
	}
	fault, err := recovered(func() embedtest.Fault {
		fault := newFault(body).ForUser(body.User).ForAccessKey(body.AccessKey)
		if body.Operation != "" {
			fault = fault.ForOperation(body.Operation)
		}
		if body.Times != 0 {
			fault = fault.Times(body.Times)
		}
		if body.Always {
			fault = fault.When(always)
		}
		if body.BeforeSignature {
			fault = fault.BeforeSignature()
		}
		return fault
	})
	if err != nil {
		return nil, err
	}
	return map[string]int{"id": server.Inject(fault)[0]}, nil
}

// removeFaults removes one fault, or all of them.
func removeFaults(server *embedtest.Server, r *http.Request) (any, error) {
	id := r.PathValue("id")
	if id == "" {
		return map[string]int{"removed": server.RemoveFaults()}, nil
	}
	number, err := strconv.Atoi(id)
	if err != nil {
		return nil, fmt.Errorf("fault ID %q must be a number", id)
	}
	return map[string]int{"removed": server.RemoveFaults(number)}, nil
}
