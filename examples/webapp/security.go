package main

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/felixge/httpsnoop"
)

// withSecurity sets the security headers of every reply, refuses requests that other sites make a
// browser send, and logs each request.
func withSecurity(origin, consoleOrigin string, log *slog.Logger, next http.Handler) http.Handler {
	policy := contentPolicy(consoleOrigin)
	_, host, _ := strings.Cut(origin, "://")
	deny := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem{403, "That was not asked for by this page", "Reload the page.", false, ""}.write(w)
	})
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(deny)
	protected := protection.Handler(next)
	checked := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		switch {
		case r.Host != host && r.URL.Path != "/healthz": // load balancers use the address
			http.Error(w, "This page is at "+origin+". A proxy in front must pass the Host header on.", http.StatusMisdirectedRequest)
		case r.Method == http.MethodPost && !isScript(r):
			deny(w, r)
		default:
			protected.ServeHTTP(w, r)
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set(requestIDHeader, rand.Text())
		seen := httpsnoop.CaptureMetrics(checked, w, r)
		log.Info("request", "request", requestID(r), "method", r.Method, "path", r.URL.Path, "status", seen.Code, "took", seen.Duration.Round(time.Millisecond))
	})
}

// isScript reports whether a request comes from a script in a browser: no form sends JSON, and
// browsers say where requests come from.
func isScript(r *http.Request) bool {
	return r.Header.Get("Content-Type") == "application/json" && r.Header.Get("Sec-Fetch-Site")+r.Header.Get("Origin") != ""
}

const requestIDHeader = "X-Request-Id"

// requestID returns the reference by which an administrator finds a request in the log.
func requestID(r *http.Request) string { return r.Header.Get(requestIDHeader) }

// contentPolicy allows the page only its own files, and to frame and reach QuickSight's console.
func contentPolicy(consoleOrigin string) string {
	return fmt.Sprintf("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' %[1]s; "+
		"frame-src %[1]s; form-action 'none'; base-uri 'none'; frame-ancestors 'none'", consoleOrigin)
}

// consoleOrigins are the origins of QuickSight's console by partition; %s is the region:
// https://docs.aws.amazon.com/quicksight/latest/user/regions.html
var consoleOrigins = map[string]string{
	"aws":        "https://%s.quicksight.aws.amazon.com",
	"aws-cn":     "https://%s.quicksight.amazonaws.cn",
	"aws-us-gov": "https://quicksight.%s.amazonaws.com",
}

func consoleOrigin(region string) string {
	return fmt.Sprintf(consoleOrigins[partitionOf(region)], region)
}
