package compare

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

// A change that lost no call and loses some is worse, and one that is not measured any more is told.
func TestChangesUnderLoad(t *testing.T) {
	hitless := reporttest.Changed()
	for i := range hitless.Changes {
		hitless.Changes[i].Verdict, hitless.Changes[i].Lost = reports.Pass, 0
	}
	missing := reporttest.Changed()
	missing.Changes = missing.Changes[:1]
	c := Of(hitless, missing, Options{})
	var rows []Row
	for _, r := range c.Rows {
		if strings.HasPrefix(r.Metric, "change ") {
			rows = append(rows, r)
		}
	}
	if len(rows) != 1 || rows[0].Word != Worse || rows[0].Phase != "retry" || rows[0].Metric != "change prod → retry" ||
		!strings.Contains(rows[0].Note, "OLD: 0 of 1458 calls lost, last old answer after 82 ms; NEW: 19 of 1458 calls lost") {
		t.Errorf("%+v", rows)
	}
	for _, gates := range []bool{true, false} {
		if !gates {
			c = Of(missing, hitless, Options{})
		}
		found := false
		for _, e := range c.Excluded {
			found = found || e.What == "the change retry → prod (put back)" && e.Phase == "retry" && e.Gates == gates
		}
		if !found {
			t.Errorf("excluded %+v, want the change that is put back, gates %v", c.Excluded, gates)
		}
	}
}
