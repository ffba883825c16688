package isotope

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/graph"
	"github.com/hellochaos/hellochaos/scenarios/standins"
)

// shop has everything that a topology can say.
const shop = `apiVersion: v1alpha1
kind: MockServiceGraph
defaults:
  type: grpc
  requestSize: 1 KB
  responseSize: 16K
  numReplicas: 2
  errorRate: 0.1%
services:
- name: front
  isEntrypoint: true
  numReplicas: 7
  script:
  - sleep: 10ms
  - - call: cart
    - call: {service: stock, size: 10K, probability: 50}
    - sleep: 5ms
  - call:
      service: away
      hostname: away.data.svc.cluster.local:8080
  - sleep: 20ms
- name: cart
  type: http
  errorRate: 0.25
  script:
  - call: stock
  - - call: {service: away, hostname: "away.global:8080"}
- name: stock
  errorRate: 0
- name: away
  namespace: data
  cluster: two
  numRbacPolicies: 3
  script:
  - sleep: {SleepCommand: []}
- name: alone
`

func read(t testing.TB, text string) *Topology {
	t.Helper()
	topology, err := Read("shop.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return topology
}

// hosts are the calls of a service, steps joined by ";" and the calls of a step by ",".
func hosts(s *Service) string {
	var steps []string
	for _, step := range s.Steps {
		var all []string
		for _, c := range step {
			all = append(all, c.Host)
		}
		steps = append(steps, strings.Join(all, ","))
	}
	return strings.Join(steps, ";")
}

func TestRead(t *testing.T) {
	topology := read(t, shop)
	rate := func(f *float64) string {
		if f == nil {
			return "none"
		}
		return fmt.Sprint(*f)
	}
	var got []string
	for i := range topology.Services {
		s := &topology.Services[i]
		got = append(got, fmt.Sprintf("%s.%s:%d entry %v, %d of %d, rate %s, work %v, calls %q", s.Name, s.Namespace, s.Line, s.Entry, s.Replicas, s.Written, rate(s.ErrorRate), s.Work, hosts(s)))
	}
	want := []string{
		`front.default:10 entry true, 3 of 7, rate 0.001, work 30ms, calls "cart:8080,stock:8080;away.data.svc.cluster.local:8080"`,
		`cart.default:22 entry false, 2 of 2, rate 0.25, work 0s, calls "stock:8080;away.data.svc.cluster.local:8080"`,
		`stock.default:28 entry false, 2 of 2, rate 0, work 0s, calls ""`,
		`away.data:30 entry false, 2 of 2, rate 0.001, work 0s, calls ""`,
		`alone.default:36 entry false, 2 of 2, rate 0.001, work 0s, calls ""`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if topology.Calls() != 6 || topology.Pods() != 11 || len(topology.Entries()) != 1 {
		t.Errorf("%v answers a request, %d pods, %d entries, want 6, 11 and 1", topology.Calls(), topology.Pods(), len(topology.Entries()))
	}
}

// What the file says and has no meaning here is named, each once, with its place.
func TestRemarks(t *testing.T) {
	remarks := strings.Join(read(t, shop).Remarks, "\n")
	for _, part := range []string{
		"numReplicas: the file asks for 15 pods, and 11 run", "requestSize, responseSize and size (first of 3 places shop.yaml:5): ", "type grpc (shop.yaml:4): ",
		"probability (shop.yaml:16): ", "numRbacPolicies (shop.yaml:33): ", "cluster (shop.yaml:32): ", "hostname (shop.yaml:27): ", "sleep by a distribution (shop.yaml:35): ",
		"sleep after a call (shop.yaml:21): ", "sleep beside calls (shop.yaml:15): ", "No request that enters reaches alone.",
	} {
		if strings.Count(remarks, part) != 1 {
			t.Errorf("%q is there %d times, want once, in\n%s", part, strings.Count(remarks, part), remarks)
		}
	}
	if plain := read(t, "services: [{name: a, isEntrypoint: true, script: [{call: b}]}, {name: b}]"); len(plain.Remarks) > 0 {
		t.Errorf("remarks on a file that means all that it says: %q", plain.Remarks)
	}
}

// Without an entry, requests enter where nobody else calls.
func TestWithoutEntry(t *testing.T) {
	topology := read(t, "services: [{name: b}, {name: a, script: [{call: b}]}, {name: c}]")
	var names []string
	for _, s := range topology.Entries() {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, " "); got != "a c" || !strings.Contains(strings.Join(topology.Remarks, ""), "requests enter where nobody else calls: a, c.") {
		t.Errorf("entries %s, remarks %q", got, topology.Remarks)
	}
}

// Everything that is wrong is told at once, each with its line.
func TestRefused(t *testing.T) {
	chain := func(n int) string {
		text := "services:\n"
		for i := range n {
			text += fmt.Sprintf("- {name: s%d, isEntrypoint: %v, script: [{call: s%d}]}\n", i, i == 0, i+1)
		}
		return text + fmt.Sprintf("- {name: s%d}\n", n)
	}
	doubling := "services:\n"
	for i := range 13 {
		doubling += fmt.Sprintf("- {name: s%d, isEntrypoint: %v, script: [{call: s%d}, {call: s%d}]}\n", i, i == 0, i+1, i+1)
	}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"fields", "defaults: {numReplica: 2}\nservices:\n- nam: a\n- {name: b, isEntrypont: true, script: [{cal: b}]}\n", []string{
			`t.yaml:1: defaults.numReplica: unknown field (did you mean "numReplicas"?)`, `t.yaml:3: service 0: services[0].nam: unknown field (did you mean "name"?)`,
			"t.yaml:3: service 0: services[0].name: is missing", `t.yaml:4: service b: services[1].isEntrypont: unknown field (did you mean "isEntrypoint"?)`,
			`t.yaml:4: service b: services[1].script[0].cal: unknown field (did you mean "call"?); accepted: call, sleep`}},
		{"values", "services:\n- {name: A, isEntrypoint: yes please, numReplicas: 0, errorRate: 5, type: tcp, responseSize: big, script: [{sleep: long}, [], [[{call: b}]], {call: {size: 1}}, {call: x, sleep: 1s}, 7]}", []string{
			`services[0].name: is "A"`, "isEntrypoint: must be true or false", "numReplicas: must be a whole number from 1", "errorRate: must be a number from 0 to 1", "type: must be http or grpc",
			"responseSize: must be a number of bytes", "script[0].sleep: must be a duration", "script[1]: must be a list with at least one command", "script[2][0]: is a list in a list",
			"script[3].call.service: is missing", "script[4]: has a call and a sleep", "script[5]: must be a call or a sleep, not 7"}},
		{"percentages", "services: [{name: a, errorRate: 101%}, {name: b, errorRate: \"0.1\"}, {name: c, errorRate: .nan}]", []string{"services[0].errorRate", "services[1].errorRate", "services[2].errorRate"}},
		{"nobody", "services:\n- {name: reviews, script: [{call: ratngs}]}\n- {name: ratings}", []string{`t.yaml:2: service reviews: services[0].script[0].call: is "ratngs", which is no service of the file (did you mean "ratings"?)`}},
		{"twice", "services:\n- {name: a}\n- {name: a, name: b}\n- {name: a}", []string{"t.yaml:3: service b: services[1].name: is written twice", "t.yaml:4: service a: is the name of the service in line 2, too"}},
		{"a circle", "services:\n- {name: a, script: [{call: b}]}\n- name: b\n  script:\n  - call: c\n- {name: c, script: [{call: b}]}", []string{"t.yaml:6: service c: calls go in a circle: b → c → b."}},
		{"itself", "services: [{name: a, script: [{call: a}]}]", []string{"a → a."}},
		{"deep", chain(40), []string{"from here on 41 services call each other in a row: at most 32"}},
		{"wide", doubling + "- {name: s13}", []string{"leads to 16383 calls: at most 4096"}},
		{"many calls", "services: [{name: b}, {name: a, script: [[" + strings.Repeat("{call: b},", 257) + "]]}]", []string{"has 257 calls: at most 256"}},
		{"many services", "services: [" + strings.Repeat("{name: a},", 1001) + "]", []string{"has 1001 services: hellochaos runs at most 1000"}},
		{"large", "services: []" + strings.Repeat("\n", maxFile), []string{"is larger than the 1048576 bytes"}},
		{"empty", "", []string{"has no content"}},
		{"a comment", "# nothing", []string{"has no content"}},
		{"a list", "- a", []string{"must be a topology of isotope"}},
		{"without services", "defaults: {}", []string{"services: is missing"}},
		{"no services", "services: []", []string{"services: must be a list with at least one service, not an empty list"}},
		{"no YAML", "services: [", []string{"is not valid YAML"}},
		{"two documents", "services: [{name: a}]\n---\nservices: [{name: b}]", []string{"t.yaml:2: is a second document"}},
		{"an alias", "services: [{name: a, script: &s [{call: b}]}, {name: b, script: *s}]", []string{"has an anchor or an alias"}},
		{"manifests", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {}", []string{"metadata: unknown field", "services: is missing"}},
	} {
		topology, err := Read("t.yaml", []byte(c.text))
		if err == nil || topology != nil {
			t.Errorf("%s: %v, %v, want an error", c.name, topology, err)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q is not in\n%v", c.name, part, err)
			}
		}
		if len(strings.Split(err.Error(), "\n")) < len(c.want) {
			t.Errorf("%s: fewer problems than %d:\n%v", c.name, len(c.want), err)
		}
	}
}

