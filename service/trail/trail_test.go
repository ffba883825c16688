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

// tour is the trail of the demo chain: three hops and the clock.
func tour() *Hop {
	clock := Call{URL: "http://time.jsontest.com/", Status: 200, Elapsed: 120 * time.Millisecond,
		Body: `{"date":"08-24-2026","milliseconds_since_epoch":1787543605123,"time":"03:53:25 AM"}`}
	backend := &Hop{Service: "backend", Version: "prod", Status: 200, Attempt: 3, Host: "back", Path: "/x", Pod: "backend-prod-5d565b5477-gs9bh", Elapsed: 174 * time.Millisecond, Calls: []Call{clock}}
	middleware := &Hop{Service: "middleware", Version: "canary", Status: 200, Attempt: 1, Elapsed: 241 * time.Millisecond,
		Calls: []Call{{URL: "http://backend/", Status: 200, Elapsed: 238 * time.Millisecond, Hop: backend}}}
	return &Hop{Service: "frontend", Version: "prod", Status: 200, Elapsed: 287 * time.Millisecond,
		Calls: []Call{{URL: "http://middleware/", Status: 200, Elapsed: 283 * time.Millisecond, Hop: middleware, Connection: 2, Turn: 71}}}
}

// chain is a trail of n hops.
func chain(n int) *Hop {
	h := &Hop{Service: "last", Version: "prod", Status: 200}
	for range n - 1 {
		h = &Hop{Service: "hop", Version: "prod", Status: 200, Calls: []Call{{URL: "http://next/", Status: 200, Hop: h}}}
	}
	return h
}

// tree is a trail with a number of calls for each hop of a level: tree(10, 10) has 1 + 10 + 100 hops.
func tree(calls ...int) *Hop {
	h := &Hop{Service: "node", Version: "v1", Status: 200, Attempt: 1, Elapsed: 1234567}
	if len(calls) == 0 {
		return h
	}
	for n := range calls[0] {
		h.Calls = append(h.Calls, Call{Number: 2 * n, URL: "http://node/", Status: 200, Elapsed: 2345678, Hop: tree(calls[1:]...)})
	}
	return h
}

// hops counts the hops of a trail.
func hops(h *Hop) int {
	count := 1
	for i := range h.Calls {
		if c := &h.Calls[i]; c.Hop != nil {
			count += hops(c.Hop)
		}
	}
	return count
}

func TestAppendWritesThisForm(t *testing.T) {
	h := &Hop{Service: "middleware", Version: "canary", Status: 500, Attempt: 4, Host: "other.example", Path: "/a?b", Pod: "m-1", Elapsed: 1500,
		Calls: []Call{{URL: "http://backend/", Error: "cut \"off\"\n", Elapsed: 1400, Body: "<a&b>\xff\u20ac\\"},
			{Number: 2, URL: "http://audit/", Status: 204, Elapsed: 7, Connection: 3, Turn: 9}}}
	want := `{"service":"middleware","version":"canary","status":500,"attempt":4,"host":"other.example","path":"/a?b","pod":"m-1","elapsed_ns":1500,` +
		`"calls":[{"url":"http://backend/","status":0,"error":"cut \"off\"\u000a","elapsed_ns":1400,"body":"<a&b>` + "\uFFFD\u20ac" + `\\"},` +
		`{"number":2,"url":"http://audit/","status":204,"elapsed_ns":7,"connection":3,"turn":9}]}`
	if got := string(Append([]byte("x"), h)); got != "x"+want {
		t.Errorf("Append:\n got %s\nwant x%s", got, want)
	}
}

