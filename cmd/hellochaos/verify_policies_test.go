package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// policed has three pods with each of the policies that make calls depend on each other.
const policed = `apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {selector: {app: cart}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart}
spec:
  replicas: 3
  selector: {matchLabels: {app: cart}}
  template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: app, image: shop/cart}]}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: cart}
spec:
  host: cart
  trafficPolicy:
    loadBalancer: {consistentHash: {httpHeaderName: x-user}}
    connectionPool: {http: {http2MaxRequests: 4}}
    outlierDetection: {consecutive5xxErrors: 3, interval: 500ms, baseEjectionTime: 1s, maxEjectionPercent: 50}
`

// TestBrokenPolicies shows that a mesh that obeys policies passes, and that one that ignores one of them is found.
func TestBrokenPolicies(t *testing.T) {
	if testing.Short() {
		t.Skip("make test waits until ejected pods come back; the contract of package target has limits, ejections and hashes, too")
	}
	file := filepath.Join(t.TempDir(), "cart.yaml")
	if err := os.WriteFile(file, []byte(policed), 0o600); err != nil {
		t.Fatal(err)
	}
	for deviation, want := range map[string]string{
		"":               "PASS  each of",
		"limits-ignored": "! connectionPool of cart.default.svc.cluster.local (cart.yaml:14): 9 calls were under way at the same time, and the limits allow 4",
		"never-ejected":  "after its failure number 3 in a row ejected it for 1s",
		"keys-ignored":   "! consistentHash of cart.default.svc.cluster.local (cart.yaml:14): requests with the header x-user",
	} {
		t.Run(deviation, func(t *testing.T) {
			t.Parallel()
			args := []string{"verify", "-f", file, "--seed", "1", "--max-requests", "50", "--allow-inconclusive"}
			code := 0
			if deviation != "" {
				args, code = append(args, "--break", deviation), 1
			} else {
				args = args[:5]
			}
			got := execute(t, args...)
			if text := strings.Join(strings.Fields(got.stdout), " "); got.code != code || !strings.Contains(text, strings.Join(strings.Fields(want), " ")) {
				t.Errorf("exit %d, want %d with %q:\n%s%s", got.code, code, want, got.stdout, got.stderr)
			}
		})
	}
}
