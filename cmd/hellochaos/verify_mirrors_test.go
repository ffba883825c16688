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

// TestBrokenRouteMirrors is TestBrokenMirrors for the filters of an HTTPRoute, which is named.
func TestBrokenRouteMirrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stock.yaml")
	if err := os.WriteFile(file, []byte(routeMirroring), 0o600); err != nil {
		t.Fatal(err)
	}
	for deviation, want := range map[string]string{
		"":               "The mirror of ledger.default.svc.cluster.local (stock.yaml:9) holds: of 225 calls",
		"mirror-dropped": "! mirror of audit.default.svc.cluster.local (stock.yaml:8): of 200 calls 0 were copied, where each is to be, by HTTPRoute stock, rules[0]",
	} {
		t.Run(deviation, func(t *testing.T) {
			args, code := []string{"verify", "-f", file, "--seed", "1"}, 0
			if deviation != "" {
				args, code = append(args, "--break", deviation), 1
			}
			got := execute(t, args...)
			if text := strings.Join(strings.Fields(got.stdout), " "); got.code != code || !strings.Contains(text, want) {
				t.Errorf("exit %d, want %d with %q:\n%s%s", got.code, code, want, got.stdout, got.stderr)
			}
		})
	}
}

// TestBrokenMirrors shows that a mesh that sends copies passes, and that one that sends none or too few is found.
func TestBrokenMirrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stock.yaml")
	if err := os.WriteFile(file, []byte(mirroring), 0o600); err != nil {
		t.Fatal(err)
	}
	for deviation, want := range map[string]string{
		"":               "The mirror of audit.default.svc.cluster.local (stock.yaml:8) holds: of 200 calls 200 were copied, each once",
		"mirror-dropped": "! mirror of audit.default.svc.cluster.local (stock.yaml:8): of 200 calls 0 were copied, where each is to be",
		"mirror-halved":  "! mirror of ledger.default.svc.cluster.local (stock.yaml:8): of 225 calls",
	} {
		t.Run(deviation, func(t *testing.T) {
			args, code := []string{"verify", "-f", file, "--seed", "1"}, 0
			if deviation != "" {
				args, code = append(args, "--break", deviation), 1
			}
			got := execute(t, args...)
			if text := strings.Join(strings.Fields(got.stdout), " "); got.code != code || !strings.Contains(text, want) {
				t.Errorf("exit %d, want %d with %q:\n%s%s", got.code, code, want, got.stdout, got.stderr)
			}
		})
	}
}
