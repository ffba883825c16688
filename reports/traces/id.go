package traces

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"go.opentelemetry.io/otel/trace"

	"github.com/hellochaos/hellochaos/reports"
)

// traceID is the id that the mesh knows the request by; where it knows none, a hash of the request's name and of when the run
// began: the same seed gives the same names, and two runs must not become one trace.
func traceID(r *reports.Report, sample *reports.Sample) (id trace.TraceID) {
	if sample.Trace != "" {
		if _, err := hex.Decode(id[:], []byte(sample.Trace)); err == nil && id.IsValid() {
			return id
		}
	}
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("hellochaos trace "+sample.Name+" "), uint64(r.Started.UnixNano())))
	copy(id[:], sum[:])
	return id
}

// spanID is a hash of the trace and of what the span is of: "try" or "call", and the index of the try among the sample's.
func spanID(of trace.TraceID, what string, index int) (id trace.SpanID) {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(append(of[:], what...), uint64(index)))
	copy(id[:], sum[:])
	return id
}
