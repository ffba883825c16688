package standins

import (
	"bytes"
	"slices"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/graph"
)

// FuzzOf checks that Of makes a set that manifests.Read and the graph accept of everything that LoadOthers does, unless the objects of
// Istio contradict each other, and that each stand-in is of its own service and version.
func FuzzOf(f *testing.F) {
	for _, seed := range []string{both + subs + serves, plain + clock + hidden, rules + pods("StatefulSet", "shop", "reviews", "app: reviews", "") + serviceOf("shop", "reviews", "ports: [{port: 80}]"),
		subs + pods("Deployment", "default", "a", "app: reviews, version: v1", "replicas: 0,") + pods("Deployment", "default", "b", "app: reviews, version: v1", "replicas: 9,"),
		serviceOf("default", "a", "type: ExternalName, externalName: x.y") + serviceOf("default", "b", "clusterIP: None, selector: {a: b}, ports: [{name: tcp, port: 1}]")} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		others, err := manifests.LoadOthers([]string{"-"}, bytes.NewReader(data))
		if err != nil {
			return
		}
		set, err := Of(others.Objects)
		if err != nil {
			return
		}
		read, err := manifests.Read(set.Objects)
		if err != nil {
			istio := slices.DeleteFunc(slices.Clone(others.Objects), func(o manifests.Object) bool { return o.Istio == nil })
			if _, contradiction := manifests.Read(istio); contradiction == nil {
				t.Fatalf("Read refuses the set: %v", err)
			}
			return
		}
		g, err := graph.Read(read)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[[2]string]bool{}
		for i := range g.Workloads {
			w := &g.Workloads[i]
			if key := [2]string{w.Service, w.Version}; seen[key] {
				t.Fatalf("two stand-ins are %s in version %s", w.Service, w.Version)
			} else {
				seen[key] = true
			}
		}
	})
}
