package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// originated has TLS opened to a host outside.
const originated = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api}
spec: {hosts: [api.example], location: MESH_EXTERNAL, resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP, targetPort: 443}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: api}
spec: {host: api.example, trafficPolicy: {tls: {mode: SIMPLE}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: api}
spec: {hosts: [api.example], http: [{match: [{port: 80}], route: [{destination: {host: api.example}}]}]}
`

// TestBrokenOrigination shows that a mesh that opens no TLS where a DestinationRule says so is found.
func TestBrokenOrigination(t *testing.T) {
	file := filepath.Join(t.TempDir(), "api.yaml")
	if err := os.WriteFile(file, []byte(originated), 0o600); err != nil {
		t.Fatal(err)
	}
	for deviation, code := range map[string]int{"": 0, "tls-not-opened": 1} {
		args := []string{"verify", "-f", file, "--seed", "1"}
		if deviation != "" {
			args = append(args, "--break", deviation)
		}
		if got := execute(t, args...); got.code != code || !strings.Contains(got.stdout, "api.example") {
			t.Errorf("%q: exit %d, want %d:\n%s%s", deviation, got.code, code, got.stdout, got.stderr)
		}
	}
}
