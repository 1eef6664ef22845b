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
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// onTheWire returns a request as a server reads it.
func onTheWire(t *testing.T, req *http.Request) *http.Request {
	t.Helper()
	var wire strings.Builder
	require.NoError(t, req.Write(&wire))
	received, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire.String())))
	require.NoError(t, err)
	return received
}

// FuzzInput looks for input that is sent as something else than what was given, and for input that
// panics.
func FuzzInput(f *testing.F) {
	f.Add(account, "/start", int64(60), jane, uint8(7))
	f.Add(account, "/dashboards/a_b-c", int64(15), "arn:aws-cn:quicksight:cn-north-1:111122223333:user/default/role/Jané D+e ~!*'()&=%?/#x;y", uint8(7))
	f.Add(account, "/analyses/x", int64(600), "arn:aws:quicksight:us-east-1:111122223333:user/d/\u2028%2F%00+ ", uint8(4))
	f.Add("../../x", "/start?x#y", int64(-1), "arn:aws:quicksight::111122223333:user/default/jane\r\nX: y", uint8(7))
	var verdict embedtest.Request
	server := embedtest.NewServer(func(o *embedtest.Options) { o.OnRequest = func(r embedtest.Request) { verdict = r } })
	f.Cleanup(server.Close)
	client := quicksightembed.NewFromConfig(server.Config())
	toAWS := quicksightembed.New(optionsFor("us-east-1", plain))
	f.Fuzz(func(t *testing.T, accountID, entryPoint string, lifetime int64, userArn string, given uint8) {
		in := &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: &accountID}
		want := url.Values{}
		if given&1 != 0 {
			in.EntryPoint = &entryPoint
			want.Set("entry-point", entryPoint)
		}
		if given&2 != 0 {
			in.SessionLifetimeInMinutes = &lifetime
			want.Set("session-lifetime", strconv.FormatInt(lifetime, 10))
		}
		if given&4 != 0 {
			in.UserArn = &userArn
			want.Set("user-arn", userArn)
		}
		req, err := toAWS.SignGetSessionEmbedUrl(context.Background(), in)
		if invalid := in.Validate(); invalid != nil {
			require.Error(t, err)
			require.ErrorAs(t, err, new(*quicksightembed.ValidationError))
			for _, field := range fieldsOf(t, err) {
				require.LessOrEqual(t, len(field.Value), 128)
				require.NotContains(t, field.String(), "\n")
			}
			return
		}
		require.NoError(t, err)
		received := onTheWire(t, req)
		require.Equal(t, "quicksight.us-east-1.amazonaws.com", received.Host)
		require.Equal(t, "/accounts/"+accountID+"/session-embed-url", received.URL.EscapedPath())
		require.NotContains(t, received.URL.RawQuery, "+")
		require.Empty(t, received.URL.Fragment)
		got, err := url.ParseQuery(received.URL.RawQuery)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Len(t, received.Header, 5, "no value makes a header of its own")

		_, err = client.GetSessionEmbedUrl(context.Background(), in)
		require.Equal(t, verdict.Code == "", err == nil)
		require.Equal(t, *in, verdict.Input, "embedtest reads what was given")
		require.Contains(t, []string{"", "AccessDeniedException"}, verdict.Code, verdict.Message)
	})
}

