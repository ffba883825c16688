package trail

import (
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// SpansPath is where a service answers with a Recording of its spans of some requests, which its query names:
// "/spans?request=1/retry-after/17&request=…". To ask is no try.
const SpansPath = "/spans"

// Bounds of what a service keeps and answers.
const (
	// MaxRequestName is how long a request's name (HeaderRequest) may be, in bytes, for its tries to be recorded.
	MaxRequestName = 64
	// MaxTriesLength is how long a path of tries may be, in bytes, likewise: MaxDepth counts of one digit fit.
	MaxTriesLength = 2 * MaxDepth
	// MaxSpanRequests is how many requests may be asked for at once, MaxSpans how many spans an answer has at most, and
	// MaxSpanCalls how many calls they have together.
	MaxSpanRequests = 16
	MaxSpans        = 4096
	MaxSpanCalls    = 8192
	// MaxRecordingBytes is the length of the JSON that DecodeRecording accepts, in bytes; no answer is longer.
	MaxRecordingBytes = 4 << 20
)

// Recording is what one process of a service recorded of the tries that it received.
type Recording struct {
	Service string `json:"service"`
	Version string `json:"version"`
	// Instance tells one process from another, and from itself after a restart.
	Instance string `json:"instance"`
	// Recorded is how many spans the process recorded since it started; the first Overwritten of them are lost.
	Recorded    int64 `json:"recorded"`
	Overwritten int64 `json:"overwritten"`
	// OldestEnd is when the oldest span that is kept ended, by the service's clock, in nanoseconds since 1970: whatever was
	// overwritten had ended before. 0: nothing was recorded.
	OldestEnd int64 `json:"oldest_end_ns"`
	// LeftOut is how many spans of the requests are kept and not in Spans, because there are more than MaxSpans, or more
	// calls than MaxSpanCalls.
	LeftOut int64 `json:"left_out"`
	// Spans are those of the requests that were asked for, in the order in which they ended.
	Spans []Span `json:"spans"`
}

// Span is one try of a named request, as the service that received it saw it.
type Span struct {
	// Number counts the process' spans from 0.
	Number int64 `json:"number"`
	// Request is its name, Tries the path of attempt counts down to this try (see Tries), Attempt the last of these.
	Request string `json:"request"`
	Tries   string `json:"tries"`
	Attempt int    `json:"attempt"`
	// Begin is when the try was read, by the service's clock, in nanoseconds since 1970; Elapsed is until its answer.
	Begin   int64         `json:"begin_ns"`
	Elapsed time.Duration `json:"elapsed_ns"`
	// Status is what was answered; CodeCut or CodeBroken where nothing was.
	Status int `json:"status"`
	// Calls are the try's own calls, in the order of their numbers; none when it made none.
	Calls []SpanCall `json:"calls,omitempty"`
}

// SpanCall is a try's call to an upstream, with all tries that the mesh made for it inside.
type SpanCall struct {
	// Number counts the calls of a try's configuration from 0, as Call.Number does.
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

// DecodeRecording reads the JSON of a Recording, as strictly as Decode reads a trail.
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
				d.want(`a path of tries such as "1.3" before`)
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

// spanCalls reads at least one call, as calls does.
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
