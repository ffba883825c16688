package oracle_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/calls"
	"github.com/hellochaos/hellochaos/target/mesh"
)

var graphs = flag.Int("graphs", 20, "how many random graphs TestRandomGraphsHaveNoMismatch runs")

// randomGraph writes the objects of services in a tree of calls, in turn and side by side, some with two versions that call
// different services, and with random rules: retries, subsets, weights, timeouts, aborts.
type randomGraph struct {
	*rand.Rand
	yaml     strings.Builder
	services int
	headers  bool // some rules are for requests with a header
}

// service adds a service and all that it calls, to a depth.
func (g *randomGraph) service(name string, depth int) {
	fmt.Fprintf(&g.yaml, `apiVersion: v1
kind: Service
metadata: {name: %[1]s, labels: {app: %[1]s}}
spec: {selector: {app: %[1]s}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
`, name)
	versions := []string{"v1"}
	if name != "frontend" && g.IntN(3) == 0 {
		versions = append(versions, "v2")
	}
	for _, version := range versions {
		g.deployment(name, version, depth)
	}
	if name != "frontend" {
		g.rules(name, versions)
	}
}

func (g *randomGraph) deployment(name, version string, depth int) {
	var steps [][]calls.Call
	var below []string
	for range g.IntN(3) {
		var step []calls.Call
		for range 1 + g.IntN(2) {
			if depth == 0 || g.services >= 8 {
				continue
			}
			g.services++
			next := fmt.Sprintf("s%d", g.services)
			below = append(below, next)
			step = append(step, calls.Call{URL: "http://" + next + "/", Method: []string{"", "POST"}[g.IntN(2)]})
		}
		if len(step) > 0 {
			steps = append(steps, step)
		}
	}
	text, _ := json.Marshal(steps)
	if steps == nil {
		text = []byte("[]")
	}
	fmt.Fprintf(&g.yaml, `apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s-%[2]s, labels: {app: %[1]s, version: %[2]s}}
spec:
  replicas: %[4]d
  selector: {matchLabels: {app: %[1]s, version: %[2]s}}
  template:
    metadata: {labels: {app: %[1]s, version: %[2]s}}
    spec:
      containers:
        - name: hello-service
          image: hello-service
          env: [{name: SERVICE_NAME, value: %[1]s-%[2]s}, {name: CALLS, value: %[3]q}]
          ports: [{name: http, containerPort: 3000}]
---
`, name, version, text, 1+g.IntN(2))
	for _, next := range below {
		g.service(next, depth-1)
	}
}

// rules adds a VirtualService for a service, most of the time.
func (g *randomGraph) rules(name string, versions []string) {
	if g.IntN(4) == 0 {
		return
	}
	route := fmt.Sprintf("[{destination: {host: %s}}]", name)
	if len(versions) == 2 {
		fmt.Fprintf(&g.yaml, `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: %[1]s}
spec: {host: %[1]s, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
`, name)
		weight := g.IntN(101)
		if g.headers && g.IntN(2) == 0 {
			weight = 100
		}
		route = fmt.Sprintf("[{destination: {host: %[1]s, subset: v1}, weight: %[2]d}, {destination: {host: %[1]s, subset: v2}, weight: %[3]d}]", name, weight, 100-weight)
	}
	more := ""
	if g.IntN(5) == 0 {
		more += "\n      retries: {attempts: 0}"
	} else if g.IntN(4) > 0 {
		more += fmt.Sprintf("\n      retries: {attempts: %d, retryOn: %q, perTryTimeout: 5s}", 1+g.IntN(3), []string{"5xx", "500", "gateway-error", "connect-failure"}[g.IntN(4)])
	}
	if g.IntN(4) == 0 {
		more += "\n      timeout: 9s"
	}
	if g.IntN(6) == 0 {
		more += fmt.Sprintf("\n      fault: {abort: {httpStatus: %d, percentage: {value: %d}}}", []int{403, 503}[g.IntN(2)], []int{30, 100}[g.IntN(2)])
	}
	more += g.changes(name)
	entries := fmt.Sprintf("%s    - route: %s%s\n", g.match(name, versions, more), route, more)
	if g.IntN(4) == 0 {
		g.virtualService(name+"-delegate", "", entries)
		entries = fmt.Sprintf("    - {match: [{sourceNamespace: elsewhere}, {port: 81}], directResponse: {status: 418}}\n"+
			"    - {match: [{port: 80}, {uri: {prefix: /never}}], delegate: {name: %s-delegate}, retries: {attempts: 1, retryOn: 5xx}}\n", name)
	}
	g.virtualService(name, "  hosts: ["+name+"]\n", entries)
}

func (g *randomGraph) virtualService(name, hosts, entries string) {
	fmt.Fprintf(&g.yaml, `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: %s}
spec:
%s  http:
%s---
`, name, hosts, entries)
}

// changes are what a rule changes of the requests for a service: now and then the path, the host, or a header that other rules match.
func (g *randomGraph) changes(name string) (more string) {
	switch g.IntN(6) {
	case 0:
		more += "\n      rewrite: {uri: /new}"
	case 1:
		more += fmt.Sprintf("\n      rewrite: {uriRegexRewrite: {match: '(.*)', rewrite: '\\1of/%s'}, authority: other.example}", name)
	}
	switch g.IntN(5) {
	case 0:
		more += "\n      headers: {request: {set: {x-dev-user: super-secret}, add: {x-a: b}}, response: {remove: [date]}}"
	case 1:
		more += "\n      headers: {request: {remove: [X-Dev-User]}, response: {set: {x-a: b}}}"
	}
	return more
}

// match is an http entry for requests with a header, which leads them to the last version; most often none.
func (g *randomGraph) match(name string, versions []string, more string) string {
	if !g.headers || len(versions) < 2 || g.IntN(3) == 0 {
		return ""
	}
	return fmt.Sprintf("    - match: [{headers: {x-dev-user: {exact: super-secret}}}]\n      route: [{destination: {host: %s, subset: %s}}]%s\n", name, versions[len(versions)-1], more)
}

// Whatever the graph and its rules, a mesh that obeys them has no mismatch.
func TestRandomGraphsHaveNoMismatch(t *testing.T) {
	if testing.Short() {
		t.Log("the short form has five graphs at most")
		*graphs = min(*graphs, 5)
	}
	total := 0
	for seed := range *graphs {
		g := &randomGraph{Rand: rand.New(rand.NewPCG(uint64(seed), 7))}
		g.service("frontend", 3)
		objects, err := manifests.Parse("random.yaml", []byte(g.yaml.String()))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, g.yaml.String())
		}
		m, err := mesh.New(mesh.Options{Seed: uint64(seed)})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Apply(t.Context(), objects); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got := send(t, m, objects, setting{entry: manifests.Entry{Service: "frontend"}, fail: []float64{0.05, 0.3, 0.6}[g.IntN(3)], propagate: g.IntN(2) == 0, requests: 40, seed: seed})
		if _, err := m.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(got.kinds) > 0 {
			t.Errorf("seed %d: %+v\n%s", seed, got, g.yaml.String())
			return
		}
		total += got.calls
	}
	t.Logf("%d graphs, %d calls judged", *graphs, total)
	if total < 80**graphs {
		t.Errorf("%d calls in %d graphs: the graphs lead nowhere", total, *graphs)
	}
}
