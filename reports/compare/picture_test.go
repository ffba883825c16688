package compare

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports/page"
	"github.com/hellochaos/hellochaos/stats"
)

// An interval is drawn where its numbers are, in margins; one that reaches beyond the picture ends in an arrow.
func TestPicture(t *testing.T) {
	// 41.25 px are a margin, 175 is no difference.
	for _, c := range []struct {
		name       string
		kind       Kind
		difference float64
		interval   stats.Interval
		margin     float64
		want       string // the interval's path
		tells      string
	}{
		{"a share", Share, 0.05, stats.Interval{Lo: -0.05, Hi: 0.15}, 0.05, "M133.8 14L298.8 14M133.8 10L133.8 18M298.8 10L298.8 18", "−0.05 to +0.05 is the same. Difference +0.05, interval −0.05 to +0.15, unclear."},
		{"a time", Latency, 0.25, stats.Interval{Lo: -0.2, Hi: 0.5625}, 0.25, "M133.8 14L257.5 14M133.8 10L133.8 18M257.5 10L257.5 18", "−20% to +25% is the same. Difference +25%, interval −20% to +56%, unclear."},
		{"far away", Share, 0.9, stats.Interval{Lo: 0.8, Hi: 1}, 0.05, "M324 14L340 14M334 10L340 14L334 18", "interval +0.8 to +1"},
		{"far below", Share, -0.9, stats.Interval{Lo: -1, Hi: -0.8}, 0.05, "M10 14L26 14M16 10L10 14L16 18", "interval −1 to −0.8"},
		{"both ways", Tries, 0, stats.Interval{Lo: -3, Hi: 3}, 0.05, "M10 14L340 14M16 10L10 14L16 18M334 10L340 14L334 18", "interval −3.00 to +3.00"},
	} {
		r := &Row{Metric: "m", Phase: "after", Kind: c.kind, Difference: &c.difference, Interval: &c.interval, Margin: c.margin, Word: Unclear}
		p := r.picture("x")
		var path, band string
		for _, m := range p.Marks {
			switch m.Class {
			case "interval inconclusive":
				path += m.Path
			case "band":
				band += m.Path
			}
		}
		if path != c.want || !strings.Contains(p.Desc, c.tells) {
			t.Errorf("%s: %s, want %s; %q, want %q", c.name, path, c.want, p.Desc, c.tells)
		}
		if want := "M133.8 3h82.5v22h-82.5z"; band != want {
			t.Errorf("%s: band %q, want %q", c.name, band, want)
		}
	}
	if p := (&Row{Difference: new(0.1), Margin: 0.05}).picture("x"); p != nil {
		t.Errorf("a picture without an interval: %+v", p)
	}
}

// inside asserts that a picture stays within its frame: every point of its shapes, and where its texts begin.
func inside(t *testing.T, p *page.Picture, what string) {
	t.Helper()
	for _, m := range p.Marks {
		if m.X < 0 || m.X > p.Width || strings.Contains(m.Path, "NaN") || strings.Contains(m.Path, "Inf") {
			t.Errorf("%s: %+v", what, m)
		}
		for _, point := range regexp.MustCompile(`[ML](-?[\d.]+) (-?[\d.]+)`).FindAllStringSubmatch(m.Path, -1) {
			x, _ := strconv.ParseFloat(point[1], 64)
			y, _ := strconv.ParseFloat(point[2], 64)
			if x < 0 || x > p.Width || y < 0 || y > p.Height {
				t.Errorf("%s: %s of %+v", what, point[0], m)
			}
		}
	}
}

// Whatever a report's numbers are, a picture stays within its frame.
func TestPictureStaysInside(t *testing.T) {
	extreme := []float64{0, 1e-300, 1e-9, 0.3, 1, 1e9, math.MaxFloat64}
	for _, kind := range []Kind{Share, Tries, Latency, Wait} {
		for _, d := range extreme {
			for _, margin := range extreme {
				low := -d
				if kind == Latency || kind == Wait {
					low = -d / (1 + d)
				}
				r := &Row{Kind: kind, Difference: &d, Interval: &stats.Interval{Lo: low, Hi: d}, Margin: margin, Word: Worse}
				if p := r.picture("x"); p != nil {
					inside(t, p, fmt.Sprintf("%s, difference %g, margin %g", kind, d, margin))
				}
			}
		}
	}
}
