package run

import (
	"context"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target"
)

// Senders send the requests of phases in place of this process. What a phase sends to find out about single policies (package drill) leaves
// from this process all the same: there the pace of one sender, and its address, matter.
type Senders struct {
	// Run is attack.Run by others. note is a sentence about how they sent; "" where there is none.
	Run func(ctx context.Context, plan attack.Plan, observe func(*attack.Observation) bool) (result attack.Result, note string, err error)
	// Address is where they find an entry.
	Address func(context.Context, manifests.Entry) (target.Address, error)
}

// SendBy makes Execute send by others.
func (r *Run) SendBy(s *Senders) {
	for _, p := range r.phases {
		p.senders = s
	}
}

// address is where the requests of a phase find an entry.
func (p *planned) address(ctx context.Context, on target.Target, entry manifests.Entry) (target.Address, error) {
	if p.senders != nil {
		return p.senders.Address(ctx, entry)
	}
	return on.Address(ctx, entry)
}

// send sends the requests of a phase.
func (p *planned) send(ctx context.Context, plan attack.Plan, observe func(*attack.Observation) bool) (attack.Result, string, error) {
	if p.senders != nil {
		return p.senders.Run(ctx, plan, observe)
	}
	result, err := attack.Run(ctx, plan, observe)
	return result, "", err
}
