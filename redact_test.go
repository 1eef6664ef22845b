package quicksightembed_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

const everyLogMode = aws.LogSigning | aws.LogRetries | aws.LogRequest | aws.LogRequestWithBody | aws.LogResponse |
	aws.LogResponseWithBody | aws.LogDeprecatedUsage | aws.LogRequestEventMessage | aws.LogResponseEventMessage

const (
	secretKey = "s3cr3tACCESSKEY"
	token     = "t0k3n/+=s3cr3t=="
	embedCode = "c0d3s3cr3t"
)

// signatureOf returns the signature of a request.
func signatureOf(r *http.Request) string {
	_, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
	return signature
}

// leakyReplies quote the request's secrets, as AWS does if a signature does not match, or have the
// code of an embed URL.
var leakyReplies = map[string]http.HandlerFunc{
	"a success":                 status(200, `{"EmbedUrl":"https://q.example/embedding/a/start?code=`+embedCode+`","RequestId":"r"}`),
	"a success, escaped":        status(200, `{"EmbedUrl":"https:\/\/q.example\/embedding\/a\/start\u003f\u0063ode=`+embedCode+`","RequestId":"r"}`),
	"an enveloped success":      status(200, `{"success":true,"data":{"embed_url":"https://q.example/?code=`+embedCode+`"}}`),
	"a success that is cut off": status(200, `{"EmbedUrl":"https:\/\/q.example\/a\u003fcode=`+embedCode),
	"a success of wrong type":   status(200, `{"EmbedUrl":"https://q.example/?code=`+embedCode+`","RequestId":7}`),
	"a long page":               status(502, `<a href="https://q.example/?code=`+embedCode+`">`+strings.Repeat("x", 5000)),
	"a page with a URL":         status(502, `<a href="https://q.example/?code=`+embedCode+`">`),
	"a redirect":                status(302, ``, "Location", "https://jane:"+embedCode+"@q.example/?code="+embedCode, "Set-Cookie", "s="+embedCode),
	"a quoted request": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(403)
		json.NewEncoder(w).Encode(map[string]string{
			"code":    "InvalidSignatureException",
			"message": "should have been\nx-amz-security-token:" + r.Header.Get("X-Amz-Security-Token") + "\n" + signatureOf(r),
		})
	},
	"a quoted request, escaped": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(401)
		quoted := strings.NewReplacer("/", `\/`, "=", `\u003d`, "+", `\u002b`).Replace(r.Header.Get("X-Amz-Security-Token"))
		io.WriteString(w, `{"code":"AccessDeniedException","message":"`+quoted+` `+signatureOf(r)+`"}`)
	},
	"a quoted request, cut off": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(403)
		io.WriteString(w, `{"message":"`+strings.ReplaceAll(r.Header.Get("X-Amz-Security-Token"), "/", `\/`))
	},
	"a quoted request in HTML": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(403)
		io.WriteString(w, "<p>"+strings.NewReplacer("+", "&#43;", "/", "&#x2F;").Replace(r.Header.Get("X-Amz-Security-Token")))
	},
	"a quoted request as in a URL": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(403)
		io.WriteString(w, `{"code":"InvalidSignatureException","message":"token `+url.QueryEscape(r.Header.Get("X-Amz-Security-Token"))+`"}`)
	},
	"a quoted request as content type": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.Header.Get("X-Amz-Security-Token"))
		w.WriteHeader(403)
		io.WriteString(w, "<html>")
	},
	"an error with a URL":  status(409, `{"code":"ResourceExistsException","message":"exists: https://jane:`+embedCode+`@q.example/x?a=b&code=`+embedCode+`"}`),
	"a time that is a URL": status(200, `{"success":true,"data":{"created_at":"https://q.example/?code=`+embedCode+`"}}`),
	"headers with URLs":    status(200, nativeReply, "Content-Location", "https://q.example/?code="+embedCode, "Link", "<https://q.example/?code="+embedCode+">", "Refresh", "0;url=https://q.example/?code="+embedCode),
	"a cookie behind an empty": func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Set-Cookie"] = []string{"", "s=" + embedCode}
		io.WriteString(w, nativeReply)
	},
	"a quoted request as code": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		json.NewEncoder(w).Encode(map[string]string{"code": r.Header.Get("X-Amz-Security-Token")})
	},
	"a quoted request as text": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Debug", r.Header.Get("X-Amz-Security-Token"))
		w.WriteHeader(403)
		io.WriteString(w, r.Header.Get("Authorization")+" "+r.Header.Get("X-Amz-Security-Token"))
	},
	"a reset": reset,
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	for name, reply := range leakyReplies {
		t.Run(name, func(t *testing.T) {
			var log logLines
			recorder := &spanRecorder{properties: map[string]any{}}
			server := newServer(t, reply)
			client := newClient(t, server, func(o *quicksightembed.Options) {
				o.Credentials = staticCredentials("AKID", secretKey, token)
				o.ClientLogMode = everyLogMode
				o.Logger = &log
				o.TracerProvider = recorder
				o.HTTPSignerV4 = v4.NewSigner(func(o *v4.SignerOptions) { o.Logger, o.LogSigning = &log, true })
			})
			out, err := client.GetSessionEmbedUrl(ctx, janesInput())

			printed := strings.Join(log, "\n") + fmt.Sprintf("%v %+v %s %#v", out, out, out, out) + fmt.Sprint(recorder.properties)
			for layer := err; layer != nil; layer = errors.Unwrap(layer) {
				printed += fmt.Sprintf("%v %+v %s %#v", layer, layer, layer, layer)
			}
			if out != nil {
				raw := awsmiddleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response)
				printed += fmt.Sprint(raw.Request.Header)
			}
			var unreadable *smithy.DeserializationError
			if errors.As(err, &unreadable) {
				printed += string(unreadable.Snapshot)
				assert.LessOrEqual(t, len(unreadable.Snapshot), 1024)
			}
			var respErr *awshttp.ResponseError
			if errors.As(err, &respErr) && respErr.Response.Request != nil {
				printed += fmt.Sprint(respErr.Response.Request.Header)
			}
			require.NotEmpty(t, log)
			secrets := []string{secretKey, token, embedCode, "t0k3n"}
			for _, r := range server.seen() {
				secrets = append(secrets, signatureOf(r))
			}
			for _, secret := range secrets {
				assert.NotContains(t, printed, secret)
			}
		})
	}
}

