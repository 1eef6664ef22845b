package main

import (
	"errors"
	"fmt"
	"io"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"example.com/quicksightembed"
)

// advice says what to do about each error that QuickSight documents.
var advice = map[string]string{
	"AccessDeniedException":                    "allow quicksight:GetSessionEmbedUrl in the policy of the identity that signs, and check that the account id is its account",
	"InternalFailureException":                 "try again later; if it stays, give AWS Support the request id",
	"InvalidParameterValueException":           "correct the parameter that the message names",
	"QuickSightUserNotFoundException":          "register the user in this account with RegisterUser, and check the ARN: its region is the account's identity region",
	"ResourceExistsException":                  "use the resource that exists",
	"ResourceNotFoundException":                "check that the account has a QuickSight subscription and that the dashboard or analysis of the entry point exists",
	"SessionLifetimeInMinutesInvalidException": "ask for 15 to 600 minutes",
	"ThrottlingException":                      "ask less often, or for a higher quota; the call has been retried with a delay",
	"UnsupportedUserEditionException":          "upgrade the account to the Enterprise edition",
}

// flagOf names the flag for each field that a ValidationError can be about here.
var flagOf = map[string]string{
	"AwsAccountId":             "-account",
	"EntryPoint":               "-entry-point",
	"SessionLifetimeInMinutes": "-lifetime",
	"UserArn":                  "-user-arn",
	"Options.Region":           "-region",
	"Options.BaseEndpoint":     "-endpoint",
}

// explain prints an error as a person needs it, and returns the exit code.
func explain(w io.Writer, err error) (exitCode int) {
	var invalid *quicksightembed.ValidationError
	if errors.As(err, &invalid) {
		fmt.Fprintln(w, "nothing was sent; these are wrong:")
		for _, field := range invalid.Fields {
			fmt.Fprintf(w, "  %s: %s\n", flagOf[field.Field], field)
		}
		return exitBadInput
	}
	var apiErr smithy.APIError
	var noCredentials *quicksightembed.CredentialsError // an API error in it is that of another service
	if !errors.As(err, &apiErr) || errors.As(err, &noCredentials) {
		fmt.Fprintln(w, err)
		return exitError
	}
	fmt.Fprintf(w, "QuickSight answered with an error:\n  code: %s\n  message: %s\n", apiErr.ErrorCode(), apiErr.ErrorMessage())
	var respErr *awshttp.ResponseError
	if errors.As(err, &respErr) {
		fmt.Fprintf(w, "  status: %d\n  request id: %s\n", respErr.HTTPStatusCode(), respErr.ServiceRequestID())
	}
	if do, ok := advice[apiErr.ErrorCode()]; ok {
		fmt.Fprintln(w, "  what to do:", do)
	}
	return exitError
}
