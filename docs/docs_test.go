// Package docs_test runs every command in the console blocks of README.md and docs/*.md, and compares what it prints with the
// page.
package docs_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// session is one command of a console block, its place ("page:line"), and the output that the page shows.
type session struct {
	place, command, output string
}

// sessions reads the console blocks of a page. A line that begins with "$ " is a command, and the lines below it are its output.
func sessions(page, text string) []session {
	var found []session
	inside := false
	for i, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case !inside:
		case strings.HasPrefix(line, "$ "):
			found = append(found, session{place: fmt.Sprintf("%s:%d", page, i+1), command: line[2:]})
		case len(found) > 0:
			found[len(found)-1].output += line + "\n"
		}
	}
	return found
}

var update = flag.Bool("update", false, "write what the commands print into the pages")

func TestPages(t *testing.T) {
	program := build(t)
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, page := range append(pages, filepath.Join("..", "README.md")) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		folder := t.TempDir()
		code := 0
		for _, s := range sessions(page, string(text)) {
			switch {
			case s.command == "echo $?":
				if want := strings.TrimSpace(s.output); want != fmt.Sprint(code) {
					t.Errorf("%s: the page says exit %s, got %d", s.place, want, code)
				}
			case strings.HasPrefix(s.command, "make"):
				// the continuous integration runs the targets of the Makefile
			default:
				ran++
				var output string
				output, code = shell(t, program, folder, s.command)
				for line := range strings.Lines(output) {
					if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 && code != 2 {
						t.Errorf("%s: $ %s prints %d columns: %s", s.place, s.command, n, line)
					}
				}
				if *update {
					text = []byte(strings.Replace(string(text), "$ "+s.command+"\n"+s.output, "$ "+s.command+"\n"+output, 1))
					continue
				}
				if got, want := normal(output), normal(s.output); got != want {
					t.Errorf("%s: $ %s\nprinted:\n%s\nthe page has:\n%s", s.place, s.command, output, s.output)
				}
			}
		}
		if *update {
			if err := os.WriteFile(page, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if ran < 8 {
		t.Errorf("%d commands were run, want at least 8: are the blocks still marked console?", ran)
	}
}

func build(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(folder, "hellochaos"), "../cmd/hellochaos").CombinedOutput(); err != nil {
		t.Fatalf("building hellochaos: %v\n%s", err, out)
	}
	return folder
}

// shell runs a command line in a shell, as a reader would, in a folder that belongs to the page. It returns the standard output, or
// the standard error if the standard output is empty.
func shell(t *testing.T, program, folder, command string) (output string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "PATH="+program+":"+os.Getenv("PATH"))
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var failed *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &failed) {
		t.Fatalf("%s: %v", command, err)
	}
	if stdout.Len() == 0 {
		return stderr.String(), cmd.ProcessState.ExitCode()
	}
	return stdout.String(), cmd.ProcessState.ExitCode()
}

var number = regexp.MustCompile(`[0-9]*\.?[0-9]+`)

// normal replaces what differs from run to run: the numbers, and the blanks and line breaks, which depend on the numbers.
func normal(text string) string {
	return strings.Join(strings.Fields(number.ReplaceAllString(text, "#")), " ")
}

func TestSessions(t *testing.T) {
	got := sessions("p.md", "text\n```console\n$ hellochaos list\nprod  x\n$ echo $?\n0\n```\n$ not me\n```yaml\n$ nor me\n```\n")
	want := []session{{"p.md:3", "hellochaos list", "prod  x\n"}, {"p.md:5", "echo $?", "0\n"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if normal("PASS .4981 ±.0123\n  of 12") != normal("PASS .5 ±.02 of 7") || normal("PASS") == normal("FAIL") {
		t.Error("normal must forget numbers and keep words")
	}
}
