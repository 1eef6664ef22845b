package main

import (
	"embed"
	"encoding/json"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"example.com/quicksightembed"
)

//go:embed web
var web embed.FS

var templates = template.Must(template.ParseFS(web, "web/*.html"))

// app is the backend: what its handlers share.
type app struct {
	client   *quicksightembed.Client
	identity identity
	settings *settings
	places   []place
	sessions *sessions
	sdk      []byte
	log      *slog.Logger
}

func newApp(s *settings, cfg aws.Config, sdk []byte, log *slog.Logger) http.Handler {
	a := &app{
		client:   quicksightembed.NewFromConfig(cfg),
		settings: s,
		places:   placesWith(s.dashboard),
		sessions: newSessions(),
		sdk:      sdk,
		log:      log,
	}
	if s.identity == "role" {
		a.identity = newRoleUsers(sts.NewFromConfig(cfg), s.roleARN)
	} else {
		a.identity = registeredUsers{region: cfg.Region, account: s.account, namespace: s.namespace}
	}
	return a.withSecurity(a.routes())
}

func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.servePage)
	mux.HandleFunc("GET /sign-in", a.serveSignInPage)
	mux.HandleFunc("POST /api/sign-in", a.signIn)
	mux.HandleFunc("POST /api/sign-out", a.signOut)
	mux.HandleFunc("POST /api/console-url", a.serveConsoleURL)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /assets/embedding-sdk.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Write(a.sdk)
	})
	for name, contentType := range map[string]string{
		"app.js":    "text/javascript; charset=utf-8",
		"signin.js": "text/javascript; charset=utf-8",
		"style.css": "text/css; charset=utf-8",
		"icon.svg":  "image/svg+xml",
	} {
		content, err := fs.ReadFile(web, "web/"+name)
		if err != nil {
			panic(err) // it is built in
		}
		mux.HandleFunc("GET /assets/"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Write(content)
		})
	}
	return mux
}

// servePage serves the page that embeds the console. The embed URL is not in it: its script asks for one.
func (a *app) servePage(w http.ResponseWriter, r *http.Request) {
	session, ok := a.sessions.of(r)
	if !ok {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	a.render(w, "index.html", map[string]any{
		"User":          session.User,
		"Places":        a.places,
		"Origin":        a.settings.origin,
		"ConsoleOrigin": a.settings.consoleOrigin,
		"IsLocal":       !a.settings.aws,
	})
}

func (a *app) serveSignInPage(w http.ResponseWriter, r *http.Request) {
	if _, ok := a.sessions.of(r); ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	a.render(w, "signin.html", map[string]any{"IsLocal": !a.settings.aws})
}

func (a *app) render(w http.ResponseWriter, name string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := templates.ExecuteTemplate(w, name, data); err != nil {
		a.log.Warn("a page was not sent whole", "page", name, "error", err)
	}
}

// readJSON reads a request of the page's script, or answers that it cannot be read.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	const most = 4 << 10
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, most)).Decode(into); err != nil {
		writeJSON(w, http.StatusBadRequest, problem{Title: "The request cannot be read", Action: "Reload the page."})
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}
