package peers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go/tracing"
	"github.com/stretchr/testify/assert"
)

// recordingTracer keeps the spans of one call as a tree.
type recordingTracer struct {
	scope string
	roots []*span
}

type span struct {
	name       string
	kind       tracing.SpanKind
	status     tracing.SpanStatus
	properties map[any]any
	children   []*span
	ended      bool
}

func (r *recordingTracer) Tracer(scope string, _ ...tracing.TracerOption) tracing.Tracer {
	r.scope = scope
	return r
}

func (r *recordingTracer) StartSpan(ctx context.Context, name string, opts ...tracing.SpanOption) (context.Context, tracing.Span) {
	var o tracing.SpanOptions
	for _, fn := range opts {
		fn(&o)
	}
	s := &span{name: name, kind: o.Kind, properties: map[any]any{}}
	for _, key := range []string{"rpc.system", "rpc.method", "rpc.service", "operation.attempt"} {
		if value := o.Properties.Get(key); value != nil {
			s.properties[key] = value
		}
	}
	if parent, ok := tracing.GetSpan(ctx); ok {
		parent.(*span).children = append(parent.(*span).children, s)
	} else {
		r.roots = append(r.roots, s)
	}
	return tracing.WithSpan(ctx, s), s
}

func (s *span) Name() string                            { return s.name }
func (s *span) Context() tracing.SpanContext            { return tracing.SpanContext{} }
func (s *span) AddEvent(string, ...tracing.EventOption) {}
func (s *span) SetStatus(status tracing.SpanStatus)     { s.status = status }
func (s *span) SetProperty(k, v any)                    { s.properties[k] = v }
func (s *span) End()                                    { s.ended = true }

// tree writes spans and their properties, one on each line.
func tree(spans []*span, indent string) string {
	var text strings.Builder
	for _, s := range spans {
		var properties []string
		for k, v := range s.properties {
			properties = append(properties, fmt.Sprintf("%v=%v", k, v))
		}
		slices.Sort(properties)
		fmt.Fprintf(&text, "%s%s kind=%d status=%d ended=%t %s\n", indent, s.name, s.kind, s.status, s.ended, strings.Join(properties, " "))
		text.WriteString(tree(s.children, indent+"  "))
	}
	return text.String()
}

// kept returns the spans that both clients have: see the difference about spans. A RetryLoop in a
// RetryLoop counts once.
func kept(spans []*span) (left []*span) {
	for _, s := range spans {
		switch s.name {
		case "OperationSerializer", "ResolveAuthScheme", "ResolveEndpoint", "ComputePayloadSHA256", "SignRequest", "OperationDeserializer":
			continue
		}
		s.children = kept(s.children)
		if s.name == "RetryLoop" && len(s.children) == 1 && s.children[0].name == "RetryLoop" {
			s = s.children[0]
		}
		left = append(left, s)
	}
	return left
}

func TestSpansAreTheSame(t *testing.T) {
	withIDs := func(tr scripted) scripted {
		tr.header = tr.header.Clone()
		tr.header.Set("X-Amzn-Requestid", "header-id")
		return tr
	}
	for name, attempts := range map[string][]scripted{
		"success":            {withIDs(aURL)},
		"throttled once":     {withIDs(throttled), withIDs(aURL)},
		"an exception":       {withIDs(denied)},
		"throttled for good": {throttled},
		"no connection":      {refusedDial},
		"HTML":               {badGateway},
	} {
		t.Run(name, func(t *testing.T) {
			var trees []string
			for _, peer := range peers {
				tracer := &recordingTracer{}
				cfg := workingConfig(&script{attempts: attempts}, set("TracerProvider", tracer), set("Retryer", withoutDelay()))
				o := peer.ask(t.Context(), cfg, janes())
				text := tree(kept(tracer.roots), "")
				if contains(o.Layers, "smithy.DeserializationError") {
					text = strings.ReplaceAll(text, o.Text[strings.Index(o.Text, "deserialization failed"):], "deserialization failed")
				}
				trees = append(trees, strings.ReplaceAll(text, "types.", "quicksightembed."))
			}
			assert.Equal(t, trees[0], trees[1])
		})
	}
}
