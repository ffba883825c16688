package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// batched has a rule for the requests of some pods alone.
const batched = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: stock}
spec:
  hosts: [stock]
  http:
  - match: [{sourceLabels: {role: batch}}]
    directResponse: {status: 429}
  - route: [{destination: {host: stock}}]
`

// TestSourceLabels shows that rules for the requests of some pods are met by these and by no others, and that a mesh is found that does not
// look at labels.
func TestSourceLabels(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stock.yaml")
	if err := os.WriteFile(file, []byte(batched), 0o600); err != nil {
		t.Fatal(err)
	}
	for deviation, want := range map[string]string{
		"":                      "from pods with the proxy answers 429 0 0 role=batch",
		"source-labels-ignored": "VirtualService stock, http[1]",
	} {
		args, code := []string{"verify", "-f", file, "--seed", "1"}, 0
		if deviation != "" {
			args, code = append(args, "--break", deviation), 1
		}
		got := execute(t, args...)
		if text := strings.Join(strings.Fields(got.stdout), " "); got.code != code || !strings.Contains(text, want) {
			t.Errorf("%s: exit %d, want %d with %q:\n%s%s", deviation, got.code, code, want, got.stdout, got.stderr)
		}
	}
}
