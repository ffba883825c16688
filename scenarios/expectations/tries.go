package expectations

import (
	"fmt"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// tries are the tries that a service receives for each request. Requests that were derived from rules are as many as the rules ask for, so
// that those of one rule are counted alone: there a request is a call.
func tries(r *reports.Report, p *reports.Phase, w *Wanted) (all []number) {
	rows := leading(p, w.Service)
	for _, c := range rows {
		n := number{of: of(p, c, len(rows))}
		most := float64(w.most(c.To))
		switch {
		case r.Scenario.Derived && c.MeanTries > 0:
			n.predict(c.MeanTries, c.Fails.PredictedError)
			if c.Tries != nil && c.Fails.N > 0 {
				n.mean(c.Tries.Tries, c.Fails.N, most)
			} else {
				n.each([]*reports.Call{c})
			}
		case !r.Scenario.Derived && c.Tries != nil:
			n.predict(c.Tries.Predicted, c.Tries.PredictedError)
			n.mean(c.Tries.Tries, c.Tries.Requests, most)
		case r.Scenario.Derived:
			continue // calls that nobody of ours answers
		default:
			n.absent = fmt.Sprintf("its tries are counted together, and %d rules lead there", len(rows))
		}
		all = append(all, n)
	}
	return all
}

// mean notes how many tries were counted for so many requests, each of which may lead to most.
func (n *number) mean(counted, requests int64, most float64) {
	if n.n = requests; requests == 0 {
		n.absent = "no natural request was sent"
		return
	}
	measured := float64(counted) / float64(requests)
	interval := stats.Hoeffding(measured, max(most, measured), requests, Risk)
	n.measured, n.interval = &measured, &interval
}

// most is the most tries that one request can lead to at a service, at least 1.
func (w *Wanted) most(to string) (most int) {
	most = 1
	for service, n := range w.Most {
		if Leads(service, to) {
			most = max(most, n)
		}
	}
	return most
}

// worstTries is the most tries that one request can lead to at a service, or at any. Nothing measures it: it holds as far as the calls met
// their rules.
func worstTries(p *reports.Phase, w *Wanted) []number {
	n, most := number{}, 0
	for service, tries := range w.Most {
		if (w.Service == "" || Leads(service, w.Service)) && (tries > most || tries == most && service < n.of) {
			n.of, most = service, tries
		}
	}
	n.predict(float64(most), 0)
	var rows []*reports.Call
	for i := range p.Calls {
		rows = append(rows, &p.Calls[i])
	}
	n.each(rows)
	return []number{n}
}
