package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
)

const (
	distributionWidth = 1080.0
	distributionLeft  = 132.0
	distributionRight = 780.0
	distributionRow   = 46.0
	distributionBins  = 20 // in a decade; the bins of the report are narrower than a pixel
)

// binned returns the number of requests in the bins.
func binned(bins []reports.Bin) (n int64) {
	for _, b := range bins {
		n += b[1]
	}
	return n
}

// binQuantile returns the q-quantile of latencies in seconds, as the lowest latency of the bin that it is in. It is 0 without data.
func binQuantile(bins []reports.Bin, q float64) float64 {
	sorted := slices.Clone(bins)
	slices.SortFunc(sorted, func(a, b reports.Bin) int { return cmp.Compare(a[0], b[0]) })
	rank := int64(math.Ceil(q * float64(binned(bins))))
	for _, b := range sorted {
		if rank -= b[1]; rank <= 0 {
			return float64(max(b[0], 1)) / 1e6
		}
	}
	return 0
}

// distribution is the answers with one outcome after one number of tries, in a phase and in the one before it.
type distribution struct {
	Outcome string
	Tries   int
	Bins    [][]reports.Bin // by phase; empty where the phase has no such answer
	classes []string        // "before" or "now", by phase
}

// Label returns the name of the row.
func (d distribution) Label() string {
	tries := fmt.Sprintf("%d tries", d.Tries)
	switch d.Tries {
	case 0:
		tries = "tries unknown"
	case 1:
		tries = "1 try"
	}
	return d.Outcome + ", " + tries
}

// distributions returns the distributions of a phase and of the one before it, those with the same outcome and number of tries together. Good
// answers come first, and then fewer tries.
func distributions(pair []side) []distribution {
	var all []distribution
	for i, p := range pair {
		for _, d := range p.Distributions {
			at := slices.IndexFunc(all, func(o distribution) bool { return o.Outcome == d.Outcome && o.Tries == d.Tries })
			if at < 0 {
				at = len(all)
				all = append(all, distribution{Outcome: d.Outcome, Tries: d.Tries, Bins: make([][]reports.Bin, len(pair))})
				for _, p := range pair {
					all[at].classes = append(all[at].classes, p.Class)
				}
			}
			all[at].Bins[i] = append(all[at].Bins[i], d.Bins...)
		}
	}
	slices.SortFunc(all, func(a, b distribution) int {
		return cmp.Or(-cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Tries, b.Tries))
	})
	return all
}

// distributionPicture draws a row for each outcome and number of tries, all on one logarithmic axis of time. An area shows for each
// bin the share of those answers of its phase that are in the row, so the areas of a row can be compared.
func distributionPicture(id string, rows []distribution) *page.Picture {
	p := &page.Picture{ID: id, Title: "latencies by outcome and number of tries", Width: distributionWidth,
		Height: distributionRow*float64(len(rows)) + 30}
	var ends []float64
	for _, row := range rows {
		for _, bins := range row.Bins {
			for _, b := range bins {
				ends = append(ends, float64(max(b[0], 1))/1e6)
			}
		}
	}
	where, any := page.Logarithmic(ends, distributionLeft, distributionRight)
	if !any {
		return nil
	}
	p.Axis(where, 4, p.Height-24, 46, Duration)
	var words []string
	for i, row := range rows {
		bottom := distributionRow*float64(i+1) + 2
		p.Text("label end", distributionLeft-10, bottom-8, row.Label())
		p.Line("frame", distributionLeft, bottom, distributionRight, bottom)
		words = append(words, row.Label()+": "+strings.Join(drawDistribution(p, row, where, bottom), ", "))
	}
	p.Desc = strings.Join(words, "; ") + "."
	return p
}

// drawDistribution draws a row above bottom, and returns in words what it shows of each phase.
func drawDistribution(p *page.Picture, row distribution, where page.Scale, bottom float64) []string {
	peak := 0.0
	shares := make([][]float64, len(row.Bins))
	for i, bins := range row.Bins {
		shares[i] = binShares(bins, where)
		for _, share := range shares[i] {
			peak = max(peak, share)
		}
	}
	var all []string
	for i, bins := range row.Bins {
		words := row.classes[i] + " none"
		if n := binned(bins); n > 0 {
			p.Draw("area "+row.classes[i], areaPath(shares[i], peak, where, bottom))
			words = fmt.Sprintf("%s n %d, median %s", row.classes[i], n, Duration(binQuantile(bins, 0.5)))
		}
		all = append(all, words)
	}
	for i, bins := range row.Bins { // The medians are drawn after all areas, which would cover them.
		if binned(bins) > 0 {
			x := where.At(binQuantile(bins, 0.5))
			p.Line("middle-of "+row.classes[i], x, bottom-distributionRow+10, x, bottom)
		}
	}
	for i, words := range all {
		p.Text("label", distributionRight+14, bottom-distributionRow+24+page.LineHeight*float64(i), words)
	}
	return all
}

// binEdge returns the latency at which bin i of the picture begins.
func binEdge(i int, where page.Scale) float64 {
	return where.Lo * math.Pow(10, float64(i)/distributionBins)
}

// binShares sums the report's bins into those of the picture.
func binShares(bins []reports.Bin, where page.Scale) []float64 {
	shares := make([]float64, 1+int(math.Ceil(distributionBins*math.Log10(where.Hi/where.Lo))))
	n := float64(binned(bins))
	for _, b := range bins {
		v := float64(max(b[0], 1)) / 1e6
		i := int(distributionBins * math.Log10(v/where.Lo))
		shares[min(max(i, 0), len(shares)-1)] += float64(b[1]) / n
	}
	return shares
}

// areaPath returns the outline of a histogram.
func areaPath(shares []float64, peak float64, where page.Scale, bottom float64) string {
	var path strings.Builder
	level := 0.0
	for i, share := range append(shares, 0) {
		if share == level {
			continue
		}
		x := page.Pixels(where.At(binEdge(i, where)))
		if level == 0 { // No line is drawn along empty bins.
			path.WriteString("M" + x + " " + page.Pixels(bottom) + "V" + page.Pixels(bottom-(distributionRow-12)*share/peak))
		} else {
			path.WriteString("H" + x + "V" + page.Pixels(bottom-(distributionRow-12)*share/peak))
		}
		level = share
	}
	return path.String()
}
