package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/net/http/httpguts"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/yamlnode"
)

const (
	// APIVersion and Kind are what every scenario file begins with.
	APIVersion = "hellochaos/v1"
	Kind       = "Scenario"

	// maxFile is the size of the largest accepted file in bytes.
	maxFile = 1 << 20
	// longestName is the length of the longest name of a stage or a parameter.
	longestName = 63
	// mostWeight is the largest weight of a cohort.
	mostWeight = 1000
	// mostPort is the largest number of a port.
	mostPort = 65535
	// mostExcluded is the largest share of deviating calls that a stage may ask to exclude.
	mostExcluded = 0.5
)

var (
	// named is what names of stages and parameters look like: they become arguments and flags.
	named = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
)

// Read reads a bundled scenario file: its stages, each of which stands on the one before. It refuses what the form does not have, and
// values that a run cannot use. The error is manifests.Problems with everything that is wrong, up to a limit. file is only for messages.
func Read(file string, data []byte) ([]Stage, error) {
	f, d := read(file, data)
	if len(d.problems) > 0 {
		return nil, d.problems
	}
	return d.stages(f), nil
}

// read reads a scenario file, and notes what is wrong with it. The form has what could be read.
func read(file string, data []byte) (*form, *decoder) {
	d := &decoder{file: file, object: Kind, lines: map[string]int{}}
	var f form
	if d.document(data, &f) {
		d.check(&f)
	}
	return &f, d
}

// document fills f from the only document of a file. It returns false, and notes why, where there is none that can be read.
func (d *decoder) document(data []byte, f *form) bool {
	if len(data) > maxFile {
		d.problem("", "is larger than the %d bytes that a scenario file may have", maxFile)
		return false
	}
	documents := yaml.NewDecoder(bytes.NewReader(data))
	var root, more yaml.Node
	err := documents.Decode(&root)
	switch {
	case errors.Is(err, io.EOF):
		d.problem("", "has no content: it must have apiVersion: %s and kind: %s", APIVersion, Kind)
		return false
	case err != nil:
		d.syntax(err)
		return false
	}
	if version, kind := manifestKind(root.Content[0]); kind != "" {
		d.object = "" // it is no Scenario
		d.problem("", "is the %s of a manifest (apiVersion %s), and must be a %s (apiVersion %s); manifests are proved by: hellochaos verify -f %s", kind, version, Kind, APIVersion, printable.Word(d.file))
		return false
	}
	d.fill("", root.Content[0], reflect.ValueOf(f).Elem())
	if f.Name != "" {
		d.object = Kind + " " + f.Name
		for i := range d.problems {
			d.problems[i].Object = d.object
		}
	}
	if err := documents.Decode(&more); err == nil {
		d.problem("", "has a second document in line %d: write one scenario a file", more.Line)
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err)
	}
	return root.Content[0].Kind == yaml.MappingNode
}

// manifestKind is the apiVersion and kind of an object of Kubernetes, which has metadata, as no scenario does; both are empty where a
// document is none.
func manifestKind(n *yaml.Node) (version, kind string) {
	if n.Kind != yaml.MappingNode {
		return "", ""
	}
	meta := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch n.Content[i].Value {
		case "metadata":
			meta = true
		case "apiVersion":
			version = n.Content[i+1].Value
		case "kind":
			kind = n.Content[i+1].Value
		}
	}
	if !meta || version == "" || version == APIVersion || kind == Kind {
		return "", ""
	}
	return version, kind
}

// syntax notes an error of the YAML parser.
func (d *decoder) syntax(err error) {
	line, text := yamlnode.SyntaxError(err)
	if line > 0 {
		d.lines[""] = line
	}
	d.problem("", "%s", text)
}

// check notes values that a run cannot use. Fields that are missing were noted before.
func (d *decoder) check(f *form) {
	d.must("apiVersion", f.APIVersion == "" || f.APIVersion == APIVersion, "must be %s, not %q", APIVersion, f.APIVersion)
	d.must("kind", f.Kind == "" || f.Kind == Kind, "must be %s, not %q", Kind, f.Kind)
	d.name("name", f.Name)
	d.sentence("title", f.Title)
	d.name("after", f.After)
	d.must("after", f.After == "" || f.After != f.Name, "is the stage itself: name the stage that it stands on")
	d.must("apply", d.there("apply") || d.there("phases"), "is missing")
	first := f.first()
	d.phase("", &first)
	d.parameters(f.Parameters)
	d.expect(f.Expect)
	d.services(f)
	if len(f.Phases) > 0 {
		d.phases(f)
	}
}

