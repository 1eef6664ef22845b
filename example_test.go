package quicksightembed_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

func ExampleClient_GetSessionEmbedUrl() {
	server := embedtest.NewServer() // in a program: cfg, err := config.LoadDefaultConfig(ctx)
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())

	out, err := client.GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId:             aws.String("111122223333"),
		EntryPoint:               aws.String(quicksightembed.DashboardEntryPoint("sales")),
		SessionLifetimeInMinutes: aws.Int64(60),
		UserArn:                  aws.String("arn:aws:quicksight:us-east-1:111122223333:user/default/jane"),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.Status, out.EmbedUrl != nil) // send *out.EmbedUrl only to the page
	// Output: 200 true
}

// Show the user of a page a message: check the most specific error first. Give the operator the
// error itself: secrets in it are redacted.
func ExampleClient_GetSessionEmbedUrl_errors() {
	// Nobody is registered.
	server := embedtest.NewServer(func(o *embedtest.Options) { o.Users = []string{} })
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())

	_, err := client.GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: aws.String("111122223333"),
		UserArn:      aws.String("arn:aws:quicksight:us-east-1:111122223333:user/default/jane"),
	})

	var (
		invalid   *quicksightembed.ValidationError
		noKeys    *quicksightembed.CredentialsError
		notFound  *quicksightembed.QuickSightUserNotFoundException
		throttled *quicksightembed.ThrottlingException
		answer    smithy.APIError
		timeout   interface{ Timeout() bool }
	)
	switch {
	case err == nil:
		fmt.Println("here is your console")
	case errors.As(err, &invalid):
		fmt.Println("nothing was sent, because of", invalid.Fields[0].Field)
	case errors.As(err, &noKeys): // first: it can contain an API error of STS
		fmt.Println("no credentials:", noKeys.Err)
	case errors.As(err, &notFound):
		fmt.Println("ask your administrator for access")
	case errors.As(err, &throttled):
		fmt.Println("try again in a minute") // three attempts were made
	case errors.As(err, &answer):
		fmt.Println("QuickSight answered", answer.ErrorCode())
	case errors.As(err, &timeout) && timeout.Timeout(): // an attempt or the context timed out
		fmt.Println("this takes too long")
	default:
		fmt.Println("QuickSight cannot be reached")
	}
	var reply *awshttp.ResponseError
	if errors.As(err, &reply) {
		fmt.Println(reply.HTTPStatusCode(), reply.ServiceRequestID() != "")
	}
	// Output:
	// ask your administrator for access
	// 404 true
}

func ExampleGetSessionEmbedUrlInput_Validate() {
	in := &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId:             aws.String("1111"),
		SessionLifetimeInMinutes: aws.Int64(5),
	}
	var invalid *quicksightembed.ValidationError
	if errors.As(in.Validate(), &invalid) {
		for _, field := range invalid.Fields {
			fmt.Println(field)
		}
	}
	// Output:
	// AwsAccountId "1111" must be 12 digits
	// SessionLifetimeInMinutes "5" must be 15 to 600 minutes
}

// A form handler that reports what is wrong with each of its fields. It makes no call.
func ExampleGetSessionEmbedUrlInput_Validate_form() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		in := &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")}
		if id := r.FormValue("dashboard"); id != "" { // otherwise the start page
			in.EntryPoint = aws.String(quicksightembed.DashboardEntryPoint(id))
		}
		if text := r.FormValue("minutes"); text != "" { // otherwise QuickSight's default
			minutes, _ := strconv.ParseInt(text, 10, 64) // 0 is refused
			in.SessionLifetimeInMinutes = &minutes
		}
		var invalid *quicksightembed.ValidationError
		if !errors.As(in.Validate(), &invalid) {
			return
		}
		w.WriteHeader(http.StatusUnprocessableEntity)
		for _, field := range invalid.Fields {
			switch field.Field {
			case "EntryPoint":
				fmt.Fprintln(w, "dashboard: this is not the ID of a dashboard")
			case "SessionLifetimeInMinutes":
				fmt.Fprintln(w, "minutes:", field.Problem)
			}
		}
	}

	form := url.Values{"dashboard": {"sales?year=2026"}, "minutes": {"900"}}
	post := httptest.NewRequest("POST", "/preferences", strings.NewReader(form.Encode()))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	page := httptest.NewRecorder()
	handler(page, post)
	fmt.Print(page.Code, "\n", page.Body)
	// Output:
	// 422
	// dashboard: this is not the ID of a dashboard
	// minutes: must be 15 to 600 minutes
}

// Middleware of the AWS SDK for Go works as with the official client. Here it adds a signed
// header, and a name in the User-Agent.
func ExampleWithAPIOptions() {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config(), quicksightembed.WithAPIOptions(
		smithyhttp.SetHeaderValue("X-Tenant", "acme"),
		awsmiddleware.AddUserAgentKeyValue("acme-portal", "1.4"),
	))

	req, err := client.SignGetSessionEmbedUrl(context.Background(),
		&quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Contains(req.Header.Get("Authorization"), "x-tenant"))
	fmt.Println(strings.HasSuffix(req.UserAgent(), " acme-portal/1.4"))
	// Output:
	// true
	// true
}

// alwaysThrottled is a mock, to test a handler that takes the interface.
type alwaysThrottled struct{}

func (alwaysThrottled) GetSessionEmbedUrl(context.Context, *quicksightembed.GetSessionEmbedUrlInput, ...func(*quicksightembed.Options)) (*quicksightembed.GetSessionEmbedUrlOutput, error) {
	return nil, &quicksightembed.ThrottlingException{Message: aws.String("slow down")}
}

// A function that takes the interface works with a *Client, and with a mock in its test.
func ExampleGetSessionEmbedUrlAPIClient() {
	consoleURL := func(client quicksightembed.GetSessionEmbedUrlAPIClient) (string, error) {
		out, err := client.GetSessionEmbedUrl(context.Background(),
			&quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.EmbedUrl), nil
	}
	_, err := consoleURL(alwaysThrottled{})
	fmt.Println(err)
	// Output:
	// ThrottlingException: slow down
}

// Open a page that AWS has added since this version. Validate refuses it.
func ExampleOptions_disableInputValidation() {
	server := embedtest.NewServer()
	defer server.Close()
	in := &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333"), EntryPoint: aws.String("/start/datasets")}

	req, err := quicksightembed.NewFromConfig(server.Config()).SignGetSessionEmbedUrl(context.Background(), in,
		func(o *quicksightembed.Options) { o.DisableInputValidation = true })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(in)
	fmt.Println(req.URL.RawQuery)
	// Output:
	// {AwsAccountId:111122223333 EntryPoint:/start/datasets}
	// entry-point=%2Fstart%2Fdatasets
}
