package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/klauspost/compress/gzhttp"
)

// brand is the name of your product. web/assets/icon.svg is its icon, and the first lines of
// web/assets/style.css are its colours.
const brand = "Acme Insights"

//go:embed web
var web embed.FS

var templates = template.Must(template.ParseFS(web, "web/*.html"))

// page serves the pages. They have no embed URL: the script asks for one.
type page struct {
	who           signIn
	places        []place
	consoleOrigin string
	demoUsers     []string // who may sign in to the demo; nil with -aws
	signOutURL    string
	log           *slog.Logger
}

func (p *page) console(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	visitor, ok := p.who.visitor(r)
	if !ok && p.demoUsers == nil {
		http.Error(w, "You are not signed in: open this page through the proxy that signs you in.", http.StatusUnauthorized)
		return
	}
	if !ok {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	p.render(w, "index.html", map[string]any{
		"Brand": brand, "User": visitor.Name, "Places": p.places, "ConsoleOrigin": p.consoleOrigin, "IsDemo": p.demoUsers != nil, "SignOutURL": p.signOutURL,
	})
}

func (p *page) signIn(w http.ResponseWriter, r *http.Request) {
	// Otherwise people who are signed in could see a cached sign-in page.
	w.Header().Set("Cache-Control", "no-store")
	if _, ok := p.who.visitor(r); ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	p.render(w, "signin.html", map[string]any{
		"Brand": brand, "HasEnded": r.URL.Query().Has("ended"), "Users": p.demoUsers, "Password": demoPassword, "Unregistered": unregistered,
	})
}

func (p *page) render(w http.ResponseWriter, name string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := templates.ExecuteTemplate(w, name, data); err != nil {
		p.log.Warn("a page was not sent whole", "page", name, "error", err)
	}
}

// addAssets serves the files of the page and the embedding SDK, compressed. Browsers keep them for
// an hour.
func addAssets(mux *http.ServeMux, sdk []byte) {
	assets := http.NewServeMux()
	assets.HandleFunc("/assets/{name}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, web, "web/assets/"+r.PathValue("name"))
	})
	assets.HandleFunc("/assets/embedding-sdk.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "embedding-sdk.js", time.Time{}, bytes.NewReader(sdk))
	})
	compressed := gzhttp.GzipHandler(assets)
	mux.HandleFunc("GET /assets/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600")
		compressed(w, r)
	})
}

// readJSON reads a request of the page's script. If it cannot, it answers 400 and returns false.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(into); err != nil {
		problem{400, "The request cannot be read", "Reload the page.", false, ""}.write(w)
		return false
	}
	return true
}

// writeJSON answers the page's script. Browsers must not keep answers: some are secret.
func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}