// A file with nothing but mistakes ends after a hundred of them.
func TestProblemsAreBounded(t *testing.T) {
	_, err := Read("t.yaml", []byte("services: ["+strings.Repeat("{x: 1},", 500)+"]"))
	if n := len(strings.Split(err.Error(), "\n")); n != mostProblems {
		t.Errorf("%d problems, want %d", n, mostProblems)
	}
}

// More pods than this machine runs become one for each service, which is said.
func TestCapped(t *testing.T) {
	text := "defaults: {numReplicas: 1000}\nservices:\n"
	for i := range 400 {
		text += fmt.Sprintf("- {name: s%d}\n", i)
	}
	topology := read(t, text)
	if topology.Pods() != 400 || !strings.Contains(topology.Capped, "asks for 400000 pods, and 400 run") {
		t.Errorf("%d pods: %s", topology.Pods(), topology.Capped)
	}
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte(shop), 0o644); err != nil {
		t.Fatal(err)
	}
	if topology, err := Load(file); err != nil || len(topology.Services) != 5 || topology.File != file {
		t.Errorf("%v, %v", topology, err)
	}
	for _, c := range []struct{ file, want string }{{file + "s", "no such file"}, {filepath.Dir(file), "is a directory"}} {
		if _, err := Load(c.file); err == nil || !strings.HasPrefix(err.Error(), c.file+": ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// The stand-ins of the objects make the calls, fail and sleep as the topology says.
func TestObjects(t *testing.T) {
	topology := read(t, shop)
	for _, o := range topology.Objects() {
		if k, ok := o.Kubernetes.(*appsv1.Deployment); ok && (int(*k.Spec.Replicas) > standins.MostReplicas || o.File != "shop.yaml" || o.Line == 0) {
			t.Errorf("%s at %s:%d has %d replicas", o.Name(), o.File, o.Line, *k.Spec.Replicas)
		}
	}
	g := graphOf(t, topology)
	if len(g.Workloads) != len(topology.Services) {
		t.Fatalf("%d workloads, want %d", len(g.Workloads), len(topology.Services))
	}
	front, cart := workload(t, g, "front"), workload(t, g, "cart")
	if front.Service != "front" || front.Version != Version || len(front.Steps) != 2 || len(front.Steps[0]) != 2 || front.Steps[0][1].URL != "http://stock:8080/" || front.Work != 30*time.Millisecond || *front.Fail != 0.001 {
		t.Errorf("front is %+v", front)
	}
	if *cart.Fail != 0.25 || cart.Work != 0 || len(cart.Steps) != 2 {
		t.Errorf("cart is %+v", cart)
	}
}

// graphOf is the graph of the stand-ins of a topology.
func graphOf(t testing.TB, topology *Topology) *graph.Graph {
	t.Helper()
	set, err := standins.Of(topology.Objects())
	if err != nil {
		t.Fatal(err)
	}
	rules, err := manifests.Read(set.Objects)
	if err != nil {
		t.Fatal(err)
	}
	g, err := graph.Read(rules)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// workload is the workload of a service.
func workload(t testing.TB, g *graph.Graph, service string) *graph.Workload {
	t.Helper()
	for i := range g.Workloads {
		if g.Workloads[i].Service == service {
			return &g.Workloads[i]
		}
	}
	t.Fatalf("no workload is of service %s", service)
	return nil
}

// FuzzRead checks that each topology that is read is one that runs: every service is a stand-in, and each makes the calls of the file.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{shop, "services: [{name: a, script: [[{call: b}, {sleep: 1ms}], {call: {service: b}}]}, {name: b}]", "defaults: {script: [{call: b}]}\nservices: [{name: b}]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		topology, err := Read("fuzz.yaml", data)
		if err != nil {
			return
		}
		if len(topology.Entries()) == 0 || topology.Calls() < 1 {
			t.Fatalf("%d entries, %v calls", len(topology.Entries()), topology.Calls())
		}
		g := graphOf(t, topology)
		if len(g.Workloads) != len(topology.Services) {
			t.Fatalf("%d services, and %d of them have pods", len(topology.Services), len(g.Workloads))
		}
		for i := range topology.Services {
			calls := 0
			for _, step := range workload(t, g, topology.Services[i].Name).Steps {
				calls += len(step)
			}
			own := 0
			if topology.Services[i].each(func(*Call) { own++ }); own != calls {
				t.Fatalf("service %d makes %d calls, want %d", i, calls, own)
			}
		}
	})
}
