package main

import (
	"context"
	"errors"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"example.com/quicksightembed"
)

// problem is an error as the person at the page needs it: what is wrong, and what to do. What an administrator needs is in the
// log, under the reference.
type problem struct {
	Title     string `json:"title"`
	Action    string `json:"action"`
	Reference string `json:"reference,omitempty"`
}

// explain turns an error of a call into what a person sees.
func explain(err error) (status int, shown problem) {
	var (
		noKeys     *quicksightembed.CredentialsError
		notFound   *quicksightembed.QuickSightUserNotFoundException
		denied     *quicksightembed.AccessDeniedException
		noResource *quicksightembed.ResourceNotFoundException
		edition    *quicksightembed.UnsupportedUserEditionException
		throttled  *quicksightembed.ThrottlingException
		anyAPI     smithy.APIError
		anyReply   *awshttp.ResponseError
		noReply    *smithyhttp.RequestSendError
	)
	switch {
	case errors.As(err, &noKeys): // and whatever is in it is of another service, such as STS
		return http.StatusBadGateway, problem{
			Title:  "AWS gave no credentials for you",
			Action: "Try again later. If it stays so, ask your administrator whether the role for QuickSight may be assumed.",
		}
	case errors.As(err, &notFound):
		return http.StatusForbidden, problem{
			Title:  "Your QuickSight user is not registered in this account",
			Action: "Ask your QuickSight administrator to register you as an author or admin, then open it again.",
		}
	case errors.As(err, &denied):
		return http.StatusForbidden, problem{
			Title:  "This application may not open QuickSight for you",
			Action: "Ask its administrator to allow quicksight:GetSessionEmbedUrl in this account.",
		}
	case errors.As(err, &noResource):
		return http.StatusNotFound, problem{
			Title:  "That page of QuickSight does not exist",
			Action: "It may have been deleted. Choose another page, or ask your QuickSight administrator.",
		}
	case errors.As(err, &edition):
		return http.StatusForbidden, problem{
			Title:  "The edition of this QuickSight account cannot be embedded",
			Action: "Ask your QuickSight administrator to upgrade the account to the Enterprise edition.",
		}
	case errors.As(err, &throttled):
		return http.StatusServiceUnavailable, problem{
			Title:  "QuickSight is busy",
			Action: "Wait a moment, then open it again.",
		}
	case errors.As(err, &anyReply) && errors.As(err, &anyAPI) && anyReply.HTTPStatusCode() == http.StatusForbidden:
		return http.StatusBadGateway, problem{
			Title:  "AWS does not accept the credentials of this application",
			Action: "Ask its administrator to look at the log.",
		}
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout, problem{
			Title:  "QuickSight takes too long to answer",
			Action: "Try again in a few minutes.",
		}
	case errors.As(err, &anyReply), errors.As(err, &noReply):
		return http.StatusBadGateway, problem{
			Title:  "QuickSight cannot be reached",
			Action: "Try again in a few minutes. If it stays so, tell your administrator.",
		}
	}
	return http.StatusInternalServerError, problem{ // nothing was sent: the input is wrong, or there are no credentials
		Title:  "This application is not set up right",
		Action: "Ask its administrator to look at the log.",
	}
}

// awsRequestID is what AWS Support asks for.
func awsRequestID(err error) string {
	var reply *awshttp.ResponseError
	if errors.As(err, &reply) {
		return reply.ServiceRequestID()
	}
	return ""
}
