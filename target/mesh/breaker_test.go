package mesh

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// crowd sends requests through a breaker to an endpoint that answers none before it is told to.
type crowd struct {
	t       *testing.T
	breaker *breaker
	at      *upstream
	arrived chan struct{}
	answer  chan struct{}
	ended   chan string
	cancel  context.CancelFunc
	ctx     context.Context
}

func newCrowd(t *testing.T, limits manifests.Pool) *crowd {
	c := &crowd{t: t, breaker: newBreaker(&limits), arrived: make(chan struct{}, 100), answer: make(chan struct{}), ended: make(chan string, 100)}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		c.arrived <- struct{}{}
		<-c.answer
	}))
	c.ctx, c.cancel = context.WithCancel(t.Context())
	c.at = &upstream{address: strings.TrimPrefix(server.URL, "http://"), breaker: c.breaker}
	t.Cleanup(func() {
		c.cancel()
		close(c.answer)
		c.at.close()
		server.Close()
	})
	return c
}

// come sends one more request, and returns when it has arrived, waits, or has ended; it says which.
func (c *crowd) come() string {
	c.t.Helper()
	c.breaker.mutex.Lock()
	waiting := len(c.breaker.waiting[c.at])
	c.breaker.mutex.Unlock()
	go func() {
		response, err := c.breaker.send(c.ctx, c.at, &outgoing{method: http.MethodGet, path: "/", host: "one", header: http.Header{}}, 0)
		switch {
		case errors.Is(err, errOverflow):
			c.ended <- "refused"
		case err != nil:
			c.ended <- "given up"
		default:
			response.Body.Close()
			c.ended <- "answered"
		}
	}()
	for {
		select {
		case <-c.arrived:
			return "arrived"
		case end := <-c.ended:
			return end
		case <-time.After(time.Millisecond):
			c.breaker.mutex.Lock()
			more := len(c.breaker.waiting[c.at]) > waiting
			c.breaker.mutex.Unlock()
			if more {
				return "waits"
			}
		}
	}
}

// The numbers are those of real Envoy (1.40) with the same limits and as many requests at once.
func TestLimitsOfAConnectionPool(t *testing.T) {
	for name, c := range map[string]struct {
		limits manifests.Pool
		want   string
	}{
		"a connection and one that waits": {manifests.Pool{Connections: 1, Pending: 1}, "[arrived waits refused refused]"},
		"requests":                        {manifests.Pool{Requests: 2}, "[arrived arrived refused refused]"},
		"connections, and all wait":       {manifests.Pool{Connections: 2}, "[arrived arrived waits waits]"},
		"no limit":                        {manifests.Pool{Retries: 1}, "[arrived arrived arrived arrived]"},
		"fewer requests than connections": {manifests.Pool{Connections: 2, Requests: 1}, "[arrived refused refused refused]"},
	} {
		t.Run(name, func(t *testing.T) {
			crowd := newCrowd(t, c.limits)
			for range 2 { // the second time there are connections
				var got []string
				for range 4 {
					got = append(got, crowd.come())
				}
				if fmt.Sprint(got) != c.want {
					t.Errorf("got %v, want %s", got, c.want)
				}
				crowd.leave(got)
			}
		})
	}
}

// leave answers the requests that came.
func (c *crowd) leave(came []string) {
	for _, was := range came {
		if was != "refused" {
			c.answer <- struct{}{}
			if end := <-c.ended; end != "answered" {
				c.t.Errorf("a request that %s was %s", was, end)
			}
		}
	}
	for len(c.arrived) > 0 {
		<-c.arrived
	}
	c.breaker.mutex.Lock()
	defer c.breaker.mutex.Unlock()
	if c.breaker.pending != 0 || c.breaker.requests != 0 || c.breaker.connections != len(c.at.idle) || c.at.open != len(c.at.idle) {
		c.t.Errorf("%d waiting, %d requests, and %d connections (%d at the endpoint) are counted where %d are idle", c.breaker.pending, c.breaker.requests,
			c.breaker.connections, c.at.open, len(c.at.idle))
	}
}

