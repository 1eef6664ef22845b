package peers

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
)

// intercepting records what interceptors of all kinds see. The one named by fails returns an error.
type intercepting struct {
	seen  []string
	fails string
}

func (i *intercepting) note(at string, in *smithyhttp.InterceptorContext) error {
	text := fmt.Sprintf("%s input=%t output=%t", at, in.Input != nil, in.Output != nil)
	if in.Request != nil {
		_, signed := in.Request.Header["Authorization"]
		text += fmt.Sprintf(" %s %s signed=%t", in.Request.Method, in.Request.URL.Path, signed)
	}
	if in.Response != nil {
		text += fmt.Sprintf(" status=%d", in.Response.StatusCode)
	}
	i.seen = append(i.seen, text)
	if at == i.fails {
		return errors.New("no")
	}
	return nil
}

func (i *intercepting) BeforeExecution(_ context.Context, in *smithyhttp.InterceptorContext) error {
	return i.note("BeforeExecution", in)
}
func (i *intercepting) BeforeSerialization(_ context.Context, in *smithyhttp.InterceptorContext) error {
	return i.note("BeforeSerialization", in)
}
func (i *intercepting) AfterSerialization(_ context.Context, in *smithyhttp.InterceptorContext) error {
	return i.note("AfterSerialization", in)
}
func (i *intercepting) BeforeRetryLoop(_ context.Context, in *smithyhttp.InterceptorContext) error {
	return i.note("BeforeRetryLoop", in)
}
func (i *intercepting) BeforeAttempt(_ context.Context, in *smithyhttp.InterceptorContext) error {
	return i.note("BeforeAttempt", in)
}
func (i *intercepting) BeforeSigning(_ context.Context, in *smithyhttp.InterceptorContext) error {
	return i.note("BeforeSigning", in)
}
func (i *intercepting) AfterSigning(_ context.Context, in *smithyhttp.InterceptorContext) error {
	return i.note("AfterSigning", in)
}
func (i *intercepting) BeforeTransmit(_ context.Context, in *smithyhttp.InterceptorContext) error {
	return i.note("BeforeTransmit", in)
}
func (i *intercepting) AfterTransmit(_ context.Context, in *smithyhttp.InterceptorContext) error {
	return i.note("AfterTransmit", in)
}
func (i *intercepting) BeforeDeserialization(_ context.Context, in *smithyhttp.InterceptorContext) error {
	return i.note("BeforeDeserialization", in)
}
func (i *intercepting) AfterDeserialization(_ context.Context, in *smithyhttp.InterceptorContext) error {
	return i.note("AfterDeserialization", in)
}
func (i *intercepting) AfterAttempt(_ context.Context, in *smithyhttp.InterceptorContext) error {
	return i.note("AfterAttempt", in)
}
func (i *intercepting) AfterExecution(_ context.Context, in *smithyhttp.InterceptorContext) error {
	return i.note("AfterExecution", in)
}

// interceptors are all kinds, in the order of a call.
var interceptors = []string{"BeforeExecution", "BeforeSerialization", "AfterSerialization", "BeforeRetryLoop", "BeforeAttempt", "BeforeSigning", "AfterSigning",
	"BeforeTransmit", "AfterTransmit", "BeforeDeserialization", "AfterDeserialization", "AfterAttempt", "AfterExecution"}

func (i *intercepting) register(r *smithyhttp.InterceptorRegistry, kinds ...string) {
	for _, kind := range kinds {
		reflect.ValueOf(r).MethodByName("Add" + kind).Call([]reflect.Value{reflect.ValueOf(i)})
	}
}

func TestInterceptorAlone(t *testing.T) {
	for _, kind := range interceptors {
		t.Run(kind, func(t *testing.T) {
			var all [2]intercepting
			for i, peer := range peers {
				cfg := workingConfig(&script{attempts: []scripted{aURL}})
				all[i].register(&cfg.Interceptors, kind)
				peer.ask(t.Context(), cfg, janes())
			}
			assert.Len(t, all[0].seen, 1)
			assert.Equal(t, all[0].seen, all[1].seen)
		})
	}
}

func TestInterceptorsSeeTheSame(t *testing.T) {
	for name, attempts := range map[string][]scripted{
		"success": {aURL}, "throttled once": {throttled, aURL}, "an exception": {denied}, "no connection": {refusedDial}, "HTML": {badGateway},
	} {
		for _, fails := range append(interceptors, "none") {
			t.Run(name+", "+fails+" fails", func(t *testing.T) {
				var all [2]intercepting
				var outcomes [2]outcome
				for i, peer := range peers {
					cfg := workingConfig(&script{attempts: attempts}, set("Retryer", withoutDelay()))
					all[i].fails = fails
					all[i].register(&cfg.Interceptors, interceptors...)
					outcomes[i] = peer.ask(t.Context(), cfg, janes())
				}
				assert.Equal(t, all[0].seen, all[1].seen)
				assert.Equal(t, outcomes[0].Layers, outcomes[1].Layers)
				assert.Equal(t, outcomes[0].Attempts, outcomes[1].Attempts)
			})
		}
	}
	assert.Len(t, interceptors, reflect.TypeFor[smithyhttp.InterceptorRegistry]().NumField())
}
