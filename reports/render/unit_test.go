package render

import (
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

func TestUnitKnown(t *testing.T) {
	for _, c := range []struct {
		split       reports.Split
		by, written string
	}{
		{reports.Split{Unit: reports.ByRequest, UnitFrom: reports.UnitOfRule}, "by request", "Drawn by request, as rules for HTTP are."},
		{reports.Split{Unit: reports.ByRequest, UnitFrom: reports.UnitMeasured}, "by request", "Drawn by request: calls of one connection went different ways."},
		{reports.Split{Unit: reports.ByConnection, UnitFrom: reports.UnitMeasured}, "by connection", "Drawn by connection: all calls of each connection went the same way."},
		{reports.Split{}, "unit unknown", "Whether the mesh drew for each request or for each connection is not known."},
	} {
		if by, written := byUnit(&c.split), unitKnown(&c.split); by != c.by || written != c.written {
			t.Errorf("%+v: %q, %q; want %q, %q", c.split, by, written, c.by, c.written)
		}
	}
}
