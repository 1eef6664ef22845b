package quicksightembed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

func TestRequestOnTheWire(t *testing.T) {
	const path = "/accounts/111122223333/session-embed-url"
	for name, test := range map[string]struct {
		input quicksightembed.GetSessionEmbedUrlInput
		want  string
	}{
		"the account alone": {want: path},
		"an entry point":    {quicksightembed.GetSessionEmbedUrlInput{EntryPoint: aws.String("/start/favorites")}, path + "?entry-point=%2Fstart%2Ffavorites"},
		"a lifetime":        {quicksightembed.GetSessionEmbedUrlInput{SessionLifetimeInMinutes: aws.Int64(15)}, path + "?session-lifetime=15"},
		"everything": {
			quicksightembed.GetSessionEmbedUrlInput{
				EntryPoint:               aws.String("/dashboards/a-b_c"),
				SessionLifetimeInMinutes: aws.Int64(600),
				UserArn:                  aws.String("arn:aws:quicksight:us-east-1:111122223333:user/default/Jané D+e/~!*'()&=%?"),
			},
			path + "?entry-point=%2Fdashboards%2Fa-b_c&session-lifetime=600" +
				"&user-arn=arn%3Aaws%3Aquicksight%3Aus-east-1%3A111122223333%3Auser%2Fdefault%2FJan%C3%A9%20D%2Be%2F~%21%2A%27%28%29%26%3D%25%3F",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, status(200, nativeReply))
			test.input.AwsAccountId = aws.String(account)
			_, err := newClient(t, server).GetSessionEmbedUrl(context.Background(), &test.input)
			require.NoError(t, err)
			require.Len(t, server.seen(), 1)
			assert.Equal(t, http.MethodGet, server.seen()[0].Method)
			assert.Equal(t, test.want, server.seen()[0].RequestURI)
			assert.Zero(t, server.seen()[0].ContentLength)
		})
	}
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

func TestOutputIsPrintedWithoutItsSecret(t *testing.T) {
	createdAt := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	out := &quicksightembed.GetSessionEmbedUrlOutput{
		EmbedUrl:  aws.String("https://us-east-1.quicksight.aws.amazon.com/embedding/abc/start?code=c0de"),
		RequestId: aws.String("r"),
		Status:    200,
		Id:        aws.String("1"),
		CreatedAt: &createdAt,
	}
	const want = "{EmbedUrl:https://us-east-1.quicksight.aws.amazon.com/embedding/abc/start?REDACTED RequestId:r Status:200 Id:1 CreatedAt:2025-01-01 00:00:00 +0000 UTC}"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		assert.Equal(t, want, fmt.Sprintf(verb, out), verb)
		assert.Equal(t, want, fmt.Sprintf(verb, *out), verb)
	}
	assert.Contains(t, fmt.Sprintf("%+v", struct {
		Out *quicksightembed.GetSessionEmbedUrlOutput
	}{out}), "?REDACTED")

	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("asked", "out", out)
	assert.Contains(t, log.String(), `"EmbedUrl":"https://us-east-1.quicksight.aws.amazon.com/embedding/abc/start?REDACTED"`)

	body, err := json.Marshal(out)
	require.NoError(t, err)
	assert.Contains(t, string(body), "?code=c0de", "a backend sends the JSON form to its page")
}

func TestInputIsPrintedWithItsValues(t *testing.T) {
	in := janesInput()
	in.SessionLifetimeInMinutes = aws.Int64(60)
	const want = "{AwsAccountId:111122223333 SessionLifetimeInMinutes:60 UserArn:" + jane + "}"
	assert.Equal(t, want, fmt.Sprintf("%v", in))
	assert.Equal(t, want, fmt.Sprintf("%+v", *in))
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("asking", "in", in)
	assert.Contains(t, log.String(), `"in":{"AwsAccountId":"111122223333","SessionLifetimeInMinutes":60,"UserArn":"`+jane+`"}`)
}