func TestConnectionsAreClosedAfterSoManyRequests(t *testing.T) {
	crowd := newCrowd(t, manifests.Pool{RequestsPerConnection: 2})
	for i := range 5 {
		crowd.leave([]string{crowd.come()})
		if want := (i + 1) % 2; len(crowd.at.idle) != want {
			t.Errorf("after %d requests %d connections are kept, want %d", i+1, len(crowd.at.idle), want)
		}
	}
}

// What a try that waits would have got goes to the next one when the try is given up.
func TestAWaitingTryThatIsGivenUp(t *testing.T) {
	crowd := newCrowd(t, manifests.Pool{Connections: 1})
	first := crowd.come()
	patient := crowd.ctx
	hasty, leave := context.WithCancel(t.Context())
	crowd.ctx = hasty
	if second := crowd.come(); first != "arrived" || second != "waits" {
		t.Fatalf("the first request %s and the second one %s", first, second)
	}
	crowd.ctx = patient
	third := crowd.come()
	leave()
	if end := <-crowd.ended; end != "given up" {
		t.Errorf("the second request was %s", end)
	}
	crowd.leave([]string{first, third})
}

func TestRetriesAtATime(t *testing.T) {
	on := &cluster{breaker: newBreaker(&manifests.Pool{Retries: 1})}
	var first, second call
	if !first.mayRetry(on) || second.mayRetry(on) {
		t.Error("of two calls not exactly the first one may be sent again")
	}
	if !first.mayRetry(on) {
		t.Error("the call that is in a retry may not be sent again once more")
	}
	first.finish()
	if !second.mayRetry(on) || on.breaker.retries != 1 {
		t.Error("after the end of the first call the second one may not be sent again")
	}
}

// A budget lets a share of the calls under way be in a retry, and holds in place of maxRetries.
func TestRetriesOfABudget(t *testing.T) {
	on := &cluster{breaker: newBreaker(&manifests.Pool{Retries: 9, Budget: &manifests.RetryBudget{Percent: 50, Least: 1}})}
	allowed := func() (n int) {
		var calls [9]call
		for i := range calls {
			if calls[i].mayRetry(on) {
				n++
			}
		}
		for i := range calls {
			calls[i].finish()
		}
		return n
	}
	few := allowed()
	on.breaker.requests, on.breaker.pending = 4, 3
	if many := allowed(); few != 1 || many != 3 {
		t.Errorf("%d calls may be in a retry while none is under way, and %d while 7 are; want 1 and 3", few, many)
	}
}

// A connection by which the server was asked for another name is of no use for a try, and makes room for one that is: whether it is idle, or
// given back while the try waits.
func TestBreakerAsksForEachName(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	b := newBreaker(&manifests.Pool{Connections: 1})
	u := &upstream{address: strings.TrimPrefix(server.URL, "http://"), breaker: b}
	defer u.close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	connect := func(asked string) *connection {
		c, err := b.connect(ctx, u, asked)
		if err != nil || c.asked != asked {
			t.Errorf("%v, %+v: want a connection for %s", err, c, asked)
		}
		return c
	}
	b.release(u, connect("one"), true)
	second := connect("two")
	got := make(chan *connection)
	go func() { got <- connect("three") }()
	for waiting := 0; waiting == 0 && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		b.mutex.Lock()
		waiting = len(b.waiting[u])
		b.mutex.Unlock()
	}
	b.release(u, second, true)
	b.release(u, <-got, true)
	if b.connections != 1 || u.open != 1 || len(u.idle) != 1 || b.pending != 0 {
		t.Errorf("%d connections, %d open, %d idle, %d pending", b.connections, u.open, len(u.idle), b.pending)
	}
}
