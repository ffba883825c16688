package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/hellochaos/hellochaos/manifests"
)

// backend is a Deployment of one pod with its ReplicaSet and pod; the pod's state is the test's.
func backend(pod corev1.PodStatus, set appsv1.ReplicaSetStatus, progress ...appsv1.DeploymentCondition) []runtime.Object {
	owner := func(kind, name string) []metav1.OwnerReference {
		return []metav1.OwnerReference{{Kind: kind, Name: name, UID: types.UID(name), Controller: ptr.To(true)}}
	}
	revision := map[string]string{revisionAnnotation: "2"}
	return []runtime.Object{
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "backend-prod", UID: "backend-prod", Generation: 3, Annotations: revision},
			Status: appsv1.DeploymentStatus{ObservedGeneration: 3, Replicas: 1, UpdatedReplicas: 1, Conditions: progress}},
		&appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "backend-prod-a", UID: "backend-prod-a", Annotations: revision, OwnerReferences: owner("Deployment", "backend-prod")}, Status: set},
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "backend-prod-a-1", UID: "backend-prod-a-1", OwnerReferences: owner("ReplicaSet", "backend-prod-a")}, Status: pod},
	}
}

// old is a pod of the Deployment's former template, in any trouble.
func old() []runtime.Object {
	return []runtime.Object{
		&appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "backend-prod-0", UID: "backend-prod-0", Annotations: map[string]string{revisionAnnotation: "1"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "Deployment", Name: "backend-prod", UID: "backend-prod", Controller: ptr.To(true)}}}},
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "backend-prod-0-1", UID: "backend-prod-0-1",
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "backend-prod-0", UID: "backend-prod-0", Controller: ptr.To(true)}}}, Status: waits("ImagePullBackOff", "")},
	}
}

func waits(reason, message string) corev1.PodStatus {
	return corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{Name: "hello-service", Image: "hello-service:9",
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}}}
}

func about(object, kind, reason, message string, at time.Time) runtime.Object {
	return &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: object + reason + fmt.Sprint(at.UnixNano(), len(message))}, Type: kind, Reason: reason, Message: message,
		InvolvedObject: corev1.ObjectReference{Name: object, UID: types.UID(object)}, LastTimestamp: metav1.NewTime(at)}
}

// The times are those of a clock that runs only when everything waits.
func TestRolledOut(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when synctest's clock begins
	crash := waits("CrashLoopBackOff", "back-off 10s restarting failed container")
	crash.ContainerStatuses[0].RestartCount = 2
	crash.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error"}
	unschedulable := corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse,
		Reason: corev1.PodReasonUnschedulable, Message: "0/1 nodes are available: 1 Insufficient cpu."}}}
	refused := func(message string) appsv1.ReplicaSetStatus {
		return appsv1.ReplicaSetStatus{Conditions: []appsv1.ReplicaSetCondition{{Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: message}}}
	}
	none := appsv1.ReplicaSetStatus{}
	for _, c := range []struct {
		name    string
		objects []runtime.Object
		after   time.Duration // when the error is told
		want    []string
		not     string
	}{
		{"image", append(backend(waits("ErrImagePull", "not found"), none),
			about("backend-prod-a-1", "Normal", "Pulling", "Pulling image", now.Add(-time.Second)),
			about("backend-prod-a-1", "Warning", "Failed", "Error: ImagePullBackOff", now.Add(time.Second)),
			about("backend-prod-a-1", "Warning", "Failed", `Failed to pull image "hello-service:9": no such host`, now),
			about("backend-prod-a-1", "Warning", "Failed", "an older one", now.Add(-time.Minute))), troubleGrace,
			[]string{"Pod backend-prod-a-1: ErrImagePull: image hello-service:9: not found", `newest event, Failed: Failed to pull image "hello-service:9": no such host`, "--image", "make push"}, "older"},
		{"crash", append(backend(crash, none), about("backend-prod-a-1", "Warning", "BackOff", "Back-off restarting failed container", now)), troubleGrace,
			[]string{"Pod backend-prod-a-1: CrashLoopBackOff: container hello-service was started 3 times, ended with exit code 1 (Error)",
				"newest event, BackOff: Back-off restarting", "last line of its log: fake logs", "kubectl -n shop logs backend-prod-a-1 -c hello-service --previous"}, ""},
		{"configuration", backend(waits("CreateContainerConfigError", `secret "x" not found`), none), troubleGrace,
			[]string{`CreateContainerConfigError: secret "x" not found`, "kubectl -n shop describe pod backend-prod-a-1"}, ""},
		{"unschedulable", append(backend(unschedulable, none), about("backend-prod-a-1", "Warning", "FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu. preemption: no", now)), foreignGrace,
			[]string{"Pod backend-prod-a-1: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.", "newest event, FailedScheduling: 0/1 nodes", "request less"}, ""},
		{"a node is coming", append(backend(unschedulable, none), about("backend-prod-a-1", "Normal", "TriggeredScaleUp", "pod triggered scale-up", now)), time.Minute,
			[]string{"after 1m0s: the time that --wait allows is over", "Unschedulable", "TriggeredScaleUp"}, ""},
		{"quota", backend(corev1.PodStatus{}, refused(`pods "b" is forbidden: exceeded quota: q`)), foreignGrace,
			[]string{`ReplicaSet backend-prod-a: FailedCreate: pods "b" is forbidden: exceeded quota: q`, "raise the namespace's quota"}, ""},
		{"webhook", backend(corev1.PodStatus{}, refused(`Internal error occurred: failed calling webhook "namespace.sidecar-injector.istio.io": connection refused`)), foreignGrace,
			[]string{`failed calling webhook "namespace.sidecar-injector.istio.io"`, "hellochaos doctor"}, ""},
		{"no progress", backend(corev1.PodStatus{}, none, appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded", Message: "timed out"}), 0,
			[]string{"Deployment backend-prod: ProgressDeadlineExceeded: timed out", "kubectl -n shop describe deployment backend-prod"}, ""},
		{"slow", append(backend(waits("ContainerCreating", ""), none), about("backend-prod-a-1", "Warning", "FailedMount", "no such volume", now)), time.Minute,
			[]string{"after 1m0s: the time that --wait allows is over", "Deployment backend-prod has 0 of 1 pods ready", "Pod backend-prod-a-1: Pending: container hello-service waits: ContainerCreating", "newest event, FailedMount: no such volume"}, ""},
		{"former pods do not count", append(backend(waits("ContainerCreating", ""), none), old()...), time.Minute,
			[]string{"the time that --wait allows is over", "ContainerCreating"}, "ImagePullBackOff"},
		{"not there", nil, 0, []string{"Deployment backend-prod is not there"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, cluster := newHolding(t, Options{Wait: time.Minute}, c.objects...)
				start := time.Now()
				err := cluster.rolledOut(t.Context(), []reference{{"Deployment", "shop", "backend-prod"}})
				expectError(t, err, c.want...)
				if c.not != "" && err != nil && strings.Contains(err.Error(), c.not) {
					t.Errorf("error %q, want no %q in it", err, c.not)
				}
				if took := time.Since(start); took < c.after || took > c.after+time.Second {
					t.Errorf("told after %v, want %v", took, c.after)
				}
			})
		})
	}
}

