package quicksightembed_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
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

// leaky replies quote the request's secrets, as AWS does when a signature does not match, and
// issue URLs.
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
	tries := 0
	client := clientOf("test", func(r *http.Request) (*http.Response, error) {
		tries++
		return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: &net.DNSError{Err: "no such host", Name: "test.example", IsNotFound: true}}
	})
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	require.ErrorAs(t, err, new(*net.DNSError))
	assert.ErrorContains(t, err, "lookup test.example: no such host")
	assert.Equal(t, 1, tries)
}