// FuzzReply looks for replies that panic, that are neither a URL nor an error, or whose error is
// not of the README's table.
func FuzzReply(f *testing.F) {
	f.Add(200, "", "", []byte(nativeReply))
	f.Add(200, "", "", []byte(`{"success":true,"data":{"id":"1","created_at":"2026-01-02T03:04:05Z","embed_url":"https://q.example/?code=x"}}`))
	f.Add(200, "", "", []byte(`{"success":false,"error":{"code":"ThrottlingException","message":"m"}}`))
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
				require.Contains(t, string(body), "success", "a URL is missing in an envelope alone")
				require.Contains(t, string(body), "data")
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

// FuzzEndpoint looks for a region or a base endpoint that leads a request elsewhere than it says.
func FuzzEndpoint(f *testing.F) {
	f.Add("us-east-1", "", false, false)
	f.Add("fips-us-gov-west-1", "", true, true)
	f.Add("us-east-1.evil.example/", "", false, false)
	f.Add("us-east-1", "https://proxy.example.com:8443/a%2Fb/../c", false, false)
	f.Add("us-east-1", "http://jane:pass@evil.example\\@localhost#x", false, false)
	f.Add("us-east-1", "http://[::1%25lo]:80/x?y", false, false)
	awsSuffixes := []string{".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws", ".api.amazonwebservices.com.cn",
		".api.amazonwebservices.eu", ".c2s.ic.gov", ".api.aws.ic.gov", ".sc2s.sgov.gov", ".api.aws.scloud", ".cloud.adc-e.uk",
		".api.cloud-aws.adc-e.uk", ".csp.hci.ic.gov", ".api.aws.hci.ic.gov"}
	f.Fuzz(func(t *testing.T, region, base string, useFIPS, useDualStack bool) {
		o := optionsFor(region, plain)
		if useFIPS {
			o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
		}
		if useDualStack {
			o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
		}
		if base != "" {
			o.BaseEndpoint = &base
		}
		o.HTTPSignerV4 = quickSigner{}
		req, err := quicksightembed.New(o).SignGetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)})
		if err != nil {
			require.ErrorAs(t, err, new(*quicksightembed.ValidationError))
			return
		}
		received := onTheWire(t, req)
		require.Equal(t, req.URL.Host, received.Host, "where it is sent is what it names")
		require.True(t, strings.HasSuffix(received.URL.EscapedPath(), "/accounts/111122223333/session-embed-url"), received.URL)
		require.Empty(t, received.URL.RawQuery)
		require.Len(t, received.Header, 3)
		if base == "" {
			host, found := "", false
			for _, suffix := range awsSuffixes {
				if cut, ok := strings.CutSuffix(req.URL.Host, suffix); ok {
					host, found = cut, true
				}
			}
			require.True(t, found, req.URL.Host)
			service, label, _ := strings.Cut(host, ".")
			require.Contains(t, []string{"quicksight", "quicksight-fips"}, service)
			require.NotContains(t, label, ".")
			require.NotEmpty(t, label)
			require.Equal(t, "https", req.URL.Scheme)
			return
		}
		// The host is what stands between the slashes of the base endpoint, by hand and
		// not by net/url.
		_, rest, ok := strings.Cut(base, "://")
		require.True(t, ok)
		authority := rest
		if end := strings.IndexAny(rest, "/?#\\"); end >= 0 {
			authority = rest[:end]
		}
		require.True(t, strings.HasPrefix(authority, req.URL.Host), "%q leads to %q", base, req.URL.Host)
		require.Contains(t, []string{"", ":80", ":443"}, strings.TrimPrefix(authority, req.URL.Host))
		if host := req.URL.Hostname(); strings.Contains(host, ":") {
			_, err := netip.ParseAddr(host)
			require.NoError(t, err)
		}
	})
}

// What FuzzHiding makes texts of: a session token, a signature, the code of an embed URL.
const (
	hiddenToken     = "FwoGZXIvYXdzEBYaDH/7w+Qm3kZ==IvYXcz9/Kd+0aGv2qL8x8Wn5Rt/VYm+p4="
	hiddenSignature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
	hiddenCode      = "c0d3s3cr3tc0d3s3cr3t"
)

// tokenEscapes are how services, gateways and libraries write a token into a text.
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

// harmless are texts in which there is nothing to hide.
var harmless = []string{
	" ", "\n", `"`, "<", "why? ", " at q@q.example ", `must match ^/users/(\d+)?$`, " is it /start? ", `{"a":[1]}`, "日本語", "%", "token=", "a/b", "?", "://", "&",
}