// A trouble that goes away within its grace is none, and progress is told once for each change.
func TestRolledOutAfterTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		objects := backend(waits("ErrImagePull", "once"), appsv1.ReplicaSetStatus{})
		var said []string
		server, c := newHolding(t, Options{Wait: time.Minute, Say: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }}, objects...)
		go func() {
			time.Sleep(troubleGrace - time.Second)
			pod := objects[2].(*corev1.Pod).DeepCopy()
			pod.Status = waits("ContainerCreating", "")
			server.hold(t, pod)
			time.Sleep(10 * time.Second)
			d := objects[0].(*appsv1.Deployment).DeepCopy()
			d.Status.AvailableReplicas, d.Status.ReadyReplicas = 1, 1
			server.hold(t, d)
		}()
		start := time.Now()
		if err := c.rolledOut(t.Context(), []reference{{"Deployment", "shop", "backend-prod"}}); err != nil {
			t.Fatal(err)
		}
		if took, want := time.Since(start), troubleGrace+9*time.Second; took < want || took > want+time.Second {
			t.Errorf("it took %v, want %v", took, want)
		}
		if got, want := strings.Join(said, "\n"), "waiting for pods: backend-prod 0/1"; got != want {
			t.Errorf("it said %q, want %q", got, want)
		}
	})
}

func TestRolledOutEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reason := errors.New("the user went away")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, reason)
		defer cancel()
		_, c := newHolding(t, Options{Wait: time.Minute}, backend(corev1.PodStatus{}, appsv1.ReplicaSetStatus{})...)
		if err := c.rolledOut(ctx, []reference{{"Deployment", "shop", "backend-prod"}}); !errors.Is(err, reason) {
			t.Errorf("error %v, want %v", err, reason)
		}
	})
}

// What the API server forbids does not get better by waiting.
func TestRolledOutForbidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _ := newHolding(t, Options{}, backend(corev1.PodStatus{}, appsv1.ReplicaSetStatus{})...)
		c := connectDirectly(t, Options{Wait: time.Minute}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/replicasets") {
				refused := apierrors.NewForbidden(appsv1.Resource("replicasets"), "", errors.New("no role")).Status()
				refused.Kind, refused.APIVersion = "Status", "v1"
				answer(w, http.StatusForbidden, refused)
				return
			}
			server.ServeHTTP(w, r)
		}))
		start := time.Now()
		expectError(t, c.rolledOut(t.Context(), []reference{{"Deployment", "shop", "backend-prod"}}), "replicasets.apps is forbidden", "hellochaos doctor")
		if took := time.Since(start); took > time.Second {
			t.Errorf("it took %v, want less than a second", took)
		}
	})
}

func TestPodsOf(t *testing.T) {
	pod := func(namespace, name string, isReady corev1.ConditionStatus, change func(*corev1.Pod)) runtime.Object {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": "backend", "version": "prod", "more": "x"}},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: isReady}}}}
		change(p)
		return p
	}
	same := func(*corev1.Pod) {}
	_, c := newHolding(t, Options{Wait: time.Second},
		pod("shop", "a", corev1.ConditionFalse, same),
		pod("shop", "c", corev1.ConditionTrue, same),
		pod("shop", "b", corev1.ConditionTrue, same),
		pod("shop", "going", corev1.ConditionTrue, func(p *corev1.Pod) { p.DeletionTimestamp, p.Finalizers = new(metav1.Now()), []string{"x"} }),
		pod("shop", "evicted", corev1.ConditionFalse, func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }),
		pod("shop", "canary", corev1.ConditionTrue, func(p *corev1.Pod) { p.Labels["version"] = "canary" }),
		pod("outside", "elsewhere", corev1.ConditionTrue, same),
	)
	for namespace, want := range map[string]string{manifests.Namespace: "b c a", "shop": "b c a", "outside": "elsewhere", "empty": ""} {
		pods, err := c.podsOf(t.Context(), &manifests.Workload{Name: "backend-prod", Namespace: namespace, Labels: map[string]string{"app": "backend", "version": "prod"}})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range pods {
			names = append(names, p.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("pods of a workload in %s = %q, want %q", namespace, got, want)
		}
	}
}
