package draft

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/standins"
)

const shop = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
  - {match: [{headers: {end-user: {exact: "a \"b\": {c"}}, uri: {prefix: /v2}, method: {exact: POST}}], route: [{destination: {host: reviews, subset: v2}}]}
  - route: [{destination: {host: reviews, subset: v1}, weight: 90}, {destination: {host: reviews, subset: v2}, weight: 10}]
  - route: [{destination: {host: reviews}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, namespace: goods}
spec: {hosts: [shop.example.com], gateways: [door], http: [{route: [{destination: {host: cart}}]}]}
`

// drafted is the scenario file of manifests, in a folder with them.
func drafted(t *testing.T, text string) (file, draft string, err error) {
	t.Helper()
	dir := t.TempDir()
	manifest := filepath.Join(dir, "shop.yaml")
	if err := os.WriteFile(manifest, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	set, rules := load(t, manifest)
	written, err := Of([]string{"my shop/"}, []string{"shop.yaml"}, set, rules, Variables([]string{manifest}))
	file = filepath.Join(dir, "scenario.yaml")
	if wrong := os.WriteFile(file, written, 0o644); wrong != nil {
		t.Fatal(wrong)
	}
	return file, string(written), err
}

// read are the stand-ins and the rules of a text of manifests.
func read(t *testing.T, text string) (*standins.Set, *manifests.Rules) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return load(t, file)
}

func load(t *testing.T, file string) (*standins.Set, *manifests.Rules) {
	t.Helper()
	others, err := manifests.LoadOthers([]string{file}, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	set, err := standins.Of(others.Objects)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := manifests.Read(set.Objects)
	if err != nil {
		t.Fatal(err)
	}
	return set, rules
}

// A draft is a scenario file that is read, with a cohort for each rule that any request meets, and marks for what no manifest says.
func TestOf(t *testing.T) {
	file, text, err := drafted(t, shop)
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.OpenFile(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	phases, err := s.Phases(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range phases[0].Cohorts {
		got = append(got, strings.Join([]string{c.Method, c.Host, c.Path, c.Header.Get("End-User"), c.Entry.Caller + c.Entry.Gateway}, "|"))
	}
	want := []string{`POST|reviews|/v2|a "b": {c|default/hellochaos-client`, "|reviews|||default/hellochaos-client", "|shop.example.com|||goods/door"}
	if !slices.Equal(got, want) || s.Name != "my-shop" || phases[0].Cohorts[1].Weight != 20 {
		t.Errorf("%s: cohorts %q, want %q", s.Name, got, want)
	}
	for _, part := range []string{"  - name: reviews # versions v1, v2, named in ", "  - name: cart.goods # version stand-in, named in ", "# calls: [] # FILL IN",
		"# No request was found that meets VirtualService reviews, http[2] (", "    # meets VirtualService reviews, http[0] ("} {
		if !strings.Contains(text, part) {
			t.Errorf("the draft lacks %q:\n%s", part, text)
		}
	}
}

// Files that name no service of the mesh are refused.
func TestOfNobody(t *testing.T) {
	_, text, err := drafted(t, "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: out}\nspec: {hosts: [out.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}\n")
	if err == nil || text != "" || !strings.Contains(err.Error(), "my shop/: no service of the mesh that has pods is there") {
		t.Errorf("%v\n%s", err, text)
	}
}

// Without a rule, requests enter straight at the first service that has pods.
func TestOfServices(t *testing.T) {
	file, text, err := drafted(t, `{apiVersion: v1, kind: Service, metadata: {name: none, namespace: shop}, spec: {selector: {app: none}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: cart, namespace: shop}, spec: {selector: {app: cart}, ports: [{port: 80}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: cart, namespace: shop}, spec: {selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: a, image: b}]}}}}
`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scenarios.OpenFile(file); err != nil || !strings.Contains(text, "\nentry: {service: cart.shop.svc.cluster.local}\n") || !strings.Contains(text, "  - name: none.shop # nobody answers, from ") {
		t.Errorf("%v\n%s", err, text)
	}
}

// What a variable of the tutorial names is called; what another variable names may be, and where nobody answers it is left out.
func TestVariables(t *testing.T) {
	service := func(name, env string) string {
		return `{apiVersion: v1, kind: Service, metadata: {name: ` + name + `}, spec: {selector: {app: ` + name + `}, ports: [{port: 80}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: ` + name + `}, spec: {selector: {matchLabels: {app: ` + name + `}}, template: {metadata: {labels: {app: ` + name + `}}, spec: {containers: [{name: a, image: b, env: [` + env + `]}]}}}}
---
`
	}
	file, text, err := drafted(t, service("web", "{name: UPSTREAM_URI, value: 'http://cart/a'}")+service("cart", "{name: STOCK, value: 'http://stock:80/'}, {name: UPSTREAM_URI, value: 'http://nobody/'}")+service("stock", "{name: A, value: b}"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scenarios.OpenFile(file); err != nil {
		t.Error(err)
	}
	for _, want := range []string{`    calls: ["http://cart/a"] # variable UPSTREAM_URI`, `    # calls: [] # FILL IN, perhaps "http://stock:80/" (variable STOCK)`, "    # calls: [] # FILL IN\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the draft lacks %q:\n%s", want, text)
		}
	}
}

// The example is a scenario file that needs no other file.
func TestExample(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(file, Example, 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if phases, err := s.Phases(nil, nil); err != nil || len(phases) != 2 || len(s.Expect()) != 1 {
		t.Errorf("%d phases, %v", len(phases), err)
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string]string{"mesh/": "mesh", "./My Shop.yaml": "my-shop", "1": "mesh", "all": "mesh", "..": "mesh", "a/b_c": "b-c"} {
		if got := nameOf([]string{text}); got != want {
			t.Errorf("%s is called %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{"a": "a", "a b": `"a b"`, "on": `"on"`, "v1": "v1", "a: {": `"a: {"`, "1": `"1"`, "<é>": `"<é>"`} {
		if got := quoted(text); got != want {
			t.Errorf("%q is written %s, want %s", text, got, want)
		}
	}
}

// Calls that were counted go to the port of the service, and one that closes a circle is told and left out.
func TestCounted(t *testing.T) {
	service := func(name string, port int) string {
		return fmt.Sprintf(`{apiVersion: v1, kind: Service, metadata: {name: %[1]s, namespace: shop}, spec: {selector: {app: %[1]s}, ports: [{name: http, port: %[2]d}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: %[1]s, namespace: shop}, spec: {selector: {matchLabels: {app: %[1]s}}, template: {metadata: {labels: {app: %[1]s}}, spec: {containers: [{name: a, image: b}]}}}}
---
`, name, port)
	}
	set, rules := read(t, service("web", 80)+service("cart", 9080))
	counted := func(from, to string) Called {
		return Called{Workload: "shop/" + from, Address: "http://" + to + ".shop.svc.cluster.local/", By: "counted", Sure: true}
	}
	kept, circular := Acyclic([]Called{counted("web", "cart"), counted("cart", "web"), counted("cart", "cart")}, set.Services())
	if len(kept) != 1 || len(circular) != 2 {
		t.Fatalf("kept %v, circular %v", kept, circular)
	}
	text, err := Of([]string{"shop"}, []string{"shop.yaml"}, set, rules, kept)
	if want := `    calls: ["http://cart.shop.svc.cluster.local:9080/"] # counted`; err != nil || !strings.Contains(string(text), want) {
		t.Errorf("the draft lacks %q: %v\n%s", want, err, text)
	}
}
