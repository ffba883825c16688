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

// keptSpans is how many spans a Chain keeps, of 144 bytes each: 4.5 MiB, which the system gives as they fill. A power of
// two.
const keptSpans = 32 << 10

// spans are the last tries of named requests that a service received: only what is overwritten is lost.
type spans struct {
	instance string

	mutex    sync.Mutex
	recorded int64
	ring     []span // span n is at n % len
}

// span is a trail.Span as it is kept: without pointers, so that the garbage collector has nothing to do with it.
type span struct {
	begin, elapsed         int64 // nanoseconds, begin since 1970
	callBegin, callElapsed int64 // callBegin 0: no call was made
	attempt                int32
	status, callStatus     int16
	nameLength, pathLength uint8
	name                   [trail.MaxRequestName]byte
	path                   [trail.MaxTriesLength]byte
}

// tried is what a Chain tells of a try beside its answer. Without a request's name it is not recorded.
type tried struct {
	request, tries string
	call           *trail.Call // nil: it made none
	called         time.Time   // when it did
}

func newSpans(kept int) *spans {
	return &spans{instance: strconv.FormatUint(rand.Uint64(), 16), ring: make([]span, kept)}
}

// record keeps a try that ended with a after elapsed, if it can be asked for.
func (s *spans) record(t try, a *answer, elapsed time.Duration) {
	of := &a.tried
	if of.request == "" || len(of.request) > trail.MaxRequestName || len(of.tries) > trail.MaxTriesLength {
		return
	}
	s.mutex.Lock()
	e := &s.ring[s.recorded&int64(len(s.ring)-1)]
	s.recorded++
	e.begin, e.elapsed, e.attempt, e.status = t.begin.UnixNano(), int64(elapsed), int32(t.attempt), int16(a.code)
	e.callBegin = 0
	if of.call != nil {
		// Not the wall clock's second reading: it may have been set in between.
		e.callBegin = e.begin + int64(of.called.Sub(t.begin))
		e.callElapsed, e.callStatus = int64(of.call.Elapsed), int16(of.call.Status)
	}
	e.nameLength, e.pathLength = uint8(copy(e.name[:], of.request)), uint8(copy(e.path[:], of.tries))
	s.mutex.Unlock()
}

// of is the recording of the requests with these names.
func (s *spans) of(requests []string) *trail.Recording {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	r := &trail.Recording{Instance: s.instance, Recorded: s.recorded, Spans: []trail.Span{}}
	r.Overwritten = max(0, s.recorded-int64(len(s.ring)))
	for number := r.Overwritten; number < s.recorded; number++ {
		e := &s.ring[number&int64(len(s.ring)-1)]
		if number == r.Overwritten {
			r.OldestEnd = e.begin + e.elapsed
		}
		for _, request := range requests {
			if string(e.name[:e.nameLength]) != request {
				continue
			}
			if len(r.Spans) == trail.MaxSpans {
				r.LeftOut++
				break
			}
			r.Spans = append(r.Spans, e.span(number))
			break
		}
	}
	return r
}

func (e *span) span(number int64) trail.Span {
	told := trail.Span{Number: number, Request: string(e.name[:e.nameLength]), Tries: string(e.path[:e.pathLength]), Attempt: int(e.attempt),
		Begin: e.begin, Elapsed: time.Duration(e.elapsed), Status: int(e.status)}
	if e.callBegin != 0 {
		told.Call = &trail.SpanCall{Begin: e.callBegin, Elapsed: time.Duration(e.callElapsed), Status: int(e.callStatus)}
	}
	return told
}

// recording answers with the spans of the requests that r's query names.
func (s *Service) recording(r *http.Request) answer {
	if r.Method != http.MethodGet {
		return onlyGet(r)
	}
	requests, problems := readSpansQuery(r.URL.RawQuery)
	if problems != nil {
		return refusal(http.StatusBadRequest, problems...)
	}
	told := s.spans.of(requests)
	told.Service, told.Version = s.config.Service, s.config.Version
	body, err := json.Marshal(told)
	if err != nil { // numbers and strings: cannot be
		return refusal(http.StatusInternalServerError, err.Error())
	}
	return answer{code: http.StatusOK, header: jsonHeader, body: append(body, '\n')}
}

// readSpansQuery returns the names of requests in a query and all that is wrong with it, or nil.
func readSpansQuery(text string) (requests, problems []string) {
	query, err := url.ParseQuery(text)
	if err != nil {
		problems = append(problems, fmt.Sprintf("query: %v", err))
	}
	requests = query["request"]
	if len(requests) > trail.MaxSpanRequests {
		problems = append(problems, fmt.Sprintf("query has %d times request: want it %d times at most", len(requests), trail.MaxSpanRequests))
		requests = nil
	}
	for _, name := range requests {
		if name == "" || len(name) > trail.MaxRequestName || !utf8.ValidString(name) || strings.ContainsFunc(name, control) {
			problems = append(problems, fmt.Sprintf("request %.80q: want the value of a header %s, 1 to %d bytes of UTF-8",
				name, trail.HeaderRequest, trail.MaxRequestName))
		}
	}
	for name := range query {
		if name != "request" {
			problems = append(problems, fmt.Sprintf("query has %.80q: want request and nothing else", name))
		}
	}
	return requests, problems
}

// control reports whether no header can hold r.
func control(r rune) bool { return r < ' ' || r == 0x7f }