// phases notes what is wrong with the phases of a file, and with the fields that only they may have then.
func (d *decoder) phases(f *form) {
	for _, field := range []string{"exclude", "unmet", "lessons"} {
		d.must(field, !d.there(field), "is of one phase: write it in the phase")
	}
	var names []string
	if len(f.Apply) > 0 {
		names = append(names, f.Name)
	}
	for i := range f.Phases {
		path := fmt.Sprintf("phases[%d]", i)
		p := f.inherit(f.Phases[i])
		d.name(path+".name", p.Name)
		d.must(path+".name", p.Name == "" || !slices.Contains(names, p.Name), "is %q a second time: each phase needs a name of its own", p.Name)
		names = append(names, p.Name)
		d.sentence(path+".title", p.Title)
		d.phase(path, &p)
	}
}

// phase notes what is wrong with a phase whose fields stand at path. What it does not have of entry and cohorts is the file's.
func (d *decoder) phase(path string, p *phaseForm) {
	d.distinct(yamlnode.Join(path, "apply"), p.Apply)
	entry, cohorts := yamlnode.Join(path, "entry"), yamlnode.Join(path, "cohorts")
	if !d.there(entry) {
		entry = "entry"
	}
	if !d.there(cohorts) {
		cohorts = "cohorts"
	}
	d.entry(entry, p.Entry)
	d.must(entry+".caller", p.Entry.Caller == "" || len(p.Cohorts) > 0, "needs cohorts, each with the host that its requests are for")
	d.cohorts(cohorts, p.Cohorts, p.Entry)
	if p.Exclude != nil {
		d.must(yamlnode.Join(path, "exclude"), *p.Exclude > 0 && *p.Exclude <= mostExcluded, "must be a share above 0 and up to %g, not %g", mostExcluded, *p.Exclude)
	}
	for i, u := range p.Unmet {
		field := yamlnode.Join(path, fmt.Sprintf("unmet[%d]", i))
		d.rule(field+".rule", u.Rule)
		d.sentence(field+".reason", u.Reason)
	}
	for i, a := range p.Accepted {
		field := yamlnode.Join(path, fmt.Sprintf("accepted[%d]", i))
		d.must(field+".finding", !d.there(field+".finding") || strings.HasPrefix(a.Finding, "HC2"), `must be the id of a warning, such as "HC204", not %q`, a.Finding)
		d.rule(field+".rule", a.Rule)
		d.sentence(field+".reason", a.Reason)
	}
	for i, lesson := range p.Lessons {
		d.sentence(yamlnode.Join(path, fmt.Sprintf("lessons[%d]", i)), lesson)
	}
}

// rule notes a text that names neither a VirtualService nor an HTTPRoute.
func (d *decoder) rule(path, text string) {
	kind, name, _ := strings.Cut(text, " ")
	d.must(path, !d.there(path) || (kind == "VirtualService" || kind == "HTTPRoute") && name != "", `must be "VirtualService" or "HTTPRoute" and a name, not %q`, text)
}

func (d *decoder) parameters(parameters []parameterForm) {
	var names []string
	for i, p := range parameters {
		path := fmt.Sprintf("parameters[%d].", i)
		d.name(path+"name", p.Name)
		d.sentence(path+"title", p.Title)
		for _, part := range []struct{ name, text string }{{"host", p.Split.Host}, {"from", p.Split.From}, {"to", p.Split.To}} {
			field := path + "split." + part.name
			d.must(field, !d.there(field) || part.text != "", "must not be empty")
		}
		d.must(path+"split.to", p.Split.To == "" || p.Split.To != p.Split.From, "must be another subset than from, not %q too", p.Split.To)
		d.must(path+"name", p.Name == "" || !slices.Contains(names, p.Name), "is %q a second time: each parameter needs a name of its own", p.Name)
		names = append(names, p.Name)
	}
}

// there reports whether the document has a field.
func (d *decoder) there(path string) bool {
	_, there := d.lines[path]
	return there
}

// must notes a problem unless a condition holds, or a problem of the field is noted already.
func (d *decoder) must(path string, holds bool, format string, args ...any) {
	noted := func(p manifests.Problem) bool {
		rest, below := strings.CutPrefix(p.Field, path)
		return below && (rest == "" || rest[0] == '.' || rest[0] == '[')
	}
	if !holds && !slices.ContainsFunc(d.problems, noted) {
		d.problem(path, format, args...)
	}
}

