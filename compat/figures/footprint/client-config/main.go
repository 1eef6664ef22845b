// Command client-config asks for a URL with this project's client and the configuration of the
// environment.
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	quicksight "example.com/quicksightembed"
)

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	out, err := quicksight.NewFromConfig(cfg).GetSessionEmbedUrl(context.Background(), &quicksight.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")})
	fmt.Println(out, err)
}
