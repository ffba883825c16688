package manifests

import (
	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// SplitCanary is a copy of objects in which the canary gets a share of the calls to middleware. In each VirtualService for host
// middleware, every http entry without a match whose only destination is subset prod gets two destinations: prod with 100-weight
// and canary with weight. weight is in percent, in [0,100]; 0 leaves the entries as they are. The input is not changed.
func SplitCanary(objects []Object, weight int) []Object {
	result := make([]Object, len(objects))
	for i := range objects {
		result[i] = objects[i]
		spec, ok := objects[i].Istio.(*networking.VirtualService)
		if !ok || weight == 0 || !namesMiddleware(&objects[i], spec) {
			continue
		}
		result[i] = objects[i].Clone()
		for _, h := range result[i].Istio.(*networking.VirtualService).Http {
			if len(h.Match) == 0 && len(h.Route) == 1 && h.Route[0].Destination.GetSubset() == "prod" {
				canary := proto.CloneOf(h.Route[0])
				canary.Destination.Subset = "canary"
				h.Route[0].Weight, canary.Weight = int32(100-weight), int32(weight)
				h.Route = append(h.Route, canary)
			}
		}
	}
	return result
}

func namesMiddleware(o *Object, spec *networking.VirtualService) bool {
	for _, host := range spec.Hosts {
		if qualify(host, o.namespace()) == qualify("middleware", o.namespace()) {
			return true
		}
	}
	return false
}
