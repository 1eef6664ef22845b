package quicksightembed

import (
	"context"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// version is this library's, as the CHANGELOG tells it.
const version = "0.1.0"

// userAgent names this package beside the AWS core, and never the official client's module.
func userAgent(appID string) string {
	if appID == "" {
		return commonUserAgent()
	}
	return newUserAgent(appID)
}

var commonUserAgent = sync.OnceValue(func() string { return newUserAgent("") })

func newUserAgent(appID string) string {
	agent := awsmiddleware.NewRequestUserAgent()
	agent.AddSDKAgentKeyValue(awsmiddleware.FrameworkMetadata, "quicksightembed", version)
	if appID != "" {
		agent.AddSDKAgentKey(awsmiddleware.ApplicationIdentifier, appID)
	}
	req := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	agent.HandleBuild(context.Background(), middleware.BuildInput{Request: req}, endOfBuild)
	return req.Header.Get("User-Agent")
}
