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

// unclaimed returns an error that names every object of the cluster that claims a host at the shared gateway that the set has rules for.
// It does nothing where requests enter by gateway pods of the set's own, which obey nothing but the set.
func (c *Cluster) unclaimed(ctx context.Context, set *scratch.Set) error {
	if !set.Shared {
		return nil
	}
	own := map[reference]bool{}
	var gateways []gatewayScope
	var hosts []string
	for i := range set.Objects {
		u, err := c.desired(&set.Objects[i])
		if err != nil {
			return err
		}
		own[nameOf(u)] = true
		switch u.GetKind() {
		case "Gateway":
			gateways = append(gateways, gatewayScopeOf(u))
		case "VirtualService":
			if at := gatewaysOf(u); len(at) != 1 || at[0] != allSidecars {
				hosts = append(hosts, hostsOf(u)...)
			}
		}
	}
	pods, err := c.gatewayPods(ctx, gateways)
	if err != nil {
		return err
	}
	theirs := &claims{hosts: hosts}
	others, err := c.everywhere(ctx, c.resource("Gateway"))
	if err != nil {
		return err
	}
	var shared []string
	for _, u := range others {
		for _, ours := range gateways {
			if theirs.gateway(ours, u, pods) {
				shared = append(shared, u.GetNamespace()+"/"+u.GetName())
			}
		}
	}
	if others, err = c.everywhere(ctx, c.resource("VirtualService")); err != nil {
		return err
	}
	for _, u := range others {
		if slices.ContainsFunc(gatewaysOf(u), func(g string) bool { return slices.Contains(shared, g) }) {
			theirs.claim(u, hostsOf(u))
		}
	}
	if err := c.routed(ctx, theirs); err != nil {
		return err
	}
	return errors.Join(theirs.problems...)
}

// claims are what others claim of the hosts at a shared gateway.
type claims struct {
	hosts    []string
	problems []error
}

// claim notes an object of somebody else that has rules for one of the hosts.
func (c *claims) claim(u *unstructured.Unstructured, theirs []string) {
	for _, host := range c.hosts {
		for _, other := range theirs {
			if meet(host, other) {
				c.problems = append(c.problems, fmt.Errorf("%s %s in namespace %s claims host %s at the shared gateway, where your files have rules for host %s: "+
					"nothing was written. Without --shared-gateway requests enter by a gateway of the run's own", u.GetKind(), u.GetName(), u.GetNamespace(), other, host))
				return
			}
		}
	}
}

// gateway notes a Gateway of somebody else for the pods of one of ours, and reports whether it is one.
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
