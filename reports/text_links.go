package reports

// links are what leads on from a report, and what went wrong beside it. An address stands on a line of its own, unbroken.
func (t *text) links(r *Report) {
	if len(r.Links)+len(r.Remarks) > 0 {
		t.line("")
	}
	for _, l := range r.Links {
		t.paragraph(l.Title, "")
		t.line("  %s", l.URL)
	}
	for _, remark := range r.Remarks {
		t.paragraph(remark, "! ")
	}
}
