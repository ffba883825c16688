package service

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hellochaos/hellochaos/service/trail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// place is a service behind a socket.
type place struct {
	*Service
	url string
}

// open serves config on 127.0.0.1 until the test ends.
func open(t testing.TB, config Config) place {
	t.Helper()
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return place{s, listen(t, s) + "/"}
}

func listen(t testing.TB, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	if s, ok := handler.(*Service); ok {
		t.Cleanup(s.Close)
	}
	return server.URL
}

// recorder is an upstream that keeps the requests that it receives, and answers as the test sets it.
type recorder struct {
	mutex   sync.Mutex
	headers []http.Header
	answer  http.HandlerFunc
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec.mutex.Lock()
	rec.headers = append(rec.headers, r.Header)
	rec.mutex.Unlock()
	if rec.answer != nil {
		rec.answer(w, r)
	}
}

func (rec *recorder) received() []http.Header {
	rec.mutex.Lock()
	defer rec.mutex.Unlock()
	return slices.Clone(rec.headers)
}

// hop is the middleware of a chain with the upstream rec.
func hop(t testing.TB, rec *recorder) place {
	return open(t, Config{Service: "middleware", Version: "canary", Upstream: listen(t, rec) + "/up?x=1"})
}

// reply is an answer with its whole body.
type reply struct {
	*http.Response
	body string
}

// send sends a request with headers, given as names and values, over a new connection.
func send(t testing.TB, ctx context.Context, method, url string, body io.Reader, header ...string) (reply, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Add(header[i], header[i+1])
	}
	request.Close = true
	response, err := new(http.Transport).RoundTrip(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return reply{response, string(text)}, err
}

func get(t testing.TB, url string, header ...string) reply {
	t.Helper()
	r, err := send(t, t.Context(), http.MethodGet, url, nil, header...)
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	return r
}

// getTrail sends a request that accepts JSON, and decodes the trail in the answer.
func getTrail(t testing.TB, url string, header ...string) (reply, *trail.Hop) {
	t.Helper()
	r := get(t, url, append(header, "Accept", "text/html, application/json;q=0.9")...)
	if got := r.Header.Get(trail.HeaderTrail); got != trail.Form {
		t.Fatalf("GET %s %q: header %s = %q, want %s; body %q", url, header, trail.HeaderTrail, got, trail.Form, r.body)
	}
	hop, err := trail.Decode([]byte(r.body))
	if err != nil {
		t.Fatalf("GET %s: %v in %s", url, err, r.body)
	}
	return r, hop
}

var tryLine = regexp.MustCompile(`(?m)^hellochaos_tries_total\{attempt="(\d+)",code="(\d+)",mirrored="no",pinned="(true|false)",service="([a-z]+)",version="([a-z]*)"\} (\d+)$`)

// counted is what the service counted, "middleware-canary 2:500" (attempt:code) to number; "middleware-canary 2:500 pinned"
// for tries of requests with pins.
func counted(t testing.TB, url string) map[string]int {
	t.Helper()
	counts := make(map[string]int)
	for _, match := range tryLine.FindAllStringSubmatch(get(t, url+"metrics").body, -1) {
		what := fmt.Sprintf("%s-%s %s:%s", match[4], match[5], match[1], match[2])
		if match[3] == "true" {
			what += " pinned"
		}
		counts[what], _ = strconv.Atoi(match[6])
	}
	return counts
}

// awaitCount waits until the service counted such a try.
func awaitCount(t *testing.T, url, what string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); counted(t, url)[what] == 0; {
		if time.Now().After(deadline) {
			t.Fatalf("service counted %v, want a %q", counted(t, url), what)
		}
	}
}

// awaitInFlight waits until number tries are in flight.
func awaitInFlight(t *testing.T, url string, number int) {
	t.Helper()
	want := regexp.MustCompile(fmt.Sprintf(`(?m)^hellochaos_tries_in_flight\{.*\} %d$`, number))
	for deadline := time.Now().Add(10 * time.Second); !want.MatchString(get(t, url+"metrics").body); {
		if time.Now().After(deadline) {
			t.Fatalf("want %d tries in flight:\n%s", number, get(t, url+"metrics").body)
		}
	}
}

