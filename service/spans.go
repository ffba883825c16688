package service

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/hellochaos/hellochaos/service/trail"
)

const (
	// keptSpans is how many spans a Chain keeps, of 168 bytes each, and how many calls, of 24 bytes each: together 6 MiB. It is a power
	// of two.
	keptSpans = 32 << 10
	// firstSpans is for how many there is room at first. The room doubles as they come, since a process may run a hundred services of
	// which each gets few tries. It is a power of two.
	firstSpans = 256
)

// spans are the last tries of named requests that a service received. When the ring has its full size, a new span overwrites the
// oldest one. A try with an overwritten call counts as overwritten, too.
type spans struct {
	instance string
	kept     int // the full size of both rings

	mutex    sync.Mutex
	recorded int64
	ring     []span // span n is at n % len
	called   int64
	calls    []spanCall // call n is at n % len
	// oldest is the number of the oldest span that is complete: neither it nor any of its calls is overwritten.
	oldest int64
}

// span holds a trail.Span without pointers, so that the garbage collector does not have to scan it.
type span struct {
	begin, elapsed         int64 // nanoseconds, begin since 1970
	firstCall              int64 // the number of its first call; its other calls follow
	attempt, calls         int32
	status                 int16
	nameLength, pathLength uint8
	name                   [trail.MaxRequestName]byte
	path                   [trail.MaxTriesLength]byte
}

// spanCall holds a trail.SpanCall.
type spanCall struct {
	begin, elapsed int64
	number         int32
	status         int16
}

// tried is what a Chain records of a try besides its answer. A try of a request without a name is not recorded.
type tried struct {
	request, tries string
	calls          []trail.Call
	called         []time.Time // when each of them began
}

func newSpans(kept int) *spans {
	first := min(firstSpans, kept)
	return &spans{instance: strconv.FormatUint(rand.Uint64(), 16), kept: kept, ring: make([]span, first), calls: make([]spanCall, first)}
}

// grown is a ring with room for the next element, of which n came before: twice as large where it is full for the first time, so
// that each element stays where it is.
func grown[T any](ring []T, n int64, kept int) []T {
	if n < int64(len(ring)) || len(ring) >= kept {
		return ring
	}
	larger := make([]T, 2*len(ring))
	copy(larger, ring)
	return larger
}

// record keeps a try that ended with answer a after elapsed. It ignores a try whose request no query can name.
func (s *spans) record(t try, a *answer, elapsed time.Duration) {
	tried := &a.tried
	if tried.request == "" || len(tried.request) > trail.MaxRequestName || len(tried.tries) > trail.MaxTriesLength {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.ring = grown(s.ring, s.recorded, s.kept)
	e := &s.ring[s.recorded&int64(len(s.ring)-1)]
	s.recorded++
	e.begin, e.elapsed, e.attempt, e.status = t.begin.UnixNano(), int64(elapsed), int32(t.attempt), int16(a.code)
	e.firstCall, e.calls = s.called, int32(len(tried.calls))
	for i := range tried.calls {
		call := &tried.calls[i]
		// Sub uses the monotonic clock, because the wall clock may have been set in between.
		begin := e.begin + int64(tried.called[i].Sub(t.begin))
		s.calls = grown(s.calls, s.called, s.kept)
		s.calls[s.called&int64(len(s.calls)-1)] = spanCall{begin, int64(call.Elapsed), int32(call.Number), int16(call.Status)}
		s.called++
	}
	e.nameLength, e.pathLength = uint8(copy(e.name[:], tried.request)), uint8(copy(e.path[:], tried.tries))
	s.oldest = max(s.oldest, s.recorded-int64(len(s.ring)))
	for s.oldest < s.recorded && s.at(s.oldest).firstCall < s.called-int64(len(s.calls)) {
		s.oldest++
	}
}

// at returns the span with that number, which must not be overwritten.
func (s *spans) at(number int64) *span { return &s.ring[number&int64(len(s.ring)-1)] }

// recording returns the spans of the requests with these names.
func (s *spans) recording(requests []string) *trail.Recording {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	r := &trail.Recording{Instance: s.instance, Recorded: s.recorded, Overwritten: s.oldest, Spans: []trail.Span{}}
	calls := 0
	for number := r.Overwritten; number < s.recorded; number++ {
		e := s.at(number)
		if number == r.Overwritten {
			r.OldestEnd = e.begin + e.elapsed
		}
		for _, request := range requests {
			if string(e.name[:e.nameLength]) != request {
				continue
			}
			if len(r.Spans) == trail.MaxSpans || calls+int(e.calls) > trail.MaxSpanCalls {
				r.LeftOut++
				break
			}
			calls += int(e.calls)
			r.Spans = append(r.Spans, s.span(number))
			break
		}
	}
	return r
}

func (s *spans) span(number int64) trail.Span {
	e := s.at(number)
	span := trail.Span{Number: number, Request: string(e.name[:e.nameLength]), Tries: string(e.path[:e.pathLength]), Attempt: int(e.attempt),
		Begin: e.begin, Elapsed: time.Duration(e.elapsed), Status: int(e.status)}
	for n := e.firstCall; n < e.firstCall+int64(e.calls); n++ {
		c := &s.calls[n&int64(len(s.calls)-1)]
		span.Calls = append(span.Calls, trail.SpanCall{Number: int(c.number), Begin: c.begin, Elapsed: time.Duration(c.elapsed), Status: int(c.status)})
	}
	return span
}

// recording answers with the spans of the requests that the query of r names.
func (s *Service) recording(r *http.Request) answer {
	if r.Method != http.MethodGet {
		return onlyGet(r)
	}
	requests, problems := readSpansQuery(r.URL.RawQuery)
	if problems != nil {
		return refusal(http.StatusBadRequest, problems...)
	}
	recording := s.spans.recording(requests)
	recording.Service, recording.Version = s.config.Service, s.config.Version
	body, err := json.Marshal(recording)
	if err != nil { // numbers and strings can always be marshalled
		return refusal(http.StatusInternalServerError, err.Error())
	}
	return answer{code: http.StatusOK, header: jsonHeader, body: append(body, '\n')}
}

// readSpansQuery returns the names of requests in a query, and all problems of the query, or nil.
func readSpansQuery(text string) (requests, problems []string) {
	query, err := url.ParseQuery(text)
	if err != nil {
		problems = append(problems, fmt.Sprintf("query: %v", err))
	}
	requests = query["request"]
	if len(requests) > trail.MaxSpanRequests {
		problems = append(problems, fmt.Sprintf("the query has request %d times: at most %d are accepted", len(requests), trail.MaxSpanRequests))
		requests = nil
	}
	for _, name := range requests {
		if name == "" || len(name) > trail.MaxRequestName || !utf8.ValidString(name) || strings.ContainsFunc(name, control) {
			problems = append(problems, fmt.Sprintf("request %.80q: it must be the value of a header %s, of 1 to %d bytes of UTF-8",
				name, trail.HeaderRequest, trail.MaxRequestName))
		}
	}
	for name := range query {
		if name != "request" {
			problems = append(problems, fmt.Sprintf("the query has %.80q: only request is accepted", name))
		}
	}
	return requests, problems
}

// control reports whether r is a control character, which no header can contain.
func control(r rune) bool { return r < ' ' || r == 0x7f }