func TestTokenThatIsNotBase64IsHiddenAsItIs(t *testing.T) {
	long := strings.Repeat("a/", 1<<10)
	client := quicksightembed.New(quicksightembed.Options{
		Region: "us-east-1", Credentials: staticCredentials("AKID", secretKey, long),
		HTTPClient: smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) {
			body := io.NopCloser(strings.NewReader(`{"code":"X","message":"` + long + ` a/a/"}`))
			return &http.Response{StatusCode: 431, Body: body}, nil
		}),
	})
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	assert.ErrorContains(t, err, "api error X: REDACTED a/a/")
}

func TestURLsAtTheStartOfAMessageAreHidden(t *testing.T) {
	for message, want := range map[string]string{
		"/embedding/a?code=" + embedCode:                  "/embedding/a?REDACTED",
		"://jane:" + embedCode + "@q.example":             "://REDACTED@q.example",
		"//q.example/a?code=" + embedCode:                 "//q.example/a?REDACTED",
		"https://q.example/a?code=" + embedCode + " gone": "https://q.example/a?REDACTED gone",
	} {
		server := newServer(t, status(400, `{"code":"X","message":"`+message+`"}`))
		_, err := newClient(t, server).GetSessionEmbedUrl(ctx, janesInput())
		assert.Equal(t, want, apiErrorOf(t, err).ErrorMessage())
	}
}

