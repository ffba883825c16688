package run

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target"
)

const rule = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: backend, labels: {a: b}}
spec:
  hosts: [backend]
  http: [{route: [{destination: {host: backend}}], retries: {attempts: 2, retryOn: 5xx, perTryTimeout: 2s}}]
---
apiVersion: v1
kind: Service
metadata: {name: backend}
spec: {selector: {app: backend}, ports: [{name: http, port: 80, targetPort: 3000}]}
`

func parsed(t *testing.T, file, text string) []manifests.Object {
	t.Helper()
	objects, err := manifests.Parse(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func hashed(t *testing.T, sets ...[]manifests.Object) string {
	t.Helper()
	sum, err := hash(sets)
	if err != nil || len(sum) != 64 {
		t.Fatalf("%q, %v", sum, err)
	}
	return sum
}

// The hash is that of the objects: neither their file nor how they are written is in it, and every field is.
func TestHash(t *testing.T) {
	want := hashed(t, parsed(t, "a.yaml", rule))
	for name, text := range map[string]string{
		"comments":       "# a rule\n" + rule,
		"order of names": strings.Replace(rule, "attempts: 2, retryOn: 5xx", "retryOn: 5xx, attempts: 2", 1),
	} {
		if got := hashed(t, parsed(t, "folder/b.yaml", text)); got != want || text == rule {
			t.Errorf("%s: another hash", name)
		}
	}
	seen := map[string]string{want: "the rule"}
	for _, change := range [][2]string{
		{"attempts: 2", "attempts: 3"}, {"5xx", "gateway-error"}, {"2s", "3s"}, {"labels: {a: b}", "labels: {a: c}"}, {"hosts: [backend]", "hosts: [backend, b]"},
		{"{name: backend, l", "{name: b, l"}, {"port: 80", "port: 81"}, {"{app: backend}", "{app: b}"}, {"/v1\n", "/v1beta1\n"},
		{"{name: backend, l", "{namespace: default, name: backend, l"}, {", retries: {attempts: 2, retryOn: 5xx, perTryTimeout: 2s}", ""},
	} {
		text := strings.Replace(rule, change[0], change[1], 1)
		if text == rule {
			t.Fatalf("%q is not in the rule", change[0])
		}
		got := hashed(t, parsed(t, "a.yaml", text))
		if seen[got] != "" {
			t.Errorf("%q has the hash of %s", change[1], seen[got])
		}
		seen[got] = change[1]
	}
	objects := parsed(t, "a.yaml", rule)
	for name, sets := range map[string][][]manifests.Object{
		"another order": {{objects[1], objects[0]}}, "one less": {objects[:1]}, "twice": {objects, objects}, "two sets": {objects[:1], objects[1:]}, "none": nil,
	} {
		if got := hashed(t, sets...); seen[got] != "" {
			t.Errorf("%s has the hash of %s", name, seen[got])
		} else {
			seen[got] = name
		}
	}
}

// Each phase names the objects that it adds, as they are applied, and the run has a hash of all.
func TestAddedObjects(t *testing.T) {
	bundled := planOf(t, "all", usual(), nil)
	list := func(of []reports.Manifest) (all []string) {
		for _, m := range of {
			all = append(all, m.Kind+" "+m.Name+" "+m.File)
		}
		return all
	}
	for i, p := range bundled.phases {
		var want []string
		for _, o := range p.Added {
			want = append(want, o.Kind+" "+o.Meta.Name+" "+p.Name+".yaml")
		}
		if got := list(bundled.added[i]); !slices.Equal(got, want) || i > 0 && len(got) == 0 {
			t.Errorf("%s adds %q, want %q", p.Name, got, want)
		}
		for j, m := range bundled.added[i] {
			if again := parsed(t, "again.yaml", m.YAML); hashed(t, again) != hashed(t, p.Added[j:j+1]) {
				t.Errorf("%s: the YAML of %s %s is another object:\n%s", p.Name, m.Kind, m.Name, m.YAML)
			}
		}
	}
	retry := phasesOf(t, "retry", nil, nil)[1].Added
	overrides := map[string][]manifests.Object{"retry": manifests.Overlay(retry, parsed(t, "mine/retry.yaml", rule))}
	mine, err := Plan("retry", phasesOf(t, "retry", overrides, map[string]string{"canary-weight": "30"}), usual(), pace)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, m := range mine.added[1] {
		text += m.File + "\n" + m.YAML
	}
	if !strings.Contains(text, "mine/retry.yaml") || !strings.Contains(text, "weight: 30") || !strings.Contains(text, "attempts: 2") {
		t.Errorf("with an override and a weight:\n%s", text)
	}
	if len(mine.hash) != 64 || mine.hash == bundled.hash || mine.report(target.Description{}, time.Now()).Settings.ManifestsHash != mine.hash {
		t.Errorf("hash %q", mine.hash)
	}
}
