package service

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hellochaos/hellochaos/service/trail"
)

// recorded is the recording of a service for requests.
func recorded(t testing.TB, address string, requests ...string) *trail.Recording {
	t.Helper()
	r := get(t, strings.TrimSuffix(address, "/")+trail.SpansPath+"?"+url.Values{"request": requests}.Encode())
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s answered %s %s", trail.SpansPath, r.Status, r.body)
	}
	recording, err := trail.DecodeRecording([]byte(r.body))
	if err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	return recording
}

func TestEveryNamedTryIsRecordedBeforeItsAnswer(t *testing.T) {
	rec := &recorder{answer: func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(3 * time.Millisecond)
		w.WriteHeader(http.StatusServiceUnavailable)
	}}
	s := hop(t, rec)
	const name = "7/retry-after/12"
	before := time.Now()
	get(t, s.url, trail.HeaderRequest, name, trail.HeaderTries, "1.2", trail.HeaderAttempt, "1", "fail", "1")
	get(t, s.url, trail.HeaderRequest, name, trail.HeaderTries, "1.2", trail.HeaderAttempt, "2")
	get(t, s.url, trail.HeaderRequest, name+"3")
	get(t, s.url) // has no name
	// The proxy of the caller waits for 2 ms, and the upstream takes 3 ms.
	if _, err := send(t, t.Context(), http.MethodGet, s.url, nil, trail.HeaderRequest, name, trail.HeaderExpected, "2"); err == nil {
		t.Fatal("a try that took too long was answered")
	}
	after := time.Now()

	got := recorded(t, s.url, name)
	if got.Service != "middleware" || got.Version != "canary" || got.Instance == "" || got.Recorded != 4 || got.Overwritten != 0 || got.LeftOut != 0 {
		t.Errorf("recording %+v, want 4 of middleware-canary", got)
	}
	var lines []string
	for _, span := range got.Spans {
		line := fmt.Sprintf("%d %s %s %d %d", span.Number, span.Request, span.Tries, span.Attempt, span.Status)
		begin, end := time.Unix(0, span.Begin), time.Unix(0, span.Begin+int64(span.Elapsed))
		if begin.Before(before) || end.After(after) || span.Elapsed <= 0 {
			t.Errorf("%s is from %v to %v, not within %v and %v", line, begin, end, before, after)
		}
		for _, c := range span.Calls {
			line += fmt.Sprintf(" called %d", c.Status)
			if c.Begin < span.Begin || c.Begin+int64(c.Elapsed) > span.Begin+int64(span.Elapsed) || c.Elapsed < 3*time.Millisecond {
				t.Errorf("%s: call of %v is not inside of the try of %v", line, c.Elapsed, span.Elapsed)
			}
		}
		lines = append(lines, line)
	}
	want := []string{"0 7/retry-after/12 1.2.1 1 500", "1 7/retry-after/12 1.2.2 2 200 called 503", "3 7/retry-after/12 0 0 499 called 503"}
	if !slices.Equal(lines, want) {
		t.Errorf("spans\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if all := recorded(t, s.url, name, name+"3"); len(all.Spans) != 4 {
		t.Errorf("%d spans of both requests, want 4", len(all.Spans))
	}
	if none := recorded(t, s.url); len(none.Spans) != 0 || none.Recorded != 4 {
		t.Errorf("without names %+v, want no span and 4 recorded", none)
	}
}

// A request for spans is not a try: it is not counted, and causes no call.
func TestSpansAreNoTry(t *testing.T) {
	rec := &recorder{}
	s := hop(t, rec)
	recorded(t, s.url, "a")
	if got := counted(t, s.url); len(got) != 0 || len(rec.received()) != 0 {
		t.Errorf("counted %v and %d calls", got, len(rec.received()))
	}
	if r := get(t, open(t, Config{Role: Clock}).url+"spans"); !strings.Contains(r.body, "milliseconds_since_epoch") {
		t.Errorf("the clock answered %q", r.body)
	}
}

// A service that keeps no record of its tries answers there as anywhere.
func TestUntraced(t *testing.T) {
	s := open(t, Config{Service: "backend", Version: "prod", Upstream: listen(t, &recorder{}) + "/", Untraced: true})
	if r := get(t, strings.TrimSuffix(s.url, "/")+trail.SpansPath+"?request=a"); r.Header.Get("Content-Type") == "application/json" || !strings.Contains(r.body, "backend-prod - ") {
		t.Errorf("%s answered %s %s", trail.SpansPath, r.Status, r.body)
	}
}

