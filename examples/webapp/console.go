package main

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"

	"example.com/quicksightembed"
)

// callTimeout bounds a call, its retries included: nobody looks longer at an empty page.
const callTimeout = 20 * time.Second

// place is a part of the console that the page has in its menu. The page asks for it by its key: the list of places is what is
// allowed.
type place struct {
	Key, Name  string
	entryPoint string
}

func placesWith(dashboard string) []place {
	places := []place{
		{"start", "Start", quicksightembed.EntryPointStart},
		{"analyses", "Analyses", quicksightembed.EntryPointAnalyses},
		{"dashboards", "Dashboards", quicksightembed.EntryPointDashboards},
		{"favorites", "Favorites", quicksightembed.EntryPointFavorites},
	}
	if dashboard != "" {
		places = append(places, place{"dashboard", "Sales overview", quicksightembed.DashboardEntryPoint(dashboard)})
	}
	return places
}

func (a *app) entryPoint(key string) (entryPoint string, ok bool) {
	for _, p := range a.places {
		if p.Key == key {
			return p.entryPoint, true
		}
	}
	return "", false
}

// serveConsoleURL answers with a fresh embed URL, for the user who is signed in and a place in the menu. Nothing else of the
// request matters.
func (a *app) serveConsoleURL(w http.ResponseWriter, r *http.Request) {
	session, ok := a.sessions.of(r)
	if !ok {
		writeJSON(w, http.StatusUnauthorized, problem{Title: "You are not signed in any more", Action: "Sign in again."})
		return
	}
	var asked struct{ Place string }
	if !readJSON(w, r, &asked) {
		return
	}
	entryPoint, ok := a.entryPoint(asked.Place)
	if !ok {
		writeJSON(w, http.StatusBadRequest, problem{Title: "There is no such page of the console", Action: "Choose one from the menu."})
		return
	}

	in := &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId:             aws.String(a.settings.account),
		EntryPoint:               aws.String(entryPoint),
		SessionLifetimeInMinutes: a.settings.lifetimeInMinutes,
	}
	optFns := a.identity.apply(session.User, in)
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	log := a.log.With("request", requestID(r), "user", session.User, "entry_point", entryPoint)
	out, err := a.client.GetSessionEmbedUrl(ctx, in, optFns...)
	if err != nil {
		status, shown := explain(err)
		shown.Reference = requestID(r)
		log.Error("no embed URL", "status", status, "aws_request", awsRequestID(err), "error", err) // the client keeps secrets out of its errors
		writeJSON(w, status, shown)
		return
	}
	awsRequest, _ := middleware.GetRequestIDMetadata(out.ResultMetadata)
	log.Info("embed URL issued", "aws_request", awsRequest) // and not the URL: who has it is the user
	writeJSON(w, http.StatusOK, map[string]string{"embedUrl": *out.EmbedUrl})
}
