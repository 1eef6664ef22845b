// Command client asks for a URL with this project's client.
package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"

	quicksight "example.com/quicksightembed"
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