func TestSpansRefuses(t *testing.T) {
	s := hop(t, &recorder{})
	for _, test := range []struct{ query, want string }{
		{"request=", `request "": it must be the value of a header x-hellochaos-request`},
		{"request=" + strings.Repeat("x", trail.MaxRequestName+1), "1 to 64 bytes"},
		{"request=%ff", "of UTF-8"},
		{"request=%0a", "it must be the value of a header"},
		{"name=a", `query has "name": only request is accepted`},
		{strings.Repeat("request=a&", trail.MaxSpanRequests+1), "the query has request 17 times: at most 16 are accepted"},
		{"request=%zz", "query: invalid URL escape"},
	} {
		if r := get(t, s.url[:len(s.url)-1]+trail.SpansPath+"?"+test.query); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.body, test.want) {
			t.Errorf("%.40q: %d %q, want 400 with %q", test.query, r.StatusCode, r.body, test.want)
		}
	}
	if r, err := send(t, t.Context(), http.MethodPost, s.url[:len(s.url)-1]+trail.SpansPath, nil); err != nil || r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v %v", r.StatusCode, err)
	}
}

// Only overwritten spans are lost, and the answer says how many.
func TestSpansAreOverwrittenFromTheOldestOn(t *testing.T) {
	s := newSpans(4)
	begin := time.Now()
	for n := range 6 {
		a := answer{code: 200, tried: tried{request: "a", tries: fmt.Sprint(n)}}
		s.record(try{begin: begin.Add(time.Duration(n))}, &a, time.Second)
	}
	got := s.recording([]string{"a"})
	var tries []string
	for _, span := range got.Spans {
		tries = append(tries, fmt.Sprintf("%d:%s", span.Number, span.Tries))
	}
	if want := []string{"2:2", "3:3", "4:4", "5:5"}; got.Recorded != 6 || got.Overwritten != 2 || !slices.Equal(tries, want) ||
		got.OldestEnd != begin.Add(2+time.Second).UnixNano() {
		t.Errorf("%+v with %v, want 2 of 6 overwritten and %v", got, tries, want)
	}
}

// When a call is overwritten, its try is lost and all tries before it, so that every try in an answer has all its calls.
func TestSpansAreLostWithTheirCalls(t *testing.T) {
	begin := time.Now()
	record := func(s *spans, n, count int) {
		of := tried{request: "a", tries: fmt.Sprint(n)}
		for i := range count {
			of.calls = append(of.calls, trail.Call{Number: 2 * i, Status: 200 + n, Elapsed: time.Duration(i)})
			of.called = append(of.called, begin.Add(time.Duration(100*n+i)))
		}
		s.record(try{begin: begin.Add(time.Duration(n))}, &answer{code: 200, tried: of}, time.Second)
	}
	for _, test := range []struct {
		calls       []int // of each try
		overwritten int64
	}{
		{[]int{3, 3, 2}, 0},
		{[]int{3, 3, 3}, 1},
		{[]int{1, 0, 4, 4}, 1},       // a try before the oldest call that makes no calls is not lost
		{[]int{0, 0, 8}, 0},          // all calls are kept
		{[]int{8, 0, 0, 1}, 1},       // a try that calls nothing is kept while all after it are
		{[]int{2, 0, 8, 1}, 3},       // and lost with one after it
		{[]int{0, 1, 2, 9}, 4},       // more calls than fit: no try is complete
		{[]int{1, 1, 1, 1, 1, 1}, 2}, // four tries fit
	} {
		s := newSpans(4)
		s.calls = make([]spanCall, 8)
		for n, count := range test.calls {
			record(s, n, count)
		}
		got := s.recording([]string{"a"})
		if got.Overwritten != test.overwritten || got.Recorded != int64(len(test.calls)) || int64(len(got.Spans)) != got.Recorded-got.Overwritten {
			t.Errorf("%v: %d of %d overwritten, %d spans; want %d", test.calls, got.Overwritten, got.Recorded, len(got.Spans), test.overwritten)
			continue
		}
		oldest := int64(0)
		for i, span := range got.Spans {
			n := int(test.overwritten) + i
			if i == 0 {
				oldest = begin.Add(time.Duration(n) + time.Second).UnixNano()
			}
			var want []trail.SpanCall
			for i := range test.calls[n] {
				want = append(want, trail.SpanCall{Number: 2 * i, Begin: begin.UnixNano() + int64(100*n+i), Elapsed: time.Duration(i), Status: 200 + n})
			}
			if span.Number != int64(n) || !slices.Equal(span.Calls, want) {
				t.Errorf("%v: span %d %+v, want number %d and calls %+v", test.calls, i, span, n, want)
			}
		}
		if got.OldestEnd != oldest {
			t.Errorf("%v: the oldest ended at %d, want %d", test.calls, got.OldestEnd, oldest)
		}
	}
}

