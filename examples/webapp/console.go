package main

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed"
)

const (
	callTimeout                     = 10 * time.Second // users give up after that
	shortestSession, longestSession = 15, 600          // minutes, of QuickSight
)

// withRetries leaves time for two retries.
var withRetries = func(o *quicksightembed.Options) { o.AttemptTimeout = cmp.Or(o.AttemptTimeout, callTimeout/3) }

// place is a part of the console in the page's menu. The page asks for it by its key. Only listed
// places are allowed.
type place struct {
	Key, Name  string
	entryPoint string
}

func placesWith(dashboard, name string) []place {
	places := []place{
		{"start", "Start", quicksightembed.EntryPointStart},
		{"analyses", "Analyses", quicksightembed.EntryPointAnalyses},
		{"dashboards", "Dashboards", quicksightembed.EntryPointDashboards},
		{"favorites", "Favorites", quicksightembed.EntryPointFavorites},
	}
	if dashboard != "" {
		places = append(places, place{"dashboard", name, quicksightembed.DashboardEntryPoint(dashboard)})
	}
	return places
}

// consoleURL answers with a fresh embed URL for the signed-in user and a place in the menu. It uses
// nothing else of the request.
type consoleURL struct {
	client  *quicksightembed.Client
	account string
	minutes int64 // how long a console session lasts; 0: as long as it can
	places  []place
	who     signIn
	users   identity
	limit   *limiter
	now     func() time.Time
	log     *slog.Logger
}

func (c *consoleURL) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	visitor, ok := c.who.visitor(r)
	minutes, hasTime := c.lifetime(visitor.Until)
	if !ok || !hasTime {
		problem{401, "You are not signed in any more", "Sign in again.", false, ""}.write(w)
		return
	}
	var asked struct{ Place string }
	if !readJSON(w, r, &asked) {
		return
	}
	i := slices.IndexFunc(c.places, func(p place) bool { return p.Key == asked.Place })
	if i < 0 {
		problem{400, "There is no such page of the console", "Choose one from the menu.", false, ""}.write(w)
		return
	}
	if !c.limit.allow(visitor.Name) {
		problem{429, "You have opened many pages in a short time", "Wait a moment, then open it again.", true, ""}.write(w)
		return
	}

	in := &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: &c.account, EntryPoint: &c.places[i].entryPoint, SessionLifetimeInMinutes: &minutes,
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	log := c.log.With("request", requestID(r), "user", visitor.Name, "entry_point", *in.EntryPoint)
	out, err := c.client.GetSessionEmbedUrl(ctx, in, c.users.apply(visitor.Name, in)...)
	if err != nil {
		shown := explain(err, in)
		shown.Reference = requestID(r)
		// The error has AWS's request ID; secrets in it are redacted.
		log.Error("no embed URL", "status", shown.status, "error", err)
		shown.write(w)
		return
	}
	if out.EmbedUrl == nil {
		log.Error("no embed URL in the reply of a gateway")
		problem{502, "QuickSight sent no address to open", askAdministrator, false, requestID(r)}.write(w)
		return
	}
	// Does not log the URL: whoever has it can act as the user.
	log.Info("embed URL issued", "aws_request", aws.ToString(out.RequestId))
	writeJSON(w, http.StatusOK, map[string]string{"embedUrl": *out.EmbedUrl})
}

// lifetime returns how long a console session lasts: never longer than the sign-in. It returns
// false if the sign-in ends before the shortest session would.
func (c *consoleURL) lifetime(until time.Time) (minutes int64, ok bool) {
	minutes = cmp.Or(c.minutes, longestSession)
	if !until.IsZero() {
		minutes = min(minutes, int64(until.Sub(c.now()).Minutes()))
	}
	return minutes, minutes >= shortestSession
}
