package quicksightembed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

func TestSuccessReplies(t *testing.T) {
	const url = "https://us-east-1.quicksight.aws.amazon.com/embedding/abc/start?code=c0de"
	createdAt := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	type output = quicksightembed.GetSessionEmbedUrlOutput
	for name, test := range map[string]struct {
		status int
		body   string
		want   output
	}{
		"QuickSight's own":                   {200, `{"EmbedUrl":"` + url + `","RequestId":"r","Status":200}`, output{EmbedUrl: aws.String(url), RequestId: aws.String("r"), Status: 200}},
		"another 2xx":                        {201, `{"EmbedUrl":"` + url + `"}`, output{EmbedUrl: aws.String(url), Status: 201}},
		"unknown keys":                       {200, `{"EmbedUrl":"` + url + `","success":"yes","More":[1,{"a":null}]}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"a key in other case":                {200, `{"embedUrl":"` + url + `"}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"a null request id":                  {200, `{"EmbedUrl":"` + url + `","RequestId":null}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"a key twice: the last counts":       {200, `{"EmbedUrl":"x","EmbedUrl":"` + url + `"}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"something behind the JSON":          {200, `{"EmbedUrl":"` + url + `"} trailing`, output{EmbedUrl: aws.String(url), Status: 200}},
		"EmbedUrl beats success":             {200, `{"EmbedUrl":"` + url + `","success":false}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"an envelope as a gateway sends it":  {200, `{"success":true,"data":{"id":"abc123","created_at":"2025-01-01T00:00:00Z"}}`, output{Id: aws.String("abc123"), CreatedAt: &createdAt, Status: 200}},
		"an envelope with a URL":             {200, `{"success":true,"data":{"id":"1","EmbedUrl":"` + url + `","RequestId":"r"}}`, output{Id: aws.String("1"), EmbedUrl: aws.String(url), RequestId: aws.String("r"), Status: 200}},
		"an envelope in snake case":          {201, `{"success":true,"data":{"embed_url":"` + url + `","request_id":"r"}}`, output{EmbedUrl: aws.String(url), RequestId: aws.String("r"), Status: 201}},
		"an envelope with nulls":             {200, `{"success":true,"data":{"id":"1","created_at":null,"embed_url":null}}`, output{Id: aws.String("1"), Status: 200}},
		"an envelope with a null spelling":   {200, `{"success":true,"data":{"EmbedUrl":null,"embed_url":"` + url + `"}}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"a numeric id beside a URL":          {200, `{"success":true,"data":{"id":7,"created_at":"yesterday","embed_url":"` + url + `"}}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"a null EmbedUrl beside an envelope": {200, `{"EmbedUrl":null,"success":true,"data":{"id":"1"}}`, output{Id: aws.String("1"), Status: 200}},
		"a RequestId that is an object":      {200, `{"EmbedUrl":"` + url + `","RequestId":{}}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"a time in another zone":             {200, `{"success":true,"data":{"id":"1","created_at":"2025-01-01T02:00:00+02:00"}}`, output{Id: aws.String("1"), CreatedAt: &createdAt, Status: 200}},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, status(test.status, test.body))
			out, err := newClient(t, server).GetSessionEmbedUrl(context.Background(), janesInput())
			require.NoError(t, err)
			test.want.ResultMetadata = out.ResultMetadata
			assert.Equal(t, test.want, *out)
		})
	}
}

func TestRepliesThatCannotBeRead(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"nothing":                        {200, ``, "it has no EmbedUrl"},
		"null":                           {200, `null`, "it has no EmbedUrl"},
		"no EmbedUrl":                    {200, `{"RequestId":"r"}`, "it has no EmbedUrl"},
		"a null EmbedUrl":                {200, `{"EmbedUrl":null,"success":true,"data":{}}`, "it has no EmbedUrl"},
		"an empty EmbedUrl":              {200, `{"EmbedUrl":""}`, "it has no EmbedUrl"},
		"an EmbedUrl that is a number":   {200, `{"EmbedUrl":7}`, "EmbedUrl is of the type number and must be a string"},
		"a list":                         {200, `[]`, "it is of the type array and must be an object"},
		"HTML of a proxy":                {200, `<html></html>`, "invalid character '<' looking for beginning of value"},
		"truncated JSON":                 {200, `{"EmbedUrl":"https://x?code=c0de`, "unexpected EOF"},
		"more than 1 MiB":                {200, `{"EmbedUrl":"u","x":"` + strings.Repeat("x", 1<<20) + `"}`, "it is larger than 1 MiB"},
		"success as a string":            {200, `{"success":"true","data":{"id":"1"}}`, "it has no EmbedUrl"},
		"an envelope without data":       {200, `{"success":true}`, "it has no EmbedUrl"},
		"an envelope with null data":     {200, `{"success":true,"data":null}`, "it has no EmbedUrl"},
		"an envelope with a list":        {200, `{"success":true,"data":[]}`, "it has no EmbedUrl"},
		"an id that is a number":         {200, `{"success":true,"data":{"id":1}}`, "id is of the type number and must be a string"},
		"a time that is none":            {200, `{"success":true,"data":{"created_at":"yesterday"}}`, "it has no EmbedUrl"},
		"a time that is none, and an id": {200, `{"success":true,"data":{"id":"1","created_at":"yesterday"}}`, "in its data: created_at must be a time as in RFC 3339"},
		"a number for a time, and an id": {200, `{"success":true,"data":{"id":"1","created_at":1735689600}}`, "in its data: created_at must be a time as in RFC 3339"},
		"a time as a number":             {200, `{"success":true,"data":{"created_at":1735689600}}`, "it has no EmbedUrl"},
		"an empty enveloped URL":         {200, `{"success":true,"data":{"embed_url":""}}`, "it has no EmbedUrl"},
		"an envelope of an empty thing":  {200, `{"success":true,"data":{}}`, "it has no EmbedUrl"},
		"an error that is a list":        {400, `[]`, "it is of the type array and must be an object"},
		"an error of a proxy in HTML":    {403, `<html></html>`, "invalid character '<' looking for beginning of value"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, status(test.status, test.body, "Content-Type", "text/x", "X-Amzn-RequestId", "header-id"))
			out, err := newClient(t, server).GetSessionEmbedUrl(context.Background(), janesInput())
			assert.Nil(t, out)
			var respErr *awshttp.ResponseError
			require.ErrorAs(t, err, &respErr)
			assert.Equal(t, test.status, respErr.HTTPStatusCode())
			assert.Equal(t, "header-id", respErr.ServiceRequestID())
			var unreadable *smithy.DeserializationError
			require.ErrorAs(t, err, &unreadable)
			assert.ErrorContains(t, unreadable, `the reply (content type "text/x") cannot be used: `)
			assert.ErrorContains(t, unreadable, test.want)
			assert.Len(t, server.seen(), 1, "it is not retried")
		})
	}
}

