package manifests

import (
	"slices"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Split says which rules a share of the calls is taken from, and who gets it: in each VirtualService for Host, every http entry
// without a match whose only destination is subset From, and in each HTTPRoute whose parent is Service Host, every rule without a match
// whose only backend is Service From.
type Split struct{ Host, From, To string }

// Apply is a copy of objects in which the rules that s names have two destinations: subset From with 100-weight and subset To with
// weight. weight is in percent, in [0,100]; 0 leaves the rules as they are. changed is how many rules the copy has changed, or would
// have for another weight. The input is not changed.
func (s Split) Apply(objects []Object, weight int) (result []Object, changed int) {
	result = make([]Object, len(objects))
	for i := range objects {
		result[i] = objects[i]
		if route := objects[i].HTTPRoute(); route != nil {
			var n int
			result[i], n = s.applyRoute(&objects[i], weight)
			changed += n
			continue
		}
		spec, ok := objects[i].Istio.(*networking.VirtualService)
		if !ok || !s.names(&objects[i], spec) {
			continue
		}
		result[i] = objects[i].Clone()
		for _, h := range result[i].Istio.(*networking.VirtualService).Http {
			if len(h.Match) > 0 || len(h.Route) != 1 || h.Route[0].Destination.GetSubset() != s.From {
				continue
			}
			changed++
			if weight == 0 {
				continue
			}
			other := proto.CloneOf(h.Route[0])
			other.Destination.Subset = s.To
			h.Route[0].Weight, other.Weight = int32(100-weight), int32(weight)
			h.Route = append(h.Route, other)
		}
	}
	return result, changed
}

// applyRoute is Apply for an HTTPRoute.
func (s Split) applyRoute(o *Object, weight int) (result Object, changed int) {
	result = o.Clone()
	route := result.HTTPRoute()
	if !slices.ContainsFunc(route.Spec.ParentRefs, func(p gatewayv1.ParentReference) bool {
		_, kind := parentKind(&p)
		return kind == "Service" && string(p.Name) == s.Host
	}) {
		return *o, 0
	}
	for i := range route.Spec.Rules {
		r := &route.Spec.Rules[i]
		if len(r.Matches) > 0 || len(r.BackendRefs) != 1 || string(r.BackendRefs[0].Name) != s.From {
			continue
		}
		changed++
		if weight == 0 {
			continue
		}
		other := r.BackendRefs[0].DeepCopy()
		stays, goes := int32(100-weight), int32(weight)
		other.Name, other.Weight, r.BackendRefs[0].Weight = gatewayv1.ObjectName(s.To), &goes, &stays
		r.BackendRefs = append(r.BackendRefs, *other)
	}
	return result, changed
}

func (s Split) names(o *Object, spec *networking.VirtualService) bool {
	for _, host := range spec.Hosts {
		if qualify(host, o.namespace()) == qualify(s.Host, o.namespace()) {
			return true
		}
	}
	return false
}
