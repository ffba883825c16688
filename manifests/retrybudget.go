package manifests

import (
	networking "istio.io/api/networking/v1alpha3"
)

// RetryBudget bounds how many calls may be in a retry at a time by how many are under way: a retryBudget, which takes the place of maxRetries
// (Envoy's RetryBudgetImpl in source/common/upstream/resource_manager_impl.h).
type RetryBudget struct {
	// Percent is the share of the calls that are under way or wait for a connection, from 0 to 100.
	Percent float64
	// Least is how many calls may be in a retry however few are under way.
	Least int
}

// budgetOf is what a retryBudget sets, with Istio's defaults: 20 % and 3. It takes a minRetryConcurrency of 0 for the default, too
// (applyRetryBudget in Istio's pilot/pkg/networking/core/cluster_traffic_policy.go). It is nil where there is none.
func budgetOf(settings *networking.TrafficPolicy_RetryBudget) *RetryBudget {
	if settings == nil {
		return nil
	}
	b := RetryBudget{Percent: 20, Least: 3}
	if settings.Percent != nil {
		b.Percent = settings.Percent.Value
	}
	if settings.MinRetryConcurrency > 0 {
		b.Least = int(settings.MinRetryConcurrency)
	}
	return &b
}

// AtOnce is how many calls may be in a retry while so many are under way or wait for a connection.
func (b *RetryBudget) AtOnce(underWay int) int {
	return max(int(b.Percent/100*float64(underWay)), b.Least)
}

// checkBudget refuses what the schema of a cluster's API server refuses, which Istio's own validation does not look at.
func (d *document) checkBudget(field string, settings *networking.TrafficPolicy_RetryBudget) {
	if p := settings.GetPercent(); p != nil && !(p.Value >= 0 && p.Value <= 100) {
		d.problem(field+".percent", "must be from 0 to 100, not %v", p.Value)
	}
}
