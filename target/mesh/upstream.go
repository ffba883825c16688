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
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// connectTimeout is how long making a connection may take, Istio's connectTimeout by default.
const connectTimeout = 10 * time.Second

// Errors of upstream.send, besides the context's own.
var (
	errConnect       = errors.New("the connection could not be made")
	errReset         = errors.New("the connection ended before the answer's headers")
	errPerTryTimeout = errors.New("the per-try timeout ended the try")
)

// upstream sends requests to one address over kept connections. net/http.Transport would send a request again by
// itself when a kept connection breaks, which is a try that nobody counts, and it costs two goroutines for each
// connection; upstream does neither. It may be used concurrently.
type upstream struct {
	address string
	active  atomic.Int64 // requests whose answer is not finished, for LEAST_REQUEST

	mutex  sync.Mutex
	idle   []*connection
	closed bool
}

// connection is one kept connection; it carries one request at a time.
type connection struct {
	net.Conn
	socket syscall.RawConn
	reader *bufio.Reader
}

// outgoing is a request as it goes onto the wire, any number of times while rest is nil.
type outgoing struct {
	method, path, host string
	header             http.Header
	body               []byte
	// rest is what follows body when the body is too large to be kept; length is then the whole length, -1 when it
	// is not known.
	rest   io.Reader
	length int64
}

// send sends a request once and returns its answer when the headers are there. The body must be closed. perTry, when
// not 0, bounds the time from the request's last byte to the answer's headers. When ctx ends, so does the connection.
func (u *upstream) send(ctx context.Context, request *outgoing, perTry time.Duration) (*http.Response, error) {
	connection, err := u.take(ctx)
	if err != nil {
		return nil, errors.Join(errConnect, err)
	}
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

// take returns a kept connection that is still open, or a new one. Looking at a kept connection before anything is
// sent is what makes sending again unnecessary.
func (u *upstream) take(ctx context.Context) (*connection, error) {
	for {
		u.mutex.Lock()
		last := len(u.idle) - 1
		if last < 0 {
			u.mutex.Unlock()
			return u.dial(ctx)
		}
		connection := u.idle[last]
		u.idle = u.idle[:last]
		u.mutex.Unlock()
		if connection.silent() {
			return connection, nil
		}
		connection.Close()
	}
}

func (u *upstream) dial(ctx context.Context) (*connection, error) {
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
	return &connection{Conn: conn, socket: socket, reader: bufio.NewReader(conn)}, nil
}

// put keeps a connection for the next request.
func (u *upstream) put(connection *connection) {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if u.closed {
		connection.Close()
		return
	}
	u.idle = append(u.idle, connection)
}

// close ends the kept connections; those in use end with their request.
func (u *upstream) close() {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	u.closed = true
	for _, connection := range u.idle {
		connection.Close()
	}
	u.idle = nil
}

// silent reports whether the peer has neither closed the connection nor sent anything on it, without waiting.
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

// exchange is one request and its answer on a connection. As the answer's body it gives the connection back when it
// was read to its end.
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
	response, err := readResponse(e.connection.reader, request.method)
	if err != nil || perTry == 0 {
		return response, err
	}
	return response, e.connection.SetReadDeadline(time.Time{})
}

// readResponse reads an answer's head, skipping the informational ones before it.
func readResponse(reader *bufio.Reader, method string) (*http.Response, error) {
	for {
		response, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil || response.StatusCode >= 200 || response.StatusCode == http.StatusSwitchingProtocols {
			return response, err
		}
	}
}

// Read reads the body; its end frees the connection for the next request.
func (e *exchange) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	if err == io.EOF {
		e.finish(e.keep)
	}
	return n, err
}

// longAgo is a deadline at which a read gives what has arrived and waits for nothing.
var longAgo = time.Unix(1, 0)

// Close ends the exchange without waiting: when the rest of the body has arrived its connection is kept, else it ends,
// as Envoy resets the stream of an answer that it gives up.
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
	if e.stop() && keep {
		e.upstream.put(e.connection)
		return
	}
	e.connection.Close()
}

// buffers holds the memory in which requests are put together.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// write sends the request: head and kept body in one piece, so that a try is one write.
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
