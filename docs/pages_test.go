package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// link is the target of a Markdown link or picture.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// brokenLinks returns the links of a page that lead to no file or to no heading. exists reports whether the page's folder has
// a file, and headings returns the anchors of a page.
func brokenLinks(page, text string, exists func(file string) bool, headings func(page string) []string) (broken []string) {
	for _, found := range link.FindAllStringSubmatch(text, -1) {
		file, anchor, anchored := strings.Cut(found[1], "#")
		switch {
		case strings.Contains(found[1], "://"):
		case file != "" && !exists(file):
			broken = append(broken, found[1]+": no such file")
		case anchored:
			if file == "" {
				file = page
			}
			if !slices.Contains(headings(file), anchor) {
				broken = append(broken, found[1]+": the page has no such heading")
			}
		}
	}
	return broken
}

// anchors returns the anchors that GitHub gives to the headings of a page.
func anchors(text string) (all []string) {
	for line := range strings.Lines(text) {
		if heading := strings.TrimLeft(line, "#"); strings.HasPrefix(line, "#") && strings.HasPrefix(heading, " ") {
			all = append(all, strings.Map(func(r rune) rune {
				switch {
				case r == ' ':
					return '-'
				case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
					return unicode.ToLower(r)
				}
				return -1
			}, strings.TrimSpace(heading)))
		}
	}
	return all
}

func TestLinks(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"*.md", "commands/*.md", "../*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	if len(pages) < 10 {
		t.Fatalf("%d pages, want at least 10", len(pages))
	}
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, page := range pages {
		folder := filepath.Dir(page)
		for _, broken := range brokenLinks(filepath.Base(page), read(page), func(file string) bool {
			_, err := os.Stat(filepath.Join(folder, file))
			return err == nil
		}, func(other string) []string { return anchors(read(filepath.Join(folder, other))) }) {
			t.Errorf("%s: %s", page, broken)
		}
	}
}

func TestBrokenLinks(t *testing.T) {
	text := "# The *words*, here\n[a](a.md) [b](b.md#x) [c](#the-words-here) [d](#nowhere) [e](https://e.example/#x) [f](f.md)\n"
	got := brokenLinks("p.md", text, func(file string) bool { return file != "f.md" }, func(page string) []string {
		if page == "p.md" {
			return anchors(text)
		}
		return []string{"y"}
	})
	want := []string{"b.md#x: the page has no such heading", "#nowhere: the page has no such heading", "f.md: no such file"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The table of folders in architecture.md has every package, and no folder that does not exist.
func TestFolders(t *testing.T) {
	text, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Folders\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var folders []string
	for line := range strings.Lines(section) {
		if rest, row := strings.CutPrefix(line, "| `"); row {
			folder, _, _ := strings.Cut(rest, "`")
			folders = append(folders, folder)
		}
	}
	list := exec.Command("go", "list", "-tags", "e2e,integration", "-f", "{{.ImportPath}}", "./...")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, path := range strings.Fields(string(out)) {
		if folder, below := strings.CutPrefix(path, "github.com/hellochaos/hellochaos/"); below && !slices.Contains(folders, folder) {
			t.Errorf("the table of folders in architecture.md has no row for %s", folder)
		}
	}
	for _, folder := range folders {
		if info, err := os.Stat(filepath.Join("..", folder)); err != nil || !info.IsDir() {
			t.Errorf("architecture.md has a row for %s, which is no folder", folder)
		}
	}
}
