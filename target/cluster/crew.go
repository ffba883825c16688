package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// indexLabel is where the pods of an Indexed Job have their index.
	indexLabel = "batch.kubernetes.io/job-completion-index"
	// toldAnnotation is an annotation of the pods of workers. A kubelet that sees a pod change looks at its ConfigMap at once, and otherwise once a
	// minute.
	toldAnnotation = "hellochaos.dev/told"
	// podsEvery is how often pods are looked at, and reopenAfter the pause after a stream of a log that broke.
	podsEvery, reopenAfter = 300 * time.Millisecond, 500 * time.Millisecond
	// mostOrder is how many bytes of an order have room in a ConfigMap (1 MiB with all else), and mostLine is how long a line of a worker may be.
	mostOrder, mostLine = 900 << 10, 64 << 20
	// parallelTells is how many pods are changed at the same time.
	parallelTells = 16
)

// Crew are the workers of a run: the pods of a Job in its namespace. It is a crew of package attack/share.
type Crew struct {
	run   *Run
	pods  []string // their names, by their index
	mutex sync.Mutex
	told  int  // how often Tell was called
	asked bool // to end
}

// Crew are the workers of the run, of which Options says how many. One Start after another is possible.
func (r *Run) Crew() *Crew { return &Crew{run: r} }

// Size is how many they are.
func (w *Crew) Size() int { return w.run.cluster.options.Workers }

// OneClock is false: their nodes have clocks of their own.
func (w *Crew) OneClock() bool { return false }

// Start starts them with an order, which they find in a file, and of which the load takes at most longest. It returns when all pods run. Those of an
// earlier Start are removed before.
func (w *Crew) Start(ctx context.Context, file string, order []byte, longest time.Duration) error {
	if len(order) > mostOrder {
		return fmt.Errorf("the plan of the workers has %d bytes, compressed, and a ConfigMap has room for %d: send fewer requests, smaller bodies or fewer targets", len(order), mostOrder)
	}
	r, c := w.run, w.run.cluster
	ctx, done := r.whileHeld(ctx)
	defer done()
	if err := r.removeWorkers(ctx); err != nil { // those of the phase before
		return err
	}
	w.pods, w.asked = make([]string, w.Size()), false
	err := c.again(ctx, "making the ConfigMap "+workersName, func(ctx context.Context) error {
		if err := r.lease.check(ctx); err != nil {
			return err
		}
		return orThere(c.core.CoreV1().ConfigMaps(c.namespace).Create(ctx, r.ordersMap(file, order), metav1.CreateOptions{FieldManager: manager}))
	})
	if err != nil {
		return err
	}
	err = c.again(ctx, "making the Job "+workersName, func(ctx context.Context) error {
		if err := r.lease.check(ctx); err != nil {
			return err
		}
		return orThere(c.at(reference{"Job", c.namespace, workersName}).Create(ctx, r.job(longest), metav1.CreateOptions{FieldManager: manager}))
	})
	if err != nil {
		return err
	}
	return w.started(ctx)
}

// orThere is the error of making an object that was not there a moment ago: an earlier try, whose answer was lost, may have made it.
func orThere[T any](_ T, err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// started waits until the pod of each worker runs, or has ended.
func (w *Crew) started(ctx context.Context) error {
	over := time.Now().Add(w.run.cluster.options.Wait)
	since := map[string]time.Time{}
	for {
		pods, err := w.list(ctx)
		if err != nil {
			return err
		}
		running := 0
		for i := range pods {
			pod := &pods[i]
			index := indexOf(pod)
			if index < 0 || index >= len(w.pods) {
				continue
			}
			w.pods[index] = pod.Name
			if t := podTrouble(pod); t != nil {
				if since[t.key()].IsZero() {
					since[t.key()] = time.Now()
				}
				if t.advice = strings.ReplaceAll(t.advice, "--image", "--workers-image"); time.Since(since[t.key()]) > t.grace {
					return fmt.Errorf("worker %d of %d does not start: %w", index+1, len(w.pods), t.report(ctx, w.run.cluster))
				}
			}
			if pod.Status.Phase != corev1.PodPending && pod.Status.Phase != "" {
				running++
			}
		}
		switch {
		case running == len(w.pods):
			return nil
		case time.Now().After(over):
			return fmt.Errorf("%d of %d workers run after %v: %w%s", running, len(w.pods), w.run.cluster.options.Wait, errOver, w.event(ctx))
		}
		select {
		case <-time.After(podsEvery):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// event is the newest event about the Job, which says why it makes no pods.
func (w *Crew) event(ctx context.Context) string {
	c := w.run.cluster
	job, err := c.get(ctx, reference{"Job", c.namespace, workersName})
	if err != nil || job == nil {
		return ""
	}
	if event := c.newestEvent(ctx, job); event != nil {
		return fmt.Sprintf("; newest event of Job %s, %s: %s", workersName, event.Reason, strings.TrimSpace(event.Message))
	}
	return ""
}

// list are the pods of the Job.
func (w *Crew) list(ctx context.Context) (all []corev1.Pod, err error) {
	c := w.run.cluster
	err = c.again(ctx, "reading the pods of Job "+workersName, func(ctx context.Context) error {
		list, err := c.core.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{LabelSelector: "job-name=" + workersName})
		if err == nil {
			all = slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool { return pod.DeletionTimestamp != nil })
		}
		return err
	})
	return all, err
}

// indexOf is the index of a worker's pod; -1: it has none.
func indexOf(pod *corev1.Pod) int {
	text, ok := pod.Labels[indexLabel]
	if !ok {
		text = pod.Annotations[indexLabel] // before Kubernetes 1.28
	}
	index, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return index
}

// Follow hands each line that a worker writes to take, until it has ended, and says why where that was not well. It follows the log of the worker's
// pod, and reads it from its beginning again where the stream breaks. When ctx ends, all workers are asked to end.
func (w *Crew) Follow(ctx context.Context, index int, take func([]byte) error) error {
	reading, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		w.ask()
		time.AfterFunc(workersGrace+reopenAfter, cancel)
	})
	defer stop()
	for {
		if err := w.stream(reading, index, take); err != nil {
			return err
		}
		if err, over := w.over(reading, index); over {
			return err
		}
		select {
		case <-time.After(reopenAfter):
		case <-reading.Done():
			return context.Cause(ctx)
		}
	}
}

