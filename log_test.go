package quicksightembed_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/logging"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

func TestLogModes(t *testing.T) {
	for name, test := range map[string]struct {
		mode aws.ClientLogMode
		want []string
	}{
		"none":     {0, nil},
		"signing":  {aws.LogSigning, []string{"DEBUG Signed at ", "SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;host;x-amz-date;x-amz-security-token, Signature=REDACTED"}},
		"request":  {aws.LogRequest, []string{"DEBUG Request\nGET /accounts/111122223333/session-embed-url?user-arn=arn%3Aaws", "HTTP/1.1\nHost: 127.0.0.1:", "Authorization: REDACTED\r\n", "X-Amz-Security-Token: REDACTED\r\n"}},
		"response": {aws.LogResponse, []string{"DEBUG Response\nHTTP/1.1 200 OK\n", "X-Amzn-Requestid: header-id\r\n"}},
		"body":     {aws.LogResponseWithBody, []string{"DEBUG Response\nHTTP/1.1 200 OK\n", `{"EmbedUrl":"https://us-east-1.quicksight.aws.amazon.com/embedding/abc/start?REDACTED","RequestId":"body-id","Status":200}`}},
	} {
		t.Run(name, func(t *testing.T) {
			var log logLines
			server := newServer(t, status(200, nativeReply, "X-Amzn-RequestId", "header-id"))
			client := newClient(t, server, func(o *quicksightembed.Options) {
				o.Credentials = staticCredentials("AKID", secretKey, token)
				o.ClientLogMode, o.Logger = test.mode, &log
			})
			_, err := client.GetSessionEmbedUrl(ctx, janesInput())
			require.NoError(t, err)
			if test.want == nil {
				assert.Empty(t, log)
				return
			}
			require.Len(t, log, 1)
			for _, want := range test.want {
				assert.Contains(t, log[0], want)
			}
			assert.NotContains(t, log[0], "Set-Cookie", "a header that is not there is not logged")
		})
	}
}

func TestLogOfRetries(t *testing.T) {
	var log logLines
	server := newServer(t, replyWith(status(500, `{}`), status(200, nativeReply)))
	client := newClient(t, server, func(o *quicksightembed.Options) { o.ClientLogMode, o.Logger = aws.LogRetries, &log })
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.Equal(t, logLines{"DEBUG retrying request QuickSight/GetSessionEmbedUrl, attempt 2"}, log)
}

// contextLogger logs what the context of a call holds, as adapters do that add trace IDs.
type contextLogger struct {
	lines *logLines
	ctx   context.Context
}

func (l contextLogger) WithContext(ctx context.Context) logging.Logger {
	return contextLogger{l.lines, ctx}
}

func (l contextLogger) Logf(class logging.Classification, format string, args ...any) {
	l.lines.Logf(class, fmt.Sprint(l.ctx.Value(traceKey{}), " ", format), args...)
}

type traceKey struct{}

func TestLoggersOfAContext(t *testing.T) {
	var log logLines
	server := newServer(t, replyWith(status(500, `{}`), status(200, nativeReply)))
	client := newClient(t, server, func(o *quicksightembed.Options) {
		o.ClientLogMode, o.Logger = aws.LogRequest|aws.LogResponse|aws.LogRetries, contextLogger{lines: &log}
	})
	_, err := client.GetSessionEmbedUrl(context.WithValue(ctx, traceKey{}, "trace-7"), janesInput())
	require.NoError(t, err)
	assert.Len(t, log, 5)
	for _, line := range log {
		assert.Contains(t, line, "DEBUG trace-7 ")
	}
}
