package traces

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/hellochaos/hellochaos/reports"
)

// ID is that of a trace, which W3C's trace context has as 32 hexadecimal digits; no trace has the one of zeros.
type ID [16]byte

// String is the ID in hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// traceID is the id that the mesh knows the request by; where it knows none, a hash of the request's name and of when the run
// began: the same seed gives the same names, and two runs must not become one trace.
func traceID(r *reports.Report, sample *reports.Sample) (id ID) {
	if sample.Trace != "" {
		if _, err := hex.Decode(id[:], []byte(sample.Trace)); err == nil && id != (ID{}) {
			return id
		}
	}
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("hellochaos trace "+sample.Name+" "), uint64(r.Started.UnixNano())))
	copy(id[:], sum[:])
	return id
}

// spanID is a hash of the trace and of what the span is of: "try" or "call", and the index of the try among the sample's.
func spanID(of ID, what string, index int) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(append(of[:], what...), uint64(index)))
	return sum[:8]
}
