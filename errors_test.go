package quicksightembed_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

// theNine are the exceptions of the operation, each with a message and the request ID of the body.
var theNine = map[string]struct {
	fault smithy.ErrorFault
	want  smithy.APIError
	tries int
}{
	"AccessDeniedException":                    {smithy.FaultClient, &quicksightembed.AccessDeniedException{Message: aws.String("m"), RequestId: aws.String("body-id")}, 1},
	"InternalFailureException":                 {smithy.FaultServer, &quicksightembed.InternalFailureException{Message: aws.String("m"), RequestId: aws.String("body-id")}, 1},
	"InvalidParameterValueException":           {smithy.FaultClient, &quicksightembed.InvalidParameterValueException{Message: aws.String("m"), RequestId: aws.String("body-id")}, 1},
	"QuickSightUserNotFoundException":          {smithy.FaultClient, &quicksightembed.QuickSightUserNotFoundException{Message: aws.String("m"), RequestId: aws.String("body-id")}, 1},
	"ResourceExistsException":                  {smithy.FaultClient, &quicksightembed.ResourceExistsException{Message: aws.String("m"), RequestId: aws.String("body-id"), ResourceType: quicksightembed.ExceptionResourceTypeUser}, 1},
	"ResourceNotFoundException":                {smithy.FaultClient, &quicksightembed.ResourceNotFoundException{Message: aws.String("m"), RequestId: aws.String("body-id"), ResourceType: quicksightembed.ExceptionResourceTypeUser}, 1},
	"SessionLifetimeInMinutesInvalidException": {smithy.FaultClient, &quicksightembed.SessionLifetimeInMinutesInvalidException{Message: aws.String("m"), RequestId: aws.String("body-id")}, 1},
	"ThrottlingException":                      {smithy.FaultClient, &quicksightembed.ThrottlingException{Message: aws.String("m"), RequestId: aws.String("body-id")}, 3},
	"UnsupportedUserEditionException":          {smithy.FaultClient, &quicksightembed.UnsupportedUserEditionException{Message: aws.String("m"), RequestId: aws.String("body-id")}, 1},
}

func apiErrorOf(t *testing.T, err error) smithy.APIError {
	t.Helper()
	var apiErr smithy.APIError
	require.ErrorAs(t, err, &apiErr)
	return apiErr
}

func TestExceptionsInEachForm(t *testing.T) {
	for code, exception := range theNine {
		for form, test := range map[string]struct{ header, body string }{
			"in the header":             {code, `{"message":"m","RequestId":"body-id","ResourceType":"USER"}`},
			"in the header with a URI":  {code + ":http://internal.amazon.com/", `{"Message":"m","RequestId":"body-id","ResourceType":"USER"}`},
			"as code":                   {"", `{"code":"` + code + `","message":"m","RequestId":"body-id","ResourceType":"USER"}`},
			"as __type in a namespace":  {"", `{"__type":"com.amazonaws.quicksight#` + code + `","message":"m","RequestId":"body-id","ResourceType":"USER"}`},
			"as Code":                   {"", `{"Code":"` + code + `","Message":"m","RequestId":"body-id","ResourceType":"USER"}`},
			"the header beats the body": {code, `{"code":"OtherException","message":"m","RequestId":"body-id","ResourceType":"USER"}`},
			"in an envelope":            {"OtherException", `{"success":false,"error":{"code":"` + code + `","message":"m","RequestId":"body-id","ResourceType":"USER"}}`},
		} {
			t.Run(code+" "+form, func(t *testing.T) {
				header := []string{"X-Amzn-RequestId", "header-id"}
				if test.header != "" {
					header = append(header, "X-Amzn-ErrorType", test.header)
				}
				server := newServer(t, status(400, test.body, header...))
				_, err := newClient(t, server).GetSessionEmbedUrl(context.Background(), janesInput())

				var operationErr *smithy.OperationError
				require.ErrorAs(t, err, &operationErr)
				assert.Equal(t, "QuickSight", operationErr.Service())
				assert.Equal(t, "GetSessionEmbedUrl", operationErr.Operation())
				var respErr *awshttp.ResponseError
				require.ErrorAs(t, err, &respErr)
				assert.Equal(t, 400, respErr.HTTPStatusCode())
				assert.Equal(t, "header-id", respErr.ServiceRequestID())

				apiErr := apiErrorOf(t, err)
				assert.Equal(t, exception.want, apiErr)
				assert.Equal(t, code, apiErr.ErrorCode())
				assert.Equal(t, "m", apiErr.ErrorMessage())
				assert.Equal(t, exception.fault, apiErr.ErrorFault())
				assert.Equal(t, code+": m", apiErr.Error())
				assert.Len(t, server.seen(), exception.tries)
			})
		}
	}
}

func TestExceptionWrittenByHand(t *testing.T) {
	mock := &quicksightembed.ThrottlingException{Message: aws.String("slow down"), ErrorCodeOverride: aws.String("Custom")}
	assert.Equal(t, "Custom: slow down", mock.Error())
	assert.Equal(t, "ThrottlingException: ", (&quicksightembed.ThrottlingException{}).Error())
}

