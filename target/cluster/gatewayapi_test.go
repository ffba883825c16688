package cluster

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
)

// throughGateway are the objects of all stages in the form of Gateway API.
func throughGateway(t *testing.T) []manifests.Object {
	t.Helper()
	objects, err := scenarios.ThroughIn(scenarios.GatewayAPI, "canary", nil)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func TestDoctorOfGatewayAPI(t *testing.T) {
	found := row(t, deployed(t).connect(t).Doctor(t.Context(), throughGateway(t)), "gateway api")
	for _, part := range []string{"does not have these kinds", manifests.GatewayAPI, "Gateway, HTTPRoute"} {
		if found.State != Fail || !strings.Contains(found.Meaning, part) || !strings.HasPrefix(found.Type, "kubectl apply --server-side -f https://") {
			t.Errorf("%+v, want a failure with %q and the command that installs Gateway API", found, part)
		}
	}
}

func TestMissingGatewayAPI(t *testing.T) {
	c := &Cluster{namespace: "shop", gatewayAPI: map[string]string{routeKind: "v1"}}
	err := c.missingGatewayAPI([][]manifests.Object{throughGateway(t), throughGateway(t)})
	if err == nil || !strings.Contains(err.Error(), "are: Gateway: install") {
		t.Errorf("the error is %v, want one about Gateway alone, once", err)
	}
	c.gatewayAPI[gatewayKind] = "v1"
	if err := c.missingGatewayAPI([][]manifests.Object{throughGateway(t)}); err != nil {
		t.Errorf("the error is %v with all kinds served, want none", err)
	}
}

// Istio's Gateway and that of Gateway API are different objects, also under one name.
func TestGatewaysAreDistinct(t *testing.T) {
	c := &Cluster{namespace: "shop", istioVersion: "v1", gatewayAPI: map[string]string{gatewayKind: "v1beta1"}}
	meta := metav1.ObjectMeta{Name: "frontend"}
	theirs := manifests.Object{APIVersion: "networking.istio.io/v1", Kind: "Gateway", Meta: meta}
	ours := manifests.Object{APIVersion: manifests.GatewayAPI + "/v1", Kind: "Gateway", Meta: meta}
	for _, object := range []struct {
		of   manifests.Object
		kind string
		at   string
	}{{theirs, "Gateway", "networking.istio.io/v1 gateways"}, {ours, gatewayKind, "gateway.networking.k8s.io/v1beta1 gateways"}} {
		ref := c.referenceOf(&object.of)
		resource := c.resource(ref.Kind)
		if at := resource.GroupVersion().String() + " " + resource.Resource; ref != (reference{object.kind, "shop", "frontend"}) || at != object.at {
			t.Errorf("%+v at %s, want a %s at %s", ref, at, object.kind, object.at)
		}
	}
}

// The probe is bound to a host that the listener takes, whichever that is.
func TestListenerOf(t *testing.T) {
	for hostname, want := range map[string]string{`""`: "n1.hellochaos.invalid", `"*.example"`: "n1-hellochaos-invalid.example", "one.example": "one.example"} {
		objects, err := manifests.Parse("policy.yaml", []byte(`
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: door}
spec:
  gatewayClassName: istio
  listeners: [{name: http, port: 80, protocol: HTTP, hostname: `+hostname+`}]
`))
		if err != nil {
			t.Fatal(err)
		}
		if gateway, host := listenerOf(objects, "n1.hellochaos.invalid"); gateway != "door" || host != want {
			t.Errorf("listener for %s: Gateway %q takes the probe at %q, want door and %q", hostname, gateway, host, want)
		}
	}
	if gateway, _ := listenerOf(manifests.Application(), "n1"); gateway != "" {
		t.Errorf("the application has the Gateway %q of Gateway API", gateway)
	}
}
