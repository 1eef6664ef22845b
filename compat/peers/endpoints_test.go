package peers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

// moduleDir returns the directory of a required module's source.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(dir))
}

// officialRegions returns all regions in the official client's modules: those of the core's
// partitions and of the service's own table, with pseudo-regions such as fips-us-east-1.
func officialRegions(t *testing.T) []string {
	t.Helper()
	core, err := os.ReadFile(filepath.Join(moduleDir(t, "github.com/aws/aws-sdk-go-v2"), "internal/endpoints/awsrulesfn/partitions.json"))
	require.NoError(t, err)
	var table struct {
		Partitions []struct {
			Regions map[string]any `json:"regions"`
		} `json:"partitions"`
	}
	require.NoError(t, json.Unmarshal(core, &table))
	require.GreaterOrEqual(t, len(table.Partitions), 7, "the file has the form that is read here")
	var regions []string
	for _, partition := range table.Partitions {
		for region := range partition.Regions {
			regions = append(regions, region)
		}
	}
	regions = append(regions, serviceRegions(t)...)
	slices.Sort(regions)
	return slices.Compact(regions)
}

// serviceRegions returns the regions in the official client's table for QuickSight.
func serviceRegions(t *testing.T) (regions []string) {
	t.Helper()
	service := read(t, filepath.Join(moduleDir(t, "github.com/aws/aws-sdk-go-v2/service/quicksight"), "internal/endpoints/endpoints.go"))
	named := regexp.MustCompile(`Region:\s+"([^"]+)"`).FindAllStringSubmatch(service, -1)
	require.GreaterOrEqual(t, len(named), 20, "the file has the form that is read here")
	for _, match := range named {
		regions = append(regions, match[1])
	}
	return regions
}

// TestRegionsOfTheQuickstart compares the quickstart's list with the official client's, without its
// secret regions.
func TestRegionsOfTheQuickstart(t *testing.T) {
	_, list, _ := strings.Cut(read(t, "../../examples/quickstart/main.go"), "strings.Fields(`")
	list, _, _ = strings.Cut(list, "`")
	want := slices.DeleteFunc(serviceRegions(t), func(region string) bool { return strings.HasPrefix(region, "us-iso") })
	slices.Sort(want)
	assert.ElementsMatch(t, slices.Compact(want), strings.Fields(list))
}

// endpoint is the URL and host of a request, and the scope of its signature.
type endpoint struct{ URL, Host, Scope string }

var refused = endpoint{URL: "refused"}

// endpointOf makes a call and returns its endpoint.
func endpointOf(cfg aws.Config, ask func(aws.Config) outcome) endpoint {
	sent := &recorder{}
	cfg.HTTPClient, cfg.Retryer = sent, once
	if o := ask(cfg); o.Layers != nil || len(sent.requests) == 0 {
		return refused
	}
	return endpointOfRequest(sent.requests[0])
}

func endpointOfRequest(req *http.Request) endpoint {
	path, _, _ := strings.Cut(req.URL.EscapedPath(), "/accounts/")
	_, scope := credentialOf(req)
	return endpoint{req.URL.Scheme + "://" + req.URL.Host + path, cmp.Or(req.Host, req.URL.Host), scope}
}

// credentialOf returns the access key and the scope of a request's signature.
func credentialOf(req *http.Request) (accessKey, scope string) {
	credential := regexp.MustCompile(`Credential=([^/]+)/\d{8}/([^,]+),`).FindStringSubmatch(req.Header.Get("Authorization"))
	if credential == nil {
		return "", "" // it is not signed
	}
	return credential[1], credential[2]
}

func endpointsOf(t *testing.T, cfg aws.Config) (official, ours endpoint) {
	t.Helper()
	official = endpointOf(cfg, func(cfg aws.Config) outcome { return askOfficial(t.Context(), cfg, janes()) })
	ours = endpointOf(cfg, func(cfg aws.Config) outcome { return askOurs(t.Context(), cfg, janes()) })
	return official, ours
}

