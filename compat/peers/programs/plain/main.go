// Command plain asks for a URL for each entry point, as a backend does, with the configuration of
// its environment.
package main

import (
	"context"
	"fmt"
	"log"
	"net/url"
	"path"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/quicksight"
)

func main() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	client := quicksight.NewFromConfig(cfg)
	fmt.Println(quicksight.ServiceID, client.Options().Region)
	for _, entryPoint := range []string{"/start", "/start/analyses", "/dashboards/1a1ac2b2-3fc3"} {
		out, err := client.GetSessionEmbedUrl(ctx, &quicksight.GetSessionEmbedUrlInput{
			AwsAccountId:             aws.String("111122223333"),
			EntryPoint:               aws.String(entryPoint),
			SessionLifetimeInMinutes: aws.Int64(60),
			UserArn:                  aws.String("arn:aws:quicksight:us-east-1:111122223333:user/default/jane"),
		})
		if err != nil {
			log.Fatal(err)
		}
		embed, err := url.Parse(aws.ToString(out.EmbedUrl))
		if err != nil {
			log.Fatal(err)
		}
		id, ok := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
		fmt.Println(out.Status, path.Base(embed.Path), embed.Query().Has("code"), ok, id == aws.ToString(out.RequestId))
	}
}