// stream hands over the lines of a log until its stream ends. The error is that of take; a stream that breaks is none.
func (w *Crew) stream(ctx context.Context, index int, take func([]byte) error) error {
	c := w.run.cluster
	log, err := c.core.CoreV1().Pods(c.namespace).GetLogs(w.pods[index], &corev1.PodLogOptions{Container: "worker", Follow: true}).Stream(ctx)
	if err != nil {
		if apierrors.IsForbidden(err) {
			return advised(err)
		}
		return nil
	}
	defer log.Close()
	return handLines(log, take)
}

// handLines hands over each whole line.
func handLines(from io.Reader, take func([]byte) error) error {
	lines := bufio.NewReaderSize(from, 64<<10)
	var line []byte
	for {
		part, err := lines.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(line) <= mostLine:
		case errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("it wrote a line of more than %d bytes", mostLine)
		case err != nil: // a line that was cut off is read again
			return nil
		default:
			if err := take(line[:len(line)-1]); err != nil {
				return err
			}
			line = line[:0]
		}
	}
}

// over says whether a worker has ended, and why where that was not well.
func (w *Crew) over(ctx context.Context, index int) (err error, over bool) {
	c := w.run.cluster
	var pod *corev1.Pod
	failed := c.again(ctx, "reading pod "+w.pods[index], func(ctx context.Context) (err error) {
		list, err := c.core.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + w.pods[index]})
		if err == nil && len(list.Items) > 0 {
			pod = &list.Items[0]
		}
		return err
	})
	switch {
	case failed != nil:
		return failed, true
	case pod == nil:
		return fmt.Errorf("its pod %s was deleted", w.pods[index]), true
	}
	for _, s := range pod.Status.ContainerStatuses {
		if end := s.State.Terminated; end != nil {
			if end.ExitCode == 0 {
				return nil, true
			}
			return fmt.Errorf("its container in pod %s ended with exit code %d (%s)", pod.Name, end.ExitCode, end.Reason), true
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return fmt.Errorf("its pod %s failed: %s %s", pod.Name, pod.Status.Reason, pod.Status.Message), true
	}
	return nil, false
}

// Tell writes a text into a file that all workers see: a key of the ConfigMap, at which each kubelet then looks.
func (w *Crew) Tell(ctx context.Context, file, text string) error {
	c := w.run.cluster
	err := c.again(ctx, "writing the ConfigMap "+workersName, func(ctx context.Context) error {
		if err := w.run.lease.check(ctx); err != nil {
			return err
		}
		maps := c.core.CoreV1().ConfigMaps(c.namespace)
		live, err := maps.Get(ctx, workersName, metav1.GetOptions{})
		if err != nil || live.Data[file] == text {
			return err
		}
		if live.Data == nil {
			live.Data = map[string]string{}
		}
		live.Data[file] = text
		_, err = maps.Update(ctx, live, metav1.UpdateOptions{FieldManager: manager})
		return err
	})
	if err != nil {
		return err
	}
	w.mutex.Lock()
	w.told++
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"%d"}}}`, toldAnnotation, w.told)
	w.mutex.Unlock()
	return w.each(func(pod string) error {
		_, err := c.core.CoreV1().Pods(c.namespace).Patch(ctx, pod, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: manager})
		if apierrors.IsForbidden(err) {
			return advised(err)
		}
		return nil // it is told again, or reads the ConfigMap a minute later
	})
}

// each does something with the pod of each worker.
func (w *Crew) each(do func(pod string) error) error {
	problems := make([]error, len(w.pods))
	limit := make(chan struct{}, parallelTells)
	var wait sync.WaitGroup
	for i, pod := range w.pods {
		wait.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			problems[i] = do(pod)
		})
	}
	wait.Wait()
	for _, err := range problems {
		if err != nil {
			return err // the others are alike
		}
	}
	return nil
}

// ask asks all workers to end, once: they say what they know, and then are gone.
func (w *Crew) ask() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.asked {
		return
	}
	w.asked = true
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	// In the foreground, so that the Job is there until its pods are gone, for which End waits. What fails here is done again by End.
	foreground := metav1.DeletePropagationForeground
	_ = w.run.cluster.at(reference{"Job", w.run.cluster.namespace, workersName}).Delete(ctx, workersName, metav1.DeleteOptions{PropagationPolicy: &foreground})
}

// End ends them, and removes what Start has made.
func (w *Crew) End(ctx context.Context) error {
	ctx, done := w.run.whileHeld(ctx)
	defer done()
	return w.run.removeWorkers(ctx)
}
