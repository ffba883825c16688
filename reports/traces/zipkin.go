package traces

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/openzipkin/zipkin-go/model"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// zipkin is a Zipkin server's API, version 2.
type zipkin struct {
	base   *url.URL
	client *http.Client
}

// send posts the traces. Zipkin answers once it has queued them.
func (z zipkin) send(ctx context.Context, all []Trace) error {
	body, err := json.Marshal(zipkinSpans(all))
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, z.base.JoinPath("api/v2/spans").String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	_, err = z.answer(request)
	return err
}

// get reads what Zipkin has of a trace; nothing at all is not an error.
func (z zipkin) get(ctx context.Context, id trace.TraceID) ([]model.SpanModel, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, z.base.JoinPath("api/v2/trace", id.String()).String(), nil)
	if err != nil {
		return nil, err
	}
	body, err := z.answer(request)
	if err != nil || body == nil {
		return nil, err
	}
	var spans []model.SpanModel
	if err := json.Unmarshal(body, &spans); err != nil {
		return nil, fmt.Errorf("reading trace %s: %w", id, err)
	}
	return spans, nil
}

// page is where Zipkin shows a trace to people.
func (z zipkin) page(id trace.TraceID) string {
	return z.base.JoinPath("zipkin/traces", id.String()).String()
}

// answer is the body of a good answer, none where there is no such thing.
func (z zipkin) answer(request *http.Request) ([]byte, error) {
	response, err := z.client.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // the URL is said by who asks
		}
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	switch {
	case response.StatusCode == http.StatusNotFound && request.Method == http.MethodGet:
		return nil, nil
	case response.StatusCode/100 != 2:
		return nil, fmt.Errorf("%s: %s", response.Status, body)
	}
	return body, err
}

// zipkinSpans says the traces in Zipkin's model, as OpenTelemetry's specification maps it ("OTLP to Zipkin"). Its own exporter
// for Zipkin is deprecated and about to be removed.
func zipkinSpans(all []Trace) []model.SpanModel {
	spans := make([]model.SpanModel, 0, 16*len(all)) // never null in JSON
	for _, t := range all {
		for i := range t.Spans {
			spans = append(spans, zipkinSpan(&t.Spans[i]))
		}
	}
	return spans
}

func zipkinSpan(s *tracetest.SpanStub) model.SpanModel {
	id := s.SpanContext.TraceID()
	span := model.SpanModel{
		SpanContext: model.SpanContext{
			TraceID: model.TraceID{High: binary.BigEndian.Uint64(id[:8]), Low: binary.BigEndian.Uint64(id[8:])},
			ID:      zipkinID(s.SpanContext.SpanID())},
		Name: s.Name, Kind: model.Server, Timestamp: s.StartTime, Duration: s.EndTime.Sub(s.StartTime),
		LocalEndpoint: new(model.Endpoint), Tags: make(map[string]string),
	}
	if s.SpanKind == trace.SpanKindClient {
		span.Kind = model.Client
	}
	if s.Parent.IsValid() {
		parent := zipkinID(s.Parent.SpanID())
		span.ParentID = &parent
	}
	for _, attribute := range s.Resource.Attributes() {
		if attribute.Key == semconv.ServiceNameKey {
			span.LocalEndpoint.ServiceName = attribute.Value.AsString()
		} else {
			span.Tags[string(attribute.Key)] = attribute.Value.String()
		}
	}
	for _, attribute := range s.Attributes {
		if attribute.Key == semconv.ServerAddressKey {
			span.RemoteEndpoint = &model.Endpoint{ServiceName: attribute.Value.AsString()}
		}
		span.Tags[string(attribute.Key)] = attribute.Value.String()
	}
	span.Tags[string(semconv.OTelScopeNameKey)] = s.InstrumentationScope.Name
	if s.Status.Code == codes.Error { // the tag marks the span in Zipkin; its text is for people
		span.Tags[string(semconv.OTelStatusCodeKey)] = "ERROR"
		span.Tags["error"] = s.Status.Description
		if s.Status.Description == "" {
			span.Tags["error"] = span.Tags[string(semconv.ErrorTypeKey)]
		}
	}
	return span
}

func zipkinID(id trace.SpanID) model.ID { return model.ID(binary.BigEndian.Uint64(id[:])) }
