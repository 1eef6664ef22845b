// Command official asks for a URL with the official client.
package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/quicksight"
)

func main() {
	client := quicksight.New(quicksight.Options{Region: "us-east-1", HTTPClient: http.DefaultClient, Credentials: keys{}})
	out, err := client.GetSessionEmbedUrl(context.Background(), &quicksight.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")})
	fmt.Println(out, err)
}

type keys struct{}

func (keys) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}, nil
}