// FuzzHiding looks for a text that shows a secret, and for one that loses anything else. The script
// says what a text is made of.
func FuzzHiding(f *testing.F) {
	f.Add([]byte{0, 4, 0, 1, 0, 255, 0, 5, 0}, "hello")
	f.Add([]byte{9, 0, 255, 2, 0, 0, 3, 0, 0, 4, 0, 0}, "x")
	f.Add([]byte{1, 3, 7, 1, 10, 8, 33, 20, 60}, "-")
	f.Add([]byte{5, 0, 0, 0, 6, 0, 3, 0, 0, 0, 2, 0}, "why")
	f.Add([]byte{0, 11, 0, 1, 0, 8}, "")                // the end of the text is a piece of the token
	f.Add([]byte{1, 55, 255, 0, 6, 0, 0, 6, 0}, "")     // the end of the token is a piece of the text
	f.Add([]byte{1, 0, 255, 1, 0, 255, 1, 55, 255}, "") // a text that is longer than the token
	f.Fuzz(func(t *testing.T, script []byte, prose string) {
		prose = strings.ToValidUTF8(prose, "")
		if len(script) > 60 || strings.ContainsAny(prose, "?@") {
			return // what is made of the script has these
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
			shown = strings.ReplaceAll(shown, "REDACTED", "*") // its R may go on with what is a piece of 7
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

// errorThatQuotes returns the message, and the error, of a call that is answered with a text.
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

// hasPieceOf reports whether text has 8 bytes in a row of a secret.
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

// quickSigner signs nothing, which leaves more time for what is looked for.
type quickSigner struct{}

func (quickSigner) SignHTTP(_ context.Context, _ aws.Credentials, r *http.Request, _, _, _ string, _ time.Time, _ ...func(*v4.SignerOptions)) error {
	return nil
}

// TestRulesAtTheirEdges has the first and the last value that each rule takes, and their
// neighbours that it does not.
func TestRulesAtTheirEdges(t *testing.T) {
	arn := func(partition, region, namespace string) string {
		return "arn:" + partition + ":quicksight:" + region + ":012345678909:user/" + namespace + "/x"
	}
	type value struct{ account, entryPoint, userArn, region, base string }
	for name, test := range map[string]struct {
		in   value
		want string // the field that is refused
	}{
		"an account of the first and last digits":        {value{account: "012345678909"}, ""},
		"an account with what is before the digits":      {value{account: "01234567890/"}, "AwsAccountId"},
		"an account with what is behind the digits":      {value{account: "01234567890:"}, "AwsAccountId"},
		"an account of 12 letters":                       {value{account: "accountident"}, "AwsAccountId"},
		"an id of the first and last letters and digits": {value{entryPoint: "/dashboards/azAZ09_-"}, ""},
		"an id with what is before a":                    {value{entryPoint: "/dashboards/`"}, "EntryPoint"},
		"an id with what is behind z":                    {value{entryPoint: "/dashboards/{"}, "EntryPoint"},
		"an id with what is before A":                    {value{entryPoint: "/dashboards/@"}, "EntryPoint"},
		"an id with what is behind Z":                    {value{entryPoint: "/dashboards/["}, "EntryPoint"},
		"an id with what is before 0":                    {value{entryPoint: "/analyses//"}, "EntryPoint"},
		"an id with what is behind 9":                    {value{entryPoint: "/analyses/:"}, "EntryPoint"},
		"an id of one character":                         {value{entryPoint: "/analyses/x"}, ""},
		"a partition of 64 characters":                   {value{userArn: arn("aws-"+strings.Repeat("x", 64), "r", "n")}, ""},
		"a partition of 65 characters":                   {value{userArn: arn("aws-"+strings.Repeat("x", 65), "r", "n")}, "UserArn"},
		"a partition that begins otherwise":              {value{userArn: arn("xaws-", "r", "n")}, "UserArn"},
		"an ARN's region of one letter":                  {value{userArn: arn("aws", "r", "n")}, ""},
		"an ARN's region of 63 characters":               {value{userArn: arn("aws", strings.Repeat("r", 63), "n")}, ""},
		"an ARN's region of 64 characters":               {value{userArn: arn("aws", strings.Repeat("r", 64), "n")}, "UserArn"},
		"an ARN's region of 12 digits":                   {value{userArn: arn("aws", "111122223333", "n")}, ""},
		"an ARN's region that begins with a hyphen":      {value{userArn: arn("aws", "-r", "n")}, "UserArn"},
		"an ARN's region that ends with a hyphen":        {value{userArn: arn("aws", "r-", "n")}, "UserArn"},
		"a user name that begins with a control":         {value{userArn: "arn:aws:quicksight:us-east-1:012345678909:user/n/\x01x"}, "UserArn"},
		"a region of 63 characters":                      {value{region: strings.Repeat("r", 63)}, ""},
		"a region of 64 characters":                      {value{region: strings.Repeat("r", 64)}, "Options.Region"},
		"the first port":                                 {value{base: "http://localhost:1"}, ""},
		"the last port":                                  {value{base: "http://localhost:65535"}, ""},
		"a port behind the last":                         {value{base: "http://localhost:65536"}, "Options.BaseEndpoint"},
		"a label of 63 characters":                       {value{base: "http://" + strings.Repeat("x", 63) + ".example"}, ""},
		"a label of 64 characters":                       {value{base: "http://" + strings.Repeat("x", 64) + ".example"}, "Options.BaseEndpoint"},
		"a host of one character":                        {value{base: "http://x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(cmp.Or(test.in.account, "012345678909"))}
			if test.in.entryPoint != "" {
				in.EntryPoint = &test.in.entryPoint
			}
			if test.in.userArn != "" {
				in.UserArn = &test.in.userArn
			}
			o := optionsFor(cmp.Or(test.in.region, "us-east-1"), plain)
			if test.in.base != "" {
				o.BaseEndpoint = &test.in.base
			}
			_, err := quicksightembed.New(o).SignGetSessionEmbedUrl(context.Background(), in)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			fields := fieldsOf(t, err)
			require.Len(t, fields, 1)
			require.Equal(t, test.want, fields[0].Field)
		})
	}
}

func TestUserArnThatIsCutOffIsNone(t *testing.T) {
	for _, userArn := range []string{"arn", "arn:aws", "arn:aws:quicksight", "aws:quicksight:us-east-1:111122223333:user/default/jane", "arn:aws:quicksight:us-east-1:111122223333:user/default"} {
		in := janesInput()
		in.UserArn = &userArn
		fields := fieldsOf(t, in.Validate())
		require.Len(t, fields, 1)
		require.Equal(t, "must be arn:{partition}:quicksight:{region}:{account}:user/{namespace}/{user name}", fields[0].Problem, userArn)
	}
}
