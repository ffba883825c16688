package run

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
)

// outline is what would be sent and applied during a change.
func (c *change) outline() reports.PlannedChange {
	done := reports.PlannedChange{From: c.from.Name, To: c.to.Name, Blocked: c.blocked, Rate: c.rate()}
	if c.blocked == "" {
		done.Steps, done.Back = stepNames(c.before, c.to.Objects), stepNames(c.to.Objects, c.before)
	}
	return done
}

// stepNames names the objects that each step of a change writes or removes.
func stepNames(from, to []manifests.Object) (steps [][]string) {
	for _, set := range manifests.Steps(from, to) {
		before, after := byName(from), byName(set)
		var names []string
		for _, name := range slices.Sorted(maps.Keys(after)) {
			if was := before[name]; was == nil || !proto.Equal(was.Istio, after[name].Istio) || !reflect.DeepEqual(was.Kubernetes, after[name].Kubernetes) {
				names = append(names, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(before)) {
			if after[name] == nil {
				names = append(names, name+" (removed)")
			}
		}
		if len(names) > 0 {
			steps, from = append(steps, names), set
		}
	}
	return steps
}

// byName finds objects by their kind, name and namespace.
func byName(objects []manifests.Object) map[string]*manifests.Object {
	all := map[string]*manifests.Object{}
	for i := range objects {
		name := objects[i].Name()
		if namespace := objects[i].InNamespace(); namespace != manifests.Namespace {
			name = fmt.Sprintf("%s of namespace %s", name, namespace)
		}
		all[name] = &objects[i]
	}
	return all
}
