package reports

import (
	"fmt"
	"math"
	"strings"

	"github.com/hellochaos/hellochaos/reports/page"
)

const (
	checkWidth = 350.0
	checkLeft  = 52.0 // the left end of the plot; the names of the phases stand before it
	checkRight = checkWidth - 14
)

// phaseMeasurement is a check's measurement with the name of its phase.
type phaseMeasurement struct {
	phase string
	*Measurement
}

func (c *Check) sides() []phaseMeasurement {
	return []phaseMeasurement{{"before", c.Before}, {"after", c.After}}
}

// checkPicture draws a check's prediction, band and interval, before and after, on one axis. Of a ledger it draws the lines.
func checkPicture(id string, c *Check) *page.Picture {
	if c.Kind == Ledger {
		return ledgerPicture(id, c)
	}
	p := &page.Picture{ID: id, Title: c.Name + ": predicted and measured, before and after", Width: checkWidth, Height: 70}
	where, any := checkScale(c)
	if any {
		p.Axis(where, 4, 52, 44, func(v float64) string {
			if c.Unit == "seconds" {
				return duration(v)
			}
			return Probability(v)
		})
	}
	var words []string
	for i, side := range c.sides() {
		y := 16 + 24*float64(i)
		p.Text("label end", checkLeft-10, y+4, side.phase)
		words = append(words, side.phase+": "+drawMeasurement(p, c, side, where, y))
	}
	p.Desc = strings.Join(words, ". ") + "."
	return p
}

// checkScale returns the scale from 0 to 1 for shares. For times it returns a logarithmic scale that has room for all numbers of the
// check, since bands of times are ratios.
func checkScale(c *Check) (s page.Scale, any bool) {
	if c.Unit != "seconds" {
		return page.Scale{Lo: 0, Hi: 1, From: checkLeft, To: checkRight}, true
	}
	var values []float64
	for _, m := range c.sides() {
		if m.Measurement == nil {
			continue
		}
		values = append(values, m.Predicted, m.Band.Lo, m.Band.Hi)
		if m.Measured != nil {
			values = append(values, *m.Measured)
		}
		if m.Interval != nil {
			values = append(values, m.Interval.Lo, m.Interval.Hi)
		}
	}
	return page.Logarithmic(values, checkLeft, checkRight)
}

// drawMeasurement draws one phase's line, and returns in words what it shows.
func drawMeasurement(p *page.Picture, c *Check, m phaseMeasurement, where page.Scale, y float64) string {
	switch {
	case m.Measurement == nil:
		p.Text("note", checkLeft, y+4, "not checked")
		return "not checked"
	case m.Measured == nil && (m.N == 0 && c.Kind != Median):
		p.Text("note", checkLeft, y+4, "no data")
		return "no data"
	}
	if m.Band.Lo < m.Band.Hi {
		p.Rectangle("band", where.At(m.Band.Lo), y-9, where.At(m.Band.Hi)-where.At(m.Band.Lo), 18)
	}
	p.Line("prediction", where.At(m.Predicted), y-9, where.At(m.Predicted), y+9)
	words := fmt.Sprintf("predicted %s, tolerated %s to %s, ", value(c, m.Predicted), value(c, m.Band.Lo), value(c, m.Band.Hi))
	if m.Measured == nil {
		p.Text("note", checkLeft, y+4, "no data")
		return words + "no data"
	}
	if m.Interval != nil {
		p.Bracket("interval "+m.phase, where.At(m.Interval.Lo), where.At(m.Interval.Hi), y, 4)
	}
	p.Disc("point "+m.phase, where.At(*m.Measured), y, 4)
	words += fmt.Sprintf("measured %s", value(c, *m.Measured))
	if m.Interval != nil {
		words += fmt.Sprintf(", interval %s to %s", value(c, m.Interval.Lo), value(c, m.Interval.Hi))
	}
	return words
}

// count returns the line below a measured value: the number of trials or values.
func count(c *Check, m *Measurement) string {
	switch {
	case m == nil || m.Measured == nil || c.Kind == Ledger || c.Kind == Exact || m.Band.Lo == m.Band.Hi:
		return "" // The cell itself has the number.
	case c.Kind == Median:
		return fmt.Sprintf("n %d", m.N)
	}
	return fmt.Sprintf("%d of %d", m.K, m.N)
}

// product explains a predicted share of failed calls as a product. A call fails when all of its tries fail, so the fail probability
// is multiplied by itself as often as there are tries. It is empty where the prediction has another reason.
func product(r *Report, s *Stage, c *Check) string {
	if c.Kind != Proportion || c.After == nil || r.Settings.Fail <= 0 || r.Settings.Fail >= 1 || r.Settings.Hang > 0 {
		return ""
	}
	for _, policy := range s.Policies {
		tries := 1 + policy.Retries
		if policy.Hop != c.Hop || !policy.Covers500 || tries < 2 || tries > 6 || policy.Aborts > 0 || policy.Answer > 0 {
			continue
		}
		if p := math.Pow(r.Settings.Fail, float64(tries)); math.Abs(p-c.After.Predicted) < 1e-9 {
			each := Probability(r.Settings.Fail)
			return strings.Repeat(each+" × ", tries-1) + each + " = " + Probability(p)
		}
	}
	return ""
}
