package embedtest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// This file has statements that are in the README. Its handler is in examples/backend, what uses
// STS in compat/example_test.go.

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
