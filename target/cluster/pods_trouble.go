package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/hellochaos/hellochaos/printable"
)

const (
	// troubleGrace is how long a trouble that concerns only a pod must last before it is reported: a registry may fail once and
	// work a moment later.
	troubleGrace = 5 * time.Second
	// foreignGrace is the same for a trouble that something else in the cluster may end: a new node, a webhook that restarts, or
	// a service account that is just being made.
	foreignGrace = 20 * time.Second
	// revisionAnnotation holds the number of the template, on a Deployment and on the ReplicaSet that owns its pods.
	revisionAnnotation = "deployment.kubernetes.io/revision"
	// crashLoop is the reason for which a container waits that has ended several times and will be started again.
	crashLoop = "CrashLoopBackOff"
)

// trouble is a reason why a pod does not become ready, or why pods cannot be made.
type trouble struct {
	object               metav1.Object
	kind, reason, detail string
	container            string
	grace                time.Duration
	advice               string
}

// key identifies a trouble. It leaves out the reason, which alternates while a container cannot get its image.
func (t *trouble) key() string { return string(t.object.GetUID()) + t.object.GetName() + t.container }

// troubles are the troubles of a Deployment's present pods, and those of the making of these pods.
func (r *rollout) troubles(d *appsv1.Deployment) (all []*trouble) {
	for _, condition := range d.Status.Conditions {
		if condition.Type == appsv1.DeploymentProgressing && condition.Status == corev1.ConditionFalse && d.Status.ObservedGeneration >= d.Generation {
			all = append(all, &trouble{object: d, kind: "Deployment", reason: condition.Reason, detail: condition.Message,
				advice: fmt.Sprintf("'kubectl -n %s describe deployment %s' shows more", printable.Word(d.Namespace), printable.Word(d.Name))})
		}
	}
	set := r.present(d)
	if set == nil {
		return all
	}
	for _, condition := range set.Status.Conditions {
		if condition.Type == appsv1.ReplicaSetReplicaFailure && condition.Status == corev1.ConditionTrue {
			all = append(all, &trouble{object: set, kind: "ReplicaSet", reason: condition.Reason, detail: condition.Message, grace: foreignGrace, advice: refusedPods(condition.Message)})
		}
	}
	for _, pod := range r.podsOfSet(set) {
		if t := podTrouble(pod); t != nil {
			all = append(all, t)
		}
	}
	if len(all) > 1 {
		// The troubles of the pods are the cause of the Deployment's trouble, so they are enough.
		all = slices.DeleteFunc(all, func(t *trouble) bool { return t.kind == "Deployment" })
	}
	return all
}

// present is the ReplicaSet of a Deployment's present template; nil when it does not exist yet.
func (r *rollout) present(d *appsv1.Deployment) *appsv1.ReplicaSet {
	for _, object := range r.replicaSets.GetStore().List() {
		set, ok := object.(*appsv1.ReplicaSet)
		if ok && metav1.IsControlledBy(set, d) && set.Annotations[revisionAnnotation] == d.Annotations[revisionAnnotation] &&
			d.Status.ObservedGeneration >= d.Generation {
			return set
		}
	}
	return nil
}

// podsOfSet are the living pods of a ReplicaSet, sorted by name.
func (r *rollout) podsOfSet(set *appsv1.ReplicaSet) (pods []*corev1.Pod) {
	for _, object := range r.pods.GetStore().List() {
		if pod, ok := object.(*corev1.Pod); ok && metav1.IsControlledBy(pod, set) && lives(pod) {
			pods = append(pods, pod)
		}
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return pods
}

// slow are troubles for the pods that are not ready although nothing is known to be wrong with them.
func (r *rollout) slow(d *appsv1.Deployment) (all []*trouble) {
	set := r.present(d)
	if set == nil {
		return nil
	}
	for _, pod := range r.podsOfSet(set) {
		if !ready(pod) {
			t := &trouble{object: pod, kind: "Pod", reason: string(pod.Status.Phase), advice: describePod(pod)}
			for _, c := range containersOf(pod) {
				if w := c.State.Waiting; w != nil {
					t.detail = "container " + c.Name + " waits: " + strings.TrimSuffix(w.Reason+": "+w.Message, ": ")
				} else if !c.Ready && c.State.Running != nil {
					t.detail = "container " + c.Name + " runs and is not ready"
				}
			}
			all = append(all, t)
		}
	}
	return all
}

// containersOf are the states of all containers of a pod, the init containers first.
func containersOf(pod *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
}

// podTrouble is a trouble that keeps a pod from becoming ready and that does not go away by itself; nil when there is none.
func podTrouble(pod *corev1.Pod) *trouble {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse && condition.Reason == corev1.PodReasonUnschedulable {
			return &trouble{object: pod, kind: "Pod", reason: condition.Reason, detail: condition.Message, grace: foreignGrace,
				advice: "make room on a node, add a node, or let the pods of the Deployment request less"}
		}
	}
	for _, c := range containersOf(pod) {
		if c.State.Waiting == nil {
			continue
		}
		t := &trouble{object: pod, kind: "Pod", container: c.Name, grace: troubleGrace, reason: c.State.Waiting.Reason, detail: c.State.Waiting.Message}
		switch t.reason {
		case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable":
			t.advice = "is the image's name right (--image), was it pushed ('make push'), and may the cluster pull it?"
			t.detail = strings.TrimSuffix("image "+c.Image+": "+t.detail, ": ")
			return t
		case crashLoop:
			t.crashed(&c)
			return t
		case "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError":
			t.advice = describePod(pod)
			return t
		}
	}
	return nil
}

