// Command gosdkv1 calls GetSessionEmbedUrl with version 1 of the SDK for Go for each input of a
// JSON array, its first argument, and prints the results as JSON. That version needs the endpoint
// in code.
package main

//lint:file-ignore SA1019 this version is compared because programs still use it

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/quicksight"
)

func main() {
	var inputs []*quicksight.GetSessionEmbedUrlInput
	if err := json.Unmarshal([]byte(os.Args[1]), &inputs); err != nil {
		panic(err)
	}
	client := quicksight.New(session.Must(session.NewSession(&aws.Config{
		Endpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL_QUICKSIGHT")), MaxRetries: aws.Int(0),
	})))
	var answers []map[string]string
	for _, in := range inputs {
		out, err := client.GetSessionEmbedUrl(in)
		var failure awserr.Error
		if errors.As(err, &failure) {
			class := reflect.TypeOf(failure).Elem().Name()
			// These are not modelled, or lack the service's name.
			if class == "requestError" || class == "UserNotFoundException" {
				class = failure.Code()
			}
			answers = append(answers, map[string]string{"ErrorCode": failure.Code(), "Class": class})
			continue
		}
		answers = append(answers, map[string]string{"EmbedUrl": aws.StringValue(out.EmbedUrl)})
	}
	json.NewEncoder(os.Stdout).Encode(answers)
}
