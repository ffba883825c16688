package derive

import (
	"fmt"
	"strings"
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

// However many rules there are, each has a request that meets it.
func TestManyEntries(t *testing.T) {
	var http strings.Builder
	for i := range MostCohorts + 10 {
		fmt.Fprintf(&http, "    - {match: [{uri: {exact: /%d}}], directResponse: {status: 200}}\n", i)
	}
	objects, err := manifests.Parse("f.yaml", []byte(base+"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: one}\nspec:\n  hosts: [one]\n  http:\n"+http.String()))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := manifests.Read(objects)
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]bool{}
	for _, cohort := range Cohorts(rules, []string{"default"}, "client") {
		paths[cohort.Path] = true
	}
	if last := fmt.Sprintf("/%d", MostCohorts+9); !paths[last] || len(paths) != MostCohorts+10 {
		t.Errorf("%d paths, want %d, of which one is %s", len(paths), MostCohorts+10, last)
	}
}

// What is made for an expression matches it, each string is another one, and the plainest comes first.
func TestMatching(t *testing.T) {
	for expression, want := range map[string]string{
		"/v[0-9]+":                     "/v0 /v11 /v222 /v3333",
		"(one|two)":                    "one two",
		"[^a-z/]":                      "A B C D",
		"/a?":                          "/ /a",
		"^(x;)?(user=jason)(;.*)?$":    "user=jason x;user=jason;a x;user=jason;aa x;user=jason;aaa",
		"(":                            "(",
		`\bno\B`:                       `\bno\B`,
		"/[é]":                         "/é",
		"/(api|static)/[a-z]{2}\\.css": "/api/aa.css /static/bb.css /static/cc.css /static/dd.css",
	} {
		if got := strings.Join(matching(expression), " "); got != want {
			t.Errorf("%s: %q, want %q", expression, got, want)
		}
	}
}
