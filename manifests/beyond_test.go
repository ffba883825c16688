package manifests

import (
	"encoding/json"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// pool has fields that a cluster executes and this package does not.
const pool = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: m}
spec:
  host: m
  trafficPolicy: {retryBudget: {percent: 25, budgetInterval: 10s}}
  subsets: [{name: a, labels: {v: a}}, {name: b, labels: {v: b}, trafficPolicy: {loadBalancer: {warmup: {duration: 10s}}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: m}
spec:
  hosts: [m]
  tls: [{match: [{sniHosts: [a.b]}], route: [{destination: {host: m}, weight: 100}]}]
  http: [{corsPolicy: {allowCredentials: true, maxAge: 24h}, timeout: 2s, route: [{destination: {host: m}}]}]
`

func TestLoadForCluster(t *testing.T) {
	read, err := LoadForCluster([]string{"-"}, strings.NewReader(pool))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"retryBudget:\n      budgetInterval: 10s\n      percent: 25\n", "warmup:\n          duration: 10s\n",
		"sniHosts:\n      - a.b\n", "corsPolicy:\n      allowCredentials: true\n      maxAge: 24h\n", "timeout: 2s\n",
	} {
		o := &read.Objects[i/2-i/4]
		u, err := o.Unstructured()
		if err != nil {
			t.Fatal(err)
		}
		if text, err := yaml.Marshal(u); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %q: %v\n%s", o.Name(), want, err, text)
		}
	}
	if b := read.Objects[0].Beyond; len(b) != 2 || b[0].Field != "spec.subsets[1].trafficPolicy.loadBalancer.warmup" || b[0].Line != 7 || b[1].Field != "spec.trafficPolicy.retryBudget.budgetInterval" {
		t.Errorf("the fields that were kept are %+v", b)
	}
	if _, err := Read(read.Objects); err != nil {
		t.Errorf("Read refuses the objects: %v", err)
	}
}

// Policies that are not read are kept, with their place, and are not among the kinds that are named as not executed.
func TestLoadForClusterKeepsPolicies(t *testing.T) {
	text := pool + "---\napiVersion: security.istio.io/v1beta1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: shop}\nspec: {rules: [{to: [{operation: {ports: [\"80\"]}}]}]}\n" +
		"---\napiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: f}\n"
	read, err := LoadForCluster([]string{"-"}, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Policies) != 1 || len(read.NotExecuted) != 1 || read.NotExecuted[0].Kind != "EnvoyFilter" {
		t.Fatalf("the policies are %+v, and not executed are %+v", read.Policies, read.NotExecuted)
	}
	if p := read.Policies[0]; p.Kind != "AuthorizationPolicy" || p.Namespace != "shop" || p.Name != "a" || p.Line != 17 || p.Spec["rules"] == nil {
		t.Errorf("the policy is %+v", p)
	}
	_, err = LoadForCluster([]string{"-"}, strings.NewReader(strings.Replace(text, "{name: a, namespace: shop}", "{namespace: shop}", 1)))
	if err == nil || !strings.Contains(err.Error(), "metadata.name: must be a string that is not empty") {
		t.Errorf("the error about a policy without a name is %v", err)
	}
}

// What decides which rule a request meets, and what Istio itself refuses, is refused for a cluster, too.
func TestLoadForClusterRefuses(t *testing.T) {
	for was, is := range map[string]string{
		"timeout: 2s": "retries: {attempts: 1, retryRemoteLocalities: true}",
		"{retryBudget: {percent: 25, budgetInterval: 10s}}": "{}",
		"corsPolicy:": "corsPolcy:",
	} {
		if _, err := LoadForCluster([]string{"-"}, strings.NewReader(strings.Replace(pool, was, is, 1))); err == nil {
			t.Errorf("%s in place of %s is accepted", is, was)
		}
	}
}

// TestUnstructuredNumbers: the API server takes numbers for integers of 64 bits, and the JSON of protocol buffers has texts.
func TestUnstructuredNumbers(t *testing.T) {
	objects, err := Parse("rule.yaml", []byte(`
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: two}
spec:
  host: two
  trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true, ringHash: {minimumRingSize: 10}}}}
  subsets: [{name: a, trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 11}}}}}]
`))
	if err != nil {
		t.Fatal(err)
	}
	u, err := objects[0].Unstructured()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(u["spec"])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"minimumRingSize":10`, `"tableSize":11`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s has not %s", text, want)
		}
	}
}
