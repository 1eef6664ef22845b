// Backend is the smallest backend for a page of your own: POST /console-url answers with a fresh
// embed URL for the user who is signed in. It asks AWS, with the credentials and region of the AWS
// configuration. Copy the handler and its test.
package main

import (
	"context"
	"encoding/json"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"example.com/quicksightembed"
)

type consoleURL struct {
	client   quicksightembed.GetSessionEmbedUrlAPIClient   // a *quicksightembed.Client
	signedIn func(*http.Request) (userArn string, ok bool) // your own session's user
}

func (h consoleURL) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	userArn, ok := h.signedIn(r) // from your own session, never from the request's parameters
	if !ok {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second) // users give up after about 10 seconds
	defer cancel()
	out, err := h.client.GetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: aws.String("111122223333"),
		EntryPoint:   aws.String(quicksightembed.EntryPointDashboards),
		UserArn:      aws.String(userArn),
	})
	if err != nil || out.EmbedUrl == nil { // which is nil only behind a gateway that wraps replies
		slog.ErrorContext(r.Context(), "no embed URL", "error", err) // has the AWS request ID, and no secret
		http.Error(w, "the console is not available, try again later", http.StatusBadGateway)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"embedUrl": *out.EmbedUrl})
}

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	// Three seconds for an attempt leave time for another one within the handler's ten.
	client := quicksightembed.NewFromConfig(cfg, func(o *quicksightembed.Options) { o.AttemptTimeout = 3 * time.Second })
	signedIn := func(*http.Request) (string, bool) { return "", false } // nobody, until you fill it in
	http.Handle("POST /console-url", consoleURL{client, signedIn})
	log.Fatal(http.ListenAndServe("localhost:8080", nil))
}
