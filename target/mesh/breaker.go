package mesh

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// errOverflow is the error of a try that a limit of a connectionPool refuses.
var errOverflow = errors.New("a limit of the connection pool refused the try")

// breaker holds the calls of one proxy to one destination to the limits of its connectionPool, as Envoy's circuit breakers do
// (conn_pool_base.cc): a try takes an idle connection, or waits for one while it may, and is refused else.
type breaker struct {
	limits *manifests.Pool

	mutex                                   sync.Mutex
	connections, pending, requests, retries int
	waiting                                 map[*upstream][]chan *connection
}

func newBreaker(limits *manifests.Pool) *breaker {
	return &breaker{limits: limits, waiting: make(map[*upstream][]chan *connection)}
}

// reached reports whether a limit is used up; 0 is no limit.
func reached(used, limit int) bool { return limit > 0 && used >= limit }

// send is upstream.send within the limits. The error is errOverflow where one of them refuses the try.
func (b *breaker) send(ctx context.Context, u *upstream, request *outgoing, perTry time.Duration) (*http.Response, error) {
	connection, err := b.connect(ctx, u, u.opens.asked(request.host))
	if err != nil {
		return nil, err
	}
	b.mutex.Lock()
	refused := reached(b.requests, b.limits.Requests)
	if !refused {
		b.requests++
	}
	b.mutex.Unlock()
	if refused {
		b.release(u, connection, true)
		return nil, errOverflow
	}
	return u.exchange(ctx, connection, request, perTry)
}

// connect is a connection for a try: an idle one by which the server was asked for the name, or a new one where there may be one more or
// where an idle one for another name makes room, or one that another try gives back. Each endpoint may have one connection whatever the
// others have (tryCreateNewConnection).
func (b *breaker) connect(ctx context.Context, u *upstream, asked string) (*connection, error) {
	b.mutex.Lock()
	if kept := u.idleOne(asked); kept != nil {
		b.mutex.Unlock()
		return kept, nil
	}
	if reached(b.pending, b.limits.Pending) {
		b.mutex.Unlock()
		return nil, errOverflow
	}
	b.pending++
	defer b.waited()
	if b.mayConnect(u) || u.makeRoom() {
		b.mutex.Unlock()
		return b.dial(ctx, u, asked)
	}
	turn := make(chan *connection, 1)
	b.waiting[u] = append(b.waiting[u], turn)
	b.mutex.Unlock()
	select {
	case given := <-turn:
		if given != nil && given.asked != asked {
			given.Close()
			given = nil
		}
		if given == nil {
			return b.dial(ctx, u, asked)
		}
		return given, nil
	case <-ctx.Done():
		b.leave(u, turn)
		return nil, errors.Join(errConnect, ctx.Err())
	}
}

// mayConnect reports whether one more connection may be made, and counts it. The mutex must be held.
func (b *breaker) mayConnect(u *upstream) bool {
	if reached(b.connections, b.limits.Connections) && u.open > 0 {
		return false
	}
	b.connections++
	u.open++
	return true
}

// dial makes a connection that was counted before.
func (b *breaker) dial(ctx context.Context, u *upstream, asked string) (*connection, error) {
	made, err := u.dial(ctx, asked)
	if err != nil {
		b.mutex.Lock()
		b.gone(u)
		b.mutex.Unlock()
		return nil, errors.Join(errConnect, err)
	}
	return made, nil
}

// waited notes that a try waits no more.
func (b *breaker) waited() {
	b.mutex.Lock()
	b.pending--
	b.mutex.Unlock()
}

// leave gives up a place in the queue, and what was given to it meanwhile.
func (b *breaker) leave(u *upstream, turn chan *connection) {
	b.mutex.Lock()
	if i := slices.Index(b.waiting[u], turn); i >= 0 {
		b.waiting[u] = slices.Delete(b.waiting[u], i, i+1)
		b.mutex.Unlock()
		return
	}
	b.mutex.Unlock()
	if given := <-turn; given != nil {
		b.release(u, given, true)
		return
	}
	b.mutex.Lock()
	b.gone(u)
	b.mutex.Unlock()
}

// ended takes a request off the count, and releases its connection.
func (b *breaker) ended(u *upstream, c *connection, keep bool) {
	b.mutex.Lock()
	b.requests--
	c.served++
	b.mutex.Unlock()
	b.release(u, c, keep && !reached(c.served, b.limits.RequestsPerConnection))
}

// release gives a connection to the try that waits longest for one, or keeps it, or closes it.
func (b *breaker) release(u *upstream, c *connection, keep bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if !keep {
		c.Close()
		b.gone(u)
		return
	}
	if next := b.next(u); next != nil {
		next <- c
		return
	}
	if !u.keep(c) {
		c.Close()
		b.gone(u)
	}
}

// gone takes a connection off the count, and lets the try that waits longest make another one. The mutex must be held.
func (b *breaker) gone(u *upstream) {
	b.connections--
	u.open--
	if len(b.waiting[u]) > 0 && b.mayConnect(u) {
		b.next(u) <- nil
	}
}

// next is the try that waits longest for a connection to an endpoint; nil where none does. The mutex must be held.
func (b *breaker) next(u *upstream) chan *connection {
	queue := b.waiting[u]
	if len(queue) == 0 {
		return nil
	}
	b.waiting[u] = queue[1:]
	return queue[0]
}

// retry reports whether a call may be in a retry, and counts it. The try that failed is still among the requests, as in Envoy, which decides when
// the headers of its answer have come. The caller must call retried at its end.
func (b *breaker) retry() bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if budget := b.limits.Budget; budget != nil {
		if b.retries >= budget.AtOnce(b.requests+b.pending) {
			return false
		}
	} else if reached(b.retries, b.limits.Retries) {
		return false
	}
	b.retries++
	return true
}

func (b *breaker) retried() {
	b.mutex.Lock()
	b.retries--
	b.mutex.Unlock()
}