func TestProseIsNotTakenForASecret(t *testing.T) {
	server := newServer(t, status(400, `{"code":"X","message":"Is it right? Then a=b."}`))
	_, err := newClient(t, server).GetSessionEmbedUrl(ctx, janesInput())
	assert.ErrorContains(t, err, "Is it right? Then a=b.")
}

func TestErrorsThatCannotBePrinted(t *testing.T) {
	for name, err := range map[string]error{"a url.Error without a cause": &url.Error{}, "a nil error in an interface": (*url.Error)(nil), "wrapped": fmt.Errorf("%w", &url.Error{Op: "Get"})} {
		t.Run(name, func(t *testing.T) {
			_, got := clientOf("", func(*http.Request) (*http.Response, error) { return nil, err }).GetSessionEmbedUrl(ctx, janesInput())
			require.ErrorAs(t, got, new(*smithyhttp.RequestSendError))
			for layer := got; layer != nil; layer = errors.Unwrap(layer) {
				assert.NotPanics(t, func() { _ = layer.Error() })
			}
		})
	}
}

func TestMessagesAreHiddenAndNothingElse(t *testing.T) {
	piece := realToken[100:140]
	for name, test := range map[string]struct{ token, message, want string }{
		"an apostrophe in a query":    {"", "open https://q.example/start?title=Bob's&code=" + embedCode + " now", "open https://q.example/start?REDACTED now"},
		"a token":                     {realToken, "the token " + realToken + " is old", "the token REDACTED is old"},
		"a token, escaped":            {realToken, "the token " + url.QueryEscape(realToken) + " is old", "the token REDACTED is old"},
		"a token, escaped twice":      {realToken, "the token " + url.QueryEscape(url.QueryEscape(realToken)), "REDACTED"},
		"a token in hexadecimal":      {realToken, "the token " + strings.NewReplacer("+", `\x2b`, "/", `\x2f`).Replace(realToken), "REDACTED"},
		"a token in HTML, twice":      {realToken, "the token " + strings.ReplaceAll(realToken, "+", "&amp;#43;"), "REDACTED"},
		"a token that is cut off":     {realToken, "the token " + piece, "REDACTED"},
		"a short token":               {"test", "this is a test of latest tests", "this is a test of latest tests"},
		"a regular expression":        {realToken, `must match ^(?=.{1,64}$)[a-z]+(?:=x)?$ or /a?b=c/`, `must match ^(?=.{1,64}$)[a-z]+(?:=x)?$ or /a?REDACTED`},
		"a question":                  {realToken, "Is it right? Then a=b.", "Is it right? Then a=b."},
		"code":                        {realToken, "x ? y=1 : z[i?1:2]=3", "x ? y=1 : z[i?1:2]=3"},
		"user info":                   {"", "see https://jane:pa'ss@q.example/", "see https://REDACTED@q.example/"},
		"a URL with slashes for JSON": {"", `{"u":"https:\/\/q.example\/?code=` + embedCode + `"}`, `{"u":"https:\/\/q.example\/?REDACTED"}`},
		"an email address is no URL":  {"", "write to jane@q.example", "write to jane@q.example"},
		"a URL without a query":       {"", "see https://docs.example/x#errors", "see https://docs.example/x#errors"},
	} {
		t.Run(name, func(t *testing.T) {
			quoted, err := json.Marshal(test.message)
			require.NoError(t, err)
			client := clientOf(test.token, func(*http.Request) (*http.Response, error) {
				return replyOf(400, `{"code":"X","message":`+string(quoted)+`}`), nil
			})
			_, err = client.GetSessionEmbedUrl(ctx, janesInput())
			assert.Equal(t, test.want, apiErrorOf(t, err).ErrorMessage())
		})
	}
}

