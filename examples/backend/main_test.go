package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

const jane = "arn:aws:quicksight:us-east-1:" + account + ":user/default/jane"

func janeIsSignedIn(*http.Request) (string, bool) { return jane, true }

func ofAccount(o *embedtest.Options) { o.AwsAccountId = account }

func TestConsoleURL(t *testing.T) {
	server := embedtest.New(t, ofAccount) // verifies the signature and the input
	handler := consoleURL{quicksightembed.NewFromConfig(server.Config()), janeIsSignedIn}

	page := httptest.NewRecorder()
	handler.ServeHTTP(page, httptest.NewRequest("POST", "/console-url", nil))

	if page.Code != http.StatusOK {
		t.Fatal(page.Code, page.Body)
	}
	if asked := server.Requests()[0]; *asked.Input.UserArn != jane {
		t.Error("asked for", *asked.Input.UserArn)
	}
}

func TestConsoleURLThroughHTTPTest(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"EmbedUrl":"https://quicksight.example/?code=1","Status":200}`)
	}))
	defer server.Close()
	keys := func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret-of-test"}, nil
	}
	client := quicksightembed.New(quicksightembed.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(server.URL),
		Credentials:  aws.CredentialsProviderFunc(keys),
	})

	page := httptest.NewRecorder()
	consoleURL{client, janeIsSignedIn}.ServeHTTP(page, httptest.NewRequest("POST", "/", nil))

	if page.Code != http.StatusOK {
		t.Fatal(page.Code, page.Body)
	}
}

type throttled struct{}

func (throttled) GetSessionEmbedUrl(context.Context, *quicksightembed.GetSessionEmbedUrlInput,
	...func(*quicksightembed.Options)) (*quicksightembed.GetSessionEmbedUrlOutput, error) {
	return nil, &quicksightembed.ThrottlingException{} // a pointer
}

func TestConsoleURLIsRefused(t *testing.T) {
	nobody := func(*http.Request) (string, bool) { return "", false }
	gateway := embedtest.New(t, ofAccount, func(o *embedtest.Options) { o.EnvelopeIdOnly = true })
	empty := embedtest.New(t, ofAccount, func(o *embedtest.Options) { o.Users = []string{} })
	withoutKeys := empty.Config()
	withoutKeys.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, io.ErrUnexpectedEOF
	})
	silent := embedtest.New(t, ofAccount)
	silent.Inject(embedtest.Stall().Times(2))
	impatient := quicksightembed.NewFromConfig(silent.Config(), func(o *quicksightembed.Options) {
		o.AttemptTimeout, o.RetryMaxAttempts = time.Millisecond, 2
	})
	slowKeys := silent.Config()
	slowKeys.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, context.DeadlineExceeded
	})
	unreachable := silent.Config()
	unreachable.BaseEndpoint = aws.String("http://127.0.0.1:1")
	for name, test := range map[string]struct {
		handler consoleURL
		code    int
	}{
		"nobody is signed in":          {consoleURL{throttled{}, nobody}, http.StatusUnauthorized},
		"the service is busy":          {consoleURL{throttled{}, janeIsSignedIn}, http.StatusServiceUnavailable},
		"the service does not answer":  {consoleURL{impatient, janeIsSignedIn}, http.StatusServiceUnavailable},
		"the service is not there":     {consoleURL{quicksightembed.NewFromConfig(unreachable), janeIsSignedIn}, http.StatusBadGateway},
		"credentials take too long":    {consoleURL{quicksightembed.NewFromConfig(slowKeys), janeIsSignedIn}, http.StatusBadGateway},
		"the user is not registered":   {consoleURL{quicksightembed.NewFromConfig(empty.Config()), janeIsSignedIn}, http.StatusForbidden},
		"there are no credentials":     {consoleURL{quicksightembed.NewFromConfig(withoutKeys), janeIsSignedIn}, http.StatusBadGateway},
		"there is no region":           {consoleURL{quicksightembed.New(quicksightembed.Options{}), janeIsSignedIn}, http.StatusInternalServerError},
		"a gateway leaves the URL out": {consoleURL{quicksightembed.NewFromConfig(gateway.Config()), janeIsSignedIn}, http.StatusBadGateway},
	} {
		t.Run(name, func(t *testing.T) {
			page := httptest.NewRecorder()
			test.handler.ServeHTTP(page, httptest.NewRequest("POST", "/console-url", nil))
			if page.Code != test.code {
				t.Error(page.Code, page.Body)
			}
		})
	}
}

func TestDeadlineOfTheRequest(t *testing.T) {
	server := embedtest.New(t, ofAccount)
	server.Inject(embedtest.Stall())
	handler := consoleURL{quicksightembed.NewFromConfig(server.Config()), janeIsSignedIn}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()

	page := httptest.NewRecorder()
	handler.ServeHTTP(page, httptest.NewRequest("POST", "/", nil).WithContext(ctx))

	if page.Code != http.StatusServiceUnavailable {
		t.Error(page.Code, page.Body)
	}
}
