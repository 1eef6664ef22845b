package quicksightembed_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

// everyVerb has the verbs of fmt, and flags.
var everyVerb = []string{"%v", "%+v", "%#v", "%s", "%q", "%+q", "%x", "%X", "% x", "%d", "%t", "%p", "%T", "%b", "%o", "%c", "%U", "%e", "%g", "%!", "%20v", "%-5s", "%.9v"}

// capture collects everything that calls could show to anybody.
type capture struct {
	strings.Builder
	t *testing.T
}

// value prints a value in every usual way.
func (c *capture) value(v any) {
	for _, verb := range everyVerb {
		fmt.Fprintf(c, verb+"\n", v)
		fmt.Fprintf(c, verb+"\n", struct{ Inside any }{v})
		fmt.Fprintf(c, verb+"\n", []any{v})
	}
	fmt.Fprintln(c, v)
	for _, handler := range []slog.Handler{slog.NewTextHandler(c, nil), slog.NewJSONHandler(c, nil)} {
		slog.New(handler).With("with", v).WithGroup("g").Error("m", "value", v, slog.Group("group", "value", v))
	}
}

// json prints the JSON of a value. Pass no output: its JSON is for the page, and has the URL.
func (c *capture) json(v any) {
	encoded, err := json.Marshal(v)
	fmt.Fprintln(c, string(encoded), err)
}

// err prints an error, each layer of it, and the requests and replies in it.
func (c *capture) err(err error) {
	c.value(err)
	c.json(err)
	var layers func(error)
	layers = func(layer error) {
		for _, verb := range everyVerb {
			fmt.Fprintf(c, verb+"\n", layer)
		}
		switch u := layer.(type) {
		case interface{ Unwrap() error }:
			if inner := u.Unwrap(); inner != nil {
				layers(inner)
			}
		case interface{ Unwrap() []error }:
			for _, inner := range u.Unwrap() {
				layers(inner)
			}
		}
	}
	layers(err)
	var respErr *awshttp.ResponseError
	if errors.As(err, &respErr) && respErr.Response.Request != nil {
		fmt.Fprintln(c, respErr.Response.Request.Header, respErr.Response.Request.URL)
	}
	var unreadable *smithy.DeserializationError
	if errors.As(err, &unreadable) {
		c.Write(unreadable.Snapshot)
	}
	var apiErr smithy.APIError
	if errors.As(err, &apiErr) {
		fmt.Fprintln(c, apiErr.ErrorCode(), apiErr.ErrorMessage(), apiErr.ErrorFault())
		fmt.Fprintf(c, "%+v", apiErr)
	}
}

// mustNotShow looks for secrets, as they are and encoded.
func (c *capture) mustNotShow(secrets ...string) {
	c.t.Helper()
	text := c.String()
	for _, secret := range secrets {
		require.Greater(c.t, len(secret), 4)
		quoted, _ := json.Marshal(secret)
		for form, encoded := range map[string]string{
			"as it is": secret, "in JSON": strings.Trim(string(quoted), `"`), "in a URL": url.QueryEscape(secret), "in a path": url.PathEscape(secret),
			"in hexadecimal": hex.EncodeToString([]byte(secret)), "in HEX": strings.ToUpper(hex.EncodeToString([]byte(secret))),
			"in spaced hexadecimal": fmt.Sprintf("% x", secret), "in Base64": base64.StdEncoding.EncodeToString([]byte(secret))[:len(secret)],
			"as numbers": strings.Trim(fmt.Sprint([]byte(secret)), "[]"), "as code points": strings.Trim(fmt.Sprintf("%U", []rune(secret)), "[]"),
		} {
			if at := strings.Index(text, encoded); at >= 0 {
				c.t.Errorf("a secret is shown %s: …%s…", form, text[max(0, at-200):min(len(text), at+200)])
				return
			}
		}
	}
}

// quoted answers with the request's secrets, in this form.
func quoted(form func(authorization, token string) string) step {
	return func(_ *scene, conn net.Conn) {
		req := request(conn)
		io.WriteString(conn, form(req.Header.Get("Authorization"), req.Header.Get("X-Amz-Security-Token")))
		conn.Close()
	}
}

