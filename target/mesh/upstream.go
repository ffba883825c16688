package mesh

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// connectTimeout is how long it may take to make a connection. It is the default of Istio's connectTimeout.
const connectTimeout = 10 * time.Second

// Errors that upstream.send returns, besides those of the context.
var (
	errConnect       = errors.New("the connection could not be made")
	errReset         = errors.New("the connection ended before the answer's headers")
	errPerTryTimeout = errors.New("the per-try timeout ended the try")
)

// upstream sends requests to one address over connections that it keeps. It takes the place of net/http.Transport, which sends a
// request again by itself when a kept connection breaks, so that one try would be counted as two, and which needs two goroutines
// for each connection. upstream may be used concurrently.
type upstream struct {
	address string
	opens   *opener      // how TLS is opened; nil where it is not
	active  atomic.Int64 // number of requests whose answer is not complete; the load balancer LEAST_REQUEST compares it

	// kept counts the idle connections of all upstreams of a proxy; nil where nobody bounds them. full is called after one more is kept.
	kept *atomic.Int64
	full func(*upstream)

	// breaker bounds the connections and requests of the cluster to which this belongs; nil where nothing does. open is how many connections
	// there are, which breaker counts.
	breaker *breaker
	open    int

	mutex  sync.Mutex
	idle   []*connection
	closed bool
}

// connection is one kept connection; it carries one request at a time.
type connection struct {
	net.Conn
	socket syscall.RawConn
	reader *bufio.Reader
	served int    // how many requests it has carried, where a breaker counts them
	asked  string // the name for which the server was asked, with TLS
}

// outgoing is a request as it is written to a connection. It can be written any number of times while rest is nil.
type outgoing struct {
	method, path, host string
	header             http.Header
	body               []byte
	// rest is the part of the body after body, when the whole is too large to be kept. length is then the length of the whole
	// body in bytes, or -1 when it is not known.
	rest   io.Reader
	length int64
}

// send sends a request once and returns its answer as soon as the headers have arrived. The caller must close the body. perTry,
// when not 0, limits the time from the last byte of the request to the headers of the answer. When ctx ends, the connection is
// closed.
func (u *upstream) send(ctx context.Context, request *outgoing, perTry time.Duration) (*http.Response, error) {
	connection, err := u.take(ctx, u.opens.asked(request.host))
	if err != nil {
		return nil, errors.Join(errConnect, err)
	}
	return u.exchange(ctx, connection, request, perTry)
}

// exchange is send on a connection.
func (u *upstream) exchange(ctx context.Context, connection *connection, request *outgoing, perTry time.Duration) (*http.Response, error) {
	u.active.Add(1)
	exchange := &exchange{upstream: u, connection: connection}
	exchange.stop = context.AfterFunc(ctx, func() { connection.Close() })
	response, err := exchange.do(request, perTry)
	if err != nil {
		exchange.finish(false)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, errors.Join(errPerTryTimeout, err)
		}
		return nil, errors.Join(errReset, err)
	}
	exchange.ReadCloser, exchange.keep = response.Body, !response.Close
	response.Body = exchange
	return response, nil
}

// take returns a kept connection that is still open, or a new one, by which the server was asked for this name. It checks a kept
// connection before anything is sent, so that no request has to be sent again because its connection was closed.
func (u *upstream) take(ctx context.Context, asked string) (*connection, error) {
	if kept := u.idleOne(asked); kept != nil {
		return kept, nil
	}
	return u.dial(ctx, asked)
}

// makeRoom closes an idle connection, so that another one may take its place, and reports whether there was one.
func (u *upstream) makeRoom() bool {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	last := len(u.idle) - 1
	if last < 0 {
		return false
	}
	u.idle[last].Close()
	u.idle = u.idle[:last]
	u.count(-1)
	return true
}

// idleOne is a kept connection that is still open, by which the server was asked for this name; nil where there is none.
func (u *upstream) idleOne(asked string) *connection {
	for {
		u.mutex.Lock()
		last := len(u.idle) - 1
		for last >= 0 && u.idle[last].asked != asked {
			last--
		}
		if last < 0 {
			u.mutex.Unlock()
			return nil
		}
		connection := u.idle[last]
		u.idle = slices.Delete(u.idle, last, last+1)
		u.count(-1)
		u.mutex.Unlock()
		if connection.silent() {
			return connection
		}
		connection.Close()
		if u.breaker != nil {
			u.breaker.connections--
			u.open--
		}
	}
}

func (u *upstream) dial(ctx context.Context, asked string) (*connection, error) {
	dialer := net.Dialer{Timeout: connectTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", u.address)
	if err != nil {
		return nil, err
	}
	socket, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		conn.Close()
		return nil, err
	}
	if conn, err = u.opens.open(ctx, conn, asked); err != nil {
		return nil, err
	}
	return &connection{Conn: conn, socket: socket, reader: bufio.NewReader(conn), asked: asked}, nil
}

// put keeps a connection for a later request, or closes it when the upstream is closed.
func (u *upstream) put(connection *connection) {
	if !u.keep(connection) {
		connection.Close()
		return
	}
	if u.full != nil {
		u.full(u)
	}
}

