// Package draft writes scenario files to begin with: from the manifests of an application, or an example without any. It knows the form of
// scenario files, and what stand-ins and rules have. It must not know how a scenario is run.
package draft

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/derive"
	"github.com/hellochaos/hellochaos/scenarios/standins"
)

// Example is a small scenario file that runs at once: it needs no other file.
//
//go:embed example.yaml
var Example []byte

// mark is what a reader looks for who completes a file.
const mark = "FILL IN"

// Of writes a scenario file. names are what the user named, for the title, and apply the files with the objects, relative to the folder of
// the scenario file. set are their stand-ins, rules those of the set, and called is what is known of who calls whom. The error says why no
// scenario can be made of them.
func Of(names, apply []string, set *standins.Set, rules *manifests.Rules, called []Called) ([]byte, error) {
	services := set.Services()
	if !slices.ContainsFunc(services, answers) {
		return nil, fmt.Errorf("%s: no service of the mesh that has pods is there or is named by a rule, so that a scenario has nobody to ask: 'hellochaos verify -f' proves the rules alone", strings.Join(names, ", "))
	}
	w := &writer{}
	what := strings.Join(names, ", ")
	w.line("# A scenario of %s, to begin with.", what)
	w.comment("It runs as it is: 'hellochaos run' and the name of this file. docs/scenarios.md explains the fields, and an editor completes them with the JSON Schema that 'hellochaos schema' prints:")
	w.line("# yaml-language-server: $schema=scenario.schema.json")
	w.line("apiVersion: %s", scenarios.APIVersion)
	w.line("kind: %s", scenarios.Kind)
	w.line("name: %s", nameOf(names))
	w.line("title: %s", quoted("the rules of "+what))
	w.services(services, rules, called)
	met, unmet := derive.Each(rules, set.Clients, standins.Client)
	w.requests(services, met, unmet)
	w.line("")
	w.comment("What you expect of each run, in the words of --expect (docs/expectations.md). A run fails where the manifests or the mesh do not achieve it. Here each try fails with the probability --fail, which is 0.3 where a run names none.")
	w.line("# expect: [%s]", quoted(services[0].Name+" fails <= 0.4"))
	w.line("")
	w.comment("Phases follow one another, and each adds its files to those before. This one applies them all. To see what a single file changes, move it into a phase of its own behind this one.")
	w.line("phases:")
	w.line("  - name: rules")
	w.line("    title: all files")
	w.line("    apply:")
	for _, file := range apply {
		w.line("      - %s", quoted(file))
	}
	return []byte(w.String()), nil
}

// writer writes lines.
type writer struct{ strings.Builder }

func (w *writer) line(format string, args ...any) {
	fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

// width is how many columns a comment has.
const width = 80

// comment writes a text as lines of comments.
func (w *writer) comment(text string) {
	line := "#"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > width {
			w.line("%s", line)
			line = "#"
		}
		line += " " + word
	}
	w.line("%s", line)
}

// services writes who answers, and marks what the files do not say: who calls whom.
func (w *writer) services(all []standins.Service, rules *manifests.Rules, called []Called) {
	w.line("")
	w.comment("Stand-ins answer in place of these services. Manifests do not say who calls whom: " + mark + " what a service calls for each request, one call after another, or leave it out where it calls nobody. The form is")
	w.line("#     calls: [%s]", quoted(address(&all[len(all)-1])))
	w.line("services:")
	for i := range all {
		s := &all[i]
		from := "named in"
		if s.Written {
			from = "from"
		}
		w.line("  - name: %s # %s, %s %s:%d", quoted(s.Name), versions(s.Versions), from, s.File, s.Line)
		switch known, by, hints := calls(s, called, all, rules); {
		case len(known) > 0:
			w.line("    calls: [%s] # %s", strings.Join(each(known, quoted), ", "), strings.Join(by, ", "))
		case len(hints) > 0:
			w.line("    # calls: [] # %s, perhaps %s", mark, strings.Join(hints, ", "))
		default:
			w.line("    # calls: [] # %s", mark)
		}
	}
}

// each is what a function makes of each text.
func each(texts []string, of func(string) string) (all []string) {
	for _, text := range texts {
		all = append(all, of(text))
	}
	return all
}

// answers reports whether a service has stand-ins.
func answers(s standins.Service) bool { return len(s.Versions) > 0 }