func TestMetricsCountTriesByAttemptAndOutcome(t *testing.T) {
	s := hop(t, &recorder{})
	for _, header := range [][]string{
		{},
		{trail.HeaderAttempt, "1"},
		{trail.HeaderAttempt, "2"}, {trail.HeaderAttempt, "2"},
		{trail.HeaderAttempt, "2", "fail", "1"},
		{trail.HeaderAttempt, "7", "fail", "x"},
		{trail.HeaderAttempt, "100"}, {trail.HeaderAttempt, "101"}, {trail.HeaderAttempt, "2147483647"},
		{trail.HeaderAttempt, "-1"}, {trail.HeaderAttempt, "one"}, {trail.HeaderAttempt, "4294967297"},
	} {
		before := total(counted(t, s.url))
		get(t, s.url, header...)
		if after := total(counted(t, s.url)); after != before+1 {
			t.Errorf("%q: %d tries counted when its answer was read, want 1", header, after-before)
		}
	}
	if _, err := send(t, t.Context(), http.MethodPost, s.url, nil); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"middleware-canary 0:200": 5, "middleware-canary 1:200": 1, "middleware-canary 2:200": 2,
		"middleware-canary 2:500": 1, "middleware-canary 7:400": 1, "middleware-canary 100:200": 3}
	if got := counted(t, s.url); !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
	for _, want := range []string{
		`hellochaos_try_duration_seconds_count{service="middleware",version="canary"} 13`,
		`hellochaos_tries_in_flight{service="middleware",version="canary"} 0`,
	} {
		awaitInFlight(t, s.url, 0)
		if page := get(t, s.url+"metrics").body; !strings.Contains(page, want) {
			t.Errorf("metrics lack %s:\n%s", want, page)
		}
	}
}

// Tries of requests with pins count apart from those of requests without, whatever the pins say and however the try ends.
func TestMetricsCountPinnedTriesApart(t *testing.T) {
	s := hop(t, &recorder{})
	for _, header := range [][]string{
		{},
		{trail.HeaderPins, trail.PinNothing},
		{trail.HeaderPins, "0=fail"},
		{trail.HeaderPins, "9=fail"},
		{trail.HeaderPins, "0=stop"},
		{"fail", "1"},
		{trail.HeaderRequest, "1/p/1", trail.HeaderAttempt, "2", trail.HeaderPins, "2=fail"},
		{trail.HeaderRequest, "1/p/2", trail.HeaderAttempt, "2", "fail", "1"},
	} {
		get(t, s.url, header...)
	}
	want := map[string]int{"middleware-canary 0:200": 1, "middleware-canary 0:200 pinned": 2, "middleware-canary 0:500 pinned": 1,
		"middleware-canary 0:400 pinned": 1, "middleware-canary 0:500": 1, "middleware-canary 2:500 pinned": 1, "middleware-canary 2:500": 1}
	if got := counted(t, s.url); !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func total(counts map[string]int) (sum int) {
	for _, count := range counts {
		sum += count
	}
	return sum
}

func TestReadinessEndsWithDrain(t *testing.T) {
	s := hop(t, &recorder{})
	statuses := func() string {
		return fmt.Sprint(get(t, s.url+"healthz").StatusCode, get(t, s.url+"readyz").StatusCode, get(t, s.url+"path").StatusCode)
	}
	if got, want := statuses(), "200 200 200"; got != want {
		t.Errorf("healthz, readyz and a try = %s, want %s", got, want)
	}
	s.Drain()
	if got, want := statuses(), "200 503 200"; got != want {
		t.Errorf("healthz, readyz and a try after Drain = %s, want %s", got, want)
	}
	if got, want := counted(t, s.url), map[string]int{"middleware-canary 0:200": 2}; !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func TestClockTellsTheTime(t *testing.T) {
	s := open(t, Config{Role: Clock})
	before := time.Now().UnixMilli()
	r := get(t, s.url+"any/path", "fail", "1", "hang", "nonsense", "Accept", "application/json", trail.HeaderAttempt, "3")
	match := regexp.MustCompile(`^\{"date":"(.+)","milliseconds_since_epoch":(\d+),"time":"(.+)"\}\n$`).FindStringSubmatch(r.body)
	if r.StatusCode != 200 || match == nil || r.Header.Get(trail.HeaderTrail) != "" {
		t.Fatalf("clock = %d %q %v, want 200 and the time without a trail", r.StatusCode, r.body, r.Header)
	}
	milliseconds, _ := strconv.ParseInt(match[2], 10, 64)
	if milliseconds < before || milliseconds > time.Now().UnixMilli() {
		t.Errorf("milliseconds_since_epoch = %d, want between request and answer", milliseconds)
	}
	if got, want := match[1]+" "+match[3], time.UnixMilli(milliseconds).UTC().Format("01-02-2006 03:04:05 PM"); got != want {
		t.Errorf("date and time = %q, want %q", got, want)
	}
	if got, want := counted(t, s.url), map[string]int{"clock- 3:200": 1}; !reflect.DeepEqual(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}
