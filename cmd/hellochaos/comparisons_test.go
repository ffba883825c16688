package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/compare"
)

var (
	pairs = flag.Int("pairs", 0, "how many pairs of runs TestComparisons compares for each line of docs/compare.md; 0: the quick ones, once")
	kept  = flag.String("reports", "", "`folder` that keeps the reports of TestComparisons; what is there already is not run again")
)

// short runs stage retry with fewer requests than the stage plans, at a rate that a busy machine keeps. shorter has still fewer
// requests, enough where chance cannot change the outcome.
const (
	short   = "retry --fail 0.5 --rate 400 --max-requests 1600"
	shorter = "retry --fail 0.5 --rate 400 --max-requests 400"
)

// TestComparisons compares runs that are alike, and runs that are not. With -pairs N it prints a line of docs/compare.md for each
// kind of pair; without it, only pairs are run whose outcome neither chance nor a busy machine can change.
func TestComparisons(t *testing.T) {
	if *kept != "" {
		var err error
		if *kept, err = filepath.Abs(*kept); err != nil {
			t.Fatal(err)
		}
	} else {
		*kept = t.TempDir()
	}
	args := short
	if *pairs == 0 {
		args = shorter
	}
	t.Run("itself", func(t *testing.T) {
		one := runInto(t, args, 1)
		c, code := compareReports(t, one, one)
		if code != reports.ExitPass || c.Word != compare.Same || c.Counts()[compare.Same] != len(c.Rows) || len(c.Rows) < 15 {
			t.Errorf("exit %d, %s: %v of %d", code, c.Summary, c.Counts(), len(c.Rows))
		}
	})
	t.Run("one-retry-less", func(t *testing.T) {
		outcomes := counted{what: "`run " + args + "` and one with `--break one-retry-less`"}
		for i := range max(1, *pairs) {
			good := runInto(t, args, 2*i+1) // the seeds of a pair that alike compares
			outcomes.compare(t, good, runInto(t, args+" --break one-retry-less", 5000+i))
		}
		if outcomes.words[compare.Worse] != outcomes.pairs {
			t.Errorf("worse in %d of %d pairs, want all", outcomes.words[compare.Worse], outcomes.pairs)
		}
		t.Log(outcomes.line())
	})
	if *pairs == 0 {
		t.Log("alike and slower runs are compared with -pairs N alone: what they show depends on chance and on the machine")
		return
	}
	t.Run("retry", func(t *testing.T) { alike(t, short) })
	t.Run("prod", func(t *testing.T) { alike(t, "prod") })
	t.Run("slow-backend", slowBackend)
}

// alike compares pairs of runs that differ only in their seeds: at most one in 20 may be reported as better or worse.
func alike(t *testing.T, args string) {
	outcomes := counted{what: "two runs `run " + args + "`"}
	for i := range *pairs {
		outcomes.compare(t, runInto(t, args, 2*i+1), runInto(t, args, 2*i+2))
	}
	if wrong := outcomes.words[compare.Worse] + outcomes.words[compare.Better]; 20*wrong > outcomes.pairs {
		t.Errorf("better or worse in %d of %d pairs, want at most one in 20", wrong, outcomes.pairs)
	}
	t.Log(outcomes.line())
}

// slowBackend compares each run with a run that has a slow backend, and with one that has not, one after the other.
func slowBackend(t *testing.T) {
	const args = "egress --fail 0 --rate 100"
	slow, not := counted{what: "`run " + args + "` and one with `--break slow-backend`"}, counted{what: "two runs `run " + args + "`"}
	for i := range *pairs {
		first := runInto(t, args, 3*i+1)
		slow.compare(t, first, runInto(t, args+" --break slow-backend", 3*i+2))
		not.compare(t, first, runInto(t, args, 3*i+3))
	}
	if found := slow.words[compare.Worse]; 10*found < 9*slow.pairs {
		t.Errorf("found worse in %d of %d pairs, want 9 in 10", found, slow.pairs)
	}
	if wrong := not.words[compare.Worse]; 20*wrong > not.pairs {
		t.Errorf("without it worse in %d of %d pairs, want at most one in 20", wrong, not.pairs)
	}
	t.Log(slow.line())
	t.Log(not.line())
}

// runInto runs stages with a seed, and returns the folder of the report.
func runInto(t *testing.T, args string, seed int) string {
	t.Helper()
	folder := filepath.Join(*kept, strings.NewReplacer(" ", "_", "-", "").Replace(args)+fmt.Sprint("_", seed))
	if _, err := os.Stat(filepath.Join(folder, reports.FileName)); err == nil {
		return folder
	}
	got := execute(t, append(append([]string{"run"}, strings.Fields(args)...), "--seed", fmt.Sprint(seed), "--out", folder)...)
	if got.code > reports.ExitInconclusive || got.code == reports.ExitUsage {
		t.Fatalf("run %s --seed %d: exit %d: %s", args, seed, got.code, got.stderr)
	}
	return folder
}

// compareReports returns the comparison that compare-reports prints of two folders, and its exit code.
func compareReports(t *testing.T, before, after string) (*compare.Comparison, int) {
	t.Helper()
	got := execute(t, "compare-reports", before, after, "--format", "json")
	c := new(compare.Comparison)
	if err := json.Unmarshal([]byte(got.stdout), c); err != nil {
		t.Fatalf("compare-reports %s %s: %v\n%s%s", before, after, err, got.stdout, got.stderr)
	}
	if got.code != c.ExitCode() {
		t.Errorf("compare-reports %s %s: exit %d, but the comparison is %q", before, after, got.code, c.Word)
	}
	return c, got.code
}

// counted counts the outcomes of pairs of one kind.
type counted struct {
	what  string
	pairs int
	words map[compare.Word]int
}

func (s *counted) compare(t *testing.T, before, after string) {
	t.Helper()
	c, _ := compareReports(t, before, after)
	if s.words == nil {
		s.words = map[compare.Word]int{}
	}
	s.pairs++
	s.words[c.Word]++
	t.Logf("%s and %s: %s: %s", filepath.Base(before), filepath.Base(after), c.Word, c.Summary)
}

// line is a line of the table in docs/compare.md.
func (s *counted) line() string {
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d |", s.what, s.pairs,
		s.words[compare.Worse], s.words[compare.Better], s.words[compare.Same], s.words[compare.Unclear])
}
