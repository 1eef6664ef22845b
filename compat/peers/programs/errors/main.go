// Command errors handles every error, with the code that the server of its environment answers
// with.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/quicksight"
	"github.com/aws/aws-sdk-go-v2/service/quicksight/types"
	"github.com/aws/smithy-go"
)

func main() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	_, err = quicksight.NewFromConfig(cfg).GetSessionEmbedUrl(ctx, &quicksight.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")})
	fmt.Println(describe(err))

	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		fmt.Println(operation.Service(), operation.Operation())
	}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		fmt.Println(response.HTTPStatusCode(), response.ServiceRequestID() != "", response.Response.Header.Get("X-Amzn-ErrorType"))
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		fmt.Println(api.ErrorCode(), api.ErrorMessage(), api.ErrorFault())
	}
	var attempts *retry.MaxAttemptsError
	if errors.As(err, &attempts) {
		fmt.Println("after", attempts.Attempt, "attempts")
	}
}

func describe(err error) string {
	var (
		denied      *types.AccessDeniedException
		failure     *types.InternalFailureException
		invalid     *types.InvalidParameterValueException
		unknown     *types.QuickSightUserNotFoundException
		exists      *types.ResourceExistsException
		missing     *types.ResourceNotFoundException
		lifetime    *types.SessionLifetimeInMinutesInvalidException
		throttled   *types.ThrottlingException
		unsupported *types.UnsupportedUserEditionException
	)
	switch {
	case errors.As(err, &denied):
		return "denied " + aws.ToString(denied.Message)
	case errors.As(err, &failure):
		return "failure " + aws.ToString(failure.Message)
	case errors.As(err, &invalid):
		return "invalid " + aws.ToString(invalid.Message)
	case errors.As(err, &unknown):
		return "unknown user " + aws.ToString(unknown.Message)
	case errors.As(err, &exists):
		return "exists " + string(exists.ResourceType)
	case errors.As(err, &missing):
		return "missing " + string(missing.ResourceType)
	case errors.As(err, &lifetime):
		return "lifetime " + aws.ToString(lifetime.Message)
	case errors.As(err, &throttled):
		return "throttled " + aws.ToString(throttled.Message)
	case errors.As(err, &unsupported):
		return "unsupported " + aws.ToString(unsupported.Message)
	}
	return fmt.Sprintf("something else: %T", errors.Unwrap(err))
}
