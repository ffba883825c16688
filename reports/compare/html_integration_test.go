//go:build integration

package compare

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hellochaos/hellochaos/reports/page/pagetest"
)

// The page is right in a real browser, with rows of every word and differences that its pictures cannot reach; and it shows what the
// comparison has.
func TestIntegrationHTML(t *testing.T) {
	is := usual
	is.edge, is.call, is.tries, is.latency, is.missing = 0.9, 0.5, 1.44, 0.0021, 3
	c := Of(usual.again(1, 1), is.again(1, 2), defaults)
	c.Old.Name, c.New.Name = "a-folder-of-sixty-three-characters-the-most-that-a-label-may-have", "new"
	file := filepath.Join(t.TempDir(), "comparison.html")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := HTML(out, c); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	pagetest.Looks(t, file, "comparison")

	type row struct{ Call, Metric, Phase, Old, New, Difference, Word, Picture string }
	b := pagetest.Chromium(t)
	b.Open(t, file, "light", 1280)
	shown := pagetest.Ask[[]row](t, b, `[...document.querySelectorAll('tr[data-metric]')].map(tr => {
	  const cell = label => tr.querySelector('td[data-label="' + label + '"]').innerText, picture = tr.querySelector('svg desc');
	  return {Call: tr.dataset.call, Metric: tr.dataset.metric, Phase: tr.dataset.phase, Old: cell('old'), New: cell('new'), Difference: cell('difference'),
	    Word: cell('word'), Picture: picture ? picture.textContent : ''}; })`)
	if len(shown) != len(c.Rows) || len(shown) < 15 {
		t.Fatalf("%d rows on the page, the comparison has %d", len(shown), len(c.Rows))
	}
	i := 0
	for _, phase := range c.phases() { // The page has the rows of a phase together.
		for _, r := range phase.Rows {
			n := r.cells()
			want := row{r.Call, r.Metric, r.Phase, n.Old, n.New, n.Difference, mark(r.Word), ""}
			if r.Interval != nil {
				want.Picture = r.picture("").Desc
			}
			if shown[i] != want {
				t.Errorf("the page has %+v, the comparison %+v", shown[i], want)
			}
			i++
		}
	}
}
