package embedtest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// In a test, use New: the server closes itself. If the test fails, it logs which requests it
// refused, and why.
func ExampleNew() {
	_ = func(t *testing.T) {
		server := embedtest.New(t, func(o *embedtest.Options) { o.Dashboards = []string{"sales"} })
		client := quicksightembed.NewFromConfig(server.Config())

		_, err := client.GetSessionEmbedUrl(t.Context(), &quicksightembed.GetSessionEmbedUrlInput{
			AwsAccountId: aws.String("111122223333"),
			EntryPoint:   aws.String(quicksightembed.DashboardEntryPoint("sales")),
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func ExampleNewServer() {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())

	client.GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: aws.String("111122223333"),
		EntryPoint:   aws.String(quicksightembed.EntryPointDashboards),
	})
	fmt.Println(*server.Requests()[0].Input.EntryPoint, server.Requests()[0].Status)
	// Output: /start/dashboards 200
}

// Test what a handler answers, and what it asks QuickSight for. Copy the test in examples/backend.
func ExampleServer_Requests() {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := client.GetSessionEmbedUrl(r.Context(), &quicksightembed.GetSessionEmbedUrlInput{
			AwsAccountId: aws.String("111122223333"), UserArn: aws.String(jane),
		})
		if err != nil {
			http.Error(w, "try again later", http.StatusBadGateway)
			return
		}
		fmt.Fprintln(w, *out.EmbedUrl)
	})

	page := httptest.NewRecorder()
	handler.ServeHTTP(page, httptest.NewRequest("POST", "/console-url", nil))

	asked := server.Requests()[0]
	fmt.Println(page.Code, *asked.Input.UserArn)
	fmt.Printf("refused with %q\n", asked.Code)
	// Output:
	// 200 arn:aws:quicksight:us-east-1:111122223333:user/default/jane
	// refused with ""
}

// A test that the code under test survives throttling.
func ExampleServer_Inject() {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())

	server.Inject(embedtest.Throttle().Times(2))
	_, err := client.GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")})

	fmt.Println(err)
	for _, request := range server.Requests() {
		fmt.Println(request)
	}
	// Output:
	// <nil>
	// GET /accounts/111122223333/session-embed-url: 429 fault Throttle, ThrottlingException
	// GET /accounts/111122223333/session-embed-url: 429 fault Throttle, ThrottlingException
	// GET /accounts/111122223333/session-embed-url: 200 issued a URL
}

// A fault for only one user.
func ExampleFault_When() {
	const jane, bob = "arn:aws:quicksight:us-east-1:111122223333:user/default/jane", "arn:aws:quicksight:us-east-1:111122223333:user/default/bob"
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())

	server.Inject(embedtest.Fail("QuickSightUserNotFoundException").When(func(r embedtest.Request) bool { return r.UserArn == bob }))

	for _, user := range []string{jane, bob} {
		_, err := client.GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{
			AwsAccountId: aws.String("111122223333"), UserArn: aws.String(user),
		})
		var notFound *quicksightembed.QuickSightUserNotFoundException
		fmt.Println(errors.As(err, &notFound))
	}
	// Output:
	// false
	// true
}

// Test what users see if they open a URL too late.
func ExampleServer_Advance() {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())
	out, err := client.GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")})
	if err != nil {
		fmt.Println(err)
		return
	}

	server.Advance(6 * time.Minute)
	page, err := server.Client().Get(*out.EmbedUrl)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer page.Body.Close()
	fmt.Println(page.Status)
	// Output: 410 Gone
}

// Users who sign in with roles have their own keys. If the code under test gets them from STS, use
// Options.Roles.
func ExampleIdentity() {
	janes := aws.Credentials{AccessKeyID: "ASIAJANE", SecretAccessKey: "secret-access-key", SessionToken: "janes-session-token"}
	server := embedtest.NewServer(func(o *embedtest.Options) {
		o.Identities = []embedtest.Identity{{
			Credentials: janes,
			UserArn:     "arn:aws:quicksight:us-east-1:111122223333:user/default/embed-role/jane",
		}}
	})
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())

	client.GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")},
		func(o *quicksightembed.Options) {
			o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return janes, nil })
		})
	fmt.Println(server.Requests()[0].UserArn)
	// Output: arn:aws:quicksight:us-east-1:111122223333:user/default/embed-role/jane
}

// An outage for one user, until it is removed.
func ExampleServer_RemoveFaults() {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())
	ask := func() error {
		_, err := client.GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{
			AwsAccountId: aws.String("111122223333"), UserArn: aws.String(jane),
		})
		return err
	}

	ids := server.Inject(embedtest.Status(503).ForUser(jane).Times(100))
	fmt.Println(ask() != nil, server.Faults())
	server.RemoveFaults(ids...)
	fmt.Println(ask() != nil, server.Faults())
	// Output:
	// true [{1 Status 100 3}]
	// false []
}

