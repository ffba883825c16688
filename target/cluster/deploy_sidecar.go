package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// sidecarContainer is the name of the proxy's container in a pod. It is an init container if Istio uses native sidecars.
	sidecarContainer = "istio-proxy"
	// injectLabel on a pod decides whether the pod gets a sidecar, and takes precedence over the labels of its namespace.
	injectLabel = "sidecar.istio.io/inject"
)

// hasSidecar reports whether a pod has a proxy.
func hasSidecar(pod *corev1.Pod) bool {
	named := func(c corev1.Container) bool { return c.Name == sidecarContainer }
	return slices.ContainsFunc(pod.Spec.Containers, named) || slices.ContainsFunc(pod.Spec.InitContainers, named)
}

// injects reports whether new pods of a namespace get sidecars.
func injects(namespace *corev1.Namespace) bool {
	if value, ok := namespace.Labels[injectionLabel]; ok {
		return value == "enabled"
	}
	return namespace.Labels[revisionLabel] != ""
}

// sidecars restarts the Deployments whose pods have no sidecar although their namespace injects sidecars, since these pods were
// made before the namespace had its label. It returns an error when the new pods have no sidecar either.
func (c *Cluster) sidecars(ctx context.Context, in *installation) error {
	bare, err := c.bare(ctx, in)
	if err != nil || len(bare) == 0 {
		return err
	}
	for _, deployment := range bare {
		c.say("%s restarted: its pods were made before the namespace injected sidecars, and had none", deployment)
		if err := c.restart(ctx, deployment); err != nil {
			return err
		}
	}
	if err := c.rolledOut(ctx, bare); err != nil {
		return err
	}
	if bare, err = c.bare(ctx, in); err != nil {
		return err
	}
	var problems []error
	for _, deployment := range bare {
		problems = append(problems, fmt.Errorf("%s: its pods have no sidecar although the labels of namespace %s ask for one: 'hellochaos doctor' checks the injection of sidecars",
			deployment, deployment.Namespace))
	}
	return errors.Join(problems...)
}

// bare are the Deployments that have a pod without the sidecar that it should have.
func (c *Cluster) bare(ctx context.Context, in *installation) (all []reference, err error) {
	for _, n := range in.namespaces {
		live, err := c.namespaceNow(ctx, n.name)
		if err != nil {
			return nil, err
		}
		if live == nil || !injects(live) {
			continue
		}
		for _, deployment := range in.deployments() {
			if deployment.Namespace != n.name {
				continue
			}
			lacking, err := c.lacksSidecar(ctx, deployment)
			if err != nil {
				return nil, err
			}
			if lacking {
				all = append(all, deployment)
			}
		}
	}
	return all, nil
}

// lacksSidecar reports whether a pod of a Deployment has no sidecar although its own labels and annotations do not refuse one.
func (c *Cluster) lacksSidecar(ctx context.Context, deployment reference) (lacking bool, err error) {
	err = c.again(ctx, "reading the pods of "+deployment.String(), func(ctx context.Context) error {
		lacking = false
		d, err := c.core.AppsV1().Deployments(deployment.Namespace).Get(ctx, deployment.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		pods, err := c.core.CoreV1().Pods(deployment.Namespace).List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector)})
		if err != nil {
			return err
		}
		lacking = slices.ContainsFunc(pods.Items, func(pod corev1.Pod) bool {
			refuses := pod.Labels[injectLabel] == "false" || pod.Annotations[injectLabel] == "false"
			return lives(&pod) && !hasSidecar(&pod) && !refuses
		})
		return nil
	})
	return lacking, err
}

// restart replaces all pods of a Deployment, as kubectl rollout restart does.
func (c *Cluster) restart(ctx context.Context, deployment reference) error {
	patch := fmt.Appendf(nil, `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`, time.Now().UTC().Format(time.RFC3339))
	return c.again(ctx, "restarting "+deployment.String(), func(ctx context.Context) error {
		_, err := c.at(deployment).Patch(ctx, deployment.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: manager})
		return err
	})
}
