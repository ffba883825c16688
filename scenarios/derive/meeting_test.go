package derive

import (
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

// base is the caller of the requests, a Service, and a Gateway for every host.
const base = `apiVersion: apps/v1
kind: Deployment
metadata: {name: client}
spec:
  selector: {matchLabels: {app: client}}
  template:
    metadata: {labels: {app: client}}
    spec: {containers: [{name: app, image: hello-service, env: [{name: SERVICE_NAME, value: client-v1}, {name: CALLS, value: '[]'}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: one}
spec: {selector: {app: client}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop}
spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}
---
`

// A rule that some request can meet is met by one of those that are made.
func TestMeeting(t *testing.T) {
	const to = "route: [{destination: {host: one}}]}"
	for name, c := range map[string]struct{ hosts, gateway, http string }{
		"another character of a class": {"one", "mesh", "{match: [{uri: {prefix: /v1}}], " + to + ", {match: [{uri: {regex: '/v[12]/.*'}}], " + to},
		"another alternative":          {"one", "mesh", "{match: [{uri: {prefix: /app}}], " + to + ", {match: [{uri: {regex: '/(apple|pear)'}}], " + to},
		"many repetitions":             {"one", "mesh", "{match: [{uri: {regex: '/a{200}'}}], " + to},
		"an authority":                 {"'*.example.com'", "shop", "{match: [{authority: {exact: one.example.com}}], " + to},
		"a prefix of an authority":     {"'*.example.com'", "shop", "{match: [{authority: {prefix: two.}}], " + to},
		"an authority by expression":   {"'*'", "shop", "{match: [{authority: {regex: '(one|two)\\.example\\.com'}}], " + to},
		"an authority in the mesh":     {"one", "mesh", "{match: [{authority: {exact: one.default}}], " + to},
	} {
		yaml := base + "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: one}\nspec:\n  hosts: [" + c.hosts + "]\n  gateways: [" + c.gateway + "]\n  http: [" + c.http + "]\n"
		objects, err := manifests.Parse("f.yaml", []byte(yaml))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rules, err := manifests.Read(objects)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		met := map[string]bool{}
		for _, cohort := range Cohorts(rules, []string{"default"}, "client") {
			caller, _, err := rules.CallerOf(cohort.Entry)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			met[rules.Table(caller).Route(&manifests.Request{Host: cohort.Host, Method: cohort.Method, Path: cohort.Path, Header: cohort.Header}).Name] = true
		}
		for _, e := range rules.HTTPEntries() {
			if !met[e.Name] {
				t.Errorf("%s: %s is met by none of the requests", name, e.Name)
			}
		}
	}
}
