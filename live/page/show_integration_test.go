//go:build integration

package page

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hellochaos/hellochaos/reports/page/pagetest"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// The page of a run that tells of no single tries, as one on a cluster: nothing can be moved, the numbers come phase by phase, and at the end it has
// the verdict of the report and asks for nothing any more.
func TestIntegrationRun(t *testing.T) {
	plan, following, at, ended := followed(t, "prod")
	b := pagetest.Chromium(t)
	b.See(t, "light", 1280)
	if err := chromedp.Do(b, chromedp.Navigate(at)); err != nil {
		t.Fatal(err)
	}
	until(t, b, `document.querySelectorAll("#stages .step").length === 2`)
	for _, id := range []string{"load", "hand", "yamlpanel", "moved"} {
		if pagetest.Ask[bool](t, b, `document.getElementById("`+id+`").offsetParent !== null`) {
			t.Errorf("%s is shown", id)
		}
	}
	m, err := mesh.New(mesh.Options{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	report := plan.Execute(t.Context(), m)
	until(t, b, `document.querySelector(".play").offsetParent === null`)
	following.End()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	until(t, b, `document.querySelector("#verdict .word").textContent === "`+strings.ToUpper(string(report.Verdict))+`" && `+notice+`.startsWith("The run has ended")`)
	seen := pagetest.Ask[string](t, b, `document.body.innerText`)
	for _, want := range []string{"Single tries are not drawn", "hellochaos run prod", "frontend → middleware", "Tested: embedded mesh"} {
		if !strings.Contains(seen, want) {
			t.Errorf("no %q in\n%s", want, seen)
		}
	}
	b.Photograph(t, "run-light-1280.png")
	for _, complaint := range b.Complaints() {
		t.Errorf("the browser complains: %s", complaint)
	}
}
