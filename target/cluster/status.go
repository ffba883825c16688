package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Leftover is a run of which the namespace still holds a journal.
type Leftover struct {
	// Name is the run's name, for 'hellochaos restore'. Command is what the user typed to start the run.
	Name, Command string
	Started       time.Time
	// Host and Process are the machine and the process of the run.
	Host    string
	Process int
	// Deployed means that 'hellochaos deploy -f' has made what the journal names, which stays until 'hellochaos undeploy'.
	Deployed bool
	// Running means that the run, or a restore of it, was seen to renew its lease.
	Running bool
	// Silent is for how long no renewal of the run's lease was seen, if the run has not given its lease back; 0 if it has no lease.
	Silent time.Duration
	// Changed are the objects that are not as they were before the run, for example "VirtualService middleware". Edited are those
	// of them that somebody else has changed since.
	Changed, Edited []string
	// Problem says why the journal cannot be used, or why the objects cannot be read; it is nil if neither is so. If the journal is
	// refused, only Name and Problem are set.
	Problem error
}

// Leftovers are the runs of which the namespace holds a journal: they are at work, or were not put back. A run whose journal is
// damaged is among them, with its Problem. If a lease was not given back, Leftovers watches it for the time of two renewals, to
// see whether its holder is alive.
func (c *Cluster) Leftovers(ctx context.Context) ([]Leftover, error) {
	journals, err := c.journals(ctx)
	if err != nil || len(journals) == 0 {
		return nil, err
	}
	holder, silent, err := c.working(ctx)
	if err != nil {
		return nil, err
	}
	var all []Leftover
	for i := range journals {
		l := c.leftover(ctx, &journals[i])
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if holds(holder, l.Name) {
			l.Running, l.Silent = silent == 0, silent
		}
		all = append(all, l)
	}
	return all, nil
}

// holds reports whether the holder of a lease is this run, or a restore of this run.
func holds(holder, run string) bool {
	return holder == run || strings.HasPrefix(holder, restoring(run)+"-")
}

// Unrestored are the names of the runs of which the namespace holds a journal, the oldest run first, but for what is deployed there to
// stay.
func (c *Cluster) Unrestored(ctx context.Context) (names []string, err error) {
	journals, err := c.journals(ctx)
	for i := range journals {
		if !c.keeps(&journals[i]) {
			names = append(names, runOf(&journals[i]))
		}
	}
	return names, err
}

// keeps reports whether a journal is that of what 'hellochaos deploy -f' has made, which is not put back by itself.
func (c *Cluster) keeps(journal *corev1.ConfigMap) bool {
	lines, err := c.readStored(runOf(journal), journal.Data[journalKey])
	return err == nil && lines[0].Run.Kept
}

// journals are the ConfigMaps of all journals in the namespace, which are those with the label of a run, sorted by name.
func (c *Cluster) journals(ctx context.Context) (all []corev1.ConfigMap, err error) {
	err = c.again(ctx, "looking for journals in namespace "+c.namespace, func(ctx context.Context) error {
		list, err := c.core.CoreV1().ConfigMaps(c.namespace).List(ctx, metav1.ListOptions{LabelSelector: runLabel})
		if err == nil {
			all = list.Items
		}
		return err
	})
	return all, err
}

// runOf is the run whose journal a ConfigMap is, by the ConfigMap's name, under which restore looks for it.
func runOf(journal *corev1.ConfigMap) string { return strings.TrimPrefix(journal.Name, journalPrefix) }

// working returns who holds the lease, if somebody does. silent is 0 as soon as a renewal was seen. If none was seen in the time
// of two renewals, working stops watching, and silent is that time.
func (c *Cluster) working(ctx context.Context) (holder string, silent time.Duration, err error) {
	patience := 2*c.lease.renew + time.Second
	ticker := time.NewTicker(min(time.Second, c.lease.renew))
	defer ticker.Stop()
	defer c.countDown(0)
	var seen sighting
	for announced := false; ; announced = true {
		var unchanged time.Duration
		found, err := c.foundLease(ctx)
		if err != nil || found == nil {
			return "", 0, err
		}
		if unchanged = seen.unchanged(found, time.Now()); seen.changed {
			return holderOf(found), 0, nil
		}
		if unchanged >= patience {
			return holderOf(found), unchanged, nil
		}
		if !announced {
			c.say("run %s (%s) has not given back its lease: watching for up to %v whether it renews the lease", holderOf(found), found.Annotations[processAnnotation], patience)
		}
		c.countDown(patience - unchanged)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return "", 0, context.Cause(ctx)
		}
	}
}

// leftover compares what a journal records with the present objects.
func (c *Cluster) leftover(ctx context.Context, stored *corev1.ConfigMap) Leftover {
	l := Leftover{Name: runOf(stored)}
	lines, err := c.readStored(l.Name, stored.Data[journalKey])
	if err != nil {
		l.Problem = err
		return l
	}
	run := lines[0].Run
	l.Deployed = run.Kept
	l.Command, l.Started, l.Host, l.Process = strings.Join(run.Command, " "), run.Started, run.Host, run.Process
	var problems []error
	for _, rec := range records(lines) {
		err := c.again(ctx, "reading "+rec.reference.String(), func(ctx context.Context) error {
			live, err := c.get(ctx, rec.reference)
			if err != nil {
				return err
			}
			now := contentOf(live)
			if now.equal(contentOf(rec.before)) && !terminating(live) {
				return nil
			}
			l.Changed = append(l.Changed, rec.reference.String())
			if rec.reference.Name != probeName && !ofWorkers(rec.reference) && !rec.knows(now) {
				l.Edited = append(l.Edited, rec.reference.String())
			}
			return nil
		})
		problems = append(problems, err)
	}
	for _, made := range madeBy(lines) {
		live, err := c.namespaceNow(ctx, made.Name)
		problems = append(problems, err)
		if err == nil && made.is(run.Name, live) == nil && live != nil {
			l.Changed = append(l.Changed, "Namespace "+made.Name)
		}
	}
	l.Problem = errors.Join(problems...)
	return l
}

// unfinished is an error that names the runs of the namespace that are at work, except self, and those that were not put back;
// nil when there are none. It does not wait to find out which of the two is so.
func (c *Cluster) unfinished(ctx context.Context, self string) error {
	journals, err := c.journals(ctx)
	if err != nil {
		return err
	}
	found, err := c.foundLease(ctx)
	if err != nil {
		return err
	}
	var problems []error
	if found != nil && holderOf(found) != self {
		problems = append(problems, c.heldBy(found))
	}
	for i := range journals {
		if run := runOf(&journals[i]); (found == nil || !holds(holderOf(found), run)) && !c.keeps(&journals[i]) {
			problems = append(problems, fmt.Errorf("run %s was not put back: '%s' puts back what it changed, and 'hellochaos status%s' shows what it left", run, c.RestoreCommand(run), c.flags()))
		}
	}
	return errors.Join(problems...)
}

// foundLease is the lease, or nil if nobody holds it.
func (c *Cluster) foundLease(ctx context.Context) (found *coordinationv1.Lease, err error) {
	err = c.again(ctx, "reading the lease "+leaseName, func(ctx context.Context) (err error) {
		found, err = c.core.CoordinationV1().Leases(c.namespace).Get(ctx, leaseName, metav1.GetOptions{})
		if apierrors.IsNotFound(err) || err == nil && holderOf(found) == "" {
			found, err = nil, nil
		}
		return err
	})
	return found, err
}
