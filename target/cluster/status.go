package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Leftover is a run of which the namespace still holds a journal.
type Leftover struct {
	// Name is what 'hellochaos restore' takes; Command what the user typed.
	Name, Command string
	Started       time.Time
	// Host and Process are where it ran, or runs.
	Host    string
	Process int
	// Running: its lease is held.
	Running bool
	// Changed are the objects that are not as they were before, "VirtualService middleware", and Edited those of them that
	// another has changed since.
	Changed, Edited []string
}

// Leftovers are the runs that are at work in the namespace, or have left something to put back.
func (c *Cluster) Leftovers(ctx context.Context) ([]Leftover, error) {
	var maps *corev1.ConfigMapList
	err := c.again(ctx, "looking for journals in namespace "+c.namespace, func(ctx context.Context) (err error) {
		maps, err = c.core.CoreV1().ConfigMaps(c.namespace).List(ctx, metav1.ListOptions{LabelSelector: runLabel})
		return err
	})
	if err != nil {
		return nil, err
	}
	holder, err := c.holder(ctx)
	if err != nil {
		return nil, err
	}
	var all []Leftover
	for i := range maps.Items {
		l, err := c.leftover(ctx, &maps.Items[i])
		if err != nil {
			return nil, fmt.Errorf("ConfigMap %s: %w", maps.Items[i].Name, err)
		}
		l.Running = l.Name == holder
		all = append(all, l)
	}
	return all, nil
}

// holder is the run that holds the lease, if one does.
func (c *Cluster) holder(ctx context.Context) (name string, err error) {
	err = c.again(ctx, "reading the lease "+leaseName, func(ctx context.Context) error {
		found, err := c.core.CoordinationV1().Leases(c.namespace).Get(ctx, leaseName, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err == nil && held(found) {
			name = holderOf(found)
		}
		return err
	})
	return name, err
}

// leftover compares what a journal knows with what is there.
func (c *Cluster) leftover(ctx context.Context, stored *corev1.ConfigMap) (Leftover, error) {
	lines, err := readJournal(strings.NewReader(stored.Data[journalKey]))
	if err != nil {
		return Leftover{}, err
	}
	run := lines[0].Run
	l := Leftover{Name: run.Name, Command: strings.Join(run.Command, " "), Started: run.Started, Host: run.Host, Process: run.Process}
	for _, rec := range records(lines) {
		err := c.again(ctx, "reading "+rec.reference.String(), func(ctx context.Context) error {
			live, err := c.get(ctx, rec.reference)
			if err != nil {
				return err
			}
			now := contentOf(live)
			if now.equal(contentOf(rec.before)) {
				return nil
			}
			l.Changed = append(l.Changed, rec.reference.String())
			if rec.reference.Name != probeName && !rec.knows(now) {
				l.Edited = append(l.Edited, rec.reference.String())
			}
			return nil
		})
		if err != nil {
			return Leftover{}, err
		}
	}
	return l, nil
}

// unfinished is the error about runs of the namespace that are at work, but for self, or that were not put back; nil when
// there are none.
func (c *Cluster) unfinished(ctx context.Context, self string) error {
	return c.again(ctx, "looking for runs in namespace "+c.namespace, func(ctx context.Context) error {
		l, err := c.core.CoordinationV1().Leases(c.namespace).Get(ctx, leaseName, metav1.GetOptions{})
		switch {
		case err == nil && held(l) && holderOf(l) != self:
			return fmt.Errorf("run %s (%s) is at work: wait for its end, or end it by Ctrl-C", holderOf(l), l.Annotations[processAnnotation])
		case err != nil && !apierrors.IsNotFound(err):
			return err
		}
		journals, err := c.core.CoreV1().ConfigMaps(c.namespace).List(ctx, metav1.ListOptions{LabelSelector: ourObjects + "," + runLabel})
		if err != nil {
			return err
		}
		var problems []error
		for _, journal := range journals.Items {
			run := journal.Labels[runLabel]
			problems = append(problems, fmt.Errorf("run %s was not put back: '%s' does, 'hellochaos status%s' shows what it left", run, c.RestoreCommand(run), c.flags()))
		}
		return errors.Join(problems...)
	})
}
