package service

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// recorded is what a service tells of requests.
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
	// Its caller's proxy waits 2 ms, and the upstream takes three.
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

// To ask for spans is no try: it is not counted and calls nothing.
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

func TestSpansRefuses(t *testing.T) {
	s := hop(t, &recorder{})
	for _, test := range []struct{ query, want string }{
		{"request=", `request "": want the value of a header x-hellochaos-request`},
		{"request=" + strings.Repeat("x", trail.MaxRequestName+1), "1 to 64 bytes"},
		{"request=%ff", "of UTF-8"},
		{"request=%0a", "want the value of a header"},
		{"name=a", `query has "name": want request and nothing else`},
		{strings.Repeat("request=a&", trail.MaxSpanRequests+1), "query has 17 times request: want it 16 times at most"},
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

// Only what is overwritten is lost, and how much that is is told.
func TestSpansAreOverwrittenFromTheOldestOn(t *testing.T) {
	s := newSpans(4)
	begin := time.Now()
	for n := range 6 {
		a := answer{code: 200, tried: tried{request: "a", tries: fmt.Sprint(n)}}
		s.record(try{begin: begin.Add(time.Duration(n))}, &a, time.Second)
	}
	got := s.of([]string{"a"})
	var tries []string
	for _, span := range got.Spans {
		tries = append(tries, fmt.Sprintf("%d:%s", span.Number, span.Tries))
	}
	if want := []string{"2:2", "3:3", "4:4", "5:5"}; got.Recorded != 6 || got.Overwritten != 2 || !slices.Equal(tries, want) ||
		got.OldestEnd != begin.Add(2+time.Second).UnixNano() {
		t.Errorf("%+v with %v, want 2 of 6 overwritten and %v", got, tries, want)
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
	if got := s.of([]string{strings.Repeat("\x01", trail.MaxRequestName)}); len(got.Spans) != trail.MaxSpans || got.LeftOut != 3 || got.Recorded != trail.MaxSpans+3 {
		t.Errorf("%d spans, %d left out of %d recorded", len(got.Spans), got.LeftOut, got.Recorded)
	}
}
