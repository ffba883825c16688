package service

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// failing answers like a service of the chain that fails.
func failing(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set(trail.HeaderTrail, trail.Form)
	w.WriteHeader(500)
	_, _ = w.Write(trail.Append(nil, &trail.Hop{Service: "backend", Version: "prod", Status: 500, Attempt: 4}))
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func TestHopAnswersWithTheTrailOfItsCall(t *testing.T) {
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	endless := func(w http.ResponseWriter, _ *http.Request) { // a client that reads all of it gets an error
		for range 1 << 14 {
			if _, err := io.WriteString(w, strings.Repeat("z", 1<<10)); err != nil {
				return
			}
		}
		panic(http.ErrAbortHandler)
	}
	for _, test := range []struct {
		name           string
		answer         http.HandlerFunc
		absorb         int // status of the hop with cascade: absorb, and without
		propagate      int
		call           trail.Call // without URL and Elapsed
		page, hopsWord string
	}{
		{"time", status(200, "noon"), 200, 200, trail.Call{Status: 200, Body: "noon"}, "noon", ""},
		{"a trail", failing, 200, 500, trail.Call{Status: 500}, `StatusCodeError: 500 - "", from backend-prod on try 4`, "backend-prod 500 4"},
		{"a proxy's 503", status(503, "no healthy upstream"), 200, 500, trail.Call{Status: 503, Body: "no healthy upstream"},
			`StatusCodeError: 503 - "no healthy upstream"`, ""},
		{"an egress rule", status(502, ""), 200, 500, trail.Call{Status: 502}, `StatusCodeError: 502 - ""`, ""},
		{"not found", status(404, ""), 200, 200, trail.Call{Status: 404}, `StatusCodeError: 404 - ""`, ""},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, 200, 200,
			trail.Call{Status: 302, Body: "<a href=\"/elsewhere\">Found</a>.\n\n"},
			`StatusCodeError: 302 - "<a href=\"/elsewhere\">Found</a>.\n\n"`, ""},
		{"a long answer", status(200, strings.Repeat("é", 200)), 200, 200, trail.Call{Status: 200, Body: strings.Repeat("é", 128)},
			strings.Repeat("é", 128), ""},
		{"a rune cut", status(200, "x"+strings.Repeat("é", 200)), 200, 200,
			trail.Call{Status: 200, Body: "x" + strings.Repeat("é", 127)}, "x" + strings.Repeat("é", 127), ""},
		{"an endless answer", endless, 200, 200,
			trail.Call{Status: 200, Body: strings.Repeat("z", 256)}, strings.Repeat("z", 256), ""},
		{"a trail that is none", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(trail.HeaderTrail, trail.Form)
			_, _ = io.WriteString(w, `{"service":1}`)
		}, 200, 200, trail.Call{Status: 200, Body: `{"service":1}`}, `{"service":1}`, ""},
		{"cut short", cut, 200, 500,
			trail.Call{Error: "reading the upstream's answer of status 200: unexpected EOF"},
			"Error: reading the upstream's answer of status 200: unexpected EOF", ""},
		{"no answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 200, 500,
			trail.Call{Error: "calling upstream: EOF"}, "Error: calling upstream: EOF", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			rec := &recorder{answer: test.answer}
			s := hop(t, rec)
			for cascade, want := range map[string]int{"": test.absorb, trail.Absorb: test.absorb, trail.Propagate: test.propagate} {
				header := []string{trail.HeaderAttempt, "2"}
				if cascade != "" {
					header = append(header, trail.HeaderCascade, cascade)
				}
				r, got := getTrail(t, s.url, header...)
				if r.StatusCode != want || r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("cascade %q: status %d %v, want %d and application/json", cascade, r.StatusCode, r.Header, want)
				}
				check(t, got, want, test.call, test.hopsWord)
				r = get(t, s.url, header...)
				told := map[int]string{200: ",", 500: ", failed with 500"}[want]
				page := regexp.MustCompile(`^middleware-canary - \d\.\d{3}secs` + told + ` on try 2\n` + regexp.QuoteMeta(s.config.Upstream+" -> "+test.page) + "\n$")
				if r.StatusCode != want || !page.MatchString(r.body) || r.Header.Get(trail.HeaderTrail) != "" {
					t.Errorf("cascade %q: page %d %q, want %d and %v", cascade, r.StatusCode, r.body, want, page)
				}
			}
			if got := len(rec.received()); got != 6 {
				t.Errorf("upstream received %d requests, want 6", got)
			}
		})
	}
}