func TestRedirectSaysThatItIsOne(t *testing.T) {
	server := newServer(t, status(302, "<html>", "Location", "https://jane:pass@login.example/?code=c0de"))
	_, err := newClient(t, server).GetSessionEmbedUrl(context.Background(), janesInput())
	assert.ErrorContains(t, err, `the reply (a redirect to "https://REDACTED@login.example/?REDACTED", which is not followed) cannot be used`)
}

// FuzzReply looks for replies that cause a panic, or give neither a result, an API error nor a
// *smithy.DeserializationError.
func FuzzReply(f *testing.F) {
	f.Add(200, "", "", []byte(nativeReply))
	f.Add(200, "", "", []byte(`{"success":true,"data":{"id":"1","created_at":"2026-01-02T03:04:05Z","embed_url":"https://q.example/?code=x"}}`))
	f.Add(200, "", "", []byte(`{"success":false,"error":{"code":"ThrottlingException","message":"m"}}`))
	f.Add(200, "", "", []byte(`{"Success":true,"daTa":{"id":"1"}}`))
	f.Add(404, "ResourceNotFoundException:http://x/", "", []byte(`{"message":"m","ResourceType":"USER","RequestId":"r"}`))
	f.Add(403, "", "https://jane:pass@login.example/?code=x", []byte(`{"__type":"com.amazonaws#X","Message":"SECRET \u003fcode=x"}`))
	f.Add(502, "", "", []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, code, location string, body []byte) {
		header := http.Header{}
		for name, value := range map[string]string{"X-Amzn-Errortype": code, "Location": location} {
			if value != "" {
				header.Set(name, value)
			}
		}
		read := &closeCounter{Reader: strings.NewReader(string(body))}
		client := quicksightembed.New(quicksightembed.Options{
			Region: "us-east-1", Credentials: staticCredentials("AKID", secretKey, token), Retryer: aws.NopRetryer{},
			HTTPClient: smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: status, Header: header, Body: read}, nil
			}),
		})
		out, err := client.GetSessionEmbedUrl(context.Background(), janesInput())
		require.Equal(t, 1, read.closed)
		require.LessOrEqual(t, read.read, 1<<20+1)
		if err == nil {
			require.True(t, 200 <= status && status <= 299)
			if out.EmbedUrl == nil {
				var envelope struct{ Success, Data json.RawMessage }
				json.NewDecoder(bytes.NewReader(body)).Decode(&envelope)
				require.NotNil(t, envelope.Success, "only an envelope can lack a URL")
				require.NotNil(t, envelope.Data)
				return
			}
			require.NotEmpty(t, *out.EmbedUrl)
			return
		}
		require.Nil(t, out)
		var apiErr smithy.APIError
		var readErr *smithy.DeserializationError
		require.True(t, errors.As(err, &apiErr) != errors.As(err, &readErr), "one of the two: %v", err)
		if readErr != nil {
			require.LessOrEqual(t, len(readErr.Snapshot), 1024)
		}
		require.NotContains(t, err.Error(), token)
	})
}