func TestDecodeReadsWhatAppendWrites(t *testing.T) {
	refused := tour()
	refused.Calls[0].Hop.Calls = []Call{{URL: "http://backend/", Error: "dial tcp: refused\t\x01\u2028", Elapsed: 7}}
	for name, h := range map[string]*Hop{"tour": tour(), "no answer": refused, "deepest": chain(MaxDepth), "bare": chain(1), "isotope's tree": tree(10, 10)} {
		text := Append(nil, h)
		got, err := Decode(text)
		if err != nil || !reflect.DeepEqual(got, h) {
			t.Errorf("%s: Decode(%s) = %+v, %v, want %+v", name, text, got, err, h)
		}
		var standard Hop
		if err := json.Unmarshal(text, &standard); err != nil || !reflect.DeepEqual(&standard, h) {
			t.Errorf("%s: encoding/json reads %+v, %v, want %+v", name, standard, err, h)
		}
		standardText, _ := json.MarshalIndent(h, "", "\t")
		if got, err := Decode(standardText); err != nil || !reflect.DeepEqual(got, h) {
			t.Errorf("%s: Decode of encoding/json's form = %+v, %v, want %+v", name, got, err, h)
		}
	}
}

func TestDecodeReadsTrees(t *testing.T) {
	for _, test := range []struct {
		calls []int
		hops  int
	}{{[]int{10, 10}, 111}, {[]int{63, 64}, MaxHops}, {[]int{MaxHops/2 - 1, 1}, MaxHops - 1}} {
		h := tree(test.calls...)
		text := Append(nil, h)
		got, err := Decode(text)
		if err != nil || !reflect.DeepEqual(got, h) || hops(got) != test.hops {
			t.Errorf("a tree of %d hops, %d bytes: %v", test.hops, len(text), err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	const good = `{"service":"a","version":"b","status":200,"attempt":1,"elapsed_ns":5}`
	if _, err := Decode([]byte(good)); err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) string {
		text := strings.Replace(good, old, new, 1)
		if text == good {
			t.Fatalf("%q is not in %s", old, good)
		}
		return text
	}
	withCall := func(call string) string { return replace(`}`, `,"calls":[`+call+`]}`) }
	for _, test := range []struct{ name, text, want string }{
		{"nothing", ``, `at byte 0: want '{'`},
		{"another form", `[]`, `at byte 0: want '{'`},
		{"null", `null`, `at byte 0: want '{'`},
		{"empty object", `{}`, `at byte 1: want '"'`},
		{"unknown member", replace(`"attempt"`, `"attempts"`), "at byte 42: want only the members service, version, status, attempt, elapsed_ns, calls, host, path, pod, each of them once at most"},
		{"another case", replace(`"attempt"`, `"Attempt"`), "want only the members"},
		{"member twice", replace(`"version"`, `"service"`), "at byte 15: want only the members"},
		{"member missing", replace(`"version":"b",`, ``), "want member version before"},
		{"call's member missing", withCall(`{"url":"u","status":1}`), "want member elapsed_ns before"},
		{"no status", replace(`200`, `null`), "at byte 38: want a whole number in [100, 599]"},
		{"status beyond", replace(`200`, `600`), "want at most 599"},
		{"status below", replace(`200`, `99`), "want a whole number in [100, 599]"},
		{"negative", replace(`:1,`, `:-1,`), "want a whole number in [0, "},
		{"fraction", replace(`:5}`, `:5.0}`), `want '}'`},
		{"leading zero", replace(`:5}`, `:05}`), "want a whole number"},
		{"beyond 64 bits", replace(`:5}`, `:9223372036854775808}`), "want at most 9223372036854775807"},
		{"number as text", replace(`200`, `"200"`), "want a whole number"},
		{"text as number", replace(`"a"`, `1`), `want '"'`},
		{"raw control character", replace(`"a"`, "\"\n\""), "want no control character"},
		{"unknown escape", replace(`"a"`, `"\x41"`), "want a JSON string"},
		{"short escape", replace(`"a"`, `"\u12"`), "want a JSON string"},
		{"not UTF-8", replace(`"a"`, "\"\xff\""), "want UTF-8"},
		{"open string", `{"service`, "want the end of a string"},
		{"open escape", `{"service":"\`, "want the end of a string"},
		{"comma at the end", replace(`}`, `,}`), `want '"'`},
		{"cut", good[:len(good)-1], `want '}'`},
		{"more after it", good + " x", "at byte 70: want nothing after"},
		{"call is null", withCall(`null`), `want '{'`},
		{"too many hops", string(Append(nil, tree(63, 65))), "want at most 4096 hops"},
		{"no call", replace(`}`, `,"calls":[]}`), `want '{'`},
		{"calls that are none", replace(`}`, `,"calls":null}`), `want '['`},
		{"form 1", replace(`}`, `,"call":{"url":"u","status":1,"elapsed_ns":1}}`), "want only the members service, version"},
		{"calls out of order", withCall(`{"number":2,"url":"u","status":1,"elapsed_ns":1},{"number":1,"url":"u","status":1,"elapsed_ns":1}`),
			"at byte 127: want calls in the order of their numbers"},
		{"a number twice", withCall(`{"url":"u","status":1,"elapsed_ns":1},{"number":0,"url":"u","status":1,"elapsed_ns":1}`), "want calls in the order of their numbers"},
		{"a number beyond", withCall(`{"number":4097,"url":"u","status":1,"elapsed_ns":1}`), "want at most 4096"},
		{"an open list", strings.TrimSuffix(withCall(`{"url":"u","status":1,"elapsed_ns":1}`), "]}") + "}", "want ']'"},
		{"too deep", string(Append(nil, chain(MaxDepth+1))), "want at most 32 hops one below the other"},
		{"too long", good + strings.Repeat(" ", MaxBytes), "want at most 1572864"},
	} {
		hop, err := Decode([]byte(test.text))
		if err == nil || hop != nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Decode(%.100s) = %v, %v, want an error with %q", test.name, test.text, hop, err, test.want)
		}
	}
}

func TestPage(t *testing.T) {
	refusing := tour()
	refusing.Calls[0].Hop.Calls[0].Hop.Calls = []Call{{URL: "http://time.jsontest.com/", Status: 502}}
	failing := tour()
	failing.Calls = []Call{{URL: "http://middleware/", Status: 500, Hop: &Hop{Service: "middleware", Version: "prod", Status: 500}}}
	tried := tour()
	tried.Status, tried.Attempt, tried.Calls[0].Hop.Attempt = 503, 2, 3
	tried.Calls[0].Hop.Calls = []Call{{URL: "http://backend/", Status: 500, Hop: &Hop{Service: "backend", Version: "prod", Status: 500, Attempt: 4}}}
	propagating := tour()
	propagating.Calls[0].Status, propagating.Calls[0].Hop.Status = 500, 500
	propagating.Calls[0].Hop.Calls = []Call{{URL: "http://backend/", Status: 503, Body: `no "healthy" upstream`}}
	silent := tour()
	silent.Calls = []Call{{URL: "http://middleware/", Error: "dial tcp 127.0.0.1:80:\nrefused\x1b[31m"}}
	several := &Hop{Service: "page", Version: "v1", Elapsed: 100 * time.Millisecond, Calls: []Call{
		{URL: "http://details/", Status: 503},
		{Number: 1, URL: "http://reviews/", Status: 200, Hop: &Hop{Service: "reviews", Version: "v2", Elapsed: 50 * time.Millisecond, Calls: []Call{
			{URL: "http://ratings/", Status: 200, Hop: &Hop{Service: "ratings", Version: "v1", Elapsed: 20 * time.Millisecond, Calls: []Call{
				{URL: "http://a/", Status: 200, Body: "a"}, {Number: 1, URL: "http://b/", Status: 200, Body: "b"}}}}}}},
		{Number: 2, URL: "http://audit/", Status: 200, Body: "ok"}}}
	for _, test := range []struct {
		name string
		hop  *Hop
		want string
	}{
		{"the tutorial's", refusing, `frontend-prod - 0.287secs
