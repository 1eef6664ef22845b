package compat

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/tracing/smithyoteltracing"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// Tracing with OpenTelemetry, through smithy-go's adapter: the spans of a call are within the span of the request that it is
// made for.
func Example_openTelemetry() {
	exporter := tracetest.NewInMemoryExporter() // in a program: one that sends spans, in batches
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

// printSpans prints the spans in a span, and what is in them.
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
