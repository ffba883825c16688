package scenarios_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// measure runs a stage on the embedded mesh, slowly enough for a build with the race detector.
func measure(t *testing.T, stage, deviation string, o scenarios.Options, overrides map[string][]manifests.Object) *reports.Report {
	t.Helper()
	stages, err := scenarios.Choose([]string{stage})
	if err != nil {
		t.Fatal(err)
	}
	o.Tolerance = 0.08
	o.Attack.Rate, o.Attack.MaxRequests = 250, 600
	if o.Cascade == "" {
		o.Cascade = "absorb"
	}
	run, err := scenarios.Plan(stages, o, scenarios.Pace{Capacity: mesh.Capacity, Timed: mesh.Timed}, overrides)
	if err != nil {
		t.Fatal(err)
	}
	on, err := mesh.New(mesh.Options{Seed: o.Seed, Break: deviation})
	if err != nil {
		t.Fatal(err)
	}
	report := run.Execute(t.Context(), on, nil)
	if report.Error != "" {
		t.Fatal(report.Error)
	}
	return report
}

// What is predicted from manifests of the user's own is what the mesh then does.
func TestPredictionsAgreeWithTheMesh(t *testing.T) {
	t.Parallel()
	rule := func(more string) string {
		return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: middleware}
spec:
  hosts: [middleware]
  http:
    - route: [{destination: {host: middleware, subset: prod}}]
` + more
	}
	subsets := `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: middleware}
spec: {host: middleware, subsets: [{name: prod, labels: {version: prod}}, {name: canary, labels: {version: canary}}]}
`
	for _, c := range []struct {
		name, stage, yaml string
		options           scenarios.Options
		check             string  // one that the case is about
		want              float64 // its prediction after
	}{
		{"one retry of 500 alone", "retry", rule(`      retries: {attempts: 1, retryOn: "500"}`), scenarios.Options{Fail: 0.5}, "middleware call fails", 0.25},
		{"an abort before any try", "retry", rule("      retries: {attempts: 3, retryOn: 5xx}\n      fault: {abort: {httpStatus: 503, percentage: {value: 40}}}"),
			scenarios.Options{Fail: 0.3}, "middleware call fails", 0.4 + 0.6*0.0081},
		{"weights of any ratio", "prod", strings.Replace(rule(""), "[{destination: {host: middleware, subset: prod}}]",
			"[{destination: {host: middleware, subset: prod}, weight: 3}, {destination: {host: middleware, subset: canary}, weight: 1}]", 1) + subsets,
			scenarios.Options{Fail: 0.1}, "canary share", 0.25},
		{"an undefined subset", "retry", strings.Replace(rule(""), "subset: prod", "subset: none", 1), scenarios.Options{Fail: 0.2}, "middleware call fails", 1},
		{"a route timeout", "retry", rule("      timeout: 500ms"), scenarios.Options{Hang: 0.2}, "middleware call fails", 1 - 0.64},
		{"a failure that propagates", "retry", rule("      retries: {attempts: 2, retryOn: 5xx, perTryTimeout: 2s}"),
			scenarios.Options{Fail: 0.4, Cascade: "propagate"}, "middleware call fails", math.Pow(1-0.6*(1-math.Pow(0.4, 4)), 3)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			objects, err := manifests.Parse("mine/"+c.stage+".yaml", []byte(c.yaml))
			if err != nil {
				t.Fatal(err)
			}
			bundled, err := manifests.Stage(c.stage)
			if err != nil {
				t.Fatal(err)
			}
			c.options.Seed = 11
			r := measure(t, c.stage, "", c.options, map[string][]manifests.Object{c.stage: manifests.Overlay(bundled, objects)})
			found := false
			for _, check := range r.Stages[0].Checks {
				if check.Verdict == reports.Fail {
					t.Errorf("%s fails: before %+v, after %+v", check.Name, check.Before, check.After)
				}
				if check.Name == c.check {
					found = true
					if math.Abs(check.After.Predicted-c.want) > 1e-6 {
						t.Errorf("%s: predicted %.5f, want %.5f", check.Name, check.After.Predicted, c.want)
					}
					if check.After.N < 50 {
						t.Errorf("%s: only %d seen", check.Name, check.After.N)
					}
				}
			}
			if !found {
				t.Errorf("no check %q", c.check)
			}
		})
	}
}

// counted is everything in a report that only draws decide.
func counted(r *reports.Report) string {
	var all []string
	for _, s := range r.Stages {
		for _, c := range s.Checks {
			if c.Kind == reports.Median {
				continue
			}
			for _, m := range []*reports.Measurement{c.Before, c.After} {
				if m != nil {
					all = append(all, fmt.Sprint(s.Name, c.Name, m.K, m.N, m.Attempts))
				}
			}
		}
		for _, p := range s.Phases {
			all = append(all, fmt.Sprint(p.Name, p.Sent, p.Observed))
		}
	}
	return strings.Join(all, "\n")
}

// The same seed gives the same counts, the services' own included; another seed others.
func TestSameSeedSameCounts(t *testing.T) {
	t.Parallel()
	var got []string
	for _, seed := range []uint64{5, 5, 6} {
		got = append(got, counted(measure(t, "retry", "", scenarios.Options{Fail: 0.5, Seed: seed, Attack: attack.Options{}}, nil)))
	}
	if got[0] != got[1] {
		t.Errorf("seed 5 twice:\n%s\n\n%s", got[0], got[1])
	}
	if got[0] == got[2] {
		t.Error("seeds 5 and 6 give the same counts")
	}
}

// The agreement must be able to fail.
func TestDisagreement(t *testing.T) {
	t.Parallel()
	r := measure(t, "retry", "no-retries", scenarios.Options{Fail: 0.5, Seed: 5}, nil)
	if r.Verdict != reports.Fail || !slices.ContainsFunc(r.Stages[0].Words, func(w string) bool { return strings.Contains(w, "was sent again") }) {
		t.Errorf("%s: %q, want a failure that names the cause", r.Verdict, r.Stages[0].Words)
	}
}
