package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/target"
)

// countersPoll is how long Counters waits between two looks at tries that are in flight.
const countersPoll = 5 * time.Millisecond

// Counters implements target.Target. It takes what two looks in a row agree on, with no try in flight and no call open at
// a proxy in either: a try may be on the wire while no pod has it.
func (m *Mesh) Counters(ctx context.Context) (target.Counters, error) {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	var last target.Counters
	var inFlight, open int64
	settled := false
	for {
		counters, tries, err := m.readCounters(ctx)
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("reading counters, %d tries in flight and %d calls open: %w", inFlight, open, ctx.Err())
		case err != nil:
			return nil, err
		}
		inFlight, open = tries, m.openCalls()
		quiet := inFlight == 0 && open == 0
		if settled && quiet && slices.Equal(counters, last) {
			return counters, nil
		}
		last, settled = counters, quiet
		wait(ctx, countersPoll)
	}
}

// openCalls is how many calls are under way at all proxies.
func (m *Mesh) openCalls() (open int64) {
	for _, proxy := range m.proxies() {
		open += proxy.open.Load()
	}
	return open
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

func (p *pod) readCounters(ctx context.Context) (counters target.Counters, inFlight int64, err error) {
	err = p.get(ctx, "/metrics", func(body io.Reader) error {
		counters, inFlight, err = target.ReadCounters(body)
		return err
	})
	return counters, inFlight, err
}

// get asks a pod's app, past every proxy, and hands over its answer's body.
func (p *pod) get(ctx context.Context, path string, read func(body io.Reader) error) error {
	response, err := p.metrics.send(ctx, &outgoing{method: http.MethodGet, path: path, host: p.server.address}, 0)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", path, response.Status)
	}
	return read(response.Body)
}