http://middleware/ -> middleware-canary - 0.241secs
http://backend/ -> backend-prod - 0.174secs, on try 3
http://time.jsontest.com/ -> StatusCodeError: 502 - ""
`},
		{"the clock's time", tour(), `frontend-prod - 0.287secs
http://middleware/ -> middleware-canary - 0.241secs
http://backend/ -> backend-prod - 0.174secs, on try 3
http://time.jsontest.com/ -> {"date":"08-24-2026","milliseconds_since_epoch":1787543605123,"time":"03:53:25 AM"}
`},
		{"a failed hop keeps its line", failing, `frontend-prod - 0.287secs
http://middleware/ -> StatusCodeError: 500 - "", from middleware-prod
`},
		{"a failed try", &Hop{Service: "frontend", Version: "prod", Status: 500}, "frontend-prod - 0.000secs, failed with 500\n"},
		{"tries", tried, `frontend-prod - 0.287secs, failed with 503 on try 2
http://middleware/ -> middleware-canary - 0.241secs, on try 3
http://backend/ -> StatusCodeError: 500 - "", from backend-prod on try 4
`},
		{"a delivered second try", &Hop{Service: "clock", Status: 200, Attempt: 2}, "clock - 0.000secs, on try 2\n"},
		{"a propagated failure", propagating, `frontend-prod - 0.287secs
