package compare

import (
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

const oneByOne = "requests, one by one"

// Two runs of one seed on a mesh that did not change are the same in every pair, whatever the mesh and the machine drew.
func TestUnchangedIsSame(t *testing.T) {
	is := usual
	is.requests, is.seconds = 500, 5
	for seed := range uint64(50) {
		a, b := is.again(seed, 2*seed+100), is.again(seed, 2*seed+101)
		c := Of(a, b, defaults)
		if c.Word != Same || c.ExitCode() != 0 || c.Paired != 1000 {
			t.Errorf("seed %d: %s; %d paired", seed, c.Summary, c.Paired)
		}
		for _, metric := range []string{oneByOne, reports.EdgeFails, reports.AnyFails, "backend: fails", "backend: ledger", "middleware: each call", "verdict"} {
			if row := find(c, "retry", metric); row == nil || row.Word != Same {
				t.Errorf("seed %d: %s is %+v", seed, metric, row)
			}
		}
	}
}

// A split that is decided later needs more requests; those that both runs sent are compared, and the others make no difference.
func TestMoreRequestsInOneRun(t *testing.T) {
	is, longer := usual, usual
	is.requests, longer.requests, is.seconds, longer.seconds = 500, 700, 5, 7
	c := Of(is.again(1, 1), longer.again(1, 2), defaults)
	row := find(c, "retry", oneByOne)
	if c.Word != Same || row.New.N != 500 || row.New.K != 0 || c.Paired != 1000 {
		t.Errorf("%s: %+v", c.Summary, row)
	}
	if share := find(c, "retry", reports.EdgeFails); share.Old.N != 500 || share.New.N != 500 || share.Word != Same {
		t.Errorf("the share is of %+v", share)
	}
	if fails := find(c, "retry", "backend: fails"); fails.Word != Same || fails.Difference == nil || fails.P != nil {
		t.Errorf("calls: %+v", fails)
	}
}

// A request that draws decide and that met something else is a difference, in the direction of its failures.
func TestOneRequestThatDiffers(t *testing.T) {
	// flip changes the outcomes of some requests of phase retry; at has what they must be before.
	flip := func(r *reports.Report, from, to byte, times int) (numbers []int) {
		for i, o := range r.Phases[1].Outcomes {
			if o&(edgeBit|anyBit) == from && len(numbers) < times {
				r.Phases[1].Outcomes[i] = o&^(edgeBit|anyBit) | to
				numbers = append(numbers, i)
			}
		}
		return numbers
	}
	for _, test := range []struct {
		name   string
		change func(b *reports.Report) (first []int)
		word   Word
		note   string
	}{
		{"fails at the edge", func(b *reports.Report) []int { return flip(b, 0, edgeBit|anyBit, 1) }, Worse, "1 of 3000 requests met something else, first NAMES; 1 fail at the edge only in NEW, 0 only in OLD"},
		{"fails at the edge no more", func(b *reports.Report) []int { return flip(b, edgeBit|anyBit, 0, 2) }, Better, "2 of 3000 requests met something else, first NAMES; 0 fail at the edge only in NEW, 2 only in OLD"},
		{"fails at a service", func(b *reports.Report) []int { return flip(b, 0, anyBit, 4) }, Worse, "4 of 3000 requests met something else, first NAMES; 4 fail at a service only in NEW, 0 only in OLD"},
		{"met other tries", func(b *reports.Report) []int { b.Phases[1].Outcomes[7] ^= 0x80 | 0x40; return []int{7} }, Unclear,
			"1 of 3000 requests met something else, first NAMES; 0 fail at a service only in NEW, 0 only in OLD, so that NEW is neither better nor worse"},
		{"met other tries, against a rule", func(b *reports.Report) []int {
			b.Phases[1].Outcomes[7] ^= 0x80 | 0x40
			b.Phases[1].Calls[0].Mismatched, b.Phases[1].Calls[0].Requests = 1, reports.Fail
			return []int{7}
		}, Worse, "1 of 3000 requests met something else, first NAMES; 0 fail at a service only in NEW, 0 only in OLD"},
		{"lost a connection", func(b *reports.Report) []int {
			b.Phases[1].Calls[0].Mismatched = 1
			return flip(b, 0, edgeBit|anyBit, 1)
		}, Same,
			"1 of 3000 requests met something else, first NAMES; 1 fail at the edge only in NEW, 0 only in OLD; as many calls lost a connection, which the runs count as incidents"},
		{"may have been decided by a time limit", func(b *reports.Report) []int { b.Phases[1].Outcomes[7] &= edgeBit | anyBit; return nil }, Same, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := usual.again(6, 1), usual.again(6, 2)
			first := test.change(b)
			for i, sides := range [][2]*reports.Report{{a, b}, {b, a}} {
				c := Of(sides[0], sides[1], defaults)
				row := find(c, "retry", oneByOne)
				want, opposite := test.word, map[Word]Word{Worse: Better, Better: Worse, Same: Same, Unclear: Unclear}
				if i == 1 {
					want = opposite[want]
				}
				if row == nil || row.Word != want || !row.Gates || row.New.K != int64(len(first)) {
					t.Fatalf("got %+v, want %s", row, want)
				}
				var names []string
				for _, n := range first[:min(len(first), mostNamed)] {
					names = append(names, named(6, "retry", n))
				}
				if wantNote := strings.Replace(test.note, "NAMES", strings.Join(names, ", "), 1); i == 0 && row.Note != wantNote {
					t.Errorf("note %q, want %q", row.Note, wantNote)
				}
			}
			if c := Of(a, b, defaults); c.Word != test.word {
				t.Errorf("the whole is %s: %s", c.Word, c.Summary)
			}
		})
	}
}

