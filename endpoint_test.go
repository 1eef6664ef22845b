package quicksightembed_test

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

const (
	plain     = ""
	fips      = "FIPS"
	dualStack = "dual-stack"
	both      = "FIPS and dual-stack"
)

func optionsFor(region, variant string) quicksightembed.Options {
	o := quicksightembed.Options{Region: region, Credentials: staticCredentials("AKID", "SECRET-ACCESS-KEY", "")}
	if variant == fips || variant == both {
		o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	}
	if variant == dualStack || variant == both {
		o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
	}
	return o
}

func TestEndpointOfEachPartition(t *testing.T) {
	for _, test := range []struct{ region, variant, host string }{
		{"us-east-1", plain, "quicksight.us-east-1.amazonaws.com"},
		{"us-east-1", fips, "quicksight-fips.us-east-1.amazonaws.com"},
		{"us-east-1", dualStack, "quicksight.us-east-1.api.aws"},
		{"us-east-1", both, "quicksight-fips.us-east-1.api.aws"},
		{"cn-north-1", plain, "quicksight.cn-north-1.amazonaws.com.cn"},
		{"cn-north-1", fips, "quicksight-fips.cn-north-1.amazonaws.com.cn"},
		{"cn-north-1", dualStack, "quicksight.cn-north-1.api.amazonwebservices.com.cn"},
		{"cn-north-1", both, "quicksight-fips.cn-north-1.api.amazonwebservices.com.cn"},
		{"us-gov-west-1", plain, "quicksight.us-gov-west-1.amazonaws.com"},
		{"us-gov-west-1", dualStack, "quicksight.us-gov-west-1.api.aws"},
		{"eusc-de-east-1", plain, "quicksight.eusc-de-east-1.amazonaws.eu"},
		{"eusc-de-east-1", dualStack, "quicksight.eusc-de-east-1.api.amazonwebservices.eu"},
		{"us-iso-east-1", plain, "quicksight.us-iso-east-1.c2s.ic.gov"},
		{"us-iso-east-1", dualStack, "quicksight.us-iso-east-1.api.aws.ic.gov"},
		{"us-isob-east-1", plain, "quicksight.us-isob-east-1.sc2s.sgov.gov"},
		{"us-isob-east-1", dualStack, "quicksight.us-isob-east-1.api.aws.scloud"},
		{"eu-isoe-west-1", plain, "quicksight.eu-isoe-west-1.cloud.adc-e.uk"},
		{"eu-isoe-west-1", dualStack, "quicksight.eu-isoe-west-1.api.cloud-aws.adc-e.uk"},
		{"us-isof-south-1", plain, "quicksight.us-isof-south-1.csp.hci.ic.gov"},
		{"us-isof-south-1", dualStack, "quicksight.us-isof-south-1.api.aws.hci.ic.gov"},
		{"aws-cn-global", plain, "quicksight.aws-cn-global.amazonaws.com.cn"},
		{"xx-nowhere-1", plain, "quicksight.xx-nowhere-1.amazonaws.com"},
		{"cn-north", plain, "quicksight.cn-north.amazonaws.com"},
		{"cn--1", plain, "quicksight.cn--1.amazonaws.com"},
		{"cn-north-1x", plain, "quicksight.cn-north-1x.amazonaws.com"},
		{"fips-us-east-1", plain, "quicksight-fips.us-east-1.amazonaws.com"},
		{"us-east-1-fips", plain, "quicksight-fips.us-east-1.amazonaws.com"},
		{"us-fips-east-1", dualStack, "quicksight-fips.us-east-1.api.aws"},
	} {
		t.Run(test.region+" "+test.variant, func(t *testing.T) {
			client := quicksightembed.New(optionsFor(test.region, test.variant))
			req, err := client.SignGetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)})
			require.NoError(t, err)
			assert.Equal(t, "https://"+test.host+"/accounts/111122223333/session-embed-url", req.URL.String())
			assert.Contains(t, req.Header.Get("Authorization"), "/"+test.region+"/quicksight/aws4_request")
		})
	}
}

