package scenarios

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

func objectNames(objects []manifests.Object) string {
	var list []string
	for i := range objects {
		list = append(list, objects[i].Name())
	}
	return strings.Join(list, ", ")
}

// The bundled files say what the stages of the tutorial apply, how requests enter, and which headers they carry.
func TestBundledStages(t *testing.T) {
	user := func(value string) http.Header { return http.Header{"X-Dev-User": {value}} }
	want := []struct {
		name, title, objects string
		entry                manifests.Entry
		cohorts              []Cohort
		exclude              float64
		unmet                string
	}{
		{name: "egress", title: "a ServiceEntry opens the way to the external clock", objects: "ServiceEntry clock", entry: manifests.Entry{Service: "frontend"}},
		{name: "prod", title: "a VirtualService sends middleware's calls to the subset prod", objects: "DestinationRule middleware, VirtualService middleware",
			entry: manifests.Entry{Service: "frontend"}, exclude: 0.005},
		{name: "retry", title: "failed calls are sent again by the caller's proxy, up to 3 times", entry: manifests.Entry{Service: "frontend"}, unmet: "VirtualService frontend",
			objects: "VirtualService frontend, VirtualService middleware, VirtualService backend"},
		{name: "ingress", title: "requests enter by the gateway, so the frontend is retried too", objects: "Gateway frontend, VirtualService frontend, Service frontend", entry: manifests.Entry{Gateway: OnlyGateway}},
		{name: "canary", title: "x-dev-user: super-secret leads to the canary, all else to prod", objects: "VirtualService middleware", entry: manifests.Entry{Gateway: OnlyGateway},
			cohorts: []Cohort{{Name: "exact header", Header: user("super-secret")}, {Name: "no header"}, {Name: "another value", Header: user("super-secretary")},
				{Name: "another case", Header: user("Super-Secret")}}},
	}
	stages := Stages()
	if len(stages) != len(want) {
		t.Fatalf("%d stages, want %d", len(stages), len(want))
	}
	for i, w := range want {
		s := &stages[i]
		objects, err := s.objects()
		if err != nil {
			t.Fatal(err)
		}
		if len(w.cohorts) == 0 {
			w.cohorts = []Cohort{{}}
		}
		for i := range w.cohorts {
			w.cohorts[i].Entry = w.entry
		}
		unmet := ""
		for _, u := range s.Unmet {
			unmet += u.Rule
		}
		if s.Name != w.name || s.Title != w.title || objectNames(objects) != w.objects || s.Exclude != w.exclude || unmet != w.unmet || !reflect.DeepEqual(s.Cohorts, w.cohorts) {
			t.Errorf("%+v with %s, want %+v", s, objectNames(objects), w)
		}
		if len(s.Lessons) == 0 {
			t.Errorf("stage %s teaches nothing", s.Name)
		}
		for _, lesson := range s.Lessons {
			if !strings.HasSuffix(lesson, ".") {
				t.Errorf("stage %s: %q is no sentence", s.Name, lesson)
			}
		}
	}
	if got := Parameters(); len(got) != 1 || got[0].Name != "canary-weight" || got[0].Split != (manifests.Split{Host: "middleware", From: "prod", To: "canary"}) {
		t.Errorf("parameters %+v", got)
	}
}

// The application is what hellochaos deploy puts into a cluster.
func TestTheApplicationIsThatOfManifests(t *testing.T) {
	got, err := Through("", nil)
	if err != nil || objectNames(got) != objectNames(manifests.Application()) || bundled[0].Cohorts[0].Entry != (manifests.Entry{Service: "frontend"}) {
		t.Errorf("%s (%v), want %s", objectNames(got), err, objectNames(manifests.Application()))
	}
}

