package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// ourObjects selects the objects that this program made.
const ourObjects = managedBy + "=" + manager

// Undeploy removes what Deploy installed: this program's objects in the cluster's namespace, the label that Deploy added, the
// namespace itself if Deploy made it and it holds no objects of others, and the objects in other namespaces that serve only this
// one. It returns when all of them are gone. It does nothing where nothing was installed. It returns an error while a run is at
// work or was not put back.
func (c *Cluster) Undeploy(ctx context.Context) error {
	if done, err := c.undeployKept(ctx); done || err != nil {
		return err
	}
	if err := c.unfinished(ctx, ""); err != nil {
		return fmt.Errorf("undeploying from namespace %s: %w", c.namespace, err)
	}
	supports, err := c.supports(ctx)
	if err != nil {
		return err
	}
	for _, namespace := range supports {
		if err := c.leave(ctx, namespace); err != nil {
			return err
		}
	}
	return c.clear(ctx, c.namespace)
}

// supports are the other namespaces that hold objects for this one.
func (c *Cluster) supports(ctx context.Context) (all []corev1.Namespace, err error) {
	err = c.again(ctx, "looking for other namespaces that were deployed to", func(ctx context.Context) error {
		list, err := c.core.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
		if err == nil {
			all = slices.DeleteFunc(list.Items, func(n corev1.Namespace) bool {
				_, ours := n.Annotations[usedBy+c.namespace]
				return !ours
			})
		}
		return err
	})
	return all, err
}

// leave notes that this namespace does not use another one any more, and clears the other one if nobody else uses it.
func (c *Cluster) leave(ctx context.Context, namespace corev1.Namespace) error {
	var users []string
	for name := range namespace.Annotations {
		user, ok := strings.CutPrefix(name, usedBy)
		if !ok || user == c.namespace {
			continue
		}
		live, err := c.namespaceNow(ctx, user)
		if err != nil {
			return err
		}
		if live != nil {
			users = append(users, user)
		}
	}
	if len(users) == 0 {
		if err := c.clear(ctx, namespace.Name); err != nil {
			return err
		}
	} else {
		slices.Sort(users)
		c.say("Namespace %s is kept, since other namespaces use it: %s", namespace.Name, strings.Join(users, ", "))
	}
	return c.unmark(ctx, namespace.Name, usedBy+c.namespace)
}

// clear removes this program's objects from a namespace, and then undoes what Deploy did to the namespace itself.
func (c *Cluster) clear(ctx context.Context, name string) error {
	live, err := c.namespaceNow(ctx, name)
	if err != nil {
		return err
	}
	if live == nil {
		c.say("Namespace %s is not there", name)
		return nil
	}
	if err := c.removeOurs(ctx, name); err != nil {
		return err
	}
	if live.Annotations[madeByDeploy] == "" {
		return c.unmark(ctx, name, labelledByDeploy)
	}
	others, err := c.others(ctx, name)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		c.say("Namespace %s is kept, since others have put objects there: %s", name, strings.Join(others, ", "))
		return nil
	}
	return c.remove(ctx, reference{Kind: "Namespace", Name: name}, live.UID)
}

// ourKinds are the kinds of objects that Deploy makes; an object comes before the objects to which it refers.
func (c *Cluster) ourKinds() []string {
	kinds := []string{"Deployment", "Service"}
	if c.istioVersion != "" {
		kinds = append(c.served(runKinds), "Deployment")
		slices.Reverse(kinds)
	}
	return kinds
}

// removeOurs deletes this program's objects of a namespace, and waits until they and the Deployments' pods are gone.
func (c *Cluster) removeOurs(ctx context.Context, namespace string) error {
	var found []string // kinds of the objects that were deleted
	for _, kind := range c.ourKinds() {
		objects, err := c.labelled(ctx, kind, namespace, ourObjects)
		if err != nil {
			return err
		}
		for _, o := range objects {
			if err := c.request(ctx, reference{kind, namespace, o.GetName()}, o.GetUID()); err != nil {
				return err
			}
		}
		if len(objects) > 0 {
			found = append(found, kind)
		}
	}
	if len(found) == 0 {
		c.say("Namespace %s has no object that hellochaos made", namespace)
		return nil
	}
	for _, kind := range found {
		if err := c.gone(ctx, reference{Kind: kind, Namespace: namespace}, metav1.ListOptions{LabelSelector: ourObjects}); err != nil {
			return err
		}
	}
	return nil
}

// labelled are the objects of a kind that a label selector selects.
func (c *Cluster) labelled(ctx context.Context, kind, namespace, selector string) (all []unstructured.Unstructured, err error) {
	err = c.again(ctx, fmt.Sprintf("listing each %s of namespace %s", kind, namespace), func(ctx context.Context) error {
		list, err := c.at(reference{Kind: kind, Namespace: namespace}).List(ctx, metav1.ListOptions{LabelSelector: selector})
		if err == nil {
			all = list.Items
		}
		return err
	})
	return all, err
}