// versions are versions in words.
func versions(all []string) string {
	switch len(all) {
	case 0:
		return "nobody answers"
	case 1:
		return "version " + all[0]
	}
	return "versions " + strings.Join(all, ", ")
}

// address is that of a service, as another one in manifests.Namespace calls it.
func address(s *standins.Service) string {
	if s.Port == 0 || s.Port == 80 {
		return "http://" + s.Name + "/"
	}
	return fmt.Sprintf("http://%s:%d/", s.Name, s.Port)
}

// requests writes where requests enter, and one cohort for each rule.
func (w *writer) requests(services []standins.Service, met []derive.Met, unmet []manifests.HTTPEntry) {
	w.line("")
	if len(met) == 0 {
		w.comment("Requests enter straight at a service, past every proxy, since no rule says who calls.")
		at := services[slices.IndexFunc(services, answers)].Name
		if strings.Contains(at, ".") { // only a name without its namespace is completed
			at += ".svc.cluster.local"
		}
		w.line("entry: {service: %s}", quoted(at))
		return
	}
	common := met[0].Entry
	w.comment(fmt.Sprintf("Requests enter where the rules are. With the calls filled in, they may enter at the first of your services instead, whose calls then meet the rules: entry: {service: %s}, and cohorts without a host.", services[0].Name))
	w.line("entry: %s", entry(common))
	w.line("")
	w.comment("A cohort is requests that are alike. There is one for each rule, so that each is proved. Change the paths and headers to those of your own requests; a weight says how often the requests of a cohort come beside those of others.")
	w.line("cohorts:")
	for i := range met {
		w.cohort(&met[i], common)
	}
	for i := range unmet {
		e := &unmet[i]
		w.line("# No request was found that meets %s (%s:%d).", e.Name, e.File, e.Line)
	}
}

// cohort writes requests that meet a rule.
func (w *writer) cohort(m *derive.Met, common manifests.Entry) {
	w.line("  - name: %s", quoted(m.Name))
	if m.File == "" {
		w.line("    # No rule is for %s: Istio's defaults hold.", m.Host)
	} else {
		w.line("    # meets %s (%s:%d)", m.Rule, m.File, m.Line)
	}
	if m.Weight > 1 {
		w.line("    weight: %d", m.Weight)
	}
	if m.Entry != common {
		w.line("    entry: %s", entry(m.Entry))
	}
	if m.Method != "" && m.Method != "GET" {
		w.line("    method: %s", m.Method)
	}
	if m.Host != "" {
		w.line("    host: %s", quoted(m.Host))
	}
	if m.Path != "" && m.Path != "/" {
		w.line("    path: %s", quoted(m.Path))
	}
	var headers []string
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		headers = append(headers, quoted(strings.ToLower(name))+": "+quoted(m.Header.Get(name)))
	}
	if len(headers) > 0 {
		w.line("    headers: {%s}", strings.Join(headers, ", "))
	}
}

// entry is where requests enter.
func entry(e manifests.Entry) string {
	own := func(name string) string { return quoted(strings.TrimPrefix(name, manifests.Namespace+"/")) }
	switch {
	case e.Gateway != "":
		return "{gateway: " + own(e.Gateway) + "}"
	case e.Caller != "":
		return "{caller: " + own(e.Caller) + "}"
	}
	return "{service: " + quoted(e.Service) + "}"
}

// plain are texts that need no quotes in YAML wherever they stand: they begin with a letter and are no word of YAML.
var plain = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9_./]*$`)

// quoted is a text as YAML has it. A string of JSON is one of YAML.
func quoted(text string) string {
	if plain.MatchString(text) && !slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "y", "n", "null"}, strings.ToLower(text)) {
		return text
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic(err) // it is a string
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// unnamed are the characters that the name of a scenario cannot have.
var unnamed = regexp.MustCompile(`[^a-z0-9]+`)

// nameOf is a name for the scenario of files and folders: that of the first one, or "mesh" where it has no letter.
func nameOf(names []string) string {
	base := path.Base(strings.TrimSuffix(names[0], "/"))
	name := strings.Trim(unnamed.ReplaceAllString(strings.ToLower(strings.TrimSuffix(base, path.Ext(base))), "-"), "-")
	name = strings.TrimLeft(name, "0123456789-")
	if name == "" || name == "all" {
		return "mesh"
	}
	return strings.TrimRight(name[:min(len(name), 63)], "-")
}
