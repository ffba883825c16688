package cases

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/yamlnode"
)

func itoa(i int) string { return strconv.Itoa(i) }

// parts reads what a case expects, as strictly as the manifests are read: each part becomes an http entry of a VirtualService, with a
// route beside it where it cannot stand alone.
func (d *document) parts(path string, fields map[string]*yaml.Node) (all []part) {
	var entries []*yaml.Node
	var names []string
	for _, name := range partFields {
		value := fields[name]
		if value == nil || value.Tag == "!!null" {
			continue
		}
		d.place(path+"."+name, value)
		entry := mapping(name, value)
		if name == "rewrite" || name == "fault" || name == "headers" {
			entry.Content = append(entry.Content, text("route"), list(mapping("destination", mapping("host", text("any")))))
		}
		entries, names = append(entries, entry), append(names, name)
	}
	if len(entries) == 0 {
		return nil
	}
	written, err := yaml.Marshal(mapping("apiVersion", text("networking.istio.io/v1"), "kind", text("VirtualService"), "metadata", mapping("name", text("expected")),
		"spec", mapping("hosts", list(text("any")), "http", list(entries...))))
	if err != nil {
		d.note(path, "cannot be read: %v", err)
		return nil
	}
	objects, err := manifests.Parse(d.file, written)
	var wrong manifests.Problems
	switch {
	case errors.As(err, &wrong):
		for _, p := range wrong {
			d.note(place(path, p.Field, names), "%s", p.Text)
		}
		return nil
	case err != nil || len(objects) != 1:
		d.note(path, "cannot be read: %v", err)
		return nil
	}
	for i, h := range objects[0].Istio.(*networking.VirtualService).Http {
		all = append(all, partOf(names[i], h))
	}
	return all
}

// place is the path in the document of a field of the VirtualService that parts makes.
func place(path, field string, names []string) string {
	rest, ok := strings.CutPrefix(field, "spec.http[")
	number, rest, closed := strings.Cut(rest, "]")
	i, err := strconv.Atoi(number)
	if !ok || !closed || err != nil || i >= len(names) {
		return path
	}
	if rest == "" {
		return path + "." + names[i]
	}
	return path + rest
}

// place notes the lines of the fields of a value.
func (d *document) place(path string, n *yaml.Node) {
	if _, known := d.lines[path]; !known {
		d.lines[path] = n.Line
	}
	for i, part := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			d.place(fmt.Sprintf("%s[%d]", path, i), part)
		case i%2 == 1:
			field := yamlnode.Join(path, n.Content[i-1].Value)
			d.lines[field] = n.Content[i-1].Line
			d.place(field, part)
		}
	}
}

// partOf is a part of an http entry; without values where the entry does not have it.
func partOf(name string, h *networking.HTTPRoute) part {
	p := part{name: name}
	var one proto.Message
	switch name {
	case "route":
		for _, d := range h.GetRoute() {
			p.values = append(p.values, d)
		}
		return p
	case "redirect":
		one = h.GetRedirect()
	case "rewrite":
		one = h.GetRewrite()
	case "fault":
		one = h.GetFault()
	case "headers":
		one = h.GetHeaders()
	case "delegate":
		one = h.GetDelegate()
	}
	if one != nil && one.ProtoReflect().IsValid() { // an absent message is a nil pointer in the interface
		p.values = []proto.Message{one}
	}
	return p
}

// text, list and mapping are nodes of YAML. mapping takes names and values in turn.
func text(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

func list(items ...*yaml.Node) *yaml.Node { return &yaml.Node{Kind: yaml.SequenceNode, Content: items} }

func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, one := range pairs {
		if name, isName := one.(string); isName {
			one = text(name)
		}
		n.Content = append(n.Content, one.(*yaml.Node))
	}
	return n
}
