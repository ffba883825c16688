package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// leaseName is the Lease that keeps two runs in one namespace apart.
	leaseName = "hellochaos"
	// processAnnotation names the process that holds the lease: "host/number". Only people use it. The name of a host and a
	// number do not prove that a process is alive or dead, since two machines may have the same name.
	processAnnotation = "hellochaos.dev/process"
	// longestLease is the longest duration that is believed of a Lease that somebody else has written.
	longestLease = 5 * time.Minute
)

// leaseTimes are the times of a lease.
type leaseTimes struct {
	// duration is how long a lease belongs to its holder after the last renewal, and renew is the time between two renewals.
	duration, renew time.Duration
}

// usualLease are the times of all leases except those in tests.
var usualLease = leaseTimes{duration: 30 * time.Second, renew: 5 * time.Second}

// lease is the right to change the chain's namespace, renewed until it is released.
type lease struct {
	cluster *Cluster
	holder  string
	stop    context.CancelFunc
	ended   sync.WaitGroup
	// lost is called with the reason when the lease is lost.
	lost context.CancelCauseFunc

	mutex   sync.Mutex
	renewed time.Time // when this process sent the request that became the last renewal
}

// heldError says who holds the lease.
type heldError struct {
	cluster         *Cluster
	holder, process string
	// renewed means that this process has seen a renewal, so the holder is at work. Otherwise left is how long the lease must
	// still stay unchanged before its holder counts as dead.
	renewed bool
	left    time.Duration
}

func (e *heldError) Error() string {
	namespace := e.cluster.namespace
	if e.renewed {
		return fmt.Sprintf("run %s (%s) is at work in namespace %s: it has just renewed its lease; wait until it ends, or end it with Ctrl-C where it runs", e.holder, e.process, namespace)
	}
	return fmt.Sprintf("run %s (%s) is at work in namespace %s, or was killed there before it gave back its lease: 'hellochaos status%s' shows which; "+
		"wait until it ends or choose another namespace with -n; if it was killed, put back what it changed with 'hellochaos restore --all%s'",
		e.holder, e.process, namespace, e.cluster.flags(), e.cluster.flags())
}

// process is the host and the number by which a lease names this process.
func process() (host string, number int) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host, os.Getpid()
}

// acquire takes the lease for a run. If another run holds it, the error names that run and says what to do. lost is called if
// the lease is lost later.
func (c *Cluster) acquire(ctx context.Context, run string, lost context.CancelCauseFunc) (*lease, error) {
	l := &lease{cluster: c, holder: run, lost: lost}
	err := c.again(ctx, "taking the lease "+leaseName, func(ctx context.Context) error {
		return l.take(ctx, func(found *coordinationv1.Lease) error { return c.heldBy(found) })
	})
	if err != nil {
		return nil, err
	}
	l.start(ctx)
	return l, nil
}

// heldBy is the error about a lease that somebody else holds.
func (c *Cluster) heldBy(found *coordinationv1.Lease) *heldError {
	return &heldError{cluster: c, holder: holderOf(found), process: found.Annotations[processAnnotation]}
}

