package live

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// A run is told phase by phase, with its tries and its numbers as they come, and its verdict at the end.
func TestFollowing(t *testing.T) {
	chosen, err := scenarios.Choose([]string{"retry"})
	if err != nil {
		t.Fatal(err)
	}
	phases, err := scenarios.Phases(chosen, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := run.Options{Fail: 0.3, Cascade: "absorb", Exclude: 0.2, SplitLo: 0.7, SplitHi: 1.4, Seed: 7}
	o.Attack.Rate, o.Attack.Timeout = 500, 10*time.Second
	plan, err := run.Plan("retry", phases, o, run.Pace{Capacity: mesh.Capacity, Timed: mesh.Timed})
	if err != nil {
		t.Fatal(err)
	}
	f := Follow(plan, "hellochaos run retry")
	plan.Subscribe(f.Handle)
	f.TellsTries()
	leave := f.Watch()
	m, err := mesh.New(mesh.Options{Seed: 7, Tries: f.Try})
	if err != nil {
		t.Fatal(err)
	}
	report := make(chan *reports.Report)
	go func() { report <- plan.Execute(t.Context(), m) }()
	var notices []string
	forming, retried := false, false
	late := time.After(time.Minute)
	for over := false; !over; {
		select {
		case <-f.News():
			b := f.Take()
			if b.State != nil {
				notices = append(notices, b.State.Notice)
				over = b.State.Result != nil
			}
			if b.Numbers != nil && !b.Numbers.Counted {
				for _, c := range b.Numbers.Phase.Calls {
					if slices.ContainsFunc(c.Waits, func(w reports.Wait) bool { return w.Verdict != reports.NotJudged }) {
						t.Errorf("waits are judged before the end: %+v", c.Waits)
					}
				}
			}
			forming = forming || b.Numbers != nil && !b.Numbers.Counted && b.Numbers.Done > 0 && b.Numbers.Phase.Verdict == reports.Inconclusive && b.Numbers.Phase.Calls[0].Fails.N > 0
			retried = retried || slices.ContainsFunc(b.Tries, func(t Try) bool { return t.Attempt == 2 && t.To == "middleware" })
		case <-late:
			t.Fatalf("the run was not told to its end: %q", notices)
		}
	}
	leave()
	f.End()
	<-f.Over()
	r := <-report
	whole := f.Whole()
	if s := whole.State; s.Result.Verdict != r.Verdict || !strings.EqualFold(s.Result.Text, r.Summary+".") || len(s.Stages) != 2 || s.Stages[0].Name != "prod" || s.Stages[1].Verdict != r.Phases[1].Verdict || !s.ReadOnly || s.Untold {
		t.Errorf("%+v of a report %s, %s", s, r.Verdict, r.Summary)
	}
	if n := whole.Numbers; !n.Counted || n.Phase.Name != "retry" || n.Phase.Verdict != r.Phases[1].Verdict {
		t.Errorf("%+v", n)
	}
	if !forming || !retried || !slices.ContainsFunc(notices, func(s string) bool { return strings.Contains(s, "phase retry") }) {
		t.Errorf("numbers that form %v, retries %v, %q", forming, retried, notices)
	}
}

// Nothing is judged and no try is told of while nobody watches.
func TestFollowingUnwatched(t *testing.T) {
	f := &Following{feed: newFeed(), at: -1}
	f.Handle(run.Progress{Stand: func() *run.Standing {
		t.Error("the phase was judged for nobody")
		return &run.Standing{Phase: &reports.Phase{}}
	}})
	f.Try(&mesh.Try{Request: "a"})
	if b := f.Take(); len(b.Tries) > 0 || b.Numbers != nil {
		t.Errorf("%+v", b)
	}
	defer f.Watch()()
	f.Try(&mesh.Try{Request: "a"})
	if b := f.Take(); len(b.Tries) != 1 {
		t.Errorf("%+v, want the try", b)
	}
}