http://middleware/ -> StatusCodeError: 500 - "", from middleware-canary
http://backend/ -> StatusCodeError: 503 - "no \"healthy\" upstream"
`},
		{"no answer", silent, `frontend-prod - 0.287secs
http://middleware/ -> Error: dial tcp 127.0.0.1:80: refused [31m
`},
		{"several calls", several, `page-v1 - 0.100secs
  http://details/ -> StatusCodeError: 503 - ""
  http://reviews/ -> reviews-v2 - 0.050secs
  http://ratings/ -> ratings-v1 - 0.020secs
    http://a/ -> a
    http://b/ -> b
  http://audit/ -> ok
`},
		{"no call, no version", &Hop{Service: "clock", Elapsed: 499 * time.Microsecond}, "clock - 0.000secs\n"},
	} {
		if got := Page(test.hop); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Append(nil, tour()))
	f.Add(Append(nil, chain(MaxDepth+1)))
	f.Add(Append(nil, tree(3, 2, 2)))
	f.Add([]byte(`{"service":"\u00e9\ud83d\ude00\/","version":"","status":200,"attempt":0, "elapsed_ns":5 , "calls":[{"url":"","status":0,"elapsed_ns":0}, {"number":3,"url":"","status":0,"elapsed_ns":0}]}`))
	f.Add([]byte(`{"service":"\`))
	f.Fuzz(func(t *testing.T, data []byte) {
		hop, err := Decode(data)
		if err != nil {
			return
		}
		var standard Hop
		strict := json.NewDecoder(bytes.NewReader(data))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&standard); err != nil || !reflect.DeepEqual(&standard, hop) {
			t.Fatalf("Decode reads %+v, encoding/json %+v, %v", hop, standard, err)
		}
		again := Append(nil, hop)
		if hop2, err := Decode(again); len(again) <= MaxBytes && (err != nil || !reflect.DeepEqual(hop2, hop)) {
			t.Fatalf("Decode(Append) = %+v, %v, want %+v", hop2, err, hop)
		}
		Page(hop)
	})
}

func BenchmarkAppend(b *testing.B) {
	h, text := tour(), make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		text = Append(text[:0], h)
	}
	b.SetBytes(int64(len(text)))
}

func BenchmarkDecode(b *testing.B) {
	text := Append(nil, tour())
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Decode(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeStandard decodes the same trail with encoding/json, for comparison.
func BenchmarkDecodeStandard(b *testing.B) {
	text := Append(nil, tour())
	b.ReportAllocs()
	for b.Loop() {
		var h Hop
		if err := json.Unmarshal(text, &h); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	h := tour()
	b.ReportAllocs()
	for b.Loop() {
		Page(h)
	}
}

func ExamplePage() {
	fmt.Print(Page(&Hop{Service: "frontend", Version: "prod", Elapsed: 287 * time.Millisecond,
		Calls: []Call{{URL: "http://middleware/", Status: 500}}}))
	// Output:
	// frontend-prod - 0.287secs
	// http://middleware/ -> StatusCodeError: 500 - ""
}
