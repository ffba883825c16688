package manifests

import (
	"strings"
	"testing"
)

func TestAnswering(t *testing.T) {
	r, err := Read(parse(t, `apiVersion: v1
kind: Service
metadata: {name: time, namespace: outside, annotations: {networking.istio.io/exportTo: "~", hellochaos/answers-for: time.example.com}}
spec: {ports: [{name: http, port: 80}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{"time.example.com:80": true, "time.outside.svc.cluster.local:80": true, "time.example.com:81": false,
		"time.example.com": false, "x.example.com:80": false} {
		if got := r.Answering(address); (got != nil) != want || want && got.Host != "time.outside.svc.cluster.local" {
			t.Errorf("%s: %+v, want one: %v", address, got, want)
		}
	}
}

func TestSplitHost(t *testing.T) {
	for host, want := range map[string][2]string{"a.b.svc.cluster.local": {"a", "b"}, "a.b": {}, "a": {}, "a.b.c.svc.cluster.local": {}, "*.b.svc.cluster.local": {}, ".b.svc.cluster.local": {}, "api.example.com": {}} {
		if name, namespace := SplitHost(host); name != want[0] || namespace != want[1] {
			t.Errorf("%s: %q and %q, want %q", host, name, namespace, want)
		}
	}
}

// A version may have a "-" where it has a variable of its own.
func TestServiceVersion(t *testing.T) {
	const yaml = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: m}\nspec: {selector: {matchLabels: {app: m}}, template: {metadata: {labels: {app: m}}, " +
		"spec: {containers: [{name: a, image: b, env: [{name: SERVICE_NAME, value: @}, {name: CALLS, value: '[]'}, {name: SERVICE_VERSION, value: v2-mysql}]}]}}}\n"
	for name, refused := range map[string]bool{"ratings": false, "my-ratings": false, "''": true} {
		if _, err := Parse("f.yaml", []byte(strings.Replace(yaml, "@", name, 1))); (err != nil) != refused {
			t.Errorf("name %s: error %v", name, err)
		}
	}
}
