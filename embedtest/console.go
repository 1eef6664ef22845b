package embedtest

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/quicksightembed"
)

// This file serves the console that an embed URL opens, in a frame or in a tab. It posts only
// messages that AWS documents for consoles:
// https://github.com/awslabs/amazon-quicksight-embedding-sdk

const (
	embedPath   = "/embedding/"
	controlPath = "/embed/" // {id}/embedControl: the embedding SDK's own frame
)

var (
	//go:embed page/console.js
	consoleScript string
	//go:embed page/console.css
	consoleStyle string
	//go:embed page/console.html
	consoleHTML string
	//go:embed page/control.html
	controlHTML string
	//go:embed page/welcome.html
	welcomeHTML string

	consolePage = template.Must(template.New("console").Parse(consoleHTML))
	controlPage = template.Must(template.New("control").Parse(controlHTML))
	welcomePage = template.Must(template.New("welcome").Parse(welcomeHTML))
)

// contentPolicy allows the pages only their own script and style, and requests to this server.
var contentPolicy = "default-src 'none'; script-src '" + hashSource(consoleScript) + "'; style-src '" + hashSource(consoleStyle) +
	"'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"

func hashSource(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// The error codes that the embedding SDK documents for a console.
const (
	urlIsSpent     = "Forbidden"
	sessionIsSpent = "Unauthorized"
)

// serveConsole serves an embed URL. It ignores parameters that the embedding SDK adds.
func (s *Server) serveConsole(w http.ResponseWriter, r *http.Request) {
	if !isLook(w, r) {
		return
	}
	opened, status, problem := s.sessions.open(r)
	if r.Method == http.MethodGet {
		pause(w, r, s.options.ConsoleDelay)
	}
	s.sessions.setPageHeader(w)
	if status == http.StatusOK && r.Method == http.MethodGet {
		http.SetCookie(w, opened.browserCookie(r))
	}
	w.WriteHeader(status)
	left := opened.endsAt().Sub(s.Now())
	pageType, title, menuPage := describe(opened.entryPoint)
	errorCode := urlIsSpent
	if problem == ended {
		errorCode = sessionIsSpent
	}
	consolePage.Execute(w, map[string]any{
		"Problem":          problem,
		"ErrorCode":        errorCode,
		"EntryPoint":       opened.entryPoint,
		"PageType":         pageType,
		"Title":            title,
		"Pages":            menuAt(menuPage),
		"User":             cmp.Or(opened.user, "the identity that signed the request"),
		"Silent":           s.options.ConsoleSilent,
		"Left":             left.Round(time.Second).String(),
		"LeftMilliseconds": strconv.FormatInt(left.Milliseconds(), 10),
		"Until":            opened.endsAt().UTC().Format(time.RFC3339),
		"Script":           template.JS(consoleScript),
		"Style":            template.CSS(consoleStyle),
	})
}

// serveControl serves the control frame, to which the embedding SDK sends messages.
func (s *sessions) serveControl(w http.ResponseWriter, r *http.Request) {
	if !isLook(w, r) {
		return
	}
	s.setPageHeader(w)
	controlPage.Execute(w, nil)
}

// serveWelcome serves a page to people who open the server in a browser to accept its certificate.
// In a frame, browsers do not ask whether to accept one.
func (s *sessions) serveWelcome(w http.ResponseWriter) {
	s.setPageHeader(w)
	welcomePage.Execute(w, map[string]any{"Style": template.CSS(consoleStyle)})
}

// setPageHeader sets the header of a page, with two policies: who may frame it, and what it may do.
func (s *sessions) setPageHeader(w http.ResponseWriter) {
	w.Header().Set("Content-Security-Policy", s.frameAncestors)
	w.Header().Add("Content-Security-Policy", contentPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}

func isLook(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	http.Error(w, "an embed URL is opened with GET", http.StatusMethodNotAllowed)
	return false
}

// menu are the console's own pages.
var menu = []struct{ name, entryPoint string }{
	{"Start", quicksightembed.EntryPointStart},
	{"Favorites", quicksightembed.EntryPointFavorites},
	{"Analyses", quicksightembed.EntryPointAnalyses},
	{"Dashboards", quicksightembed.EntryPointDashboards},
}

func dashboardOf(entryPoint string) (id string, ok bool) {
	return strings.CutPrefix(entryPoint, quicksightembed.DashboardEntryPoint(""))
}

func analysisOf(entryPoint string) (id string, ok bool) {
	return strings.CutPrefix(entryPoint, quicksightembed.AnalysisEntryPoint(""))
}

// describe returns the embedding SDK's type for the page of an entry point, the page's title, and
// the page of the menu that it belongs to.
func describe(entryPoint string) (pageType, title, menuPage string) {
	if id, ok := dashboardOf(entryPoint); ok {
		return "DASHBOARD", "Dashboard " + id, "Dashboards"
	}
	if id, ok := analysisOf(entryPoint); ok {
		return "ANALYSIS", "Analysis " + id, "Analyses"
	}
	for _, page := range menu {
		if page.entryPoint == entryPoint {
			return "START", page.name, page.name
		}
	}
	return "START", "Start", "" // the URL opens nothing
}

type menuEntry struct {
	Name, EntryPoint string
	IsCurrent        bool
}

func menuAt(current string) (entries []menuEntry) {
	for _, page := range menu {
		entries = append(entries, menuEntry{page.name, page.entryPoint, page.name == current})
	}
	return entries
}

const cookieName = "embedtest-session"

// browserCookie returns the cookie that keeps the session open in the browser that opened it. In a
// frame of another site, browsers accept it only over TLS, and many only if it is partitioned.
func (s *session) browserCookie(r *http.Request) *http.Cookie {
	cookie := &http.Cookie{Name: cookieName, Value: s.cookie, Path: r.URL.Path, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if r.TLS != nil {
		cookie.Secure, cookie.SameSite, cookie.Partitioned = true, http.SameSiteNoneMode, true
	}
	return cookie
}
