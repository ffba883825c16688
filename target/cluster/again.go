package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/wait"
)

// again calls do, which talks to the API server, until do succeeds, do fails for a reason that waiting does not cure, or the
// cluster's Wait is over. Each call gets a context of its own, bounded by requestTime. A conflict is cured by reading the
// object again and writing it again, so do must read everything that it writes.
func (c *Cluster) again(ctx context.Context, what string, do func(context.Context) error) error {
	outer := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.Wait, errors.New("the time that --wait allows is over"))
	defer cancel()
	backoff := wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Jitter: 0.2, Cap: 3 * time.Second, Steps: 1 << 20}
	for {
		try, done := context.WithTimeout(ctx, requestTime)
		err := do(try)
		done()
		if err == nil {
			return nil
		}
		if outer.Err() != nil {
			return fmt.Errorf("%s: %w", what, context.Cause(outer)) // the cause says why it ended
		}
		if !passing(err) {
			return fmt.Errorf("%s: %w", what, advised(err))
		}
		delay := backoff.Step()
		if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
			delay = max(delay, time.Duration(seconds)*time.Second)
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%s: it was tried again and again for %v: %w", what, c.options.Wait, errors.Join(context.Cause(ctx), err))
		}
	}
}

// passing reports whether an error may go away by itself: it is about the connection or the server, not about the request.
func passing(err error) bool {
	if apierrors.IsConflict(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err) ||
		apierrors.IsServiceUnavailable(err) || utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var going *terminatingError
	if errors.As(err, &going) {
		return true
	}
	var request *url.Error
	var operation *net.OpError
	return errors.As(err, &operation) || errors.As(err, &request) && (request.Timeout() || utilnet.IsProbableEOF(err))
}

// advised adds to an error of the API server what the user can do about it.
func advised(err error) error {
	switch {
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%w: the API server does not accept the credentials, or they have expired: log in again ('kubectl get pods' shows whether they work)", err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%w: 'hellochaos doctor' lists the permissions that a run lacks, and 'hellochaos manifests rbac' prints the objects that grant them", err)
	}
	return err
}