// request asks the API server to delete an object, after everything that the object owns. It does nothing if the object is not
// the one with this UID any more.
func (c *Cluster) request(ctx context.Context, name reference, uid types.UID) error {
	err := c.again(ctx, "deleting "+name.String(), func(ctx context.Context) error {
		err := c.at(name).Delete(ctx, name.Name, metav1.DeleteOptions{
			PropagationPolicy: ptr.To(metav1.DeletePropagationForeground), Preconditions: &metav1.Preconditions{UID: &uid}})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
	if err == nil {
		c.say("%s deleted", name)
	}
	return err
}

// remove deletes an object and waits until it is gone.
func (c *Cluster) remove(ctx context.Context, name reference, uid types.UID) error {
	if err := c.request(ctx, name, uid); err != nil {
		return err
	}
	return c.gone(ctx, name, metav1.ListOptions{FieldSelector: "metadata.name=" + name.Name})
}

// gone waits until no object that options select is left, of the kind and in the namespace of a reference.
func (c *Cluster) gone(ctx context.Context, what reference, options metav1.ListOptions) error {
	at := c.at(what)
	left := watching(c.dynamic, &unstructured.Unstructured{}, at.List, at.Watch, options)
	announced := ""
	err := c.until(ctx, []watched{left}, func() (time.Duration, bool, error) {
		text := strings.Join(leftovers(left), ", ")
		if text != "" && text != announced {
			c.say("waiting for the deletion of %s", text)
			announced = text
		}
		return 0, text == "", nil
	})
	if err != nil && len(leftovers(left)) > 0 {
		return fmt.Errorf("waiting for the deletion of %s: %w; a finalizer may prevent it: 'kubectl get %s -o yaml' shows the finalizers",
			strings.Join(leftovers(left), ", "), err, strings.ToLower(what.Kind))
	}
	return err
}

// leftovers names the objects that a watch still has, each with what prevents its deletion.
func leftovers(w watched) (names []string) {
	for _, object := range w.GetStore().List() {
		o, ok := object.(*unstructured.Unstructured)
		if !ok {
			continue
		}
		name := o.GetKind() + " " + o.GetName()
		conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
		for _, condition := range conditions {
			// The conditions of a namespace say what prevents its deletion, such as NamespaceFinalizersRemaining.
			if one, ok := condition.(map[string]any); ok && o.GetKind() == "Namespace" && one["status"] == "True" {
				name += fmt.Sprintf(" (%v)", one["message"])
			}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// unmark removes an annotation of this program from a namespace that is kept, if the namespace has it. It also removes the labels
// that the annotation lists, unless they have another value now.
func (c *Cluster) unmark(ctx context.Context, name, annotation string) error {
	return c.again(ctx, "removing the annotations of hellochaos from namespace "+name, func(ctx context.Context) error {
		live, err := c.core.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		value, ok := live.Annotations[annotation]
		if err != nil || !ok {
			return err
		}
		away := map[string]any{}
		for label, added := range readLabels(value) {
			if live.Labels[label] == added {
				away[label] = nil
				c.say("Namespace %s: label %s removed", name, label)
			}
		}
		return c.patchNamespace(ctx, name, map[string]any{"labels": away, "annotations": map[string]any{annotation: nil}})
	})
}

// keepsakes are the resources that must not be lost with a namespace.
var keepsakes = []schema.GroupVersionResource{
	{Version: "v1", Resource: "pods"}, {Version: "v1", Resource: "services"}, {Version: "v1", Resource: "persistentvolumeclaims"},
	{Version: "v1", Resource: "configmaps"}, {Version: "v1", Resource: "secrets"},
	{Group: "apps", Version: "v1", Resource: "deployments"}, {Group: "apps", Version: "v1", Resource: "statefulsets"},
}

// platformMaps are the names of the ConfigMaps that Kubernetes and Istio put into every namespace.
var platformMaps = []string{"kube-root-ca.crt", "istio-ca-root-cert", "istio-ca-crl"}

// others names the objects in a namespace that would be lost with it, except those that Kubernetes and Istio put there. This
// program's own objects must have been removed before.
func (c *Cluster) others(ctx context.Context, namespace string) (names []string, err error) {
	resources := slices.Clone(keepsakes)
	if c.istioVersion != "" {
		for _, kind := range c.served(runKinds) {
			resources = append(resources, c.resource(kind))
		}
	}
	for _, resource := range resources {
		err := c.again(ctx, fmt.Sprintf("looking for %s of others in namespace %s", resource.Resource, namespace), func(ctx context.Context) error {
			list, err := c.dynamic.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{})
			if err != nil {
				return err
			}
			for _, o := range list.Items {
				platform := o.GetKind() == "ConfigMap" && slices.Contains(platformMaps, o.GetName())
				name := o.GetKind() + " " + o.GetName()
				if o.GetDeletionTimestamp() == nil && !platform && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}
