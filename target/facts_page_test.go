package target_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

// measuredOn is where all rows of the contract passed the last time.
const measuredOn = "Istio 1.31-dev with stock Envoy 1.40.0, on Kubernetes 1.37.2"

// factsPage is the page that says what Istio was measured to do.
const factsPage = "../docs/istio-facts.md"

// The comments around the part of docs/istio-facts.md that is made from the contract.
const (
	factsBegin = "<!-- The test of target/facts_page_test.go holds this part to the contract. -->\n"
	factsEnd   = "<!-- The part ends. -->\n"
)

// TestFactsPage holds the cases of docs/istio-facts.md to the rows of the contract.
func TestFactsPage(t *testing.T) {
	page, err := os.ReadFile(factsPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(page), factsBegin)
	got, after, ends := strings.Cut(rest, factsEnd)
	if !begins || !ends {
		t.Fatalf("the page has no part between %q and %q", factsBegin, factsEnd)
	}
	want := facts()
	if *update {
		if err := os.WriteFile(factsPage, []byte(before+factsBegin+want+factsEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != want {
		t.Errorf("the cases are\n%s\nand must be\n%s\nwrite them with: go test ./target -run TestFactsPage -update", got, want)
	}
}

// facts are the tables of all cases, a line for each request.
func facts() string {
	var b strings.Builder
	all, requests := table(manifests.Namespace), 0
	for _, r := range all {
		requests += len(r.exchanges)
	}
	fmt.Fprintf(&b, "\n%d cases with %d kinds of requests were measured on %s, and %d objects that must be refused. Each line is a request, and what\nmust be observed of it. "+
		"The header x-hellochaos-script says what the app answers to the tries of a request, one after another: a status, or that it breaks the connection or hangs. The objects of each case are in the file that has its name (`target/contract_*_rows_test.go`).\n", len(all), requests, measuredOn, len(refused()))
	for _, part := range parts(manifests.Namespace) {
		factTable(&b, part)
	}
	b.WriteString("\n### Refused\n\nThese are refused by Istio's webhook or by the API server, and by hellochaos:\n\n")
	for _, name := range slices.Sorted(maps.Keys(refused())) {
		fmt.Fprintf(&b, "- %s\n", name)
	}
	return b.String() + "\n"
}

func factTable(b *strings.Builder, p part) {
	fmt.Fprintf(b, "\n### %s\n\n| case | request | what Istio does |\n| --- | --- | --- |\n", p.title)
	for _, r := range p.rows {
		name := r.name
		for i := range r.exchanges {
			e := &r.exchanges[i]
			fmt.Fprintf(b, "| %s | %s | %s |\n", cell(name), cell(e.words()), cell(e.want.words()))
			name = ""
		}
	}
}

// cell is text in a cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// code is text as it was sent or received.
func code(text string) string {
	if text == "" {
		return "empty"
	}
	return "`` " + text + " ``"
}

// words are a request, and how often it is sent.
func (e *exchange) words() string {
	q := &e.request
	text := code(cmp.Or(q.method, "GET") + " " + q.host + cmp.Or(q.path, "/"))
	switch q.from {
	case fromGateway:
		text += " at the gateway"
	case fromDoor:
		text += " at the Gateway's own pods"
	case fromDirect:
		text += " straight to a pod"
	}
	if q.shows != "" {
		text += ", " + q.shows
	}
	for _, name := range slices.Sorted(maps.Keys(q.header)) {
		text += ", " + name + ": " + code(q.header[name])
	}
	if q.body != "" {
		text += fmt.Sprintf(", body of %d bytes", len(q.body))
	}
	if e.times > 1 {
		text += fmt.Sprintf(", %d times", e.times)
	}
	if e.parallel > 1 {
		text += fmt.Sprintf(", %d at a time", e.parallel)
	}
	return text
}

// words are what must be observed, in the order of the fields of want.
func (w *want) words() string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if w.Status != 0 {
		say("%d", w.Status)
	}
	for _, status := range slices.Sorted(maps.Keys(w.Statuses)) {
		say("%s of %d", counting(w.Statuses[status], "answer", "answers"), status)
	}
	switch {
	case w.Body == empty:
		say("no body")
	case w.Body != "":
		say("body %s", code(w.Body))
	}
	if w.Service != "" || w.Version != "" {
		say("from %s", strings.Trim(w.Service+"-"+w.Version, "-"))
	}
	for _, name := range slices.Sorted(maps.Keys(w.Header)) {
		say("%s: %s", name, code(w.Header[name]))
	}
	if w.Tries != nil {
		say("%s", counting(*w.Tries, "try", "tries"))
	}
	if w.Cut != nil {
		say("%s of them cut", *w.Cut)
	}
	if w.Attempts != "" {
		say("attempt counts %s", w.Attempts)
	}
	for _, version := range slices.Sorted(maps.Keys(w.Versions)) {
		say("%s at %s", counting(w.Versions[version], "try", "tries"), version)
	}
	switch {
	case w.Flags == "-":
		say("no flags")
	case w.Flags != "":
		say("flags %s", w.Flags)
	}
	if w.Detail != "" {
		say("details %s", w.Detail)
	}
	for _, flags := range slices.Sorted(maps.Keys(w.Flagged)) {
		say("flags %s of %s calls", flags, w.Flagged[flags])
	}
	return strings.Join(append(all, w.measures()...), ", ")
}

// measures are what must be observed of pods and times.
func (w *want) measures() (all []string) {
	if w.Distinct != nil {
		all = append(all, fmt.Sprintf("%s calls sent no two tries to one pod", *w.Distinct))
	}
	if w.Pods != nil {
		all = append(all, fmt.Sprintf("%s pods received them", *w.Pods))
	}
	for _, m := range []struct {
		what string
		of   *times
	}{{"after", w.Elapsed}, {"half of them after", w.Median}, {"a tenth of them after", w.Tenth}} {
		if m.of != nil && m.of.low > 0 {
			all = append(all, fmt.Sprintf("%s %v at least", m.what, m.of.low))
		}
	}
	if w.Broken {
		all = append(all, "the connection ends without an answer")
	}
	return all
}

// counting is a count with the word for what is counted.
func counting(s span, one, many string) string {
	if s == (span{1, 1}) {
		return "1 " + one
	}
	return s.String() + " " + many
}

// String is a count, or from where to where counts may be.
func (s span) String() string {
	if s.low == s.high {
		return fmt.Sprint(s.low)
	}
	return fmt.Sprintf("%d to %d", s.low, s.high)
}
