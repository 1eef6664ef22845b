package quicksightembed_test

import (
	"bufio"
	"cmp"
	"context"
	"errors"
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

// FuzzInput looks for input that is sent as something else than what was given, and for input that panics.
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

// FuzzReply looks for replies that panic, that are neither a URL nor an error, or whose error is not of the README's table.
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
		// The host is what stands between the slashes of the base endpoint, by hand and not by net/url.
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

// quickSigner signs nothing, which leaves more time for what is looked for.
type quickSigner struct{}

func (quickSigner) SignHTTP(_ context.Context, _ aws.Credentials, r *http.Request, _, _, _ string, _ time.Time, _ ...func(*v4.SignerOptions)) error {
	return nil
}

// TestRulesAtTheirEdges has the first and the last value that each rule takes, and their neighbours that it does not.
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
