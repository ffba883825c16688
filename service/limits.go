package service

import (
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits are what a server allows its callers, so that none of them can hold memory or a connection for good. They bound
// what a caller does, never how long a try takes: a try may hang, be delayed or wait for its upstream for as long as it
// is told to.
type Limits struct {
	// Head is how long a request's first line and headers may take from their first byte on, or from the connection's
	// beginning for its first request; Body is how long its body may take. The connection is closed then.
	Head, Body time.Duration
	// Write is how long the caller may take to accept what is written to it at once, a few KiB. The connection is closed
	// then.
	Write time.Duration
	// Idle is how long a connection may stay open between two requests.
	Idle time.Duration
	// HeadBytes is how large a request's first line and headers may be together, above 4 KiB, which net/http always
	// allows; a larger request is answered 431, and the connection is closed.
	HeadBytes int
	// Connections is how many connections are served at once; 0 is any number. A connection beyond them waits unanswered
	// in the system's queue until one of them ends.
	Connections int
}

// DefaultLimits are those of hello-service.
//
// A caller that sends a request on a connection just as the server closes it gets a reset, which Envoy reports as a 503
// that no policy caused. So connections must be idle for longer here than in any caller's pool: Envoy's pools close a
// connection that was idle for an hour, ours after 90 s, the load generator's after 2 s.
//
// Connections and HeadBytes bound what strangers can make the program hold: 2048 connections, each with a head of as many
// small headers as fit, made it hold 226 MB at a GOMEMLIMIT of 160 MiB, which the manifests set below their memory limit of
// 256 MiB. The tries of a run on a cluster are fewer at once: 600 a second that hang for 3 s are 1800.
var DefaultLimits = Limits{
	Head:        10 * time.Second,
	Body:        10 * time.Second,
	Write:       10 * time.Second,
	Idle:        65 * time.Minute,
	HeadBytes:   8 << 10,
	Connections: 2048,
}

// headSlack is what net/http adds to http.Server.MaxHeaderBytes before it refuses a head.
const headSlack = 4 << 10

// Server is a server of handler that keeps to the limits; it must serve a listener of Listener.
func (l Limits) Server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           timedHandler{handler, l.Body},
		ReadHeaderTimeout: l.Head,
		IdleTimeout:       l.Idle,
		MaxHeaderBytes:    max(1, l.HeadBytes-headSlack),
	}
}

// timedHandler bounds the time in which a request's body comes. http.Server.ReadTimeout cannot do that: it would also end
// the context of a request that came whole and takes long to answer.
type timedHandler struct {
	http.Handler
	limit time.Duration
}

func (h timedHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		h.Handler.ServeHTTP(w, r)
		return
	}
	body := &timedBody{ReadCloser: r.Body, control: http.NewResponseController(w), limit: h.limit}
	body.begin() // for net/http, which reads what the handler leaves unread before it sends a long answer
	// A copy of the request: net/http looks at the body of its own to see whether the caller waits for "100 Continue".
	timed := r.WithContext(r.Context())
	timed.Body = body
	h.Handler.ServeHTTP(w, timed)
	if !body.ended {
		body.begin() // again for net/http, after the handler
	}
}

// timedBody is a request's body, all of which must come within limit from its first Read on.
type timedBody struct {
	io.ReadCloser
	control     *http.ResponseController
	limit       time.Duration
	read, ended bool
}

// begin starts the time. Nothing can be done about an error: the connection is broken or was hijacked.
func (b *timedBody) begin() { _ = b.control.SetReadDeadline(time.Now().Add(b.limit)) }

func (b *timedBody) Read(p []byte) (int, error) {
	if !b.read {
		b.read = true
		b.begin() // the handler may have waited for longer than that before
	}
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF && !b.ended {
		b.ended = true
		// From here on net/http reads ahead, to see whether the caller goes away: a deadline would look like that.
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// Listener is a TCP listener whose connections keep to the limits. netutil.LimitListener would hide the TCP connection
// from those who end one by a reset.
func (l Limits) Listener(inner net.Listener) net.Listener {
	listener := &limitedListener{Listener: inner, write: l.Write, closed: make(chan struct{})}
	if l.Connections > 0 {
		listener.slots = make(chan struct{}, l.Connections)
	}
	return listener
}

type limitedListener struct {
	net.Listener
	write  time.Duration
	slots  chan struct{} // one is in it for each open connection; nil when any number is served
	once   sync.Once
	closed chan struct{}
}

// Accept waits for a slot first, and then for a connection.
func (l *limitedListener) Accept() (net.Conn, error) {
	if l.slots != nil {
		select {
		case l.slots <- struct{}{}:
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
	connection, err := l.Listener.Accept()
	if err != nil {
		l.leave()
		return nil, err
	}
	return &limitedConnection{Conn: connection, listener: l}, nil
}

// leave frees the slot of a connection.
func (l *limitedListener) leave() {
	if l.slots != nil {
		<-l.slots
	}
}

func (l *limitedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// limitedConnection has no ReadFrom on purpose: it would write past the limit.
type limitedConnection struct {
	net.Conn
	listener *limitedListener
	once     sync.Once
}

func (c *limitedConnection) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.listener.write)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *limitedConnection) Close() error {
	defer c.once.Do(c.listener.leave)
	return c.Conn.Close()
}

// CloseWrite ends what is sent: net/http does that before it closes the connection of a request that it refuses, so that
// the caller can read the answer.
func (c *limitedConnection) CloseWrite() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.CloseWrite()
	}
	return nil
}

// SetLinger is net.TCPConn's.
func (c *limitedConnection) SetLinger(seconds int) error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.SetLinger(seconds)
	}
	return nil
}
