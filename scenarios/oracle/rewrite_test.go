package oracle_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// calling is a Service and a Deployment of each version, whose stand-in calls a URL, if it is not empty.
func calling(name, url string, versions ...string) (yaml string) {
	calls := "[]"
	if url != "" {
		calls = fmt.Sprintf(`[[{"url": %q}]]`, url)
	}
	for _, version := range versions {
		yaml += fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s-%[2]s}
spec:
  selector: {matchLabels: {app: %[1]s, version: %[2]s}}
  template:
    metadata: {labels: {app: %[1]s, version: %[2]s}}
    spec:
      containers:
        - name: hello-service
          image: hello-service
          env: [{name: SERVICE_NAME, value: %[1]s-%[2]s}, {name: CALLS, value: %[3]q}]
---
`, name, version, calls)
	}
	return yaml + fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec: {selector: {app: %[1]s}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
`, name)
}

// rewriting is a graph in which the frontend calls a at /old/x, and a calls b, of which requests with a header go to version v2. The
// rule for a has these entries beside its route.
func rewriting(t *testing.T, more string) []manifests.Object {
	t.Helper()
	yaml := calling("frontend", "http://a/old/x?y=1", "v1") + calling("a", "http://b/", "v1") + calling("b", "", "v1", "v2") + `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: b}
spec: {host: b, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: b}
spec:
  hosts: [b]
  http:
    - match: [{headers: {x-dev-user: {exact: super-secret}}}]
      route: [{destination: {host: b, subset: v2}}]
    - route: [{destination: {host: b, subset: v1}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec:
  hosts: [a]
  http:
    - match: [{uri: {prefix: /old}}]
      route: [{destination: {host: a}}]
` + more
	objects, err := manifests.Parse("rewriting.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// A mesh that rewrites, and changes headers, as its rules say has no mismatch; one that does not has nothing else.
func TestAMeshThatDoesNotRewriteIsFound(t *testing.T) {
	const rewrite, set = "      rewrite: {uri: /new, authority: other}\n", "      headers: {request: {set: {x-dev-user: super-secret}}}\n"
	for _, c := range []struct {
		name, said, obeyed string
		header             http.Header
		want               []oracle.Kind
	}{
		{"all is obeyed", rewrite + set, rewrite + set, nil, nil},
		{"a header is removed", "      headers: {request: {remove: [x-dev-user]}}\n", "      headers: {request: {remove: [x-dev-user]}}\n", http.Header{"X-Dev-User": {"super-secret"}}, nil},
		{"no path is rewritten", rewrite + set, "      rewrite: {authority: other}\n" + set, nil, []oracle.Kind{oracle.WrongPath}},
		{"another path is sent", rewrite, strings.Replace(rewrite, "new", "newer", 1), nil, []oracle.Kind{oracle.WrongPath}},
		{"a path is rewritten without a rule", "", "      rewrite: {uri: /new}\n", nil, []oracle.Kind{oracle.WrongPath}},
		{"no host is rewritten", rewrite, "      rewrite: {uri: /new}\n", nil, []oracle.Kind{oracle.WrongHost}},
		{"another host is sent", rewrite, strings.Replace(rewrite, "other", "others", 1), nil, []oracle.Kind{oracle.WrongHost}},
		{"no header is set", rewrite + set, rewrite, nil, []oracle.Kind{oracle.WrongWorkload}},
		{"no header is removed", "      headers: {request: {remove: [x-dev-user]}}\n", "", http.Header{"X-Dev-User": {"super-secret"}}, []oracle.Kind{oracle.WrongWorkload}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := mesh.New(mesh.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close(t.Context())
			if err := m.Apply(t.Context(), rewriting(t, c.obeyed)); err != nil {
				t.Fatal(err)
			}
			got := send(t, m, rewriting(t, c.said), setting{entry: target.Direct, header: c.header, requests: 20})
			if kinds := slices.Collect(maps.Keys(got.kinds)); !slices.Equal(kinds, c.want) {
				t.Errorf("%v (%s), want %v", got.kinds, got.first, c.want)
			}
			if len(c.want) > 0 && got.kinds[c.want[0]] != got.requests {
				t.Errorf("%d of %d requests deviate", got.kinds[c.want[0]], got.requests)
			}
		})
	}
}

// Where two destinations lead to one workload with different headers on which its calls depend, nothing can be foreseen.
func TestDestinationsThatCannotBeToldApart(t *testing.T) {
	split := func(headers string) []manifests.Object {
		objects := rewriting(t, "")
		more, err := manifests.Parse("split.yaml", []byte(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec:
  hosts: [a]
  http: [{route: [{destination: {host: a}, weight: 1}, {destination: {host: a}, weight: 1, headers: {request: {set: {`+headers+`}}}}]}]
`))
		if err != nil {
			t.Fatal(err)
		}
		return manifests.Overlay(objects, more)
	}
	for headers, want := range map[string]string{
		"x-dev-user: super-secret": "VirtualService a, http[0] sends different headers to two destinations where Deployment a-v1 answers",
		"x-a: b":                   "", // a does not pass it on
	} {
		rules, err := manifests.Read(split(headers))
		if err != nil {
			t.Fatal(err)
		}
		ways, err := oracle.NewWays(rules)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ways.Enter(oracle.Entry{Service: "frontend"}, manifests.Request{Path: "/"})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", headers, err, want)
		}
	}
}
