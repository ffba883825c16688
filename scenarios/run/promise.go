package run

import (
	"slices"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/check"
)

// promise prepares what the scenario's own objects imply, where the user replaced some of them.
func (p *planned) promise() error {
	if p.Promised == nil {
		return nil
	}
	own := scenarios.Phase{Name: p.Name, Objects: p.Promised, Cohorts: p.Cohorts}
	p.promised = &planned{Phase: &own, options: p.options}
	return p.promised.read(nil)
}

// compared notes beside each prediction what the scenario's own manifests imply, and whether that differs.
func (p *planned) compared(done *reports.Phase) {
	if p.promised == nil {
		return
	}
	own := p.promised.predictions
	for i, share := range check.PredictedShares(own) {
		p.note(done, &done.Shares[i], share.Predicted)
	}
	leading := p.promised.leading()
	for i := range done.Calls {
		c := &done.Calls[i]
		for _, row := range p.promised.inwards {
			of := &p.promised.ways.Rows[row]
			if of.Caller != c.From || !reports.SameService(check.Service(of), c.To) || !slices.Equal(leading[row], c.Cohorts) {
				continue
			}
			if p.promised.shown(row) > 0 {
				fails, _ := check.PredictedFails(own, row)
				p.note(done, &c.Fails, fails)
			}
			if c.Split != nil && !c.Split.Balanced {
				promised := check.PredictedSplit(of)
				for j := range c.Split.Parts {
					part := &c.Split.Parts[j]
					p.note(done, &part.Share, promised[part.Name])
				}
			}
		}
	}
}

// note notes what is promised of a share.
func (p *planned) note(done *reports.Phase, s *reports.Share, promised float64) {
	s.Promised = &promised
	done.PromiseBroken = done.PromiseBroken || s.OffPromise()
}
