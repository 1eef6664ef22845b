package quicksightembed_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"

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
	fmt.Println(out.Status, out.EmbedUrl != nil) // *out.EmbedUrl is for the page alone
	// Output: 200 true
}

// Each end user of an application that signs users in with roles has credentials of their own: cache them per user, and
// leave UserArn out.
func ExampleClient_GetSessionEmbedUrl_roleSession() {
	server := embedtest.NewServer()
	defer server.Close()
	client := quicksightembed.NewFromConfig(server.Config())

	// In a program: aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(…)), kept as long as the user is signed in.
	janes := aws.NewCredentialsCache(server.Config().Credentials)

	out, err := client.GetSessionEmbedUrl(context.Background(),
		&quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")},
		func(o *quicksightembed.Options) { o.Credentials = janes })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.Status)
	// Output: 200
}

func ExampleGetSessionEmbedUrlInput_Validate() {
	in := &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: aws.String("111122223333"),
		UserArn:      aws.String("arn:aws:quicksight:111122223333:user/default/jane"),
	}
	fmt.Println(in.Validate())
	// Output:
	// invalid input: UserArn "arn:aws:quicksight:111122223333:user/default/jane" has no region: it must be arn:{partition}:quicksight:{region}:{account}:user/{namespace}/{user name}
}
