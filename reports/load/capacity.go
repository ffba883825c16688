package load

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/reports/terminal"
)

// CapacitySchema is what Capacity.Schema has.
const CapacitySchema = "hellochaos capacity 1"

// Capacity is what came of a search for the highest rate at which expectations hold. Rates are requests a second, times are seconds.
type Capacity struct {
	Schema  string   `json:"schema"`
	Version string   `json:"version"` // of hellochaos
	Target  string   `json:"target"`
	Expect  []string `json:"expectations"`
	// From and To are the rates between which was searched, and Resolution is how far apart the highest rate that held and the lowest one that
	// did not are at the end, as a share of the rate.
	From       float64 `json:"from"`
	To         float64 `json:"to"`
	Resolution float64 `json:"resolution"`
	// Held is the highest rate at which the expectations held, and Broke the lowest one above it at which they did not. Held is nil where they did
	// not hold at From, and Broke is nil where they held at To.
	Held  *float64 `json:"held,omitempty"`
	Broke *float64 `json:"broke,omitempty"`
	// Undecided says why the search ended before it was decided; empty: it was decided.
	Undecided string `json:"undecided,omitempty"`
	Steps     []Step `json:"steps"` // in the order in which they were sent
}

// Step is an attack of the search at one rate.
type Step struct {
	Rate    float64         `json:"rate"`
	Seconds float64         `json:"seconds"` // planned
	Verdict reports.Verdict `json:"verdict"`
	Why     string          `json:"why,omitempty"` // it is no pass
	OK      float64         `json:"ok"`            // good answers a second
	Failed  float64         `json:"failed"`        // the share of requests without a good answer
	P50     float64         `json:"p50"`
	P99     float64         `json:"p99"`
}

// ExitCode is that of the search: 0 a rate was found, 1 the expectations do not hold at the lowest one, 3 it is not decided.
func (c *Capacity) ExitCode() int {
	switch {
	case c.Undecided != "":
		return reports.ExitInconclusive
	case c.Held == nil:
		return reports.ExitFail
	}
	return reports.ExitPass
}

// headline is the first line.
func (c *Capacity) headline() (word string, of terminal.Colour, text string) {
	switch {
	case c.Undecided != "":
		return "UNDECIDED", terminal.Yellow, c.Undecided
	case c.Held == nil:
		return "NONE", terminal.Red, fmt.Sprintf("the expectations do not hold at %s/s, the lowest rate of the search", perSecond(c.From))
	case c.Broke == nil:
		return "AT LEAST", terminal.Green, fmt.Sprintf("%s/s: the expectations hold at the highest rate of the search", perSecond(*c.Held))
	}
	return "CAPACITY", terminal.Green, fmt.Sprintf("%s/s: the expectations hold there, and not at %s/s", perSecond(*c.Held), perSecond(*c.Broke))
}

// Text writes the search for people: what was found, and the curve of latency against rate.
func (c *Capacity) Text(w io.Writer, colour bool) error {
	t := &terminal.Text{Coloured: colour}
	t.Headline(c.headline())
	t.Paragraph(c.Target, "")
	for _, text := range c.Expect {
		t.Paragraph(text, "  expected: ")
	}
	t.Blank()
	steps := slices.Clone(c.Steps)
	slices.SortStableFunc(steps, func(a, b Step) int { return int(100 * (a.Rate - b.Rate)) })
	var rows [][]string
	for i := range steps {
		s := &steps[i]
		rows = append(rows, []string{perSecond(s.Rate) + "/s", string(s.Verdict), perSecond(s.OK) + "/s", render.Percent(s.Failed), render.Duration(s.P50), render.Duration(s.P99), s.Why})
	}
	t.Table([]string{"rate", "verdict", "good answers", "failed", "p50", "p99", ""}, terminal.Group{Rows: rows})
	_, err := io.WriteString(w, t.String())
	return err
}

// JSON writes the search.
func (c *Capacity) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(c)
}
