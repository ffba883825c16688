package compare

import (
	"math"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// tries compares the amplification of each hop. A request causes at most as many tries as the policies on its way allow. The mean number
// of tries divided by that maximum has at most the variance of a share, so it is compared as a share.
func (p *pair) tries() {
	for i := range p.oldStage.Amplification {
		hop := p.oldStage.Amplification[i].Hop
		a, b := factor(p.oldStage, hop, p.phase), factor(p.newStage, hop, p.phase)
		if a == nil || b == nil || a.Requests <= 0 || b.Requests <= 0 || a.Tries < 0 || b.Tries < 0 {
			continue
		}
		r := p.row(hop+" tries/request", Tries)
		r.Old, r.New = Value{Value: &a.Measured, K: a.Tries, N: a.Requests}, Value{Value: &b.Measured, K: b.Tries, N: b.Requests}
		r.identical = a.Tries == b.Tries && a.Requests == b.Requests
		most := math.Ceil(max(mostTries(p.oldStage, hop), mostTries(p.newStage, hop), float64(a.Tries)/float64(a.Requests), float64(b.Tries)/float64(b.Requests)))
		n1, n2 := float64(a.Requests), float64(b.Requests)
		k1, k2 := float64(a.Tries)/most, float64(b.Tries)/most
		d := stats.Newcombe(k1, n1, k2, n2, intervalAlpha)
		r.show(test{
			difference: stats.Estimate{Value: most * d.Value, Interval: stats.Interval{Lo: most * d.Interval.Lo, Hi: most * d.Interval.Hi}},
			margin:     p.c.Margin * max(1, a.Measured), p: stats.TwoProportions(k1, n1, k2, n2),
		}, false)
		p.add(r)
	}
}

func factor(s *reports.Stage, hop, phase string) *reports.Factor {
	for i := range s.Amplification {
		switch a := &s.Amplification[i]; {
		case a.Hop != hop:
		case phase == "before":
			return a.Before
		default:
			return a.After
		}
	}
	return nil
}

// mostTries returns how many tries of a hop one request can cause at most, by the policies of this hop and of those before it.
func mostTries(s *reports.Stage, hop string) float64 {
	most := 1.0
	for _, policy := range s.Policies {
		most *= float64(1 + max(0, policy.Retries))
		if policy.Hop == hop {
			break
		}
	}
	return most
}
