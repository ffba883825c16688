package service

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/service/calls"
	"github.com/hellochaos/hellochaos/service/trail"
)

// leaf is a service that makes no calls.
func leaf(t testing.TB, name string) place {
	return open(t, Config{Service: name, Version: "prod", Calls: [][]calls.Call{}})
}

// caller is a service that calls these URLs.
func caller(t testing.TB, steps ...[]string) place {
	config := Config{Service: "caller", Version: "prod", Calls: [][]calls.Call{}}
	for _, step := range steps {
		var side []calls.Call
		for _, address := range step {
			side = append(side, calls.Call{URL: address})
		}
		config.Calls = append(config.Calls, side)
	}
	return open(t, config)
}

// outcomes are a hop's calls, "number status" joined by commas.
func outcomes(h *trail.Hop) string {
	var words []string
	for i := range h.Calls {
		words = append(words, fmt.Sprintf("%d %d", h.Calls[i].Number, h.Calls[i].Status))
	}
	return strings.Join(words, ", ")
}

func TestServiceWithoutCallsCallsNobody(t *testing.T) {
	s := leaf(t, "leaf")
	r, hop := getTrail(t, s.url, trail.HeaderAttempt, "2")
	if hop.Elapsed = 0; r.StatusCode != 200 || hop.Service != "leaf" || hop.Attempt != 2 || hop.Calls != nil {
		t.Errorf("%d %+v, want 200 and no call", r.StatusCode, hop)
	}
	if s.probed != anywhere {
		t.Errorf("probes connect to %q, want %s", s.probed, anywhere)
	}
}

// steps is an upstream whose calls are named by their paths. The two calls of the second step wait for each other. It checks that no
// call begins before the calls of an earlier step have ended.
type steps struct {
	t       *testing.T
	mutex   sync.Mutex
	seen    []string // "begin /a", "end /a"
	tries   map[string]string
	side    sync.WaitGroup
	statusB int
}

func (s *steps) note(text string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.seen = append(s.seen, text)
}

func (s *steps) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.note("begin " + r.URL.Path)
	s.mutex.Lock()
	s.tries[r.URL.Path] = r.Header.Get(trail.HeaderTries)
	s.mutex.Unlock()
	switch r.URL.Path {
	case "/b":
		s.side.Done()
		s.side.Wait()
		s.note("end /b")
		w.WriteHeader(s.statusB)
		return
	case "/c":
		s.side.Done()
		s.side.Wait()
		select { // meanwhile the other call of the step fails, which must not end this one
		case <-r.Context().Done():
			s.t.Error("the slow call was cut")
		case <-time.After(30 * time.Millisecond):
		}
	}
	s.note("end " + r.URL.Path)
}

// Steps are made one after another, and the calls of a step at the same time. A failed call does not end the other calls of its step.
// After a step with a failed call, the next step is made if failures are absorbed, and not if they are propagated.
func TestStepsAndCallsSideBySide(t *testing.T) {
	for _, test := range []struct {
		cascade  string
		statusB  int
		status   int
		outcomes string
		last     string // the last call that was seen
	}{
		{trail.Absorb, 200, 200, "0 200, 1 200, 2 200, 3 200", "end /d"},
		{trail.Propagate, 200, 200, "0 200, 1 200, 2 200, 3 200", "end /d"},
		{trail.Absorb, 503, 200, "0 200, 1 503, 2 200, 3 200", "end /d"},
		{trail.Propagate, 503, 500, "0 200, 1 503, 2 200", "end /c"},
	} {
		up := &steps{t: t, tries: map[string]string{}, statusB: test.statusB}
		up.side.Add(2)
		url := listen(t, up)
		s := caller(t, []string{url + "/a"}, []string{url + "/b", url + "/c"}, []string{url + "/d"})
		r, hop := getTrail(t, s.url, "cascade", test.cascade, trail.HeaderAttempt, "1")
		if r.StatusCode != test.status || outcomes(hop) != test.outcomes {
			t.Errorf("%s, %d: status %d and calls %s, want %d and %s", test.cascade, test.statusB, r.StatusCode, outcomes(hop), test.status, test.outcomes)
		}
		up.mutex.Lock()
		at := func(what string) int { return slices.Index(up.seen, what) }
		if at("begin /a") != 0 || at("end /a") != 1 || at("begin /b") > 3 || at("begin /c") > 3 || at("end /c") < 4 || up.seen[len(up.seen)-1] != test.last {
			t.Errorf("%s, %d: the upstream saw %q", test.cascade, test.statusB, up.seen)
		}
		want := map[string]string{"/a": "1", "/b": "1:1", "/c": "1:2", "/d": "1:3"}
		for path, tries := range up.tries {
			if tries != want[path] {
				t.Errorf("%s carried tries %q, want %q", path, tries, want[path])
			}
		}
		up.mutex.Unlock()
		if c := hop.Calls[2]; c.Elapsed < 30*time.Millisecond || hop.Elapsed < c.Elapsed || !strings.HasSuffix(c.URL, "/c") {
			t.Errorf("call %s took %v of %v, want at least 30ms", c.URL, c.Elapsed, hop.Elapsed)
		}
	}
}

