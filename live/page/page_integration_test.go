//go:build integration

package page

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/hellochaos/hellochaos/live"
	"github.com/hellochaos/hellochaos/reports/page/pagetest"
)

// patience is how long something may take to show on the page, on a busy machine.
const patience = 40 * time.Second

// opened is the page of a session in Chromium.
func opened(t *testing.T) (*pagetest.Browser, *live.Session) {
	t.Helper()
	at, session := served(t)
	b := pagetest.Chromium(t)
	b.See(t, "light", 1280)
	if err := chromedp.Do(b, chromedp.Navigate("http://"+at+"/")); err != nil {
		t.Fatal(err)
	}
	return b, session
}

// until waits for a script to say true.
func until(t *testing.T, b *pagetest.Browser, script string) {
	t.Helper()
	for late := time.Now().Add(patience); !pagetest.Ask[bool](t, b, script); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("not within %v: %s\n%s", patience, script, pagetest.Ask[string](t, b, "document.body.innerText"))
		}
	}
}

// slide moves a slider as a user does.
func slide(t *testing.T, b *pagetest.Browser, id string, to int) {
	t.Helper()
	pagetest.Ask[bool](t, b, fmt.Sprintf(`(() => { const s = document.getElementById(%q); s.value = s.min * 1 + s.step * %d; s.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`, id, to))
}

// click clicks on what a selector and a text find.
func click(t *testing.T, b *pagetest.Browser, selector, text string) {
	t.Helper()
	script := fmt.Sprintf(`(() => { const e = [...document.querySelectorAll(%q)].find(e => e.textContent.includes(%q)); if (!e || e.disabled) return false; e.click(); return true; })()`, selector, text)
	if !pagetest.Ask[bool](t, b, script) {
		t.Fatalf("no %s with %q can be clicked", selector, text)
	}
}

// tries are how many tries the services have counted, by service and version. It waits until no call is under way, which under load may
// be never: the load must be stopped.
func tries(t *testing.T, session *live.Session) map[string]int64 {
	t.Helper()
	counters, err := session.Mesh().Counters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int64{}
	for _, c := range counters {
		all[c.Service+" "+c.Version] += c.Count
		all[c.Service] += c.Count
		if c.Status >= 500 {
			all["failed "+c.Service] += c.Count
		}
	}
	return all
}

const notice = `document.getElementById("notice").textContent`

