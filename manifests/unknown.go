package manifests

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/yamlnode"
)

// holder is a message of Istio's API and the path at which it stands.
type holder struct {
	path    string
	message protoreflect.MessageDescriptor
}

// gone are fields that Istio had once, by message and name, each with what takes its place.
var gone = map[protoreflect.Name]map[string]string{
	"Abort": {"percent": "is a field that Istio removed: write percentage: {value: 50} for 50 percent"},
}

// unknown records a field that a message does not have, with the place where it belongs as far as that can be told: a field is often
// written one level too deep, or not deep enough.
func (d *document) unknown(path, name string, m protoreflect.MessageDescriptor) {
	accepted := supported[m.Name()]
	field := yamlnode.Join(path, name)
	if text := gone[m.Name()][name]; text != "" {
		d.problem(field, "%s", text)
		return
	}
	for i := len(d.holders) - 2; i >= 0; i-- {
		if outer := &d.holders[i]; slices.Contains(supported[outer.message.Name()], name) {
			d.problem(field, "is not a field of this place: it belongs to %s, as %s", outer.path, yamlnode.Join(outer.path, name))
			return
		}
	}
	if inner := within(m, name); inner != "" {
		d.problem(field, "is not a field of this place: it belongs to %s, as %s", yamlnode.Join(path, inner), yamlnode.Join(yamlnode.Join(path, inner), name))
		return
	}
	d.problem(field, "unknown field%s; accepted: %s", spelling.DidYouMean(name, accepted), strings.Join(accepted, ", "))
}

// within is the only executed field of a message whose own message has an executed field of this name; empty where there is none, or
// where several have one. Items of a list are not looked into: it could not be told which of them is meant.
func within(m protoreflect.MessageDescriptor, name string) (found string) {
	for _, candidate := range supported[m.Name()] {
		fd := m.Fields().ByJSONName(candidate)
		if fd == nil || fd.IsList() || fd.IsMap() || fd.Message() == nil || !slices.Contains(supported[fd.Message().Name()], name) {
			continue
		}
		if found != "" {
			return ""
		}
		found = candidate
	}
	return found
}
