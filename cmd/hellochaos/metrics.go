package main

import (
	"fmt"
	"io"

	"github.com/hellochaos/hellochaos/metrics"
	scenario "github.com/hellochaos/hellochaos/scenarios/run"
)

// served is a server with the metrics of a run. It is nil for a run without --metrics-addr.
type served struct {
	run    *metrics.Run
	server *metrics.Server
}

// serveMetrics starts a server for the metrics of runs before the first one. Without an address it returns nil.
func serveMetrics(address string, stderr io.Writer) (*served, error) {
	if address == "" {
		return nil, nil
	}
	s := &served{run: metrics.New(version())}
	var err error
	if s.server, err = metrics.Serve(address, s.run); err != nil {
		return nil, err
	}
	fmt.Fprintf(stderr, "metrics of the run: %s\n", s.server.URL)
	return s, nil
}

// watch serves the metrics of a run from its beginning, in place of those of the run before.
func (s *served) watch(plan *scenario.Run) {
	if s != nil {
		plan.Subscribe(s.run.Handle)
	}
}

func (s *served) close(stderr io.Writer) {
	if s == nil {
		return
	}
	if err := s.server.Close(); err != nil {
		fmt.Fprintf(stderr, "hellochaos: %v\n", err)
	}
}
