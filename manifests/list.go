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

// listKind is the kind of the list in which 'kubectl get -o yaml' prints several objects.
const listKind = "List"

// items decodes the document. It returns the documents of its items when it is a List, and the document itself otherwise.
func (d *document) items() []*document {
	if items, ok := d.list(); ok {
		return d.cut(items)
	}
	return []*document{d}
}

// list decodes the document, and returns the items of a List; false when it is none, or has problems.
func (d *document) list() ([]any, bool) {
	if !d.decodeYAML() {
		return nil, false
	}
	fields, ok := d.fields.(map[string]any)
	if !ok || fields["kind"] != listKind {
		return nil, false
	}
	d.object = listKind
	if fields["apiVersion"] != "v1" {
		d.mustBe("apiVersion", `"v1" for a List`, fields["apiVersion"])
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains([]string{"apiVersion", "kind", "metadata", "items"}, name) {
			d.problem(name, "unknown field; accepted: apiVersion, kind, metadata, items")
		}
	}
	items, ok := fields["items"].([]any)
	if !ok {
		d.mustBe("items", "a list", fields["items"])
	}
	return items, len(d.problems) == 0
}

// cut makes a document from each item of a List. The lines of its fields are those in the List; the paths of its fields are those
// of an object by itself.
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
			part.problem("", "cannot be read: %v", err)
		}
		documents[i] = part
	}
	return documents
}
