package manifests

import (
	"fmt"
	"testing"
)

// A budget is found apart from the rest of a policy: a subset that says nothing of one has the host's, also where it has settings of the port,
// and a host with settings of the port has none there (GetPortLevelTrafficPolicy and MergeTrafficPolicy of Istio).
func TestRetryBudget(t *testing.T) {
	for _, c := range []struct{ host, subset, want string }{
		{"retryBudget: {}", "loadBalancer: {}", "{20 3}"},
		{"retryBudget: {percent: 0}", "loadBalancer: {}", "{0 3}"},
		{"retryBudget: {percent: 25.5, minRetryConcurrency: 0}", "connectionPool: {http: {maxRetries: 1}}", "{25.5 3}"},
		{"retryBudget: {percent: 25}", "retryBudget: {minRetryConcurrency: 7}", "{20 7}"},
		{"retryBudget: {percent: 25}", "portLevelSettings: [{port: {number: 80}, loadBalancer: {}}]", "{25 3}"},
		{"retryBudget: {percent: 25}, portLevelSettings: [{port: {number: 80}, loadBalancer: {}}]", "loadBalancer: {}", "none"},
		{"retryBudget: {percent: 25}, portLevelSettings: [{port: {number: 80}, loadBalancer: {}}]", "retryBudget: {percent: 5}", "{5 3}"},
	} {
		_, part := endpointsBy(t, c.host, c.subset)
		got := "none"
		if part.Pool != nil && part.Pool.Budget != nil {
			got = fmt.Sprint(*part.Pool.Budget)
		}
		if got != c.want {
			t.Errorf("%s, and a subset with %s: %s, want %s", c.host, c.subset, got, c.want)
		}
	}
}

// TestRetriesOfABudget: Envoy rounds down, and never below the minimum.
func TestRetriesOfABudget(t *testing.T) {
	for underWay, want := range map[int]int{0: 3, 19: 3, 20: 4, 29: 5, 30: 6} {
		if got := (&RetryBudget{Percent: 20, Least: 3}).AtOnce(underWay); got != want {
			t.Errorf("%d calls under way: %d retries at once, want %d", underWay, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	budget := &RetryBudget{Percent: 20, Least: 3}
	if (&Pool{Budget: budget}).Bounds() || !(&Pool{Budget: budget, Requests: 1}).Bounds() {
		t.Error("a budget alone is taken for a limit of a connectionPool, or such a limit beside it is not seen")
	}
}
