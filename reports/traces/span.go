package traces

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/hellochaos/hellochaos/reports"
)

const (
	// generator is the service that sent the requests; scope is who recorded all spans: no mesh's spans have it.
	generator = "hellochaos"
	scope     = "github.com/hellochaos/hellochaos"
	// prefix is before the attributes that no convention knows.
	prefix = "hellochaos."
)

// builder makes the spans of one sample that check found right.
type builder struct {
	report *reports.Report
	stage  string
	phase  *reports.Phase
	sample *reports.Sample
	id     trace.TraceID
}

// spans are the request as the load generator's client span, every try as a server span of the service that received it,
// and under a try the call that it made, as a client span. Tries are children of the call that sent them: of the caller's
// own span where no call of it was recorded.
func (b *builder) spans() tracetest.SpanStubs {
	spans := tracetest.SpanStubs{b.request()}
	parents := make([]trace.SpanContext, len(b.sample.Spans)) // of the tries that a try caused
	parents[0] = spans[0].SpanContext
	for i := 1; i < len(b.sample.Spans); i++ {
		s := &b.sample.Spans[i]
		try := b.try(i, parents[s.Parent])
		spans = append(spans, try)
		parents[i] = try.SpanContext
		if s.CallStart != nil {
			call := b.call(i, try.SpanContext)
			spans = append(spans, call)
			parents[i] = call.SpanContext
		}
	}
	return spans
}

func (b *builder) request() tracetest.SpanStub {
	s := &b.sample.Spans[0]
	span := b.span("request", 0, trace.SpanContext{}, s.Start, s.Elapsed)
	span.Name, span.SpanKind, span.Resource = "GET", trace.SpanKindClient, service(generator, b.report.Tool.Version)
	span.Attributes = append(span.Attributes, attribute.Int(prefix+"request.number", b.sample.Request))
	if b.phase.Entry != "" {
		span.Attributes = append(span.Attributes, attribute.String(prefix+"entry", b.phase.Entry))
	}
	if b.sample.Missing != "" {
		span.Attributes = append(span.Attributes, attribute.String(prefix+"missing", b.sample.Missing))
	}
	answered(&span, s.Status, http.StatusBadRequest, "no_answer", "no whole answer")
	return span
}

func (b *builder) try(i int, parent trace.SpanContext) tracetest.SpanStub {
	s := &b.sample.Spans[i]
	span := b.span("try", i, parent, s.Start, s.Elapsed)
	span.Name, span.SpanKind, span.Resource = "GET", trace.SpanKindServer, service(s.Service, s.Version)
	if s.Attempt > 0 {
		span.Name += " try " + strconv.Itoa(s.Attempt)
		span.Attributes = append(span.Attributes, attribute.Int(prefix+"attempt", s.Attempt))
	}
	if s.Attempt > 1 { // the convention's count is of what was sent again
		span.Attributes = append(span.Attributes, semconv.HTTPRequestResendCount(s.Attempt-1))
	}
	answered(&span, s.Status, http.StatusInternalServerError, "connection_broken", "the connection was broken")
	return span
}

func (b *builder) call(i int, parent trace.SpanContext) tracetest.SpanStub {
	s := &b.sample.Spans[i]
	span := b.span("call", i, parent, *s.CallStart, *s.CallElapsed)
	span.Name, span.SpanKind, span.Resource = "GET", trace.SpanKindClient, service(s.Service, s.Version)
	if callee := b.callee(i); callee != "" { // known from who received it, and from nothing else
		span.Name += " " + callee
		span.Attributes = append(span.Attributes, semconv.ServerAddress(callee))
	}
	if s.CallStatus != nil {
		answered(&span, *s.CallStatus, http.StatusBadRequest, "no_answer", "no answer")
	}
	return span
}

// callee is the service that recorded a try which try i caused.
func (b *builder) callee(i int) string {
	for _, s := range b.sample.Spans {
		if s.Parent == i {
			return s.Service
		}
	}
	return ""
}

// span is what all spans have in common. Start is seconds since the request was sent.
func (b *builder) span(what string, i int, parent trace.SpanContext, start, elapsed float64) tracetest.SpanStub {
	began := b.phase.Started.Add(seconds(b.sample.Started + start))
	span := tracetest.SpanStub{
		SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: b.id, SpanID: spanID(b.id, what, i), TraceFlags: trace.FlagsSampled}),
		Parent:      parent, StartTime: began, EndTime: began.Add(seconds(elapsed)),
		InstrumentationScope: instrumentation.Scope{Name: scope, Version: b.report.Tool.Version, SchemaURL: semconv.SchemaURL},
		Attributes: []attribute.KeyValue{semconv.HTTPRequestMethodGet, attribute.String(prefix+"stage", b.stage),
			attribute.String(prefix+"phase", b.phase.Name), attribute.String(prefix+"request", b.sample.Name)},
	}
	if b.sample.Cohort != "" {
		span.Attributes = append(span.Attributes, attribute.String(prefix+"cohort", b.sample.Cohort))
	}
	return span
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }

func service(name, version string) *resource.Resource {
	attributes := []attribute.KeyValue{semconv.ServiceName(name)}
	if version != "" {
		attributes = append(attributes, semconv.ServiceVersion(version))
	}
	return resource.NewWithAttributes(semconv.SchemaURL, attributes...)
}

// answered says what came of a span: a status from which on it is an error (by the conventions 400 for who called, 500 for
// who was called), or with status 0 that nothing came, in words.
func answered(span *tracetest.SpanStub, status, wrong int, kind, words string) {
	if status == 0 {
		span.Attributes = append(span.Attributes, semconv.ErrorTypeKey.String(kind))
		span.Status = sdktrace.Status{Code: codes.Error, Description: words}
		return
	}
	span.Attributes = append(span.Attributes, semconv.HTTPResponseStatusCode(status))
	if status >= wrong {
		span.Attributes = append(span.Attributes, semconv.ErrorTypeKey.String(strconv.Itoa(status)))
		span.Status = sdktrace.Status{Code: codes.Error}
	}
}