// check compares the trail of a hop with what is expected. Of the times it checks only the order.
func check(t *testing.T, got *trail.Hop, status int, call trail.Call, word string) {
	t.Helper()
	if got.Service != "middleware" || got.Version != "canary" || got.Attempt != 2 || got.Status != status || len(got.Calls) != 1 {
		t.Fatalf("hop = %+v, want middleware canary, attempt 2, status %d and a call", got, status)
	}
	c := got.Calls[0]
	if c.Elapsed <= 0 || got.Elapsed < c.Elapsed {
		t.Errorf("hop took %v, its call %v", got.Elapsed, c.Elapsed)
	}
	if !strings.HasSuffix(c.URL, "/up?x=1") {
		t.Errorf("call's URL = %q", c.URL)
	}
	answered := ""
	if c.Hop != nil {
		answered = fmt.Sprintf("%s-%s %d %d", c.Hop.Service, c.Hop.Version, c.Hop.Status, c.Hop.Attempt)
	}
	c.URL, c.Elapsed, c.Hop = "", 0, nil
	if c != call || answered != word {
		t.Errorf("call = %+v with hop %q, want %+v with %q", c, answered, call, word)
	}
}

// refusing is the URL of a port that refuses connections as long as the test runs: a connection of the test holds the port, and no
// process listens there.
func refusing(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	connection, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return "http://" + connection.LocalAddr().String() + "/"
}

func TestUpstreamThatRefusesIsACallWithoutAnAnswer(t *testing.T) {
	s := open(t, Config{Service: "middleware", Version: "canary", Upstream: refusing(t)})
	_, got := getTrail(t, s.url)
	if got.Status != 200 || got.Calls[0].Status != 0 || !strings.Contains(got.Calls[0].Error, "connection refused") {
		t.Errorf("hop %d with call %+v, want 200 with a call that was refused", got.Status, got.Calls[0])
	}
}

func TestFailingTryAnswersAtOnceAndCallsNothing(t *testing.T) {
	rec := &recorder{}
	s := hop(t, rec)
	r, got := getTrail(t, s.url, "fail", "1", trail.HeaderAttempt, "3")
	got.Elapsed = 0
	if want := (trail.Hop{Service: "middleware", Version: "canary", Status: 500, Attempt: 3}); r.StatusCode != 500 || !reflect.DeepEqual(*got, want) {
		t.Errorf("failing try = %d %+v, want 500 %+v", r.StatusCode, got, want)
	}
	for _, accept := range []string{"*/*", "text/html, text/*;q=0.8"} {
		r := get(t, s.url, "fail", "1.0", "Accept", accept, trail.HeaderAttempt, "3")
		if want := regexp.MustCompile(`^middleware-canary - 0\.\d{3}secs, failed with 500 on try 3\n$`); r.StatusCode != 500 || !want.MatchString(r.body) {
			t.Errorf("failing try's page for Accept: %s = %d %q, want 500 and %s", accept, r.StatusCode, r.body, want)
		}
	}
	if r := get(t, s.url, "fail", "1.0", "Accept", "image/png"); r.StatusCode != 500 || r.body != "" {
		t.Errorf("failing try's page for an image = %d %q, want 500 and no body", r.StatusCode, r.body)
	}
	if got := len(rec.received()); got != 0 {
		t.Errorf("upstream received %d requests, want 0", got)
	}
}

// Tries that do not fail work before they call, so the time counts as the service's and not as the call's. Failing tries answer at
// once.
func TestTryThatDoesNotFailWorks(t *testing.T) {
	const work = 50 * time.Millisecond
	rec := &recorder{}
	s := open(t, Config{Service: "backend", Version: "prod", Upstream: listen(t, rec) + "/", Work: work})
	if _, got := getTrail(t, s.url, "fail", "0"); got.Status != 200 || got.Elapsed-got.Calls[0].Elapsed < work {
		t.Errorf("a try took %v, %v of it for its call; want %v for its work", got.Elapsed, got.Calls[0].Elapsed, work)
	}
	s = open(t, Config{Service: "backend", Version: "prod", Upstream: listen(t, rec) + "/", Work: time.Hour})
	if r, _ := getTrail(t, s.url, "fail", "1"); r.StatusCode != 500 {
		t.Errorf("a failing try got %d", r.StatusCode)
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := send(t, ctx, http.MethodGet, s.url, nil, trail.HeaderAttempt, "1")
		gone <- err
	}()
	awaitInFlight(t, s.url, 1)
	cancel() // as a proxy does at a per-try timeout
	if err := <-gone; err == nil {
		t.Error("a cut try was answered")
	}
	awaitCount(t, s.url, "backend-prod 1:499")
	if _, err := New(Config{Service: "backend", Version: "prod", Upstream: "http://clock/", Work: -1}); err == nil || !strings.Contains(err.Error(), "work (WORK_DURATION) is -1ns") {
		t.Errorf("negative work: %v", err)
	}
}

