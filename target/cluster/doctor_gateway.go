package cluster

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hellochaos/hellochaos/printable"
)

// gateway checks whether the pods that the objects' Gateway selects exist and are ready, and how they can be reached.
func (v *view) gateway() Finding {
	if gateway, _ := listenerOf(v.objects, ""); gateway != "" && len(v.scope.gateways) == 0 {
		return good("Istio makes the pods of Gateway %s, which is of Gateway API, when a stage applies it", gateway)
	}
	if len(v.scope.gateways) == 0 {
		return good("these stages need no gateway")
	}
	ours := v.scope.gateways[0]
	selector := labels.SelectorFromSet(ours.selector)
	look := "kubectl get pods -A -l " + printable.Word(selector.String())
	if v.gatewayPods.hidden != nil {
		return v.unseen(v.gatewayPods.hidden)
	}
	if len(v.gatewayPods.items) == 0 && v.gatewayPods.partly {
		return warn(look, "%s selects pods %s: namespace %s has no such pods, and other namespaces could not be checked", ours, selector, istioSystem)
	}
	if len(v.gatewayPods.items) == 0 {
		return fail("make deploy-istio", "%s selects pods %s, but there are no such pods: stage ingress would open no port", ours, selector)
	}
	if !slices.ContainsFunc(v.gatewayPods.items, func(p corev1.Pod) bool { return ready(&p) }) {
		pod := v.gatewayPods.items[0]
		return fail("kubectl -n "+printable.Word(pod.Namespace)+" describe pod "+printable.Word(pod.Name), "no pod %s is ready", selector)
	}
	if v.gatewayServices.hidden != nil {
		return v.unseen(v.gatewayServices.hidden)
	}
	return v.gatewayService(ours)
}

// gatewayService checks which Service leads to the gateway's pods.
func (v *view) gatewayService(ours gatewayScope) Finding {
	var service *corev1.Service
	for i := range v.gatewayServices.items {
		s := &v.gatewayServices.items[i]
		leads := slices.ContainsFunc(v.gatewayPods.items, func(p corev1.Pod) bool {
			return p.Namespace == s.Namespace && len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(p.Labels))
		})
		if leads && (service == nil || addressOf(service) == "") {
			service = s
		}
	}
	if service == nil {
		return warn("", "the gateway's pods are ready, but no Service leads to them: give a run the gateway's address with --gateway-url")
	}
	name := fmt.Sprintf("Service %s in namespace %s", service.Name, service.Namespace)
	for port := range ours.hosts {
		if !slices.ContainsFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return fmt.Sprint(p.Port) == port }) {
			return fail("kubectl -n "+printable.Word(service.Namespace)+" edit service "+printable.Word(service.Name), "%s opens port %s, which %s does not have: nothing would answer there", ours, port, name)
		}
	}
	switch address := addressOf(service); {
	case address != "":
		return good("%s, reached by its load balancer at %s", name, address)
	case service.Spec.Type == corev1.ServiceTypeLoadBalancer:
		return warn("kubectl -n "+printable.Word(service.Namespace)+" get service "+printable.Word(service.Name),
			"%s waits for its load balancer's address; a run tries the cluster IP, the node port and a port-forward instead", name)
	}
	return good("%s of type %s, reached by its cluster IP, its node port or a port-forward", name, service.Spec.Type)
}

// addressOf is the address of a Service's load balancer; empty when it has no address yet.
func addressOf(s *corev1.Service) string {
	for _, ingress := range s.Status.LoadBalancer.Ingress {
		if ingress.IP != "" || ingress.Hostname != "" {
			return strings.TrimSpace(ingress.IP + " " + ingress.Hostname)
		}
	}
	return ""
}
