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

// ourObjects selects what we made.
const ourObjects = managedBy + "=" + manager

// Undeploy takes away what Deploy brought: our objects in the cluster's namespace, its label, the namespace itself where
// Deploy made it and nothing of others stands in it, and what stands in other namespaces for this one alone. It ends when
// all of it is gone. Where there is nothing, nothing is done. It is refused while a run is at work or not put back.
func (c *Cluster) Undeploy(ctx context.Context) error {
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

// supports are the other namespaces in which objects stand for this one.
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

// leave gives up another namespace, and clears it when nobody else uses it.
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

// clear takes our objects out of a namespace, and then what Deploy did to the namespace itself.
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

// ourKinds are the kinds of objects that Deploy makes, those that point at others first.
func (c *Cluster) ourKinds() []string {
	kinds := []string{"Deployment", "Service"}
	if c.istioVersion != "" {
		kinds = append(slices.Clone(runKinds), "Deployment")
		slices.Reverse(kinds)
	}
	return kinds
}

// removeOurs deletes our objects of a namespace, and waits until they are gone, the Deployments' pods too.
func (c *Cluster) removeOurs(ctx context.Context, namespace string) error {
	var found []string // kinds of which there was an object
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

// labelled are the objects of a kind that a selector chooses.
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

// request asks the API server to delete an object, if it still is the one that was seen, and what it owns before it.
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

// gone waits until no object of a reference's kind and namespace is left of those that options select.
func (c *Cluster) gone(ctx context.Context, what reference, options metav1.ListOptions) error {
	at := c.at(what)
	left := watching(c.dynamic, &unstructured.Unstructured{}, at.List, at.Watch, options)
	said := ""
	err := c.until(ctx, []watched{left}, func() (time.Duration, bool, error) {
		text := strings.Join(leftovers(left), ", ")
		if text != "" && text != said {
			c.say("waiting for the deletion of %s", text)
			said = text
		}
		return 0, text == "", nil
	})
	if err != nil && len(leftovers(left)) > 0 {
		return fmt.Errorf("waiting for the deletion of %s: %w; a finalizer may prevent it: 'kubectl get %s -o yaml' shows the finalizers",
			strings.Join(leftovers(left), ", "), err, strings.ToLower(what.Kind))
	}
	return err
}

// leftovers are the objects that a watch knows, with what holds them.
func leftovers(w watched) (names []string) {
	for _, object := range w.GetStore().List() {
		o, ok := object.(*unstructured.Unstructured)
		if !ok {
			continue
		}
		name := o.GetKind() + " " + o.GetName()
		conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
		for _, condition := range conditions {
			// A namespace says what keeps it: NamespaceContentRemaining, NamespaceFinalizersRemaining.
			if one, ok := condition.(map[string]any); ok && o.GetKind() == "Namespace" && one["status"] == "True" {
				name += fmt.Sprintf(" (%v)", one["message"])
			}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// unmark takes an annotation of ours off a namespace that stays, if it is there, and the labels that it lists, unless they
// have got another value since.
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

// keepsakes are the resources whose loss would be one: what runs, is reached, is stored or is said in a namespace.
var keepsakes = []schema.GroupVersionResource{
	{Version: "v1", Resource: "pods"}, {Version: "v1", Resource: "services"}, {Version: "v1", Resource: "persistentvolumeclaims"},
	{Version: "v1", Resource: "configmaps"}, {Version: "v1", Resource: "secrets"},
	{Group: "apps", Version: "v1", Resource: "deployments"}, {Group: "apps", Version: "v1", Resource: "statefulsets"},
}

// platformMaps are the ConfigMaps that Kubernetes and Istio put into every namespace.
var platformMaps = []string{"kube-root-ca.crt", "istio-ca-root-cert", "istio-ca-crl"}

// others are the objects in a namespace that would be lost with it, and that neither we nor the platform put there.
func (c *Cluster) others(ctx context.Context, namespace string) (names []string, err error) {
	resources := slices.Clone(keepsakes)
	if c.istioVersion != "" {
		for _, kind := range runKinds {
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
