package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hellochaos/hellochaos/manifests"
)

const (
	// domain ends the full names of a cluster's Services.
	domain = ".svc.cluster.local"
	// allSidecars is the word for all sidecars among a VirtualService's gateways.
	allSidecars = "mesh"
)

// conflict is an object that somebody else made, with rules for a host, a port or proxies that the run's objects have rules for.
type conflict struct {
	reference
	// about says what both have rules for: "rules for host middleware.shop.svc.cluster.local, which Service middleware is about".
	about string
}

// conflicts are the objects in the chain's namespace that others made and that would make two sets of rules for one host, in
// the order in which a run writes. Objects of other namespaces are not among them, since a run must not remove those; Doctor
// names them.
func (c *Cluster) conflicts(ctx context.Context, sets [][]manifests.Object) ([]reference, error) {
	s := c.scope(sets)
	var found []reference
	for _, kind := range c.served(runKinds) {
		if !isRule(kind) {
			continue
		}
		err := c.again(ctx, "looking for objects of others that have rules for the chain's hosts", func(ctx context.Context) error {
			list, err := c.listObjects(ctx, c.resource(kind))(c.namespace)
			for _, one := range s.conflicts(list, nil) {
				found = append(found, one.reference)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// scope is the hosts, ports and pods that some sets of objects have rules for.
type scope struct {
	namespace string
	// own are the objects themselves. hosts are the hosts that the chain calls, each with the first object that names it.
	own   map[reference]bool
	hosts map[string]reference
	// gateways are the Gateways among the objects, and entries the hosts that are served at these Gateways.
	gateways []gatewayScope
	entries  map[string]reference
	// pods are the labels of the chain's pods.
	pods []labels.Set
	// imports are the pairs of namespace and host that the Sidecar lets the chain's proxies know; if empty, they know all.
	imports [][2]string
}

// gatewayScope is a Gateway: the pods that it selects, and the hosts by port.
type gatewayScope struct {
	reference
	selector map[string]string
	hosts    map[string][]string
}

// scope finds the hosts, ports and pods that sets of objects have rules for.
func (c *Cluster) scope(sets [][]manifests.Object) *scope {
	s := &scope{namespace: c.namespace, own: map[reference]bool{}, hosts: map[string]reference{}, entries: map[string]reference{}}
	for _, set := range sets {
		for i := range set {
			r := c.referenceOf(&set[i])
			// An object that cannot be turned into JSON is left out: a run reports this error when it tries to write the object.
			if u, err := c.desired(&set[i]); err == nil && r.Namespace == c.namespace {
				s.add(r, u)
			}
			if d, ok := set[i].Kubernetes.(*appsv1.Deployment); ok && r.Namespace == c.namespace {
				s.pods = append(s.pods, d.Spec.Template.Labels)
				if upstream := upstreamOf(d); upstream != "" {
					keepFirst(s.hosts, []string{fullName(upstream, r.Namespace)}, r)
				}
			}
			s.own[r] = true
		}
	}
	return s
}

func (s *scope) add(r reference, u *unstructured.Unstructured) {
	switch r.Kind {
	case "Deployment":
	case "Gateway":
		s.gateways = append(s.gateways, gatewayScopeOf(u))
	case "Sidecar":
		listeners, _, _ := unstructured.NestedSlice(u.Object, "spec", "egress")
		for _, listener := range listeners {
			for _, host := range texts(listener, "hosts") {
				namespace, host, _ := strings.Cut(host, "/")
				if namespace == "." {
					namespace = r.Namespace
				}
				s.imports = append(s.imports, [2]string{namespace, host})
			}
		}
	case "VirtualService":
		for _, gateway := range gatewaysOf(u) {
			hosts := s.entries
			if gateway == allSidecars {
				hosts = s.hosts
			}
			keepFirst(hosts, hostsOf(u), r)
		}
	case gatewayKind, "ReferenceGrant": // they have rules for no host
	default:
		keepFirst(s.hosts, hostsOf(u), r)
	}
}

// keepFirst notes an object for each host that has none yet.
func keepFirst(known map[string]reference, hosts []string, r reference) {
	for _, host := range hosts {
		if _, ok := known[host]; !ok {
			known[host] = r
		}
	}
}

// conflicts picks the objects that others made and that make a second set of rules. gatewayPods are the labels of the pods that
// the scope's Gateways select, as far as these pods could be listed.
func (s *scope) conflicts(objects []*unstructured.Unstructured, gatewayPods []labels.Set) (found []conflict) {
	var gateways []string // the scope's own, and those of others for the same pods and hosts
	for _, g := range s.gateways {
		gateways = append(gateways, g.Namespace+"/"+g.Name)
	}
	for _, u := range objects {
		if r := nameOf(u); r.Kind == "Gateway" && !s.own[r] && s.sharedGateway(u, gatewayPods) != "" {
			gateways = append(gateways, r.Namespace+"/"+r.Name)
		}
	}
	for _, u := range objects {
		r := nameOf(u)
		if s.own[r] || u.GetLabels()[managedBy] == manager || r.Name == probeName {
			continue
		}
		about := ""
		switch r.Kind {
		case "VirtualService":
			about = s.sharedRoutes(u, gateways)
		case "DestinationRule":
			if r.Namespace == s.namespace || r.Namespace == istioSystem {
				about = s.shared(s.hosts, u, "a policy for")
			}
		case "ServiceEntry":
			if s.visible(u) {
				about = s.shared(s.hosts, u, "an entry in the registry for")
			}
		case "Gateway":
			about = s.sharedGateway(u, gatewayPods)
		case "Sidecar":
			about = s.sharedSidecar(u)
		case routeKind:
			about = s.sharedParent(u)
		}
		if about != "" {
			found = append(found, conflict{r, about})
		}
	}
	return found
}

// shared says which host of an object is also one of the known hosts; it is empty when there is no such host.
func (s *scope) shared(known map[string]reference, u *unstructured.Unstructured, what string) string {
	for _, host := range hostsOf(u) {
		for _, ours := range slices.Sorted(maps.Keys(known)) {
			if meet(host, ours) {
				return fmt.Sprintf("%s host %s, which %s is about", what, host, known[ours])
			}
		}
	}
	return ""
}

// sharedRoutes says for which of the scope's hosts a VirtualService has rules, at a proxy that also obeys the scope's rules.
func (s *scope) sharedRoutes(u *unstructured.Unstructured, gateways []string) string {
	for _, gateway := range gatewaysOf(u) {
		about := ""
		switch {
		case gateway == allSidecars && s.visible(u):
			about = s.shared(s.hosts, u, "rules for")
		case slices.Contains(gateways, gateway) && exported(u, s.namespace, istioSystem):
			about = s.shared(s.entries, u, "rules at the gateway for")
		}
		if about != "" {
			return about
		}
	}
	return ""
}

// sharedParent says which Service or Gateway of the scope an HTTPRoute is for, if the scope's proxies obey it. A route for a Service holds
// for all callers if it stands in the Service's namespace, and else for the callers of its own.
func (s *scope) sharedParent(u *unstructured.Unstructured) string {
	for _, p := range parentsOf(u) {
		if p.Kind == gatewayKind && s.own[p] {
			return fmt.Sprintf("rules at %s", p)
		}
	}
	if about := s.shared(s.hosts, u, "rules for"); about != "" && (u.GetNamespace() == s.namespace || slices.ContainsFunc(parentsOf(u), func(p reference) bool {
		return p.Kind == "Service" && p.Namespace == u.GetNamespace()
	})) {
		return about
	}
	return ""
}

// parentsOf are the Services and Gateways to which an HTTPRoute is bound.
func parentsOf(u *unstructured.Unstructured) (all []reference) {
	parents, _, _ := unstructured.NestedSlice(u.Object, "spec", "parentRefs")
	for _, parent := range parents {
		fields, _ := parent.(map[string]any)
		text := func(name, otherwise string) string {
			if value, ok := fields[name].(string); ok {
				return value
			}
			return otherwise
		}
		kind := kindOf(text("group", manifests.GatewayAPI), text("kind", "Gateway"))
		all = append(all, reference{kind, text("namespace", u.GetNamespace()), text("name", "")})
	}
	return all
}

// sharedGateway says which port a Gateway opens for the same pods and hosts as a Gateway of the scope.
func (s *scope) sharedGateway(u *unstructured.Unstructured, pods []labels.Set) string {
	theirs := gatewayScopeOf(u)
	for _, ours := range s.gateways {
		if !samePods(ours.selector, theirs.selector, pods) {
			continue
		}
		for _, port := range slices.Sorted(maps.Keys(ours.hosts)) {
			for _, a := range ours.hosts[port] {
				if slices.ContainsFunc(theirs.hosts[port], func(b string) bool { return meet(a, b) }) {
					return fmt.Sprintf("a server on port %s of the same gateway pods for host %s, and so has %s", port, a, ours)
				}
			}
		}
	}
	return ""
}

// sharedSidecar says which pods' proxies a Sidecar of the chain's namespace configures. A proxy obeys only one of two Sidecars.
func (s *scope) sharedSidecar(u *unstructured.Unstructured) string {
	selector, _, _ := unstructured.NestedStringMap(u.Object, "spec", "workloadSelector", "labels")
	if u.GetNamespace() != s.namespace {
		return ""
	}
	for _, pod := range s.pods {
		if labels.SelectorFromSet(selector).Matches(pod) {
			return fmt.Sprintf("the configuration of the proxies of pods %s, which obey only one Sidecar", pod)
		}
	}
	return ""
}

// samePods reports whether two selectors choose a common pod of a gateway. Some pods may not be listed, so it also reports
// true when one selector has all the labels of the other.
func samePods(a, b map[string]string, pods []labels.Set) bool {
	first, second := labels.SelectorFromSet(a), labels.SelectorFromSet(b)
	for _, pod := range pods {
		if first.Matches(pod) && second.Matches(pod) {
			return true
		}
	}
	return first.Matches(labels.Set(b)) || second.Matches(labels.Set(a))
}

// visible reports whether the chain's sidecars know an object: it must be exported to them, and their Sidecar must import it.
func (s *scope) visible(u *unstructured.Unstructured) bool {
	if !exported(u, s.namespace) {
		return false
	}
	for _, pattern := range s.imports {
		if pattern[0] == "*" || pattern[0] == u.GetNamespace() {
			for _, host := range hostsOf(u) {
				if meet(host, pattern[1]) {
					return true
				}
			}
		}
	}
	return len(s.imports) == 0
}

// exported reports whether an object is exported to at least one of these namespaces.
func exported(u *unstructured.Unstructured, namespaces ...string) bool {
	to := texts(u.Object["spec"], "exportTo")
	for _, namespace := range namespaces {
		if slices.Contains(to, namespace) || slices.Contains(to, ".") && namespace == u.GetNamespace() {
			return true
		}
	}
	return len(to) == 0 || slices.Contains(to, "*")
}

// hostsOf are the full names of the hosts that an object has rules for. Istio completes a name without a dot by the object's
// own namespace, except in a ServiceEntry.
func hostsOf(u *unstructured.Unstructured) []string {
	spec := u.Object["spec"]
	switch u.GetKind() {
	case "Service":
		return []string{u.GetName() + "." + u.GetNamespace() + domain}
	case "ServiceEntry":
		return texts(spec, "hosts")
	case "DestinationRule":
		host, _, _ := unstructured.NestedString(u.Object, "spec", "host")
		return []string{fullName(host, u.GetNamespace())}
	case routeKind:
		var hosts []string
		for _, p := range parentsOf(u) {
			if p.Kind == "Service" {
				hosts = append(hosts, p.Name+"."+p.Namespace+domain)
			}
		}
		return hosts
	}
	var hosts []string
	for _, host := range texts(spec, "hosts") {
		hosts = append(hosts, fullName(host, u.GetNamespace()))
	}
	return hosts
}

func fullName(host, namespace string) string {
	host = strings.ToLower(host)
	if strings.ContainsAny(host, ".*") {
		return host
	}
	return host + "." + namespace + domain
}

// gatewaysOf are the gateways that obey a VirtualService: "mesh" for all sidecars, or "namespace/name" of a Gateway.
func gatewaysOf(u *unstructured.Unstructured) []string {
	var all []string
	for _, gateway := range texts(u.Object["spec"], "gateways") {
		if gateway != allSidecars && !strings.Contains(gateway, "/") {
			gateway = u.GetNamespace() + "/" + gateway
		}
		all = append(all, gateway)
	}
	if len(all) == 0 {
		return []string{allSidecars}
	}
	return all
}

func gatewayScopeOf(u *unstructured.Unstructured) gatewayScope {
	g := gatewayScope{reference: nameOf(u), hosts: map[string][]string{}}
	g.selector, _, _ = unstructured.NestedStringMap(u.Object, "spec", "selector")
	servers, _, _ := unstructured.NestedSlice(u.Object, "spec", "servers")
	for _, server := range servers {
		server, _ := server.(map[string]any)
		number, _, _ := unstructured.NestedFieldNoCopy(server, "port", "number")
		port := fmt.Sprint(number)
		for _, host := range texts(server, "hosts") {
			// A namespace before the host limits which namespaces may have rules for it.
			if _, rest, ok := strings.Cut(host, "/"); ok {
				host = rest
			}
			g.hosts[port] = append(g.hosts[port], strings.ToLower(host))
		}
	}
	return g
}

// texts is a field of an object of the API that is a list of strings; it is empty when the field is something else.
func texts(object any, field string) (all []string) {
	fields, _ := object.(map[string]any)
	list, _, _ := unstructured.NestedStringSlice(fields, field)
	return list
}

// meet reports whether two names of hosts have a host in common; each may begin with "*".
func meet(a, b string) bool { return covers(a, b) || covers(b, a) }

// covers reports whether host, which may begin with "*" itself, lies within pattern.
func covers(pattern, host string) bool {
	suffix, wild := strings.CutPrefix(pattern, "*")
	if !wild {
		return pattern == host
	}
	return strings.HasSuffix(host, suffix)
}
