package peers

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/tracing/smithyoteltracing"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// Tracing with OpenTelemetry, through smithy-go's adapter: the spans of a call are in the span of
// the page's request.
func Example_openTelemetry() {
	exporter := tracetest.NewInMemoryExporter() // a program sends them, in batches
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	defer provider.Shutdown(context.Background())
	server := embedtest.NewServer()
	defer server.Close()
	server.Inject(embedtest.Throttle())

	client := quicksightembed.NewFromConfig(server.Config(), func(o *quicksightembed.Options) {
		o.TracerProvider = smithyoteltracing.Adapt(provider)
	})
	ctx, page := provider.Tracer("backend").Start(context.Background(), "GET /console")
	client.GetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")})
	page.End()

	printSpans(exporter.GetSpans(), page.SpanContext().SpanID().String(), 1)
	// Output:
	//   QuickSight.GetSessionEmbedUrl
	//     RetryLoop
	//       Attempt 1
	//         GetIdentity
	//         DoHTTPRequest 429
	//       Attempt 2
	//         GetIdentity
	//         DoHTTPRequest 200
}

// printSpans prints the spans in a span, with their children.
func printSpans(spans tracetest.SpanStubs, parent string, depth int) {
	for _, span := range spans {
		if span.Parent.SpanID().String() != parent {
			continue
		}
		line := span.Name
		for _, attribute := range span.Attributes {
			if attribute.Key == "operation.attempt" || attribute.Key == "http.status_code" {
				line += " " + attribute.Value.String()
			}
		}
		fmt.Println(strings.Repeat("  ", depth) + line)
		printSpans(spans, span.SpanContext.SpanID().String(), depth+1)
	}
}

// A user who signs in with a role has a role session, named after the user. Its credentials sign
// the user's calls. Keep them for as long as the user is signed in: otherwise each call asks STS.
func Example_roleSession() {
	const roleArn = "arn:aws:iam::111122223333:role/embed-console"
	server := embedtest.NewServer(func(o *embedtest.Options) { o.Roles = []string{roleArn} })
	defer server.Close()
	cfg := server.Config() // in a program: cfg, err := config.LoadDefaultConfig(ctx)
	client := quicksightembed.NewFromConfig(cfg)
	ctx := context.Background()
	input := &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")}

	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), roleArn,
		func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "jane@example.com" })
	retrieve := func(ctx context.Context) (aws.Credentials, error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return provider.Retrieve(ctx)
	}
	janes := aws.NewCredentialsCache(aws.CredentialsProviderFunc(retrieve),
		func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = time.Minute })
	forJane := func(o *quicksightembed.Options) { o.Credentials = janes }

	for range 2 {
		out, err := client.GetSessionEmbedUrl(ctx, input, forJane)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(out.Status)
	}
	for _, request := range server.Requests() {
		_, user, _ := strings.Cut(request.UserArn, ":user/")
		fmt.Println(request.Operation, user)
	}
	// Output:
	// 200
	// 200
	// AssumeRole default/embed-console/jane@example.com
	// GetSessionEmbedUrl default/embed-console/jane@example.com
	// GetSessionEmbedUrl default/embed-console/jane@example.com
}
