package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"example.com/quicksightembed"
)

// advice is what to do about each error that QuickSight documents, and about a wrong region.
var advice = map[string]string{
	"AccessDeniedException":                    "check that -account is the account of the credentials, and that their policies allow quicksight:GetSessionEmbedUrl",
	"InternalFailureException":                 "try again later; if it stays, give AWS Support the request ID",
	"InvalidSignatureException":                "use a region that has QuickSight, https://docs.aws.amazon.com/quick/latest/userguide/regions.html; with -aws, check the secret access key, too",
	"InvalidParameterValueException":           "correct the parameter that the message names",
	"QuickSightUserNotFoundException":          "register the user in this account with RegisterUser, and check the ARN: its region is the account's identity region",
	"ResourceExistsException":                  "use the resource that exists",
	"ResourceNotFoundException":                "check the ID of the dashboard or analysis, and that the account has a QuickSight subscription",
	"SessionLifetimeInMinutesInvalidException": "ask for 15 to 600 minutes",
	"ThrottlingException":                      "ask less often, or for a higher quota; the call has been retried with a delay",
	"UnsupportedUserEditionException":          "upgrade the account to Enterprise edition",
}

const checkConfiguration = "set AWS_PROFILE to a profile that works, or run aws configure, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"

// flagOf is the flag that sets a field.
var flagOf = map[string]string{
	"AwsAccountId":             "-account",
	"EntryPoint":               "-entry-point",
	"SessionLifetimeInMinutes": "-lifetime",
	"UserArn":                  "-user-arn",
	"Options.Region":           "-region",
	"Options.BaseEndpoint":     "-endpoint",
}

// explain prints what an error means and what to do about it, and returns the exit code.
func explain(w io.Writer, err error) (exitCode int) {
	var (
		invalid       *quicksightembed.ValidationError
		noCredentials *quicksightembed.CredentialsError
		apiErr        smithy.APIError
		noReply       *smithyhttp.RequestSendError
	)
	switch {
	case errors.As(err, &invalid):
		fmt.Fprintln(w, "nothing was sent; these are wrong:")
		for _, field := range invalid.Fields {
			field.Field = cmp.Or(flagOf[field.Field], field.Field)
			fmt.Fprintln(w, " ", field)
		}
		return exitBadInput
	case errors.As(err, &noCredentials): // before API errors, which it can contain
		fmt.Fprintf(w, "no AWS credentials: %v; %s\n", noCredentials, checkConfiguration)
	case errors.As(err, &apiErr):
		fmt.Fprintf(w, "QuickSight answered with an error:\n  code: %s\n  message: %s\n", apiErr.ErrorCode(), apiErr.ErrorMessage())
		var respErr *awshttp.ResponseError
		if errors.As(err, &respErr) {
			fmt.Fprintf(w, "  status: %d\n  request id: %s\n", respErr.HTTPStatusCode(), respErr.ServiceRequestID())
		}
		if do, ok := advice[apiErr.ErrorCode()]; ok {
			fmt.Fprintln(w, "  what to do:", do)
		}
	case errors.As(err, &noReply):
		cause := error(noReply)
		var network *net.OpError
		if errors.As(err, &network) {
			cause = network // without the URL
		}
		fmt.Fprintf(w, "QuickSight cannot be reached: %v; check the network, and the region (-region or AWS_REGION)\n", cause)
	default:
		fmt.Fprintln(w, err)
	}
	return exitError
}
