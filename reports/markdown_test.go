package reports

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	renderer "github.com/yuin/goldmark/renderer/html"
)

const exampleMarkdown = `## FAIL: 1 of 4 checks contradict the manifests, first middleware wait, try 2

embedded mesh: 3000 requests in 5.2 s; fail 0.5, absorb, seed 7 The mesh is wrong on purpose: --break slow-backoff.

### FAIL: retry: failed calls are sent again

| check | predicted | before | after | catches | verdict |
| --- | --- | --- | --- | --- | --- |
| middleware call fails | 0.5→0.0625 | 0.498 ±0.0213 | 0.0611 ±0.0105 | 0.0812 | PASS |
| canary share | 0 |  | 0 of 2531 |  | PASS |
| backend ledger | exact | no retries | 12 of 12 | 1 try | INCONCLUSIVE |
| middleware wait, try 2 | 12.5ms |  | 50.1ms ±2.1ms |  | FAIL |

- **\!** after: requests left late
- **=** after: Envoy's statistics: middleware 3760 of 3760.
- Retries of middleware wait 4.0 times as long as Envoy's back-off for this policy predicts.
- Tries per request, measured (predicted): middleware 1.88 (1.88).

<details><summary>How to reproduce</summary>

` + "```sh\nhellochaos run retry --header 'x-a: it'\\''s' --seed 7\n```" + `

- hellochaos v1, go1.26, linux/amd64

</details>
`

func TestMarkdown(t *testing.T) {
	r := example()
	r.Tool = Tool{Name: "hellochaos", Version: "v1", Go: "go1.26", System: "linux/amd64"}
	r.Command = []string{"hellochaos", "run", "retry", "--header", "x-a: it's"}
	want := strings.ReplaceAll(exampleMarkdown, `\!`, "!")
	if got := rendered(t, r); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	r.Command = append(r.Command, "--seed=7")
	if got := rendered(t, r); strings.Contains(got, "--seed=7 --seed") {
		t.Errorf("the seed is told twice:\n%s", got)
	}
}

func rendered(t *testing.T, r *Report) string {
	t.Helper()
	var out strings.Builder
	if err := Markdown(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The numbers and words are those of the text.
func TestMarkdownSaysWhatTheTextSays(t *testing.T) {
	r := everything()
	got := strings.NewReplacer(`\`, "", "**", "", "\u2060", "").Replace(rendered(t, r))
	for i := range r.Stages {
		for j := range r.Stages[i].Checks {
			if line := "| " + strings.Join(row(&r.Stages[i].Checks[j]), " | ") + " |"; !strings.Contains(got, line) {
				t.Errorf("lacks %q", line)
			}
		}
		for _, one := range sentences(&r.Stages[i]) {
			if !strings.Contains(got, one.text) {
				t.Errorf("lacks %q", one.text)
			}
		}
	}
	for _, want := range []string{"NOT RESTORED", "Not all was put back", "edited since", "Grafana: a run", "Kiali did not answer", "istio 1.31.1", "c0ffee"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
}

// Odd texts read as what they are, and as nothing else: a parser of GitHub's dialect gives them back.
func TestMarkdownEscapes(t *testing.T) {
	for _, odd := range []string{
		"a | b", `back\slash`, `\|`, "`code`", "``", "<script>alert(1)</script>", "<!-- x", "</details>", "**bold** _it_ ~~no~~", "[a](http://b.example)",
		"![i](x)", "# no heading", "- no list", "+ x", "1. one", "2) two", "--- ---", "===", "> quote", "&lt; &#124;", "http://auto.example/x", "www.auto.example",
		"mail@host.example", "@everyone #12", "| --- |", "a $b$ c", "x-dev-user: super-secret", "12.5ms", "-1", "```", "[ ] todo", ":--", "a\\",
	} {
		r := example()
		r.Stages[0].Checks = r.Stages[0].Checks[:1]
		r.Stages[0].Checks[0].Name, r.Stages[0].Words, r.Stages[0].Phases, r.Stages[0].Amplification = odd, []string{odd}, nil, nil
		r.Summary, r.Remarks = odd, []string{odd}
		r.Links = []Link{{Title: odd, URL: "http://x.example/" + odd}}
		headings, cells, items, links := read(t, rendered(t, r))
		if len(cells) != 12 || cells[6] != odd {
			t.Errorf("%q: %d cells, the name is %q", odd, len(cells), cells[min(6, len(cells)-1)])
		}
		if len(items) != 4 || items[0] != odd || items[1] != odd || items[2] != "! "+odd {
			t.Errorf("%q: items %q", odd, items)
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
