package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target/mesh"
)

var seeds = flag.Int("seeds", 1, "how many seeds TestVerifier runs each case on")

// deviations are what each --break must be found to be, on the stage that shows it. Which failures are drawn matters to none of
// them: each is found at every probability.
var deviations = []struct {
	name, args, cause string
	some              bool // a part of the planned requests shows it: it deviates wherever a rule is met
}{
	{"no-retries", "retry", `no call was sent again at all, so that retries are off`, true},
	{"one-retry-less", "retry", `from frontend to middleware failed at try 3 and were not sent again.*the limit in force is 3 tries`, true},
	{"retry-too-often", "retry", `from frontend to middleware got try 5, where VirtualService middleware, http\[0\] \(retry.yaml:32\) allows 4 tries`, true},
	{"retry-not-5xx", "retry", `what is in force does not cover the failure`, true},
	{"slow-backoff", "retry", `from frontend to middleware are not those of Envoy.s back-off.*longer than the manifest`, false},
	{"split-70-30", "prod --canary-weight 20", `from frontend to middleware were not split by the weights`, false},
	{"stale-rules", "prod", `treated as the rules of phase egress allow, spread over the phase`, false},
	{"header-ignored", "canary", `all of cohort "exact header", were answered by middleware-prod.*The rule is not in force`, true},
	{"header-sometimes-ignored", "canary", `all of cohort "exact header", were answered by middleware-prod.*spread over the phase`, false},
	{"header-case-insensitive", "canary", `all of cohort "another case", were answered by middleware-canary`, true},
	{"egress-open", "egress", `outbound traffic is open`, true},
	{"routes-dropped", "retry --through-change", `calls were lost.*no later than \d+ ms after the objects began to be applied.*status 404`, false},
	{"gateway-bypassed", "ingress", `requests to frontend carried no attempt count`, true},
}

// probabilities are those at which each deviation must be found.
var probabilities = []string{"0.5", "0.1", "0.01"}

// TestVerifier shows that the verifier says no to a mesh that is wrong on purpose, and names the cause; and that it says
// yes to one that is not. With -seeds N it repeats both and prints the table of docs/verification.md. The short form has only the deviations that
// few requests show.
func TestVerifier(t *testing.T) {
	t.Parallel() // beside TestHang, which needs little of the machine
	for _, b := range mesh.Breaks() {
		// What contradicts no manifest is TestComparisons'.
		// What only a policy shows is TestBrokenPolicies', and what only files show is TestShippedBugs'.
		if !b.OnlyCompared && !b.OnlyPolicy && !b.OnlyFiles && !listed(b.Name) {
			t.Errorf("--break %s is not in the table of deviations", b.Name)
		}
	}
	var table strings.Builder
	fmt.Fprintf(&table, "| run | seeds | pass | fail | inconclusive | names the cause |\n| --- | --- | --- | --- | --- | --- |\n")
	for i, d := range deviations {
		for j, fail := range probabilities {
			if *seeds == 1 && i%len(probabilities) != j || testing.Short() && !d.some {
				continue // one probability each, in turn
			}
			c, unjudged := counts{}, 0
			command := "run " + d.args + " --fail " + fail + " --break " + d.name
			if *seeds == 1 && d.some {
				command += " --rate 400 --duration 750ms" // 300 requests a phase
			}
			for seed := 1; seed <= *seeds; seed++ {
				report := c.timed(t, command, seed)
				if report == nil && *seeds == 1 {
					t.Logf("%s: the machine is too busy to judge waits", command) // where it is not, the verdict is asked for below
					unjudged++
					continue
				}
				if report == nil {
					t.Fatalf("%s --seed %d: in %d runs the machine was too busy to judge waits", command, seed, timedRuns())
				}
				if named := regexp.MustCompile(d.cause).MatchString(words(report)); named {
					c.named++
				} else {
					t.Errorf("%s --seed %d: the words do not match %q:\n%s", command, seed, d.cause, words(report))
				}
			}
			if c.verdicts[reports.Fail]+unjudged != *seeds {
				t.Errorf("%s: %d of %d seeds fail, want all", command, c.verdicts[reports.Fail], *seeds)
			}
			c.line(&table, command)
		}
	}
	if testing.Short() {
		t.Log("the short form has the deviations that few requests show, and leaves out run all")
		return
	}
	c := counts{}
	for seed := 1; seed <= *seeds; seed++ {
		c.run(t, "run all --fail 0.3", seed)
	}
	if c.verdicts[reports.Pass] != *seeds {
		t.Errorf("run all: %d of %d seeds pass, want all", c.verdicts[reports.Pass], *seeds)
	}
	c.line(&table, "run all --fail 0.3")
	t.Logf("\n%s", table.String())
}

// timedRuns is how often a run is made anew on a machine that is too busy to judge waits: more often where a seed without a verdict is a
// failure.
func timedRuns() int {
	if *seeds == 1 {
		return 4
	}
	return 10
}

// timed runs a command until it fails, or its waits were judged: a run on a machine that is too busy says nothing of them, right or
// wrong. Only the last run counts; there is none where the machine was always too busy.
func (c *counts) timed(t *testing.T, command string, seed int) *reports.Report {
	t.Helper()
	untimed := func(c reports.Call) bool {
		return slices.ContainsFunc(c.Waits, func(w reports.Wait) bool { return w.Verdict == reports.NotJudged })
	}
	for range timedRuns() {
		var once counts
		report := once.run(t, command, seed)
		if report.Verdict == reports.Fail || !slices.ContainsFunc(report.Phases, func(p reports.Phase) bool { return slices.ContainsFunc(p.Calls, untimed) }) {
			c.add(report.Verdict)
			return report
		}
	}
	return nil
}

func (c *counts) add(v reports.Verdict) {
	if c.verdicts == nil {
		c.verdicts = map[reports.Verdict]int{}
	}
	c.verdicts[v]++
}

func listed(name string) bool {
	for _, d := range deviations {
		if d.name == name {
			return true
		}
	}
	return false
}

// counts are the verdicts of one command on several seeds.
type counts struct {
	verdicts map[reports.Verdict]int
	named    int
}

func (c *counts) run(t *testing.T, command string, seed int) *reports.Report {
	t.Helper()
	args := append(strings.Fields(command), "--format", "json", "--seed", fmt.Sprint(seed))
	got := execute(t, args...)
	report := new(reports.Report)
	if err := json.Unmarshal([]byte(got.stdout), report); err != nil {
		t.Fatalf("%s: %v\n%s%s", command, err, got.stdout, got.stderr)
	}
	if want := map[reports.Verdict]int{reports.Pass: 0, reports.Fail: 1, reports.Inconclusive: 3}[report.Verdict]; got.code != want {
		t.Errorf("%s --seed %d: exit %d with verdict %s, want %d", command, seed, got.code, report.Verdict, want)
	}
	if report.Verdict == reports.Inconclusive || report.Verdict == reports.Fail && !strings.Contains(command, "--break") {
		t.Logf("%s --seed %d: %s %s", command, seed, report.Verdict, report.Summary)
	}
	c.add(report.Verdict)
	return report
}

func (c *counts) line(table *strings.Builder, command string) {
	named := "–"
	if strings.Contains(command, "--break") {
		named = fmt.Sprint(c.named)
	}
	fmt.Fprintf(table, "| `%s` | %d | %d | %d | %d | %s |\n", command, *seeds,
		c.verdicts[reports.Pass], c.verdicts[reports.Fail], c.verdicts[reports.Inconclusive], named)
}
