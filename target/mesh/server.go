package mesh

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"

	"github.com/hellochaos/hellochaos/service"
)

// podLimits are the limits of hello-service. proxyLimits differ in the size of heads, since Envoy accepts larger ones (see
// oversized). The number of connections is not limited here: only this machine can reach these servers, and a run opens as many
// connections as it has tries at once.
var podLimits, proxyLimits = limits(service.DefaultLimits.HeadBytes), limits(maxHead + 4<<10)

func limits(head int) service.Limits {
	all := service.DefaultLimits
	all.HeadBytes, all.Connections = head, 0
	return all
}

// server is one HTTP server on a free port of the loopback interface. None of its goroutines outlives close.
type server struct {
	address string
	http    *http.Server
	serving sync.WaitGroup // the accepting goroutine
	open    sync.WaitGroup // connections, a goroutine each
}

// serve starts a server for handler that enforces limits. It terminates TLS unless secure is nil.
func serve(handler http.Handler, limits service.Limits, secure *tls.Config) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening on the loopback interface: %w", err)
	}
	s := &server{address: listener.Addr().String(), http: limits.Server(handler)}
	s.http.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			s.open.Done()
		}
	}
	listener = limits.Listener(listener)
	if secure != nil {
		listener = tls.NewListener(listener, secure)
		s.http.ErrorLog = log.New(exceptHandshakes{}, "", 0)
	}
	s.serving.Go(func() { s.http.Serve(listener) })
	return s, nil
}

// exceptHandshakes writes what net/http logs to the standard log, but for clients that got no connection with TLS, as where they ask for
// a name that no server has: Envoy counts those, and logs nothing.
type exceptHandshakes struct{}

// Write writes one line.
func (exceptHandshakes) Write(line []byte) (int, error) {
	if !bytes.HasPrefix(line, []byte("http: TLS handshake error")) {
		log.Print(string(line))
	}
	return len(line), nil
}

// close stops the server: it frees the port, cuts the connections, ends the contexts of their requests, and waits until the
// handlers have returned.
func (s *server) close() {
	s.http.Close()
	s.serving.Wait()
	s.open.Wait()
}
