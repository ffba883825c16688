package check_test

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// The unit of a split is measured where connections are known, and else that of the rule.
func TestUnit(t *testing.T) {
	for name, c := range map[string]struct {
		draws observe.Draws
		route string
		unit  reports.SplitUnit
		from  reports.UnitSource
	}{
		"no connection is known":               {observe.Draws{}, toBoth, reports.ByRequest, reports.UnitOfRule},
		"one went another way":                 {observe.Draws{Followed: 9, Switched: 1, Several: true}, toBoth, reports.ByRequest, reports.UnitMeasured},
		"none of few":                          {observe.Draws{Followed: 20, Several: true}, toBoth, reports.ByRequest, reports.UnitOfRule},
		"none of many":                         {observe.Draws{Followed: 40, Several: true}, toBoth, reports.ByConnection, reports.UnitMeasured},
		"none of many, and only one was drawn": {observe.Draws{Followed: 40}, toBoth, reports.ByRequest, reports.UnitOfRule},
		"none of many, of parts alike":         {observe.Draws{Followed: 40, Several: true}, strings.ReplaceAll(toBoth, "canary", "prod"), reports.ByRequest, reports.UnitOfRule},
	} {
		p := newPhase(t, "prod", virtualService(c.route, ""), oracle.Request{})
		row, _ := p.row("middleware")
		row.Draws = c.draws
		if got := p.judged("middleware").Split; got.Unit != c.unit || got.UnitFrom != c.from {
			t.Errorf("%s: %s by %s, want %s by %s", name, got.Unit, got.UnitFrom, c.unit, c.from)
		}
	}
}
