package manifests

import (
	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// SplitCanary is objects with a share of middleware's traffic given to the canary: in each VirtualService of host
// middleware, every http route that has no match and goes to subset prod alone goes to prod with weight 100-weight and
// to canary with weight. weight is in percent, [0,100]; 0 leaves the routes as they are. The input is not changed.
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
