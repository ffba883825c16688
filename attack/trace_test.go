package attack

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// received are the headers of all requests of a plan as a server received them, by the names of the requests.
func received(t *testing.T, trace bool) (map[string]http.Header, Result) {
	t.Helper()
	var mutex sync.Mutex
	all := map[string]http.Header{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		all[r.Header.Get(trail.HeaderRequest)] = r.Header
		mutex.Unlock()
	}))
	defer server.Close()
	plan := benchmarkPlan(server.URL, 20)
	plan.Trace = trace
	result, err := Run(t.Context(), plan, func(o *Observation) bool {
		if o.Started < 0 || o.Started < o.Planned-time.Millisecond {
			t.Errorf("request %d started %v, planned %v", o.Number, o.Started, o.Planned)
		}
		mutex.Lock()
		defer mutex.Unlock()
		if all[plan.RequestName(o.Number)] == nil {
			t.Errorf("no request was called %s", plan.RequestName(o.Number))
		}
		return true
	})
	if err != nil || len(all) != plan.Requests {
		t.Fatalf("%d of %d requests, %v", len(all), plan.Requests, err)
	}
	return all, result
}

// Each request has the trace id that TraceID returns, and no header that would decide whether the mesh samples it.
func TestTraceHeaders(t *testing.T) {
	all, result := received(t, true)
	trace, span := regexp.MustCompile(`^[0-9a-f]{32}$`), regexp.MustCompile(`^[0-9a-f]{16}$`)
	seen := map[string]bool{}
	for name, header := range all {
		id := header.Get("x-b3-traceid")
		if id != TraceID(name, result.Began) || !trace.MatchString(id) || !span.MatchString(header.Get("x-b3-spanid")) || seen[id] {
			t.Errorf("%s: trace %q and span %q, want trace %q", name, id, header.Get("x-b3-spanid"), TraceID(name, result.Began))
		}
		seen[id] = true
		for _, decides := range []string{"x-b3-sampled", "x-b3-flags", "b3", "traceparent"} {
			if header.Values(decides) != nil {
				t.Errorf("%s: %s is %q", name, decides, header.Values(decides))
			}
		}
		if TraceID(name, result.Began.Add(1)) == id {
			t.Errorf("%s: an attack at another time has the same id", name)
		}
	}
}

func TestNoTraceHeaders(t *testing.T) {
	all, _ := received(t, false)
	for name, header := range all {
		if header.Get("x-b3-traceid") != "" || header.Get("x-b3-spanid") != "" {
			t.Errorf("%s: %v", name, header)
		}
	}
}
