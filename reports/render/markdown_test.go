package render

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	renderer "github.com/yuin/goldmark/renderer/html"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/reporttest"
	"github.com/hellochaos/hellochaos/reports/terminal"
)

const failedMarkdown = `## FAIL: 12 calls of 1,380 requests met something else than the manifests say, first backend: not retried (retry.yaml:47)

embedded mesh: 1,880 requests in 2.0 s; fail 0.5, absorb, seed 7 The mesh is wrong on purpose: --break one-retry-less.

### FAIL: retry: failed calls are sent again by the caller's proxy, up to 3 times

12 calls of 1,380 requests met something else than the manifests say.

**!** backend: not retried, 10 calls; the first is call 0.1.2 of request 7/retry/p31, a probe

- rule: VirtualService backend, http\[0\], retry.yaml:47
- expected: try 4 is sent, since try 3 answered 500, which "5xx,connect-failure,refused-stream" covers, and 4 tries are allowed
- met: try 3 was delivered

To send it again:

~~~sh
hellochaos send 7/retry/p31 --pins 0.1=fail,0.2=fail,0.3=fail --cascade absorb -H 'x-dev-user: super-secret'
~~~

**!** backend: wrong status, 2 calls; the first is call 0.1 of request 7/retry/88

- rule: VirtualService backend, http\[0\], retry.yaml:47
- expected: the service answers 200
- met: status 503 came after 2ms without a trail

To send it again:

~~~sh
hellochaos send 7/retry/88
~~~

- **!** backend: ledger: the service counted 152 fewer retries than failures that call for one

| call | policy in force | fails | tries/request | median waits (ms) | verdict |
| --- | --- | --- | --- | --- | --- |
| frontend | none: entered directly | 0.5 → 0.5 | 1.00 |  | PASS |
| middleware | 3 retries on 5xx, to prod (retry.yaml:32) | 0.5 → 0.064 | 0.94 | 12, 37, 87 | PASS |
| backend | 3 retries on 5xx (retry.yaml:47) | 0.504 → 0.124 | 0.88 | 12, 37, - | FAIL |
| time.jsontest.com | leads outside (egress.yaml:9) | 0 → 0 |  |  | PASS |
| any of ours | branches met: 8 of 10 | 0.876 → 0.56 |  |  |  |

- The proxy of middleware sends a failed call to backend at most 3 times, where retry.yaml:47 allows 4 tries.
- Predicted shares that are outside of the measured 95 % intervals: backend 0.0625.
- **=** Envoy's statistics: backend 1357 of 1357

<details><summary>Predictions, branches, waits and ledgers</summary>

`

func TestMarkdown(t *testing.T) {
	r := reporttest.Failed()
	r.Command = []string{"hellochaos", "run", "retry", "--header", "x-a: it's"}
	want := strings.ReplaceAll(failedMarkdown, "~~~", "```")
	got := rendered(t, r)
	if begin, _, _ := strings.Cut(got, "**frontend, called by edge: PASS**"); begin != want {
		t.Errorf("got:\n%s\nwant:\n%s", begin, want)
	}
	end := "\n</details>\n\n<details><summary>How to reproduce</summary>\n\n```sh\nhellochaos run retry --header 'x-a: it'\\''s' --seed 7\n```\n\n" +
		"- hellochaos v1.2.3, go1.26.0, linux/amd64\n- manifests, SHA-256: c0ffee\n\n</details>\n"
	if !strings.HasSuffix(got, end) {
		t.Errorf("got:\n%s\nwant at its end:\n%s", got, end)
	}
	r.Command = append(r.Command, "--seed=7")
	if got := rendered(t, r); strings.Contains(got, "--seed=7 --seed") {
		t.Errorf("the seed is told twice:\n%s", got)
	}
}

