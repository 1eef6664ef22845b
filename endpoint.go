package quicksightembed

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// partitions are the AWS partitions, except the standard one and the US government's, which have
// the same DNS suffixes. A region is global, or {group}-{word}-{number}. An unknown region is in
// the standard partition, as in the official client, so that a new one works at once.
//
// See https://docs.aws.amazon.com/general/latest/gr/quicksight.html
var partitions = []struct{ group, global, suffix, dualStackSuffix string }{
	{"cn-", "aws-cn-global", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
	{"eusc-de-", "", "amazonaws.eu", "api.amazonwebservices.eu"},
	{"us-iso-", "aws-iso-global", "c2s.ic.gov", "api.aws.ic.gov"},
	{"us-isob-", "aws-iso-b-global", "sc2s.sgov.gov", "api.aws.scloud"},
	{"eu-isoe-", "aws-iso-e-global", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
	{"us-isof-", "aws-iso-f-global", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
}

// pseudoRegion removes the old way to ask for FIPS from a region, such as fips-us-east-1 or
// us-east-1-fips. The signature still has it, as the official client's.
var pseudoRegion = strings.NewReplacer("fips-", "", "-fips", "")

// resolveEndpoint returns the base URL for the options, or what is wrong with them.
func resolveEndpoint(o *Options) (endpoint *url.URL, fields []FieldError) {
	region := pseudoRegion.Replace(o.Region)
	fips := region != o.Region || o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled
	dualStack := o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled

	switch {
	case o.Region == "":
		const problem = "is required, such as us-east-1: set AWS_REGION"
		fields = append(fields, FieldError{Field: "Options.Region", Problem: problem})
	case !isHostLabel(o.Region) || !isHostLabel(region):
		const problem = "must be the name of an AWS region, such as us-east-1"
		fields = append(fields, fieldError("Options.Region", o.Region, problem))
	}
	if o.BaseEndpoint == nil {
		return &url.URL{Scheme: "https", Host: awsHost(region, fips, dualStack)}, fields
	}
	endpoint, problem := parseBaseEndpoint(*o.BaseEndpoint, fips, dualStack)
	if problem != "" {
		fields = append(fields, fieldError("Options.BaseEndpoint", redactBaseEndpoint(*o.BaseEndpoint), problem))
	}
	return endpoint, fields
}

func awsHost(region string, fips, dualStack bool) string {
	service, suffix, dualStackSuffix := "quicksight.", "amazonaws.com", "api.aws"
	if fips {
		service = "quicksight-fips."
	}
	for _, p := range partitions {
		rest, inGroup := strings.CutPrefix(region, p.group)
		word, number, _ := strings.Cut(rest, "-")
		isNumber := number != "" && strings.Trim(number, "0123456789") == ""
		if region == p.global || inGroup && word != "" && isNumber {
			suffix, dualStackSuffix = p.suffix, p.dualStackSuffix
		}
	}
	if dualStack {
		suffix = dualStackSuffix
	}
	return service + region + "." + suffix
}

func parseBaseEndpoint(base string, fips, dualStack bool) (endpoint *url.URL, problem string) {
	// The parser's error is dropped: it quotes parts of the URL, such as a password.
	endpoint, err := url.Parse(base)
	var badEscape url.EscapeError
	switch {
	case errors.As(err, &badEscape):
		return nil, "must have two hexadecimal digits after each %, and none in its host"
	case err != nil || endpoint.Scheme != "http" && endpoint.Scheme != "https" || endpoint.Host == "":
		return nil, "must be an http or https URL with a host, such as https://proxy.example.com/quicksight"
	case endpoint.User != nil || endpoint.RawQuery != "" || endpoint.ForceQuery || strings.Contains(base, "#"):
		return nil, "must have no user info, query or fragment"
	case strings.HasSuffix(endpoint.Host, ":") || !isPort(endpoint.Port()):
		return nil, "must have a port from 1 to 65535, or none"
	case !isHostName(endpoint.Hostname()):
		return nil, "must have a host name of letters, digits, - and _ between dots, or an IP address without a zone"
	case fips:
		return nil, "cannot be used with FIPS, which chooses the endpoint itself"
	case dualStack:
		return nil, "cannot be used with dual-stack, which chooses the endpoint itself"
	}
	// The core's signer drops the brackets with a default port.
	if strings.HasPrefix(endpoint.Host, "[") {
		endpoint.Host = strings.TrimSuffix(endpoint.Host, map[string]string{"http": ":80", "https": ":443"}[endpoint.Scheme])
	}
	return endpoint, ""
}

// isPort accepts "", for the default port.
func isPort(port string) bool {
	return port == "" || smithyhttp.ValidPortNumber(port) && strings.Trim(port, "0") != ""
}

// isHostName accepts "_" too: container names have it.
func isHostName(host string) bool {
	if strings.Contains(host, ":") {
		address, err := netip.ParseAddr(host)
		return err == nil && address.Zone() == "" // the signed Host header has no zone
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	return !slices.ContainsFunc(labels, func(label string) bool { return !consistsOf(label, 63, "-_") })
}
