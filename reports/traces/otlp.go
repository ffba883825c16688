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

// busy are the statuses after which a client should send its request again, by OTLP's specification. firstPause is how long it waits
// before the first repetition. Each later pause is twice as long, until the time limit of Send is over.
var busy = []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}

const firstPause = time.Second

// sendOTLP sends the traces to an OTLP/HTTP receiver, in one request with protocol buffers.
func sendOTLP(ctx context.Context, endpoint *url.URL, with settings, all []Trace) error {
	body, err := proto.Marshal(tracesData(all)) // The message has the same fields as an ExportTraceServiceRequest.
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

// refused returns the error of a client. Where the error is an answer, it adds the text of the answer.
func refused(secrets destination.Secrets, err error) error {
	var refusal *destination.Refusal
	if errors.As(err, &refusal) && len(bytes.TrimSpace(refusal.Body)) > 0 && refusal.Redirected == "" {
		return fmt.Errorf("%w: %s", err, secrets.Line(string(refusal.Body), 200))
	}
	return err
}

// tracesData returns traces in OTLP's form: spans are grouped by the service that recorded them, in the order of their first spans.
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

// partial returns an error where the answer of a receiver, although it is a success, reports that spans were not accepted. It reads two
// fields of an ExportTraceServiceResponse by their numbers, because the package of that message imports gRPC. Any other answer is no
// error.
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
		return fmt.Errorf("the receiver did not accept %d spans: %s", count, message)
	case len(message) > 0:
		return fmt.Errorf("the receiver accepted the spans with a warning: %s", message)
	}
	return nil
}

// protoField returns the last value of a field of a message: the bytes of a string or a message, or the encoded bytes of a number.
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

// writeOTLP writes OTLP JSON lines, one line for each trace. The form is the JSON of protocol buffers with two differences: enumerations
// are numbers, and ids are hexadecimal digits instead of base64. Hexadecimal digits are also valid base64, so each id is replaced by the
// bytes whose base64 is its hexadecimal digits.
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
		if err := json.Compact(&line, document); err != nil { // protojson writes blanks at random.
			return err
		}
		line.WriteByte('\n')
		if _, err := w.Write(line.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
