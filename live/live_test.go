package live

import (
	"cmp"
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// started is a session with its load, which somebody watches.
func started(t *testing.T, c Controls) *Session {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	s, err := New(ctx, Options{Controls: c, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	go s.Run(ctx)
	t.Cleanup(func() {
		stop()
		<-s.ended
		if err := s.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
	s.Watch()
	return s
}

// until takes batches until one is as wanted.
func until(t *testing.T, s *Session, wanted func(*Batch) bool) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case <-s.News():
			if b := s.Take(); wanted(&b) {
				return
			}
		case <-late:
			t.Fatal("what was wanted did not come within a minute")
		}
	}
}

// The verdict forms, and a break is found; the tries that are told of have retries among them.
func TestVerdictForms(t *testing.T) {
	s := started(t, Controls{Stage: "retry", Fail: 0.3, Rate: MaxRate})
	retried, versions := false, map[string]bool{}
	until(t, s, func(b *Batch) bool {
		for _, try := range b.Tries {
			retried = retried || try.Attempt == 3 && try.Caller == "frontend" && try.To == "middleware"
			versions[try.To+" "+try.Version] = true
		}
		return b.Numbers != nil && b.Numbers.Counted
	})
	if n := s.Whole().Numbers; n.Phase.Verdict != reports.Pass && len(n.Notes) == 0 || n.Phase.Verdict == reports.Fail || n.Done < n.Settled {
		t.Errorf("%s after %d of %d: %q, %+v", n.Phase.Verdict, n.Done, n.Settled, n.Notes, n.Phase.Mismatches)
	}
	if !retried || !versions["middleware prod"] || versions["middleware canary"] {
		t.Errorf("retries %v, versions %v", retried, versions)
	}
	c := s.Whole().State.Controls
	c.Break = "no-retries"
	if err := s.Set(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	until(t, s, func(b *Batch) bool { return b.Numbers != nil && b.Numbers.Phase.Verdict == reports.Fail })
	if state := s.Whole().State; !strings.Contains(state.Notice, "the mesh is broken: no-retries") || !strings.Contains(state.Command, "run retry --fail 0.3 --rate 500 --seed 7 --break no-retries") {
		t.Errorf("%q, %q", state.Notice, state.Command)
	}
}

// What is wrong is told, and changes nothing.
func TestWhatIsRefused(t *testing.T) {
	s := started(t, Controls{Stage: "retry", Rate: 5})
	err := s.Set(t.Context(), Controls{Stage: "retri", Fail: 2, Rate: 9999, Header: " x", Break: "nothing"})
	for _, want := range []string{"no stage retri (did you mean", "--fail 2: must be", "rate 9999: must be", "x-dev-user: must be", "no break nothing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := s.Set(t.Context(), Controls{Stage: "retry", Rate: 5, Canary: 101}); err == nil || !strings.Contains(err.Error(), "--canary-weight 101: must be a whole number of percent") {
		t.Errorf("a weight above 100: %v", err)
	}
	if err := s.Edit(t.Context(), "retry", "kind: [\n"); err == nil || !strings.HasPrefix(err.Error(), "retry.yaml:") {
		t.Errorf("no YAML: %v", err)
	}
	if got := s.Whole().State.Controls; got.Stage != "retry" || got.Rate != 5 {
		t.Errorf("%+v, want what was in force", got)
	}
}

// YAML without retryOn makes calls fail as often as a try, and its own text comes back.
func TestEdit(t *testing.T) {
	s := started(t, Controls{Stage: "retry", Fail: 0.5, Rate: 100})
	own := s.Whole().State.Stages[2].YAML
	if err := s.Edit(t.Context(), "retry", strings.ReplaceAll(own, "        retryOn: 5xx,connect-failure,refused-stream\n", "")); err != nil {
		t.Fatal(err)
	}
	until(t, s, func(b *Batch) bool { return b.Numbers != nil && b.Numbers.Done > 0 })
	b := s.Whole()
	for _, c := range b.Numbers.Phase.Calls {
		if c.To == "middleware" && c.Fails.Predicted != 0.5 {
			t.Errorf("middleware fails with %v, want 0.5", c.Fails.Predicted)
		}
	}
	if state := b.State; !state.Stages[2].Edited || !strings.Contains(state.Command, "--manifests mine") {
		t.Errorf("edited %v, command %q", state.Stages[2].Edited, state.Command)
	}
	if err := s.Edit(t.Context(), "retry", ""); err != nil || s.Whole().State.Stages[2].YAML != own {
		t.Errorf("the stage's own YAML does not come back: %v", err)
	}
}

// A request by hand is told with all its tries, and the header leads it to the canary.
func TestSend(t *testing.T) {
	s := started(t, Controls{Stage: "canary", Fail: 0, Rate: 1, Stopped: true})
	sent, err := s.Send(t.Context(), "super-secret")
	if err != nil || sent.Status != 200 || len(sent.Tries) != 3 {
		t.Fatalf("%+v, %v, want 200 and a try of each of three services", sent, err)
	}
	if got := sent.Tries; got[0].Caller != edge || got[1].To != "middleware" || got[1].Version != "canary" || got[2].To != "backend" {
		t.Errorf("%+v", got)
	}
	c := s.Whole().State.Controls
	c.Fail = 0.2
	if err := s.Set(t.Context(), c); err != nil || s.Whole().State.Notice != "The load is stopped, fail is now 0.2." {
		t.Errorf("%v, %q", err, s.Whole().State.Notice)
	}
	if _, err := s.Send(t.Context(), "\n"); err == nil {
		t.Error("a header with a line break was sent")
	}
}

// Each stage can be kept with each break that it shows.
func TestStages(t *testing.T) {
	s := started(t, Controls{Stage: "", Rate: 50, Fail: 0.2})
	for _, stage := range []string{"egress", "prod", "retry", "ingress", "canary", ""} {
		c := s.Whole().State.Controls
		c.Stage = stage
		began := time.Now()
		if err := s.Set(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		until(t, s, func(b *Batch) bool { return b.Numbers != nil && b.Numbers.Done > 0 })
		t.Logf("stage %q: first answers after %v", stage, time.Since(began))
		if got := s.Whole().Numbers; got == nil || got.Phase.Name != cmp.Or(stage, application) || got.Phase.Verdict == reports.Fail {
			t.Errorf("stage %q: %+v", stage, got)
		}
	}
}

// The phases of a scenario file are the steps, and its graph is its own.
func TestScenarioFile(t *testing.T) {
	file, err := scenarios.OpenFile("../scenarios/draft/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), Options{Scenario: file, Controls: Controls{Rate: 20, Fail: 0.2, Stopped: true}})
	if err != nil {
		t.Fatal(err)
	}
	state := s.Whole().State
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if state.Application || len(state.Stages) == 0 || !state.Stages[0].Applied || !strings.Contains(state.Stages[0].YAML, "kind: ") || !strings.HasPrefix(state.Command, "hellochaos run ../scenarios/draft/example.yaml --fail 0.2") {
		t.Errorf("%+v", state)
	}
}
