// Backend is the smallest backend for your own page: POST /console-url answers with a fresh embed
// URL for the user who is signed in. It asks AWS, with the credentials and region of the AWS
// configuration. Copy the handler and its test.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"example.com/quicksightembed"
)

const account = "111122223333"

type consoleURL struct {
	client   quicksightembed.GetSessionEmbedUrlAPIClient   // a *quicksightembed.Client
	signedIn func(*http.Request) (userArn string, ok bool) // from your own session
}

func (h consoleURL) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	userArn, ok := h.signedIn(r)
	if !ok {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second) // users give up after that
	defer cancel()
	out, err := h.client.GetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: aws.String(account),
		UserArn:      aws.String(userArn),
	})
	if err != nil || out.EmbedUrl == nil {
		slog.ErrorContext(ctx, "no embed URL", "error", err) // secrets in it are redacted
		code, text := explain(err)
		http.Error(w, text, code)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(map[string]string{"embedUrl": *out.EmbedUrl})
}

func explain(err error) (code int, text string) {
	var noCredentials *quicksightembed.CredentialsError
	var invalid *quicksightembed.ValidationError
	var busy *quicksightembed.ThrottlingException
	var late interface{ Timeout() bool }
	var noUser *quicksightembed.QuickSightUserNotFoundException
	switch {
	case errors.As(err, &noCredentials): // first: it can contain an error of STS
		return http.StatusBadGateway, "the console is not available"
	case errors.As(err, &invalid):
		return http.StatusInternalServerError, "the console is not configured"
	case errors.As(err, &busy), errors.As(err, &late) && late.Timeout():
		return http.StatusServiceUnavailable, "QuickSight is busy, try again later"
	case errors.As(err, &noUser):
		return http.StatusForbidden, "ask an admin to add you to QuickSight"
	default:
		return http.StatusBadGateway, "the console is not available"
	}
}

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	client := quicksightembed.NewFromConfig(cfg, func(o *quicksightembed.Options) {
		o.AttemptTimeout = 3 * time.Second // leaves time for two retries
	})
	// Nobody is signed in until you fill this in.
	signedIn := func(*http.Request) (string, bool) { return "", false }
	http.Handle("POST /console-url", consoleURL{client, signedIn})
	log.Print("POST http://localhost:8080/console-url")
	log.Fatal(http.ListenAndServe("localhost:8080", nil))
}
