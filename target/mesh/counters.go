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

// countersPoll is how long Counters waits before it reads the services again.
const countersPoll = 5 * time.Millisecond

// Counters implements target.Target. It reads the services until two readings in a row are equal, with no try in flight and no
// call open at a proxy in both: while a try is between a proxy and a pod, no pod counts it as in flight.
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
			return nil, fmt.Errorf("waiting until no call is under way, with %d tries in flight and %d calls open: %w", inFlight, open, ctx.Err())
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

// readCounters reads the counters of every pod once.
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

// get sends GET path to the app of a pod, through no proxy, and passes the body of the answer to read.
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
