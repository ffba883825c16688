package render

import (
	"fmt"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
)

const (
	ledgerWidth = 440.0
	ledgerLeft  = 50.0
	ledgerBar   = 150.0 // the length of the longest bar
	ledgerRow   = 17.0
)

// newLedgerView shows what the called service itself counted.
func newLedgerView(id, name string, l *reports.Ledger) drawnView {
	v := drawnView{Name: name, Verdict: l.Verdict, Text: fmt.Sprintf("%s counted for %s that call for one", retriesOf(l.Retries), counted(l.Failures, "failure"))}
	if l.Violations > 0 {
		v.Text += fmt.Sprintf("; %s too many or too few", triesOf(l.Violations))
	}
	if l.Note != "" {
		v.Notes = append(v.Notes, l.Note)
	}
	if rows := ledgerRows(l); len(rows) > 0 {
		v.Picture = ledgerPicture(id, name, v.Text, rows)
	}
	return v
}

func retriesOf(n int64) string {
	if n == 1 {
		return "1 retry was"
	}
	return Count(n) + " retries were"
}

func triesOf(n int64) string {
	if n == 1 {
		return "1 try"
	}
	return Count(n) + " tries"
}

// ledgerPicture draws the lines of a ledger: for each attempt count, how many tries the service received, and how many of them the policy
// retries. The bar of the next line must be as long as the part that is retried: a dashed line leads down from its end.
func ledgerPicture(id, name, text string, rows []reports.Tries) *page.Picture {
	p := &page.Picture{ID: id, Title: "tries of calls to " + name + " that were received and that must be sent again, by attempt count", Width: ledgerWidth,
		Height: ledgerRow*float64(len(rows)) + 8}
	most := int64(1)
	for _, t := range rows {
		most = max(most, t.Received, t.Retryable)
	}
	length := func(n int64) float64 { return ledgerBar * float64(n) / float64(most) }
	all := []string{text}
	for i, t := range rows {
		y := 4 + ledgerRow*float64(i)
		label := "no count"
		if t.Attempt > 0 {
			label = fmt.Sprintf("try %d", t.Attempt)
		}
		p.Text("tick", 0, y+12, label)
		p.Rectangle("received", ledgerLeft, y+3, length(t.Received), ledgerRow-6)
		p.Rectangle("again", ledgerLeft, y+3, length(t.Retryable), ledgerRow-6)
		if i+1 < len(rows) {
			p.Line("follows", ledgerLeft+length(t.Retryable), y+ledgerRow-3, ledgerLeft+length(t.Retryable), y+2*ledgerRow-3)
		}
		words := ledgerWords(t)
		p.Text("tick", ledgerLeft+ledgerBar+10, y+12, words)
		all = append(all, fmt.Sprintf("%s: %s", label, words))
	}
	p.Desc = strings.Join(all, "; ") + "."
	return p
}

func ledgerWords(t reports.Tries) string {
	if t.Received == 0 {
		return "none"
	}
	return fmt.Sprintf("%s, of them to repeat %s", Count(t.Received), Count(t.Retryable))
}

// ledgerRows returns the lines that are drawn: those with tries, and the line after a line with tries that are retried.
func ledgerRows(l *reports.Ledger) (rows []reports.Tries) {
	for i, t := range l.Attempts {
		if t.Received > 0 || t.Attempt > 0 && i > 0 && l.Attempts[i-1].Retryable > 0 {
			rows = append(rows, t)
		}
	}
	return rows
}