// A span has all calls of its try, with their numbers.
func TestSpanOfATryWithThreeCalls(t *testing.T) {
	one := leaf(t, "leaf")
	s := caller(t, []string{one.url, one.url}, []string{one.url})
	_, hop := getTrail(t, s.url, trail.HeaderRequest, "1/tree/1", trail.HeaderPins, "0:1.0=fail")
	got := recorded(t, s.url, "1/tree/1")
	if len(got.Spans) != 1 || len(got.Spans[0].Calls) != 3 {
		t.Fatalf("spans %+v, want one with three calls", got.Spans)
	}
	span := got.Spans[0]
	for i, status := range []int{200, 500, 200} {
		c := span.Calls[i]
		if c.Number != i || c.Status != status || c.Elapsed != hop.Calls[i].Elapsed || c.Begin < span.Begin || c.Begin+int64(c.Elapsed) > span.Begin+int64(span.Elapsed) {
			t.Errorf("call %d: %+v of span %+v, want status %d inside of it", i, c, span, status)
		}
	}
	if first := max(span.Calls[0].Begin+int64(span.Calls[0].Elapsed), span.Calls[1].Begin+int64(span.Calls[1].Elapsed)); span.Calls[2].Begin < first {
		t.Errorf("the second step began %d ns before the first one ended", first-span.Calls[2].Begin)
	}
	tries := map[string]int{}
	for _, span := range recorded(t, one.url, "1/tree/1").Spans {
		tries[span.Tries] = span.Status
	}
	if want := map[string]int{"0.0": 200, "0:1.0": 500, "0:2.0": 200}; !maps.Equal(tries, want) {
		t.Errorf("the called service recorded %v, want %v", tries, want)
	}
}

func TestSpansBounds(t *testing.T) {
	s := newSpans(2 * trail.MaxSpans)
	for range trail.MaxSpans + 3 {
		s.record(try{begin: time.Now()}, &answer{tried: tried{request: strings.Repeat("\x01", trail.MaxRequestName), tries: strings.Repeat("1", trail.MaxTriesLength)}}, 1)
	}
	for _, of := range []tried{{request: strings.Repeat("x", trail.MaxRequestName+1), tries: "1"}, {request: "x", tries: strings.Repeat("1", trail.MaxTriesLength+1)}, {tries: "1"}} {
		s.record(try{begin: time.Now()}, &answer{tried: of}, 1)
	}
	// DecodeRecording accepts the longest possible answer.
	many := newSpans(4 * trail.MaxSpans)
	for range trail.MaxSpans {
		of := tried{request: strings.Repeat("\x01", trail.MaxRequestName), tries: strings.Repeat("1", trail.MaxTriesLength)}
		for number := range 3 {
			of.calls = append(of.calls, trail.Call{Number: 200 + number, Elapsed: 1e18, Status: 599})
			of.called = append(of.called, time.Now())
		}
		many.record(try{begin: time.Now(), attempt: math.MaxInt32}, &answer{code: 599, tried: of}, 1e18)
	}
	got := many.recording([]string{strings.Repeat("\x01", trail.MaxRequestName)})
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := trail.DecodeRecording(text); err != nil || len(again.Spans) != trail.MaxSpanCalls/3 || again.LeftOut != trail.MaxSpans-trail.MaxSpanCalls/3 {
		t.Errorf("%d bytes: %v, %d spans, %d left out", len(text), err, len(got.Spans), got.LeftOut)
	}
	if got := s.recording([]string{strings.Repeat("\x01", trail.MaxRequestName)}); len(got.Spans) != trail.MaxSpans || got.LeftOut != 3 || got.Recorded != trail.MaxSpans+3 {
		t.Errorf("%d spans, %d left out of %d recorded", len(got.Spans), got.LeftOut, got.Recorded)
	}
}

// FuzzSpansQuery checks that a query gives either names that a request can have, within the bounds, or problems.
func FuzzSpansQuery(f *testing.F) {
	for _, query := range []string{"", "request=a", "request=a&request=b%2Fc", "request=", "request=%zz", "request=%00", "other=1", "request=a;b",
		strings.Repeat("request=a&", trail.MaxSpanRequests+1), "request=" + strings.Repeat("a", trail.MaxRequestName+1)} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		requests, problems := readSpansQuery(query)
		if problems != nil {
			return
		}
		if len(requests) > trail.MaxSpanRequests {
			t.Errorf("%q: %d requests", query, len(requests))
		}
		for _, name := range requests {
			if name == "" || len(name) > trail.MaxRequestName || !utf8.ValidString(name) {
				t.Errorf("%q: accepted %q", query, name)
			}
		}
	})
}
