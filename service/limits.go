package service

import (
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits bound what callers of a server can do, so that no caller can keep memory or a connection for ever. They do not bound how
// long a try takes: a try may hang, be delayed or wait for its upstream as long as its configuration says.
type Limits struct {
	// Head is how long the first line and the headers of a request may take to arrive. The time begins with their first byte, and
	// for the first request with the connection. Body is how long the body may take to arrive. After that time the connection is
	// closed.
	Head, Body time.Duration
	// Write is how long the caller may take to accept one write to the connection, of a few KiB. After that time the connection is
	// closed.
	Write time.Duration
	// Idle is how long a connection may stay open between two requests.
	Idle time.Duration
	// HeadBytes is how many bytes the first line and the headers of a request may have together. It must be more than 4 KiB, which
	// net/http always allows. A larger request is answered 431, and the connection is closed.
	HeadBytes int
	// Connections is how many connections are served at once; 0 sets no limit. A further connection waits in the queue of the
	// operating system until one of them ends.
	Connections int
}

// DefaultLimits are the limits of hello-service.
//
// When a caller sends a request on a connection that the server closes at the same moment, the caller gets a reset, and Envoy
// reports a 503 that no policy caused. So Idle must be longer than the idle time of every pool of connections of a caller: an hour
// in Envoy, 90 s in this package, 2 s in the load generator.
//
// Connections and HeadBytes bound how much memory callers can make the program use. With 2048 connections, each with as many small
// headers as fit into HeadBytes, it used 226 MB. The manifests set GOMEMLIMIT to 160 MiB and the memory limit to 256 MiB. A run on
// a cluster has fewer tries at once: 600 a second that each hang for 3 s are 1800.
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

// Server returns a server of handler with these limits. It must serve a listener that Listener returns.
func (l Limits) Server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           timedHandler{handler, l.Body},
		ReadHeaderTimeout: l.Head,
		IdleTimeout:       l.Idle,
		MaxHeaderBytes:    max(1, l.HeadBytes-headSlack),
	}
}

// timedHandler bounds the time in which the body of a request must arrive. http.Server.ReadTimeout cannot be used for that, because
// it would also end the context of a complete request whose answer takes long.
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
	body.begin() // because net/http reads the rest of the body, which the handler has not read, before it sends a long answer
	// The handler gets a copy of the request: net/http needs the body of the original to see whether the caller waits for
	// "100 Continue".
	timed := r.WithContext(r.Context())
	timed.Body = body
	h.Handler.ServeHTTP(w, timed)
	if !body.ended {
		body.begin() // because net/http reads the rest of the body after the handler
	}
}

// timedBody is the body of a request. All of it must arrive within limit after the first Read.
type timedBody struct {
	io.ReadCloser
	control     *http.ResponseController
	limit       time.Duration
	read, ended bool
}

// begin starts the time. An error is ignored: the connection is broken then, or was hijacked.
func (b *timedBody) begin() { _ = b.control.SetReadDeadline(time.Now().Add(b.limit)) }

func (b *timedBody) Read(p []byte) (int, error) {
	if !b.read {
		b.read = true
		b.begin() // because the handler may have waited longer than limit before it reads
	}
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF && !b.ended {
		b.ended = true
		// From now on net/http reads from the connection to notice when the caller closes it. A deadline would look like that.
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// Listener returns a TCP listener whose connections have these limits. netutil.LimitListener cannot be used, because it hides the
// TCP connection, which breakConnection needs to send a reset.
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
	slots  chan struct{} // has an element for each open connection; nil if there is no limit
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

// limitedConnection has no method ReadFrom, because io.Copy would use it and write without the time limit.
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

// CloseWrite closes the sending side. net/http does that before it closes the connection of a request that it refuses, so that the
// caller can read the answer.
func (c *limitedConnection) CloseWrite() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.CloseWrite()
	}
	return nil
}

// SetLinger is SetLinger of net.TCPConn. breakConnection uses it to send a reset.
func (c *limitedConnection) SetLinger(seconds int) error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.SetLinger(seconds)
	}
	return nil
}