// secretReplies are raw replies with secrets, in addition to leakyReplies. For some of them,
// net/http returns an error.
func secretReplies() map[string]step {
	const theURL = "https://jane:" + embedCode + "@q.example/a?code=" + embedCode
	return map[string]step{
		"a break in a URL":                   brokenAfter(withLength(500)+`{"EmbedUrl":"`+theURL, theBody),
		"an end in a URL":                    cut(withLength(500) + `{"EmbedUrl":"` + theURL),
		"a Content-Length that is too small": raw(withLength(len(nativeReply)/2) + `{"EmbedUrl":"` + theURL + `","x":"` + nativeReply),
		"a URL in chunks that are cut":       cut(chunked + "40\r\n" + `{"EmbedUrl":"` + theURL),
		"a 101 with a URL":                   cut("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\nLocation: " + theURL + "\r\n\r\n" + theURL),
		"a redirect in the headers of a 401": answer(401, `{}`, "Location: "+theURL, "Www-Authenticate: Bearer realm=\""+theURL+"\"", "Set-Cookie: s="+embedCode),
		"an exception's code that is a URL":  answer(400, `{}`, "X-Amzn-ErrorType: "+theURL),
		"an enveloped error with a URL":      answer(200, `{"success":false,"error":{"code":"`+theURL+`","message":"`+theURL+`"}}`),
	}
}

// malformedReplies are replies that net/http refuses in an error that quotes them.
func malformedReplies() map[string]step {
	const theURL = "https://jane:" + embedCode + "@q.example/a?code=" + embedCode
	return map[string]step{
		"a redirect that cannot be parsed":  answer(302, ``, "Location: https://jane:"+embedCode+"@q.example/%zz?code="+embedCode),
		"a status line with a URL":          cut(theURL + "\r\n\r\n"),
		"a Content-Length that is a URL":    raw("HTTP/1.1 200 OK\r\nContent-Length: " + theURL + "\r\n\r\n"),
		"a transfer encoding that is a URL": raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + theURL + "\r\n\r\n"),
		"a trailer with a URL":              cut(chunked + "2\r\n{}\r\n0\r\n" + theURL + " x\r\n\r\n"),
		"a status line with the request": quoted(func(authorization, token string) string {
			return "HTTP/1.1 " + token + " " + authorization + "\r\n\r\n"
		}),
		"a header line with the request": quoted(func(authorization, token string) string {
			return "HTTP/1.1 200 OK\r\n" + token + " " + authorization + "\r\n\r\n"
		}),
	}
}

// showCall makes a call with every log mode and a tracer, and captures everything that it shows.
func showCall(t *testing.T, c *capture, s *scene) {
	t.Helper()
	var log logLines
	recorder := &spanRecorder{properties: map[string]any{}}
	s.options.Credentials = staticCredentials("AKID", secretKey, token)
	s.options.ClientLogMode, s.options.Logger, s.options.TracerProvider = everyLogMode, &log, recorder
	s.options.HTTPSignerV4 = loggingSigner{countingSigner{s}, &log}
	client := quicksightembed.New(s.options)
	out, err := client.GetSessionEmbedUrl(s.ctx, janesInput())
	require.NotEmpty(t, log)
	fmt.Fprintln(c, strings.Join(log, "\n"), recorder.tree, recorder.properties)
	for _, v := range []any{client, *client, client.Options(), s.options} {
		c.value(v)
		c.json(v)
	}
	if err != nil {
		c.err(err)
		return
	}
	c.value(out)
	c.value(*out)
	rawReply := awsmiddleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response)
	fmt.Fprintln(c, rawReply.Request.Header)
	fmt.Fprintf(c, "%v %+v %#v", out.ResultMetadata, out.ResultMetadata, out.ResultMetadata)
}

// loggingSigner logs what it signs.
type loggingSigner struct {
	countingSigner
	log *logLines
}

func (l loggingSigner) SignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, hash, service, region string, at time.Time, optFns ...func(*v4.SignerOptions)) error {
	wanted := func(o *v4.SignerOptions) { o.Logger, o.LogSigning = l.log, true }
	return l.countingSigner.SignHTTP(ctx, credentials, r, hash, service, region, at, append([]func(*v4.SignerOptions){wanted}, optFns...)...)
}

