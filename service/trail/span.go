package trail

import (
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// SpansPath is the path at which a service answers with a Recording of its spans of the requests that the query names:
// "/spans?request=1/retry-after/17&request=…". A request to this path does not count as a try.
const SpansPath = "/spans"

// Bounds of the spans that a service keeps, and of its answers.
const (
	// MaxRequestName is the largest length in bytes of the name of a request (HeaderRequest) whose tries are recorded.
	MaxRequestName = 64
	// MaxTriesLength is the largest length in bytes of the path of a try that is recorded: MaxDepth counts of one digit fit.
	MaxTriesLength = 2 * MaxDepth
	// MaxSpanRequests is how many requests a query may name, MaxSpans how many spans an answer may have, and MaxSpanCalls how many
	// calls these spans may have together.
	MaxSpanRequests = 16
	MaxSpans        = 4096
	MaxSpanCalls    = 8192
	// MaxRecordingBytes is the largest length in bytes of the JSON that DecodeRecording accepts. No answer is longer.
	MaxRecordingBytes = 4 << 20
)

// Recording has the tries that one process of a service received and recorded.
type Recording struct {
	Service string `json:"service"`
	Version string `json:"version"`
	// Instance identifies the process. After a restart, the service has another one.
	Instance string `json:"instance"`
	// Recorded is how many spans the process has recorded since it started. The first Overwritten of them are lost.
	Recorded    int64 `json:"recorded"`
	Overwritten int64 `json:"overwritten"`
	// OldestEnd is when the oldest span that is kept ended, by the clock of the service, in nanoseconds since 1970. All overwritten
	// spans ended before. It is 0 if nothing was recorded.
	OldestEnd int64 `json:"oldest_end_ns"`
	// LeftOut is how many spans of the requests the service keeps but does not list in Spans, because there are more spans than
	// MaxSpans, or more calls than MaxSpanCalls.
	LeftOut int64 `json:"left_out"`
	// Spans are the spans of the requests that the query names, in the order in which they ended.
	Spans []Span `json:"spans"`
}

// Span is one try of a named request, as the service that received it saw it.
type Span struct {
	// Number counts the spans of the process, from 0.
	Number int64 `json:"number"`
	// Request is the name of the request, Tries the path of calls and attempt counts to this try (see the function Tries), and
	// Attempt the last attempt count in it.
	Request string `json:"request"`
	Tries   string `json:"tries"`
	Attempt int    `json:"attempt"`
	// Begin is when the service had read the try, by its clock, in nanoseconds since 1970. Elapsed is the time from then until its
	// answer.
	Begin   int64         `json:"begin_ns"`
	Elapsed time.Duration `json:"elapsed_ns"`
	// Status is the HTTP status of the answer, or CodeCut or CodeBroken if there was no answer.
	Status int `json:"status"`
	// Calls are the calls that the try made, in the order of their numbers.
	Calls []SpanCall `json:"calls,omitempty"`
}

// SpanCall is a call that a try made. It includes all tries that the mesh made for the call.
type SpanCall struct {
	// Number is the index of the call in the configuration of the service, as in Call.Number.
	Number  int           `json:"number,omitempty"`
	Begin   int64         `json:"begin_ns"`
	Elapsed time.Duration `json:"elapsed_ns"`
	Status  int           `json:"status"` // 0: no answer
}

// Failed reports whether the call failed, as Call.Failed does.
func (c *SpanCall) Failed() bool { return failed(c.Status) }

var (
	recordingMembers = []string{"service", "version", "instance", "recorded", "overwritten", "oldest_end_ns", "left_out", "spans"}
	spanMembers      = []string{"number", "request", "tries", "attempt", "begin_ns", "elapsed_ns", "status", "calls"}
	spanCallMembers  = []string{"begin_ns", "elapsed_ns", "status", "number"}
)

const (
	spanRequired     = 7
	spanCallRequired = 3
)

// DecodeRecording reads the JSON of a Recording. It is as strict as Decode.
func DecodeRecording(data []byte) (*Recording, error) {
	if len(data) > MaxRecordingBytes {
		return nil, fmt.Errorf("spans of %d bytes: want at most %d", len(data), MaxRecordingBytes)
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("spans of %d bytes: want UTF-8", len(data))
	}
	d := decoder{form: "spans", text: string(data)}
	recording := d.recording()
	if err := d.end(); err != nil {
		return nil, err
	}
	return recording, nil
}

func (d *decoder) recording() *Recording {
	r := &Recording{Spans: []Span{}}
	d.object(recordingMembers, len(recordingMembers), func(member int) {
		switch recordingMembers[member] {
		case "service":
			r.Service = d.string()
		case "version":
			r.Version = d.string()
		case "instance":
			r.Instance = d.string()
		case "recorded":
			r.Recorded = d.number(0, math.MaxInt64)
		case "overwritten":
			r.Overwritten = d.number(0, math.MaxInt64)
		case "oldest_end_ns":
			r.OldestEnd = d.number(0, math.MaxInt64)
		case "left_out":
			r.LeftOut = d.number(0, math.MaxInt64)
		case "spans":
			d.spans(r)
		}
	})
	return r
}

func (d *decoder) spans(r *Recording) {
	d.token('[')
	if d.next(']') {
		return
	}
	for more := true; more && d.err == nil; more = d.next(',') {
		if len(r.Spans) == MaxSpans {
			d.want(fmt.Sprintf("at most %d spans", MaxSpans))
			return
		}
		r.Spans = append(r.Spans, d.span())
	}
	d.token(']')
}

func (d *decoder) span() (s Span) {
	d.object(spanMembers, spanRequired, func(member int) {
		switch spanMembers[member] {
		case "number":
			s.Number = d.number(0, math.MaxInt64)
		case "request":
			s.Request = d.string()
		case "tries":
			if s.Tries = d.string(); d.err == nil && !IsTries(s.Tries) {
				d.want(`a path of tries, such as "1.3", as the value of "tries"`)
			}
		case "attempt":
			s.Attempt = int(d.number(0, math.MaxInt32))
		case "begin_ns":
			s.Begin = d.number(0, math.MaxInt64)
		case "elapsed_ns":
			s.Elapsed = time.Duration(d.number(0, math.MaxInt64))
		case "status":
			s.Status = int(d.number(0, 599))
		case "calls":
			s.Calls = d.spanCalls()
		}
	})
	return s
}

// spanCalls reads at least one call, because a span without calls has no member "calls".
func (d *decoder) spanCalls() (all []SpanCall) {
	d.token('[')
	for last, more := -1, true; more && d.err == nil; more = d.next(',') {
		if d.spanCallCount++; d.spanCallCount > MaxSpanCalls {
			d.want(fmt.Sprintf("at most %d calls", MaxSpanCalls))
			return nil
		}
		start := d.at
		all = append(all, d.spanCall())
		d.order(start, &last, all[len(all)-1].Number)
	}
	d.token(']')
	return all
}

func (d *decoder) spanCall() (c SpanCall) {
	d.object(spanCallMembers, spanCallRequired, func(member int) {
		switch spanCallMembers[member] {
		case "number":
			c.Number = int(d.number(0, MaxHops))
		case "begin_ns":
			c.Begin = d.number(0, math.MaxInt64)
		case "elapsed_ns":
			c.Elapsed = time.Duration(d.number(0, math.MaxInt64))
		case "status":
			c.Status = int(d.number(0, 599))
		}
	})
	return c
}