// No two calls of a try have the same draw, also not two calls to one service: each draw is that of the path of its call.
func TestSiblingsDoNotShareDraws(t *testing.T) {
	rating := leaf(t, "rating")
	s := caller(t, []string{rating.url, rating.url}, []string{rating.url})
	differ := 0
	for n := range 40 {
		request := fmt.Sprintf("1/tree/%d", n)
		r, hop := getTrail(t, s.url, "fail", "0.5", trail.HeaderRequest, request, trail.HeaderAttempt, "1")
		if trail.Draw("fail", request, "caller", "1") < 0.5 {
			if r.StatusCode != 500 || hop.Calls != nil {
				t.Errorf("%s: %d, want 500 and no call", request, r.StatusCode)
			}
			continue
		}
		var want []string
		for number, tries := range []string{"1.0", "1:1.0", "1:2.0"} {
			status := 200
			if trail.Draw("fail", request, "rating", tries) < 0.5 {
				status = 500
			}
			want = append(want, fmt.Sprintf("%d %d", number, status))
		}
		if got := outcomes(hop); got != strings.Join(want, ", ") {
			t.Errorf("%s: calls %s, want %s", request, got, strings.Join(want, ", "))
		}
		if want[0][2:] != want[1][2:] && want[1][2:] != want[2][2:] {
			differ++
		}
	}
	if differ == 0 {
		t.Error("no request had calls of different outcomes: the test shows nothing")
	}
}

// The probabilities in the configuration replace those that the request asks for.
func TestOwnProbabilities(t *testing.T) {
	const hang = 50 * time.Millisecond
	url := leaf(t, "leaf").url
	for _, test := range []struct {
		name       string
		fail, hang *float64
		header     []string
		status     int
		hangs      bool
	}{
		{"none", nil, nil, []string{"fail", "1", "hang", "1"}, 500, true},
		{"fails", pointer(1.), nil, nil, 500, false},
		{"fails though not asked to", pointer(1.), nil, []string{"fail", "0"}, 500, false},
		{"never fails", pointer(0.), nil, []string{"fail", "1"}, 200, false},
		{"hangs though not asked to", nil, pointer(1.), []string{"hang", "0"}, 200, true},
		{"never hangs", nil, pointer(0.), []string{"hang", "1"}, 200, false},
	} {
		wait := hang
		if !test.hangs {
			wait = time.Hour
		}
		s := open(t, Config{Service: "middleware", Version: "canary", Upstream: url, FailProbability: test.fail, HangProbability: test.hang, Hang: wait})
		r, hop := getTrail(t, s.url, append(test.header, trail.HeaderRequest, "1/own/1")...)
		if r.StatusCode != test.status || test.hangs && hop.Elapsed < hang {
			t.Errorf("%s: status %d after %v, want %d, hang %v", test.name, r.StatusCode, hop.Elapsed, test.status, test.hangs)
		}
	}
	s := open(t, Config{Service: "middleware", Version: "canary", Upstream: url, FailProbability: pointer(0.4)})
	for n := range 30 {
		request := fmt.Sprintf("1/own/%d", n)
		fails := trail.Draw("fail", request, "middleware", "0") < 0.4
		if r := get(t, s.url, "fail", "0", trail.HeaderRequest, request); (r.StatusCode == 500) != fails {
			t.Errorf("%s: status %d, its draw fails: %v", request, r.StatusCode, fails)
		}
	}
}

