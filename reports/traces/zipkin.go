package traces

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/openzipkin/zipkin-go/model"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/hellochaos/hellochaos/reports/destination"
)

// zipkin is the API of a Zipkin server, version 2.
type zipkin struct {
	base   *url.URL
	client *destination.Client
}

// send posts the traces. Zipkin answers when it has queued them.
func (z zipkin) send(ctx context.Context, all []Trace) error {
	body, err := json.Marshal(zipkinSpans(all))
	if err != nil {
		return err
	}
	_, err = z.client.Do(ctx, destination.Request{Method: http.MethodPost, URL: z.base.JoinPath("api/v2/spans"),
		Header: http.Header{"Content-Type": {"application/json"}}, Body: body})
	return refused(nil, err)
}

// get returns the spans that Zipkin has of a trace. It is no error if Zipkin does not have the trace.
func (z zipkin) get(ctx context.Context, id ID) ([]model.SpanModel, error) {
	body, err := z.client.Do(ctx, destination.Request{Method: http.MethodGet, URL: z.base.JoinPath("api/v2/trace", id.String())})
	var refusal *destination.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Status == http.StatusNotFound:
		return nil, nil
	case err != nil:
		return nil, refused(nil, err)
	}
	var spans []model.SpanModel
	if err := json.Unmarshal(body, &spans); err != nil {
		return nil, fmt.Errorf("reading trace %s: %w", id, err)
	}
	return spans, nil
}

// page returns the address of the page on which Zipkin shows a trace.
func (z zipkin) page(id ID) string {
	return z.base.JoinPath("zipkin/traces", id.String()).String()
}

// zipkinSpans converts traces to Zipkin's model, by OpenTelemetry's specification ("OTLP to Zipkin"). OpenTelemetry's own exporter for
// Zipkin is deprecated.
func zipkinSpans(all []Trace) []model.SpanModel {
	spans := make([]model.SpanModel, 0, 16*len(all)) // An empty list is [] in JSON, and nil would be null.
	for _, t := range all {
		for i := range t.Spans {
			spans = append(spans, zipkinSpan(&t.Spans[i]))
		}
	}
	return spans
}

func zipkinSpan(s *Span) model.SpanModel {
	began, ended := time.Unix(0, int64(s.StartTimeUnixNano)), time.Unix(0, int64(s.EndTimeUnixNano))
	span := model.SpanModel{
		SpanContext: model.SpanContext{
			TraceID: model.TraceID{High: binary.BigEndian.Uint64(s.TraceId[:8]), Low: binary.BigEndian.Uint64(s.TraceId[8:])},
			ID:      zipkinID(s.SpanId)},
		Name: s.Name, Kind: model.Server, Timestamp: began, Duration: ended.Sub(began),
		LocalEndpoint: &model.Endpoint{ServiceName: s.Service}, Tags: map[string]string{string(semconv.OTelScopeNameKey): scope},
	}
	switch s.Kind {
	case otlp.Span_SPAN_KIND_CLIENT:
		span.Kind = model.Client
	case otlp.Span_SPAN_KIND_INTERNAL:
		span.Kind = model.Undetermined
	}
	if s.ParentSpanId != nil {
		parent := zipkinID(s.ParentSpanId)
		span.ParentID = &parent
	}
	if s.Version != "" {
		span.Tags[string(semconv.ServiceVersionKey)] = s.Version
	}
	for _, attribute := range s.Attributes {
		value := attribute.Value.GetStringValue()
		if number, ok := attribute.Value.Value.(*common.AnyValue_IntValue); ok {
			value = strconv.FormatInt(number.IntValue, 10)
		}
		if attribute.Key == string(semconv.ServerAddressKey) {
			span.RemoteEndpoint = &model.Endpoint{ServiceName: value}
		}
		span.Tags[attribute.Key] = value
	}
	if s.Status.GetCode() == otlp.Status_STATUS_CODE_ERROR { // Zipkin marks a span that has the tag "error", and shows its text.
		span.Tags[string(semconv.OTelStatusCodeKey)] = "ERROR"
		span.Tags["error"] = cmp.Or(s.Status.Message, span.Tags[string(semconv.ErrorTypeKey)])
	}
	return span
}

func zipkinID(id []byte) model.ID { return model.ID(binary.BigEndian.Uint64(id)) }
