package manifests

import (
	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// Split says which rules a share of the calls is taken from, and who gets it: in each VirtualService for Host, every http entry
// without a match whose only destination is subset From.
type Split struct{ Host, From, To string }

// Apply is a copy of objects in which the rules that s names have two destinations: subset From with 100-weight and subset To with
// weight. weight is in percent, in [0,100]; 0 leaves the rules as they are. changed is how many rules the copy has changed, or would
// have for another weight. The input is not changed.
func (s Split) Apply(objects []Object, weight int) (result []Object, changed int) {
	result = make([]Object, len(objects))
	for i := range objects {
		result[i] = objects[i]
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

func (s Split) names(o *Object, spec *networking.VirtualService) bool {
	for _, host := range spec.Hosts {
		if qualify(host, o.namespace()) == qualify(s.Host, o.namespace()) {
			return true
		}
	}
	return false
}
