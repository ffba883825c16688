package share

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/service/trail"
)

// LineForm is the version of what a worker writes: lines of JSON (docs/attack.md).
const LineForm = "hellochaos worker 1"

// MostLine is how long a line of a worker may be.
const MostLine = 64 << 20

// State is what a worker does.
type State string

// The states of a worker, in their order.
const (
	Waiting   State = "waiting"   // it has read its order, and waits for the instant of its start
	Beginning State = "beginning" // it knows that instant
	Sending   State = "sending"
	Ended     State = "ended"
)

// Line is a line of a worker.
type Line struct {
	Form   string `json:"form"`
	Number int    `json:"number"` // of the line, from 1: a gap means that lines were lost
	Now    int64  `json:"now"`    // by the clock of the worker, in nanoseconds since 1970
	State  State  `json:"state"`
	// Public are the addresses that are none of the worker's machine or of a private network, where it was asked to look (Order.Reach).
	Public []string `json:"public,omitempty"`
	// Tally is all that the worker has counted since its beginning, and Observations those since the line before (appendObservation, packed by
	// DEFLATE).
	Tally        json.RawMessage `json:"tally,omitempty"`
	Observations []byte          `json:"observations,omitempty"`
	// Result is in the line Ended of a worker that has sent its share, and Error in that of one that has not.
	Result *attack.Result `json:"result,omitempty"`
	Error  string         `json:"error,omitempty"`
}

// readLine reads a line of a worker.
func readLine(text []byte) (*Line, error) {
	l := &Line{}
	if err := json.Unmarshal(text, l); err != nil || l.Form != LineForm || l.Number < 1 {
		return nil, fmt.Errorf("it wrote %.60q, which is no line of the form %q", text, LineForm)
	}
	return l, nil
}

// appendObservation appends an observation: numbers as varints of encoding/binary, texts after their lengths, times in nanoseconds.
func appendObservation(b []byte, o *attack.Observation) []byte {
	for _, n := range []int64{int64(o.Number), int64(o.Cohort), int64(o.Planned), int64(o.Started - o.Planned), int64(o.Latency), int64(o.Status), o.BytesIn, o.BytesOut} {
		b = binary.AppendVarint(b, n)
	}
	b = append(binary.AppendUvarint(b, uint64(len(o.Error))), o.Error...)
	if o.Trail == nil {
		return binary.AppendUvarint(b, 0)
	}
	text := trail.Append(nil, o.Trail)
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// errCut is the error of observations that end in the middle of one.
var errCut = errors.New("observations that were cut off")

// readObservations reads what appendObservation has appended. Cohorts are below cohorts.
func readObservations(b []byte, cohorts int) (all []attack.Observation, err error) {
	number := func() (n int64) {
		n, size := binary.Varint(b)
		if size <= 0 {
			err, b = errCut, nil
			return 0
		}
		b = b[size:]
		return n
	}
	text := func() (s []byte) {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			err, b = errCut, nil
			return nil
		}
		s, b = b[size:size+int(n)], b[size+int(n):]
		return s
	}
	for len(b) > 0 && err == nil {
		o := attack.Observation{Number: int(number()), Cohort: int(number()), Planned: time.Duration(number())}
		o.Started = o.Planned + time.Duration(number())
		o.Latency, o.Status, o.BytesIn, o.BytesOut = time.Duration(number()), int(number()), number(), number()
		o.Error = string(text())
		if hop := text(); len(hop) > 0 && err == nil {
			o.Trail, err = trail.Decode(hop)
		}
		if err == nil && (o.Number < 0 || o.Cohort < 0 || o.Cohort >= cohorts) {
			err = fmt.Errorf("an observation of request %d in cohort %d, and the plan has %d cohorts", o.Number, o.Cohort, cohorts)
		}
		all = append(all, o)
	}
	return all, err
}

// pack and unpack are DEFLATE.
func pack(b []byte) []byte {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestSpeed) // the level is valid
	_, _ = w.Write(b)                                 // a Buffer takes everything
	_ = w.Close()
	return packed.Bytes()
}

func unpack(packed []byte) ([]byte, error) {
	return io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), mostUnpacked))
}