// quickSigner signs nothing, to make fuzzing faster.
type quickSigner struct{}

func (quickSigner) SignHTTP(_ context.Context, _ aws.Credentials, r *http.Request, _, _, _ string, _ time.Time, _ ...func(*v4.SignerOptions)) error {
	return nil
}

func TestRequestIDInTheOtherHeader(t *testing.T) {
	server := newServer(t, status(400, `{}`, "X-Amz-RequestId", "other"))
	_, err := newClient(t, server).GetSessionEmbedUrl(context.Background(), janesInput())
	var respErr *awshttp.ResponseError
	require.ErrorAs(t, err, &respErr)
	assert.Equal(t, "other", respErr.ServiceRequestID())
}

func TestResultMetadataIsThatOfTheOfficialClient(t *testing.T) {
	server := newServer(t, replyWith(status(500, `{}`, "X-Amzn-RequestId", "first"), status(200, nativeReply, "X-Amzn-RequestId", "second")))
	out, err := newClient(t, server).GetSessionEmbedUrl(context.Background(), janesInput())
	require.NoError(t, err)

	id, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	assert.Equal(t, "second", id)
	assert.Equal(t, "body-id", *out.RequestId)
	attempts, _ := retry.GetAttemptResults(out.ResultMetadata)
	require.Len(t, attempts.Results, 2)
	assert.True(t, attempts.Results[0].Retried)
	assert.ErrorContains(t, attempts.Results[0].Err, "UnknownError")
	assert.NoError(t, attempts.Results[1].Err)
	assert.NotNil(t, attempts.Results[1].GetRawResponse())
}

// theNine are the operation's exceptions, each with a message and the request ID of the body.
var theNine = map[string]struct {
	fault    smithy.ErrorFault
	want     smithy.APIError
	attempts int
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
				assert.Len(t, server.seen(), exception.attempts)
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
		status   int
		body     string
		header   string
		code     string
		message  string
		attempts int
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
			assert.Len(t, server.seen(), test.attempts)
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
