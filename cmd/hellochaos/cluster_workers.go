package main

import (
	"context"
	"fmt"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/attack/share"
	"github.com/hellochaos/hellochaos/reports/render"
	scenario "github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/target/cluster"
)

var (
	_ share.Crew = (*localCrew)(nil)
	_ share.Crew = (*cluster.Crew)(nil)
)

// sendersOn are the workers of a run on a cluster.
func sendersOn(on *cluster.Run) *scenario.Senders {
	team := &share.Team{Crew: on.Crew()}
	return &scenario.Senders{
		Address: on.Inside,
		Run: func(ctx context.Context, plan attack.Plan, observe func(*attack.Observation) bool) (attack.Result, string, error) {
			result, outcomes, err := team.Run(ctx, plan, nil, observe)
			note := ""
			if least, most, ok := share.Clocks(outcomes); ok {
				note = fmt.Sprintf("%d workers in the cluster sent the requests; their clocks are between %s and %s of this machine's", len(outcomes), apart(least), apart(most))
			}
			return result, note, err
		},
	}
}

// apart says how far a clock is ahead of another one.
func apart(d time.Duration) string {
	if d < 0 {
		return render.Duration(-d.Seconds()) + " behind"
	}
	return render.Duration(d.Seconds()) + " ahead"
}