// name notes a text that cannot be the name of a stage or a parameter.
func (d *decoder) name(path, text string) {
	if d.there(path) {
		d.must(path, named.MatchString(text) && len(text) <= longestName && text != allStages,
			"must be of lower-case letters, digits and dashes, begin with a letter, have at most %d characters and not be %q, not %q", longestName, allStages, text)
	}
}

// sentence notes a text that is empty or has more than one line: it is printed as it stands.
func (d *decoder) sentence(path, text string) {
	if d.there(path) {
		d.must(path, strings.TrimSpace(text) == text && text != "" && !strings.ContainsAny(text, "\n\r"), "must be a text on one line, without blanks around it, not %q", text)
	}
}

// distinct notes empty texts and texts that are written twice in a list.
func (d *decoder) distinct(path string, list []string) {
	for i, text := range list {
		field := fmt.Sprintf("%s[%d]", path, i)
		d.must(field, text != "", "must not be empty")
		d.must(field, text == "" || !slices.Contains(list[:i], text), "is %q a second time: each must be there once", text)
	}
}

// ownHeaders are those that a run sets itself.
var ownHeaders = []string{"accept", trail.HeaderFail, trail.HeaderHang, trail.HeaderCascade, trail.HeaderRequest, trail.HeaderTries, trail.HeaderPins,
	trail.HeaderTrail, trail.HeaderCopies, trail.HeaderAttempt, trail.HeaderExpected, "host", "connection", "content-length", "transfer-encoding"}

// methods are those that a cohort may have: an answer to HEAD would have no trail, and CONNECT is for proxies.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// callerName is what the caller of an entry looks like: an app, with its namespace before it where that is another one.
var callerName = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)

// entry notes what is wrong with a way in.
func (d *decoder) entry(path string, e *entryForm) {
	set := 0
	for _, value := range []string{e.Service, e.Caller, e.Gateway} {
		if value != "" {
			set++
		}
	}
	d.must(path, !d.there(path) || set == 1, "must have exactly one of service, caller and gateway")
	d.must(path+".caller", e.Caller == "" || callerName.MatchString(e.Caller), `must be the label app of pods in the mesh, or "namespace/app", not %q`, e.Caller)
	d.must(path+".gateway", e.Gateway == "" || e.Gateway == OnlyGateway || callerName.MatchString(e.Gateway),
		`must be "*", the only Gateway of the objects, or the name of a Gateway, or "namespace/name", not %q`, e.Gateway)
	d.port(path, e)
}

// port notes what is wrong with the port of a way in.
func (d *decoder) port(path string, e *entryForm) {
	if p := e.Port; p != nil {
		d.must(path+".port", *p >= 1 && *p <= mostPort && *p == math.Trunc(*p), "must be a whole number from 1 to %d, not %g", mostPort, *p)
		d.must(path+".port", e.Gateway != "", "is of no use without a gateway: remove it")
	}
}

// cohort notes what is wrong with what the requests of a cohort ask for.
func (d *decoder) cohort(path string, c *cohortForm, entry *entryForm) {
	if w := c.Weight; w != nil {
		d.must(path+".weight", *w >= 1 && *w <= mostWeight && *w == math.Trunc(*w), "must be a whole number from 1 to %d, not %g", mostWeight, *w)
	}
	d.must(path+".method", c.Method == "" || slices.Contains(methods, c.Method), "must be one of %s, not %q", strings.Join(methods, ", "), c.Method)
	d.must(path+".path", c.Path == "" || strings.HasPrefix(c.Path, "/") && manifests.NormalPath(c.Path) == c.Path && !strings.ContainsAny(c.Path, "# \t\n\r"),
		`must begin with "/" and be written as a proxy sees it, without dot segments, blanks and fragment, not %q`, c.Path)
	d.must(path+".host", c.Host == "" || httpguts.ValidHostHeader(c.Host) && !strings.ContainsAny(c.Host, "*/@"), "must be a host, with its port where that is not 80, not %q", c.Host)
	d.must(path+".host", c.Host == "" || entry.Service == "", "is of no use where requests enter straight at a Service: remove it")
	d.must(path, c.Host != "" || entry.Caller == "", "must have a host, which the caller's requests are for")
}

