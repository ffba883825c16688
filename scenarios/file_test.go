package scenarios

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

// folder is a temporary folder with files.
func folder(t testing.TB, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// opened is a scenario file with its phases.
func opened(t *testing.T, path string) (*Scenario, []Phase) {
	t.Helper()
	s, err := Open([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	phases, err := s.Phases(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, phases
}

// A copy of the file of a bundled stage is that stage, whatever its name is: its phases are the same.
func TestACopyOfABundledStage(t *testing.T) {
	for _, stage := range Stages() {
		text, err := files.ReadFile(stage.Name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		dir := folder(t, map[string]string{"copy.yaml": string(text), "own/" + stage.Name + ".yaml": string(text)})
		want := phasesOf(t, stage.Name, nil, nil)
		for _, path := range []string{"copy.yaml", "own/" + stage.Name + ".yaml"} {
			s, got := opened(t, filepath.Join(dir, path))
			if s.Name != stage.Name || s.After != stage.After || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s after %q: %+v, want %+v", path, s.Name, s.After, got, want)
			}
		}
	}
}

// services are a service of the form of the demo chain, and a rule for it.
func services(t testing.TB) string {
	t.Helper()
	text, err := manifests.BundledYAML("application.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const headOf = "apiVersion: hellochaos/v1\nkind: Scenario\nname: mine\ntitle: t\nentry: {service: frontend}\n"

// Without after, the objects of the file are all there is, and no phase comes before; with phases, what the file applies itself does.
func TestFilesOfOnesOwn(t *testing.T) {
	dir := folder(t, map[string]string{
		"alone.yaml": headOf + "apply: ['s*', 'rules/*.yaml', rules/b.yaml]\n", "services.yaml": services(t), "same/b.json": "no YAML: [",
		"own/own.yaml": headOf + "apply: [../services.yaml, '*.yaml']\n", "own/rule.yaml": virtualService("middleware", "middleware"),
		"rules/a.yaml": virtualService("middleware", "middleware"), "rules/b.yaml": virtualService("backend", "backend"),
		"folder.yaml": headOf + "apply: [services.yaml, rules]\n",
		"phases.yaml": headOf + "apply: [services.yaml]\nphases:\n- {name: one, title: a, apply: [rules/a.yaml]}\n- {name: two, title: b, apply: [rules/b.yaml]}\n",
		"first.yaml":  headOf + "phases:\n- {name: one, title: a, apply: [services.yaml, rules/a.yaml]}\n- {name: two, title: b, apply: [rules/b.yaml]}\n",
		"behind.yaml": headOf + "after: egress\napply: [../" + "REPLACED/rules/a.yaml]\nunmet: [{rule: VirtualService middleware, reason: by choice}]\n",
	})
	behind, err := os.ReadFile(filepath.Join(dir, "behind.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "behind.yaml"), []byte(strings.Replace(string(behind), "REPLACED", filepath.Base(dir), 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	const application = "Service frontend, Service middleware, Service backend, Deployment frontend-prod, Deployment middleware-prod, Deployment middleware-canary, Deployment backend-prod, Sidecar default"
	const a, b = "VirtualService middleware", "VirtualService backend"
	for file, want := range map[string]struct{ phases, added, last string }{
		"alone.yaml": {"mine", "", application + ", " + a + ", " + b}, "folder.yaml": {"mine", "", application + ", " + a + ", " + b},
		"phases.yaml": {"mine* one two", " | " + a + " | " + b, application + ", " + a + ", " + b}, "first.yaml": {"one two", " | " + b, application + ", " + a + ", " + b},
		"own/own.yaml": {"mine", "", application + ", " + a},
		"behind.yaml":  {"egress* mine", " | " + a, application + ", Namespace outside, Service clock, Deployment clock, ServiceEntry clock, " + a},
	} {
		_, phases := opened(t, filepath.Join(dir, file))
		var names, added []string
		for i := range phases {
			name := phases[i].Name
			if phases[i].Base {
				name += "*"
			}
			names, added = append(names, name), append(added, objectNames(phases[i].Added))
		}
		last := &phases[len(phases)-1]
		if got := strings.Join(names, " "); got != want.phases || strings.Join(added, " | ") != want.added || objectNames(last.Objects) != want.last {
			t.Errorf("%s: phases %s, added %q, at last %s; want %+v", file, got, added, objectNames(last.Objects), want)
		}
		if file == "behind.yaml" && len(last.Unmet) != 1 {
			t.Errorf("%s: unmet %+v", file, last.Unmet)
		}
	}
}

// A parameter of a file changes the rules of its phases.
func TestParametersOfAFile(t *testing.T) {
	dir := folder(t, map[string]string{"split.yaml": headOf + "after: egress\napply: [prod.yaml]\nparameters: [{name: blue, title: t, split: {host: middleware, from: prod, to: canary}}]\n"})
	s, _ := opened(t, filepath.Join(dir, "split.yaml"))
	phases, err := s.Phases(nil, map[string]string{"blue": "20"})
	if err != nil {
		t.Fatal(err)
	}
	bundled := phasesOf(t, "prod", nil, map[string]string{"canary-weight": "20"})
	if got, want := phases[1].Added, bundled[1].Added; !reflect.DeepEqual(got, want) {
		t.Errorf("adds %+v, want %+v", got, want)
	}
	for text, want := range map[string]string{"x": "--set blue=x: must be a whole number of percent from 0 to 100", "101": "--set blue=101: must be a whole number of percent from 0 to 100"} {
		if err := s.CheckParameters(map[string]string{"blue": text}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if err := s.CheckParameters(map[string]string{"canary-weight": "1"}); err == nil || err.Error() != "no stage has a parameter canary-weight" {
		t.Errorf("a parameter of a stage that is not in force: %v", err)
	}
}

// What is wrong with a file and with all that it names is reported at once.
func TestOpenFileProblems(t *testing.T) {
	rule := virtualService("middleware", "middleware")
	dir := folder(t, map[string]string{"rules/a.yaml": rule, "rules/again.yaml": rule, "wrong.yaml": strings.Replace(rule, "attempts", "attempt", 1), "services.yaml": services(t)})
	for name, c := range map[string]struct{ text, want string }{
		"names": {headOf + "after: retri\napply: [rule/a.yaml, rules/A.yaml, 'no/*.yaml', '[', http://a/b.yaml, /etc/passwd, '-', 'rules/..', wrong.yaml]\nlesons: [a]\n",
			`x.yaml:8: Scenario mine: lesons: unknown field (did you mean "lessons"?); accepted: apiVersion, kind, name, title, after, apply, services, phases, entry, cohorts, exclude, parameters, unmet, accepted, expect, lessons
x.yaml:6: Scenario mine: after: there is no bundled stage "retri" (did you mean "retry"?): the stages are application, egress, prod, retry, ingress, canary
x.yaml:7: Scenario mine: apply[0]: there is no file rule/a.yaml in the folder DIR, and no bundled one
x.yaml:7: Scenario mine: apply[1]: there is no file rules/A.yaml in the folder DIR, and no bundled one (did you mean "rules/a.yaml"?)
x.yaml:7: Scenario mine: apply[2]: no file matches no/*.yaml in the folder DIR
x.yaml:7: Scenario mine: apply[3]: is not a pattern: syntax error in pattern
x.yaml:7: Scenario mine: apply[4]: must be a name, a folder or a pattern relative to the folder of the scenario file
x.yaml:7: Scenario mine: apply[5]: must be a name, a folder or a pattern relative to the folder of the scenario file
x.yaml:7: Scenario mine: apply[6]: must be a file: what comes on standard input can be laid over the file with -f -
x.yaml:7: Scenario mine: apply[7]: is the folder of the scenario file: name another folder, or a pattern, which leaves the scenario file out
wrong.yaml:6: VirtualService middleware: spec.http[0].retries.attempt: unknown field (did you mean "attempts"?); accepted: attempts, perTryTimeout, retryOn, backoff, retryIgnorePreviousHosts`},
		"a bundled file without after": {headOf + "apply: [retry.yaml, services.yml]\n",
			"x.yaml:6: Scenario mine: apply[0]: there is no file retry.yaml in the folder DIR, and only a file with after applies the bundled retry.yaml\n" +
				`x.yaml:6: Scenario mine: apply[1]: there is no file services.yml in the folder DIR (did you mean "services.yaml"?)`},
		"a bundled file, misspelt":    {headOf + "after: prod\napply: [rety.yaml]\n", `x.yaml:7: Scenario mine: apply[0]: there is no file rety.yaml in the folder DIR, and no bundled one (did you mean "retry.yaml"?)`},
		"twice":                       {headOf + "after: prod\napply: [rules]\n", "rules/again.yaml:1: VirtualService middleware: has the kind and name of the object in rules/a.yaml:1: write an object once"},
		"twice, also bundled":         {headOf + "after: prod\napply: [retry.yaml, rules/a.yaml]\n", "rules/a.yaml:1: VirtualService middleware: is in the bundled file, too, that the phase applies: write an object once"},
		"itself":                      {headOf + "after: prod\napply: [x.yaml]\n", "x.yaml:7: Scenario mine: apply[0]: is the scenario file itself, and must be a file with manifests"},
		"a name before it":            {strings.Replace(headOf, "mine", "egress", 1) + "after: prod\napply: [rules/a.yaml]\n", "x.yaml:3: Scenario egress: name: is the name of a bundled stage that the file stands on: choose another one"},
		"a parameter before it":       {headOf + "after: prod\napply: [rules/a.yaml]\nparameters: [{name: canary-weight, title: t, split: {host: a, from: b, to: c}}]\n", "x.yaml:8: Scenario mine: parameters[0].name: canary-weight is a parameter of a bundled stage that the file stands on: choose another name"},
		"rules that nobody has":       {headOf + "after: prod\napply: [rules/a.yaml]\nunmet: [{rule: VirtualService middlewar, reason: r}]\naccepted: [{finding: HC204, rule: VirtualService b, reason: r}]\n", "x.yaml:8: Scenario mine: unmet[0].rule: no VirtualService middlewar is applied here (did you mean \"VirtualService middleware\"?)\nx.yaml:9: Scenario mine: accepted[0].rule: no VirtualService b is in force"},
		"a rule of another phase":     {headOf + "phases:\n- {name: a, title: a, apply: [services.yaml, rules/a.yaml]}\n- {name: b, title: b, apply: [rules/a.yaml], unmet: [{rule: VirtualService b, reason: r}]}\n", "x.yaml:8: Scenario mine: phases[1].unmet[0].rule: no VirtualService b is applied here"},
		"neither apply nor phases":    {headOf, "x.yaml:1: Scenario mine: apply: is missing"},
		"a name in after, and itself": {headOf + "after: mine\napply: [rules/a.yaml]\n", "x.yaml:6: Scenario mine: after: is the stage itself: name the stage that it stands on"},
	} {
		path := filepath.Join(dir, "x.yaml")
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := OpenFile(path)
		var problems manifests.Problems
		if !errors.As(err, &problems) || s != nil {
			t.Errorf("%s: %+v, %v: want Problems alone", name, s, err)
			continue
		}
		if got := strings.ReplaceAll(strings.ReplaceAll(err.Error(), dir+"/", ""), dir, "DIR"); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
	for path, want := range map[string]string{filepath.Join(dir, "none.yaml"): ": no such file or directory", filepath.Join(dir, "rules") + "/": ": is a folder, and must be a scenario file; a folder of manifests is proved by: hellochaos verify -f " + filepath.Join(dir, "rules") + "/"} {
		if _, err := OpenFile(path); err == nil || err.Error() != path+want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

// An argument is a file or the name of a stage; a file is run by itself.
func TestOpen(t *testing.T) {
	for argument, want := range map[string]bool{"retry": false, "all": false, "retry.yaml": true, "a.yml": true, "./retry": true, "a.json": false} {
		if IsFile(argument) != want {
			t.Errorf("%s: a file is %t, want %t", argument, !want, want)
		}
	}
	s, err := Open([]string{"canary", "egress"})
	if err != nil || s.Name != "canary, egress" || s.File != "" || len(s.Names()) != 5 || strings.Join(namesOf(s.Stages()), " ") != "egress canary" {
		t.Errorf("%+v (%v)", s, err)
	}
	if _, err := Open([]string{"a.yaml", "retry"}); err == nil || err.Error() != "a.yaml retry: a scenario file is run by itself: a file may have several phases" {
		t.Errorf("a file and a stage: %v", err)
	}
}

// What the user lays over a scenario file takes the place of its objects, from its first phase on.
func TestOverlayFromAFile(t *testing.T) {
	dir := folder(t, map[string]string{"x.yaml": headOf + "after: egress\nphases:\n- {name: one, title: a, apply: [a.yaml]}\n- {name: two, title: b, apply: [b.yaml]}\n",
		"a.yaml": virtualService("middleware", "middleware"), "b.yaml": virtualService("backend", "backend")})
	s, _ := opened(t, filepath.Join(dir, "x.yaml"))
	overrides, err := s.OverlayFrom(nil, parsed(t, "own.yaml", virtualService("backend", "other")))
	if err != nil {
		t.Fatal(err)
	}
	phases, err := s.Phases(overrides, nil)
	if err != nil || len(overrides) != 2 || objectNames(overrides["one"]) != "VirtualService middleware, VirtualService backend" || phases[2].Promised == nil || phases[0].Promised != nil {
		t.Errorf("%d overrides, one has %s (%v)", len(overrides), objectNames(overrides["one"]), err)
	}
}
