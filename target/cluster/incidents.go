package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/hellochaos/hellochaos/target"
)

// bystanderResources are the kinds of objects that change what the chain's proxies do and that no run writes. Objects of the
// kinds that a run writes are watched, too, unless they are the run's own.
var bystanderResources = []schema.GroupVersionResource{
	{Group: istioGroup, Version: "v1alpha3", Resource: "envoyfilters"},
	{Group: "security.istio.io", Version: "v1", Resource: "peerauthentications"},
	{Group: "security.istio.io", Version: "v1", Resource: "authorizationpolicies"},
}

// bystanders are the objects of bystanderResources and the rules of Istio and of Gateway API in the chain's namespace and in Istio's, by "Kind name in
// namespace x". Objects that the run is not permitted to list are left out; doctor reports the missing permission.
func (c *Cluster) bystanders(ctx context.Context) (map[string]*unstructured.Unstructured, error) {
	resources := slices.Clone(bystanderResources)
	for _, kind := range c.served(runKinds) {
		if isRule(kind) {
			resources = append(resources, c.resource(kind))
		}
	}
	all := map[string]*unstructured.Unstructured{}
	for _, resource := range resources {
		for _, namespace := range c.watchedNamespaces() {
			err := c.again(ctx, fmt.Sprintf("listing %s in namespace %s", resource.Resource, namespace), func(ctx context.Context) error {
				list, err := c.dynamic.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{})
				if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
					return nil
				}
				if err != nil {
					return err
				}
				for i := range list.Items {
					o := &list.Items[i]
					all[fmt.Sprintf("%s in namespace %s", nameOf(o), namespace)] = o
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// watchedNamespaces are those whose rules proxies of the run obey.
func (c *Cluster) watchedNamespaces() []string {
	all := []string{c.namespace, istioSystem}
	if c.scratch != nil {
		for _, n := range c.scratch.Namespaces[1:] {
			all = append(all, n.Name)
		}
	}
	return all
}

// Incidents implements target.Target. Incidents are: an object of the run that somebody else has changed, a rule of others that
// was made, removed or changed, a pod that was replaced, and a source that disagrees about what the services counted between
// the last two calls of Counters. A source that agrees gives a note.
func (r *Run) Incidents(ctx context.Context) ([]target.Incident, error) {
	live, err := r.standing(ctx)
	if err != nil {
		return nil, err
	}
	for _, rec := range r.known {
		if now := live[rec.reference]; !rec.knows(contentOf(now)) {
			r.mutex.Lock()
			r.incident(false, "%s", edited(rec, now).Error())
			r.mutex.Unlock()
		}
	}
	if err := r.lookAround(ctx); err != nil {
		return nil, err
	}
	if _, err := r.look(ctx); err != nil {
		return nil, err
	}
	if err := r.crossCheck(ctx); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	all := r.incidents
	r.incidents = nil
	return all, nil
}

// lookAround notes an incident for each object of others that was made, removed or changed since it was last called.
func (r *Run) lookAround(ctx context.Context) error {
	now, err := r.cluster.bystanders(ctx)
	if err != nil {
		return err
	}
	own := map[string]bool{}
	for _, rec := range r.known {
		own[fmt.Sprintf("%s in namespace %s", rec.reference, rec.reference.Namespace)] = true
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	all := maps.Clone(r.baseline)
	maps.Copy(all, now)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		o, was := now[name], r.baseline[name]
		switch {
		case own[name] || all[name].GetName() == probeName:
		case was == nil:
			r.incident(false, "%s was made by %s: it may change what the chain's proxies do", name, lastManager(o))
		case o == nil:
			r.incident(false, "%s was removed: it may have changed what the chain's proxies do", name)
		case o.GetUID() != was.GetUID() || o.GetGeneration() != was.GetGeneration():
			r.incident(false, "%s was changed by %s: it may change what the chain's proxies do", name, lastManager(o))
		}
	}
	r.baseline = now
	return nil
}
