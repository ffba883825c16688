package manifests

import (
	"maps"
	"reflect"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// Steps are the sets of objects that are in force one after another while those of from give way to those of to, each different from the one
// before and the last one to. What VirtualServices name is there before them and goes away after them: DestinationRules with new subsets
// before the rules that use these, and DestinationRules that only lose some after the rules that used them. (Istio's documentation calls
// that make-before-break. The other way round, a proxy answers 503 to calls for a subset that it does not know.)
func Steps(from, to []Object) [][]Object {
	if len(from) == 0 {
		return [][]Object{to}
	}
	was := map[identity]*Object{}
	for i := range from {
		was[from[i].identity()] = &from[i]
	}
	var first, routes []Object
	for _, o := range to {
		switch {
		case o.Kind == "VirtualService":
			routes = append(routes, o)
		case !onlyLoses(was[o.identity()], &o):
			first = append(first, o)
		}
	}
	made := Overlay(from, first)
	var routed []Object
	for _, o := range made {
		if o.Kind != "VirtualService" {
			routed = append(routed, o)
		}
	}
	var steps [][]Object
	for _, set := range [][]Object{made, append(routed, routes...), to} {
		if !sameObjects(from, set) {
			steps = append(steps, set)
			from = set
		}
	}
	return steps
}

// onlyLoses reports whether a DestinationRule has subsets no more that it had before, and no new one.
func onlyLoses(before, after *Object) bool {
	if before == nil || after.Kind != "DestinationRule" {
		return false
	}
	had, has := subsetsOf(before), subsetsOf(after)
	for name := range has {
		if !had[name] {
			return false
		}
	}
	return len(has) < len(had)
}

// subsetsOf are the names of a DestinationRule's subsets.
func subsetsOf(o *Object) map[string]bool {
	names := map[string]bool{}
	if spec, ok := o.Istio.(*networking.DestinationRule); ok {
		for _, s := range spec.Subsets {
			names[s.Name] = true
		}
	}
	return names
}

// sameObjects reports whether two sets say the same, in whatever order.
func sameObjects(a, b []Object) bool {
	index := func(of []Object) map[identity]*Object {
		all := map[identity]*Object{}
		for i := range of {
			all[of[i].identity()] = &of[i]
		}
		return all
	}
	return maps.EqualFunc(index(a), index(b), func(a, b *Object) bool {
		return proto.Equal(a.Istio, b.Istio) && reflect.DeepEqual(a.Kubernetes, b.Kubernetes) && reflect.DeepEqual(a.Meta, b.Meta)
	})
}
