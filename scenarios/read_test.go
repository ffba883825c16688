package scenarios

import (
	"errors"
	"io/fs"
	"math"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/manifests"
)

const whole = `apiVersion: hellochaos/v1
kind: Scenario
name: mirror
title: a title
after: canary
apply: [a.yaml, b.yaml]
entry: {gateway: "*"}
cohorts:
  - name: with
    headers: {x-dev-user: "1"}
  - {name: without, weight: 3, entry: {caller: shop/web}, method: POST, host: orders.shop, path: "/new?a=b"}
exclude: 0.01
parameters:
  - name: blue-weight
    title: percent
    split: {host: shop, from: green, to: blue}
unmet:
  - {rule: VirtualService a, reason: by choice}
accepted:
  - {finding: HC204, rule: VirtualService b, reason: it is shown}
expect: [edge fails <= 0.1]
lessons: [It is so.]
`

func TestRead(t *testing.T) {
	got, err := Read("mirror.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	want := []Stage{{Name: "mirror", Title: "a title", After: "canary", Apply: []string{"a.yaml", "b.yaml"},
		Cohorts: []Cohort{{Name: "with", Entry: manifests.Entry{Gateway: OnlyGateway}, Header: http.Header{"X-Dev-User": {"1"}}},
			{Name: "without", Weight: 3, Entry: manifests.Entry{Caller: "shop/web"}, Method: "POST", Host: "orders.shop", Path: "/new?a=b"}}, Exclude: 0.01,
		Parameters: []Parameter{{Name: "blue-weight", Title: "percent", Split: manifests.Split{Host: "shop", From: "green", To: "blue"}}},
		Unmet:      []Unmet{{"VirtualService a", "by choice"}}, Accepted: []Accepted{{"HC204", "VirtualService b", "it is shown"}}, Lessons: []string{"It is so."},
		Expect: []expect.Expectation{{Text: "edge fails <= 0.1", Place: "mirror.yaml:21: Scenario mirror: expect[0]:", Kind: expect.EdgeFails, Band: expect.Band{Lo: math.Inf(-1), Hi: 0.1}}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// inPhases is a file with several phases, what is in force before them, and what they have of their own and of the file.
const inPhases = `apiVersion: hellochaos/v1
kind: Scenario
name: shop
title: the services
apply: [services.yaml]
entry: {gateway: "*"}
cohorts: [{name: all}]
accepted: [{finding: HC204, rule: VirtualService b, reason: it is shown}]
phases:
  - {name: one, title: first, apply: [a.yaml]}
  - name: two
    title: second
    apply: [b.yaml]
    entry: {caller: web}
    cohorts: [{name: orders, host: orders}, {name: page, entry: {gateway: door, port: 443}}]
    exclude: 0.02
    unmet: [{rule: VirtualService a, reason: by choice}]
    accepted: [{finding: HC205, rule: VirtualService b, reason: it is so}]
    lessons: [It is so.]
`

// Each phase is a stage that stands on the one before; what it does not say of its requests is as the file says.
func TestReadPhases(t *testing.T) {
	gateway, web := manifests.Entry{Gateway: OnlyGateway}, manifests.Entry{Caller: manifests.Namespace + "/web"}
	all, accepted := []Cohort{{Name: "all", Entry: gateway}}, []Accepted{{"HC204", "VirtualService b", "it is shown"}}
	first := Stage{Name: "shop", Title: "the services", Apply: []string{"services.yaml"}, Cohorts: all, Accepted: accepted}
	one := Stage{Name: "one", Title: "first", After: "shop", Apply: []string{"a.yaml"}, Cohorts: all}
	two := Stage{Name: "two", Title: "second", After: "one", Apply: []string{"b.yaml"}, Exclude: 0.02,
		Cohorts: []Cohort{{Name: "orders", Entry: web, Host: "orders"}, {Name: "page", Entry: manifests.Entry{Gateway: manifests.Namespace + "/door", Port: 443}}},
		Unmet:   []Unmet{{"VirtualService a", "by choice"}}, Accepted: []Accepted{{"HC205", "VirtualService b", "it is so"}}, Lessons: []string{"It is so."}}
	got, err := Read("shop.yaml", []byte(inPhases))
	if want := []Stage{first, one, two}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v (%v), want %+v", got, err, want)
	}
	got, err = Read("shop.yaml", []byte(strings.Replace(inPhases, "apply: [services.yaml]\n", "", 1)))
	one.After, one.Accepted = "", accepted
	if want := []Stage{one, two}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("without apply: %+v (%v), want %+v", got, err, want)
	}
}

// Everything that is wrong is reported at once, each with its line, its field and what is accepted.
func TestReadProblems(t *testing.T) {
	const head = "apiVersion: hellochaos/v1\nkind: Scenario\nname: x\ntitle: t\napply: [a.yaml]\nentry: {service: a}\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":      {"", `x.yaml:1: Scenario: has no content: it must have apiVersion: hellochaos/v1 and kind: Scenario`},
		"a comment":  {"# nothing\n", `x.yaml:1: Scenario: has no content: it must have apiVersion: hellochaos/v1 and kind: Scenario`},
		"no YAML":    {head + "a: [", `x.yaml:7: Scenario: is not valid YAML: did not find expected node content`},
		"a list":     {"- a", `x.yaml:1: Scenario: must be a map with the fields apiVersion, kind, name, title, after, apply, services, phases, entry, cohorts, exclude, parameters, unmet, accepted, expect, lessons, not a list`},
		"a word":     {"a", `x.yaml:1: Scenario: must be a map with the fields apiVersion, kind, name, title, after, apply, services, phases, entry, cohorts, exclude, parameters, unmet, accepted, expect, lessons, not "a"`},
		"two":        {head + "---\na: b\n", `x.yaml:1: Scenario x: has a second document in line 7: write one scenario a file`},
		"too large":  {strings.Repeat("#", maxFile+1), `x.yaml:1: Scenario: is larger than the 1048576 bytes that a scenario file may have`},
		"an anchor":  {head + "lessons: &l [a, *l]\n", `x.yaml:7: Scenario x: lessons: has an anchor or an alias, which scenario files cannot have: write the value out`},
		"an alias":   {head + "after: &a b\nlessons: [*a]\n", "x.yaml:7: Scenario x: after: has an anchor or an alias, which scenario files cannot have: write the value out\nx.yaml:8: Scenario x: lessons[0]: has an anchor or an alias, which scenario files cannot have: write the value out"},
		"a merge":    {head + "<<: {after: b}\n", `x.yaml:1: Scenario x: has a key in line 7 that is not a string: each key must be a string`},
		"twice":      {head + "name: y\n", `x.yaml:3: Scenario x: name: is written twice, in line 3 and in line 7: write it once`},
		"unknown":    {head + "lesons: [a]\nexludes: 1\nz: 1\n", "x.yaml:7: Scenario x: lesons: unknown field (did you mean \"lessons\"?); accepted: apiVersion, kind, name, title, after, apply, services, phases, entry, cohorts, exclude, parameters, unmet, accepted, expect, lessons\nx.yaml:8: Scenario x: exludes: unknown field (did you mean \"exclude\"?); accepted: apiVersion, kind, name, title, after, apply, services, phases, entry, cohorts, exclude, parameters, unmet, accepted, expect, lessons\nx.yaml:9: Scenario x: z: unknown field; accepted: apiVersion, kind, name, title, after, apply, services, phases, entry, cohorts, exclude, parameters, unmet, accepted, expect, lessons"},
		"all absent": {"kind: Scenario\n", "x.yaml:1: Scenario: apiVersion: is missing\nx.yaml:1: Scenario: name: is missing\nx.yaml:1: Scenario: title: is missing\nx.yaml:1: Scenario: entry: is missing\nx.yaml:1: Scenario: apply: is missing"},
		"types": {strings.NewReplacer("name: x", "name: 1", "[a.yaml]", "a.yaml", "{service: a}", "gateway").Replace(head) + "exclude: high\nlessons: []\nunmet:\ncohorts: [a]\n",
			"x.yaml:3: Scenario: name: must be a string (in quotes), not 1\nx.yaml:5: Scenario: apply: must be a list with at least one item, not \"a.yaml\"\n" +
				"x.yaml:6: Scenario: entry: must be a map with the fields service, caller, gateway, port, not \"gateway\"\nx.yaml:7: Scenario: exclude: must be a number, not \"high\"\n" +
				"x.yaml:8: Scenario: lessons: must be a list with at least one item, not an empty list\nx.yaml:9: Scenario: unmet: must be a list with at least one item, not nothing\n" +
				"x.yaml:10: Scenario: cohorts[0]: must be a map with the fields name, weight, entry, method, host, path, headers, not \"a\""},
		"values": {strings.NewReplacer("hellochaos/v1", "v1", "kind: Scenario", "kind: Scenari", "name: x", "name: Big", "title: t", "title: ' '", "[a.yaml]", "[a.yaml, a.yaml, '']").Replace(head) + "after: all\nexclude: 0.7\n",
			"x.yaml:1: Scenario Big: apiVersion: must be hellochaos/v1, not \"v1\"\nx.yaml:2: Scenario Big: kind: must be Scenario, not \"Scenari\"\n" +
				"x.yaml:3: Scenario Big: name: must be of lower-case letters, digits and dashes, begin with a letter, have at most 63 characters and not be \"all\", not \"Big\"\n" +
				"x.yaml:4: Scenario Big: title: must be a text on one line, without blanks around it, not \" \"\n" +
				"x.yaml:7: Scenario Big: after: must be of lower-case letters, digits and dashes, begin with a letter, have at most 63 characters and not be \"all\", not \"all\"\n" +
				"x.yaml:5: Scenario Big: apply[1]: is \"a.yaml\" a second time: each must be there once\nx.yaml:5: Scenario Big: apply[2]: must not be empty\n" +
				"x.yaml:8: Scenario Big: exclude: must be a share above 0 and up to 0.5, not 0.7"},
		"a whole number": {head + "exclude: 1\n", "x.yaml:7: Scenario x: exclude: must be a share above 0 and up to 0.5, not 1"},
		"itself":         {head + "after: x\n", "x.yaml:7: Scenario x: after: is the stage itself: name the stage that it stands on"},
		"two entries":    {strings.Replace(head, "{service: a}", "{service: a, gateway: '*'}", 1), "x.yaml:6: Scenario x: entry: must have exactly one of service, caller and gateway"},
		"no entry":       {strings.Replace(head, "{service: a}", "{}", 1), "x.yaml:6: Scenario x: entry: must have exactly one of service, caller and gateway"},
		"a port":         {strings.Replace(head, "{service: a}", "{service: a, port: 80}", 1), "x.yaml:6: Scenario x: entry.port: is of no use without a gateway: remove it"},
		"a gateway":      {strings.Replace(head, "{service: a}", "{gateway: Shop}", 1), `x.yaml:6: Scenario x: entry.gateway: must be "*", the only Gateway of the objects, or the name of a Gateway, or "namespace/name", not "Shop"`},
		"a caller": {strings.Replace(head, "{service: a}", "{caller: a/b/c}", 1),
			"x.yaml:6: Scenario x: entry.caller: must be the label app of pods in the mesh, or \"namespace/app\", not \"a/b/c\""},
		"a caller of nobody": {strings.Replace(head, "{service: a}", "{caller: web}", 1), "x.yaml:6: Scenario x: entry.caller: needs cohorts, each with the host that its requests are for"},
		"requests": {head + "cohorts:\n- {name: a, weight: 1.5, method: HEAD, path: /a/../b, host: b}\n- {name: b, path: a, entry: {caller: web}}\n- {name: c, host: 'a b', entry: {gateway: '*'}}\n",
			"x.yaml:8: Scenario x: cohorts[0].weight: must be a whole number from 1 to 1000, not 1.5\n" +
				"x.yaml:8: Scenario x: cohorts[0].method: must be one of GET, POST, PUT, PATCH, DELETE, OPTIONS, not \"HEAD\"\n" +
				"x.yaml:8: Scenario x: cohorts[0].path: must begin with \"/\" and be written as a proxy sees it, without dot segments, blanks and fragment, not \"/a/../b\"\n" +
				"x.yaml:8: Scenario x: cohorts[0].host: is of no use where requests enter straight at a Service: remove it\n" +
				"x.yaml:9: Scenario x: cohorts[1].path: must begin with \"/\" and be written as a proxy sees it, without dot segments, blanks and fragment, not \"a\"\n" +
				"x.yaml:10: Scenario x: cohorts[2].host: must be a host, with its port where that is not 80, not \"a b\""},
		"not a number": {head + "exclude: .nan\n", "x.yaml:7: Scenario x: exclude: must be a number, not .nan"},
		"cohorts": {head + "cohorts:\n- {name: a, headers: {'x y': b, fail: '1', X-A: \"a\\nb\"}}\n- {name: a, headers: {x-a: '1', X-A: '2'}}\n- {name: b, headers: {x: 1}}\n",
			"x.yaml:10: Scenario x: cohorts[2].headers.x: must be a string (in quotes), not 1\n" +
				"x.yaml:8: Scenario x: cohorts[0].headers.X-A: \"a\\nb\" is not the value of a header\nx.yaml:8: Scenario x: cohorts[0].headers.fail: is a header that hellochaos sets itself\n" +
				"x.yaml:8: Scenario x: cohorts[0].headers.x y: \"x y\" is not the name of a header\nx.yaml:9: Scenario x: cohorts[1].headers.x-a: is the same header as X-A: write it once\n" +
				"x.yaml:9: Scenario x: cohorts[1].name: is \"a\" a second time: each cohort needs a name of its own"},
		"parameters": {head + "parameters:\n- {name: a, title: t, split: {host: '', from: b, to: b}}\n- {name: a, title: t, split: {host: c}}\n",
			"x.yaml:9: Scenario x: parameters[1].split.from: is missing\nx.yaml:9: Scenario x: parameters[1].split.to: is missing\nx.yaml:8: Scenario x: parameters[0].split.host: must not be empty\n" +
				"x.yaml:8: Scenario x: parameters[0].split.to: must be another subset than from, not \"b\" too\nx.yaml:9: Scenario x: parameters[1].name: is \"a\" a second time: each parameter needs a name of its own"},
		"accepted": {head + "accepted:\n- {finding: HC101, rule: Gateway a, reason: ''}\n- {finding: HC204}\n",
			"x.yaml:9: Scenario x: accepted[1].rule: is missing\nx.yaml:9: Scenario x: accepted[1].reason: is missing\n" +
				"x.yaml:8: Scenario x: accepted[0].finding: must be the id of a warning, such as \"HC204\", not \"HC101\"\n" +
				"x.yaml:8: Scenario x: accepted[0].rule: must be \"VirtualService\" or \"HTTPRoute\" and a name, not \"Gateway a\"\n" +
				"x.yaml:8: Scenario x: accepted[0].reason: must be a text on one line, without blanks around it, not \"\""},
		"unmet": {head + "unmet:\n- {rule: Gateway a, reason: ''}\n- {rule: VirtualService}\n",
			"x.yaml:9: Scenario x: unmet[1].reason: is missing\nx.yaml:8: Scenario x: unmet[0].rule: must be \"VirtualService\" or \"HTTPRoute\" and a name, not \"Gateway a\"\n" +
				"x.yaml:8: Scenario x: unmet[0].reason: must be a text on one line, without blanks around it, not \"\"\nx.yaml:9: Scenario x: unmet[1].rule: must be \"VirtualService\" or \"HTTPRoute\" and a name, not \"VirtualService\""},
		"phases": {head + "exclude: 0.1\nlessons: [a]\nphases:\n- {name: x, title: '', apply: [a, a]}\n- {name: y, title: t, apply: [b], entry: {caller: web}, cohorts: [{name: ''}, {name: b, host: c}]}\n- {name: y, title: t, apply: [c], exclude: 2, entry: {caller: web}}\n- {nam: z}\n",
			"x.yaml:13: Scenario x: phases[3].nam: unknown field (did you mean \"name\"?); accepted: name, title, apply, entry, cohorts, exclude, unmet, accepted, lessons\n" +
				"x.yaml:13: Scenario x: phases[3].name: is missing\nx.yaml:13: Scenario x: phases[3].title: is missing\nx.yaml:13: Scenario x: phases[3].apply: is missing\n" +
				"x.yaml:7: Scenario x: exclude: is of one phase: write it in the phase\nx.yaml:8: Scenario x: lessons: is of one phase: write it in the phase\n" +
				"x.yaml:10: Scenario x: phases[0].name: is \"x\" a second time: each phase needs a name of its own\n" +
				"x.yaml:10: Scenario x: phases[0].title: must be a text on one line, without blanks around it, not \"\"\nx.yaml:10: Scenario x: phases[0].apply[1]: is \"a\" a second time: each must be there once\n" +
				"x.yaml:11: Scenario x: phases[1].cohorts[0].name: must be a text on one line, without blanks around it, not \"\"\n" +
				"x.yaml:12: Scenario x: phases[2].name: is \"y\" a second time: each phase needs a name of its own\nx.yaml:12: Scenario x: phases[2].entry.caller: needs cohorts, each with the host that its requests are for\n" +
				"x.yaml:12: Scenario x: phases[2].exclude: must be a share above 0 and up to 0.5, not 2"},
		"expectations": {head + "expect:\n- edge fials <= 0.1\n- p99 <= 1s\n- ' p99 <= 1s'\n- 1\n",
			"x.yaml:11: Scenario x: expect[3]: must be a string (in quotes), not 1\n" +
				"x.yaml:8: Scenario x: expect[0]: edge fials <= 0.1: \"edge fials\" is nothing that can be expected (did you mean \"fails\"?): accepted are '" + strings.Join(expect.Forms, "', '") + "'\n" +
				"x.yaml:10: Scenario x: expect[2]: p99 <= 1s: is there a second time: each must be there once"},
		"a lesson of two lines": {head + "lessons: [\"a\\nb\"]\n", `x.yaml:7: Scenario x: lessons[0]: must be a text on one line, without blanks around it, not "a\nb"`},
	} {
		s, err := Read("x.yaml", []byte(c.text))
		var problems manifests.Problems
		if !errors.As(err, &problems) || s != nil {
			t.Errorf("%s: %v, %v: want Problems alone", name, s, err)
			continue
		}
		if err.Error() != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, strings.ReplaceAll(err.Error(), "\n", "\n     "), strings.ReplaceAll(c.want, "\n", "\n     "))
		}
	}
}

