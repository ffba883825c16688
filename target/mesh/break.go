package mesh

import (
	"fmt"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// Break is something that the mesh can be told to do wrong on purpose, so that a verifier can show that it notices.
type Break struct {
	Name  string // the value of --break
	Stage string // where it shows; empty when OnlyCompared
	Text  string // what the mesh does then
	// OnlyCompared: it contradicts no manifest, so every stage still passes. It shows where the run's report is compared with
	// that of a run without it.
	OnlyCompared bool
}

// breakage is a Break with what it does. Most are done to the meaning of the objects: the proxies then obey the wrong
// rules rightly.
type breakage struct {
	Break
	// rules makes what is obeyed of what was applied; nil: that itself is obeyed.
	rules func(applied *manifests.Rules) (*manifests.Rules, error)
	// share of the calls obey what rules makes, drawn call by call; 0: all do.
	share     float64
	staleTurn int64 // every staleTurn-th request of a proxy sees the rules of the Apply before
	bypassed  bool  // the gateway's address is the frontend's pod
	// slow is the service of which every try that does not fail works for slowWork.
	slow string
}

// slowWork is ten times what a call on the loopback interface takes.
const slowWork = 10 * time.Millisecond

// Breaks are the accepted values of Options.Break, stage by stage.
func Breaks() []Break {
	var all []Break
	for _, b := range breakages() {
		all = append(all, b.Break)
	}
	return all
}

func breakages() []breakage {
	return []breakage{
		{Break: Break{Name: "egress-open", Stage: "egress", Text: "hosts outside the registry are let through"}, rules: openEgress},
		{Break: Break{Name: "split-70-30", Stage: "prod", Text: "a split in two is 70 to 30"}, rules: eachRule(splitSeventyThirty)},
		{Break: Break{Name: "stale-rules", Stage: "prod", Text: "each 200th request of a proxy sees old rules"}, staleTurn: 200},
		{Break: Break{Name: "no-retries", Stage: "retry", Text: "nothing is sent again"}, rules: eachPolicy(func(r *manifests.Retry) { r.Attempts = 0 })},
		{Break: Break{Name: "one-retry-less", Stage: "retry", Text: "one retry less than attempts says"}, rules: eachPolicy(func(r *manifests.Retry) { r.Attempts-- })},
		{Break: Break{Name: "retry-too-often", Stage: "retry", Text: "one exhausted call in five gets one more try"}, rules: eachPolicy(func(r *manifests.Retry) { r.Attempts++ }), share: 0.2},
		{Break: Break{Name: "retry-not-5xx", Stage: "retry", Text: "an answer of 5xx is not sent again"}, rules: eachPolicy(func(r *manifests.Retry) { r.SetOn("connect-failure,refused-stream") })},
		{Break: Break{Name: "slow-backoff", Stage: "retry", Text: "waits between tries are four times as long"}, rules: eachPolicy(func(r *manifests.Retry) { r.Base *= 4 })},
		{Break: Break{Name: "gateway-bypassed", Stage: "ingress", Text: "the gateway's address leads to the frontend"}, bypassed: true},
		{Break: Break{Name: "header-ignored", Stage: "canary", Text: "rules that match a header are skipped"}, rules: skipHeaderRules},
		{Break: Break{Name: "header-sometimes-ignored", Stage: "canary", Text: "1 call in 100 skips rules that match a header"}, rules: skipHeaderRules, share: 0.01},
		{Break: Break{Name: "header-case-insensitive", Stage: "canary", Text: "header values are compared without case"}, rules: (*manifests.Rules).IgnoringHeaderCase},
		{Break: Break{Name: "slow-backend", Text: "10 ms slower, for compare-reports to find", OnlyCompared: true}, slow: "backend"},
	}
}

// findBreak is the breakage of a name; none for the empty one.
func findBreak(name string) (breakage, error) {
	var names []string
	for _, b := range breakages() {
		if b.Name == name {
			return b, nil
		}
		names = append(names, b.Name)
	}
	if name == "" {
		return breakage{}, nil
	}
	return breakage{}, fmt.Errorf("unknown break %q; accepted are %s", name, strings.Join(names, ", "))
}

// obeyed is what the proxies obey in place of applied: for the most part usual, and for b.share of the calls seldom,
// which is nil where there is no such share. applied does not change.
func (b *breakage) obeyed(applied *manifests.Rules) (usual, seldom *manifests.Rules, err error) {
	if b.rules == nil {
		return applied, nil, nil
	}
	changed, err := b.rules(applied)
	if err != nil {
		return nil, nil, fmt.Errorf("making the rules of --break %s: %w", b.Name, err)
	}
	if b.share > 0 {
		return applied, changed, nil
	}
	return changed, nil, nil
}

// work is how long each try of a workload works that does not fail.
func (b *breakage) work(w *manifests.Workload) time.Duration {
	if b.slow != "" && w.Labels["app"] == b.slow {
		return slowWork
	}
	return 0
}

// eachRule changes the rule of every http entry of a VirtualService.
func eachRule(change func(*manifests.Rule)) func(*manifests.Rules) (*manifests.Rules, error) {
	return func(applied *manifests.Rules) (*manifests.Rules, error) { return applied.Changed(change), nil }
}

// eachPolicy changes the retries that the YAML asks for; Istio's default stays. Where no retry is left there is no
// per-try timeout either: Istio accepts none beside attempts: 0.
func eachPolicy(change func(*manifests.Retry)) func(*manifests.Rules) (*manifests.Rules, error) {
	return eachRule(func(rule *manifests.Rule) {
		policy := &rule.Retry
		if policy.Default || policy.Attempts == 0 {
			return
		}
		if change(policy); policy.Attempts == 0 {
			policy.PerTry = 0
		}
	})
}

// splitSeventyThirty changes a split with two arms in use; the larger arm gets the 70.
func splitSeventyThirty(rule *manifests.Rule) {
	var used []*manifests.Destination
	for i := range rule.Split {
		if rule.Split[i].Share > 0 {
			used = append(used, &rule.Split[i])
		}
	}
	if len(used) != 2 {
		return
	}
	if used[1].Share > used[0].Share {
		used[0], used[1] = used[1], used[0]
	}
	used[0].Share, used[1].Share = 0.7, 0.3
}

func openEgress(applied *manifests.Rules) (*manifests.Rules, error) {
	return applied.AllowingAny(), nil
}

func skipHeaderRules(applied *manifests.Rules) (*manifests.Rules, error) {
	return applied.WithoutHeaderMatches(), nil
}