// Each control is moved, and what the page shows is held against what the services counted.
func TestIntegrationControls(t *testing.T) {
	b, session := opened(t)
	until(t, b, `document.querySelector("#verdict .word").textContent === "STOPPED"`)
	before := tries(t, session)
	slide(t, b, "rate", 16) // 500 a second
	click(t, b, "#load", "Start the load")
	until(t, b, notice+`.includes("the rate is now 500 a second") && `+notice+`.includes("the load is on again")`)
	until(t, b, `document.querySelector("#verdict .word").textContent === "PASS" || document.getElementById("found").textContent.includes("late")`)
	click(t, b, "#load", "Stop the load")
	until(t, b, `document.querySelector("#verdict .word").textContent === "STOPPED"`)
	if !pagetest.Ask[bool](t, b, `document.querySelector(".before #numbers .of").textContent.match(/^\d+ of \d+$/) !== null`) {
		t.Error("the numbers of a stopped load are not grey, or do not say of how many calls they are")
	}
	if now := tries(t, session); now["frontend"]-before["frontend"] < 300 || now["middleware canary"] != before["middleware canary"] || now["failed middleware"] == before["failed middleware"] {
		t.Errorf("the services counted %v before and %v after the load", before, now)
	}

	// Without failures no try fails. With them, so many fail as the page's natural requests must, and no more than those and the probes.
	for _, percent := range []int{0, 60} {
		before := tries(t, session)
		slide(t, b, "fail", percent/5)
		until(t, b, fmt.Sprintf(notice+`.includes("fail is now %g")`, float64(percent)/100))
		click(t, b, "#load", "Start the load")
		sent := func(thing string) string {
			return `parseInt(document.getElementById("counts").textContent.replaceAll(",", "").match(/(\d+) ` + thing + `s?/)?.[1] ?? 0)`
		}
		until(t, b, fmt.Sprintf(`document.querySelector("#numbers tr td[data-label=predicted]").textContent.startsWith("%d") && %s > 400`, percent, sent("request")))
		click(t, b, "#load", "Stop the load")
		until(t, b, `document.querySelector("#verdict .word").textContent === "STOPPED"`)
		now, requests, probes := tries(t, session), pagetest.Ask[int64](t, b, sent("request")), pagetest.Ask[int64](t, b, sent("probe"))
		all, failed := now["frontend"]-before["frontend"], now["failed frontend"]-before["failed frontend"]
		if all < requests+probes || percent == 0 && failed != 0 || percent > 0 && (failed*100 < requests*50 || failed*100 > (all-probes)*70+probes*100) {
			t.Errorf("fail %d %%: %d of %d tries of the frontend failed, where the page counted %d requests and %d probes", percent, failed, all, requests, probes)
		}
	}

	// A request with a retry has more tries than calls; at stage retry two of three requests that the frontend answers have one.
	const retried = `document.getElementById("waterfall").textContent.includes(", try 2")`
	for sent := 0; !pagetest.Ask[bool](t, b, retried); sent++ {
		if sent == 50 {
			t.Fatal("none of 50 requests had a retry")
		}
		pagetest.Ask[bool](t, b, `(() => { document.getElementById("answer").textContent = ""; return true; })()`)
		click(t, b, "#send", "Send")
		until(t, b, `document.getElementById("answer").textContent !== "" && !document.getElementById("send").disabled`)
	}
	if !pagetest.Ask[bool](t, b, `(all => document.getElementById("answer").textContent.includes(" and " + all.length + " tries,") && document.getElementById("answer").textContent.includes("with " + all.filter(e => !e.textContent.includes(", try ")).length + " call"))([...document.querySelectorAll("#waterfall li")])`) {
		t.Errorf("%s of\n%s", pagetest.Ask[string](t, b, `document.getElementById("answer").textContent`), pagetest.Ask[string](t, b, `document.getElementById("waterfall").innerText`))
	}

	// The weight leads calls to the canary, and the header does at stage canary.
	slide(t, b, "fail", 0)
	slide(t, b, "canary", 20) // all of them
	until(t, b, notice+`.includes("the canary's weight is now 100 %")`)
	before = tries(t, session)
	click(t, b, "#load", "Start the load")
	until(t, b, `document.querySelector("#verdict .word").textContent === "PASS"`)
	click(t, b, "#load", "Stop the load")
	until(t, b, `document.querySelector("#verdict .word").textContent === "STOPPED"`)
	if now := tries(t, session); now["middleware canary"] == before["middleware canary"] || now["middleware prod"] != before["middleware prod"] {
		t.Errorf("with weight 100: %v, then %v", before, now)
	}
	slide(t, b, "canary", 0)
	click(t, b, "#stages button", "canary")
	until(t, b, notice+`.includes("stage canary is applied")`)
	before = tries(t, session)
	pagetest.Ask[bool](t, b, `(() => { document.getElementById("header").value = "super-secret"; return true; })()`)
	click(t, b, "#send", "Send")
	until(t, b, `document.getElementById("answer").textContent.includes("It was answered 200") && document.getElementById("answer").textContent.includes("with 3 calls and 3 tries, 0 of which failed") && document.getElementById("waterfall").textContent.includes("middleware canary")`)
	if now := tries(t, session); now["middleware canary"] != before["middleware canary"]+1 || now["backend"] != before["backend"]+1 {
		t.Errorf("one request by hand: %v, then %v", before, now)
	}
	for _, complaint := range b.Complaints() {
		t.Errorf("the browser complains: %s", complaint)
	}
}

// A break is found, edits are applied or refused at their lines, and the lesson's first question is answered by a click.
func TestIntegrationBreakEditLesson(t *testing.T) {
	b, session := opened(t)
	until(t, b, `document.querySelectorAll("#breaks button").length > 5`)
	slide(t, b, "rate", 11) // 100 a second
	click(t, b, "#load", "Start the load")
	until(t, b, `document.querySelector("#verdict .word").textContent === "FORMING" && document.getElementById("numbers").textContent.includes("✓ so far") && !document.getElementById("numbers").textContent.includes("PASS")`)
	click(t, b, "#breaks button", "no-retries")
	until(t, b, `document.querySelector("#verdict .word").textContent === "FAIL" && document.getElementById("found").textContent.includes("Expected:")`)
	click(t, b, "#breaks button", "no-retries")
	until(t, b, notice+`.includes("the mesh is whole again")`)

	write := func(change string) {
		pagetest.Ask[bool](t, b, `(() => { const y = document.getElementById("yaml"); y.value = y.value`+change+`; y.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`)
	}
	write(`.replace("        attempts: 3", "        atempts: 3")`)
	until(t, b, `document.getElementById("yamlproblems").textContent.includes("atempts") && document.querySelector("#gutter b") !== null && !document.getElementById("yamlreset").hidden`)
	write(`.replace("atempts: 3", "attempts: 2")`)
	until(t, b, notice+`.includes("the YAML of stage retry has changed") && document.getElementById("yamlproblems").textContent === ""`)
	write(`.replace(/[^]*/, "")`)
	until(t, b, `document.getElementById("yamlproblems").textContent.includes("the text is empty") && !document.getElementById("yamlreset").hidden`)
	click(t, b, "#yamlreset", "Take the edits back")
	until(t, b, `document.getElementById("yamlreset").hidden && document.getElementById("yaml").value.includes("attempts: 3")`)
	write(` + "# long\n".repeat(150000)`)
	until(t, b, `document.getElementById("yamlproblems").textContent.includes("the text is longer than 250 KB")`)
	click(t, b, "#yamlreset", "Take the edits back")
	until(t, b, `document.getElementById("yamlreset").hidden`)

	click(t, b, "#lessonset", "Set it up")
	until(t, b, `document.getElementById("hint").textContent.includes("Look where its calls come from")`)
	click(t, b, "#stages button", "ingress")
	until(t, b, `document.getElementById("solved").textContent.includes("At the gateway one is")`)
	if at := session.Whole().State.Controls; at.Stage != "ingress" || at.Fail != 0.3 {
		t.Errorf("%+v", at)
	}
	click(t, b, "#stages button", "retry") // where the answer holds no more
	until(t, b, `document.getElementById("solved").textContent.startsWith("✓ Answered, with what was set before: At stage retry")`)
	for _, label := range []string{"Slow", "Pause", "Live"} {
		click(t, b, "[data-speed]", label)
	}
	for _, complaint := range b.Complaints() {
		t.Errorf("the browser complains: %s", complaint)
	}
}

