package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target"
)

// countersPoll is the time between two looks at the services' counters while tries are in flight.
const countersPoll = 50 * time.Millisecond

// tally is what was read last about one pod: its app's counts, and how often its containers were restarted.
type tally struct {
	pod      string
	restarts int32
	counts   target.Counters
	inFlight int64
	gone     bool
	// kept are the counts that the app had when it was last read before each restart.
	kept target.Counters
}

// Counters implements target.Target. It returns the counts as soon as two readings in a row agree and no try was in flight in
// either of them. One reading is not enough, since a try may be on the wire while no pod has it. The counts that were last read
// of a pod stay when the pod goes away.
func (r *Run) Counters(ctx context.Context) (target.Counters, error) {
	ticker := time.NewTicker(countersPoll)
	defer ticker.Stop()
	var last target.Counters
	for settled := false; ; {
		inFlight, err := r.look(ctx)
		if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) { // other errors may go away, as when a pod ends or the server restarts
			return nil, advised(err)
		}
		if errors.Is(err, target.ErrForm) { // waiting does not change the version of the services
			return nil, err
		}
		if err == nil {
			counters := r.total()
			if settled && inFlight == 0 && slices.Equal(counters, last) {
				r.mark(ctx, counters)
				return counters, nil
			}
			last, settled = counters, inFlight == 0
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			if err != nil {
				return nil, fmt.Errorf("reading the services' counters: the last attempt failed (%v): %w", err, context.Cause(ctx))
			}
			return nil, fmt.Errorf("reading the services' counters: %d tries are in flight: %w", inFlight, context.Cause(ctx))
		}
	}
}

// total is the sum of the counts of all pods, with those that went away.
func (r *Run) total() target.Counters {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var all target.Counters
	for _, t := range r.tallies {
		all = append(append(all, t.counts...), t.kept...)
	}
	return all.Total()
}

// look reads every pod's counters once, and notices pods that came, went or were restarted.
func (r *Run) look(ctx context.Context) (inFlight int64, err error) {
	pods, err := r.pods(ctx)
	if err != nil {
		return 0, err
	}
	read := make([]*tally, len(pods))
	group, ctx := errgroup.WithContext(ctx)
	for i := range pods {
		group.Go(func() error {
			body, err := r.cluster.podGet(ctx, &pods[i], "/metrics", nil)
			if err != nil {
				return fmt.Errorf("reading the counters of pod %s through the API server: %w", pods[i].Name, err)
			}
			read[i] = &tally{pod: pods[i].Name, restarts: restarts(&pods[i])}
			if read[i].counts, read[i].inFlight, err = target.ReadCounters(bytes.NewReader(body)); err != nil {
				return fmt.Errorf("pod %s: %w", pods[i].Name, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	found := map[types.UID]*tally{}
	for i := range pods {
		found[pods[i].UID] = read[i]
		inFlight += read[i].inFlight
	}
	r.notice(found)
	return inFlight, nil
}

// notice compares the pods that were just read with those that were read before, and notes an incident for each change.
func (r *Run) notice(found map[types.UID]*tally) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	first := r.tallies == nil
	if first {
		r.tallies = map[types.UID]*tally{}
	}
	for _, uid := range slices.Sorted(maps.Keys(found)) {
		now, was := found[uid], r.tallies[uid]
		switch {
		case was == nil && !first:
			r.incident(true, "pod %s is new: it was not there when the counters were last read", now.pod)
		case was != nil && was.restarts != now.restarts:
			r.incident(true, "pod %s was restarted: what it had counted since its counters were last read is lost", now.pod)
			now.kept = append(was.kept, was.counts...)
		case was != nil:
			now.kept = was.kept
		}
		r.tallies[uid] = now
	}
	for _, uid := range slices.Sorted(maps.Keys(r.tallies)) {
		if t := r.tallies[uid]; found[uid] == nil && !t.gone {
			t.gone = true
			r.incident(true, "pod %s went away: the calls that it was serving were cut, and what it had counted since its counters were last read is lost", t.pod)
		}
	}
}

// incident notes something for Incidents; r.mutex is held.
func (r *Run) incident(pod bool, format string, args ...any) {
	r.incidents = append(r.incidents, target.Incident{Text: fmt.Sprintf(format, args...), Pod: pod})
}

// pods are the running pods of the chain's own services.
func (r *Run) pods(ctx context.Context) ([]corev1.Pod, error) {
	var all []corev1.Pod
	for i := range r.rules.Workloads {
		w := &r.rules.Workloads[i]
		if !r.cluster.ours(w) || w.Env["ROLE"] == "relay" {
			continue
		}
		pods, err := r.cluster.podsOf(ctx, w)
		if err != nil {
			return nil, err
		}
		for _, pod := range pods {
			if ready(&pod) {
				all = append(all, pod)
			}
		}
	}
	return all, nil
}

// ours reports whether a workload belongs to the chain's namespace, or to one that was made for the run.
func (c *Cluster) ours(w *manifests.Workload) bool {
	return w.Namespace == manifests.Namespace || w.Namespace == c.namespace || c.scratch != nil
}

// restarts is how often the containers of a pod were restarted.
func restarts(pod *corev1.Pod) (n int32) {
	for _, s := range pod.Status.ContainerStatuses {
		n += s.RestartCount
	}
	return n
}

func ready(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