// tapped keeps the signature of each request that a server reads.
func tapped(signatures *[]string, mu *sync.Mutex, next step) step {
	return func(s *scene, conn net.Conn) {
		var seen bytes.Buffer
		next(s, tap{conn, &seen})
		_, signature, _ := strings.Cut(seen.String(), "Signature=")
		mu.Lock()
		defer mu.Unlock()
		*signatures = append(*signatures, signature[:min(64, len(signature))])
	}
}

type tap struct {
	net.Conn
	seen *bytes.Buffer
}

func (t tap) NetConn() net.Conn { return t.Conn }

func (t tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.seen.Write(p[:n])
	return n, err
}

// showReply captures a call that gets the reply.
func showReply(t *testing.T, reply step, change ...func(*testing.T, *scene)) {
	t.Helper()
	s := newScene(t)
	for _, c := range change {
		c(t, s)
	}
	defer s.cancel()
	var mu sync.Mutex
	var signatures []string
	done := make(chan struct{})
	go s.serve([]step{tapped(&signatures, &mu, reply)}, done)
	c := &capture{t: t}
	showCall(t, c, s)
	s.transport.CloseIdleConnections()
	s.listener.Close()
	<-done
	require.Len(t, signatures[0], 64)
	c.mustNotShow(append(signatures, secretKey, token, "t0k3n", embedCode)...)
}

func TestSecretsAreShownNowhere(t *testing.T) {
	t.Run("silence", func(t *testing.T) { showReply(t, silence, slowed) })
	for name, reply := range secretReplies() {
		t.Run(name, func(t *testing.T) { showReply(t, reply) })
	}
	for name, handler := range leakyReplies {
		t.Run(name, func(t *testing.T) { showReply(t, handledBy(handler)) })
	}
	for name, reply := range map[string]string{"the nine exceptions": "", "others": "Other"} {
		t.Run(name, func(t *testing.T) {
			for code := range theNine {
				showReply(t, answer(400, `{"message":"see https://q.example/?code=`+embedCode+`"}`, "X-Amzn-ErrorType: "+reply+code))
			}
		})
	}
}

// handledBy lets a handler of net/http answer one connection.
func handledBy(handler http.HandlerFunc) step {
	return func(_ *scene, conn net.Conn) {
		one := &oneConnection{conn: conn, closed: make(chan struct{})}
		server := &http.Server{Handler: handler, ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				one.Close()
			}
		}}
		server.Serve(one)
	}
}

// oneConnection is a listener that accepts only conn.
type oneConnection struct {
	conn   net.Conn
	once   sync.Once
	closed chan struct{}
}

func (o *oneConnection) Accept() (net.Conn, error) {
	if conn := o.conn; conn != nil {
		o.conn = nil
		return conn, nil
	}
	<-o.closed
	return nil, net.ErrClosed
}

func (o *oneConnection) Close() error   { o.once.Do(func() { close(o.closed) }); return nil }
func (o *oneConnection) Addr() net.Addr { return &net.TCPAddr{} }

// TestCredentialsErrorsShowNoSecrets has a provider that asks a URL with a secret, as those of
// containers do.
func TestCredentialsErrorsShowNoSecrets(t *testing.T) {
	for name, optFn := range map[string]func(*quicksightembed.Options){
		"directly": nil, "through a stack": quicksightembed.WithAPIOptions(func(*middleware.Stack) error { return nil }),
	} {
		t.Run(name, func(t *testing.T) {
			var log logLines
			recorder := &spanRecorder{properties: map[string]any{}}
			client := quicksightembed.New(quicksightembed.Options{
				Region: "us-east-1", TracerProvider: recorder, Retryer: withoutDelay(),
				ClientLogMode: everyLogMode, Logger: &log,
				Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					theURL := "http://jane:" + embedCode + "@169.254.170.23/v1/credentials?token=" + embedCode
					return aws.Credentials{}, fmt.Errorf("no role: %w", &url.Error{Op: "Get", URL: theURL, Err: syscall.ECONNRESET})
				}),
			}, optFn)
			_, err := client.GetSessionEmbedUrl(ctx, janesInput())
			assert.EqualError(t, err, `operation error QuickSight: GetSessionEmbedUrl, exceeded maximum number of attempts, 3, get identity: get credentials: no role: `+
				`Get "http://REDACTED@169.254.170.23/v1/credentials?REDACTED": connection reset by peer`)
			var cause *url.Error
			assert.ErrorAs(t, err, &cause, "the provider's errors are kept")
			c := &capture{t: t}
			c.value(err)
			c.json(err)
			fmt.Fprintln(c, strings.Join(log, "\n"), recorder.tree, recorder.properties)
			c.mustNotShow(embedCode)
		})
	}
}

