package scenarios

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/yamlnode"
)

// mostProblems is the number of problems after which no more are noted.
const mostProblems = 100

// decoder fills Go's values from a YAML document and notes everything that is wrong with it, with the line at which it stands.
type decoder struct {
	file, object string
	problems     manifests.Problems
	// lines are those of the fields by path, as far as the document has them.
	lines map[string]int
	// expected are the expectations that could be read.
	expected []expect.Expectation
}

// problem notes what is wrong with a field; an empty path means the whole document. The line is that of the field, or of the
// nearest field around it.
func (d *decoder) problem(path, format string, args ...any) {
	if len(d.problems) < mostProblems {
		d.problems = append(d.problems, manifests.Problem{File: d.file, Line: d.line(path), Object: d.object, Field: path, Text: fmt.Sprintf(format, args...)})
	}
}

func (d *decoder) line(path string) int {
	for {
		if line, ok := d.lines[path]; ok {
			return line
		}
		if path == "" {
			return 1
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
}

// fill sets a value from a node. The value is a struct whose fields have a tag yaml, a slice, a map of strings, a pointer, a
// string or a float64.
func (d *decoder) fill(path string, n *yaml.Node, into reflect.Value) {
	if _, known := d.lines[path]; !known {
		d.lines[path] = n.Line
	}
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.problem(path, "has an anchor or an alias, which scenario files cannot have: write the value out")
	case into.Kind() == reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.fill(path, n, into.Elem())
	case into.Kind() == reflect.Struct:
		d.structure(path, n, into)
	case into.Kind() == reflect.Slice:
		if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
			d.mustBe(path, "a list with at least one item", n)
			return
		}
		into.Set(reflect.MakeSlice(into.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			d.fill(fmt.Sprintf("%s[%d]", path, i), item, into.Index(i))
		}
	case into.Kind() == reflect.Map:
		d.mapping(path, n, into)
	case into.Kind() == reflect.Float64:
		value, err := strconv.ParseFloat(n.Value, 64)
		if n.Kind != yaml.ScalarNode || n.Tag != "!!int" && n.Tag != "!!float" || err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			d.mustBe(path, "a number", n)
			return
		}
		into.SetFloat(value)
	default:
		if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
			d.mustBe(path, "a string (in quotes)", n)
			return
		}
		into.SetString(n.Value)
	}
}

// structure fills a struct, and notes fields that are unknown, written twice or missing.
func (d *decoder) structure(path string, n *yaml.Node, into reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.mustBe(path, "a map with the fields "+strings.Join(fieldNames(into.Type()), ", "), n)
		return
	}
	names := fieldNames(into.Type())
	d.keys(path, n, func(key string, value *yaml.Node) {
		i := slices.Index(names, key)
		if i < 0 {
			d.problem(yamlnode.Join(path, key), "unknown field%s; accepted: %s", spelling.DidYouMean(key, names), strings.Join(names, ", "))
			return
		}
		d.fill(yamlnode.Join(path, key), value, into.Field(i))
	})
	for i, name := range names {
		_, option, _ := strings.Cut(into.Type().Field(i).Tag.Get("yaml"), ",")
		if _, there := d.lines[yamlnode.Join(path, name)]; !there && option == "" {
			d.problem(yamlnode.Join(path, name), "is missing")
		}
	}
}

// mapping fills a map of strings.
func (d *decoder) mapping(path string, n *yaml.Node, into reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.mustBe(path, "a map", n)
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	d.keys(path, n, func(key string, value *yaml.Node) {
		text := reflect.New(into.Type().Elem()).Elem()
		d.fill(yamlnode.Join(path, key), value, text)
		into.SetMapIndex(reflect.ValueOf(key), text)
	})
}

// keys calls each for every key of a map but those that cannot be one; a key that is written twice counts once.
func (d *decoder) keys(path string, n *yaml.Node, each func(key string, value *yaml.Node)) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			d.problem(path, "has a key in line %d that is not a string: each key must be a string", key.Line)
			continue
		}
		field := yamlnode.Join(path, key.Value)
		if seen[key.Value] {
			d.problem(field, "is written twice, in line %d and in line %d: write it once", d.lines[field], key.Line)
			continue
		}
		seen[key.Value] = true
		d.lines[field] = key.Line
		each(key.Value, value)
	}
}

// mustBe notes that a node is not what the field takes.
func (d *decoder) mustBe(path, wanted string, n *yaml.Node) {
	d.problem(path, "must be %s, not %s", wanted, yamlnode.Found(n))
}

// fieldNames are the names of a struct's fields in YAML, in their order.
func fieldNames(of reflect.Type) (names []string) {
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("yaml"), ",")
		names = append(names, name)
	}
	return names
}
