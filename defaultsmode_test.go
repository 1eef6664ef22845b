package quicksightembed

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/stretchr/testify/assert"
)

// transportOf reads the transport that the options send through. The AWS core wraps it in a type of
// its own.
func transportOf(o Options) reflect.Value {
	client := New(o).sender.(*http.Client)
	return reflect.ValueOf(client.Transport).Field(0).Elem().Elem()
}

func TestDefaultsModeSetsTimeouts(t *testing.T) {
	for mode, want := range map[aws.DefaultsMode]string{
		"": "10s", "legacy": "10s", "standard": "3.1s", "in-region": "1.1s", "cross-region": "3.1s", "mobile": "30s", "auto": "3.1s", "In-Region": "1.1s",
	} {
		for name, own := range map[string]*awshttp.BuildableClient{
			"the default client": nil,
			"the program's own":  awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) { tr.MaxIdleConnsPerHost = 77 }),
		} {
			transport := transportOf(Options{DefaultsMode: mode, HTTPClient: own})
			assert.Equal(t, want, time.Duration(transport.FieldByName("TLSHandshakeTimeout").Int()).String(), "%s, %s", mode, name)
			kept := map[bool]int64{true: 77, false: 100}[own != nil] // the program's own setting, or as many as the pool keeps in all
			assert.Equal(t, kept, transport.FieldByName("MaxIdleConnsPerHost").Int(), "%s, %s", mode, name)
		}
	}
	auto := Options{DefaultsMode: "auto", Region: "us-east-1", RuntimeEnvironment: aws.RuntimeEnvironment{EnvironmentIdentifier: "AWS_Lambda_go", Region: "us-east-1"}}
	assert.Equal(t, "1.1s", time.Duration(transportOf(auto).FieldByName("TLSHandshakeTimeout").Int()).String(), "in its own region")
}