// TestPanicsShowNoSecrets makes parts panic that the program supplies. The panic is passed on as it
// is. Its stack trace, the log and the spans have no secret.
func TestPanicsShowNoSecrets(t *testing.T) {
	for name, change := range map[string]func(*quicksightembed.Options){
		"credentials": func(o *quicksightembed.Options) {
			o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { panic("boom") })
		},
		"the signer": func(o *quicksightembed.Options) { o.HTTPSignerV4 = panickingSigner{} },
		"the HTTP client": func(o *quicksightembed.Options) {
			o.HTTPClient = smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) { panic("boom") })
		},
		"the body": func(o *quicksightembed.Options) {
			o.HTTPClient = smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Body: io.NopCloser(panickingReader{})}, nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log logLines
			recorder := &spanRecorder{properties: map[string]any{}}
			o := quicksightembed.Options{
				Region: "us-east-1", Credentials: staticCredentials("AKID", secretKey, token),
				ClientLogMode: everyLogMode, Logger: &log, TracerProvider: recorder,
			}
			change(&o)
			c := &capture{t: t}
			func() {
				defer func() {
					assert.Equal(t, "boom", recover())
					c.Write(debug.Stack())
				}()
				quicksightembed.New(o).GetSessionEmbedUrl(ctx, janesInput())
			}()
			fmt.Fprintln(c, strings.Join(log, "\n"), recorder.tree, recorder.properties)
			c.mustNotShow(secretKey, token, "t0k3n")
			assert.NotRegexp(t, `Signature=[0-9a-f]{64}`, c.String())
			assert.Contains(t, recorder.tree, "QuickSight.GetSessionEmbedUrl")
		})
	}
}

type panickingSigner struct{}

func (panickingSigner) SignHTTP(context.Context, aws.Credentials, *http.Request, string, string, string, time.Time, ...func(*v4.SignerOptions)) error {
	panic("boom")
}

type panickingReader struct{}

func (panickingReader) Read([]byte) (int, error) { panic("boom") }

