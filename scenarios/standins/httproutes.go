package standins

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/hellochaos/hellochaos/manifests"
)

// addRoute adds the Services that an HTTPRoute names: those for whose callers it is, its backends and its mirrors.
func (n *names) addRoute(o *manifests.Object) {
	route := o.HTTPRoute()
	if route == nil {
		return
	}
	add := func(field, name string, namespace *gatewayv1.Namespace, port *gatewayv1.PortNumber) {
		host := manifests.FullHost(name, o.InNamespace())
		if namespace != nil {
			host = manifests.FullHost(name, string(*namespace))
		}
		at := naming{}
		if port != nil {
			at.ports = []int{int(*port)}
		}
		n.add(o, field, host, at)
	}
	refer := func(field string, to *gatewayv1.BackendObjectReference) {
		if to.Kind == nil || *to.Kind == "Service" {
			add(field+".name", string(to.Name), to.Namespace, to.Port)
		}
	}
	for i, r := range route.Spec.Rules {
		for j := range r.BackendRefs {
			refer(fmt.Sprintf("spec.rules[%d].backendRefs[%d]", i, j), &r.BackendRefs[j].BackendObjectReference)
		}
		for j := range r.Filters {
			if m := r.Filters[j].RequestMirror; m != nil {
				refer(fmt.Sprintf("spec.rules[%d].filters[%d].requestMirror.backendRef", i, j), &m.BackendRef)
			}
		}
	}
	for i, p := range route.Spec.ParentRefs {
		if ofService(&p) {
			add(fmt.Sprintf("spec.parentRefs[%d].name", i), string(p.Name), p.Namespace, p.Port)
		}
	}
}

func ofService(p *gatewayv1.ParentReference) bool { return p.Kind != nil && *p.Kind == "Service" }

// routeClients notes the Clients of an HTTPRoute for sidecars: one in its namespace, and one in that of each Service that it is for.
func (b *builder) routeClients(o *manifests.Object) {
	route := o.HTTPRoute()
	if route == nil {
		return
	}
	for _, p := range route.Spec.ParentRefs {
		if !ofService(&p) {
			continue
		}
		b.client(o.InNamespace())
		if p.Namespace != nil {
			b.client(string(*p.Namespace))
		}
	}
}

// listeners adds the Gateways of Gateway API that HTTPRoutes name, where no file has any. Each takes the routes of every namespace, for every
// host, at port 80, or at the ports that the routes ask for.
func (b *builder) listeners(objects []manifests.Object) {
	if slices.ContainsFunc(objects, func(o manifests.Object) bool { return o.IsGatewayAPI() && o.Kind == "Gateway" }) {
		return
	}
	known := map[string]bool{}
	for i := range objects {
		o := &objects[i]
		route := o.HTTPRoute()
		if route == nil {
			continue
		}
		for j := range route.Spec.ParentRefs {
			p := &route.Spec.ParentRefs[j]
			namespace := o.InNamespace()
			if p.Namespace != nil {
				namespace = string(*p.Namespace)
			}
			if ofService(p) || known[namespace+"/"+string(p.Name)] {
				continue
			}
			known[namespace+"/"+string(p.Name)] = true
			b.standUpListener(namespace, p, o, o.LineOf(fmt.Sprintf("spec.parentRefs[%d]", j)))
		}
	}
}

func (b *builder) standUpListener(namespace string, p *gatewayv1.ParentReference, from *manifests.Object, line int) {
	all, section, port := gatewayv1.NamespacesFromAll, gatewayv1.SectionName("http"), gatewayv1.PortNumber(80)
	if p.SectionName != nil {
		section = *p.SectionName
	}
	if p.Port != nil {
		port = *p.Port
	}
	meta := metav1.ObjectMeta{Name: string(p.Name), Namespace: namespace}
	b.set.Objects = append(b.set.Objects, manifests.Object{File: from.File, Line: line, APIVersion: gatewayv1.GroupVersion.String(), Kind: "Gateway", Meta: meta,
		Kubernetes: &gatewayv1.Gateway{
			TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: "Gateway"},
			ObjectMeta: meta,
			Spec: gatewayv1.GatewaySpec{GatewayClassName: "istio", Listeners: []gatewayv1.Listener{{Name: section, Port: port, Protocol: gatewayv1.HTTPProtocolType,
				AllowedRoutes: &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: &all}}}}},
		}})
	b.stoodUp("Gateway "+meta.Name, namespace, from, line, "Gateway %s in namespace %s, for every host at port %d, is stood up because %s (%s:%d) names it, and no file has a Gateway.",
		meta.Name, namespace, port, from.Name(), from.File, line)
}
