package gauge

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/attack/share"
	"github.com/hellochaos/hellochaos/attack/share/crewtest"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/load"
)

// Workers send the same requests as one process. What a worker that dies has not said is missing, and the report says so.
func TestMergeWorkers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	wanted, err := Expectations([]string{"errors <= 60%"})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Options: attack.Options{Rate: 400, MaxRequests: 201, Timeout: time.Minute}, Targets: get(server.URL+"/", server.URL+"/bad"), Weights: []int{2, 1}, Expect: wanted}
	a, err := Plan(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, dies := range []bool{false, true} {
		crew := &crewtest.Crew{T: t, Workers: 3, Counter: Counter}
		if dies {
			crew.Dies, crew.After = 2, 2 // it has said that it knows when to begin, and nothing more
		}
		r, err := a.Merge(t.Context(), &share.Team{Crew: crew}, nil, func(Progress) {})
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := load.Text(&text, r, false); err != nil {
			t.Fatal(err)
		}
		if !dies {
			if r.Requests.OK != 134 || r.Requests.Failed != 67 || r.Requests.Planned != 201 || r.Verdict != reports.Pass || !strings.Contains(text.String(), "by 3 workers") {
				t.Errorf("%+v, %s", r.Requests, text.String())
			}
			continue
		}
		if r.Requests.OK+r.Requests.Failed != 134 || len(r.Incomplete) != 1 || r.Incomplete[0].Missing != 67 || r.Verdict != reports.Inconclusive || r.ExitCode() != reports.ExitInconclusive ||
			!strings.Contains(text.String(), "INCOMPLETE  1 of 3 workers died") || !strings.Contains(text.String(), "worker 2 of 3 died (signal: killed): of its 67 requests, 67 are") {
			t.Errorf("%+v, %+v, %s", r.Requests, r.Incomplete, text.String())
		}
	}
}

// The same expectation ends an attack of workers early that one process would end, and what was sent by then is counted.
func TestMergeAborts(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	wanted, err := Expectations([]string{"errors <= 1%"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := Plan(Options{Options: attack.Options{Rate: 100, MaxRequests: 6000, Timeout: time.Minute}, Targets: get(server.URL + "/"), Expect: wanted, Abort: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Merge(t.Context(), &share.Team{Crew: &crewtest.Crew{T: t, Workers: 2, Counter: Counter}}, nil, func(Progress) {})
	if err != nil || r.Aborted != "errors <= 1%" || r.Verdict != reports.Fail || r.Requests.Sent < 50 || r.Requests.Sent > 3000 {
		t.Errorf("%+v, %v", r, err)
	}
}