func TestShortTokensDoNotChangeDNSErrors(t *testing.T) {
	attempts := 0
	client := clientOf("test", func(r *http.Request) (*http.Response, error) {
		attempts++
		return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: &net.DNSError{Err: "no such host", Name: "test.example", IsNotFound: true}}
	})
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	require.ErrorAs(t, err, new(*net.DNSError))
	assert.ErrorContains(t, err, "lookup test.example: no such host")
	assert.Equal(t, 1, attempts)
}

// BenchmarkLongErrorReply searches a message of 1 MiB for a session token of 2 KiB.
func BenchmarkLongErrorReply(b *testing.B) {
	token := strings.Repeat("FwoGZXIvYXdzEBYaDH+/", 100)
	message := strings.Repeat("a message of many words, and none of them is secret; ", 1<<20/60)
	client := clientOf(token, func(*http.Request) (*http.Response, error) {
		return replyOf(400, `{"code":"AccessDeniedException","message":"`+message+`"}`), nil
	})
	b.ReportAllocs()
	for b.Loop() {
		client.GetSessionEmbedUrl(ctx, janesInput())
	}
}

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

// contextLogger logs a value of the call's context, like adapters that add trace IDs.
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

// onTheWire returns a request as a server reads it.
func onTheWire(t *testing.T, req *http.Request) *http.Request {
	t.Helper()
	var wire strings.Builder
	require.NoError(t, req.Write(&wire))
	received, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire.String())))
	require.NoError(t, err)
	return received
}

// FuzzHiding makes texts of a session token, a signature and the code of an embed URL.
const (
	hiddenToken     = "FwoGZXIvYXdzEBYaDH/7w+Qm3kZ==IvYXcz9/Kd+0aGv2qL8x8Wn5Rt/VYm+p4="
	hiddenSignature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
	hiddenCode      = "c0d3s3cr3tc0d3s3cr3t"
)

// tokenEscapes are the ways in which services, gateways and libraries write a token.
var tokenEscapes = []*strings.Replacer{
	strings.NewReplacer(),
	strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D"),
	strings.NewReplacer("+", "%2b", "/", "%2f", "=", "%3d"),
	strings.NewReplacer("+", "%252B", "/", "%252F", "=", "%253D"),
	strings.NewReplacer("+", "&#43;", "/", "&#x2F;", "=", "&#61;"),
	strings.NewReplacer("+", `\u002b`, "/", `\/`, "=", `\u003d`),
	strings.NewReplacer("+", "-", "/", "_", "=", ""),
	strings.NewReplacer("+", " ", "/", "/\n", "=", `\=`),
}

// harmless are texts without a secret.
var harmless = []string{
	" ", "\n", `"`, "<", "why? ", " at q@q.example ", `must match ^/users/(\d+)?$`, " is it /start? ", `{"a":[1]}`, "日本語", "%", "token=", "a/b", "?", "://", "&",
}

