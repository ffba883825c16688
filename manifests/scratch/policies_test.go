package scratch_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/manifests/scratch"
)

const policies = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  rules:
    - from: [{source: {namespaces: [front, "*"], principals: [cluster.local/ns/front/sa/default, "*"]}}]
      to: [{operation: {hosts: [cart.shop.svc.cluster.local], ports: ["8080"]}}]
      when: [{key: source.namespace, values: [front]}, {key: "request.headers[x]", values: [front]}]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default}
spec: {mtls: {mode: STRICT}, portLevelMtls: {"8080": {mode: DISABLE}}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: mesh, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: asks, namespace: shop}
spec: {action: CUSTOM, provider: {name: theirs}, rules: [{}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: keys, namespace: shop}
spec: {jwtRules: [{issuer: a, jwksUri: "https://a.example.com/keys"}]}
`

// Policies are moved with the namespaces that they name. One that acts on the whole mesh, or has others called, is left out and named.
func TestMovePolicies(t *testing.T) {
	others, err := manifests.LoadForCluster([]string{"-"}, strings.NewReader(shop+"---"+policies))
	if err != nil {
		t.Fatal(err)
	}
	set, err := scratch.Move(others.Objects, scratch.Options{Base: "try", Policies: others.Policies})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Policies) != 2 || set.Policies[0].Namespace != "try-shop" || set.Policies[1].Namespace != "try" {
		t.Fatalf("the policies are %+v, want cart in try-shop and default in try", set.Policies)
	}
	text, err := yaml.Marshal(set.Policies[0].Spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"namespaces:\n      - try-front\n      - '*'\n", "principals:\n      - cluster.local/ns/try-front/sa/default\n      - '*'\n",
		"- cart.try-shop.svc.cluster.local\n", "key: source.namespace\n    values:\n    - try-front\n", "key: request.headers[x]\n    values:\n    - front\n", "app: cart\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the policy lacks %q:\n%s", want, text)
		}
	}
	beyond, left := strings.Join(set.Beyond, "\n"), strings.Join(set.Left, "\n")
	for _, want := range []string{"AuthorizationPolicy cart (", "PeerAuthentication default ("} {
		if !strings.Contains(beyond, want) {
			t.Errorf("%s is not named as not predicted:\n%s", want, beyond)
		}
	}
	for _, want := range []string{"PeerAuthentication mesh (", "acts on the whole mesh", "AuthorizationPolicy asks (", "action CUSTOM", "RequestAuthentication keys (", "jwksUri"} {
		if !strings.Contains(left, want) {
			t.Errorf("%s is not named as not applied:\n%s", want, left)
		}
	}
}
