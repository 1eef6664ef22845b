// Command options sets options of a client and of its calls, such as the credentials of a role
// session.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/quicksight"
	"github.com/aws/smithy-go/logging"
)

// sender prints the access key and the attempt of each request.
type sender struct{}

func (sender) Do(r *http.Request) (*http.Response, error) {
	fmt.Printf("%.38s %s\n", r.Header.Get("Authorization"), r.Header.Get("Amz-Sdk-Request"))
	return http.DefaultClient.Do(r)
}

func main() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	client := quicksight.NewFromConfig(cfg, func(o *quicksight.Options) {
		o.HTTPClient = sender{}
		o.HTTPSignerV4 = v4.NewSigner()
		o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) {
			so.MaxAttempts = 2
			so.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
		o.AppID = "migrated"
		o.Logger = logging.Nop{}
		o.ClientLogMode = aws.LogRetries
	})
	in := &quicksight.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")}
	for _, key := range []string{"ASIAJANE", "ASIABOB"} {
		session := aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(key, "secret", "token"))
		_, err := client.GetSessionEmbedUrl(ctx, in, func(o *quicksight.Options) { o.Credentials = session })
		fmt.Println(err != nil) // the server knows neither key
	}
	_, err = client.GetSessionEmbedUrl(ctx, in, func(o *quicksight.Options) { o.RetryMaxAttempts = 4 })
	fmt.Println(err)
	_, err = client.GetSessionEmbedUrl(ctx, in, func(o *quicksight.Options) { o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled })
	fmt.Println(err != nil) // not with a base endpoint
	o := client.Options()
	fmt.Println(o.AppID, o.Region, o.ClientLogMode.IsRetries(), o.Retryer.MaxAttempts(), quicksight.New(o).Options().AppID)
}
