package attack

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"time"
)

// Headers of B3 propagation, as http.Header holds them. The flag x-b3-sampled is not sent: without it Envoy's Zipkin tracer
// takes the ids and decides by its own sampling (source/extensions/tracers/zipkin/span_context_extractor.cc, extractSampled).
// Nor is a traceparent: its flag has to say sampled or not, and Envoy's OpenTelemetry tracer obeys it
// (source/extensions/tracers/opentelemetry/tracer.cc, startSpan), so it would force either all or nothing.
var (
	traceIDKey = http.CanonicalHeaderKey("x-b3-traceid")
	spanIDKey  = http.CanonicalHeaderKey("x-b3-spanid")
)

// TraceID is the trace id of the request with that name in an attack that began then: 32 hexadecimal digits. The time is
// part of it because a second run with the same seed has the same names.
func TraceID(name string, began time.Time) string {
	trace, _ := traceIDs(name, began)
	return trace
}

// traceIDs are the ids of a request's trace, 128 bits, and of its span, 64 bits: a hash (SHA-256).
func traceIDs(name string, began time.Time) (trace, span string) {
	text := binary.BigEndian.AppendUint64(make([]byte, 0, 128), uint64(began.UnixNano()))
	sum := sha256.Sum256(append(text, name...))
	var digits [48]byte
	hex.Encode(digits[:], sum[:24])
	both := string(digits[:])
	return both[:32], both[32:]
}
