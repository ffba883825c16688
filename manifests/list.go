package manifests

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// listKind is what 'kubectl get -o yaml' prints around more than one object.
const listKind = "List"

// items decodes the document, and returns the documents of its items where it is a List, else the document itself.
func (d *document) items() []*document {
	if !d.decodeYAML() {
		return []*document{d}
	}
	fields, ok := d.fields.(map[string]any)
	if !ok || fields["kind"] != listKind {
		return []*document{d}
	}
	d.object = listKind
	if fields["apiVersion"] != "v1" {
		d.problem("apiVersion", "%s; List has v1", kindOf(fields["apiVersion"]))
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains([]string{"apiVersion", "kind", "metadata", "items"}, name) {
			d.problem(name, "unknown field; accepted: apiVersion, kind, metadata, items")
		}
	}
	items, ok := fields["items"].([]any)
	if !ok {
		d.problem("items", "want a list, not %s", kindOf(fields["items"]))
	}
	if len(d.problems) > 0 {
		return []*document{d}
	}
	return d.cut(items)
}

// cut makes a document of each item of a List. Its fields stand where they stand in the List, and are called as in an object by
// itself.
func (d *document) cut(items []any) []*document {
	lines := make([]positions, len(items))
	for path, line := range d.lines {
		inside, ok := strings.CutPrefix(path, "items[")
		number, field, closed := strings.Cut(inside, "]")
		i, err := strconv.Atoi(number)
		if !ok || !closed || err != nil || i >= len(items) {
			continue
		}
		if lines[i] == nil {
			lines[i] = make(positions)
		}
		lines[i][strings.TrimPrefix(field, ".")] = line
	}
	documents := make([]*document, len(items))
	for i, item := range items {
		part := &document{file: d.file, first: d.first, lines: lines[i], fields: item, object: fmt.Sprintf("item %d of the List", i+1)}
		var err error
		if part.data, err = json.Marshal(item); err == nil {
			part.text, err = yaml.JSONToYAML(part.data)
		}
		if err != nil {
			part.problem("", "%v", err)
		}
		documents[i] = part
	}
	return documents
}
