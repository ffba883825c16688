package metrics

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports/render"
)

var update = flag.Bool("update", false, "write the table of docs/grafana.md from the metrics")

// table is the metrics as a table in Markdown.
func table() string {
	var out strings.Builder
	out.WriteString("| metric | type | labels | what |\n| --- | --- | --- | --- |\n")
	inReport := len(render.Metrics())
	for i, m := range All() {
		name := "`" + m.Name + "`"
		if i >= inReport {
			name += " (live only)"
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", name, m.Type, strings.Join(m.Labels, ", "), m.Help)
	}
	return out.String()
}

// The table that people read is the metrics that there are.
func TestTableInDocs(t *testing.T) {
	const from, to = "<!-- the metrics, by go test ./metrics -update -->\n", "<!-- end -->"
	file := filepath.Join("..", "docs", "grafana.md")
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(page), from)
	old, after, ended := strings.Cut(rest, to)
	if !found || !ended {
		t.Fatalf("%s has no table between %q and %q", file, from, to)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+from+table()+to+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != table() {
		t.Errorf("the table in docs/grafana.md differs from the metrics: run `go test ./metrics -update`")
	}
}
