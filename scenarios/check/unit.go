package check

import (
	"math"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/observe"
)

// unit says what the mesh draws a part for, and how that is known. Calls of one connection that went different ways show that it is each request.
// Where none did although so many followed others that chance does not explain it, it is each connection. Else it follows from the rule: all rules
// that are read are for HTTP, for which Envoy chooses the cluster, and whether a fault strikes, for each request (RouteEntryImplBase::clusterEntry
// has the random value of a stream), and an endpoint for each try. most is the largest share of a part, 0 where the shares are not known.
func unit(seen *observe.Draws, most float64) (reports.SplitUnit, reports.UnitSource) {
	switch {
	case seen.Switched > 0:
		return reports.ByRequest, reports.UnitMeasured
	case seen.Several && most > 0 && math.Pow(most, float64(seen.Followed)) < Risk:
		return reports.ByConnection, reports.UnitMeasured
	}
	return reports.ByRequest, reports.UnitOfRule
}

// largest is the largest share of the parts of a split.
func (s *Split) largest() (share float64) {
	for _, p := range s.parts {
		share = max(share, p.share)
	}
	return share
}
