package mesh

import (
	"fmt"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// Break is something that the mesh does wrong on purpose, so that a test can show that the verifier notices.
type Break struct {
	Name  string // the value of --break
	Stage string // the stage that must fail with it; empty when OnlyCompared, OnlyChange, OnlyPolicy or OnlyFiles
	Text  string // what the mesh does with it, for people
	// OnlyCompared says that the Break contradicts no manifest, so that every stage still passes. It shows only when the report
	// of the run is compared with that of a run without it.
	OnlyCompared bool
	// OnlyChange says that the Break shows only while rules change under load (Options.Gradual): before and after every call is right.
	OnlyChange bool
	// OnlyPolicy says that the Break shows only where a DestinationRule has the policy that the mesh ignores, or a rule the mirror or the
	// sourceLabels. The stages have none.
	OnlyPolicy bool
	// OnlyFiles says that the Break shows only with files that have what it is about. The stages have none of it.
	OnlyFiles bool
}

// breakage is how a Break is done. Most change the rules: the proxies then obey the wrong rules correctly.
type breakage struct {
	Break
	// rules makes the rules that the proxies obey from the applied ones; when it is nil they obey the applied rules.
	rules func(applied *manifests.Rules) (*manifests.Rules, error)
	// share is the share of the calls that obey the rules that rules makes. It is drawn call by call. With 0 all calls do.
	share     float64
	staleTurn int64 // every staleTurn-th request of a proxy obeys the rules of the previous Apply; with 0 none does
	bypassed  bool  // whether the gateway's address is that of the frontend's pod
	dropped   bool  // whether a proxy has no routes for a while when it takes new rules
	// slow is the label app of the pods in which every try that does not fail takes slowWork longer; empty for none.
	slow string
	// ignored are the policies of DestinationRules that no proxy obeys.
	ignored policies
}

// policies are some of the policies of DestinationRules.
type policies struct{ limits, ejections, keys, tls bool }

// slowWork is ten times the duration of a call on the loopback interface.
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
	return append([]breakage{
		{Break: Break{Name: "egress-open", Stage: "egress", Text: "hosts outside the registry are let through"}, rules: openEgress},
		{Break: Break{Name: "split-70-30", Stage: "prod", Text: "a split between two destinations is 70 to 30"}, rules: eachRule(splitSeventyThirty)},
		{Break: Break{Name: "stale-rules", Stage: "prod", Text: "each 200th request of a proxy obeys old rules"}, staleTurn: 200},
		{Break: Break{Name: "no-retries", Stage: "retry", Text: "no failed call is sent again"}, rules: eachPolicy(func(r *manifests.Retry) { r.Attempts = 0 })},
		{Break: Break{Name: "one-retry-less", Stage: "retry", Text: "calls get one retry less than attempts allows"}, rules: eachPolicy(func(r *manifests.Retry) { r.Attempts-- })},
		{Break: Break{Name: "retry-too-often", Stage: "retry", Text: "one exhausted call in five gets one more try"}, rules: eachPolicy(func(r *manifests.Retry) { r.Attempts++ }), share: 0.2},
		{Break: Break{Name: "retry-not-5xx", Stage: "retry", Text: "a call that is answered 5xx is not sent again"}, rules: eachPolicy(func(r *manifests.Retry) { r.SetOn("connect-failure,refused-stream") })},
		{Break: Break{Name: "slow-backoff", Stage: "retry", Text: "waits between tries are four times as long"}, rules: eachPolicy(func(r *manifests.Retry) { r.Base *= 4 })},
		{Break: Break{Name: "gateway-bypassed", Stage: "ingress", Text: "the gateway's address leads to the frontend"}, bypassed: true},
		{Break: Break{Name: "header-ignored", Stage: "canary", Text: "rules that match a header are skipped"}, rules: skipHeaderRules},
		{Break: Break{Name: "header-sometimes-ignored", Stage: "canary", Text: "1 call in 100 skips rules that match a header"}, rules: skipHeaderRules, share: 0.01},
		{Break: Break{Name: "header-case-insensitive", Stage: "canary", Text: "header values match whatever their case"}, rules: (*manifests.Rules).IgnoringHeaderCase},
		{Break: Break{Name: "slow-backend", Text: "each try of the backend takes 10 ms longer", OnlyCompared: true}, slow: "backend"},
		{Break: Break{Name: "routes-dropped", Text: "a proxy has no routes for 20 ms at a change", OnlyChange: true}, dropped: true},
		{Break: Break{Name: "limits-ignored", Text: "a connection pool has no limits", OnlyPolicy: true}, ignored: policies{limits: true}},
		{Break: Break{Name: "never-ejected", Text: "a pod that fails again and again is kept", OnlyPolicy: true}, ignored: policies{ejections: true}},
		{Break: Break{Name: "keys-ignored", Text: "a consistent hash chooses by chance", OnlyPolicy: true}, ignored: policies{keys: true}},
		{Break: Break{Name: "tls-not-opened", Text: "no TLS is opened to a host outside", OnlyPolicy: true}, ignored: policies{tls: true}},
		{Break: Break{Name: "source-labels-ignored", Text: "a match looks at no labels of the caller", OnlyPolicy: true}, rules: ignoreSourceLabels},
		{Break: Break{Name: "mirror-dropped", Text: "no request is copied to a mirror", OnlyPolicy: true}, rules: eachRule(func(r *manifests.Rule) { r.Mirrors = nil })},
		{Break: Break{Name: "mirror-halved", Text: "a mirror gets half of the copies", OnlyPolicy: true}, rules: eachRule(halveMirrors)},
	}, shipped()...)
}

// findBreak is the breakage with this name. For the empty name it is one that changes nothing; an unknown name is an error.
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
	return breakage{}, fmt.Errorf("unknown break %q; accepted: %s", name, strings.Join(names, ", "))
}

// obeyed are the rules that the proxies obey in place of applied. The share b.share of the calls obeys seldom and all others obey
// usual; seldom is nil when the share is 0. applied does not change.
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

// work is how much longer each try of a workload that does not fail takes.
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

// eachPolicy changes the retry policies of the YAML and leaves Istio's default alone. A policy without retries gets no per-try
// timeout either, since Istio does not accept one beside attempts: 0.
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

// splitSeventyThirty changes a split with two destinations whose share is above 0. The larger one gets 70 %.
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

// halveMirrors halves the shares of the calls of which mirrors get copies.
func halveMirrors(rule *manifests.Rule) {
	for i := range rule.Mirrors {
		rule.Mirrors[i].Share /= 2
	}
}

func ignoreSourceLabels(applied *manifests.Rules) (*manifests.Rules, error) {
	return applied.WithoutSourceLabels(), nil
}

func openEgress(applied *manifests.Rules) (*manifests.Rules, error) {
	return applied.AllowingAny(), nil
}

func skipHeaderRules(applied *manifests.Rules) (*manifests.Rules, error) {
	return applied.WithoutHeaderMatches(), nil
}
