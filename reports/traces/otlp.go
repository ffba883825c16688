package traces

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/hellochaos/hellochaos/reports/destination"
)

// busy are the answers after which OTLP's specification has a client ask again, and firstPause is how long it waits before it does so
// for the first time; each later pause is twice as long. The time that Send gives ends it.
var busy = []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}

const firstPause = time.Second

// sendOTLP brings the traces to an OTLP/HTTP receiver, as one request of protocol buffers.
func sendOTLP(ctx context.Context, endpoint *url.URL, with settings, all []Trace) error {
	body, err := proto.Marshal(tracesData(all)) // of the same form as an ExportTraceServiceRequest
	if err != nil {
		return err
	}
	header := with.headers.Clone()
	header.Set("Content-Type", "application/x-protobuf")
	if with.gzip {
		header.Set("Content-Encoding", "gzip")
		var packed bytes.Buffer
		writer := gzip.NewWriter(&packed)
		if _, err := writer.Write(body); err != nil {
			return err
		}
		if err := writer.Close(); err != nil {
			return err
		}
		body = packed.Bytes()
	}
	client := destination.New(destination.Options{Secrets: with.secrets, TLS: with.tls})
	defer client.Close()
	request := destination.Request{Method: http.MethodPost, URL: endpoint, Header: header, Body: body}
	for wait := firstPause; ; wait *= 2 {
		answer, err := client.Do(ctx, request)
		var refusal *destination.Refusal
		switch {
		case err == nil:
			return partial(answer)
		case errors.As(err, &refusal) && slices.Contains(busy, refusal.Status) && pause(ctx, wait):
		default:
			return refused(with.secrets, err)
		}
	}
}

// refused is an error of a client, with what the answer says, where it was one.
func refused(secrets destination.Secrets, err error) error {
	var refusal *destination.Refusal
	if errors.As(err, &refusal) && len(bytes.TrimSpace(refusal.Body)) > 0 && refusal.Redirected == "" {
		return fmt.Errorf("%w: %s", err, secrets.Line(string(refusal.Body), 200))
	}
	return err
}

// tracesData are traces as OTLP has them: by who recorded the spans, in the order of the first one of each.
func tracesData(all []Trace) *otlp.TracesData {
	type recorder struct{ service, version string }
	of := make(map[recorder]*otlp.ScopeSpans)
	data := new(otlp.TracesData)
	for _, t := range all {
		for _, s := range t.Spans {
			by := recorder{s.Service, s.Version}
			if of[by] == nil {
				of[by] = &otlp.ScopeSpans{Scope: &common.InstrumentationScope{Name: scope, Version: t.Recorder}, SchemaUrl: semconv.SchemaURL}
				data.ResourceSpans = append(data.ResourceSpans, &otlp.ResourceSpans{Resource: service(by.service, by.version),
					ScopeSpans: []*otlp.ScopeSpans{of[by]}, SchemaUrl: semconv.SchemaURL})
			}
			of[by].Spans = append(of[by].Spans, s.Span)
		}
	}
	return data
}

func service(name, version string) *resource.Resource {
	attributes := []*common.KeyValue{text(string(semconv.ServiceNameKey), name)}
	if version != "" {
		attributes = append(attributes, text(string(semconv.ServiceVersionKey), version))
	}
	return &resource.Resource{Attributes: attributes}
}

// partial is what a receiver did not take of traces that it answered for with a success. It reads two fields of an
// ExportTraceServiceResponse by their numbers, since the package of that message brings gRPC with it; an answer that is no such
// message says nothing.
func partial(answer []byte) error {
	success, ok := protoField(answer, 1)
	if !ok {
		return nil
	}
	rejected, _ := protoField(success, 1)
	message, _ := protoField(success, 2)
	count, _ := protowire.ConsumeVarint(rejected)
	switch {
	case count > 0:
		return fmt.Errorf("%d spans were not taken: %s", count, message)
	case len(message) > 0:
		return fmt.Errorf("the spans were taken with a warning: %s", message)
	}
	return nil
}

// protoField is the last value of a field of a message: the bytes of a string or a message, or those of a number.
func protoField(message []byte, field protowire.Number) (value []byte, found bool) {
	for len(message) > 0 {
		number, kind, tag := protowire.ConsumeTag(message)
		size := -1
		if tag > 0 {
			size = protowire.ConsumeFieldValue(number, kind, message[tag:])
		}
		if size < 0 {
			return nil, false
		}
		if number == field {
			value, found = message[tag:tag+size], true
			if kind == protowire.BytesType {
				value, _ = protowire.ConsumeBytes(value)
			}
		}
		message = message[tag+size:]
	}
	return value, found
}

// writeOTLP writes OTLP JSON lines, a line a trace. That is the JSON of protocol buffers, less that enumerations are numbers and ids
// hexadecimal digits, where protocol buffers have base64. Since hexadecimal digits are also base64 of some bytes, the ids that are
// written are those bytes.
func writeOTLP(w io.Writer, all []Trace) error {
	for _, t := range all {
		data := proto.Clone(tracesData([]Trace{t})).(*otlp.TracesData)
		for _, recorder := range data.ResourceSpans {
			for _, s := range recorder.ScopeSpans[0].Spans {
				for _, id := range []*[]byte{&s.TraceId, &s.SpanId, &s.ParentSpanId} {
					*id, _ = base64.StdEncoding.DecodeString(hex.EncodeToString(*id)) // 0, 16 or 32 digits are whole groups of four
				}
			}
		}
		document, err := protojson.MarshalOptions{UseEnumNumbers: true}.Marshal(data)
		if err != nil {
			return err
		}
		var line bytes.Buffer
		if err := json.Compact(&line, document); err != nil { // protojson puts blanks in at random
			return err
		}
		line.WriteByte('\n')
		if _, err := w.Write(line.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