func rendered(t *testing.T, r *reports.Report) string {
	t.Helper()
	var out strings.Builder
	if err := Markdown(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The numbers and words are those of the text, details included.
func TestMarkdownSaysWhatTheTextSays(t *testing.T) {
	for name, r := range reporttest.Named() {
		got := strings.NewReplacer(`\`, "", "**", "", "\u2060", "").Replace(rendered(t, r))
		says := func(text string) {
			if want := strings.NewReplacer(`\`, "", "**", "").Replace(terminal.Plain(text)); !strings.Contains(got, want) {
				t.Errorf("%s: lacks %q", name, want)
			}
		}
		for _, i := range order(r, false) {
			p := &r.Phases[i]
			for _, one := range sentences(p) {
				says(one.text)
			}
			for _, one := range problems(p) {
				says(one)
			}
			for j := range p.Calls {
				says(newRow(r, i, j).inForce())
				says(newRow(r, i, j).shares())
				for _, d := range details(&p.Calls[j]) {
					says(d.text)
				}
			}
		}
		for i := range r.Findings {
			says(Finding(&r.Findings[i]))
		}
	}
	got := strings.ReplaceAll(rendered(t, reporttest.Everything()), `\`, "")
	for _, want := range []string{"NOT RESTORED", "Not all was put back", "edited since", "Grafana: a run", "Kiali did not answer", "istio 1.31.1", "c0ffee", "**ERROR** mine/retry.yaml:20", "**WARNING** "} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	if late := rendered(t, reporttest.Late()); !strings.Contains(late, "- **NOT JUDGED** the times of retries") {
		t.Errorf("lacks the times that were not judged:\n%s", late)
	}
}

// Odd texts read as what they are, and as nothing else: a parser of GitHub's dialect gives them back.
func TestMarkdownEscapes(t *testing.T) {
	for _, odd := range []string{
		"a | b", `back\slash`, `\|`, "`code`", "``", "<script>alert(1)</script>", "<!-- x", "</details>", "**bold** _it_ ~~no~~", "[a](http://b.example)",
		"![i](x)", "# no heading", "- no list", "+ x", "1. one", "2) two", "--- ---", "===", "> quote", "&lt; &#124;", "http://auto.example/x", "www.auto.example",
		"mail@host.example", "@everyone #12", "| --- |", "a $b$ c", "x-dev-user: super-secret", "12.5ms", "-1", "```", "[ ] todo", ":--", "a\\",
	} {
		r := reporttest.Failed()
		p := &r.Phases[1]
		p.Calls, p.Mismatches, p.Shares = p.Calls[:1], nil, nil
		p.Calls[0].To, p.Words, p.Compared = odd, []string{odd}, nil
		r.Summary, r.Remarks = odd, []string{odd}
		r.Links = []reports.Link{{Title: odd, URL: "http://x.example/" + odd}}
		r.Findings = []reports.Finding{{Severity: reports.SeverityError, Object: odd, Text: odd, ID: "x"}}
		headings, cells, items, links := read(t, rendered(t, r))
		if len(cells) != 12 || cells[6] != odd {
			t.Errorf("%q: %d cells, the name is %q", odd, len(cells), cells[min(6, len(cells)-1)])
		}
		if len(items) < 5 || items[0] != "<strong>ERROR</strong> "+odd+": "+odd+" (x)" || items[1] != odd {
			t.Errorf("%q: items %q", odd, items)
		}
		if n := len(items); items[n-4] != odd || items[n-3] != "! "+odd {
			t.Errorf("%q: the last items are %q", odd, items)
		}
		if len(headings) != 2 || headings[0] != "FAIL: "+odd {
			t.Errorf("%q: headings %q", odd, headings)
		}
		if links != 1 {
			t.Errorf("%q: %d links, want the one of the report", odd, links)
		}
	}
	if got := EscapeMarkdown("two\nlines\r\n\x1b[31m"); got != "two lines \\\\u001b\\[31m" {
		t.Errorf("got %q", got)
	}
}

// Nothing in a report from elsewhere becomes a link, a picture or a tag.
func TestMarkdownOfOddNames(t *testing.T) {
	r := reporttest.Hostile()
	followable := 0
	for _, l := range r.Links {
		if l.Followable() {
			followable++
		}
	}
	page := rendered(t, r)
	_, _, _, links := read(t, page)
	if links != followable || followable < 5 {
		t.Errorf("%d links, want the %d of the report", links, followable)
	}
	outside := regexp.MustCompile("(?s)(```+)sh\n.*?\n(```+)\n").ReplaceAllString(page, "")
	if strings.Contains(strings.ReplaceAll(outside, `\<script`, ""), "<script") || strings.ContainsAny(page, "\x1b\u202e") {
		t.Errorf("odd names are obeyed:\n%s", outside)
	}
}

// A command that is to be copied stays in its fence, whatever is in it.
func TestMarkdownFence(t *testing.T) {
	r := reporttest.Failed()
	r.Phases[1].Mismatches[0].Again = "hellochaos send '```\n## not a heading' \x1b[31m"
	headings, _, _, _ := read(t, rendered(t, r))
	if len(headings) != 2 || strings.Contains(rendered(t, r), "\x1b") {
		t.Errorf("headings %q in\n%s", headings, rendered(t, r))
	}
}

// read renders a page, and returns the texts of its headings, cells and list items as a reader sees them, mark-up within them
// as it is, and the number of links.
func read(t *testing.T, page string) (headings, cells, items []string, links int) {
	t.Helper()
	var out strings.Builder
	github := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(renderer.WithUnsafe()))
	if err := github.Convert([]byte(page), &out); err != nil {
		t.Fatal(err)
	}
	for _, one := range regexp.MustCompile(`(?s)<(h\d|th|td|li)(?: [^>]*)?>(.*?)</(?:h\d|th|td|li)>`).FindAllStringSubmatch(out.String(), -1) {
		text := strings.ReplaceAll(html.UnescapeString(regexp.MustCompile(`</?a[ >][^>]*>?`).ReplaceAllString(one[2], "")), "\u2060", "")
		text = strings.ReplaceAll(strings.ReplaceAll(text, "<strong>!</strong>", "!"), "</a>", "")
		switch one[1] {
		case "th", "td":
			cells = append(cells, text)
		case "li":
			items = append(items, text)
		default:
			headings = append(headings, text)
		}
	}
	return headings, cells, items, strings.Count(out.String(), "<a ")
}
