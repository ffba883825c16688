package main

import (
	"fmt"
	"io"

	"github.com/hellochaos/hellochaos/metrics"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
)

// served are a run's metrics while they are served; the nil is of a run that serves none.
type served struct {
	run    *metrics.Run
	server *metrics.Server
}

// serveMetrics begins to serve the metrics of a plan that is to be executed; with no address it does nothing.
func serveMetrics(address string, plan *scenarios.Run, stderr io.Writer) (*served, error) {
	if address == "" {
		return nil, nil
	}
	s := &served{run: metrics.New(version())}
	var err error
	if s.server, err = metrics.Serve(address, s.run); err != nil {
		return nil, err
	}
	plan.Observe(s.run.Observer())
	fmt.Fprintf(stderr, "metrics: %s\n", s.server.URL)
	return s, nil
}

// ended shows the report's verdict until the program ends.
func (s *served) ended(report *reports.Report) {
	if s != nil {
		s.run.Ended(report)
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
