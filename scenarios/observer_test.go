package scenarios

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
)

// An observer is told of the beginning, of each phase from its first request to its last answer, and of each stage.
func TestObserver(t *testing.T) {
	stages, err := Choose([]string{"egress", "prod"})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Seed: 3, Cascade: "absorb", Tolerance: 0.05, Attack: attack.Options{MaxRequests: 300, Rate: 500}}
	run, err := Plan(stages, o, Pace{1000, 5 * time.Millisecond}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	seen := 0
	run.Observe(Observer{
		Began: func(r reports.Report) {
			told = append(told, fmt.Sprintf("began, seed %d, %d stages", r.Settings.Seed, len(r.Stages)))
		},
		Phase: func(at Snapshot) {
			counted := at.Tally.Cohorts[0].Requests
			if int64(at.Phase.Observed) != counted || len(at.Cohorts) != 1 || at.Phase.Started.IsZero() || at.Phase.PlannedRate != 500 {
				t.Errorf("%+v of %d in the tally", at.Phase, counted)
			}
			for _, c := range at.Checks {
				if (c.After != nil) != (at.Phase.Name == "after") || (c.Before != nil) == (c.After != nil) {
					t.Errorf("%s: %+v, want a number of this phase alone", at.Phase.Name, c)
				}
			}
			switch counted {
			case 0:
				told = append(told, fmt.Sprintf("%s %s begins, %d checks", at.Stage, at.Phase.Name, len(at.Checks)))
			case int64(at.Phase.Planned):
				told = append(told, fmt.Sprintf("%s %s ends, %d checks", at.Stage, at.Phase.Name, len(at.Checks)))
			default:
				seen++
			}
		},
		Stage: func(s reports.Stage) {
			told = append(told, fmt.Sprintf("%s: %d phases, %d checks, %q", s.Name, len(s.Phases), len(s.Checks), s.Verdict))
			s.Checks[0].Verdict, s.Phases[0].Sent = "mine", -1 // the copy is the observer's own
		},
	})
	f := &failing{server: httptest.NewServer(http.NotFoundHandler())}
	defer f.server.Close()
	report := run.Execute(t.Context(), f, nil)
	want := []string{"began, seed 3, 0 stages",
		"egress before begins, 2 checks", "egress before ends, 2 checks", `egress: 1 phases, 2 checks, ""`,
		"egress after begins, 2 checks", "egress after ends, 2 checks", `egress: 2 phases, 2 checks, ""`, `egress: 2 phases, 2 checks, "inconclusive"`,
		"prod before begins, 1 checks", "prod before ends, 1 checks", `prod: 1 phases, 1 checks, ""`,
		"prod after begins, 1 checks", "prod after ends, 1 checks", `prod: 2 phases, 1 checks, ""`, `prod: 2 phases, 1 checks, "inconclusive"`}
	if !slices.Equal(told, want) {
		t.Errorf("told:\n%q\nwant:\n%q", told, want)
	}
	if seen < 4 {
		t.Errorf("%d times in between, want at least 4 of about 8", seen)
	}
	if p := report.Stages[0].Phases[0]; p.Sent != 300 || p.Started.IsZero() || report.Stages[0].Checks[0].Verdict != reports.Inconclusive {
		t.Errorf("the observer changed the report: %+v", p)
	}
}

// Without an observer nothing is added to a request.
func TestUnwatched(t *testing.T) {
	p := &phase{}
	calls := 0
	observe := p.watched(nil, func(*attack.Observation) bool { calls++; return true })
	if n := testing.AllocsPerRun(100, func() { observe(nil) }); n != 0 || calls == 0 {
		t.Errorf("%v allocations, %d calls", n, calls)
	}
}

// BenchmarkWatched is what a request pays for an observer that is told of it, and without one.
func BenchmarkWatched(b *testing.B) {
	tally := attack.NewTally(1)
	for name, watcher := range map[string]func(Snapshot){"off": nil, "on": func(Snapshot) {}} {
		b.Run(name, func(b *testing.B) {
			p := &phase{stage: &Stage{}, cohorts: plain(), watcher: watcher}
			observe := p.watched(tally, func(*attack.Observation) bool { return true })
			b.ReportAllocs()
			for b.Loop() {
				observe(nil)
			}
		})
	}
}
