package service

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/hellochaos/hellochaos/service/trail"
)

// connection is a connection of a pod's calls with its number. A thread of the pod's proxy serves it from its beginning to its end (Envoy:
// "a connection is bound to a single worker thread"), and takes up new rules by itself.
type connection struct {
	net.Conn
	number int
	turns  int // how many calls were sent by it. HTTP/1.1 sends one at a time, and the pool of connections orders them in memory
}

// number makes a transport number the connections that it opens, from a number by chance: a container that was restarted in its pod must not
// give the numbers of its predecessor again.
func number(t *http.Transport) {
	var opened atomic.Int64
	opened.Store(rand.Int64N(1 << 30))
	open := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := open(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &connection{Conn: c, number: int(opened.Add(1))}, nil
	}
}

// tellConnection returns a context with which a call notes by which connection it is sent, and its turn there.
func tellConnection(ctx context.Context, call *trail.Call) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		conn := got.Conn
		if secured, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
			conn = secured.NetConn()
		}
		if c, ok := conn.(*connection); ok {
			c.turns++
			call.Connection, call.Turn = c.number, c.turns
		}
	}})
}
