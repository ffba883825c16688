package manifests

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// maxFile is the largest manifest file in bytes; etcd would not keep a larger object either.
	maxFile = 1 << 20
	// maxDepth is how deeply a document may be nested; the deepest supported field stands at half of it.
	maxDepth = 30
	// mostProblems is how many problems of a file are enough: the document with the last of them is the last that is read.
	// A file of the largest size has room for 150,000 documents, and reading one takes the YAML parser 50 µs.
	mostProblems = 100
)

// document is one YAML document of a file while it is being read: where its fields stand, and what is wrong with it.
type document struct {
	file string
	// first is the line of the file at which text begins, 1 for the first.
	first    int
	text     []byte
	lines    positions
	object   string
	problems Problems
	// fields is the document's content once it was decoded, data the same as JSON.
	fields any
	data   []byte
	expansion
}

// positions are the lines of a file at which the fields of a document stand, by path: "spec.http[0].retries".
type positions map[string]int

// of is the line of a field, or else of the nearest field around it, or else first.
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

// split cuts a file at the lines that begin with "---", as kubectl does. Documents without content are left out.
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

// yamlLine finds the line number that yaml.v3 puts into its messages.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// index reads the document's YAML for positions: it fills lines and reports what no manifest may contain. It returns
// false when the document cannot be read any further.
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
		d.problem("", "a second document without a line \"---\" before it")
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err)
	}
	return len(d.problems) == 0
}

// syntax records an error of the YAML parser with the file's line instead of the document's.
func (d *document) syntax(err error) {
	text := err.Error()
	place := yamlLine.FindStringSubmatch(text)
	line := d.first
	if place != nil {
		text = text[len(place[0]):]
		if n, err := strconv.Atoi(place[1]); err == nil {
			line += n - 1
		}
	}
	d.problems = append(d.problems, Problem{File: d.file, Line: line, Object: d.object, Text: "not YAML: " + text})
}

// visit records the lines of a node and of all below it.
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
		d.problem(path, "nested deeper than %d levels", maxDepth)
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

// visitMapping visits the fields of a map, less those that are taken: by a map that it is merged into. It takes what it has.
func (d *document) visitMapping(path string, n *yaml.Node, depth int, taken map[string]bool) {
	seen := make(map[string]int, len(n.Content)/2)
	var merge, before = (*yaml.Node)(nil), map[string]bool(nil)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			d.problem(path, "a key of a map must be a string")
			continue
		}
		field := join(path, key.Value)
		if first, ok := seen[key.Value]; ok {
			d.lines[field] = d.first + key.Line - 1
			d.problem(field, "written twice; the first stands in line %d", d.first+first-1)
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

// join is the path of a key in the map at path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
