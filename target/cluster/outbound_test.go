package cluster

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

// A set that leaves to the mesh what becomes of calls to hosts outside is refused where the mesh blocks them, before Apply waits for a proxy that
// does not.
func TestLeftToMesh(t *testing.T) {
	const head = "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: default}\nspec: "
	for _, c := range []struct{ name, spec, mode, want string }{
		{"no Sidecar, a mesh that blocks", "", "REGISTRY_ONLY", "the objects have no Sidecar"},
		{"no Sidecar, a mesh as Istio has it", "", "ALLOW_ANY", ""},
		{"no Sidecar, a mesh that is not known", "", "", ""},
		{"a Sidecar that sets no mode", `{egress: [{hosts: ["./*"]}]}`, "REGISTRY_ONLY", "Sidecar default (s.yaml:4) does not set it"},
		{"a Sidecar that blocks", "{outboundTrafficPolicy: {mode: REGISTRY_ONLY}}", "REGISTRY_ONLY", ""},
		{"a Sidecar that lets through", "{outboundTrafficPolicy: {mode: ALLOW_ANY}}", "REGISTRY_ONLY", ""},
	} {
		var objects []manifests.Object
		if c.spec != "" {
			var err error
			if objects, err = manifests.Parse("s.yaml", []byte(head+c.spec)); err != nil {
				t.Fatal(err)
			}
		}
		left, err := leftToMesh([][]manifests.Object{objects, objects})
		if err != nil {
			t.Fatal(err)
		}
		err = blockedByMesh(c.mode, left)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