// Looks: nothing lies outside of the page or on other texts, and axe-core finds nothing, in both themes and three widths.
func TestIntegrationLooks(t *testing.T) {
	b, _ := opened(t)
	folder := t.TempDir()
	npm := exec.CommandContext(t.Context(), "npm", "install", "--no-audit", "--no-fund", "--prefix", folder, "axe-core@4.14.1")
	if said, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("this test gets axe-core by npm: %v\n%s", err, said)
	}
	axe, err := os.ReadFile(filepath.Join(folder, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	click(t, b, "#stages button", "canary")
	click(t, b, "#load", "Start the load")
	until(t, b, `document.getElementById("command").textContent.includes("run canary") && parseInt(document.querySelector('#numbers tr td[data-label="calls"]')?.textContent) > 40`)
	click(t, b, "#send", "Send")
	until(t, b, `document.querySelectorAll("#waterfall li").length > 0`)
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{390, 1280, 1920} {
			b.See(t, theme, width)
			time.Sleep(300 * time.Millisecond) // the graph is laid out anew
			b.Photograph(t, fmt.Sprintf("up-%s-%d.png", theme, width))
			if wide := pagetest.Ask[int](t, b, "document.documentElement.scrollWidth"); wide > int(width) {
				t.Errorf("%s at %d px: the page is %d px wide", theme, width, wide)
			}
			for _, wrong := range pagetest.Ask[[]string](t, b, overlaps) {
				t.Errorf("%s at %d px: %s", theme, width, wrong)
			}
			pagetest.Ask[bool](t, b, string(axe)+`; window.found = null; axe.run().then(r => { window.found = JSON.stringify(r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target + " " + n.failureSummary).join("; "))); }); true`)
			until(t, b, "window.found !== null")
			var found []string
			if err := json.Unmarshal([]byte(pagetest.Ask[string](t, b, "window.found")), &found); err != nil {
				t.Fatal(err)
			}
			for _, violation := range found {
				t.Errorf("%s at %d px: axe: %s", theme, width, violation)
			}
		}
	}
	for _, complaint := range b.Complaints() {
		t.Errorf("the browser complains: %s", complaint)
	}
}

// overlaps are the texts of the graph that lie outside of it, or on each other.
const overlaps = `(() => {
  const wrong = [], view = document.getElementById("edges").viewBox.baseVal;
  const texts = [...document.querySelectorAll("#edges text")].map(t => { const b = t.getBBox(), m = t.getCTM(), r = document.getElementById("edges").getCTM();
    const x = (m.e - r.e) / r.a + b.x, y = (m.f - r.f) / r.d + b.y; return { text: t.textContent, x, y, r: x + b.width, b: y + b.height }; });
  for (const t of texts) {
    if (t.x < 0 || t.y < 0 || t.r > view.width || t.b > view.height) wrong.push(t.text + " lies outside");
    for (const o of texts) if (o !== t && Math.min(t.r, o.r) - Math.max(t.x, o.x) > 1 && Math.min(t.b, o.b) - Math.max(t.y, o.y) > 3) wrong.push(t.text + " lies on " + o.text);
  }
  for (const box of document.querySelectorAll("#edges .node")) {
    const m = box.getCTM(), r = document.getElementById("edges").getCTM(), b = box.querySelector(".box").getBBox(), x = (m.e - r.e) / r.a, y = (m.f - r.f) / r.d;
    for (const t of texts) if (!box.textContent.includes(t.text) && Math.min(t.r, x + b.width) - Math.max(t.x, x) > 1 && Math.min(t.b, y + b.height) - Math.max(t.y, y) > 1) wrong.push(t.text + " lies on a service");
  }
  return wrong;
})()`