func TestReadNotesAtMostSoManyProblems(t *testing.T) {
	_, err := Read("x.yaml", []byte(whole+manyFields(500)))
	var problems manifests.Problems
	if !errors.As(err, &problems) || len(problems) != mostProblems {
		t.Errorf("%d problems, want %d", len(problems), mostProblems)
	}
}

func manyFields(n int) (text string) {
	for i := range n {
		text += "f" + strings.Repeat("x", i) + ": 1\n"
	}
	return text
}

// FuzzRead checks that Read returns either a stage or Problems and never panics, and that a stage has what a run needs.
func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"*.yaml", "gatewayapi/*.yaml"} {
		names, err := fs.Glob(files, pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			data, err := files.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	for _, seed := range []string{whole, inPhases, "a: &x [*x]", "? [a]\n: b", "<<: {a: b}", "\x00", "--- a\n...\n", "a: !!binary x", "{name: [}", "%YAML 1.1\n---\nname: x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Read("f.yaml", data)
		if err != nil {
			var problems manifests.Problems
			if !errors.As(err, &problems) || len(problems) == 0 || len(problems) > mostProblems || s != nil || err.Error() == "" {
				t.Fatalf("error %v with stage %v, want Problems alone", err, s)
			}
			return
		}
		for i := range s {
			if runnable(t, &s[i]); i > 0 && s[i].After != s[i-1].Name {
				t.Fatalf("%s stands on %q, want %s", s[i].Name, s[i].After, s[i-1].Name)
			}
		}
	})
}

