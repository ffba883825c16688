package scenarios

import (
	"strings"
	"testing"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/hellochaos/hellochaos/manifests"
)

func phasesOf(t *testing.T, names string, overrides map[string][]manifests.Object, parameters map[string]string) []Phase {
	t.Helper()
	stages, err := Choose(strings.Fields(names))
	if err != nil {
		t.Fatal(err)
	}
	phases, err := Phases(stages, overrides, parameters)
	if err != nil {
		t.Fatal(err)
	}
	return phases
}

// n stages that follow each other are n+1 phases; one that does not follow has what it stands on before it.
func TestPhasesFollowEachOther(t *testing.T) {
	for names, want := range map[string]string{
		"all":         "application* egress prod retry ingress canary",
		"egress":      "application* egress",
		"retry":       "prod* retry",
		"prod canary": "egress* prod ingress* canary",
		"canary prod": "egress* prod ingress* canary",
	} {
		var got []string
		for _, p := range phasesOf(t, names, nil, nil) {
			name := p.Name
			if p.Base {
				name += "*"
			}
			got = append(got, name)
			if p.Promised != nil {
				t.Errorf("%s: phase %s has other objects than its own", names, p.Name)
			}
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s: %s, want %s", names, text, want)
		}
	}
}

// A phase has the entry, the cohorts and the words of the stage that it ends with, and it adds what that stage applies.
func TestPhaseOfAStage(t *testing.T) {
	phases := phasesOf(t, "all", nil, nil)
	if p := phases[0]; p.Entry != (Entry{Service: "frontend"}) || len(p.Cohorts) != 1 || p.Added != nil || len(p.Objects) != 11 {
		t.Errorf("%s: entry %+v, %d cohorts, adds %s, %d objects", p.Name, p.Entry, len(p.Cohorts), objectNames(p.Added), len(p.Objects))
	}
	for i, s := range Stages() {
		p := &phases[i+1]
		own, err := s.objects()
		if err != nil {
			t.Fatal(err)
		}
		missing := map[string]bool{}
		for _, o := range own {
			missing[o.Name()] = true
		}
		for _, o := range p.Added {
			if !missing[o.Name()] {
				t.Errorf("%s adds %s, which its file does not have", p.Name, o.Name())
			}
			delete(missing, o.Name())
		}
		if len(missing) > 0 || p.Entry != s.Entry || len(p.Cohorts) != len(s.Cohorts) || p.Exclude != s.Exclude || len(p.Lessons) != len(s.Lessons) || p.Title != s.Title {
			t.Errorf("phase %+v is not of stage %+v; it lacks %v", p, s, missing)
		}
	}
	again := phasesOf(t, "prod canary", nil, nil)[2] // ingress, after prod
	if got := objectNames(again.Added); got != "Service frontend, VirtualService middleware, VirtualService frontend, VirtualService backend, Gateway frontend" {
		t.Errorf("the phase before canary adds %s", got)
	}
}

// A rule that nobody meets by intention is accepted as long as the object is the one that its stage applied.
func TestUnmetAsLongAsItIsInForce(t *testing.T) {
	accepted := func(phases []Phase) string {
		text := ""
		for _, p := range phases {
			for _, u := range p.Unmet {
				text += p.Name + ":" + u.Rule + " "
			}
		}
		return text
	}
	if got := accepted(phasesOf(t, "all", nil, nil)); got != "retry:VirtualService frontend " {
		t.Errorf("bundled: %s", got)
	}
	// This stage ingress leaves the rule of stage retry in force.
	ingress := parsed(t, "ingress.yaml", virtualService("other", "other"))
	if got, want := accepted(phasesOf(t, "all", map[string][]manifests.Object{"ingress": ingress}, nil)), "retry:VirtualService frontend ingress:VirtualService frontend canary:VirtualService frontend "; got != want {
		t.Errorf("not replaced: %s, want %s", got, want)
	}
	if got := accepted(phasesOf(t, "retry", map[string][]manifests.Object{"retry": ingress}, nil)); got != "" {
		t.Errorf("a stage without the object accepts %s", got)
	}
}