func TestNamesAreACopy(t *testing.T) {
	want := []string{"egress", "prod", "retry", "ingress", "canary"}
	Names()[0], Stages()[0].Name = "changed", "changed"
	if got := Names(); !slices.Equal(got, want) || Stages()[0].Name != "egress" {
		t.Errorf("Names() = %v, want %v", got, want)
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"all", "egress prod retry ingress canary"}, {"canary egress canary", "egress canary"}, {"retry", "retry"},
	} {
		if got, err := Choose(strings.Fields(c.args)); err != nil || strings.Join(namesOf(got), " ") != c.want {
			t.Errorf("%s: %s (%v), want %s", c.args, namesOf(got), err, c.want)
		}
	}
	const stages = "the stages are egress, prod, retry, ingress, canary, or all by itself"
	for args, want := range map[string]string{
		"":                 "no stage given: name one or more of egress, prod, retry, ingress, canary, or all",
		"all retry":        "no stage all: " + stages,
		"rety application": `no stage rety (did you mean "retry"?), application: ` + stages,
	} {
		if got, err := Choose(strings.Fields(args)); err == nil || err.Error() != want || got != nil {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
}

// A new stage is one file: it says itself which stage it stands on.
func TestInOrder(t *testing.T) {
	stage := func(name, after string) Stage { return Stage{Name: name, After: after} }
	got, err := inOrder([]Stage{stage("c", "b"), stage("new", "c"), stage("a", ""), stage("b", "a")})
	if err != nil || !slices.Equal(namesOf(got), []string{"a", "b", "c", "new"}) {
		t.Errorf("%v (%v), want a, b, c, new", namesOf(got), err)
	}
	for want, stages := range map[string][]Stage{
		`b has after: xyz, and there is no such stage`:                                                                {stage("a", ""), stage("b", "xyz")},
		`egres has after: egret, and there is no such stage (did you mean "egres"?)`:                                  {stage("a", ""), stage("egres", "egret")},
		"b and c both have after: a: each stage stands on another one":                                                {stage("a", ""), stage("b", "a"), stage("c", "a")},
		"a and b both have no after: each stage stands on another one":                                                {stage("a", ""), stage("b", "")},
		"some stages stand on each other in a circle: one must have no after, and each of the others must lead to it": {stage("a", ""), stage("b", "c"), stage("c", "b")},
		`two files have the name "a": each stage needs a name of its own`:                                             {stage("a", ""), stage("a", "b"), stage("b", "a")},
	} {
		if _, err := inOrder(stages); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestUnknownStage(t *testing.T) {
	want := `no stage retri (did you mean "retry"?): the stages are egress, prod, retry, ingress, canary`
	for what, call := range map[string]func() error{
		"YAML":        func() error { _, err := YAMLIn(IstioAPI, "retri"); return err },
		"Through":     func() error { _, err := Through("retri", nil); return err },
		"OverlayFrom": func() error { _, err := OverlayFrom("retri", nil, nil); return err },
		"Phases":      func() error { _, err := Phases(Stages(), map[string][]manifests.Object{"retri": nil}, nil); return err },
	} {
		if err := call(); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", what, err, want)
		}
	}
}

func TestYAMLIsTheBundledFile(t *testing.T) {
	got, err := YAMLIn(IstioAPI, "ingress")
	want, _ := manifests.BundledYAML("ingress.yaml")
	if err != nil || string(got) != string(want) || len(want) == 0 {
		t.Errorf("%d bytes (%v), want the %d of ingress.yaml", len(got), err, len(want))
	}
}

func parsed(t testing.TB, file, text string) []manifests.Object {
	t.Helper()
	objects, err := manifests.Parse(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func virtualService(name, host string) string {
	return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name + "}\nspec:\n" +
		"  hosts: [" + host + "]\n  http: [{route: [{destination: {host: middleware}}], retries: {attempts: 1}}]\n"
}

// What the user writes for a stage takes the place of its bundled file as a whole.
func TestThroughOverrides(t *testing.T) {
	objects, err := Through("retry", map[string][]manifests.Object{"retry": parsed(t, "retry.yaml", virtualService("middleware", "middleware"))})
	if err != nil {
		t.Fatal(err)
	}
	r, err := manifests.Read(objects)
	if err != nil {
		t.Fatal(err)
	}
	table := r.Table(manifests.Caller{Namespace: manifests.Namespace})
	for host, want := range map[string]int{"middleware": 1, "backend": 2} {
		if got := table.Route(&manifests.Request{Host: host, Path: "/"}).Retry.Attempts; got != want {
			t.Errorf("%s is retried %d times, want %d", host, got, want)
		}
	}
}

func TestOverlayFrom(t *testing.T) {
	own := parsed(t, "own.yaml", virtualService("middleware", "x")+"---\n"+virtualService("new", "x"))
	given := map[string][]manifests.Object{"egress": {own[1]}}
	overrides, err := OverlayFrom("retry", given, own)
	if err != nil {
		t.Fatal(err)
	}
	for stage, want := range map[string]string{
		"egress": "VirtualService new", "prod": "",
		"retry":  "VirtualService frontend, VirtualService middleware, VirtualService backend, VirtualService new",
		"canary": "VirtualService middleware, VirtualService new",
	} {
		if got := objectNames(overrides[stage]); got != want {
			t.Errorf("stage %s has %q, want %q", stage, got, want)
		}
	}
	if overrides["canary"][0].File != "own.yaml" || len(given) != 1 || len(slices.Collect(maps.Keys(overrides))) != 4 {
		t.Errorf("canary's is of %s, want own.yaml; what was given has %d stages, want 1 as before", overrides["canary"][0].File, len(given))
	}
}
