package scenarios

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failing is a target that fails at one step; until then it is a server without a mesh.
type failing struct {
	at     string
	server *httptest.Server
	closed int
	read   int // how often the counters were
}

func (f *failing) step(name string) error {
	if f.at == name {
		return errors.New(name + " went wrong")
	}
	return nil
}

func (f *failing) Apply(context.Context, []manifests.Object) error { return f.step("apply") }
func (f *failing) Address(context.Context, target.Entry) (target.Address, error) {
	return target.Address{URL: f.server.URL, Way: "loopback"}, f.step("address")
}
func (f *failing) Incidents(context.Context) ([]target.Incident, error) {
	return []target.Incident{{Text: "somebody looked"}, {Text: "two sources agree", Note: true}}, f.step("incidents")
}
func (f *failing) Counters(context.Context) (target.Counters, error) {
	if f.read++; f.read == 2 {
		return nil, f.step("counters after the load")
	}
	return target.Counters{}, f.step("counters")
}
func (f *failing) Spans(context.Context, []string) ([]trail.Recording, error) {
	return nil, f.step("spans")
}
func (f *failing) Describe() target.Description { return target.Description{Kind: "mesh"} }
func (f *failing) Close(ctx context.Context) (target.Restoration, error) {
	f.closed++
	if err := ctx.Err(); err != nil {
		return target.Restoration{}, err // a cancelled context could not put anything back
	}
	return target.Restoration{}, f.step("close")
}

// Whatever goes wrong in a target, it is closed once, under a context that is not cancelled, and the exit code says what
// it was.
func TestExecuteWhenTheTargetFails(t *testing.T) {
	for at, want := range map[string]int{
		"apply": reports.ExitInfrastructure, "address": reports.ExitInfrastructure, "counters": reports.ExitInfrastructure,
		"counters after the load": reports.ExitInfrastructure, "incidents": reports.ExitInfrastructure,
		"close": reports.ExitNotRestored, "interrupt": reports.ExitAborted,
	} {
		t.Run(at, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			f := &failing{at: at}
			f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if at == "interrupt" {
					cancel()
				}
			}))
			defer f.server.Close()
			stages, err := Choose([]string{"egress", "prod"})
			if err != nil {
				t.Fatal(err)
			}
			o := Options{Cascade: "absorb", Tolerance: 0.05, Attack: attack.Options{MaxRequests: 20, Rate: 1000}}
			run, err := Plan(stages, o, Pace{1000, 5 * time.Millisecond}, nil)
			if err != nil {
				t.Fatal(err)
			}
			report := run.Execute(ctx, f, nil)
			if code := report.ExitCode(); code != want || f.closed != 1 {
				t.Errorf("exit %d and closed %d times, want %d and once: %s", code, f.closed, want, report.Summary)
			}
			if report.Verdict == reports.Pass {
				t.Error("nothing was measured, and the verdict is a pass")
			}
			cause := report.Error
			if at == "close" {
				cause = report.Restoration.Problem
			}
			if at != "interrupt" && !strings.Contains(cause, at+" went wrong") {
				t.Errorf("error %q, want the cause", cause)
			}
			if p := report.Stages[0].Phases; at == "close" && (!slices.Equal(p[0].Incidents, []string{"somebody looked"}) || !slices.Equal(p[0].Compared, []string{"two sources agree"})) {
				t.Errorf("incidents %q, compared %q", p[0].Incidents, p[0].Compared)
			}
			const unwell = "the phase did not end well: see the run's error"
			notes := map[string]string{"interrupt": "interrupted", "counters after the load": unwell, "incidents": unwell}
			for _, c := range report.Stages[0].Checks {
				if want := notes[at]; want != "" && (c.Before.Note != want || c.Before.Verdict != reports.Inconclusive) {
					t.Errorf("%s: %s, note %q, want inconclusive and %q", c.Name, c.Before.Verdict, c.Before.Note, want)
				}
			}
			// No service received a try, which is a number; what was not read is none.
			for _, a := range report.Stages[0].Amplification {
				if at == "interrupt" || at == "counters after the load" || a.Before == nil || a.Before.Measured != 0 || a.Before.Tries != 0 || a.Before.Requests != 20 || a.Before.Predicted <= 0 {
					t.Errorf("%s: amplification %+v", a.Hop, a.Before)
				}
			}
			if at == "close" && len(report.Stages[0].Amplification) != 3 {
				t.Errorf("amplification of %d hops, want 3", len(report.Stages[0].Amplification))
			}
			if len(report.Stages[0].Checks) == 0 && notes[at] != "" {
				t.Error("no check shows what was measured")
			}
			if at == "close" && len(report.Stages) != 2 || at != "close" && len(report.Stages) != 1 {
				t.Errorf("%d stages", len(report.Stages))
			}
		})
	}
}

func TestChoose(t *testing.T) {
	name := func(stages []Stage) (names string) {
		for _, s := range stages {
			names += s.Name + " "
		}
		return names
	}
	for _, c := range []struct{ args, want string }{
		{"all", "egress prod retry ingress canary "}, {"canary egress canary", "egress canary "}, {"retry", "retry "},
	} {
		if got, err := Choose(strings.Fields(c.args)); err != nil || name(got) != c.want {
			t.Errorf("%s: %s (%v), want %s", c.args, name(got), err, c.want)
		}
	}
	for _, args := range [][]string{nil, {"all", "retry"}, {"x"}} {
		if _, err := Choose(args); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

// What is planned follows from the manifests: a share that few requests reach wants more of them.
func TestPlan(t *testing.T) {
	for _, c := range []struct {
		stage                string
		fail                 float64
		leastBefore, atMost  int
		checksAfter, dropped int
	}{
		{"retry", 0.5, 12000, 14000, 12, 0},
		{"retry", 0.3, 5200, 6200, 10, 1},
		{"canary", 0.3, 1600, 3000, 4, 0},
		{"prod", 0.3, 200, 3000, 1, 0},
	} {
		stages, _ := Choose([]string{c.stage})
		run, err := Plan(stages, Options{Fail: c.fail, Cascade: "absorb", Tolerance: 0.05}, Pace{10000, 5 * time.Millisecond}, nil)
		if err != nil {
			t.Fatal(err)
		}
		before, after := run.phases[0][0], run.phases[0][1]
		if before.requests < c.leastBefore || before.requests > c.atMost {
			t.Errorf("%s at %v: %d requests before, want %d to %d", c.stage, c.fail, before.requests, c.leastBefore, c.atMost)
		}
		if len(after.checks) != c.checksAfter || len(after.left) != c.dropped {
			t.Errorf("%s at %v: %d checks after and %d left out, want %d and %d", c.stage, c.fail, len(after.checks), len(after.left), c.checksAfter, c.dropped)
		}
		for _, p := range []*phase{before, after} {
			if p.rate <= 0 || p.rate > 10000 {
				t.Errorf("%s: rate %v", c.stage, p.rate)
			}
		}
	}
}
