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
	"slices"
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

// slow are the pages whose commands run longest.
var slow = []string{"changes.md", "sweeps.md"}

func TestPages(t *testing.T) {
	program := build(t)
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, page := range append(pages, filepath.Join("..", "README.md")) {
		t.Run(page, func(t *testing.T) {
			if testing.Short() && slices.Contains(slow, page) {
				t.Skip("make test runs the commands of this page, which take long")
			}
			ran += checkPage(t, program, page)
		})
	}
	if ran < 8 {
		t.Errorf("%d commands were run, want at least 8: are the blocks still marked console?", ran)
	}
}

// checkPage runs the commands of a page, and returns how many it ran. With -update it writes what they print into the page.
func checkPage(t *testing.T, program, page string) (ran int) {
	t.Helper()
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
			checkWidth(t, s, output, code)
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
	return ran
}

// checkWidth checks that what a command printed fits into 80 columns, apart from what cannot be broken and what is to be copied.
func checkWidth(t *testing.T, s session, output string, code int) {
	t.Helper()
	for line := range strings.Lines(output) {
		whole := len(strings.Fields(line)) == 1 || strings.HasPrefix(line, "    again ")
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 && code != 2 && !whole {
			t.Errorf("%s: $ %s prints %d columns: %s", s.place, s.command, n, line)
		}
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

var (
	number = regexp.MustCompile(`[0-9]+(?:[.,][0-9]+)*|\.[0-9]+`)
	// busy are what a report has where the machine was too busy to judge times. A page shows what a quiet machine prints.
	busy = regexp.MustCompile(strings.Join([]string{
		`, apart from # calls? that a time limit may have decided`,
		`NOT JUDGED the times of retries \([^)]*\): requests left late, so that no time is judged `,
		`! not judged: [^!]*?(?:no time is judged|too long to tell waits of # ms|# waits are too few to be judged) ?`,
		`! # problems more, which --verbose prints ?`,
		`! The phase was sent again more slowly, since (?:# requests a second were too many for this machine|waits contradicted the back-off, which a pause of this machine makes them do, too)\. ?`,
		`Good answers take [^.]*? retr(?:y|ies)\. ?`,
	}, "|"))
	// waits are the medians of a call's waits, some of which may not have been judged.
	waits = regexp.MustCompile(`(?:[#-], )+[#-]|not judged`)
	// first is the request that was the first to be answered wrongly, which depends on when answers come.
	first = regexp.MustCompile(`(request) #?/?[a-z]+/(?:p/)?#(?:, a probe)?`)
)

// normal replaces what differs from run to run: the numbers, the blanks and line breaks, which depend on the numbers, and what depends
// on how busy the machine is.
func normal(text string) string {
	text = strings.Join(strings.Fields(number.ReplaceAllString(text, "#")), " ") + " "
	text = busy.ReplaceAllString(text, "")
	return strings.TrimSpace(first.ReplaceAllString(waits.ReplaceAllString(text, "WAITS"), "$1 NAME"))
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
	quiet := "PASS  all\nabout: 1,434 requests\n\ncall  waits (ms)  policy\na  12, 38, 88  3 retries\n  Words.\n" +
		"  Good answers take 44ms in the median where they took 0.4ms, and 157ms in the\n  99th percentile where they took 12ms, now that calls to a have up to 3 retries.\n"
	late := "PASS  all, apart from 16 calls that a\n  time limit may have decided\nNOT JUDGED  the times of retries (a and b,\n  in retry): requests left late, so that no time is judged\nabout: 12 requests\n\ncall  waits (ms)  policy\na  -, 38, 88  3 retries\n" +
		"  ! not judged: a: waits before try 2: 4 waits with a median of\n    15.9ms, predicted 12.5ms: a try's way itself takes up to 20.9 ms here, too\n    long to tell waits of 12.5 ms\n  ! 2 problems more, which --verbose prints\n" +
		"  Words.\n  ! The phase was sent again more slowly, since 1290 requests a second were\n    too many for this machine.\n"
	if normal(quiet) != normal(late) || normal(quiet) != normal(strings.Replace(quiet, "12, 38, 88", "not judged", 1)) {
		t.Errorf("a busy machine prints something else:\n%s\n%s", normal(late), normal(quiet))
	}
	if normal(quiet) == normal(strings.Replace(late, "Words.", "", 1)) || normal(quiet) == normal(strings.Replace(late, "too many for this machine", "too few", 1)) {
		t.Error("normal must keep all other words")
	}
	if got := normal("call 0.1.2 of request 1/retry/p/3, a probe, --request retry/14"); got != "call # of request NAME, --request NAME" {
		t.Errorf("requests: %q", got)
	}
}
