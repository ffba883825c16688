package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"

	"github.com/hellochaos/hellochaos/manifests"
)

// podsOf are the living pods of a workload, the ready ones first, then by name. There may be none.
func (c *Cluster) podsOf(ctx context.Context, w *manifests.Workload) (pods []corev1.Pod, err error) {
	namespace := w.Namespace
	if namespace == manifests.Namespace {
		namespace = c.namespace
	}
	err = c.again(ctx, "reading the pods of Deployment "+w.Name, func(ctx context.Context) error {
		list, err := c.core.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: labels.SelectorFromSet(w.Labels).String()})
		if err == nil {
			pods = slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool { return !lives(&pod) })
		}
		return err
	})
	slices.SortFunc(pods, func(a, b corev1.Pod) int {
		return cmp.Or(readyFirst(&a)-readyFirst(&b), cmp.Compare(a.Name, b.Name))
	})
	return pods, err
}

func readyFirst(pod *corev1.Pod) int {
	if ready(pod) {
		return 0
	}
	return 1
}

// lives reports whether a pod is neither being deleted nor ended. An evicted pod stays in the list with the phase Failed.
func lives(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.Phase != corev1.PodFailed && pod.Status.Phase != corev1.PodSucceeded
}

// rollout is a wait for Deployments of one namespace.
type rollout struct {
	cluster                        *Cluster
	wanted                         []reference
	deployments, replicaSets, pods watched
	// since is when each trouble was first seen, and announced is the progress that was reported last.
	since     map[string]time.Time
	announced string
}

// rolledOut waits until every pod of these Deployments is ready and was made from the present template. The error names the
// pods that do not become ready, each with the text of its newest event. It comes as soon as a trouble is certain to stay, or
// when the cluster's Wait is over.
func (c *Cluster) rolledOut(ctx context.Context, deployments []reference) error {
	byNamespace := map[string][]reference{}
	for _, d := range deployments {
		byNamespace[d.Namespace] = append(byNamespace[d.Namespace], d)
	}
	for _, namespace := range slices.Sorted(maps.Keys(byNamespace)) {
		r := c.rollout(namespace, byNamespace[namespace])
		err := c.until(ctx, []watched{r.deployments, r.replicaSets, r.pods}, func() (time.Duration, bool, error) { return r.look(ctx) })
		if errors.Is(err, errOver) {
			err = r.late(ctx, err)
		}
		if err != nil {
			return fmt.Errorf("waiting for the pods of namespace %s: %w", namespace, err)
		}
	}
	return nil
}

func (c *Cluster) rollout(namespace string, wanted []reference) *rollout {
	apps, pods := c.core.AppsV1(), c.core.CoreV1().Pods(namespace)
	deployments, replicaSets := apps.Deployments(namespace), apps.ReplicaSets(namespace)
	all := metav1.ListOptions{}
	return &rollout{
		cluster: c, wanted: wanted, since: map[string]time.Time{},
		deployments: watching(c.core, &appsv1.Deployment{}, deployments.List, deployments.Watch, all),
		replicaSets: watching(c.core, &appsv1.ReplicaSet{}, replicaSets.List, replicaSets.Watch, all),
		pods:        watching(c.core, &corev1.Pod{}, pods.List, pods.Watch, all),
	}
}

// look reports which pods are waited for, if they have changed, and returns an error when a trouble has lasted longer than its
// grace. again is the time after which look must be called again even if nothing changes; 0 means that this is not needed.
func (r *rollout) look(ctx context.Context) (again time.Duration, done bool, err error) {
	var waiting []string
	var lasting []error
	seen := map[string]time.Time{}
	for _, name := range r.wanted {
		d := r.deployment(name)
		if d == nil {
			return 0, false, fmt.Errorf("%s is not there any more: somebody may have deleted it. Run 'hellochaos deploy' again", name)
		}
		if complete(d) {
			continue
		}
		waiting = append(waiting, fmt.Sprintf("%s %d/%d", name.Name, readyOf(d), replicas(d)))
		for _, t := range r.troubles(d) {
			since, ok := r.since[t.key()]
			if !ok {
				since = time.Now()
			}
			seen[t.key()] = since
			left := t.grace - time.Since(since)
			if left > 0 {
				if again == 0 || left < again {
					again = left
				}
				continue
			}
			if t.scaling(ctx, r.cluster) {
				continue
			}
			lasting = append(lasting, t.report(ctx, r.cluster))
		}
	}
	r.since = seen
	if text := strings.Join(waiting, ", "); text != r.announced && text != "" {
		r.cluster.say("waiting for pods: %s", text)
		r.announced = text
	}
	return again, len(waiting) == 0, errors.Join(lasting...)
}

// late is the error about all pods that are not ready when the time is over.
func (r *rollout) late(ctx context.Context, cause error) error {
	problems := []error{fmt.Errorf("after %v: %w", r.cluster.options.Wait, cause)}
	for _, name := range r.wanted {
		d := r.deployment(name)
		if d == nil || complete(d) {
			continue
		}
		problems = append(problems, fmt.Errorf("%s has %d of %d pods ready: 'kubectl -n %s describe pods' shows more, and a longer --wait gives the pods more time",
			name, readyOf(d), replicas(d), name.Namespace))
		troubles := r.troubles(d)
		if len(troubles) == 0 {
			troubles = r.slow(d)
		}
		for _, t := range troubles {
			problems = append(problems, t.report(ctx, r.cluster))
		}
	}
	return errors.Join(problems...)
}

// deployment is a Deployment in its present state; nil when it does not exist.
func (r *rollout) deployment(name reference) *appsv1.Deployment {
	object, _, _ := r.deployments.GetStore().GetByKey(name.Namespace + "/" + name.Name) // the store is in memory and returns no errors
	d, _ := object.(*appsv1.Deployment)
	return d
}

// complete reports whether all pods of a Deployment are ready and made from its present template, and no older pods are left.
func complete(d *appsv1.Deployment) bool {
	s := d.Status
	return s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == replicas(d) && s.Replicas == s.UpdatedReplicas && s.AvailableReplicas == s.UpdatedReplicas
}

// replicas is how many pods a Deployment should have.
func replicas(d *appsv1.Deployment) int32 { return ptr.Deref(d.Spec.Replicas, 1) }

// readyOf is how many pods of a Deployment's present template may be ready. It can be too high, since the status of a Deployment
// counts ready pods of older templates, too.
func readyOf(d *appsv1.Deployment) int32 {
	if d.Status.ObservedGeneration < d.Generation {
		return 0
	}
	return min(d.Status.ReadyReplicas, d.Status.UpdatedReplicas)
}
