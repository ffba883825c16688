package mesh

import (
	"math"

	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/hellochaos/hellochaos/manifests"
)

// shrinkBudget: a retryBudget without percent had 0.2 % in place of 20 % (applyRetryBudget).
func shrinkBudget(o *manifests.Object) {
	spec, ok := o.Istio.(*networking.DestinationRule)
	if !ok {
		return
	}
	budgets := []*networking.TrafficPolicy_RetryBudget{spec.TrafficPolicy.GetRetryBudget()}
	for _, s := range spec.Subsets {
		budgets = append(budgets, s.TrafficPolicy.GetRetryBudget())
	}
	for _, b := range budgets {
		if b != nil && b.Percent == nil {
			b.Percent = &wrapperspb.DoubleValue{Value: 0.2}
		}
	}
}

// dropSubsetBudgets: where a host has a policy, a subset with one of its own had no retryBudget, neither the host's nor its own
// (MergeSubsetTrafficPolicy). maxRetries held, or no limit.
func dropSubsetBudgets(o *manifests.Object) {
	spec, ok := o.Istio.(*networking.DestinationRule)
	if !ok || spec.TrafficPolicy == nil {
		return
	}
	for _, s := range spec.Subsets {
		p := s.TrafficPolicy
		if p == nil || p.RetryBudget == nil && spec.TrafficPolicy.RetryBudget == nil {
			continue
		}
		pool := p.ConnectionPool
		if pool == nil {
			pool = spec.TrafficPolicy.ConnectionPool
		}
		most := uint32(math.MaxInt32) // more than there are calls
		if n := pool.GetHttp().GetMaxRetries(); n > 0 {
			most = uint32(n)
		}
		p.RetryBudget = &networking.TrafficPolicy_RetryBudget{Percent: &wrapperspb.DoubleValue{}, MinRetryConcurrency: most}
	}
}
