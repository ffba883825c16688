package traces

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/hellochaos/hellochaos/reports"
)

// ID is the id of a trace. In W3C's trace context it is 32 hexadecimal digits, and not all of them are 0.
type ID [16]byte

// String returns the ID in hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// traceID returns the trace id that the request carried. Where it carried none, the id is a hash of the request's name and of the time
// at which the run began: two runs with the same seed have the same names, and must not have the same trace ids.
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

// spanID returns a hash of the trace id, of the kind of the span ("request", "try" or "call") and of the index of its try in the sample.
func spanID(of ID, what string, index int) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(append(of[:], what...), uint64(index)))
	return sum[:8]
}
