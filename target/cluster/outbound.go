package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hellochaos/hellochaos/manifests"
)

// meshMode is outboundTrafficPolicy.mode of the whole mesh, "ALLOW_ANY" or "REGISTRY_ONLY"; empty where it cannot be read: the ConfigMap is not
// there, or not for this user.
func (c *Cluster) meshMode(ctx context.Context) string {
	config, err := c.core.CoreV1().ConfigMaps(istioSystem).Get(ctx, "istio", metav1.GetOptions{})
	if err != nil {
		return ""
	}
	settings, err := readMesh(config.Data["mesh"])
	if err != nil {
		return ""
	}
	return settings.OutboundTrafficPolicy.Mode
}

// outbound refuses sets of objects that leave it to the mesh what becomes of calls to hosts outside its registry, where the mesh is not as Istio is by
// itself: the predictions are for ALLOW_ANY then, and Apply would wait in vain for a proxy that lets such a call through.
func (r *Run) outbound(ctx context.Context, sets [][]manifests.Object) error {
	left, err := leftToMesh(sets)
	if err != nil || len(left) == 0 { // then nobody asks the mesh
		return err
	}
	return blockedByMesh(r.cluster.meshMode(ctx), left)
}

// leftToMesh are the places at which sets leave the mode to the mesh, each once: "Sidecar default (a.yaml:3)", and "" for a set without a Sidecar.
func leftToMesh(sets [][]manifests.Object) (places []string, err error) {
	for _, set := range sets {
		rules, err := manifests.Read(set)
		if err != nil {
			return nil, err
		}
		mode, sidecar := rules.Outbound(manifests.Namespace)
		if mode == "" && !slices.Contains(places, sidecar) {
			places = append(places, sidecar)
		}
	}
	return places, nil
}

// blockedByMesh is the error for places that leave the mode to a mesh with this one; nil where there are none, and where that is Istio's default or not known.
func blockedByMesh(mode string, places []string) error {
	if mode != "REGISTRY_ONLY" || len(places) == 0 {
		return nil
	}
	where := "the objects have no Sidecar, which would set it"
	if named := slices.DeleteFunc(slices.Clone(places), func(place string) bool { return place == "" }); len(named) > 0 {
		where = strings.Join(named, " and ") + " does not set it"
	}
	return fmt.Errorf("outboundTrafficPolicy.mode of the mesh is %s (ConfigMap istio of namespace %s), and %s: hellochaos predicts such calls as Istio's own default, ALLOW_ANY, has them; "+
		"write outboundTrafficPolicy with the mode that you mean into a Sidecar", mode, istioSystem, where)
}