// FuzzHiding looks for a text whose secret is shown, and for one that loses anything else. The
// script lists the parts of the text.
func FuzzHiding(f *testing.F) {
	f.Add([]byte{0, 4, 0, 1, 0, 255, 0, 5, 0}, "hello")
	f.Add([]byte{9, 0, 255, 2, 0, 0, 3, 0, 0, 4, 0, 0}, "x")
	f.Add([]byte{1, 3, 7, 1, 10, 8, 33, 20, 60}, "-")
	f.Add([]byte{5, 0, 0, 0, 6, 0, 3, 0, 0, 0, 2, 0}, "why")
	f.Add([]byte{0, 11, 0, 1, 0, 8}, "")                // the text ends in a piece of the token
	f.Add([]byte{1, 55, 255, 0, 6, 0, 0, 6, 0}, "")     // the token ends in a piece of the text
	f.Add([]byte{1, 0, 255, 1, 0, 255, 1, 55, 255}, "") // a text that is longer than the token
	f.Fuzz(func(t *testing.T, script []byte, prose string) {
		prose = strings.ToValidUTF8(prose, "")
		if len(script) > 60 || strings.ContainsAny(prose, "?@") {
			return // only the script adds these
		}
		var text strings.Builder
		hasURL := false
		for i := 0; i+2 < len(script); i += 3 {
			kind, a, b := script[i]%6, int(script[i+1]), int(script[i+2])
			switch kind {
			case 0:
				text.WriteString(harmless[a%len(harmless)])
			case 1:
				from := a % len(hiddenToken)
				piece := hiddenToken[from:min(from+b, len(hiddenToken))]
				tokenEscapes[int(script[i]/6)%len(tokenEscapes)].WriteString(&text, piece)
			case 2:
				text.WriteString(hiddenSignature)
			case 3:
				text.WriteString("https://q.example/embedding/a?code=" + hiddenCode + "&isauthcode=true")
				hasURL = true
			case 4:
				text.WriteString("https://jane:" + hiddenCode + "@q.example/x")
				hasURL = true
			case 5:
				text.WriteString(prose)
			}
		}
		message, err := errorThatQuotes(text.String())

		for _, shown := range []string{message, err.Error(), fmt.Sprintf("%+v %#v", err, err)} {
			require.NotContains(t, shown, hiddenSignature)
			require.NotContains(t, shown, hiddenCode)
			shown = strings.ReplaceAll(shown, "REDACTED", "*")
			require.False(t, hasPieceOf(hiddenToken, shown), "%q shows a piece of the token", shown)
		}
		want := strings.NewReplacer(hiddenToken, "REDACTED", url.QueryEscape(hiddenToken), "REDACTED").Replace(text.String())
		switch {
		case hasPieceOf(hiddenToken, want):
			require.Equal(t, "REDACTED", message)
		case !hasURL && (!strings.ContainsAny(want, "?@") || !strings.Contains(want, "/")):
			want = strings.ReplaceAll(want, hiddenSignature, "REDACTED")
			require.Equal(t, cmp.Or(want, "UnknownError"), message)
		}
		rest := text.String()
		for kept := range strings.SplitSeq(message, "REDACTED") {
			_, after, found := strings.Cut(rest, kept)
			require.True(t, found || text.Len() == 0, "%q has %q in another place", message, kept)
			rest = after
		}
	})
}

// errorThatQuotes returns the message and the error of a call that is answered with text.
func errorThatQuotes(text string) (message string, err error) {
	body, _ := json.Marshal(map[string]string{"message": text})
	client := quicksightembed.New(quicksightembed.Options{
		Region: "us-east-1", Credentials: staticCredentials("ASIA", secretKey, hiddenToken), Retryer: aws.NopRetryer{}, HTTPSignerV4: knownSigner{},
		HTTPClient: smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) {
			header := http.Header{"X-Amzn-Errortype": {"NewException"}}
			return &http.Response{StatusCode: 400, Header: header, Body: io.NopCloser(bytes.NewReader(body))}, nil
		}),
	})
	_, err = client.GetSessionEmbedUrl(context.Background(), janesInput())
	var apiErr smithy.APIError
	errors.As(err, &apiErr)
	return apiErr.ErrorMessage(), err
}

// hasPieceOf reports whether text has 8 consecutive bytes of a secret.
func hasPieceOf(secret, text string) bool {
	for i := range len(secret) - 7 {
		if strings.Contains(text, secret[i:i+8]) {
			return true
		}
	}
	return false
}

// knownSigner signs with a signature that the test knows.
type knownSigner struct{}

func (knownSigner) SignHTTP(_ context.Context, c aws.Credentials, r *http.Request, _, _, _ string, _ time.Time, _ ...func(*v4.SignerOptions)) error {
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=ASIA/x, SignedHeaders=host, Signature="+hiddenSignature)
	r.Header.Set("X-Amz-Security-Token", c.SessionToken)
	return nil
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
