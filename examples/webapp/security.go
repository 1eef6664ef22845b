package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"time"
)

// withSecurity sets the header of every reply, refuses what other sites make a browser send, and logs.
func (a *app) withSecurity(next http.Handler) http.Handler {
	policy := contentPolicy(a.settings.consoleOrigin)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		r = withRequestID(r)
		began, recorded := time.Now(), &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		if isSafe(r) || isFromThePage(r) {
			next.ServeHTTP(recorded, r)
		} else {
			writeJSON(recorded, http.StatusForbidden, problem{Title: "That was not asked for by this page", Action: "Reload the page."})
		}
		a.log.Info("request", "request", requestID(r), "method", r.Method, "path", r.URL.Path, "status", recorded.status, "took", time.Since(began).Round(time.Millisecond))
	})
}

// contentPolicy lets the page load its own files, and frame and reach QuickSight's console.
func contentPolicy(consoleOrigin string) string {
	return fmt.Sprintf("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' %[1]s; "+
		"frame-src %[1]s; form-action 'none'; base-uri 'none'; frame-ancestors 'none'", consoleOrigin)
}

// consoleOrigin is the origin of QuickSight's console in a region:
// https://docs.aws.amazon.com/quicksight/latest/user/regions.html
func consoleOrigin(region string) string {
	switch partitionOf(region) {
	case "aws-cn":
		return "https://" + region + ".quicksight.amazonaws.cn"
	case "aws-us-gov":
		return "https://quicksight." + region + ".amazonaws.com"
	}
	return "https://" + region + ".quicksight.aws.amazon.com"
}

func isSafe(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// isFromThePage reports whether a request that changes something comes from a page of this origin: the browser says so, and the
// type of its body is one that other sites cannot send. (From Go 1.25 on, http.CrossOriginProtection does the first half.)
func isFromThePage(r *http.Request) bool {
	if contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); contentType != "application/json" {
		return false
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && origin.Host != "" && origin.Host == r.Host
}

// statusRecorder keeps the status for the log.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }

type requestIDKey struct{}

func withRequestID(r *http.Request) *http.Request {
	id := make([]byte, 8)
	rand.Read(id)
	return r.WithContext(context.WithValue(r.Context(), requestIDKey{}, hex.EncodeToString(id)))
}

func requestID(r *http.Request) string {
	id, _ := r.Context().Value(requestIDKey{}).(string)
	return id
}
