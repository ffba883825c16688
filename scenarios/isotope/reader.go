package isotope

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/yamlnode"
)

// byteSize is a size as isotope reads it: a number of bytes, or one with a unit.
var byteSize = regexp.MustCompile(`(?i)^\d+(\.\d+)? ?([kmgtp]i?)?b?$`)

// reader is the state of Read.
type reader struct {
	topology *Topology
	problems manifests.Problems
	// object is the service of the problems that follow.
	object string
	// defaults are what a service has that says nothing else.
	defaults form
	// forms are the services as they were written.
	forms []form
	// noted are the places of fields without a meaning here, by what is said of them; said are the sentences of other remarks.
	noted map[string]*note
	said  []string
}

// form is a service, or the defaults, as it was written.
type form struct {
	name, namespace string
	line            int
	entry           bool
	replicas        int
	errorRate       *float64
	script          []item
}

// problem notes what is wrong at a line.
func (r *reader) problem(line int, object, field, format string, args ...any) {
	if len(r.problems) < mostProblems {
		r.problems = append(r.problems, manifests.Problem{File: r.topology.File, Line: line, Object: object, Field: field, Text: fmt.Sprintf(format, args...)})
	}
}

// wrong notes what is wrong with the value of a field.
func (r *reader) wrong(n *yaml.Node, field, format string, args ...any) {
	r.problem(n.Line, r.object, field, format, args...)
}

// read reads the file. It returns false where there are no services to look at.
func (r *reader) read(data []byte) bool {
	if len(data) > maxFile {
		r.problem(0, "", "", "is larger than the %d bytes that a topology may have", maxFile)
		return false
	}
	documents := yaml.NewDecoder(bytes.NewReader(data))
	var root, more yaml.Node
	if err := documents.Decode(&root); errors.Is(err, io.EOF) || err == nil && len(root.Content) == 0 {
		r.problem(0, "", "", "has no content: a topology of isotope has a list of services")
		return false
	} else if err != nil {
		r.syntax(err)
		return false
	}
	if err := documents.Decode(&more); err == nil {
		r.problem(more.Line, "", "", "is a second document: a topology has one")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
	}
	r.document(root.Content[0])
	return len(r.forms) > 0 && len(r.problems) < mostProblems
}

// syntax notes an error of the YAML parser.
func (r *reader) syntax(err error) {
	line, text := yamlnode.SyntaxError(err)
	r.problem(line, "", "", "%s", text)
}

// document reads the whole file. The defaults come first, wherever they stand.
func (r *reader) document(root *yaml.Node) {
	fields := r.fields(root, "", "a topology of isotope, a map with a list of services", []string{"apiVersion", "kind", "defaults", "services"})
	r.defaults.replicas = 1
	if n := fields["defaults"]; n != nil {
		r.settings(n, "defaults", &r.defaults, "requestSize")
	}
	for _, name := range []string{"apiVersion", "kind"} {
		if n := fields[name]; n != nil && n.Kind != yaml.ScalarNode {
			r.mustBe(n, name, "a string")
		}
	}
	n := fields["services"]
	switch {
	case root.Kind != yaml.MappingNode:
	case n == nil:
		r.wrong(root, "services", "is missing: a topology of isotope has a list of services")
	case n.Kind != yaml.SequenceNode || len(n.Content) == 0:
		r.mustBe(n, "services", "a list with at least one service")
	case len(n.Content) > MostServices:
		r.wrong(n, "services", "has %d services: hellochaos runs at most %d on this machine", len(n.Content), MostServices)
	default:
		for i, one := range n.Content {
			r.service(one, fmt.Sprintf("services[%d]", i))
		}
	}
}

// service reads a service.
func (r *reader) service(n *yaml.Node, path string) {
	f := r.defaults
	f.line = n.Line
	r.object = "service " + strings.TrimSuffix(strings.TrimPrefix(path, "services["), "]") // until it has a name
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "name" && n.Content[i+1].Value != "" {
			r.object = "service " + n.Content[i+1].Value
		}
	}
	r.settings(n, path, &f, "name", "isEntrypoint", "namespace", "cluster")
	r.forms = append(r.forms, f)
	r.object = ""
}

// settings reads what the defaults and a service have in common, and more fields that one of them has.
func (r *reader) settings(n *yaml.Node, path string, f *form, more ...string) {
	common := []string{"type", "numReplicas", "errorRate", "responseSize", "script", "numRbacPolicies"}
	fields := r.fields(n, path, "a map", slices.Concat(more, common))
	if slices.Contains(more, "name") && n.Kind == yaml.MappingNode && fields["name"] == nil {
		r.wrong(n, yamlnode.Join(path, "name"), "is missing")
	}
	for _, name := range slices.Concat(more, common) {
		if n := fields[name]; n != nil {
			r.setting(name, n, yamlnode.Join(path, name), f)
		}
	}
}

