package trail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// spans is a recording of n spans.
func spans(n int) *Recording {
	r := &Recording{Service: "middleware", Version: "canary", Instance: "8f", Recorded: 40000, Overwritten: 7232,
		OldestEnd: 1787543605123456789, LeftOut: 2, Spans: []Span{}}
	for i := range n {
		s := Span{Number: int64(7232 + i), Request: "1/retry-after/17", Tries: fmt.Sprintf("1.%d", i), Attempt: i, Begin: 1787543605123456789,
			Elapsed: time.Duration(i), Status: CodeCut}
		if i%2 == 0 {
			s.Calls = []SpanCall{{Begin: 1787543605123456790, Elapsed: 5, Status: 500}, {Number: 2, Begin: 1787543605123456790, Elapsed: 7, Status: 200}}
		}
		r.Spans = append(r.Spans, s)
	}
	return r
}

func TestDecodeRecordingReadsWhatJSONWrites(t *testing.T) {
	for _, n := range []int{0, 1, 2, MaxSpans} {
		text, err := json.Marshal(spans(n))
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeRecording(append(text, '\n'))
		if err != nil || !reflect.DeepEqual(got, spans(n)) {
			t.Errorf("%d spans: %.200v, %v", n, got, err)
		}
	}
}

func TestDecodeRecordingRefuses(t *testing.T) {
	text, _ := json.Marshal(spans(1))
	good := string(text)
	replace := func(old, new string) string {
		text := strings.Replace(good, old, new, 1)
		if text == good {
			t.Fatalf("%q is not in %s", old, good)
		}
		return text
	}
	many, _ := json.Marshal(spans(MaxSpans + 1))
	wide := spans(3)
	for i := range wide.Spans {
		wide.Spans[i].Calls = make([]SpanCall, MaxSpanCalls/3+1)
		for number := range wide.Spans[i].Calls {
			wide.Spans[i].Calls[number].Number = number
		}
	}
	manyCalls, _ := json.Marshal(wide)
	for _, test := range []struct{ name, text, want string }{
		{"nothing", ``, `spans at byte 0: want '{'`},
		{"a trail", string(Append(nil, tour())), "want only the members service, version, instance"},
		{"a member missing", replace(`"left_out":2,`, ``), "want member left_out before"},
		{"a member twice", replace(`"left_out":2`, `"left_out":2,"left_out":2`), "once at most"},
		{"a span's member missing", replace(`"tries":"1.0",`, ``), "want member tries before"},
		{"a call's member missing", replace(`,"status":500`, ``), "want member status before"},
		{"tries that are none", replace(`"1.0"`, `"1..0"`), "want a path of tries"},
		{"calls that are none", replace(`"calls":[`, `"calls":[],"x":[`), "want '{'"},
		{"calls out of order", replace(`"number":2`, `"number":0`), "want calls in the order of their numbers"},
		{"too many calls", string(manyCalls), "want at most 8192 calls"},
		{"no spans", replace(`"spans":[`, `"spans":null,"x":[`), "want '['"},
		{"an open list", strings.TrimSuffix(good, "]}"), "want ']'"},
		{"a status beyond", replace(`"status":499`, `"status":600`), "want at most 599"},
		{"a time below", replace(`"begin_ns":1`, `"begin_ns":-1`), "want a whole number"},
		{"more after it", good + "{}", "want nothing after the spans"},
		{"not UTF-8", replace(`8f`, "\xff"), "want UTF-8"},
		{"too many", string(many), "want at most 4096 spans"},
		{"too long", good + strings.Repeat(" ", MaxRecordingBytes), "want at most 4194304"},
	} {
		if got, err := DecodeRecording([]byte(test.text)); err == nil || got != nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %.100v, %v, want an error with %q", test.name, got, err, test.want)
		}
	}
}

func TestIsTries(t *testing.T) {
	for value, want := range map[string]struct{ tries, call bool }{
		"0": {true, true}, "1.3": {true, true}, "10.2.4": {true, true}, "1:2.3": {true, true}, "1:255.0:1.2": {true, true}, "1:10.1": {true, true},
		"1:2": {false, true}, "1.3:2": {false, true},
		"": {}, ".": {}, "1.": {}, ".1": {}, "1..2": {}, "a": {}, "1,2": {}, ":": {}, "1:": {}, ":1": {}, "1:.2": {}, "1.:2": {}, "1:2:3": {}, "1:0": {}, "1:0.1": {}, "1:01.1": {},
	} {
		if IsTries(value) != want.tries || IsCall(value) != want.call {
			t.Errorf("%q: IsTries %v, IsCall %v, want %+v", value, IsTries(value), IsCall(value), want)
		}
	}
}

func FuzzDecodeRecording(f *testing.F) {
	for _, n := range []int{0, 1, 3} {
		text, _ := json.Marshal(spans(n))
		f.Add(text)
	}
	f.Add([]byte(`{"spans":[{"calls":[{}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := DecodeRecording(data)
		if err != nil {
			return
		}
		var standard Recording
		strict := json.NewDecoder(bytes.NewReader(data))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&standard); err != nil || !reflect.DeepEqual(&standard, got) {
			t.Fatalf("DecodeRecording reads %+v, encoding/json %+v, %v", got, standard, err)
		}
		again, _ := json.Marshal(got)
		if other, err := DecodeRecording(again); len(again) <= MaxRecordingBytes && (err != nil || !reflect.DeepEqual(other, got)) {
			t.Fatalf("read again %+v, %v, want %+v", other, err, got)
		}
	})
}
