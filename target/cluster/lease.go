package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// leaseName is the Lease that keeps two runs in one namespace apart.
	leaseName = "hellochaos"
	// A lease that was not renewed for leaseTime has lost its holder; it is renewed every leaseRenew.
	leaseTime  = 30 * time.Second
	leaseRenew = 5 * time.Second
	// processAnnotation says which process holds the lease: "host/number".
	processAnnotation = "hellochaos.dev/process"
)

// lease is the right to change the chain's namespace, renewed until it is released.
type lease struct {
	cluster *Cluster
	holder  string
	stop    context.CancelFunc
	ended   sync.WaitGroup
	// lost gets the reason when somebody else has it.
	lost context.CancelCauseFunc
}

// heldError says who holds the lease.
type heldError struct{ holder, process, namespace string }

func (e *heldError) Error() string {
	return fmt.Sprintf("run %s (%s) is at work in namespace %s: wait for its end, or choose another namespace by -n", e.holder, e.process, e.namespace)
}

// process is this process's name in a lease.
func process() (host string, number int) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host, os.Getpid()
}

// acquire takes the lease for a run. While another holds it the error names its run, and what to do. lost is called when
// the lease is lost later on.
func (c *Cluster) acquire(ctx context.Context, run string, lost context.CancelCauseFunc) (*lease, error) {
	l := &lease{cluster: c, holder: run, lost: lost}
	if err := c.again(ctx, "taking the lease "+leaseName, l.renew); err != nil {
		return nil, err
	}
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	l.ended.Go(func() { l.keep(ctx) })
	return l, nil
}

// renew makes, takes over, or renews the lease.
func (l *lease) renew(ctx context.Context) error {
	leases := l.cluster.core.CoordinationV1().Leases(l.cluster.namespace)
	now := metav1.NewMicroTime(time.Now())
	host, number := process()
	fresh := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: leaseName, Labels: map[string]string{managedBy: manager},
			Annotations: map[string]string{processAnnotation: fmt.Sprintf("%s/%d", host, number)}},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &l.holder, LeaseDurationSeconds: new(int32(leaseTime.Seconds())), AcquireTime: &now, RenewTime: &now},
	}
	found, err := leases.Get(ctx, leaseName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = leases.Create(ctx, fresh, metav1.CreateOptions{FieldManager: manager})
		if apierrors.IsAlreadyExists(err) {
			return apierrors.NewConflict(coordinationv1.Resource("leases"), leaseName, err) // another was quicker: look again
		}
		return err
	}
	if err != nil {
		return err
	}
	if holder := holderOf(found); holder != l.holder && held(found) {
		return &heldError{holder, found.Annotations[processAnnotation], l.cluster.namespace}
	}
	fresh.ResourceVersion = found.ResourceVersion
	if holderOf(found) == l.holder {
		fresh.Spec.AcquireTime = found.Spec.AcquireTime
	}
	_, err = leases.Update(ctx, fresh, metav1.UpdateOptions{FieldManager: manager})
	return err
}

func holderOf(l *coordinationv1.Lease) string {
	if l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}

// held reports whether a lease's holder is alive: it was renewed in time, and its process, if of this machine, is there.
func held(l *coordinationv1.Lease) bool {
	if l.Spec.RenewTime == nil || holderOf(l) == "" || time.Since(l.Spec.RenewTime.Time) > leaseTime {
		return false
	}
	var number int
	host, _ := process()
	if _, err := fmt.Sscanf(l.Annotations[processAnnotation], host+"/%d", &number); err == nil && number > 0 {
		return syscall.Kill(number, 0) != syscall.ESRCH
	}
	return true
}

// keep renews the lease until ctx ends. While the API server is away nobody else can take it either.
func (l *lease) keep(ctx context.Context) {
	ticker := time.NewTicker(leaseRenew)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		try, cancel := context.WithTimeout(ctx, leaseRenew)
		err := l.renew(try)
		cancel()
		if err != nil && ctx.Err() == nil && !passing(err) {
			l.lost(fmt.Errorf("the lease %s is lost: %w", leaseName, err))
			return
		}
	}
}

// release gives the lease back.
func (l *lease) release(ctx context.Context) error {
	l.stop()
	l.ended.Wait()
	return l.cluster.again(ctx, "giving back the lease "+leaseName, func(ctx context.Context) error {
		leases := l.cluster.core.CoordinationV1().Leases(l.cluster.namespace)
		found, err := leases.Get(ctx, leaseName, metav1.GetOptions{})
		if apierrors.IsNotFound(err) || err == nil && holderOf(found) != l.holder {
			return nil
		}
		if err != nil {
			return err
		}
		err = leases.Delete(ctx, leaseName, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: &found.ResourceVersion}})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
}

// Tidy removes the lease that a run has left behind which ended after it had put everything else back. A lease that is held
// stays.
func (c *Cluster) Tidy(ctx context.Context) error {
	_, lost := context.WithCancelCause(ctx)
	l, err := c.acquire(ctx, "tidy", lost)
	var held *heldError
	switch {
	case errors.As(err, &held):
		return nil
	case err != nil:
		return err
	}
	return l.release(ctx)
}