// inherit takes the lease that a killed run has left behind. The holder counts as dead when this process has watched the lease
// for the lease's whole duration and has seen no renewal. The clocks of two machines are not compared, since they may differ by
// more than the duration of a lease. The error is a heldError as soon as a renewal was seen. now means that the user knows that
// the holder is dead, so inherit does not wait.
func (c *Cluster) inherit(ctx context.Context, purpose string, now bool, lost context.CancelCauseFunc) (*lease, error) {
	// Two processes that restore the same run must not take each other for themselves.
	l := &lease{cluster: c, holder: fmt.Sprintf("%s-%04x", purpose, rand.N(1<<16)), lost: lost}
	var seen sighting
	ticker := time.NewTicker(min(time.Second, c.lease.renew))
	defer ticker.Stop()
	defer c.countDown(0)
	for announced := false; ; announced = true {
		err := c.again(ctx, "taking the lease "+leaseName, func(ctx context.Context) error {
			return l.take(ctx, func(found *coordinationv1.Lease) error {
				held := c.heldBy(found)
				held.left = c.durationOf(found) - seen.unchanged(found, time.Now())
				held.renewed = seen.changed
				if now {
					c.say("taking the lease from run %s (%s) without waiting, because of --now", held.holder, held.process)
				}
				if now || !held.renewed && held.left <= 0 {
					return nil
				}
				return held
			})
		})
		var held *heldError
		switch {
		case err == nil:
			l.start(ctx)
			return l, nil
		case !errors.As(err, &held) || held.renewed:
			return nil, err
		case !announced:
			c.say("run %s (%s) has not given back its lease: it is at work, or was killed. Waiting for up to %v to see whether it renews the lease; if you know that the run is dead, --now skips this wait",
				held.holder, held.process, held.left.Round(time.Second))
		}
		c.countDown(held.left)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// countDown reports how long a wait can still last; 0 means that it is over.
func (c *Cluster) countDown(left time.Duration) {
	if c.options.CountDown != nil {
		c.options.CountDown(left)
	}
}

// sighting is what this process has seen of a lease. It uses this process's own monotonic clock.
type sighting struct {
	// record is the holder and the time of renewal that were seen last, and since when they were first seen.
	record string
	since  time.Time
	// changed means that the record was seen to change.
	changed bool
}

// unchanged takes up a reading of the lease, and returns for how long the lease has been seen without a change.
func (s *sighting) unchanged(l *coordinationv1.Lease, now time.Time) time.Duration {
	record := fmt.Sprintf("%q %v", holderOf(l), l.Spec.RenewTime)
	if record == s.record {
		return now.Sub(s.since)
	}
	s.changed = s.record != ""
	s.record, s.since = record, now
	return 0
}

// durationOf is how long a lease belongs to its holder after the last renewal.
func (c *Cluster) durationOf(l *coordinationv1.Lease) time.Duration {
	if l.Spec.LeaseDurationSeconds == nil {
		return c.lease.duration
	}
	return min(longestLease, max(c.lease.duration, time.Duration(*l.Spec.LeaseDurationSeconds)*time.Second))
}

// take takes the lease for this process. If somebody else holds it, allowed decides: its error is returned.
func (l *lease) take(ctx context.Context, allowed func(found *coordinationv1.Lease) error) error {
	asked := time.Now()
	found, err := l.leases().Get(ctx, leaseName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = l.leases().Create(ctx, l.object(nil), metav1.CreateOptions{FieldManager: manager})
		if apierrors.IsAlreadyExists(err) {
			return apierrors.NewConflict(coordinationv1.Resource("leases"), leaseName, err) // somebody else was quicker: read the lease again
		}
		return l.noted(asked, err)
	}
	if err != nil {
		return err
	}
	if holder := holderOf(found); holder != "" && holder != l.holder {
		if err := allowed(found); err != nil {
			return err
		}
	}
	_, err = l.leases().Update(ctx, l.object(found), metav1.UpdateOptions{FieldManager: manager})
	return l.noted(asked, err)
}

// renew renews the lease. It is an error if somebody else holds the lease, or if the lease does not exist any more, since
// somebody else may have held it in the meantime.
func (l *lease) renew(ctx context.Context) error {
	asked := time.Now()
	found, err := l.leases().Get(ctx, leaseName, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("somebody has removed the lease %s of namespace %s, so another run may have changed what this run wrote", leaseName, l.cluster.namespace)
	case err != nil:
		return err
	case holderOf(found) != l.holder:
		return fmt.Errorf("run %s (%s) has taken the lease %s of namespace %s from this one",
			holderOf(found), found.Annotations[processAnnotation], leaseName, l.cluster.namespace)
	}
	_, err = l.leases().Update(ctx, l.object(found), metav1.UpdateOptions{FieldManager: manager})
	return l.noted(asked, err)
}

// noted records the time at which a renewal was requested, unless the renewal failed. It returns err.
func (l *lease) noted(asked time.Time, err error) error {
	if err == nil {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		l.renewed = asked
	}
	return err
}

// check must be called before a write. While this process renews its lease in time, nobody else can have it. If it could not
// renew the lease, because the API server did not answer or the process or its machine was stopped, somebody else may have taken
// the lease. So check renews an old lease before anything is written.
func (l *lease) check(ctx context.Context) error {
	l.mutex.Lock()
	renewed := l.renewed
	l.mutex.Unlock()
	// The monotonic clock stands still while a machine sleeps, but the wall clock does not: the greater age counts.
	age := max(time.Since(renewed), time.Now().Round(0).Sub(renewed.Round(0)))
	if age < l.cluster.lease.duration/2 {
		return nil
	}
	return l.judged(l.renew(ctx))
}

// judged calls lost when a renewal failed for a reason that does not go away.
func (l *lease) judged(err error) error {
	if err == nil || passing(err) || errors.Is(err, context.Canceled) {
		return err
	}
	err = fmt.Errorf("the lease is lost: %w", err)
	l.lost(err)
	return err
}

func (l *lease) leases() kind[coordinationv1.Lease, coordinationv1.LeaseList] {
	return l.cluster.core.CoordinationV1().Leases(l.cluster.namespace)
}

// object is the Lease that this process writes, in place of the one that was found, if there is one.
func (l *lease) object(found *coordinationv1.Lease) *coordinationv1.Lease {
	now := metav1.NewMicroTime(time.Now())
	host, number := process()
	seconds := int32(max(1, l.cluster.lease.duration.Seconds()))
	fresh := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: leaseName, Labels: map[string]string{managedBy: manager},
			Annotations: map[string]string{processAnnotation: fmt.Sprintf("%s/%d", host, number)}},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &l.holder, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now},
	}
	if found != nil {
		fresh.ResourceVersion = found.ResourceVersion
		if holderOf(found) == l.holder {
			fresh.Spec.AcquireTime = found.Spec.AcquireTime
		}
	}
	return fresh
}