// A retry less changes the outcomes of the requests whose last try it was, and is worse with every seed.
func TestOneRetryLess(t *testing.T) {
	less := usual
	less.call, less.requests, less.seconds = 0.125, 500, 5
	is := usual
	is.requests, is.seconds = 500, 5
	for seed := range uint64(20) {
		c := Of(is.again(seed, 1), less.again(seed, 2), defaults)
		if row := find(c, "retry", oneByOne); row.Word != Worse || c.Word != Worse || row.New.K < 5 {
			t.Errorf("seed %d: %+v", seed, row)
		}
	}
}

// Where the mesh draws, a request may differ by chance: its failures are compared by pairs, with McNemar's test.
func TestWhereTheMeshDraws(t *testing.T) {
	drawn := map[string]func(p *reports.Phase){
		"versions that do not behave alike": func(p *reports.Phase) { p.Calls[0].Split.Unlike = true },
		"a fault in some calls":             func(p *reports.Phase) { p.Calls[1].Rule.Aborts = 0.2 },
		"a delay of some calls":             func(p *reports.Phase) { p.Calls[1].Rule.Delays = 0.2 },
		"a destination that is not there": func(p *reports.Phase) {
			p.Calls[1].Rule.Destinations = []reports.Destination{{Name: "a", Share: 0.5}, {Name: "b", Share: 0.5, Status: 503}}
		},
	}
	for name, change := range drawn {
		a, b := usual.again(1, 1), usual.again(1, 2)
		change(&a.Phases[1])
		change(&b.Phases[1])
		for i := range 60 { // as many fail anew as no longer fail
			a.Phases[1].Outcomes[50*i] &= hashBits
			b.Phases[1].Outcomes[50*i] &= hashBits
			side := []*reports.Report{a, b}[i%2]
			side.Phases[1].Outcomes[50*i] |= edgeBit | anyBit
		}
		c := Of(a, b, defaults)
		if find(c, "retry", oneByOne) != nil || find(c, "prod", oneByOne) == nil {
			t.Errorf("%s: requests are compared one by one", name)
		}
		row := find(c, "retry", reports.EdgeFails)
		if c.Word != Same || row.Word != Same || row.P == nil || *row.P != 1 || row.Interval.Width() > 0.02 {
			t.Errorf("%s: %s, %+v", name, c.Summary, row)
		}
		for i := range 400 {
			b.Phases[1].Outcomes[7*i] |= edgeBit | anyBit
		}
		if row := find(Of(a, b, defaults), "retry", reports.EdgeFails); row.Word != Worse || *row.P > 1e-6 {
			t.Errorf("%s: many fail anew: %+v", name, row)
		}
	}
}

// Requests are compared one by one only where those of one name are the same in both runs; otherwise the output says why not.
func TestWhatIsNotPaired(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(a, b *reports.Report)
		why    string
	}{
		{"seeds", func(a, b *reports.Report) { b.Settings.Seed = 2 }, notPaired + "the runs have different seeds"},
		{"schema 1", func(a, b *reports.Report) { a.UpgradedFrom = "1.2" }, notPaired + "a report of schema 1 does not have the outcome of each"},
		{"draws", func(a, b *reports.Report) { b.Tool.Draws = "3" }, notPaired + "the two versions of hellochaos draw in different ways (2 and 3)"},
		{"scenarios", func(a, b *reports.Report) { b.Settings.Fail = 0.4 }, notPaired + "the scenarios differ"},
		{"no hash", func(a, b *reports.Report) { b.Settings.ManifestsHash = "" }, notPaired + "the manifests may differ"},
	} {
		a, b := usual.again(1, 1), usual.again(1, 2)
		test.change(a, b)
		c := Of(a, b, defaults)
		if c.Paired != 0 || find(c, "retry", oneByOne) != nil || !slices.ContainsFunc(c.warnings(), func(s string) bool { return strings.HasPrefix(s, test.why) }) {
			t.Errorf("%s: %d paired, warnings %q", test.name, c.Paired, c.warnings())
		}
	}
	// Another version of hellochaos may hash what a request met in another way: only its failures are compared.
	a, b := usual.again(1, 1), usual.again(1, 2)
	b.Tool.Version = "1.1"
	for i := range b.Phases[1].Outcomes {
		b.Phases[1].Outcomes[i] ^= 0x80
	}
	row := find(Of(a, b, defaults), "retry", oneByOne)
	if row.Word != Same || !strings.Contains(row.Note, "only the failures of requests were compared") {
		t.Errorf("another version: %+v", row)
	}
}

// Runs with different seeds, in which each request met what the manifests say, differ by their draws alone: what these leave unclear
// does not count.
func TestDifferentSeedsThatPass(t *testing.T) {
	is := usual
	is.requests, is.seconds = 500, 5
	for seed := range uint64(20) {
		if c := Of(is.draw(2*seed+1), is.draw(2*seed+2), defaults); c.Word != Same {
			t.Errorf("seed %d: %s", seed, c.Summary)
		}
	}
}
