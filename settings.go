package quicksightembed

import (
	"cmp"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/tracing"
)

// defaultAttemptTimeout bounds one try where Options.AttemptTimeout is zero.
const defaultAttemptTimeout = 15 * time.Second

// settings are the options of a client or a call, and what follows from them alone.
type settings struct {
	options   Options
	endpoint  *url.URL
	problems  []FieldError
	userAgent string
	attempts  *retry.Attempt

	attemptTimeout time.Duration // negative: none

	// clockSkew is by how many nanoseconds the service's clock was ahead of this machine's when a call last ended.
	clockSkew *atomic.Int64
}

func newSettings(o Options, userAgent string, clockSkew *atomic.Int64) *settings {
	s := &settings{options: o, userAgent: userAgent, clockSkew: clockSkew, attemptTimeout: cmp.Or(o.AttemptTimeout, defaultAttemptTimeout)}
	s.endpoint, s.problems = resolveEndpoint(&o)
	s.problems = append(s.problems, o.problems()...)
	if isNilPointer(o.TracerProvider) {
		s.options.TracerProvider = tracing.NopTracerProvider{} // the span begins before the problem is reported
	}
	s.attempts = retry.NewAttemptMiddleware(o.Retryer, newRequest, func(a *retry.Attempt) {
		a.LogAttempts = o.ClientLogMode.IsRetries()
		a.ClientSkew = clockSkew
		a.DisableClockSkewCorrection = o.DisableClockSkewCorrection
	})
	return s
}

// with returns the settings of a call that has options of its own. What cannot stay unset, the call has from the client; see
// fillUnset.
func (s *settings) with(optFns []func(*Options)) *settings {
	if len(optFns) == 0 {
		return s
	}
	client, o := &s.options, s.options.Copy()
	applyOptions(&o, optFns)
	o.fillUnset(client)
	if o.RetryMaxAttempts > 0 && o.RetryMaxAttempts != client.RetryMaxAttempts {
		o.Retryer = retry.AddWithMaxAttempts(o.Retryer, o.RetryMaxAttempts)
	}
	agent := s.userAgent
	if o.AppID != client.AppID {
		agent = userAgent(o.AppID)
	}
	_, isBuildable := o.HTTPClient.(*awshttp.BuildableClient)
	o.HTTPClient = withoutRedirects(o.HTTPClient)
	call := newSettings(o, agent, s.clockSkew)
	if isBuildable {
		call.problems = append(call.problems, FieldError{Field: "Options.HTTPClient",
			Problem: "of a call cannot be a BuildableClient, which would open new connections for each call: give it to New, or give the call what its Freeze returns"})
	}
	return call
}
