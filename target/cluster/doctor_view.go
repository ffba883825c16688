package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	serverversion "k8s.io/apimachinery/pkg/version"

	"github.com/hellochaos/hellochaos/manifests"
)

// securityGroup is the API group of Istio's policies about who may call whom, and how.
const securityGroup = "security.istio.io"

// The resources that Doctor only reads, each in a version that every supported Istio serves.
var (
	envoyFilters          = schema.GroupVersionResource{Group: istioGroup, Version: "v1alpha3", Resource: "envoyfilters"}
	peerAuthentications   = schema.GroupVersionResource{Group: securityGroup, Version: "v1beta1", Resource: "peerauthentications"}
	gatewayClasses        = schema.GroupVersionResource{Group: manifests.GatewayAPI, Version: "v1", Resource: "gatewayclasses"}
	authorizationPolicies = schema.GroupVersionResource{Group: securityGroup, Version: "v1beta1", Resource: "authorizationpolicies"}
)

// seen is the result of reading one kind of thing from the cluster.
type seen[T any] struct {
	items []T
	// hidden says why some of the items, or all, could not be read.
	hidden error
	// partly means that only the chain's namespace and Istio's could be read.
	partly bool
}

// view is everything that Doctor read from the cluster. All of it is read before the first check.
type view struct {
	cluster *Cluster
	objects []manifests.Object
	scope   *scope
	version serverversion.Info

	needed      []permission
	denied      seen[access]
	namespace   seen[corev1.Namespace]
	deployments seen[appsv1.Deployment]
	services    seen[corev1.Service]
	pods        seen[corev1.Pod]
	// abroad is what exists of the objects for other namespaces: the clock's Service and Deployment.
	abroad map[reference]seen[*unstructured.Unstructured]

	istiod          seen[corev1.Pod]
	gatewayPods     seen[corev1.Pod]
	gatewayServices seen[corev1.Service]
	config          seen[corev1.ConfigMap]
	// policies are the rules of Istio and of Gateway API of the kinds that a run changes.
	policies                    seen[*unstructured.Unstructured]
	filters, peers, authorities seen[*unstructured.Unstructured]
	// classes are the GatewayClasses, and route is the API server's error for an HTTPRoute with a field of the experimental channel. Both
	// are only asked for where the objects are of Gateway API.
	classes seen[*unstructured.Unstructured]
	route   error
	// valid and invalid are the API server's errors for a correct VirtualService and for one that only Istio's webhook refuses.
	valid, invalid error
}

// look reads everything concurrently.
func (c *Cluster) look(ctx context.Context, objects []manifests.Object) *view {
	v := &view{cluster: c, objects: objects, needed: c.needed(), scope: c.scope([][]manifests.Object{objects}), abroad: map[reference]seen[*unstructured.Unstructured]{}}
	var reads sync.WaitGroup
	reads.Go(func() { v.denied = c.denied(ctx, v.needed) })
	reads.Go(func() { v.lookAtChain(ctx) })
	reads.Go(func() { v.lookAbroad(ctx) })
	reads.Go(func() { v.lookAtIstio(ctx) })
	reads.Go(func() { v.lookAtGateway(ctx) })
	if c.istioVersion != "" {
		reads.Go(func() { v.policies = c.policies(ctx) })
		reads.Go(func() { v.filters = c.bothOf(ctx, envoyFilters) })
		reads.Go(func() { v.peers = c.bothOf(ctx, peerAuthentications) })
		reads.Go(func() { v.authorities = c.bothOf(ctx, authorizationPolicies) })
		reads.Go(func() { v.valid, v.invalid = c.askWebhook(ctx) })
	}
	if usesGatewayAPI(objects) && c.missingGatewayAPI([][]manifests.Object{objects}) == nil {
		reads.Go(func() { v.classes = within(c.listObjects(ctx, gatewayClasses), "") })
		reads.Go(func() { v.route = c.tryRoute(ctx) })
	}
	reads.Wait()
	return v
}

func (v *view) lookAtChain(ctx context.Context) {
	core, namespace := v.cluster.core.CoreV1(), v.cluster.namespace
	v.namespace = within(func(string) ([]corev1.Namespace, error) {
		n, err := core.Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		return []corev1.Namespace{*n}, nil
	}, namespace)
	v.deployments = within(func(namespace string) ([]appsv1.Deployment, error) {
		list, err := v.cluster.core.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		return list.Items, nil
	}, namespace)
	v.services = within(v.cluster.listServices(ctx), namespace)
	v.pods = within(v.cluster.listPods(ctx, ""), namespace)
}

