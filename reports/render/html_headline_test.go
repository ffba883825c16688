package render

import (
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

// The figures at the top are those of the report, and what it does not have is left out.
func TestHeadlineFigures(t *testing.T) {
	share, any, tries := 0.25, 0.75, int64(450)
	before := &reports.Phase{Natural: 200, Shares: []reports.Share{{Name: reports.EdgeFails, Measured: &share}}}
	now := &reports.Phase{Natural: 300, Latency: good(0.027, 0.026, 0.028, 0.157),
		Shares: []reports.Share{{Name: "any of ours fails", Measured: &any}, {Name: reports.EdgeFails, Measured: &share}},
		Edges:  []reports.Edge{{To: "frontend", Tries: &tries}, {To: "clock"}, {To: "backend", Tries: &tries}}}
	h := newHeadlines([]phaseView{{Phase: now, Former: before, number: 1}})[0]
	if h.Edge != (figure{"0.25", "0.25"}) || h.Tries != (figure{"", "3.00"}) || h.Median != (figure{"", "27ms"}) || h.P99 != (figure{"", "157ms"}) {
		t.Errorf("edge %v, tries %v, median %v, 99th percentile %v", h.Edge, h.Tries, h.Median, h.P99)
	}
	if h := newHeadlines([]phaseView{{Phase: before}})[0]; h.Tries != (figure{}) || h.Median != (figure{}) {
		t.Errorf("without counts: %v, %v", h.Tries, h.Median)
	}
}
