package manifests

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/yamlnode"
	"go.yaml.in/yaml/v3"
)

const (
	// maxFile is the size of the largest accepted file in bytes. A cluster's etcd does not store a larger object either.
	maxFile = 1 << 20
	// maxDepth is how deeply a document may be nested. The deepest supported field has half of this depth.
	maxDepth = 30
	// mostProblems is the number of problems after which the rest of a file is not read. A file of the largest size can have 150,000
	// documents, and the YAML parser takes 50 µs for each.
	mostProblems = 100
)

// document is one YAML document of a file while it is read, with the lines of its fields and the problems that were found.
type document struct {
	file string
	// first is the line of the file at which text begins, 1 for the first.
	first    int
	text     []byte
	lines    positions
	object   string
	problems Problems
	// fields is the decoded content of the document, and data is the same content as JSON.
	fields any
	data   []byte
	// holders are the messages of Istio's API around the one that is being filled, and that one.
	holders []holder
	// keepBeyond: fields that are not executed are kept in beyond where they may be, and not refused.
	keepBeyond bool
	beyond     []Beyond
	expansion
}

// positions are the lines of a file at which the fields of a document stand, by path: "spec.http[0].retries".
type positions map[string]int

// of is the line of a field. For a field without a line it is that of the nearest field around it, and first if there is none.
func (p positions) of(field string, first int) int {
	for {
		if line, ok := p[field]; ok {
			return line
		}
		if field == "" {
			return first
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
}

// split cuts a file at the lines that begin with "---", as kubectl does, and leaves out documents without content.
func split(file string, data []byte) []*document {
	var documents []*document
	first, text := 1, []byte(nil)
	end := func() {
		if hasContent(text) {
			object := fmt.Sprintf("document %d", len(documents)+1)
			documents = append(documents, &document{file: file, first: first, text: text, object: object})
		}
	}
	number := 0
	for line := range bytes.Lines(data) {
		number++
		if separates(line) {
			end()
			first, text = number, nil
		}
		text = append(text, line...)
	}
	end()
	return documents
}

// separates reports whether a line is YAML's document marker.
func separates(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	return ok && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
}

// hasContent reports whether text holds anything but the document marker, comments and blanks.
func hasContent(text []byte) bool {
	for line := range bytes.Lines(text) {
		if separates(line) {
			line = line[len("---"):]
		}
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return true
		}
	}
	return false
}

// problem records what is wrong with a field; an empty field means the whole object.
func (d *document) problem(field, format string, args ...any) {
	d.problems = append(d.problems, Problem{
		File: d.file, Line: d.lines.of(field, d.first), Object: d.object, Field: field, Text: fmt.Sprintf(format, args...),
	})
}

// index reads the document's YAML to fill lines, and records what no manifest may contain. It returns false when the document
// cannot be read any further.
func (d *document) index() bool {
	decoder := yaml.NewDecoder(bytes.NewReader(d.text))
	var root yaml.Node
	if err := decoder.Decode(&root); err != nil {
		d.syntax(err)
		return false
	}
	d.lines = make(positions)
	d.visit("", root.Content[0], root.Content[0].Line, 0)
	var more yaml.Node
	if err := decoder.Decode(&more); err == nil {
		d.problem("", "has a second document: write a line \"---\" before it")
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err)
	}
	return len(d.problems) == 0
}

// syntax records an error of the YAML parser with the file's line instead of the document's.
func (d *document) syntax(err error) {
	line, text := yamlnode.SyntaxError(err)
	d.problems = append(d.problems, Problem{File: d.file, Line: d.first + max(0, line-1), Object: d.object, Text: text})
}

// visit records the lines of a node and of all nodes in it.
func (d *document) visit(path string, n *yaml.Node, line, depth int) {
	if !d.afford(path, n) {
		return
	}
	d.lines[path] = d.first + line - 1
	if n.Anchor != "" {
		d.open(n)
		defer d.close(n)
	}
	switch {
	case depth > maxDepth:
		d.problem(path, "is nested deeper than the %d levels that are accepted", maxDepth)
	case n.Kind == yaml.AliasNode:
		d.follow(path, n, func(meant *yaml.Node) { d.visit(path, meant, line, depth) })
	case n.Kind == yaml.SequenceNode:
		for i, item := range n.Content {
			d.visit(path+"["+strconv.Itoa(i)+"]", item, item.Line, depth+1)
		}
	case n.Kind == yaml.MappingNode:
		d.visitMapping(path, n, depth, make(map[string]bool, len(n.Content)/2))
	}
}

// visitMapping visits the fields of a map, except those that are taken because a map into which this one is merged has them. It
// adds its own fields to taken.
func (d *document) visitMapping(path string, n *yaml.Node, depth int, taken map[string]bool) {
	seen := make(map[string]int, len(n.Content)/2)
	var merge, before = (*yaml.Node)(nil), map[string]bool(nil)
	joined := false // whether a second object follows the first one in the same document
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			d.problem(path, "has a key that is not a string: each key of a map must be a string")
			continue
		}
		field := yamlnode.Join(path, key.Value)
		if first, ok := seen[key.Value]; ok {
			d.lines[field] = d.first + key.Line - 1
			switch {
			case joined: // the fields that follow are those of the second object
			case field == "apiVersion":
				joined = true
				d.problem(field, "is written twice, first in line %d: write a line --- between two objects", d.first+first-1)
			default:
				d.problem(field, "is written twice, first in line %d: write it once", d.first+first-1)
			}
			continue
		}
		if key.Tag == mergeTag {
			merge, before = value, make(map[string]bool, len(seen))
			for name := range seen {
				before[name] = true
			}
		}
		seen[key.Value] = key.Line
		if key.Tag != mergeTag && !taken[key.Value] {
			d.visit(field, value, key.Line, depth+1)
		}
	}
	for name := range seen {
		taken[name] = true
	}
	if merge != nil {
		d.merged = true
		d.visitMerge(path, merge, depth, taken, before)
	}
}
