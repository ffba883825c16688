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

// serveMetrics starts a server for the metrics of a plan before the plan is executed. Without an address it returns nil.
func serveMetrics(address string, plan *scenario.Run, stderr io.Writer) (*served, error) {
	if address == "" {
		return nil, nil
	}
	s := &served{run: metrics.New(version())}
	var err error
	if s.server, err = metrics.Serve(address, s.run); err != nil {
		return nil, err
	}
	plan.Subscribe(s.run.Handle)
	fmt.Fprintf(stderr, "metrics of the run: %s\n", s.server.URL)
	return s, nil
}

func (s *served) close(stderr io.Writer) {
	if s == nil {
		return
	}
	if err := s.server.Close(); err != nil {
		fmt.Fprintf(stderr, "hellochaos: %v\n", err)
	}
}
