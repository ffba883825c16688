//go:build integration

package sweep

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page/pagetest"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

// The page is right in a real browser.
func TestIntegrationHTML(t *testing.T) {
	wrong := expecting(reporttest.RunAll(), reports.Fail)
	wrong.Verdict, wrong.Phases[2].Verdict = reports.Fail, reports.Fail
	s := gridOf(4, expecting(reporttest.RunAll(), reports.Pass), wrong, reporttest.RunAll(), reporttest.RunAll())
	file := filepath.Join(t.TempDir(), "sweep.html")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := HTML(out, s); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	pagetest.Looks(t, file, "sweep")
}
