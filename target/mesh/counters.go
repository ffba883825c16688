package mesh

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/target"
)

// countersPoll is how long Counters waits between two looks at tries that are in flight.
const countersPoll = 5 * time.Millisecond

// Counters implements target.Target. It takes what two looks in a row agree on, with nothing in flight in either: a
// try may be on the wire while no pod has it.
func (m *Mesh) Counters(ctx context.Context) (target.Counters, error) {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	var last target.Counters
	settled := false
	for {
		counters, inFlight, err := m.readCounters(ctx)
		if err != nil {
			return nil, err
		}
		if settled && inFlight == 0 && slices.Equal(counters, last) {
			return counters, nil
		}
		last, settled = counters, inFlight == 0
		if !wait(ctx, countersPoll) {
			return nil, fmt.Errorf("reading counters, %d tries in flight: %w", inFlight, ctx.Err())
		}
	}
}

// readCounters is one look at every pod.
func (m *Mesh) readCounters(ctx context.Context) (all target.Counters, inFlight int64, err error) {
	var problems []error
	for name, d := range m.pods {
		for _, pod := range d.pods {
			counters, tries, err := pod.readCounters(ctx)
			if err != nil {
				problems = append(problems, fmt.Errorf("reading the counters of Deployment %s: %w", name.name, err))
			}
			all, inFlight = append(all, counters...), inFlight+tries
		}
	}
	return all.Total(), inFlight, errors.Join(problems...)
}

func (p *pod) readCounters(ctx context.Context) (target.Counters, int64, error) {
	response, err := p.metrics.send(ctx, &outgoing{method: http.MethodGet, path: "/metrics", host: p.server.address}, 0)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("/metrics answered %s", response.Status)
	}
	return target.ReadCounters(response.Body)
}