// TestInputCannotSteerARequest has values that could send a request to another host or add headers.
// Either nothing is sent, or the server reads a request to the intended host, with the intended
// headers.
func TestInputCannotSteerARequest(t *testing.T) {
	const refused, harmless, notSent = "refused", "harmless", "not sent"
	input := func(change func(*quicksightembed.GetSessionEmbedUrlInput)) func(*quicksightembed.Options, *quicksightembed.GetSessionEmbedUrlInput) {
		return func(_ *quicksightembed.Options, in *quicksightembed.GetSessionEmbedUrlInput) { change(in) }
	}
	option := func(change func(*quicksightembed.Options)) func(*quicksightembed.Options, *quicksightembed.GetSessionEmbedUrlInput) {
		return func(o *quicksightembed.Options, _ *quicksightembed.GetSessionEmbedUrlInput) { change(o) }
	}
	accountID := func(value string) func(*quicksightembed.Options, *quicksightembed.GetSessionEmbedUrlInput) {
		return input(func(in *quicksightembed.GetSessionEmbedUrlInput) { in.AwsAccountId, in.UserArn = &value, nil })
	}
	userArn := func(name string) func(*quicksightembed.Options, *quicksightembed.GetSessionEmbedUrlInput) {
		return input(func(in *quicksightembed.GetSessionEmbedUrlInput) { in.UserArn = aws.String(jane + name) })
	}
	entryPoint := func(value string) func(*quicksightembed.Options, *quicksightembed.GetSessionEmbedUrlInput) {
		return input(func(in *quicksightembed.GetSessionEmbedUrlInput) { in.EntryPoint = &value })
	}
	region := func(value string) func(*quicksightembed.Options, *quicksightembed.GetSessionEmbedUrlInput) {
		return option(func(o *quicksightembed.Options) { o.Region = value })
	}
	base := func(value string) func(*quicksightembed.Options, *quicksightembed.GetSessionEmbedUrlInput) {
		return option(func(o *quicksightembed.Options) { o.BaseEndpoint = &value })
	}
	appID := func(value string) func(*quicksightembed.Options, *quicksightembed.GetSessionEmbedUrlInput) {
		return option(func(o *quicksightembed.Options) { o.AppID = value })
	}
	keysOf := func(key, token string) func(*quicksightembed.Options, *quicksightembed.GetSessionEmbedUrlInput) {
		return option(func(o *quicksightembed.Options) { o.Credentials = staticCredentials(key, "SECRET-ACCESS-KEY", token) })
	}
	for name, test := range map[string]struct {
		steer func(*quicksightembed.Options, *quicksightembed.GetSessionEmbedUrlInput)
		want  string
	}{
		"a region with a dot":                    {region("us-east-1.evil.example"), refused},
		"a region that ends the host":            {region("evil.example/"), refused},
		"a region that ends the host with ?":     {region("x?"), refused},
		"a region that ends the host with #":     {region("x#"), refused},
		"a region with user info":                {region("x@evil"), refused},
		"a region with a port":                   {region("x:80"), refused},
		"a region with a backslash":              {region(`x\evil`), refused},
		"a region with a line break":             {region("us-east-1\r\nX-Evil: 1"), refused},
		"a region with a percent":                {region("x%2fevil"), refused},
		"a region with a null byte":              {region("us-east-1\x00"), refused},
		"a region in letters that look the same": {region("us-eаst-1"), refused},
		"a pseudo-region around a dot":           {region("fips-evil.example"), refused},
		"a base endpoint with user info":         {base("http://quicksight.us-east-1.amazonaws.com@evil.example"), refused},
		"a base endpoint with a query":           {base("http://target.example?x="), refused},
		"a base endpoint with a fragment":        {base("http://target.example#"), refused},
		"a base endpoint with a line break":      {base("http://target.example/\r\nX-Evil: 1"), refused},
		"a base endpoint with an escaped break":  {base("http://target.example/%0d%0aX-Evil:%201"), harmless},
		"a base endpoint with a backslash":       {base(`http://target.example\@evil.example/`), refused},
		"a base endpoint with a tab":             {base("http://target.example\t.evil.example/"), refused},
		"a base endpoint with two ports":         {base("http://target.example:80:81"), refused},
		"a base endpoint with an escaped host":   {base("http://target%2eexample"), refused},
		"a base endpoint that climbs":            {base("http://target.example/a/../../b"), harmless},
		"a base endpoint of a file":              {base("file:///etc/passwd"), refused},
		"a base endpoint with a zone":            {base("http://[::1%25lo]"), refused},
		"an account that climbs":                 {accountID("../../../../x"), refused},
		"an account with a query":                {accountID("111122223333?x=y"), refused},
		"an account with a line break":           {accountID("111122223333\r\nX-Evil: 1"), refused},
		"an account with an escaped slash":       {accountID("1111%2f222233"), refused},
		"an account in other digits":             {accountID("１１１１２２２２３３３３"), refused},
		"a user with a parameter":                {userArn("&session-lifetime=600"), harmless},
		"a user with a fragment":                 {userArn("#x"), harmless},
		"a user with a request line":             {userArn(" HTTP/1.1"), harmless},
		"a user with an escaped line break":      {userArn("%0d%0aX-Evil: 1"), harmless},
		"a user with a line break":               {userArn("\r\nX-Evil: 1"), refused},
		"a user with a line separator":           {userArn("\u2028X-Evil: 1"), harmless},
		"an entry point with a parameter":        {entryPoint("/start&user-arn=x"), refused},
		"an entry point with a line break":       {entryPoint("/dashboards/x\r\nX-Evil: 1"), refused},
		"an app ID with a line break":            {appID("x\r\nX-Evil: 1"), harmless},
		"an app ID with a null byte":             {appID("x\x00y"), harmless},
		"an app ID not in ASCII":                 {appID("é\u2028"), harmless},
		"a session token with a line break":      {keysOf("AKID", "t\r\nX-Evil: 1"), notSent},
		"an access key with a line break":        {keysOf("AKID\r\nX-Evil: 1", ""), notSent},
		"an access key with a comma":             {keysOf("AKID/20260101/evil/s3/aws4_request, SignedHeaders=host", ""), harmless},
	} {
		t.Run(name, func(t *testing.T) {
			var read, dialed string
			s := newScene(t)
			defer s.cancel()
			done := make(chan struct{})
			go s.serve([]step{func(s *scene, conn net.Conn) {
				var seen bytes.Buffer
				fine(s, tap{conn, &seen})
				read = seen.String()
			}}, done)
			s.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				dialed = address
				return (&net.Dialer{}).DialContext(ctx, network, s.listener.Addr().String())
			}
			s.options.BaseEndpoint, s.options.Retryer = aws.String("http://target.example"), aws.NopRetryer{}
			in := janesInput()
			test.steer(&s.options, in)
			_, err := quicksightembed.New(s.options).GetSessionEmbedUrl(s.ctx, in)
			s.transport.CloseIdleConnections()
			s.listener.Close()
			<-done

			switch test.want {
			case refused:
				require.ErrorAs(t, err, new(*quicksightembed.ValidationError))
				assert.Empty(t, dialed)
				assert.NotContains(t, err.Error(), "\n")
			case notSent:
				require.ErrorAs(t, err, new(*smithyhttp.RequestSendError))
				assert.Empty(t, read)
			case harmless:
				require.NoError(t, err)
				assert.Equal(t, "target.example:80", dialed)
				head, rest, _ := strings.Cut(read, "\r\n\r\n")
				assert.Empty(t, rest)
				lines := strings.Split(head, "\r\n")
				assert.Regexp(t, `^GET /\S*accounts/111122223333/session-embed-url\?user-arn=arn\S+ HTTP/1\.1$`, lines[0])
				var names []string
				for _, line := range lines[1:] {
					name, _, _ := strings.Cut(line, ":")
					names = append(names, name)
				}
				want := []string{"Host", "User-Agent", "Accept-Encoding", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "Authorization", "X-Amz-Date", "X-Amz-Security-Token"}
				if name == "an access key with a comma" {
					want = want[:len(want)-1]
				}
				assert.ElementsMatch(t, want, names)
				assert.Equal(t, "Host: target.example", lines[1])
			}
		})
	}
}

