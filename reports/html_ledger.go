package reports

import (
	"fmt"
	"strings"

	"github.com/hellochaos/hellochaos/reports/page"
)

const (
	ledgerLeft = checkLeft
	ledgerBar  = 96.0 // the length of the longest bar
	ledgerRow  = 17.0
)

// ledgerPicture draws the lines of a retry ledger: for each attempt count, how many tries the service received, and how many of them
// the policy retries. The bar of the next line must be as long as the part that is retried: a dashed line leads down from its end.
func ledgerPicture(id string, c *Check) *page.Picture {
	p := &page.Picture{ID: id, Title: c.Name + ": tries that were received and tries that must be sent again, by attempt count", Width: checkWidth}
	var words []string
	y := 4.0
	for _, side := range c.sides() {
		var desc string
		y, desc = drawLedger(p, c, side, y)
		words = append(words, side.phase+": "+desc)
	}
	p.Height = y + 4
	p.Desc = strings.Join(words, ". ") + "."
	return p
}

// drawLedger draws one phase's lines below y, and returns where they end and in words what they show.
func drawLedger(p *page.Picture, c *Check, m phaseMeasurement, y float64) (float64, string) {
	p.Text("label end", ledgerLeft-10, y+12, m.phase)
	rows := ledgerRows(m.Measurement)
	if len(rows) == 0 || m.K == 0 && m.N == 0 {
		word := "not checked"
		if m.Measurement != nil {
			word = measured(c, m.Measurement)
		}
		p.Text("note", ledgerLeft, y+12, word)
		return y + ledgerRow + 4, word
	}
	most := int64(1)
	for _, t := range rows {
		most = max(most, t.Received)
	}
	length := func(n int64) float64 { return ledgerBar * float64(n) / float64(most) }
	all := []string{fmt.Sprintf("%s retries that the failures call for were received", measured(c, m.Measurement))}
	left := ledgerLeft + 46
	for i, t := range rows {
		p.Text("tick", ledgerLeft, y+12, fmt.Sprintf("try %d", t.Attempt))
		p.Rectangle("received", left, y+3, length(t.Received), ledgerRow-6)
		p.Rectangle("again", left, y+3, length(t.Retryable), ledgerRow-6)
		if i+1 < len(rows) {
			p.Line("follows", left+length(t.Retryable), y+ledgerRow-3, left+length(t.Retryable), y+2*ledgerRow-3)
		}
		words := ledgerWords(t)
		p.Text("tick", left+length(most)+8, y+12, words)
		all = append(all, fmt.Sprintf("try %d: %s", t.Attempt, words))
		y += ledgerRow
	}
	return y + 4, strings.Join(all, "; ")
}

func ledgerWords(t Tries) string {
	if t.Received == 0 {
		return "none"
	}
	return fmt.Sprintf("%d, to repeat %d", t.Received, t.Retryable)
}

// ledgerRows returns the lines that are drawn: those with tries, and the line after a line with tries that are retried.
func ledgerRows(m *Measurement) []Tries {
	if m == nil {
		return nil
	}
	var rows []Tries
	for i, t := range m.Attempts {
		if t.Received > 0 || t.Attempt > 0 && i > 0 && m.Attempts[i-1].Retryable > 0 {
			rows = append(rows, t)
		}
	}
	return rows
}
