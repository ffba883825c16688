//go:build integration

package page

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/hellochaos/hellochaos/reports/page/pagetest"
)

// press presses a key, with Shift where back is true.
func press(t *testing.T, b *pagetest.Browser, key string, back bool) {
	t.Helper()
	var modifiers []chromedp.Modifier
	if back {
		modifiers = append(modifiers, chromedp.ModifierShift)
	}
	if err := chromedp.Do(b, chromedp.KeyEvent(key, chromedp.KeyModifiers(modifiers...))); err != nil {
		t.Fatal(err)
	}
}

// unseen says what is wrong with where the focus is: it must be drawn, and lie in the window.
const unseen = `(() => {
  const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e), name = e.id || e.textContent.trim().slice(0, 30) || e.tagName;
  if (e === document.body) return "";
  if (!e.matches(":focus-visible") || s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 2) return name + ": its focus is not drawn";
  if (r.bottom <= 0 || r.top >= innerHeight || r.width < 2) return name + ": its focus is out of sight";
  return "";
})()`

// reach goes from one element to the next by Tab until one is reached that a script finds, and looks at each on the way.
func reach(t *testing.T, b *pagetest.Browser, found string, back bool) {
	t.Helper()
	var way []string
	for range 60 {
		press(t, b, kb.Tab, back)
		if wrong := pagetest.Ask[string](t, b, unseen); wrong != "" {
			t.Error(wrong)
		}
		if pagetest.Ask[bool](t, b, `(e => `+found+`)(document.activeElement)`) {
			return
		}
		way = append(way, pagetest.Ask[string](t, b, `document.activeElement.id || document.activeElement.textContent.slice(0, 20)`))
	}
	t.Fatalf("Tab does not lead to %s: %s", found, strings.Join(way, ", "))
}

// A question of the lesson is answered with the keyboard alone, and the focus is seen at each stop.
func TestIntegrationKeyboard(t *testing.T) {
	b, session := opened(t)
	until(t, b, `document.querySelectorAll("#breaks button").length > 5`)
	reach(t, b, `e.id === "lessonnext"`, false)
	press(t, b, kb.Enter, false)
	until(t, b, `document.getElementById("question").textContent === "What do four tries cost?"`)
	reach(t, b, `e.id === "lessonset"`, true)
	press(t, b, kb.Enter, false)
	until(t, b, `document.getElementById("hint").textContent.includes("Move Fail")`)
	reach(t, b, `e.id === "fail"`, false)
	for range 9 {
		press(t, b, kb.ArrowRight, false)
	}
	until(t, b, `document.getElementById("solved").textContent.includes("a good answer takes")`)
	if at := session.Whole().State.Controls; at.Stage != "ingress" || at.Fail != 0.55 {
		t.Errorf("%+v, want Fail moved from 0.1 by nine keys", at)
	}
	reach(t, b, `e.textContent.startsWith("retry") && e.closest("#stages") !== null`, true)
	press(t, b, kb.Enter, false)
	until(t, b, notice+`.includes("stage retry is applied")`)
	reach(t, b, `e.id === "load"`, true)
	press(t, b, kb.Enter, false)
	until(t, b, `document.querySelector("#verdict .word").textContent === "STOPPED"`)
	for _, complaint := range b.Complaints() {
		t.Errorf("the browser complains: %s", complaint)
	}
}

// Who wants no motion gets none: no try is drawn and nothing glides, while the numbers go on; who allows it sees tries again.
func TestIntegrationReducedMotion(t *testing.T) {
	b, _ := opened(t)
	prefer := func(value string) {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: value}}}
		if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, media); err != nil {
			t.Fatal(err)
		}
	}
	const drawn = `(c => new Uint32Array(c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer).some(p => p !== 0))(document.getElementById("dots"))`
	const calls = `parseInt(document.querySelector('#numbers td[data-label="calls"]')?.textContent ?? "0")`
	prefer("reduce")
	until(t, b, `document.getElementById("load").textContent === "Start the load"`)
	click(t, b, "#load", "Start the load")
	until(t, b, calls+` > 10 && document.getElementById("behind").textContent.startsWith("Motion is off")`)
	for range 20 {
		if pagetest.Ask[bool](t, b, drawn) {
			t.Fatal("tries are drawn for who wants no motion")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if glides := pagetest.Ask[string](t, b, `getComputedStyle(document.querySelector(".node rect.box")).transitionDuration`); glides != "0s" {
		t.Errorf("the services change their colours within %s", glides)
	}
	before := pagetest.Ask[int](t, b, calls)
	until(t, b, calls+` > `+pagetest.Ask[string](t, b, `String(`+calls+`)`))
	if before == 0 {
		t.Error("there were no calls")
	}
	prefer("no-preference")
	until(t, b, drawn+` && document.getElementById("behind").textContent === ""`)
}
