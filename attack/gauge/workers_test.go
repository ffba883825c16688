package gauge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
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
		begin := time.Now().Add(50 * time.Millisecond)
		r, err := a.Merge(t.Context(), 3, func(Progress) {}, func(ctx context.Context, index int, lines func(io.Reader) error) error {
			if dies && index == 1 {
				return errors.New("signal: killed")
			}
			mine := o
			mine.Part, mine.Parts, mine.Begin = index, 3, begin
			part, err := Plan(mine)
			if err != nil {
				return err
			}
			var out bytes.Buffer
			return errors.Join(part.Work(ctx, &out), lines(&out))
		})
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
	if err := a.lines(strings.NewReader("{}\n"), nil); err == nil || !strings.Contains(err.Error(), TallyForm) {
		t.Errorf("a line of something else: %v", err)
	}
}
