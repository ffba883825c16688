package standins

import (
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hellochaos/hellochaos/manifests"
)

// gateways adds the Gateways that VirtualServices name, where no file has any Gateway. Each has pods of its own, and admits every host at
// port 80.
func (b *builder) gateways(objects []manifests.Object) {
	isGateway := func(o manifests.Object) bool { _, ok := o.Istio.(*networking.Gateway); return ok }
	if slices.ContainsFunc(objects, isGateway) {
		return
	}
	known := map[string]bool{}
	for i := range objects {
		o := &objects[i]
		spec, ok := o.Istio.(*networking.VirtualService)
		if !ok {
			continue
		}
		for j, written := range spec.Gateways {
			namespace, name, qualified := strings.Cut(written, "/")
			if !qualified {
				namespace, name = o.InNamespace(), written
			}
			if written == manifests.Mesh || known[namespace+"/"+name] {
				continue
			}
			known[namespace+"/"+name] = true
			b.standUpGateway(namespace, name, o, o.LineOf(fmt.Sprintf("spec.gateways[%d]", j)))
		}
	}
}

func (b *builder) standUpGateway(namespace, name string, from *manifests.Object, line int) {
	spec := &networking.Gateway{
		Selector: map[string]string{"istio": name},
		Servers:  []*networking.Server{{Port: &networking.Port{Number: 80, Name: "http", Protocol: "HTTP"}, Hosts: []string{"*"}}},
	}
	b.set.Objects = append(b.set.Objects, manifests.Object{File: from.File, Line: line, APIVersion: "networking.istio.io/v1", Kind: "Gateway",
		Meta: metav1.ObjectMeta{Name: name, Namespace: namespace}, Istio: spec})
	b.stoodUp("Gateway "+name, namespace, from, line, "Gateway %s in namespace %s, for every host at port 80, is stood up because %s (%s:%d) names it, and no file has a Gateway.",
		name, namespace, from.Name(), from.File, line)
}