func holderOf(l *coordinationv1.Lease) string {
	if l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}

// start begins to renew the lease until it is released. The end of ctx does not end the renewals.
func (l *lease) start(ctx context.Context) {
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	l.ended.Go(func() { l.keep(ctx) })
}

// keep renews the lease until ctx ends or the lease is lost. If the API server does not answer, it tries again: nobody else can
// take the lease in that time either.
func (l *lease) keep(ctx context.Context) {
	ticker := time.NewTicker(l.cluster.lease.renew)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		try, cancel := context.WithTimeout(ctx, l.cluster.lease.renew)
		err := l.renew(try)
		cancel()
		if ctx.Err() == nil && l.judged(err) != nil && !passing(err) {
			return
		}
	}
}

// release ends the renewals and deletes the lease, if this process still holds it.
func (l *lease) release(ctx context.Context) error {
	l.stop()
	l.ended.Wait()
	return l.cluster.again(ctx, "giving back the lease "+leaseName, func(ctx context.Context) error {
		found, err := l.leases().Get(ctx, leaseName, metav1.GetOptions{})
		if apierrors.IsNotFound(err) || err == nil && holderOf(found) != l.holder {
			return nil
		}
		if err != nil {
			return err
		}
		err = l.leases().Delete(ctx, leaseName, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: &found.ResourceVersion}})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
}

// Tidy removes the lease of a run that was killed before it had changed anything, or after it had put everything else back. It
// returns an error if the holder of the lease is at work. now has the same meaning as in Restore.
func (c *Cluster) Tidy(ctx context.Context, now bool) error {
	_, lost := context.WithCancelCause(ctx)
	l, err := c.inherit(ctx, "tidy", now, lost)
	switch {
	case apierrors.IsNotFound(err): // the namespace does not exist, and so nothing is left in it
		return nil
	case err != nil:
		return err
	}
	return l.release(ctx)
}
