package trail

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// Draws must never change: a seed from a report must give the same draws in every later version.
func TestDrawIsStable(t *testing.T) {
	for _, test := range []struct {
		purpose, request, service, tries string
		want                             float64
	}{
		{"fail", "1/before/0", "frontend", "0", 0.12358721817561635},
		{"fail", "1/before/1", "frontend", "0", 0.7511781447300785},
		{"hang", "1/before/1", "frontend", "0", 0.8783486638948586},
		{"fail", "1/before/1", "backend", "1.3", 0.16146347905975778},
		{"", "", "", "", 0.3015695342683995},
	} {
		if got := Draw(test.purpose, test.request, test.service, test.tries); got != test.want {
			t.Errorf("Draw(%q, %q, %q, %q) = %v, want %v", test.purpose, test.request, test.service, test.tries, got, test.want)
		}
		if got := Draw(test.purpose, test.request, test.service, []byte(test.tries)); got != test.want {
			t.Errorf("Draw(%q, %q, %q, bytes of %q) = %v, want %v", test.purpose, test.request, test.service, test.tries, got, test.want)
		}
	}
}

func TestDrawKeepsItsStringsApart(t *testing.T) {
	if Draw("fail", "1", "2", "") == Draw("fail", "12", "", "") || Draw("a", "b", "", "") == Draw("ab", "", "", "") {
		t.Error("strings of the same joined text gave the same draw")
	}
}

func request(n int) string { return fmt.Sprintf("7/after/%d", n) }

// Over consecutive requests, two draws that differ in one argument must fill the unit square evenly, which shows that each is uniform
// and that they are independent. The statistic is Pearson's, over 10x10 cells, with 99 degrees of freedom.
func TestDrawsAreUniformAndIndependent(t *testing.T) {
	const requests, side = 40_000, 10
	fail := func(service, tries string) func(n int) float64 {
		return func(n int) float64 { return Draw("fail", request(n), service, tries) }
	}
	first, law := fail("middleware", "1.1"), distuv.ChiSquared{K: 99}
	for _, test := range []struct {
		name   string
		second func(n int) float64
	}{
		{"the next request", func(n int) float64 { return first(n + 1) }},
		{"ten requests on", func(n int) float64 { return first(n + 10) }},
		{"another purpose", func(n int) float64 { return Draw("hang", request(n), "middleware", "1.1") }},
		{"another service", fail("backend", "1.1")},
		{"the next try", fail("middleware", "1.2")},
		{"the next call of the caller", fail("middleware", "1:1.1")},
		{"the caller's next try", fail("middleware", "2.1")},
		{"another seed", func(n int) float64 { return Draw("fail", "8"+request(n)[1:], "middleware", "1.1") }},
		{"the other phase", func(n int) float64 { return Draw("fail", fmt.Sprintf("7/before/%d", n), "middleware", "1.1") }},
	} {
		var cells [side][side]int
		for n := range requests {
			cells[int(first(n)*side)][int(test.second(n)*side)]++
		}
		const expected = float64(requests) / (side * side)
		statistic := 0.
		for _, row := range cells {
			for _, count := range row {
				statistic += (float64(count) - expected) * (float64(count) - expected) / expected
			}
		}
		// The test has two tails, because numbers that are too even are not random either.
		if p := law.CDF(statistic); math.Min(p, 1-p) < 1e-4 {
			t.Errorf("first try and %s: chi-square %.1f of 99 degrees of freedom has tail %.2g", test.name, statistic, math.Min(p, 1-p))
		}
	}
}

func TestTries(t *testing.T) {
	for _, test := range []struct {
		received string
		attempt  int
		want     string
	}{{"", 0, "0"}, {"", 2, "2"}, {"1", 3, "1.3"}, {"0.1", 12, "0.1.12"}, {"1:2", 3, "1:2.3"}} {
		if got := Tries(test.received, test.attempt); got != test.want || !IsTries(got) {
			t.Errorf("Tries(%q, %d) = %q, want %q", test.received, test.attempt, got, test.want)
		}
	}
	for number, want := range map[int]string{0: "1.3", 1: "1.3:1", 255: "1.3:255"} {
		if got := CallOf("1.3", number); got != want || !IsCall(got) {
			t.Errorf("CallOf(1.3, %d) = %q, want %q", number, got, want)
		}
	}
}

func TestDrawAllocatesNothing(t *testing.T) {
	sum, tries := 0., []byte("1.2")
	if got := testing.AllocsPerRun(100, func() {
		sum += Draw("fail", "1/before/12345", "middleware", "1.2") + Draw("fail", "1/before/12345", "middleware", tries)
	}); got != 0 {
		t.Errorf("Draw allocates %v times, want 0", got)
	}
}

func BenchmarkDraw(b *testing.B) {
	b.ReportAllocs()
	sum := 0.
	for b.Loop() {
		sum += Draw("fail", "1/before/12345", "middleware", "1.2")
	}
}