func TestBaseEndpoint(t *testing.T) {
	const path = "/accounts/111122223333/session-embed-url"
	for _, test := range []struct{ base, want string }{
		{"http://localhost:8080", "http://localhost:8080" + path},
		{"http://localhost:8080/", "http://localhost:8080" + path},
		{"https://proxy.example.com/aws/quicksight", "https://proxy.example.com/aws/quicksight" + path},
		{"https://proxy.example.com/aws/quicksight/", "https://proxy.example.com/aws/quicksight" + path},
		{"https://proxy.example.com/a%2Fb%20c", "https://proxy.example.com/a%2Fb%20c" + path},
		{"https://proxy.example.com/a%2541", "https://proxy.example.com/a%2541" + path},
		{"http://[::1]:8080", "http://[::1]:8080" + path},
		{"http://[::1]:80", "http://[::1]" + path},
		{"https://[::1]:443/x", "https://[::1]/x" + path},
		{"http://localhost:80", "http://localhost:80" + path},
		{"http://proxy.example.com.", "http://proxy.example.com." + path},
		{"http://my_service:8080", "http://my_service:8080" + path},
		{"http://h/a%20b%28c%29", "http://h/a%20b%28c%29" + path},
		{"http://h/a%29b", "http://h/a)b" + path},
	} {
		t.Run(test.base, func(t *testing.T) {
			o := optionsFor("us-east-1", plain)
			o.BaseEndpoint = &test.base
			req, err := quicksightembed.New(o).SignGetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)})
			require.NoError(t, err)
			assert.Equal(t, test.want, req.URL.String())
			assert.NotEqual(t, "::1", req.Host, "an IPv6 address keeps its brackets")
		})
	}
}

func TestUnusableEndpoints(t *testing.T) {
	const (
		form      = "must be an http or https URL with a host, such as https://proxy.example.com/quicksight"
		host      = "must have a host name of letters, digits, - and _ between dots, or an IP address without a zone"
		port      = "must have a port from 1 to 65535, or none"
		extras    = "must have no user info, query or fragment"
		region    = "must be the name of an AWS region, such as us-east-1"
		noFIPS    = "cannot be used with FIPS, which chooses the endpoint itself"
		noStack   = "cannot be used with dual-stack, which chooses the endpoint itself"
		loopback  = "http://127.0.0.1:1"
		noBase    = "none"
		fieldBase = "Options.BaseEndpoint"
	)
	for name, test := range map[string]struct{ region, variant, base, field, value, want string }{
		"no region":                       {"", plain, noBase, "Options.Region", "", "is required, such as us-east-1: set AWS_REGION"},
		"no region, with a base endpoint": {"", plain, loopback, "Options.Region", "", "is required, such as us-east-1: set AWS_REGION"},
		"a region that leads elsewhere":   {"us-east-1.evil.example", plain, noBase, "Options.Region", `"us-east-1.evil.example"`, region},
		"a region with a path":            {"evil.example/", plain, noBase, "Options.Region", `"evil.example/"`, region},
		"a region with user info":         {"x@evil", plain, noBase, "Options.Region", `"x@evil"`, region},
		"a region with a line break":      {"us-east-1\r\nX: y", plain, noBase, "Options.Region", `"us-east-1\r\nX: y"`, region},
		"a region of a hyphen":            {"-", plain, noBase, "Options.Region", `"-"`, region},
		"a pseudo-region of no region":    {"fips--x", plain, noBase, "Options.Region", `"fips--x"`, region},
		"a pseudo-region of nothing":      {"fips-", plain, noBase, "Options.Region", `"fips-"`, region},
		"an empty base endpoint":          {"us-east-1", plain, "", fieldBase, `""`, form},
		"a base endpoint without scheme":  {"us-east-1", plain, "localhost:8080", fieldBase, `"localhost:8080"`, form},
		"a base endpoint of another kind": {"us-east-1", plain, "ftp://localhost", fieldBase, `"ftp://localhost"`, form},
		"a base endpoint without host":    {"us-east-1", plain, "http://:8080/x", fieldBase, `"http://:8080/x"`, host},
		"a base endpoint that is opaque":  {"us-east-1", plain, "http:localhost", fieldBase, `"http:localhost"`, form},
		"a base endpoint with a space":    {"us-east-1", plain, "http://local host", fieldBase, `"http://local host"`, form},
		"a port that is too large":        {"us-east-1", plain, "http://localhost:65536", fieldBase, `"http://localhost:65536"`, port},
		"a port of zero":                  {"us-east-1", plain, "http://localhost:0", fieldBase, `"http://localhost:0"`, port},
		"a port that is missing":          {"us-east-1", plain, "http://localhost:", fieldBase, `"http://localhost:"`, port},
		"a base endpoint with a password": {"us-east-1", plain, "http://jane:pass@localhost", fieldBase, `"REDACTED@localhost"`, extras},
		"a password without a scheme":     {"us-east-1", plain, "jane:pass@localhost", fieldBase, `"REDACTED@localhost"`, form},
		"a password before a scheme":      {"us-east-1", plain, "jane:pass@http://localhost", fieldBase, `"REDACTED@http://localhost"`, form},
		"a password with two slashes":     {"us-east-1", plain, "jane:pa//ss@localhost", fieldBase, `"REDACTED@localhost"`, form},
		"a host with an empty label":      {"us-east-1", plain, "http://a..b", fieldBase, `"http://a..b"`, host},
		"a host of a dot":                 {"us-east-1", plain, "http://.", fieldBase, `"http://."`, host},
		"a host with a dollar":            {"us-east-1", plain, "http://a$b", fieldBase, `"http://a$b"`, host},
		"an address without its end":      {"us-east-1", plain, "http://[::1", fieldBase, `"http://[::1"`, form},
		"a password with a slash":         {"us-east-1", plain, "http://jane:pa/ss@localhost", fieldBase, `"REDACTED@localhost"`, form},
		"a base endpoint with a query":    {"us-east-1", plain, "http://localhost?code=c0de", fieldBase, `"http://localhost?REDACTED"`, extras},
		"a base endpoint with only a ?":   {"us-east-1", plain, "http://localhost?", fieldBase, `"http://localhost?REDACTED"`, extras},
		"a base endpoint with a fragment": {"us-east-1", plain, "http://localhost#", fieldBase, `"http://localhost#REDACTED"`, extras},
		"a base endpoint with FIPS":       {"us-east-1", fips, loopback, fieldBase, `"http://127.0.0.1:1"`, noFIPS},
		"a base endpoint, pseudo-region":  {"fips-us-east-1", plain, loopback, fieldBase, `"http://127.0.0.1:1"`, noFIPS},
		"a base endpoint with dual-stack": {"us-east-1", dualStack, loopback, fieldBase, `"http://127.0.0.1:1"`, noStack},
	} {
		t.Run(name, func(t *testing.T) {
			o := optionsFor(test.region, test.variant)
			if test.base != noBase {
				o.BaseEndpoint = &test.base
			}
			_, err := quicksightembed.New(o).GetSessionEmbedUrl(context.Background(), janesInput())
			assert.Equal(t, []quicksightembed.FieldError{{Field: test.field, Value: test.value, Problem: test.want}}, fieldsOf(t, err))
		})
	}
}

