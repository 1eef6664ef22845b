// Command mock has a backend that asks through an interface of one method, and a mock of the
// interface that returns typed exceptions.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/quicksight"
	"github.com/aws/aws-sdk-go-v2/service/quicksight/types"
)

// SessionEmbedder is what the backend needs of QuickSight.
type SessionEmbedder interface {
	GetSessionEmbedUrl(ctx context.Context, params *quicksight.GetSessionEmbedUrlInput, optFns ...func(*quicksight.Options)) (*quicksight.GetSessionEmbedUrlOutput, error)
}

var _ SessionEmbedder = (*quicksight.Client)(nil)

type mock struct {
	err   error
	asked *quicksight.GetSessionEmbedUrlInput
}

func (m *mock) GetSessionEmbedUrl(_ context.Context, params *quicksight.GetSessionEmbedUrlInput, optFns ...func(*quicksight.Options)) (*quicksight.GetSessionEmbedUrlOutput, error) {
	m.asked = params
	if m.err != nil {
		return nil, m.err
	}
	return &quicksight.GetSessionEmbedUrlOutput{EmbedUrl: aws.String("https://quicksight.example"), RequestId: aws.String("id"), Status: 200}, nil
}

// page is the backend's own code.
func page(ctx context.Context, quickSight SessionEmbedder, user string) string {
	out, err := quickSight.GetSessionEmbedUrl(ctx, &quicksight.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333"), UserArn: &user})
	var unknown *types.QuickSightUserNotFoundException
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &unknown):
		return "register " + user + " first: " + unknown.ErrorMessage()
	case errors.As(err, &missing):
		return fmt.Sprintf("there is no %s: %s", missing.ResourceType, aws.ToString(missing.Message))
	case err != nil:
		return "try again: " + err.Error()
	}
	return *out.EmbedUrl
}

func main() {
	ctx := context.Background()
	for _, err := range []error{
		nil,
		&types.QuickSightUserNotFoundException{Message: aws.String("no such user")},
		&types.ResourceNotFoundException{Message: aws.String("gone"), ResourceType: types.ExceptionResourceTypeNamespace, RequestId: aws.String("r")},
		&types.ThrottlingException{Message: aws.String("slow down")},
		&types.AccessDeniedException{ErrorCodeOverride: aws.String("Denied")},
		errors.New("no network"),
	} {
		m := &mock{err: err}
		fmt.Println(page(ctx, m, "jane"), *m.asked.UserArn, *m.asked.AwsAccountId)
	}
}
