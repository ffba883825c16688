package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// secureShop is a Gateway as most of them are: HTTPS on port 443, and a redirect to it on port 80.
const secureShop = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop}
spec:
  selector: {app: gate}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com], tls: {httpsRedirect: true}}
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [shop.example.com], tls: {mode: SIMPLE, credentialName: shop}}
  - {port: {number: 3306, name: mysql, protocol: MYSQL}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop}
spec: {host: shop, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example.com]
  gateways: [shop]
  http:
  - {match: [{headers: {end-user: {exact: jason}}}], route: [{destination: {host: shop, subset: v2}}]}
  - {route: [{destination: {host: shop, subset: v1}}]}
`

// Requests enter at each server of HTTP that has the hosts of a rule, with TLS where the server has it; one that redirects is a case of
// its own.
func TestVerifySecureGateway(t *testing.T) {
	verify := func(text string, args ...string) ended {
		t.Helper()
		file := filepath.Join(t.TempDir(), "shop.yaml")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return execute(t, append([]string{"verify", "-f", file, "--seed", "1", "--exclude", "0.2"}, args...)...)
	}
	got := verify(secureShop)
	printed := strings.Join(strings.Fields(got.stdout), " ")
	for _, part := range []string{"PASS", "shop.example.com requests without TLS the proxy answers 301 to", "by gateway shop:80", "by gateway shop:443", "end-user: jason to v2", "every other request to v1",
		"! Gateway shop, servers[2] (", ", at port 3306, is not HTTP, since its protocol is MYSQL: no rule for HTTP applies to its connections, and no request is sent there"} {
		if got.code != 0 || !strings.Contains(printed, part) {
			t.Errorf("exit code %d, %q is not in\n%s%s", got.code, part, got.stdout, got.stderr)
		}
	}
	if got := verify(secureShop, "--break", "header-ignored"); got.code != 1 || !strings.Contains(got.stdout, "wrong destination") {
		t.Errorf("--break header-ignored: exit code %d\n%s", got.code, got.stdout)
	}
	wrong := strings.Replace(secureShop, "hosts: [shop.example.com]\n  gateways", "hosts: [store.example.com]\n  gateways", 1)
	if got := verify(wrong); got.code != 1 || !strings.Contains(got.stdout, "(HC106)") {
		t.Errorf("another host: exit code %d\n%s", got.code, got.stdout)
	}
}
