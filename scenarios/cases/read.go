package cases

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/yamlnode"
)

// root is the field that a document of a test file has. Names of fields are compared without regard to case, as istio-config-validator
// does, and its older files have TestCases.
const root = "testCases"

// The fields of a case, of its request, and of what it expects.
var (
	caseFields    = append([]string{"description", "wantMatch", "request"}, partFields...)
	requestFields = []string{"authority", "method", "uri", "headers"}
	partFields    = []string{"route", "redirect", "rewrite", "fault", "headers", "delegate"}
)

// noTests ends a message about files without test cases.
const noTests = ", the list of test cases that a test file of istio-config-validator has"

// mentions reports whether a text has the word that a test file begins with.
func mentions(data []byte) bool { return bytes.Contains(bytes.ToLower(data), []byte("testcases")) }

// text reads the documents of a file.
func (r *reader) text(file string, data []byte, found bool) {
	before, problems := len(r.suite.Cases), len(r.problems)
	var others []int // the lines of the documents that have no test cases
	documents := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var node yaml.Node
		err := documents.Decode(&node)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if !found || mentions(data) {
				line, text := yamlnode.SyntaxError(err)
				r.problem(manifests.Problem{File: file, Line: line, Text: text})
			}
			break
		}
		d := &document{reader: r, file: file, lines: map[string]int{}}
		if !d.read(node.Content[0]) {
			others = append(others, node.Content[0].Line)
		}
	}
	switch {
	case len(r.suite.Cases) > before:
		for _, line := range others {
			r.problem(manifests.Problem{File: file, Line: line, Text: "is a document without " + root + " beside others that have them"})
		}
	case len(r.problems) > problems:
	case found:
		r.suite.PassedOver = append(r.suite.PassedOver, file)
	default:
		r.problem(manifests.Problem{File: file, Text: "has no " + root + noTests})
	}
}

// document is a document while it is read.
type document struct {
	*reader
	file string
	// lines are those of the fields, by path.
	lines map[string]int
}

// note notes what is wrong with a field. The line is that of the field, or of the nearest field around it.
func (d *document) note(path, format string, args ...any) {
	line, at := 0, path
	for line == 0 && at != "" {
		line = d.lines[at]
		at = at[:max(0, strings.LastIndexAny(at, ".["))]
	}
	d.problem(manifests.Problem{File: d.file, Line: line, Field: path, Text: fmt.Sprintf(format, args...)})
}

// read reads the cases of a document. It returns false for one that has no list of them, and does not look like one in which its name
// is misspelt.
func (d *document) read(n *yaml.Node) bool {
	if !isTest(n) {
		return n.Kind == yaml.ScalarNode && n.Tag == "!!null" // nothing between two separators
	}
	whole, err := resolved(n)
	if err != nil {
		d.problem(manifests.Problem{File: d.file, Line: n.Line, Text: err.Error()})
		return true
	}
	fields := d.fields("", whole, []string{root})
	list := fields[root]
	if list == nil {
		return true // and it was noted that its name is unknown
	}
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		d.note(root, "must be a list of test cases with at least one item, not %s", yamlnode.Found(list))
		return true
	}
	for i, item := range list.Content {
		path := fmt.Sprintf("%s[%d]", root, i)
		d.lines[path] = item.Line
		d.testCase(path, item)
	}
	return true
}

// isTest reports whether a document has test cases, or is meant to have them.
func isTest(n *yaml.Node) bool {
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		if key := n.Content[i].Value; strings.EqualFold(key, root) || spelling.DidYouMean(key, []string{root}) != "" {
			return true
		}
	}
	return false
}

// fields are the values of a map by the accepted names of their keys. Keys that are unknown or written twice are noted.
func (d *document) fields(path string, n *yaml.Node, accepted []string) map[string]*yaml.Node {
	all := map[string]*yaml.Node{}
	if n.Kind != yaml.MappingNode {
		d.note(path, "must be a map with the fields %s, not %s", strings.Join(accepted, ", "), yamlnode.Found(n))
		return all
	}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name, field := "", yamlnode.Join(path, key.Value)
		for _, one := range accepted {
			if strings.EqualFold(one, key.Value) {
				name = one
			}
		}
		if name == "" {
			d.lines[field] = key.Line
			d.note(field, "unknown field%s; accepted: %s", spelling.DidYouMean(key.Value, accepted), strings.Join(accepted, ", "))
			continue
		}
		field = yamlnode.Join(path, name)
		if all[name] != nil {
			d.note(field, "is written twice, in line %d and in line %d: write it once", d.lines[field], key.Line)
			continue
		}
		d.lines[field], all[name] = key.Line, value
	}
	return all
}

const (
	// mostNodes and mostDepth bound a document whose aliases are written out.
	mostNodes, mostDepth = 200_000, 100
)

// resolved is a copy of a node in which each alias is the node that it stands for.
func resolved(n *yaml.Node) (*yaml.Node, error) {
	count := 0
	var copied func(n *yaml.Node, depth int) (*yaml.Node, error)
	copied = func(n *yaml.Node, depth int) (*yaml.Node, error) {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		if count++; count > mostNodes || depth > mostDepth {
			return nil, fmt.Errorf("is nested more than %d times, or has more than %d values with its aliases written out", mostDepth, mostNodes)
		}
		one := *n
		one.Anchor, one.Content = "", nil
		for i, part := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 0 && (part.Kind != yaml.ScalarNode || part.Tag == "!!merge") {
				return nil, fmt.Errorf("has a key in line %d that is not a string: each key must be a string, and << is not read", part.Line)
			}
			inner, err := copied(part, depth+1)
			if err != nil {
				return nil, err
			}
			one.Content = append(one.Content, inner)
		}
		return &one, nil
	}
	return copied(n, 0)
}
