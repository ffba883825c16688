package mesh

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"

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

// breakage is a Break with what it does. Most are done to the objects, before they are read: the proxies then obey the
// wrong rules rightly.
type breakage struct {
	Break
	service   func(*networking.VirtualService)
	sidecar   func(*networking.Sidecar)
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
		{Break: Break{Name: "egress-open", Stage: "egress", Text: "hosts outside the registry are let through"}, sidecar: openEgress},
		{Break: Break{Name: "split-70-30", Stage: "prod", Text: "a split in two is 70 to 30"}, service: eachRoute(splitSeventyThirty)},
		{Break: Break{Name: "stale-rules", Stage: "prod", Text: "each 200th request of a proxy sees old rules"}, staleTurn: 200},
		{Break: Break{Name: "no-retries", Stage: "retry", Text: "nothing is sent again"}, service: eachRoute(changeRetries(func(r *networking.HTTPRetry) { r.Attempts = 0 }))},
		{Break: Break{Name: "one-retry-less", Stage: "retry", Text: "one retry less than attempts says"}, service: eachRoute(changeRetries(func(r *networking.HTTPRetry) { r.Attempts-- }))},
		{Break: Break{Name: "retry-not-5xx", Stage: "retry", Text: "an answer of 5xx is not sent again"}, service: eachRoute(changeRetries(func(r *networking.HTTPRetry) { r.RetryOn = "connect-failure,refused-stream" }))},
		{Break: Break{Name: "slow-backoff", Stage: "retry", Text: "waits between tries are four times as long"}, service: eachRoute(changeRetries(slowBackOff))},
		{Break: Break{Name: "gateway-bypassed", Stage: "ingress", Text: "the gateway's address leads to the frontend"}, bypassed: true},
		{Break: Break{Name: "header-ignored", Stage: "canary", Text: "rules that match a header are skipped"}, service: skipHeaderRules},
		{Break: Break{Name: "header-case-insensitive", Stage: "canary", Text: "header values are compared without case"}, service: ignoreHeaderCase},
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

// objects is what the mesh obeys in place of objects, which are not changed.
func (b *breakage) objects(objects []manifests.Object) []manifests.Object {
	changed := slices.Clone(objects)
	for i := range changed {
		switch objects[i].Istio.(type) {
		case *networking.VirtualService:
			if b.service != nil {
				changed[i] = objects[i].Clone()
				b.service(changed[i].Istio.(*networking.VirtualService))
			}
		case *networking.Sidecar:
			if b.sidecar != nil {
				changed[i] = objects[i].Clone()
				b.sidecar(changed[i].Istio.(*networking.Sidecar))
			}
		}
	}
	return changed
}

// work is how long each try of a workload works that does not fail.
func (b *breakage) work(w *manifests.Workload) time.Duration {
	if b.slow != "" && w.Labels["app"] == b.slow {
		return slowWork
	}
	return 0
}

// eachRoute changes every http route of a VirtualService.
func eachRoute(change func(*networking.HTTPRoute)) func(*networking.VirtualService) {
	return func(v *networking.VirtualService) {
		for _, route := range v.Http {
			change(route)
		}
	}
}

// changeRetries changes a route's retries; where none are left, a policy has nothing else to say.
func changeRetries(change func(*networking.HTTPRetry)) func(*networking.HTTPRoute) {
	return func(route *networking.HTTPRoute) {
		if route.Retries == nil || route.Retries.Attempts == 0 {
			return
		}
		change(route.Retries)
		if route.Retries.Attempts == 0 {
			route.Retries = &networking.HTTPRetry{}
		}
	}
}

func slowBackOff(r *networking.HTTPRetry) {
	base := 25 * time.Millisecond // Envoy's
	if r.Backoff != nil {
		base = r.Backoff.AsDuration()
	}
	r.Backoff = durationpb.New(4 * base)
}

// splitSeventyThirty changes a split with two arms in use; the larger arm gets the 70.
func splitSeventyThirty(route *networking.HTTPRoute) {
	var used []*networking.HTTPRouteDestination
	for _, arm := range route.Route {
		if arm.Weight > 0 {
			used = append(used, arm)
		}
	}
	if len(used) != 2 {
		return
	}
	if used[1].Weight > used[0].Weight {
		used[0], used[1] = used[1], used[0]
	}
	used[0].Weight, used[1].Weight = 70, 30
}

func openEgress(s *networking.Sidecar) {
	s.OutboundTrafficPolicy = &networking.OutboundTrafficPolicy{Mode: networking.OutboundTrafficPolicy_ALLOW_ANY}
}

// skipHeaderRules drops the matches that look at a header, and the routes that have no other.
func skipHeaderRules(v *networking.VirtualService) {
	v.Http = slices.DeleteFunc(v.Http, func(route *networking.HTTPRoute) bool {
		had := len(route.Match)
		route.Match = slices.DeleteFunc(route.Match, func(m *networking.HTTPMatchRequest) bool { return len(m.Headers) > 0 })
		return had > 0 && len(route.Match) == 0
	})
}

// ignoreHeaderCase turns the matches of header values into regular expressions that do not tell case.
func ignoreHeaderCase(v *networking.VirtualService) {
	for _, route := range v.Http {
		for _, match := range route.Match {
			for _, header := range match.Headers {
				switch kind := header.MatchType.(type) {
				case *networking.StringMatch_Exact:
					header.MatchType = anyCase(regexp.QuoteMeta(kind.Exact))
				case *networking.StringMatch_Prefix:
					header.MatchType = anyCase(regexp.QuoteMeta(kind.Prefix) + ".*")
				case *networking.StringMatch_Regex:
					header.MatchType = anyCase(kind.Regex)
				}
			}
		}
	}
}

func anyCase(expression string) *networking.StringMatch_Regex {
	return &networking.StringMatch_Regex{Regex: "(?i)" + expression}
}
