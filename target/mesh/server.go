package mesh

import (
	"fmt"
	"net"
	"net/http"
	"sync"
)

// server is one HTTP server on a free port of the loopback interface, which can be ended without leaving a
// goroutine behind.
type server struct {
	address string
	http    http.Server
	serving sync.WaitGroup // the accepting goroutine
	open    sync.WaitGroup // connections, a goroutine each
}

// serve starts a server for handler.
func serve(handler http.Handler) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening on the loopback interface: %w", err)
	}
	s := &server{address: listener.Addr().String()}
	s.http = http.Server{
		Handler: handler,
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.open.Add(1)
			case http.StateClosed, http.StateHijacked:
				s.open.Done()
			}
		},
	}
	s.serving.Go(func() { s.http.Serve(listener) })
	return s, nil
}

// close ends the server: its port is free, its connections are cut, the contexts of their requests end, and their
// handlers have returned.
func (s *server) close() {
	s.http.Close()
	s.serving.Wait()
	s.open.Wait()
}
