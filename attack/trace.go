package attack

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"time"
)

// Headers of B3 propagation, in the canonical form of http.Header. Requests have no header x-b3-sampled: without it, Envoy's Zipkin
// tracer takes the ids and decides by its own sampling rate (source/extensions/tracers/zipkin/span_context_extractor.cc,
// extractSampled). Requests have no header traceparent either: its flag must say whether the request is sampled, and Envoy's
// OpenTelemetry tracer obeys it (source/extensions/tracers/opentelemetry/tracer.cc, startSpan), so either all requests or none would
// be sampled.
var (
	traceIDKey = http.CanonicalHeaderKey("x-b3-traceid")
	spanIDKey  = http.CanonicalHeaderKey("x-b3-spanid")
)

// TraceID is the trace id of a request: 32 hexadecimal digits, made from the name of the request and the time at which its attack
// began. The time is needed because a second run with the same seed has the same names.
func TraceID(name string, began time.Time) string {
	trace, _ := traceIDs(name, began)
	return trace
}

// traceIDs are the id of the trace of a request, 128 bits, and of its span, 64 bits. Both are parts of one SHA-256 hash.
func traceIDs(name string, began time.Time) (trace, span string) {
	text := binary.BigEndian.AppendUint64(make([]byte, 0, 128), uint64(began.UnixNano()))
	sum := sha256.Sum256(append(text, name...))
	var digits [48]byte
	hex.Encode(digits[:], sum[:24])
	both := string(digits[:])
	return both[:32], both[32:]
}
