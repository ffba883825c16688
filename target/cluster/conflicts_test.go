package cluster

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
)

// gatewayLabels are those of the one pod of the ingress gateway.
var gatewayLabels = []labels.Set{{"istio": "ingressgateway", "app": "istio-ingressgateway"}}

func TestConflicts(t *testing.T) {
	c := &Cluster{namespace: "shop", istioVersion: "v1"}
	const full = "middleware.shop.svc.cluster.local"
	for _, row := range []struct {
		name, kind, namespace, object, spec string
		about                               string // empty: no conflict
	}{
		{"short host", "VirtualService", "shop", "mine", "{hosts: [middleware]}", "rules for host " + full + ", which Service middleware is about"},
		{"full host", "VirtualService", "shop", "mine", "{hosts: [" + full + "]}", "rules for host " + full},
		{"capitals", "VirtualService", "shop", "mine", "{hosts: [Middleware]}", "rules for host " + full},
		{"wildcard", "VirtualService", "shop", "mine", "{hosts: ['*.shop.svc.cluster.local']}", "rules for host *.shop.svc.cluster.local, which Service backend is about"},
		{"second host", "VirtualService", "shop", "mine", "{hosts: [other, middleware]}", "rules for host " + full},
		{"another service", "VirtualService", "shop", "mine", "{hosts: [other]}", ""},
		{"wildcard of another namespace", "VirtualService", "shop", "mine", "{hosts: ['*.bank.svc.cluster.local']}", ""},
		{"part of a name", "VirtualService", "shop", "mine", "{hosts: [the-middleware]}", ""},
		{"name without its domain", "VirtualService", "shop", "mine", "{hosts: [middleware.shop]}", ""},
		{"for sidecars and a gateway", "VirtualService", "shop", "mine", "{hosts: [middleware], gateways: [other, mesh]}", "rules for host " + full},
		{"for another gateway", "VirtualService", "shop", "mine", "{hosts: [middleware], gateways: [other]}", ""},
		{"for our gateway", "VirtualService", "shop", "mine", "{hosts: [example.com], gateways: [frontend]}", "rules at the gateway for host example.com, which VirtualService frontend is about"},
		{"for our gateway from elsewhere", "VirtualService", "bank", "theirs", "{hosts: [example.com], gateways: [shop/frontend]}", "rules at the gateway for host example.com"},
		{"for a gateway of that name elsewhere", "VirtualService", "bank", "theirs", "{hosts: [example.com], gateways: [frontend]}", ""},
		{"for our gateway, hidden from it", "VirtualService", "bank", "theirs", "{hosts: [example.com], gateways: [shop/frontend], exportTo: [.]}", ""},
		{"our own", "VirtualService", "shop", "middleware", "{hosts: [middleware]}", ""},
		{"of our own's name elsewhere", "VirtualService", istioSystem, "middleware", "{hosts: [" + full + "]}", "rules for host " + full},
		{"the probe's", "VirtualService", "shop", probeName, "{hosts: [middleware]}", ""},
		{"elsewhere, not imported", "VirtualService", "bank", "theirs", "{hosts: [" + full + "]}", ""},
		{"elsewhere, imported", "VirtualService", istioSystem, "theirs", "{hosts: [" + full + "]}", "rules for host " + full},
		{"elsewhere, not exported", "VirtualService", istioSystem, "theirs", "{hosts: [" + full + "], exportTo: ['.']}", ""},
		{"elsewhere, exported to us", "VirtualService", istioSystem, "theirs", "{hosts: [" + full + "], exportTo: [shop]}", "rules for host " + full},
		{"elsewhere, a short name", "VirtualService", istioSystem, "theirs", "{hosts: [middleware]}", ""},

		{"a route for our service", routeKind, "shop", "mine", "{parentRefs: [{group: '', kind: Service, name: middleware}]}", "rules for host " + full},
		{"a route for our service elsewhere", routeKind, "bank", "theirs", "{parentRefs: [{group: '', kind: Service, name: middleware, namespace: shop}]}", ""},
		{"a route for another service", routeKind, "shop", "mine", "{parentRefs: [{group: '', kind: Service, name: other}]}", ""},
		{"a route for a Gateway of its own", routeKind, "shop", "mine", "{parentRefs: [{name: middleware}]}", ""},

		{"a policy", "DestinationRule", "shop", "mine", "{host: middleware}", "a policy for host " + full + ", which Service middleware is about"},
		{"a policy for a service without one", "DestinationRule", "shop", "mine", "{host: backend.shop.svc.cluster.local}", "a policy for host backend"},
		{"a policy for all", "DestinationRule", istioSystem, "theirs", "{host: '*.local'}", "a policy for host *.local"},
		{"a policy of another namespace", "DestinationRule", "bank", "theirs", "{host: " + full + "}", ""},
		{"our own policy", "DestinationRule", "shop", "middleware", "{host: middleware}", ""},
		{"a policy for others", "DestinationRule", "shop", "mine", "{host: other}", ""},

		{"an entry for the clock", "ServiceEntry", "shop", "mine", "{hosts: [clock.outside.svc.cluster.local]}", "an entry in the registry for host clock.outside.svc.cluster.local, which Deployment backend-prod is about"},
		{"an entry for all", "ServiceEntry", istioSystem, "theirs", "{hosts: ['*.svc.cluster.local']}", "an entry in the registry for"},
		{"an entry not imported", "ServiceEntry", "bank", "theirs", "{hosts: [clock.outside.svc.cluster.local]}", ""},
		{"an entry for others", "ServiceEntry", "shop", "mine", "{hosts: [example.com]}", ""},
		{"an entry with a short name", "ServiceEntry", "shop", "mine", "{hosts: [clock]}", ""},

		{"a gateway", "Gateway", "shop", "mine", "{selector: {istio: ingressgateway}, servers: [{port: {number: 80}, hosts: [example.com]}]}",
			"a server on port 80 of the same gateway pods for host *, and so has Gateway frontend"},
		{"a gateway by another label", "Gateway", "bank", "theirs", "{selector: {app: istio-ingressgateway}, servers: [{port: {number: 80}, hosts: ['bank/*']}]}", "a server on port 80"},
		{"a gateway by one label more", "Gateway", "bank", "theirs", "{selector: {istio: ingressgateway, zone: a}, servers: [{port: {number: 80}, hosts: ['*']}]}", "a server on port 80"},
		{"a gateway of other pods", "Gateway", "bank", "theirs", "{selector: {istio: egressgateway}, servers: [{port: {number: 80}, hosts: ['*']}]}", ""},
		{"a gateway at another port", "Gateway", "bank", "theirs", "{selector: {istio: ingressgateway}, servers: [{port: {number: 443}, hosts: ['*']}]}", ""},

		{"a sidecar for all", "Sidecar", "shop", "mine", "{egress: [{hosts: ['*/*']}]}", "the configuration of the proxies of pods app=frontend,version=prod, which obey only one Sidecar"},
		{"a sidecar for one", "Sidecar", "shop", "mine", "{workloadSelector: {labels: {app: backend}}}", "the configuration of the proxies of pods app=backend,version=prod, which obey only one Sidecar"},
		{"a sidecar for others", "Sidecar", "shop", "mine", "{workloadSelector: {labels: {app: other}}}", ""},
		{"a sidecar elsewhere", "Sidecar", istioSystem, "default", "{}", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			object := others(t, row.kind, row.namespace, row.object, row.spec)
			found := c.scope([][]manifests.Object{stages(t)}).conflicts([]*unstructured.Unstructured{object}, gatewayLabels)
			switch {
			case row.about == "" && len(found) > 0:
				t.Errorf("conflicts = %+v, want none", found)
			case row.about != "" && (len(found) != 1 || found[0].reference != nameOf(object) || !strings.HasPrefix(found[0].about, row.about)):
				t.Errorf("conflicts = %+v, want %s %q", found, nameOf(object), row.about)
			}
			object.SetLabels(map[string]string{managedBy: manager})
			if found := c.scope([][]manifests.Object{stages(t)}).conflicts([]*unstructured.Unstructured{object}, gatewayLabels); len(found) > 0 {
				t.Errorf("conflicts of an object of ours = %+v, want none", found)
			}
		})
	}
}

