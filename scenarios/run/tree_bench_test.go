package run

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// isotopeTree is the form of isotope's tree-111: one service that calls ten, side by side, each of which calls ten more.
func isotopeTree() string {
	var text strings.Builder
	calls := func(of func(int) string) string {
		var all []string
		for i := range 10 {
			all = append(all, fmt.Sprintf(`{"url":"http://%s/"}`, of(i)))
		}
		return "[[" + strings.Join(all, ",") + "]]"
	}
	text.WriteString(deployed("frontend", "v1", calls(func(i int) string { return fmt.Sprint("svc-", i) }), "") + served("frontend"))
	for i := range 10 {
		branch := fmt.Sprint("svc-", i)
		text.WriteString(deployed(branch, "v1", calls(func(j int) string { return fmt.Sprint(branch, "-", j) }), "") + served(branch) +
			route(branch, 2, "route: [{destination: {host: "+branch+"}}]"))
		for j := range 10 {
			leaf := fmt.Sprint(branch, "-", j)
			text.WriteString(deployed(leaf, "v1", "[]", "") + served(leaf) + route(leaf, 2, "route: [{destination: {host: "+leaf+"}}]"))
		}
	}
	return text.String()
}

// BenchmarkTreeOf111Services sets up 111 services and has 1,000 requests judged, of which each leads to some 110 calls.
func BenchmarkTreeOf111Services(b *testing.B) {
	objects, err := manifests.Parse("tree.yaml", []byte(isotopeTree()))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		o := Options{Fail: 0.05, Cascade: "absorb", Exclude: 0.01, SplitLo: 0.7, SplitHi: 1.4, Seed: 1, Attack: attack.Options{Timeout: attack.DefaultTimeout}}
		phases := []scenarios.Phase{{Name: "tree", Base: true, Objects: objects, Cohorts: []scenarios.Cohort{{Entry: manifests.Entry{Service: "frontend"}}}}}
		began := time.Now()
		r, err := Plan("tree", phases, o, Pace{Capacity: mesh.Capacity, Timed: mesh.Timed})
		if err != nil {
			b.Fatal(err)
		}
		planned := time.Since(began)
		sequence := make([]attack.Slot, 1000)
		for i := range sequence {
			sequence[i].Number = int32(i)
		}
		r.phases[0].sequence, r.phases[0].settled, r.phases[0].natural = sequence, len(sequence), len(sequence)
		m, err := mesh.New(mesh.Options{Seed: 1})
		if err != nil {
			b.Fatal(err)
		}
		report := r.Execute(b.Context(), m)
		p := &report.Phases[0]
		if report.Error != "" || p.Observed != 1000 || len(p.Mismatches) > 0 || p.Verdict == reports.Fail {
			b.Fatalf("%s %s: %d observed, %d mismatches", report.Summary, report.Error, p.Observed, len(p.Mismatches))
		}
		calls := int64(0)
		for i := range p.Calls {
			calls += p.Calls[i].Judged
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		b.ReportMetric(planned.Seconds(), "s/plan")
		b.ReportMetric(float64(calls), "calls/op")
		b.ReportMetric(float64(memory.Sys)/1e6, "MB")
		b.Logf("planned in %v, at %g requests a second, %d calls judged, %.0f MB: %s", planned, p.PlannedRate, calls, float64(memory.Sys)/1e6, report.Summary)
	}
}