// TestCallToTheFIPSEndpoint calls the host name of the FIPS endpoint; embedtest answers. CI also
// runs it with GODEBUG=fips140=only, which allows only approved algorithms.
func TestCallToTheFIPSEndpoint(t *testing.T) {
	server := embedtest.NewTLSServer(func(o *embedtest.Options) { o.Region = "us-gov-west-1" })
	defer server.Close()
	cfg := server.Config()
	cfg.BaseEndpoint = nil
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.DisableKeepAlives = true
		tr.TLSClientConfig.RootCAs = x509.NewCertPool()
		tr.TLSClientConfig.RootCAs.AddCert(server.Certificate())
		tr.TLSClientConfig.ServerName = "localhost" // the name in the certificate
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			assert.Equal(t, "quicksight-fips.us-gov-west-1.amazonaws.com:443", addr)
			return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(server.URL, "https://"))
		}
	})
	client := quicksightembed.NewFromConfig(cfg, func(o *quicksightembed.Options) {
		o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	})

	out, err := client.GetSessionEmbedUrl(context.Background(), &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: aws.String(account),
		UserArn:      aws.String("arn:aws-us-gov:quicksight:us-gov-west-1:111122223333:user/default/jane"),
	})

	require.NoError(t, err)
	assert.NotEmpty(t, *out.EmbedUrl)
	assert.Equal(t, "quicksight-fips.us-gov-west-1.amazonaws.com", server.Requests()[0].Host)
}

func TestBaseEndpointWithABadEscape(t *testing.T) {
	for _, base := range []string{"https://q.example/%zz", "https://q%zz.example"} {
		o := optionsFor("us-east-1", plain)
		o.BaseEndpoint = &base
		_, err := quicksightembed.New(o).GetSessionEmbedUrl(ctx, janesInput())
		assert.Equal(t, "must have two hexadecimal digits after each %, and none in its host", fieldsOf(t, err)[0].Problem)
	}
}

// FuzzEndpoint looks for a region or a base endpoint that sends a request to another host.
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
		// The host is between the slashes of the base endpoint. Cut it out without net/url.
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
