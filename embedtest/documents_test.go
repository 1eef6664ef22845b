package embedtest_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// inDocuments has statements of the documents, to compile them. The README's handler is in
// examples/backend, and the code that uses STS in compat/peers/example_test.go.
func inDocuments(t *testing.T, cfg aws.Config, bob string, isDown bool) {
	{
		client := quicksightembed.NewFromConfig(cfg, func(o *quicksightembed.Options) {
			o.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
				t.MaxIdleConns, t.MaxIdleConnsPerHost = 300, 300
			})
		})
		_ = client
	}
	server := embedtest.New(t)
	client := quicksightembed.NewFromConfig(server.Config())
	client.GetSessionEmbedUrl(context.Background(), nil)

	server.Inject(embedtest.Throttle().Times(2))
	server.Inject(embedtest.Fail("ResourceExistsException").ForUser(bob))
	server.Inject(embedtest.Stall(), embedtest.Reset(), embedtest.Status(503))
	server.Inject(embedtest.RateLimit(10, time.Second))
	server.Inject(embedtest.Fail("AccessDenied").ForOperation("AssumeRole"))
	server.Advance(6 * time.Minute)
	server.UnregisterUser(jane)
	server.AssertFaultsHappened(t)

	server.Inject(embedtest.Stall(), embedtest.Reset(), embedtest.Status(503))
	server.Inject(embedtest.RateLimit(10, time.Second))
	server.Inject(embedtest.Status(503).When(func(embedtest.Request) bool { return isDown }))
}

var _ = inDocuments
