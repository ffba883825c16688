package main

import (
	"encoding/json"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

// measure runs the program with --format json and decodes what it prints.
func measure(t *testing.T, wantCode int, args ...string) *reports.Report {
	t.Helper()
	got := execute(t, append(args, "--format", "json", "--seed", "7")...)
	report := reported(t, got, args)
	if got.code != wantCode {
		t.Fatalf("hellochaos %v: exit %d (%s), want %d; %s", args, got.code, report.Summary, wantCode, words(report))
	}
	return report
}

var (
	retriedOnce   sync.Once
	retriedReport *reports.Report
)

// retried is the report of one run of stage retry, which several tests look at.
func retried(t *testing.T) *reports.Report {
	t.Helper()
	retriedOnce.Do(func() { retriedReport = measure(t, 0, "run", "retry", "--fail", "0.5") })
	if retriedReport == nil {
		t.Fatal("the run of stage retry failed in the test before")
	}
	return retriedReport
}

// reported is the report that the program printed as JSON.
func reported(t *testing.T, got ended, args []string) *reports.Report {
	t.Helper()
	report := new(reports.Report)
	if err := json.Unmarshal([]byte(got.stdout), report); err != nil {
		t.Fatalf("hellochaos %v: %v\n%s%s", args, err, got.stdout, got.stderr)
	}
	return report
}

// words are all words of a report, and what others did meanwhile.
func words(r *reports.Report) string {
	var all []string
	for _, p := range r.Phases {
		all = append(append(all, p.Words...), p.Incidents...)
	}
	for _, c := range r.Changes {
		all = append(all, c.Words...)
	}
	return strings.Join(all, "\n")
}

// phaseOf is the phase of a report with that name.
func phaseOf(t *testing.T, r *reports.Report, name string) *reports.Phase {
	t.Helper()
	for i := range r.Phases {
		if r.Phases[i].Name == name {
			return &r.Phases[i]
		}
	}
	t.Fatalf("the report has no phase %q: %s %s", name, r.Summary, r.Error)
	return nil
}

// callTo is the first row of calls to a service in a phase.
func callTo(t *testing.T, r *reports.Report, phase, to string) *reports.Call {
	t.Helper()
	p := phaseOf(t, r, phase)
	for i := range p.Calls {
		if p.Calls[i].To == to {
			return &p.Calls[i]
		}
	}
	t.Fatalf("phase %s has no calls to %q", phase, to)
	return nil
}

// expectFails compares the prediction of how often calls fail exactly, to four digits, and what was measured within five standard
// deviations.
func expectFails(t *testing.T, r *reports.Report, phase, to string, want float64) {
	t.Helper()
	holds(t, phase+", calls to "+to, &callTo(t, r, phase, to).Fails, want)
}

// expectShare does the same with a share of requests.
func expectShare(t *testing.T, r *reports.Report, phase, name string, want float64) {
	t.Helper()
	for _, s := range phaseOf(t, r, phase).Shares {
		if s.Name == name {
			holds(t, phase+", "+name, &s, want)
			return
		}
	}
	t.Errorf("phase %s has no share %q", phase, name)
}

func holds(t *testing.T, what string, s *reports.Share, want float64) {
	t.Helper()
	if s.Measured == nil || s.N < 50 {
		t.Errorf("%s: %d of %d, want at least 50", what, s.K, s.N)
		return
	}
	if math.Abs(s.Predicted-want) > 0.00051+5*s.PredictedError {
		t.Errorf("%s: predicted %.4f, want %.4f", what, s.Predicted, want)
	}
	if margin := 5*math.Sqrt(want*(1-want)/float64(s.N)) + 3/float64(s.N); math.Abs(*s.Measured-want) > margin {
		t.Errorf("%s: measured %.4f of %d, want %.4f within %.4f", what, *s.Measured, s.N, want, margin)
	}
}
