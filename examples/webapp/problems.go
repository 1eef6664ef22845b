package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"example.com/quicksightembed"
)

// problem is an error for the user of the page: what is wrong, and what to do. The log has what an
// administrator needs, under the reference.
type problem struct {
	status    int
	Title     string `json:"title"`
	Action    string `json:"action"`
	Retry     bool   `json:"retry"` // opening it again can help
	Reference string `json:"reference,omitempty"`
}

func (p problem) write(w http.ResponseWriter) { writeJSON(w, p.status, p) }

const askAdministrator = "Send the reference to the administrator of this application, who finds the details in the log."

// exceptions are the problems that users see for QuickSight's own errors, by code.
var exceptions = map[string]problem{
	"AccessDeniedException":           {403, "This application may not open QuickSight for you", "Ask its administrator to allow ", false, ""},
	"QuickSightUserNotFoundException": {403, "Your QuickSight user is not registered in this account", "Ask your QuickSight administrator to register you as an author or admin.", false, ""},
	"ResourceNotFoundException":       {404, "That page of QuickSight does not exist", "It may have been deleted. Choose another page, or ask your QuickSight administrator.", false, ""},
	"UnsupportedUserEditionException": {403, "The edition of this QuickSight account cannot be embedded", "Ask your QuickSight administrator to upgrade the account to the Enterprise edition.", false, ""},
	"ThrottlingException":             {503, "QuickSight is busy", "Wait a moment, then open it again.", true, ""},
}

// actionName is the action that AWS names first when it denies one.
var actionName = regexp.MustCompile(`quicksight:[A-Z]\w+`)

// explain returns the problem that a user sees for an error of a call.
func explain(err error, in *quicksightembed.GetSessionEmbedUrlInput) problem {
	var (
		noKeys *quicksightembed.CredentialsError
		answer smithy.APIError
		reply  *awshttp.ResponseError
		unsent *smithyhttp.RequestSendError
	)
	isAnswer, isLate := errors.As(err, &answer), errors.Is(err, context.DeadlineExceeded)
	switch {
	case errors.As(err, &noKeys) && isAnswer: // of STS
		return problem{502, "AWS gave no credentials for you", "Try again later. If it stays so, ask the administrator of this application whether its role for QuickSight may be assumed.", true, ""}
	case noKeys != nil && !isLate:
		return problem{502, "This application has no AWS credentials", askAdministrator, false, ""}
	case isAnswer && exceptions[answer.ErrorCode()].status != 0:
		known := exceptions[answer.ErrorCode()]
		switch answer.ErrorCode() {
		case "AccessDeniedException":
			known.Action += cmp.Or(actionName.FindString(answer.ErrorMessage()), "quicksight:GetSessionEmbedUrl") + " in this account."
		case "QuickSightUserNotFoundException":
			// Users live in one region of an account.
			if arn := strings.Split(aws.ToString(in.UserArn), ":"); len(arn) > 3 {
				known.Action += " This application looked for you in " + arn[3] + "."
			}
		}
		return known
	case errors.As(err, &reply) && isAnswer && reply.HTTPStatusCode() == http.StatusForbidden:
		return problem{502, "AWS does not accept the credentials of this application", askAdministrator, false, ""}
	case isLate:
		return problem{504, "QuickSight takes too long to answer", "Try again in a few minutes.", true, ""}
	case reply != nil, errors.As(err, &unsent):
		return problem{502, "QuickSight cannot be reached", "Try again in a few minutes. If it stays so, tell your administrator.", true, ""}
	}
	return problem{500, "This application is not set up right", askAdministrator, false, ""}
}