// A finding that the author means is accepted in its stage and in those that stand on it.
func TestAccepted(t *testing.T) {
	text := ""
	for _, p := range phasesOf(t, "prod retry ingress", nil, nil) {
		for _, a := range p.Accepted {
			text += p.Name + ":" + a.Finding + " " + a.Rule + " "
		}
	}
	if want := "retry:HC204 VirtualService backend ingress:HC204 VirtualService backend "; text != want {
		t.Errorf("accepted: %s, want %s", text, want)
	}
}

// What the user writes replaces a stage's objects, in its phase and in those that stand on it; what the author promised stays known.
func TestPhasesWithOverrides(t *testing.T) {
	mine := parsed(t, "mine.yaml", virtualService("backend", "backend"))
	phases := phasesOf(t, "all", map[string][]manifests.Object{"retry": mine}, map[string]string{"canary-weight": "30"})
	for _, p := range phases {
		replaced := p.Name == "retry" || p.Name == "ingress" || p.Name == "canary"
		if (p.Promised != nil) != replaced {
			t.Errorf("%s: promised is %v, want it only where objects are replaced", p.Name, objectNames(p.Promised))
		}
	}
	promised, err := Through("retry", nil)
	if err != nil {
		t.Fatal(err)
	}
	retry := phases[3]
	if objectNames(retry.Promised) != objectNames(promised) || objectNames(retry.Added) != "VirtualService backend" || retry.Added[0].File != "mine.yaml" {
		t.Errorf("promised %s, added %s", objectNames(retry.Promised), objectNames(retry.Added))
	}
	if weight := weightOf(t, retry.Promised); weight != 30 {
		t.Errorf("promised has weight %d, want that of the run, 30", weight)
	}
}

// weightOf is the weight of the canary in the last rule for middleware; -1 where it has one destination.
func weightOf(t *testing.T, objects []manifests.Object) int32 {
	t.Helper()
	for _, o := range objects {
		if o.Name() == "VirtualService middleware" {
			http := o.Istio.(*networking.VirtualService).Http
			if route := http[len(http)-1].Route; len(route) == 2 {
				return route[1].Weight
			}
			return -1
		}
	}
	t.Fatal("no VirtualService middleware")
	return 0
}

// The parameter changes the rules of the stage that has it and of those that stand on it.
func TestParameters(t *testing.T) {
	for _, p := range phasesOf(t, "prod retry ingress canary", nil, map[string]string{"canary-weight": "20"}) {
		if p.Name == "egress" {
			continue
		}
		if weight := weightOf(t, p.Objects); weight != 20 {
			t.Errorf("%s: weight %d, want 20", p.Name, weight)
		}
	}
	for _, value := range []map[string]string{nil, {"canary-weight": "0"}} {
		if weight := weightOf(t, phasesOf(t, "prod", nil, value)[1].Objects); weight != -1 {
			t.Errorf("%v: weight %d, want one destination", value, weight)
		}
	}
	nothing := map[string][]manifests.Object{"prod": parsed(t, "prod.yaml", virtualService("middleware", "middleware"))}
	phasesOf(t, "prod", nothing, nil) // nothing is to be split
	for _, c := range []struct {
		overrides         map[string][]manifests.Object
		name, value, want string
	}{
		{nil, "canary-weight", "20.5", "--canary-weight 20.5: must be a whole number of percent from 0 to 100"},
		{nil, "canary-weight", "NaN", "--canary-weight NaN: must be a whole number of percent from 0 to 100"},
		{nil, "canary-weight", "101", "--canary-weight 101: must be a whole number of percent from 0 to 100"},
		{nil, "canary-wait", "1", `no stage has a parameter canary-wait (did you mean "canary-weight"?)`},
		{nothing, "canary-weight", "20", "--canary-weight 20: in stage prod no rule of a VirtualService for middleware sends all calls without a match to the subset prod, " +
			"so that there is nothing to split (a file of your own says itself how calls are split)"},
	} {
		stages, _ := Choose([]string{"prod"})
		if _, err := Phases(stages, c.overrides, map[string]string{c.name: c.value}); err == nil || err.Error() != c.want {
			t.Errorf("%s %s: %v, want %s", c.name, c.value, err, c.want)
		}
	}
}