// TestConflictsAtAnotherGateway: rules at a Gateway of another's for our pods are rules beside ours.
func TestConflictsAtAnotherGateway(t *testing.T) {
	c := &Cluster{namespace: "shop", istioVersion: "v1"}
	gateway := others(t, "Gateway", "bank", "theirs", "{selector: {istio: ingressgateway}, servers: [{port: {number: 80}, hosts: ['*']}]}")
	rules := others(t, "VirtualService", "bank", "rules", "{hosts: [example.com], gateways: [theirs]}")
	found := c.scope([][]manifests.Object{stages(t)}).conflicts([]*unstructured.Unstructured{rules, gateway}, gatewayLabels)
	if len(found) != 2 || found[0].Name != "rules" || !strings.Contains(found[0].about, "rules at the gateway for host example.com") || found[1].Name != "theirs" {
		t.Errorf("conflicts = %+v, want those of rules and theirs", found)
	}
	if found := c.scope([][]manifests.Object{manifests.Application()}).conflicts([]*unstructured.Unstructured{rules, gateway}, gatewayLabels); len(found) > 0 {
		t.Errorf("conflicts of stages without a gateway = %+v, want none", found)
	}
}

// TestConflictsOfSeveralSets: what any set is about counts, and what any set has is no other's.
func TestConflictsOfSeveralSets(t *testing.T) {
	f := deployed(t)
	f.objects[inShop("virtualservices", "middleware")].SetLabels(nil)
	f.objects[inShop("serviceentries", "clock")].SetLabels(nil)
	f.put(t, others(t, "VirtualService", "shop", "second", "{hosts: [middleware]}"), others(t, "DestinationRule", "shop", "first", "{host: backend}"),
		others(t, "VirtualService", istioSystem, "theirs", "{hosts: [backend.shop.svc.cluster.local]}"))
	f.forbidden = []string{"list virtualservices *", "list virtualservices istio-system"}
	c := f.connect(t)
	sets := func(names ...string) (sets [][]manifests.Object) {
		for _, name := range names {
			set, err := scenarios.Through(name, nil)
			if err != nil {
				t.Fatal(err)
			}
			sets = append(sets, set)
		}
		return sets
	}
	for _, row := range []struct {
		sets [][]manifests.Object
		want []reference
	}{
		{sets("", "canary"), []reference{{"DestinationRule", "shop", "first"}, {"VirtualService", "shop", "second"}}},
		// Whoever applied a stage by hand that is none of the run's has made rules of another's.
		{sets("", "egress"), []reference{{"DestinationRule", "shop", "first"}, {"VirtualService", "shop", "middleware"}, {"VirtualService", "shop", "second"}}},
		{sets(""), []reference{{"DestinationRule", "shop", "first"}, {"ServiceEntry", "shop", "clock"}, {"VirtualService", "shop", "middleware"}, {"VirtualService", "shop", "second"}}},
	} {
		got, err := c.conflicts(t.Context(), row.sets)
		slices.SortFunc(got, func(a, b reference) int { return strings.Compare(a.String(), b.String()) })
		if err != nil || !slices.Equal(got, row.want) {
			t.Errorf("conflicts = %v, %v, want %v", got, err, row.want)
		}
	}
	f.forbidden = []string{"list sidecars shop"}
	if got, err := c.conflicts(t.Context(), sets("canary")); err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("conflicts that may not be seen = %v, %v, want an error", got, err)
	}
}
