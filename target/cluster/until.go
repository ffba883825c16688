package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// errOver is the cause when a wait ends because its time is over.
var errOver = errors.New("the time that --wait allows is over")

// watched is a watch of objects of one kind, which knows their present state.
type watched = cache.SharedIndexInformer

// watching makes a watch of the objects that list and follow return, which are methods of client. narrow has the selectors.
func watching[L runtime.Object](client any, of runtime.Object, list func(context.Context, metav1.ListOptions) (L, error),
	follow func(context.Context, metav1.ListOptions) (watch.Interface, error), narrow metav1.ListOptions) watched {
	narrowed := func(o metav1.ListOptions) metav1.ListOptions {
		o.LabelSelector, o.FieldSelector = narrow.LabelSelector, narrow.FieldSelector
		return o
	}
	return cache.NewSharedIndexInformer(cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return list(ctx, narrowed(o))
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return follow(ctx, narrowed(o))
		},
	}, client), of, 0, cache.Indexers{})
}

// until calls check as soon as all watched objects are known, and again whenever one of them changes or the time that check
// returned has passed (0 means no time). It ends when check is done or returns an error, or after the cluster's Wait, with
// errOver. It makes a broken connection again, but ends at once when the API server forbids a request.
func (c *Cluster) until(ctx context.Context, what []watched, check func() (again time.Duration, done bool, err error)) error {
	ctx, over := context.WithTimeoutCause(ctx, c.options.Wait, errOver)
	defer over()
	ctx, end := context.WithCancelCause(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer end(nil)
	changed := make(chan struct{}, 1)
	var last lastError
	var known []cache.InformerSynced
	for _, w := range what {
		if err := w.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
			if last.set(err); apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
				end(advised(err))
			}
		}); err != nil {
			return err
		}
		handler, err := w.AddEventHandler(nudge(changed))
		if err != nil {
			return err
		}
		known = append(known, handler.HasSynced)
		running.Go(func() { w.RunWithContext(ctx) })
	}
	if !cache.WaitForCacheSync(ctx.Done(), known...) {
		return errors.Join(context.Cause(ctx), last.get())
	}
	return checking(ctx, changed, check)
}

// checking calls check at once, after each change, and after each time that check returns.
func checking(ctx context.Context, changed <-chan struct{}, check func() (time.Duration, bool, error)) error {
	for {
		again, done, err := check()
		if done || err != nil {
			return err
		}
		var due <-chan time.Time
		if again > 0 {
			due = time.After(again)
		}
		select {
		case <-changed:
		case <-due:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// nudge sends to a channel with room for one element after every change, so that changes that come together count once.
func nudge(changed chan<- struct{}) cache.ResourceEventHandlerFuncs {
	signal := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { signal() }, UpdateFunc: func(any, any) { signal() }, DeleteFunc: func(any) { signal() },
	}
}

// lastError is the last error of a watch.
type lastError struct {
	mutex sync.Mutex
	err   error
}

func (l *lastError) set(err error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.err = err
}

func (l *lastError) get() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.err == nil {
		return nil
	}
	return fmt.Errorf("the last failure of the watch was: %w", l.err)
}