// cohorts notes what is wrong with the cohorts at a path, of which those without an entry of their own enter by another one.
func (d *decoder) cohorts(at string, cohorts []cohortForm, common *entryForm) {
	var names []string
	for i, c := range cohorts {
		path := fmt.Sprintf("%s[%d]", at, i)
		d.sentence(path+".name", c.Name)
		names = append(names, c.Name)
		entry := common
		if c.Entry != nil {
			entry = c.Entry
			d.entry(path+".entry", entry)
		}
		d.cohort(path, &c, entry)
		written := map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
			field := yamlnode.Join(path+".headers", name)
			other, twice := written[strings.ToLower(name)]
			d.must(field, !twice, "is the same header as %s: write it once", other)
			written[strings.ToLower(name)] = name
			d.must(field, httpguts.ValidHeaderFieldName(name), "%q is not the name of a header", name)
			d.must(field, httpguts.ValidHeaderFieldValue(c.Headers[name]), "%q is not the value of a header", c.Headers[name])
			d.must(field, !slices.Contains(ownHeaders, strings.ToLower(name)), "is a header that hellochaos sets itself")
		}
	}
	for i, name := range names {
		d.must(fmt.Sprintf("%s[%d].name", at, i), name == "" || !slices.Contains(names[:i], name), "is %q a second time: each cohort needs a name of its own", name)
	}
}

// entry is the way in; names without a namespace stand in manifests.Namespace.
func (f *entryForm) entry() manifests.Entry {
	qualified := func(name string) string {
		if name == "" || name == OnlyGateway || strings.Contains(name, "/") {
			return name
		}
		return manifests.Namespace + "/" + name
	}
	entry := manifests.Entry{Service: f.Service, Caller: qualified(f.Caller), Gateway: qualified(f.Gateway)}
	if f.Port != nil {
		entry.Port = int(*f.Port)
	}
	return entry
}

// stages is what a form says that has no problems: a stage for each phase, and before them one for what the file itself applies.
func (f *form) stages() (all []Stage) {
	if len(f.Apply) > 0 {
		all = append(all, f.first().stage(f.After))
	}
	for _, p := range f.Phases {
		after := f.After
		if len(all) > 0 {
			after = all[len(all)-1].Name
		}
		all = append(all, f.inherit(p).stage(after))
	}
	for _, p := range f.Parameters {
		all[0].Parameters = append(all[0].Parameters, Parameter{Name: p.Name, Title: p.Title, Split: manifests.Split{Host: p.Split.Host, From: p.Split.From, To: p.Split.To}})
	}
	if len(f.Apply) == 0 { // what the file accepts holds in all of its phases
		for _, a := range f.Accepted {
			all[0].Accepted = append(all[0].Accepted, Accepted(a))
		}
	}
	return all
}

// stages are those of a form that has no problems, the first one with what the file expects.
func (d *decoder) stages(f *form) []Stage {
	all := f.stages()
	all[0].Expect = d.expected
	return all
}

// stage is a phase as a stage that stands on another one.
func (f phaseForm) stage(after string) Stage {
	s := Stage{Name: f.Name, Title: f.Title, After: after, Apply: f.Apply, Lessons: f.Lessons}
	if f.Exclude != nil {
		s.Exclude = *f.Exclude
	}
	for _, c := range f.Cohorts {
		s.Cohorts = append(s.Cohorts, c.cohort(f.Entry))
	}
	if len(s.Cohorts) == 0 {
		s.Cohorts = []Cohort{{Entry: f.Entry.entry()}}
	}
	for _, u := range f.Unmet {
		s.Unmet = append(s.Unmet, Unmet(u))
	}
	for _, a := range f.Accepted {
		s.Accepted = append(s.Accepted, Accepted(a))
	}
	return s
}

// cohort is what a form says of requests that enter by the common entry unless they have one of their own.
func (c *cohortForm) cohort(common *entryForm) Cohort {
	cohort := Cohort{Name: c.Name, Entry: common.entry(), Method: c.Method, Host: c.Host, Path: c.Path}
	if c.Weight != nil {
		cohort.Weight = int(*c.Weight)
	}
	if c.Entry != nil {
		cohort.Entry = c.Entry.entry()
	}
	for name, value := range c.Headers {
		if cohort.Header == nil {
			cohort.Header = http.Header{}
		}
		cohort.Header.Set(name, value)
	}
	return cohort
}