func TestOtherErrorReplies(t *testing.T) {
	for name, test := range map[string]struct {
		status  int
		body    string
		header  string
		code    string
		message string
		tries   int
	}{
		"an unknown code":                   {400, `{"code":"NewException","message":"m"}`, "", "NewException", "m", 1},
		"an exception in odd case":          {400, `{"code":"accessDENIEDexception","message":"m"}`, "", "AccessDeniedException", "m", 1},
		"an exception without a body":       {400, ``, "AccessDeniedException", "AccessDeniedException", "", 1},
		"a bare colon as code":              {400, ``, ":", "", "UnknownError", 1},
		"nothing":                           {400, ``, "", "UnknownError", "UnknownError", 1},
		"nothing, with a status of servers": {500, ``, "", "UnknownError", "UnknownError", 3},
		"a bad gateway in HTML":             {502, `<html>`, "", "", "", 3},
		"service unavailable":               {503, `{}`, "", "UnknownError", "UnknownError", 3},
		"gateway timeout":                   {504, `{}`, "", "UnknownError", "UnknownError", 3},
		"not implemented":                   {501, `{}`, "", "UnknownError", "UnknownError", 1},
		"too many requests, unmodeled":      {429, `{"message":"m"}`, "", "UnknownError", "m", 3},
		"a request timeout":                 {400, `{"code":"RequestTimeout"}`, "", "RequestTimeout", "UnknownError", 3},
		"a redirect":                        {302, ``, "", "UnknownError", "UnknownError", 1},
		"an envelope as a gateway sends it": {400, `{"success":false,"error":{"code":"VALIDATION_ERROR","message":"Invalid request parameters"}}`, "", "VALIDATION_ERROR", "Invalid request parameters", 1},
		"an enveloped error on a 200":       {200, `{"success":false,"error":{"code":"VALIDATION_ERROR","message":"m"}}`, "", "VALIDATION_ERROR", "m", 1},
		"an enveloped throttling on a 200":  {200, `{"success":false,"error":{"code":"ThrottlingException","message":"m"}}`, "", "ThrottlingException", "m", 3},
		"an envelope without error":         {400, `{"success":false}`, "", "UnknownError", "UnknownError", 1},
		"an envelope without error, header": {400, `{"success":false}`, "HeaderException", "HeaderException", "UnknownError", 1},
		"an envelope with Message":          {400, `{"success":false,"error":{"code":"X","Message":"m"}}`, "", "X", "m", 1},
		"an envelope with a null error":     {400, `{"success":false,"error":null}`, "", "UnknownError", "UnknownError", 1},
		"an envelope whose code is missing": {400, `{"success":false,"error":{"message":"m"}}`, "HeaderException", "HeaderException", "m", 1},
		"an envelope whose error is text":   {400, `{"success":false,"error":"text"}`, "ThrottlingException", "ThrottlingException", "text", 3},
		"an envelope with a message alone":  {400, `{"success":false,"message":"m"}`, "ThrottlingException", "ThrottlingException", "m", 3},
		"an envelope with a null EmbedUrl":  {400, `{"success":false,"EmbedUrl":null,"error":{"code":"X","message":"m"}}`, "", "X", "m", 1},
		"a code that is a number":           {400, `{"success":false,"error":{"code":7,"message":"m"}}`, "", "UnknownError", "m", 1},
		"a message that is a number":        {400, `{"code":"X","message":7}`, "", "X", "UnknownError", 1},
		"a ResourceType that is a list":     {404, `{"code":"ResourceNotFoundException","message":"m","ResourceType":[]}`, "", "ResourceNotFoundException", "m", 1},
		"a success with an error's status":  {503, `{"success":true,"data":{"id":"1"}}`, "", "UnknownError", "UnknownError", 3},
		"a URL with a status of choices":    {300, `{"EmbedUrl":"u"}`, "", "UnknownError", "UnknownError", 1},
		"a URL with an error's status":      {400, `{"EmbedUrl":"u"}`, "", "UnknownError", "UnknownError", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var header []string
			if test.header != "" {
				header = []string{"X-Amzn-ErrorType", test.header}
			}
			server := newServer(t, status(test.status, test.body, header...))
			out, err := newClient(t, server).GetSessionEmbedUrl(context.Background(), janesInput())
			assert.Nil(t, out)
			var respErr *awshttp.ResponseError
			require.ErrorAs(t, err, &respErr)
			assert.Equal(t, test.status, respErr.HTTPStatusCode())
			if test.message != "" || test.code != "" {
				apiErr := apiErrorOf(t, err)
				assert.Equal(t, test.code, apiErr.ErrorCode())
				assert.Equal(t, test.message, apiErr.ErrorMessage())
			}
			assert.Len(t, server.seen(), test.tries)
		})
	}
}

func TestFaultOfAnEnvelopedError(t *testing.T) {
	for code, want := range map[int]smithy.ErrorFault{200: smithy.FaultUnknown, 400: smithy.FaultClient, 501: smithy.FaultServer} {
		server := newServer(t, status(code, `{"success":false,"error":{"code":"X","message":"m"}}`))
		_, err := newClient(t, server).GetSessionEmbedUrl(context.Background(), janesInput())
		assert.Equal(t, want, apiErrorOf(t, err).ErrorFault(), code)
	}
}

func TestErrorTextIsOneReadableLine(t *testing.T) {
	server := newServer(t, status(404, `{"message":"no such user"}`, "X-Amzn-ErrorType", "QuickSightUserNotFoundException", "X-Amzn-RequestId", "id"))
	_, err := newClient(t, server).GetSessionEmbedUrl(context.Background(), janesInput())
	assert.EqualError(t, err, "operation error QuickSight: GetSessionEmbedUrl, https response error StatusCode: 404, RequestID: id, QuickSightUserNotFoundException: no such user")
}

func TestCredentialsErrorsSayThatTheContextEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(ctx)
	errProvider := errors.New("the token service did not answer")
	client := clientOf("", nil, func(o *quicksightembed.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			cancel()
			return aws.Credentials{}, errProvider
		})
	})
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorIs(t, err, errProvider)
	var credentialsErr *quicksightembed.CredentialsError
	require.ErrorAs(t, err, &credentialsErr)
	assert.EqualError(t, credentialsErr, "get identity: get credentials: the token service did not answer")
}
