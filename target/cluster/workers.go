package cluster

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target"
)

const (
	// workersName is the name of the Job of workers, and of the ConfigMap with what they are told. The lease lets no two runs have workers in
	// one namespace, and a name that never changes lets a Role name it.
	workersName = "hellochaos-workers"
	// ordersPath is where workers find the ConfigMap.
	ordersPath = "/orders"
	// workersGrace is how long workers have to say what they know when they are asked to end.
	workersGrace = 10 * time.Second
)

// workerKinds are the kinds of the objects of workers, in the order in which they are removed: pods would not start without the ConfigMap.
var workerKinds = []string{"Job", "ConfigMap"}

// ofWorkers reports whether an object is one of workers.
func ofWorkers(r reference) bool {
	return r.Name == workersName && slices.Contains(workerKinds, r.Kind)
}

// BeginLoad takes the namespace for load by Options.Workers workers, which changes nothing there but their own objects. It checks that no run is
// at work and that every earlier one was put back, and begins the journal. The load needs no Istio.
func (c *Cluster) BeginLoad(ctx context.Context) (*Run, error) {
	return c.enter(ctx, func(r *Run) error { return r.keepJournal(ctx, nil) })
}

// expectWorkers are the objects of workers for the journal, if the run has workers. It is an error if there are such objects already.
func (r *Run) expectWorkers(ctx context.Context) (all []snapshot, err error) {
	if r.cluster.options.Workers == 0 {
		return nil, nil
	}
	for _, kind := range workerKinds {
		ref := reference{kind, r.cluster.namespace, workersName}
		err := r.cluster.again(ctx, "reading "+ref.String(), func(ctx context.Context) error {
			live, err := r.cluster.get(ctx, ref)
			if err == nil && live != nil {
				err = fmt.Errorf("namespace %s has a %s already, which no run is at work with: delete it with 'kubectl delete %s %s -n %s'", ref.Namespace, ref, kind, workersName, ref.Namespace)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, snapshot{Reference: ref})
		r.workers = append(r.workers, &record{reference: ref})
	}
	return all, nil
}

// removeWorkers deletes the objects of workers, with all pods, and waits until they are gone. Objects without the annotation of the run are those of
// somebody else, whatever the journal says, and stay.
func (r *Run) removeWorkers(ctx context.Context) error {
	for _, kind := range workerKinds {
		ref := reference{kind, r.cluster.namespace, workersName}
		err := r.cluster.again(ctx, "removing "+ref.String(), func(ctx context.Context) error {
			live, err := r.cluster.get(ctx, ref)
			switch {
			case err != nil || live == nil:
				return err
			case live.GetAnnotations()[madeForRun] != r.name:
				return fmt.Errorf("%s was not made by run %s (it lacks the annotation %s: %s), and was left as it is", ref, r.name, madeForRun, r.name)
			}
			uid := live.GetUID()
			err = r.cluster.at(ref).Delete(ctx, ref.Name, metav1.DeleteOptions{
				PropagationPolicy: ptr.To(metav1.DeletePropagationForeground), Preconditions: &metav1.Preconditions{UID: &uid}})
			if err != nil && !apierrors.IsNotFound(err) {
				return err
			}
			return &terminatingError{ref, nil} // until it is gone, with what it owns
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Inside is the address of an entry for workers, which are in the cluster: that of its Service there. It waits as Address does until the entry
// answers.
func (r *Run) Inside(ctx context.Context, entry manifests.Entry) (target.Address, error) {
	found, err := r.Address(ctx, entry)
	if err != nil {
		return found, err
	}
	by := fmt.Sprintf("by %d workers in the cluster", r.cluster.options.Workers)
	given := r.cluster.options.DirectURL
	if entry.Gateway != "" {
		given = r.cluster.options.GatewayURL
	}
	if given != "" {
		found.Way += ", " + by
		return found, nil
	}
	in, err := r.cluster.entrance(ctx, entry, r.rules)
	if err != nil {
		return target.Address{}, err
	}
	host := in.service.Spec.ClusterIP
	if host == "" || host == corev1.ClusterIPNone {
		host = in.service.Name + "." + in.service.Namespace + ".svc"
	}
	address := net.JoinHostPort(host, strconv.Itoa(int(in.port.Port)))
	return target.Address{URL: "http://" + address, Way: "cluster IP " + address + ", " + by}, nil
}

// ordersMap is the ConfigMap with what workers are told.
func (r *Run) ordersMap(file string, order []byte) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: workersName, Namespace: r.cluster.namespace, Labels: map[string]string{managedBy: manager},
			Annotations: map[string]string{madeForRun: r.name}},
		BinaryData: map[string][]byte{file: order},
	}
}

// job is the Job of workers. Its pods are outside the mesh: their requests enter it from outside, as those of this process do. They have no
// token, need no right, and write no file.
func (r *Run) job(longest time.Duration) *unstructured.Unstructured {
	o := &r.cluster.options
	outside := map[string]any{"sidecar.istio.io/inject": "false"}
	container := map[string]any{
		"name": "worker", "image": o.WorkersImage, "imagePullPolicy": "IfNotPresent",
		"args":         []any{"worker", "--orders", ordersPath, "--index", "$(JOB_COMPLETION_INDEX)"},
		"volumeMounts": []any{map[string]any{"name": "orders", "mountPath": ordersPath, "readOnly": true}},
		"resources":    map[string]any{"requests": map[string]any{"cpu": "100m", "memory": "64Mi"}},
		"securityContext": map[string]any{"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "runAsNonRoot": true,
			"capabilities": map[string]any{"drop": []any{"ALL"}}, "seccompProfile": map[string]any{"type": "RuntimeDefault"}},
	}
	spread := map[string]any{"maxSkew": int64(1), "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
		"labelSelector": map[string]any{"matchLabels": map[string]any{"job-name": workersName}}}
	pod := map[string]any{
		"restartPolicy": "Never", "automountServiceAccountToken": false, "enableServiceLinks": false,
		"terminationGracePeriodSeconds": int64(workersGrace.Seconds()), "topologySpreadConstraints": []any{spread},
		"containers": []any{container},
		"volumes":    []any{map[string]any{"name": "orders", "configMap": map[string]any{"name": workersName}}},
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"completionMode": "Indexed", "completions": int64(o.Workers), "parallelism": int64(o.Workers),
		// A worker that died is not started again, and the others go on: what it sent is unknown.
		"backoffLimitPerIndex": int64(0),
		// The load ends also where nobody is left to end it.
		"activeDeadlineSeconds": int64((longest + 2*o.Wait + time.Minute).Seconds()),
		"template": map[string]any{
			"metadata": map[string]any{"labels": map[string]any{managedBy: manager, "sidecar.istio.io/inject": "false", "istio.io/dataplane-mode": "none"}, "annotations": outside},
			"spec":     pod,
		},
	}}}
	u.SetGroupVersionKind(r.cluster.resource("Job").GroupVersion().WithKind("Job"))
	u.SetName(workersName)
	u.SetNamespace(r.cluster.namespace)
	u.SetLabels(map[string]string{managedBy: manager})
	u.SetAnnotations(map[string]string{madeForRun: r.name})
	return u
}