// TestTraceHeaderCannotSplit has a line break in the trace ID of a Lambda function's environment.
func TestTraceHeaderCannotSplit(t *testing.T) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
	t.Setenv("_X_AMZN_TRACE_ID", "Root=1\r\nX-Evil: 1")
	server := newServer(t, status(200, nativeReply))
	_, err := newClient(t, server).GetSessionEmbedUrl(ctx, janesInput())
	require.NoError(t, err)
	assert.Empty(t, server.seen()[0].Header.Get("X-Evil"))
	assert.Equal(t, "Root=1%0D%0AX-Evil:%201", server.seen()[0].Header.Get("X-Amzn-Trace-Id"))
}

func TestMalformedRepliesShowNoSecrets(t *testing.T) {
	for name, reply := range malformedReplies() {
		t.Run(name, func(t *testing.T) { showReply(t, reply) })
	}
}

func TestBaseEndpointOfASecretAloneIsHidden(t *testing.T) {
	for base, want := range map[string]string{"?code=" + embedCode: `"?REDACTED"`, "@localhost": `"REDACTED@localhost"`, "#" + embedCode: `"#REDACTED"`} {
		o := optionsFor("us-east-1", plain)
		o.BaseEndpoint = &base
		_, err := quicksightembed.New(o).GetSessionEmbedUrl(ctx, janesInput())
		require.Equal(t, want, fieldsOf(t, err)[0].Value)
	}
}

func TestErrorOfACallersHTTPClientShowsNoSecrets(t *testing.T) {
	client := quicksightembed.New(quicksightembed.Options{
		Region:      "us-east-1",
		Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", "the-session-token"),
		Retryer:     aws.NopRetryer{},
		HTTPClient: smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("proxy refused %s %s", r.Header.Get("X-Amz-Security-Token"), r.Header.Get("Authorization"))
		}),
	})
	_, err := client.GetSessionEmbedUrl(ctx, janesInput())
	require.ErrorContains(t, err, "proxy refused REDACTED AWS4-HMAC-SHA256 ")
	assert.Regexp(t, `Signature=REDACTED$`, err.Error())
}
