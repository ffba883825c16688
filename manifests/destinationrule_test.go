package manifests

import (
	"fmt"
	"slices"
	"testing"
)

// DestinationRules are given as they are written, also those that hold for nobody.
func TestDestinationRules(t *testing.T) {
	rule := "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: m, namespace: shop}\nspec:\n  host: middleware\n  subsets:\n  - {name: a, labels: {version: a}}\n  - {name: all}\n"
	r := rulesOf(t, rule)
	if got, want := fmt.Sprintf("%+v", r.DestinationRules()), "[{Object:DestinationRule m File:test.yaml Line:1 HostLine:5 Namespace:shop NoNamespace:false Host:middleware.shop.svc.cluster.local Written:middleware ExportTo:[] "+
		"Subsets:[{Name:a Labels:map[version:a] Line:7} {Name:all Labels:map[] Line:8}] exports:[]}]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestHostsOfTheRegistry(t *testing.T) {
	entry := "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e, namespace: shop}\nspec: {hosts: [api.example.com], ports: [{number: 80, name: http, protocol: HTTP}]}\n"
	r := rulesOf(t, entry)
	// The clock is hidden from the mesh.
	if got, want := r.Hosts(), []string{"api.example.com", "backend.default.svc.cluster.local", "frontend.default.svc.cluster.local", "middleware.default.svc.cluster.local"}; !slices.Equal(got, want) {
		t.Errorf("hosts %v, want %v", got, want)
	}
	for host, want := range map[string][]string{"backend.default.svc.cluster.local": {"default", "istio-system"}, "api.example.com": {"shop", "istio-system"}, "nobody.example.com": {"istio-system"}} {
		if got := r.Looked(host, ""); !slices.Equal(got, want) {
			t.Errorf("host %s: Istio looks in %v, want %v", host, got, want)
		}
	}
}