func (u *upstream) keep(connection *connection) bool {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if !u.closed {
		u.idle = append(u.idle, connection)
		u.count(1)
	}
	return !u.closed
}

// count counts idle connections that come and go.
func (u *upstream) count(n int) {
	if u.kept != nil {
		u.kept.Add(int64(n))
	}
}

// close closes the kept connections. Those in use are closed when their request ends.
func (u *upstream) close() {
	u.mutex.Lock()
	u.closed = true
	u.mutex.Unlock()
	u.drop()
}

// drop closes the kept connections.
func (u *upstream) drop() {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	for _, connection := range u.idle {
		connection.Close()
	}
	u.count(-len(u.idle))
	u.idle = nil
}

// silent reports, without waiting, whether the peer has neither closed the connection nor sent anything on it.
func (c *connection) silent() bool {
	if c.reader.Buffered() > 0 {
		return false
	}
	silent := false
	err := c.socket.Read(func(descriptor uintptr) bool {
		silent = nothingToRead(descriptor)
		return true
	})
	return err == nil && silent
}

// exchange is one request and its answer on a connection. It is the body of the answer as well: once the body was read to its
// end, the upstream keeps the connection for a later request.
type exchange struct {
	io.ReadCloser
	upstream   *upstream
	connection *connection
	stop       func() bool
	keep, done bool
}

func (e *exchange) do(request *outgoing, perTry time.Duration) (*http.Response, error) {
	if err := request.write(e.connection); err != nil {
		return nil, err
	}
	if perTry > 0 {
		if err := e.connection.SetReadDeadline(time.Now().Add(perTry)); err != nil {
			return nil, err
		}
	}
	began := time.Now()
	response, err := readResponse(e.connection.reader, request.method)
	if err != nil && perTry > 0 && time.Since(began) >= perTry {
		// On a busy machine the end of the connection may be seen before the limit: a service breaks it once it has noticed that its time is up.
		return nil, errors.Join(os.ErrDeadlineExceeded, err)
	}
	if err != nil || perTry == 0 {
		return response, err
	}
	return response, e.connection.SetReadDeadline(time.Time{})
}

// readResponse reads the head of an answer. It skips informational answers (status 1xx) before it.
func readResponse(reader *bufio.Reader, method string) (*http.Response, error) {
	for {
		response, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil || response.StatusCode >= 200 || response.StatusCode == http.StatusSwitchingProtocols {
			return response, err
		}
	}
}

// Read reads the body. At its end the connection is free for the next request.
func (e *exchange) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	if err == io.EOF {
		e.finish(e.keep)
	}
	return n, err
}

// longAgo is a deadline in the past: a read with it returns what has arrived and does not wait.
var longAgo = time.Unix(1, 0)

// Close ends the exchange without waiting. It keeps the connection when the rest of the body has arrived, and closes it
// otherwise, as Envoy resets the stream of an answer that it gives up.
func (e *exchange) Close() error {
	if e.done {
		return nil
	}
	whole := e.connection.SetReadDeadline(longAgo) == nil
	if whole {
		_, err := io.Copy(io.Discard, e.ReadCloser)
		whole = err == nil && e.connection.SetReadDeadline(time.Time{}) == nil
	}
	e.finish(whole && e.keep)
	return nil
}

func (e *exchange) finish(keep bool) {
	if e.done {
		return
	}
	e.done = true
	e.upstream.active.Add(-1)
	switch keep = e.stop() && keep; {
	case e.upstream.breaker != nil:
		e.upstream.breaker.ended(e.upstream, e.connection, keep)
	case keep:
		e.upstream.put(e.connection)
	default:
		e.connection.Close()
	}
}

// buffers holds buffers into which write puts requests.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// write writes the request to a connection. Head and kept body are written at once.
func (o *outgoing) write(w io.Writer) error {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	*buffer = append(o.appendHead((*buffer)[:0]), o.body...)
	if o.rest == nil || o.length >= 0 {
		if _, err := w.Write(*buffer); err != nil || o.rest == nil {
			return err
		}
		_, err := io.Copy(w, o.rest)
		return err
	}
	if _, err := w.Write((*buffer)[:len(*buffer)-len(o.body)]); err != nil {
		return err
	}
	chunks := httputil.NewChunkedWriter(w)
	if _, err := chunks.Write(o.body); err != nil {
		return err
	}
	if _, err := io.Copy(chunks, o.rest); err != nil {
		return err
	}
	if err := chunks.Close(); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\r\n")
	return err
}

// appendHead appends the request's head. Names and values come from parsed headers, so they hold no line breaks.
func (o *outgoing) appendHead(b []byte) []byte {
	b = append(append(append(append(b, o.method...), ' '), o.path...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, o.host...), "\r\n"...)
	for name, values := range o.header {
		for _, value := range values {
			b = append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
		}
	}
	switch {
	case o.rest != nil && o.length < 0:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case o.rest != nil:
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), o.length, 10), "\r\n"...)
	case len(o.body) > 0 || o.method != http.MethodGet && o.method != http.MethodHead:
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), int64(len(o.body)), 10), "\r\n"...)
	}
	return append(b, "\r\n"...)
}
