package quicksightembed

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// resolveEndpoint returns the base URL that the options lead to, or what is wrong with them.
//
// See https://docs.aws.amazon.com/general/latest/gr/quicksight.html
func resolveEndpoint(o *Options) (endpoint *url.URL, fields []FieldError) {
	region, pseudoFIPS := mapFIPSRegion(o.Region)
	fips := pseudoFIPS || o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled
	dualStack := o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled

	switch {
	case o.Region == "":
		fields = append(fields, FieldError{Field: "Options.Region", Problem: "is required, such as us-east-1"})
	case !isHostLabel(o.Region) || !isHostLabel(region):
		fields = append(fields, fieldError("Options.Region", o.Region, "must be the name of an AWS region, such as us-east-1"))
	}
	if o.BaseEndpoint != nil {
		endpoint, problem := parseBaseEndpoint(*o.BaseEndpoint)
		if problem == "" && fips {
			problem = "cannot be used with FIPS, which chooses the endpoint itself"
		}
		if problem == "" && dualStack {
			problem = "cannot be used with dual-stack, which chooses the endpoint itself"
		}
		if problem != "" {
			fields = append(fields, fieldError("Options.BaseEndpoint", redactBaseEndpoint(*o.BaseEndpoint), problem))
		}
		return endpoint, fields
	}

	host := "quicksight"
	if fips {
		host += "-fips"
	}
	suffix, dualStackSuffix := dnsSuffixes(region)
	if dualStack {
		suffix = dualStackSuffix
	}
	return &url.URL{Scheme: "https", Host: host + "." + region + "." + suffix}, fields
}

func parseBaseEndpoint(base string) (endpoint *url.URL, problem string) {
	// The parser's own error is not passed on: it quotes parts of the URL, a password among them.
	endpoint, err := url.Parse(base)
	if err != nil || endpoint.Scheme != "http" && endpoint.Scheme != "https" || endpoint.Host == "" {
		return nil, "must be an http or https URL with a host, such as https://proxy.example.com/quicksight"
	}
	if endpoint.User != nil || endpoint.RawQuery != "" || endpoint.ForceQuery || strings.Contains(base, "#") {
		return nil, "must have no user info, query or fragment"
	}
	if port := endpoint.Port(); port != "" || strings.HasSuffix(endpoint.Host, ":") {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return nil, "must have a port from 1 to 65535, or none"
		}
	}
	if !isHostName(endpoint.Hostname()) {
		return nil, "must have a host name of letters, digits, - and _ between dots, or an IP address without a zone"
	}
	dropDefaultPortOfIPv6(endpoint)
	return endpoint, ""
}

// isHostName accepts "_" besides what DNS allows: container names have it.
func isHostName(host string) bool {
	if strings.Contains(host, ":") {
		address, err := netip.ParseAddr(host)
		return err == nil && address.Zone() == "" // net/http leaves a zone out of the Host header, which is signed
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if !consistsOf(label, 63, "-_") {
			return false
		}
	}
	return true
}

// dropDefaultPortOfIPv6 saves the address's brackets from the core's signer, which drops them from the Host header
// together with a default port.
func dropDefaultPortOfIPv6(endpoint *url.URL) {
	defaultPort := map[string]string{"http": "80", "https": "443"}[endpoint.Scheme]
	if strings.HasPrefix(endpoint.Host, "[") && endpoint.Port() == defaultPort {
		endpoint.Host = strings.TrimSuffix(endpoint.Host, ":"+defaultPort)
	}
}

// mapFIPSRegion returns the region behind a pseudo-region, such as fips-us-east-1 or us-east-1-fips, which are older ways
// to ask for FIPS. The signature names the pseudo-region, as the official client's does.
func mapFIPSRegion(region string) (mapped string, fips bool) {
	if !strings.Contains(region, "fips-") && !strings.Contains(region, "-fips") {
		return region, false
	}
	region = strings.ReplaceAll(region, "fips-", "")
	return strings.ReplaceAll(region, "-fips", ""), true
}

// dnsSuffixes returns the DNS suffixes of a region's partition. A region of no known form is taken to be in the standard
// partition, as in the official client, so that a new region works before this table knows it.
func dnsSuffixes(region string) (suffix, dualStackSuffix string) {
	switch regionGroup(region) {
	case "cn", "aws-cn-global":
		return "amazonaws.com.cn", "api.amazonwebservices.com.cn"
	case "eusc-de":
		return "amazonaws.eu", "api.amazonwebservices.eu"
	case "us-iso", "aws-iso-global":
		return "c2s.ic.gov", "api.aws.ic.gov"
	case "us-isob", "aws-iso-b-global":
		return "sc2s.sgov.gov", "api.aws.scloud"
	case "eu-isoe", "aws-iso-e-global":
		return "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"
	case "us-isof", "aws-iso-f-global":
		return "csp.hci.ic.gov", "api.aws.hci.ic.gov"
	}
	return "amazonaws.com", "api.aws" // the standard partition and the US government's
}

// regionGroup returns what of a region's name tells its partition: "us-gov" of "us-gov-west-1". A name that is not
// {group}-{word}-{number} is its own group.
func regionGroup(region string) string {
	rest, number := cutLast(region)
	group, word := cutLast(rest)
	if word == "" || number == "" || strings.Trim(number, "0123456789") != "" {
		return region
	}
	return group
}

func cutLast(name string) (before, after string) {
	i := strings.LastIndexByte(name, '-')
	if i < 0 {
		return name, ""
	}
	return name[:i], name[i+1:]
}