// setting reads the value of a field of a service, or of the defaults.
func (r *reader) setting(name string, n *yaml.Node, at string, f *form) {
	switch name {
	case "name":
		f.name = r.label(n, at, validation.IsDNS1035Label)
	case "namespace":
		f.namespace = r.label(n, at, validation.IsDNS1123Label)
	case "isEntrypoint":
		f.entry = r.truth(n, at)
	case "numReplicas":
		f.replicas = r.whole(n, at, 1)
	case "errorRate":
		f.errorRate = r.share(n, at)
	case "script":
		f.script = r.script(n, at)
	case "type":
		r.protocol(n, at)
	case "responseSize", "requestSize":
		r.size(n, at)
	case "numRbacPolicies":
		r.note(rbac, n.Line, r.whole(n, at, 0) > 0)
	case "cluster":
		r.note(cluster, n.Line, r.text(n, at) != "")
	}
}

// fields are the values of a map by key. It notes keys that are not accepted, or written twice, and a node that is no map.
func (r *reader) fields(n *yaml.Node, path, wanted string, accepted []string) map[string]*yaml.Node {
	all := map[string]*yaml.Node{}
	if n.Kind != yaml.MappingNode {
		r.mustBe(n, path, wanted)
		return all
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		field := yamlnode.Join(path, key.Value)
		switch {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			r.wrong(key, path, "has a key that is not a string: each key must be a string")
		case !slices.Contains(accepted, key.Value):
			r.wrong(key, field, "unknown field%s; accepted: %s", spelling.DidYouMean(key.Value, accepted), strings.Join(accepted, ", "))
		case all[key.Value] != nil:
			r.wrong(key, field, "is written twice: write it once")
		case value.Kind == yaml.AliasNode || value.Anchor != "":
			r.wrong(value, field, "has an anchor or an alias: write the value out")
		default:
			all[key.Value] = value
		}
	}
	return all
}

// text reads a string; empty where it is none, which is noted.
func (r *reader) text(n *yaml.Node, field string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Value == "" {
		r.mustBe(n, field, "a string")
		return ""
	}
	return n.Value
}

// label reads a name as Kubernetes accepts it.
func (r *reader) label(n *yaml.Node, field string, check func(string) []string) string {
	name := r.text(n, field)
	if name == "" {
		return ""
	}
	if wrong := check(name); len(wrong) > 0 {
		r.wrong(n, field, "is %q, which is no name for Kubernetes: %s", name, wrong[0])
	}
	return name
}

func (r *reader) truth(n *yaml.Node, field string) bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		r.mustBe(n, field, "true or false")
	}
	return strings.EqualFold(n.Value, "true")
}

// whole reads a whole number of at least so much; that where it is none, which is noted.
func (r *reader) whole(n *yaml.Node, field string, least int) int {
	number, err := strconv.ParseInt(n.Value, 10, 32)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || int(number) < least {
		r.mustBe(n, field, fmt.Sprintf("a whole number from %d to 2147483647", least))
		return least
	}
	return int(number)
}

// share reads a percentage, as isotope does (convert/pkg/graph/pct): a number from 0 to 1, or a string from "0%" to "100%".
func (r *reader) share(n *yaml.Node, field string) *float64 {
	text, percent := strings.CutSuffix(n.Value, "%")
	value, err := strconv.ParseFloat(text, 64)
	if percent {
		value /= 100
	}
	if _, ok := trail.Probability(strconv.FormatFloat(value, 'f', -1, 64)); n.Kind != yaml.ScalarNode || err != nil || !ok || percent == (n.Tag != "!!str") {
		r.mustBe(n, field, `a number from 0 to 1, or a percentage such as "0.1%"`)
		return nil
	}
	return &value
}

// size reads a size, which has no meaning here.
func (r *reader) size(n *yaml.Node, field string) {
	if n.Kind != yaml.ScalarNode || !byteSize.MatchString(n.Value) {
		r.mustBe(n, field, "a number of bytes, or a size such as 1 KB")
		return
	}
	r.note(sizes, n.Line, n.Value != "0")
}

// protocol reads the type of a service.
func (r *reader) protocol(n *yaml.Node, field string) {
	if n.Kind != yaml.ScalarNode || n.Value != "http" && n.Value != "grpc" {
		r.mustBe(n, field, "http or grpc")
		return
	}
	r.note(grpc, n.Line, n.Value == "grpc")
}

// mustBe notes that a node is not what the field takes.
func (r *reader) mustBe(n *yaml.Node, field, wanted string) {
	r.wrong(n, field, "must be %s, not %s", wanted, yamlnode.Found(n))
}
