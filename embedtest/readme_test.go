package embedtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// This file has the Go that is in the README. What uses STS is in compat/example_test.go.

// consoleURL is a handler of a backend: a fresh embed URL for the user who is signed in.
type consoleURL struct {
	client   embedder                                      // a *quicksightembed.Client
	signedIn func(*http.Request) (userArn string, ok bool) // your own session's user
}

func (h consoleURL) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	userArn, ok := h.signedIn(r) // from your own session, never from the request's parameters
	if !ok {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second) // nobody looks longer at an empty page
	defer cancel()
	out, err := h.client.GetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: aws.String("111122223333"),
		EntryPoint:   aws.String(quicksightembed.EntryPointDashboards),
		UserArn:      aws.String(userArn),
	})
	if err != nil {
		slog.ErrorContext(r.Context(), "no embed URL", "error", err) // has the AWS request ID, and no secret
		http.Error(w, "the console is not available, try again later", http.StatusBadGateway)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"embedUrl": *out.EmbedUrl})
}

func TestConsoleURL(t *testing.T) {
	const jane = "arn:aws:quicksight:us-east-1:111122223333:user/default/jane"
	server := embedtest.New(t)
	handler := consoleURL{
		client:   quicksightembed.NewFromConfig(server.Config()),
		signedIn: func(*http.Request) (string, bool) { return jane, true },
	}

	page := httptest.NewRecorder()
	handler.ServeHTTP(page, httptest.NewRequest("POST", "/console-url", nil))

	if page.Code != 200 {
		t.Fatal(page.Code, page.Body)
	}
	asked := server.Requests()[0]
	if *asked.Input.UserArn != jane || asked.Code != "" { // Code is the error code, empty on success
		t.Errorf("asked for %s, answered with %q", *asked.Input.UserArn, asked.Code)
	}
}

type embedder interface {
	GetSessionEmbedUrl(context.Context, *quicksightembed.GetSessionEmbedUrlInput, ...func(*quicksightembed.Options)) (*quicksightembed.GetSessionEmbedUrlOutput, error)
}

type throttled struct{}

func (throttled) GetSessionEmbedUrl(context.Context, *quicksightembed.GetSessionEmbedUrlInput, ...func(*quicksightembed.Options)) (*quicksightembed.GetSessionEmbedUrlOutput, error) {
	return nil, &quicksightembed.ThrottlingException{Message: aws.String("slow down")} // a pointer: that is the error
}

func TestConsoleURLOfAServiceThatIsBusy(t *testing.T) {
	handler := consoleURL{client: throttled{}, signedIn: func(*http.Request) (string, bool) { return "jane", true }}
	page := httptest.NewRecorder()
	handler.ServeHTTP(page, httptest.NewRequest("POST", "/console-url", nil))
	if page.Code != http.StatusBadGateway {
		t.Error(page.Code, page.Body)
	}
}

// snippets are the README's statements. They are compiled alone: some of them ask AWS.
func snippets(ctx context.Context, jane, bob string, isDown bool) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client := quicksightembed.NewFromConfig(cfg)
	{
		out, err := client.GetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{
			AwsAccountId: aws.String("111122223333"),
			EntryPoint:   aws.String(quicksightembed.EntryPointDashboards),
			UserArn:      aws.String("arn:aws:quicksight:us-east-1:111122223333:user/default/jane"),
		})
		fmt.Println(out, err)
	}
	{
		client := quicksightembed.NewFromConfig(cfg, func(o *quicksightembed.Options) { o.AttemptTimeout = 3 * time.Second })
		_ = client
	}
	var t *testing.T
	server := embedtest.New(t)

	server.Inject(embedtest.Throttle().Times(2))
	server.Inject(embedtest.Fail("ResourceExistsException").ForUser(bob))
	server.Inject(embedtest.Stall(), embedtest.Reset(), embedtest.Status(503))
	server.Inject(embedtest.RateLimit(10, time.Second))
	server.Inject(embedtest.Status(503).When(func(embedtest.Request) bool { return isDown }))
	server.Inject(embedtest.Fail("AccessDenied").ForOperation("AssumeRole"))
	server.Advance(6 * time.Minute)
	server.UnregisterUser(jane)
	server.AssertFaultsHappened(t)
	return nil
}

var _ = snippets