// A fault of STS, for code that assumes a role.
func ExampleFault_ForOperation() {
	server := embedtest.NewServer(func(o *embedtest.Options) { o.Roles = []string{"arn:aws:iam::111122223333:role/embed"} })
	defer server.Close()
	server.Inject(embedtest.Fail("AccessDenied").ForOperation("AssumeRole"))
	fmt.Println(server.Faults()[0].Name)
	// Output: Fail
}

// A firewall that lets one request an hour through.
func ExampleRateLimit() {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())
	server.Inject(embedtest.RateLimit(1, time.Hour))

	for range 2 {
		_, err := client.GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")})
		var throttled *quicksightembed.ThrottlingException
		fmt.Println(errors.As(err, &throttled))
	}
	// Output:
	// false
	// true
}

// A slow service: the call takes as long as the delay, or fails if its context ends earlier.
func ExampleDelay() {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())
	server.Inject(embedtest.Delay(time.Minute).ForUser(jane))

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err := client.GetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: aws.String("111122223333"), UserArn: aws.String(jane),
	})
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

// The test fails if the code under test makes too few calls to meet all faults.
func ExampleServer_AssertFaultsHappened() {
	_ = func(t *testing.T) {
		server := embedtest.New(t)
		server.Inject(embedtest.Throttle().Times(2))
		// … call QuickSight three times
		server.AssertFaultsHappened(t)
	}
}

// A test of code that calls in the background.
func ExampleServer_WaitForRequests() {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())

	go client.GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")})
	fmt.Println(server.WaitForRequests(context.Background(), 1), server.RequestCount())
	// Output: <nil> 1
}

// List who opened which page.
func ExampleServer_Openings() {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())
	out, err := client.GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: aws.String("111122223333"), UserArn: aws.String(jane),
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	for range 2 {
		page, err := server.Client().Get(*out.EmbedUrl)
		if err != nil {
			fmt.Println(err)
			return
		}
		page.Body.Close()
	}
	for _, opening := range server.Openings() {
		fmt.Println(opening.UserArn == jane, opening.EntryPoint, opening.Status)
	}
	// Output:
	// true /start 200
	// true /start 410
}

// Change the account while a program runs, and reset it.
func ExampleServer_Reset() {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())
	ask := func() {
		_, err := client.GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{
			AwsAccountId: aws.String("111122223333"), UserArn: aws.String(jane),
		})
		var apiErr smithy.APIError
		if errors.As(err, &apiErr) {
			fmt.Println(apiErr.ErrorCode())
			return
		}
		fmt.Println("a URL")
	}

	server.UnregisterUser(jane)
	ask()
	server.Reset()
	ask()
	server.SetEdition(embedtest.EditionStandard)
	ask()
	// Output:
	// QuickSightUserNotFoundException
	// a URL
	// UnsupportedUserEditionException
}

// If a permission is missing, IAM refuses the call and names the action.
func ExampleOptions_denied() {
	server := embedtest.NewServer(func(o *embedtest.Options) { o.Denied = []string{"quicksight:GetAuthCode"} })
	defer server.Close()
	_, err := quicksightembed.NewFromConfig(server.Config()).GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: aws.String("111122223333"), UserArn: aws.String(jane),
	})
	var denied *quicksightembed.AccessDeniedException
	if errors.As(err, &denied) {
		_, action, _ := strings.Cut(*denied.Message, " is ")
		fmt.Println(strings.Split(action, " on resource: ")[0])
	}
	// Output: not authorized to perform: quicksight:GetAuthCode
}

// An incident: a key is revoked while the program runs.
func ExampleServer_RevokeKey() {
	server := embedtest.NewServer(func(o *embedtest.Options) { o.Credentials.AccessKeyID = "AKIALEAKED" })
	defer server.Close()
	server.RevokeKey("AKIALEAKED")
	_, err := quicksightembed.NewFromConfig(server.Config()).GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: aws.String("111122223333"),
	})
	var apiErr smithy.APIError
	if errors.As(err, &apiErr) {
		fmt.Println(apiErr.ErrorCode())
	}
	// Output: UnrecognizedClientException
}

// A gateway that answers with an id but no URL: check EmbedUrl before you use it.
func ExampleOptions_envelopeIdOnly() {
	server := embedtest.NewServer(func(o *embedtest.Options) { o.EnvelopeIdOnly = true })
	defer server.Close()
	out, err := quicksightembed.NewFromConfig(server.Config()).GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: aws.String("111122223333"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out.EmbedUrl == nil, out.Id != nil)
	// Output: true true
}