// lookAbroad reads the objects that belong to other namespaces than the chain's.
func (v *view) lookAbroad(ctx context.Context) {
	for i := range v.objects {
		r := v.cluster.referenceOf(&v.objects[i])
		if r.Namespace == "" || r.Namespace == v.cluster.namespace {
			continue
		}
		v.abroad[r] = within(func(string) ([]*unstructured.Unstructured, error) {
			u, err := v.cluster.at(r).Get(ctx, r.Name, metav1.GetOptions{})
			return []*unstructured.Unstructured{u}, err
		}, r.Namespace)
	}
}

func (v *view) lookAtIstio(ctx context.Context) {
	v.istiod = within(v.cluster.listPods(ctx, "app=istiod"), istioSystem)
	v.config = within(func(namespace string) ([]corev1.ConfigMap, error) {
		config, err := v.cluster.core.CoreV1().ConfigMaps(namespace).Get(ctx, "istio", metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		return []corev1.ConfigMap{*config}, nil
	}, istioSystem)
}

// lookAtGateway reads the pods that the objects' Gateway selects, and the Services of their namespaces.
func (v *view) lookAtGateway(ctx context.Context) {
	if len(v.scope.gateways) == 0 {
		return
	}
	selector := metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: v.scope.gateways[0].selector})
	v.gatewayPods = everywhere(v.cluster.listPods(ctx, selector), istioSystem, v.cluster.namespace)
	namespaces := map[string]bool{istioSystem: true}
	for _, pod := range v.gatewayPods.items {
		namespaces[pod.Namespace] = true
	}
	v.gatewayServices = within(v.cluster.listServices(ctx), slices.Sorted(maps.Keys(namespaces))...)
}

// policies reads the rules of the kinds that a run changes, in all namespaces that may be read.
func (c *Cluster) policies(ctx context.Context) (all seen[*unstructured.Unstructured]) {
	kinds := c.served(runKinds)
	lists := make([]seen[*unstructured.Unstructured], len(kinds))
	var reads sync.WaitGroup
	for i, kind := range kinds {
		if isRule(kind) {
			reads.Go(func() { lists[i] = everywhere(c.listObjects(ctx, c.resource(kind)), c.namespace, istioSystem) })
		}
	}
	reads.Wait()
	for _, list := range lists {
		all.items = append(all.items, list.items...)
		all.hidden = errors.Join(all.hidden, list.hidden)
		all.partly = all.partly || list.partly
	}
	return all
}

// bothOf reads objects of the chain's namespace and of Istio's own, since the objects of Istio's namespace apply to the whole
// mesh.
func (c *Cluster) bothOf(ctx context.Context, resource schema.GroupVersionResource) seen[*unstructured.Unstructured] {
	return within(c.listObjects(ctx, resource), c.namespace, istioSystem)
}

// within reads items of some namespaces. Items that do not exist are no error.
func within[T any](look func(namespace string) ([]T, error), namespaces ...string) (all seen[T]) {
	for _, namespace := range slices.Compact(namespaces) {
		found, err := look(namespace)
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			all.hidden = errors.Join(all.hidden, fmt.Errorf("namespace %s: %w", namespace, err))
		default:
			all.items = append(all.items, found...)
		}
	}
	return all
}

// everywhere reads items of all namespaces, or, where that is not allowed, only of the given ones.
func everywhere[T any](look func(namespace string) ([]T, error), namespaces ...string) seen[T] {
	all, err := look(metav1.NamespaceAll)
	if err == nil || apierrors.IsNotFound(err) {
		return seen[T]{items: all}
	}
	if !apierrors.IsForbidden(err) {
		return seen[T]{hidden: err}
	}
	some := within(look, namespaces...)
	some.partly = true
	return some
}

func (c *Cluster) listPods(ctx context.Context, selector string) func(string) ([]corev1.Pod, error) {
	return func(namespace string) ([]corev1.Pod, error) {
		list, err := c.core.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
		if err != nil {
			return nil, err
		}
		return list.Items, nil
	}
}

func (c *Cluster) listServices(ctx context.Context) func(string) ([]corev1.Service, error) {
	return func(namespace string) ([]corev1.Service, error) {
		list, err := c.core.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		return list.Items, nil
	}
}

func (c *Cluster) listObjects(ctx context.Context, resource schema.GroupVersionResource) func(string) ([]*unstructured.Unstructured, error) {
	return func(namespace string) ([]*unstructured.Unstructured, error) {
		list, err := c.dynamic.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		var all []*unstructured.Unstructured
		for i := range list.Items {
			all = append(all, &list.Items[i])
		}
		return all, nil
	}
}
