package manifests

import (
	"fmt"
	"testing"
)

// Of the DestinationRules of a namespace for a host that for its own name holds, or else the longest wildcard, and the two are not merged
// (Istio's MostSpecificHostMatch).
func TestMostSpecificDestinationRule(t *testing.T) {
	rule := func(name, host, balancer string) string {
		return fmt.Sprintf("apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: %s}\nspec: {host: '%s', trafficPolicy: {loadBalancer: {simple: %s}}}\n---\n", name, host, balancer)
	}
	all, local := rule("all", "*", "RANDOM"), rule("local", "*.default.svc.cluster.local", "ROUND_ROBIN")
	own := "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: own}\nspec: {host: backend, subsets: [{name: a, labels: {version: a}}]}\n---\n"
	for name, c := range map[string]struct{ yaml, want string }{
		"a star":                  {all, "RANDOM"},
		"the longer of two":       {all + local, "ROUND_ROBIN"},
		"in another order":        {local + all, "ROUND_ROBIN"},
		"its own, without merges": {local + own, leastRequest},
		"another domain":          {rule("other", "*.shop.svc.cluster.local", "RANDOM"), leastRequest},
	} {
		r := rulesOf(t, c.yaml)
		met := r.Table(Caller{}).Route(&Request{Host: "backend", Path: "/"})
		if got := r.Endpoints(&met.Split[0]).Balancer; got != c.want {
			t.Errorf("%s: backend has the load balancer %s, want %s", name, got, c.want)
		}
	}
}
