package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mirroring copies each request to one mirror, and half of them to another one.
const mirroring = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: stock}
spec:
  hosts: [stock]
  http:
  - route: [{destination: {host: stock}}]
    mirrors: [{destination: {host: audit}}, {destination: {host: ledger}, percentage: {value: 50}}]
`

// routeMirroring is the same by an HTTPRoute.
const routeMirroring = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: stock}
spec:
  parentRefs: [{group: "", kind: Service, name: stock}]
  rules:
  - filters:
    - {type: RequestMirror, requestMirror: {backendRef: {name: audit, port: 80}}}
    - {type: RequestMirror, requestMirror: {backendRef: {name: ledger, port: 80}, fraction: {numerator: 1, denominator: 2}}}
    backendRefs: [{name: stock, port: 80}]
`

// TestBrokenMirrors shows that a mesh that sends copies passes, and that one that sends none or too few is found. The filters of an HTTPRoute
// are mirrors, too, and it is named.
func TestBrokenMirrors(t *testing.T) {
	for _, c := range []struct{ manifest, deviation, want string }{
		{mirroring, "", "The mirror of audit.default.svc.cluster.local (stock.yaml:8) holds: of 200 calls 200 were copied, each once"},
		{mirroring, "mirror-dropped", "! mirror of audit.default.svc.cluster.local (stock.yaml:8): of 200 calls 0 were copied, where each is to be"},
		{mirroring, "mirror-halved", "! mirror of ledger.default.svc.cluster.local (stock.yaml:8): of 225 calls"},
		{routeMirroring, "", "The mirror of ledger.default.svc.cluster.local (stock.yaml:9) holds: of 225 calls"},
		{routeMirroring, "mirror-dropped", "! mirror of audit.default.svc.cluster.local (stock.yaml:8): of 200 calls 0 were copied, where each is to be, by HTTPRoute stock, rules[0]"},
	} {
		t.Run(c.deviation, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "stock.yaml")
			if err := os.WriteFile(file, []byte(c.manifest), 0o600); err != nil {
				t.Fatal(err)
			}
			args, code := []string{"verify", "-f", file, "--seed", "1"}, 0
			if c.deviation != "" {
				args, code = append(args, "--break", c.deviation), 1
			}
			got := execute(t, args...)
			if text := strings.Join(strings.Fields(got.stdout), " "); got.code != code || !strings.Contains(text, c.want) {
				t.Errorf("exit %d, want %d with %q:\n%s%s", got.code, code, c.want, got.stdout, got.stderr)
			}
		})
	}
}
