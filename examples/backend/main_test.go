package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

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

type throttled struct{}

func (throttled) GetSessionEmbedUrl(context.Context, *quicksightembed.GetSessionEmbedUrlInput, ...func(*quicksightembed.Options)) (*quicksightembed.GetSessionEmbedUrlOutput, error) {
	return nil, &quicksightembed.ThrottlingException{Message: aws.String("slow down")} // a pointer: that is the error
}

func TestConsoleURLIsRefused(t *testing.T) {
	gateway := embedtest.New(t, func(o *embedtest.Options) { o.EnvelopeIdOnly = true })
	for name, test := range map[string]struct {
		client   quicksightembed.GetSessionEmbedUrlAPIClient
		signedIn bool
		status   int
	}{
		"nobody is signed in":          {throttled{}, false, http.StatusUnauthorized},
		"the service is busy":          {throttled{}, true, http.StatusBadGateway},
		"a gateway leaves the URL out": {quicksightembed.NewFromConfig(gateway.Config()), true, http.StatusBadGateway},
	} {
		t.Run(name, func(t *testing.T) {
			handler := consoleURL{client: test.client, signedIn: func(*http.Request) (string, bool) {
				return "arn:aws:quicksight:us-east-1:111122223333:user/default/jane", test.signedIn
			}}
			page := httptest.NewRecorder()
			handler.ServeHTTP(page, httptest.NewRequest("POST", "/console-url", nil))
			if page.Code != test.status {
				t.Error(page.Code, page.Body)
			}
		})
	}
}