// crashed completes a trouble by how its container ended.
func (t *trouble) crashed(c *corev1.ContainerStatus) {
	t.detail = fmt.Sprintf("container %s was started %d times", c.Name, c.RestartCount+1)
	for _, state := range []corev1.ContainerState{c.State, c.LastTerminationState} {
		if end := state.Terminated; end != nil {
			t.detail += fmt.Sprintf(", ended with exit code %d (%s)", end.ExitCode, end.Reason)
			break
		}
	}
	t.advice = fmt.Sprintf("'kubectl -n %s logs %s -c %s --previous' shows all that it wrote", printable.Word(t.object.GetNamespace()), printable.Word(t.object.GetName()), printable.Word(c.Name))
}

func describePod(pod *corev1.Pod) string {
	return fmt.Sprintf("'kubectl -n %s describe pod %s' shows more", printable.Word(pod.Namespace), printable.Word(pod.Name))
}

// refusedPods is the advice when the API server refuses a ReplicaSet's pods.
func refusedPods(message string) string {
	switch {
	case strings.Contains(message, "exceeded quota"):
		return "raise the namespace's quota, or free some of it ('kubectl get resourcequota')"
	case strings.Contains(message, "webhook"):
		return "repair or remove the webhook that the message names; 'hellochaos doctor' checks Istio's own webhook"
	case strings.Contains(message, "PodSecurity"):
		return "the namespace's Pod Security level forbids the pods: without its CNI plugin Istio needs the level privileged (label pod-security.kubernetes.io/enforce)"
	}
	return "remove what forbids the pods, then run 'hellochaos deploy' again"
}

// report is the trouble as an error, with the newest event about its object and, for a crash loop, the last line of the
// container's log.
func (t *trouble) report(ctx context.Context, c *Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	text := fmt.Sprintf("%s %s: %s", t.kind, t.object.GetName(), t.reason)
	if t.detail != "" {
		text += ": " + t.detail
	}
	if event := c.newestEvent(ctx, t.object); event != nil && !strings.Contains(text, event.Message) {
		text += fmt.Sprintf("\n  newest event, %s: %s", event.Reason, strings.TrimSpace(event.Message))
	}
	if t.reason == crashLoop {
		text += c.lastWords(ctx, t.object, t.container)
	}
	return fmt.Errorf("%s\n  %s", text, t.advice)
}

// scaling reports whether the cluster is getting a new node for a pod that fits on no present node.
func (t *trouble) scaling(ctx context.Context, c *Cluster) bool {
	if t.reason != corev1.PodReasonUnschedulable {
		return false
	}
	return slices.ContainsFunc(c.eventsOf(ctx, t.object), func(e corev1.Event) bool {
		return e.Reason == "TriggeredScaleUp" || e.Reason == "Nominated" // cluster-autoscaler's and Karpenter's
	})
}

// eventsOf are the events about an object, the newest last; it is empty when the events cannot be read.
func (c *Cluster) eventsOf(ctx context.Context, object metav1.Object) []corev1.Event {
	list, err := c.core.CoreV1().Events(object.GetNamespace()).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=" + object.GetName()})
	if err != nil {
		return nil
	}
	events := slices.DeleteFunc(list.Items, func(e corev1.Event) bool { return e.InvolvedObject.UID != object.GetUID() })
	slices.SortStableFunc(events, func(a, b corev1.Event) int { return happened(&a).Compare(happened(&b)) })
	return events
}

// newestEvent is the last warning about an object that says more than the container's state (as "Error: ErrImagePull" does not),
// or else the last event; nil when there is none.
func (c *Cluster) newestEvent(ctx context.Context, object metav1.Object) *corev1.Event {
	events := c.eventsOf(ctx, object)
	for _, event := range slices.Backward(events) {
		if event.Type == corev1.EventTypeWarning && !strings.HasPrefix(event.Message, "Error: ") {
			return &event
		}
	}
	if len(events) == 0 {
		return nil
	}
	return &events[len(events)-1]
}

// happened is the time at which an event was last seen. Kubernetes has recorded it in different fields over time.
func happened(e *corev1.Event) time.Time {
	last := e.CreationTimestamp.Time
	for _, at := range []time.Time{e.FirstTimestamp.Time, e.LastTimestamp.Time, e.EventTime.Time} {
		if at.After(last) {
			last = at
		}
	}
	if e.Series != nil && e.Series.LastObservedTime.After(last) {
		last = e.Series.LastObservedTime.Time
	}
	return last
}

// lastWords is the last line that a container wrote before it ended; empty when the log cannot be read.
func (c *Cluster) lastWords(ctx context.Context, pod metav1.Object, container string) string {
	for _, previous := range []bool{true, false} {
		text, err := c.core.CoreV1().Pods(pod.GetNamespace()).GetLogs(pod.GetName(), &corev1.PodLogOptions{
			Container: container, Previous: previous, TailLines: ptr.To[int64](1), LimitBytes: ptr.To[int64](2000)}).DoRaw(ctx)
		if line := strings.TrimSpace(string(text)); err == nil && line != "" {
			return "\n  last line of its log: " + line
		}
	}
	return ""
}