func TestEndpointsAreTheSame(t *testing.T) {
	known := officialRegions(t)
	regions := append([]string{
		"us-fips-east-1", "fips-fips-us-east-1", "fips-", "-fips", "fips", "us-east-1-fips-", "fips-cn-north-1", "cn-north-1-fips", "fips-us-gov-west-1",
		"us-gov-fips-west-1", "us-east-99", "xx-north-1", "us-iso-north-9", "eu-isoe-east-1", "us-isof-west-2", "eusc-de-west-7", "us-gov-x-1",
		"cn-1", "us-", "us", "mars", "US-EAST-1", "local", "aws-global", "us_east_1", "1", "-", "a-b-c-d", "us-east-1a", strings.Repeat("a", 63),
	}, known...)
	for _, region := range known {
		regions = append(regions, "fips-"+region, region+"-fips")
	}
	bases := []*string{nil, aws.String("https://proxy.example.com"), aws.String("http://127.0.0.1:8080/gateway/"), aws.String("https://vpce-1.quicksight.us-east-1.vpce.amazonaws.com/a%2Fb")}
	compared := 0
	for _, region := range regions {
		for _, fips := range []aws.FIPSEndpointState{aws.FIPSEndpointStateUnset, aws.FIPSEndpointStateDisabled, aws.FIPSEndpointStateEnabled} {
			for _, dualStack := range []aws.DualStackEndpointState{aws.DualStackEndpointStateUnset, aws.DualStackEndpointStateDisabled, aws.DualStackEndpointStateEnabled} {
				for _, base := range bases {
					cfg := workingConfig(nil, set("EndpointOptions.UseFIPSEndpoint", fips), set("EndpointOptions.UseDualStackEndpoint", dualStack))
					cfg.Region, cfg.BaseEndpoint = region, base
					official, ours := endpointsOf(t, cfg)
					compared++
					if official == ours {
						continue
					}
					assert.Equal(t, official, ours, "region %q, FIPS %d, dual-stack %d, base %q", region, fips, dualStack, aws.ToString(base))
				}
			}
		}
	}
	t.Logf("%d endpoints of %d regions", compared, len(regions))
}

func TestEndpointsSpelledOut(t *testing.T) {
	for region, want := range map[string]endpoint{
		"us-east-1":          {"https://quicksight.us-east-1.amazonaws.com", "quicksight.us-east-1.amazonaws.com", "us-east-1/quicksight/aws4_request"},
		"cn-north-1":         {"https://quicksight.cn-north-1.amazonaws.com.cn", "quicksight.cn-north-1.amazonaws.com.cn", "cn-north-1/quicksight/aws4_request"},
		"us-gov-west-1":      {"https://quicksight.us-gov-west-1.amazonaws.com", "quicksight.us-gov-west-1.amazonaws.com", "us-gov-west-1/quicksight/aws4_request"},
		"eusc-de-east-1":     {"https://quicksight.eusc-de-east-1.amazonaws.eu", "quicksight.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1/quicksight/aws4_request"},
		"fips-us-gov-west-1": {"https://quicksight-fips.us-gov-west-1.amazonaws.com", "quicksight-fips.us-gov-west-1.amazonaws.com", "fips-us-gov-west-1/quicksight/aws4_request"},
		"us iso":             refused,
		"":                   refused,
	} {
		t.Run(fmt.Sprintf("region %q", region), func(t *testing.T) {
			cfg := workingConfig(nil)
			cfg.Region = region
			official, ours := endpointsOf(t, cfg)
			assert.Equal(t, want, official)
			assert.Equal(t, want, ours)
		})
	}
}

// FuzzEndpoints looks for options that this client accepts and for which the endpoints differ.
func FuzzEndpoints(f *testing.F) {
	f.Add("us-east-1", "", false, false)
	f.Add("fips-us-gov-west-1", "", false, true)
	f.Add("us-east-1", "https://proxy.example.com:443/a%2Fb/(c%29", false, false)
	f.Add("us-east-1", "http://[::1]:80/x", true, false)
	f.Fuzz(func(t *testing.T, region, base string, fips, dualStack bool) {
		cfg := workingConfig(nil)
		cfg.Region = region
		if base != "" {
			cfg.BaseEndpoint = &base
			if parsed, err := url.Parse(base); err == nil && parsed.Port() != "" && strings.ContainsAny(parsed.Host, "[_") {
				return // defaultPort
			}
		}
		if fips {
			cfg.ServiceOptions = append(cfg.ServiceOptions, set("EndpointOptions.UseFIPSEndpoint", aws.FIPSEndpointStateEnabled))
		}
		if dualStack {
			cfg.ServiceOptions = append(cfg.ServiceOptions, set("EndpointOptions.UseDualStackEndpoint", aws.DualStackEndpointStateEnabled))
		}
		if _, err := quicksightembed.NewFromConfig(cfg).SignGetSessionEmbedUrl(t.Context(), janes()); err != nil {
			return // refusedInput
		}
		official, ours := endpointsOf(t, cfg)
		require.Equal(t, official, ours)
	})
}
