package traces

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/hellochaos/hellochaos/reports"
)

const (
	// generator is the name of the service that sent the requests. scope is the instrumentation scope of all spans of hellochaos; spans of
	// a mesh have another.
	generator = "hellochaos"
	scope     = "github.com/hellochaos/hellochaos"
	// prefix begins the names of attributes that OpenTelemetry's conventions do not define.
	prefix = "hellochaos."
)

// Span is a span in OTLP's form, with the service that recorded it and its version. Version may be empty.
type Span struct {
	*otlp.Span
	Service, Version string
}

// builder makes the spans of one sample. check must have found no error in the sample.
type builder struct {
	report *reports.Report
	phase  *reports.Phase
	sample *reports.Sample
	id     ID
}

// spans returns the request as a client span of the load generator, every try as a server span of the service that received it, and the
// call that a try made as a client span below it. Several calls of one try are one internal span, since the report has when the first
// of them began and the last one ended. The parent of a try is the call that sent it, or the caller's own span where no call was
// recorded.
func (b *builder) spans() []Span {
	spans := []Span{b.request()}
	parents := make([][]byte, len(b.sample.Spans)) // the parent span of the tries that a try caused
	parents[0] = spans[0].SpanId
	for i := 1; i < len(b.sample.Spans); i++ {
		s := &b.sample.Spans[i]
		try := b.try(i, parents[s.Parent])
		spans = append(spans, try)
		parents[i] = try.SpanId
		if s.CallStart != nil {
			call := b.call(i, try.SpanId)
			spans = append(spans, call)
			parents[i] = call.SpanId
		}
	}
	return spans
}

func (b *builder) request() Span {
	s := &b.sample.Spans[0]
	span := b.span("request", 0, nil, s.Start, s.Elapsed)
	span.Name, span.Kind, span.Service, span.Version = "GET", otlp.Span_SPAN_KIND_CLIENT, generator, b.report.Tool.Version
	span.add(number(prefix+"request.number", b.sample.Request))
	if b.phase.Entry != "" {
		span.add(text(prefix+"entry", b.phase.Entry))
	}
	if b.sample.Missing != "" {
		span.add(text(prefix+"missing", b.sample.Missing))
	}
	answered(&span, s.Status, http.StatusBadRequest, "no_answer", "no whole answer")
	return span
}

func (b *builder) try(i int, parent []byte) Span {
	s := &b.sample.Spans[i]
	span := b.span("try", i, parent, s.Start, s.Elapsed)
	span.Name, span.Kind, span.Service, span.Version = "GET", otlp.Span_SPAN_KIND_SERVER, s.Service, s.Version
	if s.Attempt > 0 {
		span.Name += " try " + strconv.Itoa(s.Attempt)
		span.add(number(prefix+"attempt", s.Attempt))
	}
	if s.Attempt > 1 { // The convention counts only what was sent again.
		span.add(number(string(semconv.HTTPRequestResendCountKey), s.Attempt-1))
	}
	answered(&span, s.Status, http.StatusInternalServerError, "connection_broken", "the connection was broken")
	return span
}

func (b *builder) call(i int, parent []byte) Span {
	s := &b.sample.Spans[i]
	span := b.span("call", i, parent, *s.CallStart, *s.CallElapsed)
	span.Name, span.Kind, span.Service, span.Version = "GET", otlp.Span_SPAN_KIND_CLIENT, s.Service, s.Version
	switch callees := b.callees(i); len(callees) {
	case 0: // No called service recorded a try, so none is known.
	case 1:
		span.Name += " " + callees[0]
		span.add(text(string(semconv.ServerAddressKey), callees[0]))
	default:
		span.Name, span.Kind = "calls to "+strings.Join(callees, ", "), otlp.Span_SPAN_KIND_INTERNAL
	}
	if s.CallStatus != nil {
		answered(&span, *s.CallStatus, http.StatusBadRequest, "no_answer", "no answer")
	}
	return span
}

// callees returns the services that recorded tries which try i caused.
func (b *builder) callees(i int) (names []string) {
	for _, s := range b.sample.Spans {
		if s.Parent == i && !slices.Contains(names, s.Service) {
			names = append(names, s.Service)
		}
	}
	return names
}

// span returns a span with the attributes that all spans have. start is in seconds since the request was sent.
func (b *builder) span(what string, i int, parent []byte, start, elapsed float64) Span {
	began := b.phase.Started.Add(seconds(b.sample.Started + start))
	span := Span{Span: &otlp.Span{TraceId: b.id[:], SpanId: spanID(b.id, what, i), ParentSpanId: parent, Flags: sampled,
		StartTimeUnixNano: uint64(began.UnixNano()), EndTimeUnixNano: uint64(began.Add(seconds(elapsed)).UnixNano())}}
	span.add(text(string(semconv.HTTPRequestMethodKey), "GET"))
	span.add(text(prefix+"phase", b.phase.Name))
	span.add(text(prefix+"request", b.sample.Name))
	if b.sample.Cohort != "" {
		span.add(text(prefix+"cohort", b.sample.Cohort))
	}
	return span
}

// sampled is the flag of W3C's trace context that marks a recorded trace.
const sampled = 1

func (s *Span) add(attribute *common.KeyValue) { s.Attributes = append(s.Attributes, attribute) }

// text returns an attribute with a text, number one with a number.
func text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

func number(key string, value int) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: int64(value)}}}
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }

// answered writes the status of an answer into a span. From the status wrong on it is an error: by the conventions that is 400 for a
// client and 500 for a server. Status 0 means that there was no answer: kind is the type of that error, and words describe it.
func answered(span *Span, status, wrong int, kind, words string) {
	if status == 0 {
		span.add(text(string(semconv.ErrorTypeKey), kind))
		span.Status = &otlp.Status{Code: otlp.Status_STATUS_CODE_ERROR, Message: words}
		return
	}
	span.add(number(string(semconv.HTTPResponseStatusCodeKey), status))
	if status >= wrong {
		span.add(text(string(semconv.ErrorTypeKey), strconv.Itoa(status)))
		span.Status = &otlp.Status{Code: otlp.Status_STATUS_CODE_ERROR}
	}
}
