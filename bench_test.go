package quicksightembed_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// stubbedTransport answers at once, so that what is measured is the client alone.
func stubbedTransport(code int, body string) smithyhttp.ClientDoFunc {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: code, ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"application/json"}, "X-Amzn-Requestid": {"header-id"}},
			Body:   io.NopCloser(strings.NewReader(body)),
		}, nil
	}
}

func benchmarkCall(b *testing.B, httpClient quicksightembed.HTTPClient, optFns ...func(*quicksightembed.Options)) {
	client := quicksightembed.New(quicksightembed.Options{
		Region: "us-east-1", Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", ""), HTTPClient: httpClient,
	})
	b.ReportAllocs()
	for b.Loop() {
		client.GetSessionEmbedUrl(ctx, janesInput(), optFns...)
	}
}

func BenchmarkCall(b *testing.B) { benchmarkCall(b, stubbedTransport(200, nativeReply)) }

func BenchmarkCallWithOptions(b *testing.B) {
	credentials := staticCredentials("ASIA", "SECRET-ACCESS-KEY", "TOKEN")
	benchmarkCall(b, stubbedTransport(200, nativeReply), func(o *quicksightembed.Options) { o.Credentials = credentials })
}

func BenchmarkErrorReply(b *testing.B) {
	benchmarkCall(b, stubbedTransport(400, `{"code":"AccessDeniedException","message":"m"}`))
}

// BenchmarkLongErrorReply has a message of 1 MiB, which is searched for a session token of 2 KiB.
func BenchmarkLongErrorReply(b *testing.B) {
	token := strings.Repeat("FwoGZXIvYXdzEBYaDH+/", 100)
	message := strings.Repeat("a message of many words, and none of them is secret; ", 1<<20/60)
	benchmarkCall(b, stubbedTransport(400, `{"code":"AccessDeniedException","message":"`+message+`"}`), func(o *quicksightembed.Options) {
		o.Credentials = staticCredentials("ASIA", "SECRET-ACCESS-KEY", token)
	})
}

func BenchmarkLoopback(b *testing.B) {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.GetSessionEmbedUrl(ctx, janesInput()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	in := janesInput()
	b.ReportAllocs()
	for b.Loop() {
		if err := in.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}