// runnable checks that a stage has what a run needs.
func runnable(t *testing.T, s *Stage) {
	t.Helper()
	if !named.MatchString(s.Name) || s.Title == "" || len(s.Apply) == 0 || len(s.Cohorts) == 0 || s.Exclude < 0 || s.Exclude > mostExcluded {
		t.Fatalf("%+v cannot be run", s)
	}
	for _, c := range s.Cohorts {
		if c.Entry == (manifests.Entry{}) || c.Entry.Caller != "" && c.Host == "" {
			t.Fatalf("cohort %q enters by %v with host %q", c.Name, c.Entry, c.Host)
		}
		for name, values := range c.Header {
			if len(values) != 1 || http.CanonicalHeaderKey(name) != name {
				t.Fatalf("cohort %q has the header %q: %q", c.Name, name, values)
			}
		}
	}
}

// The form that the documentation shows is the one that is read.
func TestDocumentedForm(t *testing.T) {
	page, err := os.ReadFile("../docs/stages.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(page), "```yaml\n")
	text, _, closed := strings.Cut(text, "```")
	if !ok || !closed {
		t.Fatal("docs/stages.md shows no YAML")
	}
	s, err := Read("docs/stages.md", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range fieldNames(reflect.TypeFor[form]()) {
		if field == "phases" || field == "services" { // docs/scenarios.md shows them: the file of a stage has one phase, and services of the stages before
			continue
		}
		if !strings.Contains(text, "\n"+field+":") && !strings.HasPrefix(text, field+":") {
			t.Errorf("docs/stages.md does not show the field %s", field)
		}
	}
	if _, err := inOrder(append(slices.Clone(bundled), s...)); err != nil {
		t.Errorf("the stage does not fit behind the bundled ones: %v", err)
	}
}

// The files that docs/scenarios.md shows are read.
func TestDocumentedScenarios(t *testing.T) {
	page, err := os.ReadFile("../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, block := range strings.Split(string(page), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		if _, err := Read("docs/scenarios.md", []byte(text)); err != nil {
			t.Error(err)
		}
		read++
	}
	if read == 0 {
		t.Error("docs/scenarios.md shows no YAML")
	}
}
