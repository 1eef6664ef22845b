package embedtest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

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

// A test of a handler: what it answers, and what it asked QuickSight for.
func ExampleServer_Requests() {
	const jane = "arn:aws:quicksight:us-east-1:111122223333:user/default/jane"
	server := embedtest.NewServer()
	defer server.Close()
	handler := consoleURL{
		client:   quicksightembed.NewFromConfig(server.Config()),
		signedIn: func(*http.Request) (string, bool) { return jane, true },
	}

	page := httptest.NewRecorder()
	handler.ServeHTTP(page, httptest.NewRequest("POST", "/console-url", nil))

	asked := server.Requests()[0]
	fmt.Println(page.Code, page.Header().Get("Cache-Control"))
	fmt.Println(*asked.Input.UserArn)
	fmt.Printf("refused with %q\n", asked.Code)
	// Output:
	// 200 no-store
	// arn:aws:quicksight:us-east-1:111122223333:user/default/jane
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

// A fault for one user alone.
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

// A test of what users see who come back too late.
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

// Users who sign in with roles: each has credentials, and is told apart by them. Where the code under test asks STS for them, use
// Options.Roles, as the example of a role session of quicksightembed does.
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