// All services receive the pins. They decide which tries fail or hang, and there are no draws, also none by configured probabilities.
func TestPins(t *testing.T) {
	const hang = 50 * time.Millisecond
	end := open(t, Config{Service: "end", Version: "prod", Calls: [][]calls.Call{}, FailProbability: pointer(1.), HangProbability: pointer(1.), Hang: time.Hour})
	middle := open(t, Config{Service: "middle", Version: "prod", Calls: [][]calls.Call{{{URL: end.url}, {URL: end.url}}}, Hang: hang})
	first := open(t, Config{Service: "first", Version: "prod", Upstream: middle.url, Hang: time.Hour})
	for _, test := range []struct {
		pins                      string
		first, middle, end0, end1 int // statuses; 0: the service was not called
		middleHangs               bool
	}{
		{"9=fail", 200, 200, 200, 200, false}, // no try has this path
		{trail.PinNothing, 200, 200, 200, 200, false},
		{"0.0.0=fail", 200, 200, 500, 200, false},
		{"0.0:1.0=fail", 200, 200, 200, 500, false},
		{"*.*.*=fail,0.0:1.*=fail", 200, 200, 500, 500, false},
		{"0.0=fail", 200, 500, 0, 0, false},
		{"0.0=hang,0.0.0=fail", 200, 200, 500, 200, true},
		{"0=fail", 500, 0, 0, 0, false},
		{"0.0=503", 200, 503, 0, 0, false},
	} {
		header := []string{trail.HeaderPins, test.pins, "fail", "1", "hang", "1"}
		for _, named := range [][]string{nil, {trail.HeaderRequest, "1/probes/1"}} {
			r, hop := getTrail(t, first.url, append(named, header...)...)
			got := [4]int{r.StatusCode}
			if len(hop.Calls) > 0 {
				called := hop.Calls[0].Hop
				got[1] = called.Status
				if test.middleHangs && called.Elapsed < hang {
					t.Errorf("%s: middle took %v, want a hang of %v", test.pins, called.Elapsed, hang)
				}
				for i := range called.Calls {
					got[2+i] = called.Calls[i].Status
				}
			}
			if want := [4]int{test.first, test.middle, test.end0, test.end1}; got != want {
				t.Errorf("pins %s, named %q: statuses %v, want %v", test.pins, named, got, want)
			}
		}
	}
}

// sent is an upstream that keeps the method, the headers and the body of each request.
type sent struct {
	mutex sync.Mutex
	lines []string
}

func (s *sent) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.lines = append(s.lines, fmt.Sprintf("%s %s %q %d %v %v", r.Method, r.URL, body, r.ContentLength, r.TransferEncoding, err))
}

// taken returns what was received since it was last called.
func (s *sent) taken() (lines []string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	lines, s.lines = s.lines, nil
	return lines
}

