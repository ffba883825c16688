// Package yamlnode has what strict readers of YAML say alike: where a text is no YAML, what a value is in place of the one that was asked
// for, and the path of a field. It must not know what any file is for.
package yamlnode

import (
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// place is what the YAML parser puts in front of its messages.
var place = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// longest is how many bytes of a value are repeated in a message.
const longest = 100

// SyntaxError is an error of the YAML parser as a clause, "is not valid YAML: …", and the line that it is about, from 1; 0 where the
// parser names none.
func SyntaxError(err error) (line int, clause string) {
	text := err.Error()
	if found := place.FindStringSubmatch(text); found != nil {
		text = text[len(found[0]):]
		line, _ = strconv.Atoi(found[1]) // empty where the parser says none
	}
	return line, "is not valid YAML: " + text
}

// Found says what a node is, as in "must be a list, not Found": its kind, or its value, a string in quotes.
func Found(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case n.Kind == yaml.SequenceNode && len(n.Content) == 0:
		return "an empty list"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	case n.Tag == "!!str":
		return strconv.Quote(n.Value[:min(len(n.Value), longest)])
	}
	return n.Value[:min(len(n.Value), longest)]
}

// Join is the path of a key in the map at path: "spec.http" of "spec" and "http". The whole document has the path "".
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
