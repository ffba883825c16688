package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// mostScrapes is how many scrapes are answered at the same time. A further one gets the status 503. A scrape that takes longer than
	// scrapeTimeout is ended.
	mostScrapes   = 4
	scrapeTimeout = 10 * time.Second
	// closeTimeout is how long Close waits for running scrapes.
	closeTimeout = time.Second
)

// CheckAddress returns an error where an address to listen on is not valid.
func CheckAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || port == "" {
		return fmt.Errorf("%s: must be HOST:PORT, such as 127.0.0.1:9464; with port 0 the system chooses a free port", address)
	}
	return nil
}

// Server serves a run's metrics at /metrics.
type Server struct {
	// URL is the address of the metrics.
	URL string

	server *http.Server
	ended  chan error
}

// Serve begins to serve the metrics of a run on an address, which CheckAddress must accept. The caller must Close the server.
func Serve(address string, run *Run) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serving metrics: %w: choose another address", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(run)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, MaxRequestsInFlight: mostScrapes, Timeout: scrapeTimeout,
	}))
	s := &Server{URL: "http://" + listener.Addr().String() + "/metrics", ended: make(chan error, 1), server: &http.Server{
		Handler: mux, ReadTimeout: scrapeTimeout, WriteTimeout: 2 * scrapeTimeout, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}}
	go func() { s.ended <- s.server.Serve(listener) }()
	return s, nil
}

// Close waits for running scrapes, for a second at most, and ends the server.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = s.server.Close()
	}
	if served := <-s.ended; err == nil && !errors.Is(served, http.ErrServerClosed) {
		err = served
	}
	if err != nil {
		return fmt.Errorf("serving metrics: %w", err)
	}
	return nil
}