func TestMethodsAndBodiesArrive(t *testing.T) {
	up := &sent{}
	url := listen(t, up)
	long := strings.Repeat("long ", calls.MaxBody/5)
	s := open(t, Config{Service: "caller", Version: "prod", Calls: [][]calls.Call{
		{{URL: url + "/a?b=c", Method: "POST", Body: `{"of": 1}`}}, {{URL: url + "/d", Method: "PUT", Body: long}}, {{URL: url, Method: "DELETE"}},
		{{URL: url + "/e", Body: "a body of GET"}}, {{URL: url + "/f", Method: "POST"}}, {{URL: url + "/g", Method: "HEAD"}},
	}})
	for _, method := range []string{"GET", "POST", "DELETE", "PATCH", "OPTIONS"} { // each try causes the same calls
		r, err := send(t, t.Context(), method, s.url, strings.NewReader(strings.Repeat("what came ", 10_000)), "Accept", "application/json")
		hop, decodeErr := trail.Decode([]byte(r.body))
		if err != nil || decodeErr != nil || r.StatusCode != 200 || outcomes(hop) != "0 200, 1 200, 2 200, 3 200, 4 200, 5 200" {
			t.Fatalf("%s: %v %v, %v %.300s", method, r.Response, err, decodeErr, r.body)
		}
		want := []string{`POST /a?b=c "{\"of\": 1}" 9 [] <nil>`, fmt.Sprintf(`PUT /d %q %d [] <nil>`, long, len(long)), `DELETE / "" 0 [] <nil>`,
			`GET /e "a body of GET" 13 [] <nil>`, `POST /f "" 0 [] <nil>`, `HEAD /g "" 0 [] <nil>`}
		if got := up.taken(); !slices.Equal(got, want) {
			t.Errorf("%s: the upstream received %.300q, want %.300q", method, got, want)
		}
	}
	if got := counted(t, s.url); got["caller-prod 0:200"] != 5 || len(got) != 1 {
		t.Errorf("counted %v, want 5 tries", got)
	}
}

// A try whose body does not come to its end has lost its caller: it is counted and recorded as cut, even if it would fail at once.
func TestTryWhoseBodyIsCut(t *testing.T) {
	s := hop(t, &recorder{})
	connection, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(connection, "POST / HTTP/1.1\r\nHost: a\r\nfail: 1\r\n"+trail.HeaderRequest+": 1/cut/1\r\nContent-Length: 10\r\n\r\nhalf"); err != nil {
		t.Fatal(err)
	}
	_ = connection.Close()
	awaitCount(t, s.url, "middleware-canary 0:499")
	awaitInFlight(t, s.url, 0)
	if got := recorded(t, s.url, "1/cut/1"); len(got.Spans) != 1 || got.Spans[0].Status != trail.CodeCut {
		t.Errorf("recorded %+v, want a cut try", got.Spans)
	}
}

// A request with a name is a try at every path. Without a name, the service itself answers some paths.
func TestNamedRequestsAreTriesWhereverTheyGo(t *testing.T) {
	rec := &recorder{}
	s := hop(t, rec)
	paths := []string{"metrics", "healthz", "readyz", "spans?request=a", "probe/?host=n.hellochaos.invalid"}
	for i, path := range paths {
		if _, hop := getTrail(t, s.url+path, trail.HeaderRequest, "1/paths/1"); hop.Service != "middleware" || len(hop.Calls) != 1 {
			t.Errorf("%s: %+v, want a hop with a call", path, hop)
		}
		if got := counted(t, s.url)["middleware-canary 0:200"]; got != i+1 || len(rec.received()) != i+1 {
			t.Errorf("%s: %d tries counted and %d calls made, want %d", path, got, len(rec.received()), i+1)
		}
	}
	for _, path := range []string{"metrics", "healthz", "readyz"} {
		get(t, s.url+path)
	}
	if got := len(rec.received()); got != len(paths) {
		t.Errorf("%d calls after requests without a name, want %d", got, len(paths))
	}
	// A relay sends named requests on.
	relay := open(t, Config{Service: "caller", Version: "v1", Role: Relay})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, relay.url+"metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host, request.Close = strings.TrimPrefix(listen(t, rec), "http://"), true
	request.Header.Set(trail.HeaderRequest, "1/paths/2")
	response, err := new(http.Transport).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if got := len(rec.received()); got != len(paths)+1 {
		t.Errorf("a relay sent %d requests on, want 1", got-len(paths))
	}
}

func TestMetricsTellTheFormOfTrails(t *testing.T) {
	for _, s := range []place{leaf(t, "leaf"), open(t, Config{Role: Clock})} {
		if page, want := get(t, s.url+"metrics").body, "\n"+trail.MetricForm+`{form="3"} 1`+"\n"; !strings.Contains(page, want) {
			t.Errorf("metrics lack %q:\n%s", want, page)
		}
	}
}