// Each draw is that of trail.Draw for the name of the request, the service without its version, and the path of the try.
func TestDrawsAreThoseOfTheRequest(t *testing.T) {
	s := hop(t, &recorder{})
	failures := 0
	for n := range 60 {
		request, received, attempt := fmt.Sprintf("1/after/%d", n), []string{"", "1", "2.1"}[n%3], 1+n%2
		header := []string{"fail", "0.4", trail.HeaderRequest, request, trail.HeaderAttempt, fmt.Sprint(attempt)}
		if received != "" {
			header = append(header, trail.HeaderTries, received)
		}
		want := 200
		if trail.Draw("fail", request, "middleware", trail.Tries(received, attempt)) < 0.4 {
			want = 500
			failures++
		}
		if got := get(t, s.url, header...).StatusCode; got != want {
			t.Errorf("%q = %d, want %d", header, got, want)
		}
	}
	if failures == 0 || failures == 60 {
		t.Errorf("%d of 60 tries should fail: the test shows nothing", failures)
	}
}

// The draws of a request without a name are random: of 400 at probability 0.5, between 140 and 260 fail, 200 ± 6 standard deviations.
func TestDrawsWithoutARequestAreOfChance(t *testing.T) {
	s := hop(t, &recorder{})
	failed := 0
	for range 400 {
		w := discard{header: make(http.Header)}
		s.ServeHTTP(&w, &http.Request{Method: "GET", URL: testURL, Header: http.Header{"Fail": {"0.5"}}, Body: http.NoBody})
		if w.status == 500 {
			failed++
		}
	}
	if failed < 140 || failed > 260 {
		t.Errorf("%d of 400 tries failed at 0.5", failed)
	}
}

func TestHangingTryWaits(t *testing.T) {
	const hang = 50 * time.Millisecond
	rec := &recorder{}
	s := open(t, Config{Service: "middleware", Version: "canary", Upstream: listen(t, rec) + "/", Hang: hang})
	for _, test := range []struct {
		fail   string
		status int
		calls  int
	}{{"0", 200, 1}, {"1", 500, 1}} {
		r, got := getTrail(t, s.url, "hang", "1", "fail", test.fail)
		if r.StatusCode != test.status || got.Elapsed < hang || len(rec.received()) != test.calls {
			t.Errorf("fail %s: status %d after %v and %d calls, want %d after %v and %d",
				test.fail, r.StatusCode, got.Elapsed, len(rec.received()), test.status, hang, test.calls)
		}
	}
	// The draws for hanging and for failing are different, so not the same requests hang and fail.
	request := "1/after/0"
	for n := 1; trail.Draw("hang", request, "middleware", "0") < 0.5 || trail.Draw("fail", request, "middleware", "0") > 0.5; n++ {
		request = fmt.Sprintf("1/after/%d", n)
	}
	s = open(t, Config{Service: "middleware", Version: "canary", Upstream: listen(t, rec) + "/", Hang: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := send(t, ctx, http.MethodGet, s.url, nil, "hang", "0.5", "fail", "0.5", trail.HeaderRequest, request)
	if err != nil || r.StatusCode != 500 {
		t.Errorf("%s: %v %v, want 500 and no hang", request, r.Response, err)
	}
}

// When the caller closes the connection, as a proxy does at a per-try timeout, the hang and the call end, and the try is counted.
func TestCutTriesEndAndAreCounted(t *testing.T) {
	ended := make(chan struct{})
	rec := &recorder{answer: func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(ended)
	}}
	s := open(t, Config{Service: "middleware", Version: "canary", Upstream: listen(t, rec) + "/", Hang: time.Hour})
	for _, test := range []struct{ attempt, hang string }{{"1", "1"}, {"2", "0"}} {
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := send(t, ctx, http.MethodGet, s.url, nil, "hang", test.hang, trail.HeaderAttempt, test.attempt)
			gone <- err
		}()
		awaitInFlight(t, s.url, 1)
		cancel()
		if err := <-gone; err == nil {
			t.Error("a cut try was answered")
		}
		awaitCount(t, s.url, "middleware-canary "+test.attempt+":499")
		awaitInFlight(t, s.url, 0)
	}
	<-ended
	if got := counted(t, s.url); len(got) != 2 {
		t.Errorf("counted %v, want two cut tries only", got)
	}
}

