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

// compared is the run that most pairs are of.
const compared = "retry --fail 0.5"

// TestComparisons compares runs of a mesh that did not change, and of one that did. With -pairs N it prints a line of docs/compare.md
// for each kind of pair; without it, only pairs are run whose outcome neither chance nor a busy machine can change.
func TestComparisons(t *testing.T) {
	if testing.Short() {
		t.Skip("make test compares five whole runs; the tests of package compare are about reports")
	}
	if *kept != "" {
		var err error
		if *kept, err = filepath.Abs(*kept); err != nil {
			t.Fatal(err)
		}
	} else {
		*kept = t.TempDir()
	}
	t.Run("itself", func(t *testing.T) {
		one := runInto(t, compared, 1, 0)
		c, code := compareReports(t, one, one)
		if code != reports.ExitPass || c.Word != compare.Same || c.Counts()[compare.Same] != len(c.Rows) || len(c.Rows) < 15 {
			t.Errorf("exit %d, %s: %v of %d", code, c.Summary, c.Counts(), len(c.Rows))
		}
	})
	t.Run("unchanged", func(t *testing.T) { unchanged(t, compared) })
	t.Run("one-retry-less", func(t *testing.T) { broken(t, compared, "one-retry-less") })
	if *pairs == 0 {
		t.Log("more runs, and slower ones, are compared with -pairs N alone")
		return
	}
	t.Run("rare failures, one-retry-less", func(t *testing.T) { broken(t, "retry --fail 0.01", "one-retry-less") })
	t.Run("unchanged prod", func(t *testing.T) { unchanged(t, "prod --canary-weight 20") })
	t.Run("unchanged canary", func(t *testing.T) { unchanged(t, "canary --fail 0.3") })
	t.Run("unchanged latency", func(t *testing.T) { unchanged(t, "egress --fail 0 --rate 100") })
	t.Run("slow-backend", func(t *testing.T) { broken(t, "egress --fail 0 --rate 100", "slow-backend") })
	t.Run("other seeds", otherSeeds)
}

// unchanged compares pairs of runs of one seed on a mesh that did not change: all are the same.
func unchanged(t *testing.T, args string) {
	outcomes := counted{what: "two runs `run " + args + "` of one seed"}
	for i := range max(1, *pairs) {
		outcomes.compare(t, runInto(t, args, i+1, 0), runInto(t, args, i+1, 1))
	}
	if outcomes.words[compare.Same] != outcomes.pairs {
		t.Errorf("the same in %d of %d pairs, want all", outcomes.words[compare.Same], outcomes.pairs)
	}
	t.Log(outcomes.line())
}

// broken compares each run with one of the same seed on a mesh that does something wrong: all are worse.
func broken(t *testing.T, args, deviation string) {
	outcomes := counted{what: "`run " + args + "` and one of its seed with `--break " + deviation + "`"}
	for i := range max(1, *pairs) {
		outcomes.compare(t, runInto(t, args, i+1, 0), runInto(t, args+" --break "+deviation, i+1, 0))
	}
	if outcomes.words[compare.Worse] != outcomes.pairs {
		t.Errorf("worse in %d of %d pairs, want all", outcomes.words[compare.Worse], outcomes.pairs)
	}
	t.Log(outcomes.line())
}

// otherSeeds compares runs that differ in their seeds, in whatever their draws make different.
func otherSeeds(t *testing.T) {
	outcomes := counted{what: "two runs `run " + compared + "` of different seeds"}
	for i := range *pairs {
		outcomes.compare(t, runInto(t, compared, 2*i+1, 0), runInto(t, compared, 2*i+2, 0))
	}
	if wrong := outcomes.words[compare.Worse] + outcomes.words[compare.Better]; 20*wrong > outcomes.pairs {
		t.Errorf("better or worse in %d of %d pairs, want at most one in 20", wrong, outcomes.pairs)
	}
	t.Log(outcomes.line())
}

// runInto runs stages with a seed, and returns the folder of the report. Runs of one seed have different numbers.
func runInto(t *testing.T, args string, seed, number int) string {
	t.Helper()
	folder := filepath.Join(*kept, strings.NewReplacer(" ", "_", "-", "").Replace(args)+fmt.Sprint("_", seed, "_", number))
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
