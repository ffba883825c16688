package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/hellochaos/hellochaos/manifests/scratch"
)

// routes and parents are the kinds of the Gateway API by which others may claim a host at a gateway of Istio.
var (
	routes  = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}
	parents = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "gateways"}
)

// unclaimed returns an error that names every object of others that claims a host at gateway pods for which the set has rules there. Pods of the
// set's own are reached by Gateways without a selector alone, which Istio applies to the gateway pods of all namespaces.
func (c *Cluster) unclaimed(ctx context.Context, set *scratch.Set) error {
	theirs := &claims{shared: set.Shared}
	gateways, err := c.opened(set, theirs)
	if err != nil || len(gateways) == 0 {
		return err
	}
	var pods []labels.Set
	if set.Shared {
		if pods, err = c.gatewayPods(ctx, gateways); err != nil {
			return err
		}
	}
	others, err := c.othersOf(ctx, set, "Gateway")
	if err != nil {
		return err
	}
	var common []string
	for _, u := range others {
		for _, ours := range gateways {
			if theirs.gateway(ours, u, pods) {
				common = append(common, u.GetNamespace()+"/"+u.GetName())
			}
		}
	}
	if len(common) > 0 {
		if others, err = c.othersOf(ctx, set, "VirtualService"); err != nil {
			return err
		}
		for _, u := range others {
			if slices.ContainsFunc(gatewaysOf(u), func(g string) bool { return slices.Contains(common, g) }) {
				theirs.claim(u, hostsOf(u))
			}
		}
	}
	if set.Shared {
		err = c.routed(ctx, theirs)
	}
	return errors.Join(append(theirs.problems, err)...)
}

// opened are the Gateways of a set. The hosts for which the set has rules at gateways are added to the claims.
func (c *Cluster) opened(set *scratch.Set, theirs *claims) (gateways []gatewayScope, err error) {
	for i := range set.Objects {
		u, err := c.desired(&set.Objects[i])
		if err != nil {
			return nil, err
		}
		switch u.GetKind() {
		case "Gateway":
			gateways = append(gateways, gatewayScopeOf(u))
		case "VirtualService":
			if at := gatewaysOf(u); len(at) != 1 || at[0] != allSidecars {
				theirs.hosts = append(theirs.hosts, hostsOf(u)...)
			}
		}
	}
	return gateways, nil
}

// othersOf are the objects of a kind in all namespaces but those of a set, where DeployScratch may have written rules before.
func (c *Cluster) othersOf(ctx context.Context, set *scratch.Set, kind string) ([]*unstructured.Unstructured, error) {
	all, err := c.everywhere(ctx, c.resource(kind))
	return slices.DeleteFunc(all, func(u *unstructured.Unstructured) bool {
		return slices.ContainsFunc(set.Namespaces, func(n scratch.Namespace) bool { return n.Name == u.GetNamespace() })
	}), err
}

// claims are what others claim of the hosts at gateway pods. shared says that these are not the set's own.
type claims struct {
	hosts    []string
	shared   bool
	problems []error
}

// claim notes an object of somebody else that has rules for one of the hosts.
func (c *claims) claim(u *unstructured.Unstructured, theirs []string) {
	at, remedy := "the gateway pods of the run (a Gateway without a selector is for those of all namespaces)", "Give that Gateway a selector, or use the embedded mesh"
	if c.shared {
		at, remedy = "the shared gateway", "Without --shared-gateway requests enter by a gateway of the run's own"
	}
	for _, host := range c.hosts {
		for _, other := range theirs {
			if meet(host, other) {
				c.problems = append(c.problems, fmt.Errorf("%s %s in namespace %s claims host %s at %s, where your files have rules for host %s: nothing was written. %s",
					u.GetKind(), u.GetName(), u.GetNamespace(), other, at, host, remedy))
				return
			}
		}
	}
}

// gateway notes a Gateway of somebody else for the pods of one of ours, and reports whether it is one. A selector without labels chooses all pods.
func (c *claims) gateway(ours gatewayScope, u *unstructured.Unstructured, pods []labels.Set) bool {
	theirs := gatewayScopeOf(u)
	if !samePods(ours.selector, theirs.selector, pods) {
		return false
	}
	var all []string
	for _, hosts := range theirs.hosts {
		all = append(all, hosts...)
	}
	slices.Sort(all)
	c.claim(u, all)
	return true
}

// routed notes the HTTPRoutes at Gateways of the Gateway API that name the address of another gateway. The others have pods of their
// own.
func (c *Cluster) routed(ctx context.Context, theirs *claims) error {
	gateways, err := c.everywhere(ctx, parents)
	if err != nil {
		return err
	}
	var shared []string
	for _, u := range gateways {
		if addresses, _, _ := unstructured.NestedSlice(u.Object, "spec", "addresses"); len(addresses) > 0 {
			shared = append(shared, u.GetNamespace()+"/"+u.GetName())
		}
	}
	if len(shared) == 0 {
		return nil
	}
	all, err := c.everywhere(ctx, routes)
	if err != nil {
		return err
	}
	for _, u := range all {
		refs, _, _ := unstructured.NestedSlice(u.Object, "spec", "parentRefs")
		for _, ref := range refs {
			fields, _ := ref.(map[string]any)
			name, _ := fields["name"].(string)
			namespace, _ := fields["namespace"].(string)
			if namespace == "" {
				namespace = u.GetNamespace()
			}
			if slices.Contains(shared, namespace+"/"+name) {
				hosts := texts(u.Object["spec"], "hostnames")
				if len(hosts) == 0 {
					hosts = []string{"*"}
				}
				theirs.claim(u, hosts)
			}
		}
	}
	return nil
}

// everywhere are the objects of a resource in all namespaces; none where the cluster does not have the resource.
func (c *Cluster) everywhere(ctx context.Context, resource schema.GroupVersionResource) (all []*unstructured.Unstructured, err error) {
	err = c.again(ctx, "listing the "+resource.Resource+" of all namespaces", func(ctx context.Context) error {
		list, err := c.dynamic.Resource(resource).List(ctx, metav1.ListOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		all = nil
		for i := range list.Items {
			all = append(all, &list.Items[i])
		}
		return nil
	})
	return all, err
}

// gatewayPods are the labels of the pods that Gateways select.
func (c *Cluster) gatewayPods(ctx context.Context, gateways []gatewayScope) (all []labels.Set, err error) {
	for _, g := range gateways {
		selector := labels.SelectorFromSet(g.selector).String()
		err := c.again(ctx, "listing the pods of the gateway", func(ctx context.Context) error {
			pods, err := c.core.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{LabelSelector: selector})
			if err == nil {
				for _, pod := range pods.Items {
					all = append(all, pod.Labels)
				}
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