// A try that ends without an answer must not get net/http's implicit 200 while its connection is still open.
func TestCutTryIsNeverAnswered(t *testing.T) {
	s := hop(t, &recorder{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := (&http.Request{Method: "GET", URL: testURL, Header: http.Header{"Hang": {"1"}}, Body: http.NoBody}).WithContext(ctx)
	w := discard{header: make(http.Header)}
	defer func() {
		if got := recover(); got != http.ErrAbortHandler || w.status != 0 {
			t.Errorf("the handler ended with %v and status %d, want http.ErrAbortHandler and none", got, w.status)
		}
	}()
	s.ServeHTTP(&w, r)
}

// Two proxies of a chain wait for the same time, so a hop learns that the try of its upstream was cut at the moment when its own try
// is cut. The caller of the hop no longer waits, whether the hop knows it or not. The counts must not have the try as answered.
func TestTryThatTookItsCallersTimeIsCut(t *testing.T) {
	const took = 20 * time.Millisecond
	for _, test := range []struct {
		expected string // empty: no header
		want     string
	}{
		{"1", "499"}, {"20", "499"}, {"3600000", "200"}, {"2147483647", "200"},
		{"", "200"}, {"0", "200"}, {"-1", "200"}, {"1s", "200"}, {"0.5", "200"}, {"99999999999", "200"},
	} {
		for _, role := range []Role{Chain, Script} {
			s := open(t, Config{Service: "middleware", Version: "canary", Role: role, Upstream: listen(t, &recorder{}) + "/", Hang: took})
			header := []string{trail.HeaderAttempt, "1", "hang", "1", HeaderScript, "hang"}
			if test.expected != "" {
				header = append(header, trail.HeaderExpected, test.expected)
			}
			r, err := send(t, t.Context(), http.MethodGet, s.url, nil, header...)
			if cut := test.want == "499"; (err != nil) != cut {
				t.Errorf("%s, expected %q: %v %v, want no answer: %v", role, test.expected, r.Response, err, cut)
			}
			if got := counted(t, s.url); len(got) != 1 || got["middleware-canary 1:"+test.want] != 1 {
				t.Errorf("%s, expected %q: counted %v, want one %s", role, test.expected, got, test.want)
			}
		}
	}
}

func TestWrongHeadersGet400(t *testing.T) {
	rec := &recorder{}
	s := hop(t, rec)
	deep := strings.Repeat("1.", 31) + "1"
	for _, test := range []struct {
		header []string
		want   []string
	}{
		{[]string{"fail", "1.5"}, []string{`header fail is "1.5": it must be a decimal number in [0,1]`}},
		{[]string{"fail", "-0.1"}, []string{`header fail is "-0.1": it must be a decimal number in [0,1]`}},
		{[]string{"fail", "half"}, []string{`header fail is "half": it must be a decimal number in [0,1]`}},
		{[]string{"fail", ""}, []string{`header fail is "": it must be a decimal number in [0,1]`}},
		{[]string{"fail", "NaN"}, []string{`header fail is "NaN": it must be a decimal number in [0,1]`}},
		{[]string{"fail", "0x1p-2"}, []string{`header fail is "0x1p-2": it must be a decimal number in [0,1]`}},
		{[]string{"fail", "50%"}, []string{`header fail is "50%": it must be a decimal number in [0,1]`}},
		{[]string{"fail", "0", "fail", "1"}, []string{`header fail was sent 2 times: send it only once`}},
		{[]string{"hang", "1.0001", "fail", "2", "cascade", "maybe"}, []string{
			`header fail is "2": it must be a decimal number in [0,1]`,
			`header hang is "1.0001": it must be a decimal number in [0,1]`,
			`header cascade is "maybe": it must be absorb or propagate`}},
		{[]string{"cascade", "Absorb"}, []string{`header cascade is "Absorb": it must be absorb or propagate`}},
		{[]string{trail.HeaderRequest, "1/a/1", trail.HeaderRequest, "1/a/2"}, []string{`header x-hellochaos-request was sent 2 times: send it only once`}},
		{[]string{trail.HeaderTries, "1", trail.HeaderTries, "1"}, []string{`header x-hellochaos-tries was sent 2 times: send it only once`}},
		{[]string{trail.HeaderTries, ""}, []string{`header x-hellochaos-tries is "": it must be whole numbers joined by dots, such as "1.3", with the number of a call after a colon where it is not the first, such as "1.3:2"`}},
		{[]string{trail.HeaderTries, "1..2"}, []string{`header x-hellochaos-tries is "1..2": it must be whole numbers joined by dots, such as "1.3", with the number of a call after a colon where it is not the first, such as "1.3:2"`}},
		{[]string{trail.HeaderTries, "1."}, []string{`header x-hellochaos-tries is "1.": it must be whole numbers joined by dots, such as "1.3", with the number of a call after a colon where it is not the first, such as "1.3:2"`}},
		{[]string{trail.HeaderTries, "-1"}, []string{`header x-hellochaos-tries is "-1": it must be whole numbers joined by dots, such as "1.3", with the number of a call after a colon where it is not the first, such as "1.3:2"`}},
		{[]string{trail.HeaderTries, "one"}, []string{`header x-hellochaos-tries is "one": it must be whole numbers joined by dots, such as "1.3", with the number of a call after a colon where it is not the first, such as "1.3:2"`}},
		{[]string{trail.HeaderTries, "1:0"}, []string{`header x-hellochaos-tries is "1:0": it must be whole numbers joined by dots, such as "1.3", with the number of a call after a colon where it is not the first, such as "1.3:2"`}},
		{[]string{trail.HeaderPins, "1=stop"}, []string{`header x-hellochaos-pins is "1=stop": it must be pins joined by commas, each a path of tries in which * is any attempt count, and =fail, =503 or =hang, such as "1.*=fail", or none`}},
		{[]string{trail.HeaderTries, deep}, []string{`header x-hellochaos-tries is "` + deep +
			`": it must be a path with fewer than 32 attempt counts; check whether the upstreams call each other in a circle`}},
	} {
		for _, accept := range []string{"", "application/json"} {
			r := get(t, s.url, append(test.header, "Accept", accept)...)
			if want := strings.Join(test.want, "\n") + "\n"; r.StatusCode != 400 || r.body != want {
				t.Errorf("%q: %d %q, want 400 %q", test.header, r.StatusCode, r.body, want)
			}
		}
	}
	if got := len(rec.received()); got != 0 {
		t.Errorf("upstream received %d requests, want 0", got)
	}
	for _, accepted := range [][]string{{"fail", "0"}, {"fail", "0.0"}, {"hang", "0e0"}, {"cascade", "absorb"}, {trail.HeaderTries, deep[2:]},
		{trail.HeaderTries, "0.2147483647"}, {trail.HeaderTries, "0:255.1:12"}, {trail.HeaderPins, "*.1:2.*=hang"}, {trail.HeaderPins, trail.PinNothing}, {trail.HeaderAttempt, "-1"}, {trail.HeaderAttempt, "2", trail.HeaderAttempt, "3"}} {
		if r := get(t, s.url, accepted...); r.StatusCode != 200 {
			t.Errorf("%q: %d %q, want 200", accepted, r.StatusCode, r.body)
		}
	}
}

// The calls of a service whose upstream is itself must end.
func TestLoopEnds(t *testing.T) {
	var s place
	url := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.ServeHTTP(w, r) }))
	service, err := New(Config{Service: "loop", Version: "prod", Upstream: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Close)
	s = place{service, url}
	_, got := getTrail(t, url)
	hops := 1
	for ; got.Calls[0].Hop != nil; got = got.Calls[0].Hop {
		hops++
	}
	if hops != trail.MaxDepth || got.Calls[0].Status != 400 {
		t.Errorf("%d hops, the last call %+v; want %d and status 400", hops, got.Calls[0], trail.MaxDepth)
	}
}

func FuzzReadOrder(f *testing.F) {
	f.Add("0.5", "1e-3", "absorb", "1.2")
	f.Add("0x1p-2", "NaN", "Propagate", strings.Repeat(".", 20))
	f.Fuzz(func(t *testing.T, fail, hang, cascade, tries string) {
		o, problems := readOrder(http.Header{"Fail": {fail}, "Hang": {hang}, "Cascade": {cascade}, triesKey: {tries}})
		if !(o.fail >= 0 && o.fail <= 1 && o.hang >= 0 && o.hang <= 1) {
			t.Errorf("probabilities are %v and %v", o.fail, o.hang)
		}
		if wrong := cascade != "absorb" && cascade != "propagate"; wrong && len(problems) == 0 {
			t.Errorf("cascade %q is accepted", cascade)
		}
		if path := regexp.MustCompile(`^[0-9]+((:[1-9][0-9]*)?\.[0-9]+){0,30}(:[1-9][0-9]*)?$`); !path.MatchString(tries) && len(problems) == 0 {
			t.Errorf("tries %q are accepted", tries)
		}
	})
}
