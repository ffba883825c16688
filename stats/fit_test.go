package stats

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// widthsBefore are the bounds of the back-offs before a try, in milliseconds: 25, 50, 100.
func widthsBefore(try int) []float64 { return []float64{25, 50, 100}[:try-1] }

func waitsBefore(try int) *Mixture {
	return NewMixture([]Component{{Weight: 1, Widths: widthsBefore(try)}})
}

// milliseconds is the allowance for a proxy that rounds each back-off down to whole milliseconds and for timers that are late.
func milliseconds(try int) Allowance {
	return Allowance{Early: float64(try - 1), Late: 2, Strays: 0.02}
}

// barsOf sorts values into bars of a logarithmic histogram, 1 % wide.
func barsOf(values []float64) []Bar {
	counts := map[int]int64{}
	for _, value := range values {
		counts[int(math.Floor(math.Log(max(value, 1e-3))/math.Log(1.01)))]++
	}
	var bars []Bar
	for i, count := range counts {
		bars = append(bars, Bar{From: math.Pow(1.01, float64(i)), To: math.Pow(1.01, float64(i+1)), Count: count})
	}
	slices.SortFunc(bars, func(a, b Bar) int { return cmp.Compare(a.From, b.From) })
	return bars
}

// points are values that are known exactly.
func points(values []float64) (bars []Bar) {
	for _, value := range values {
		bars = append(bars, Bar{From: value, To: value, Count: 1})
	}
	return bars
}

// wait draws the waits of one call, back-offs uniform up to each width, times a factor.
func wait(draw *rand.Rand, widths []float64, factor float64, whole bool) (sum float64) {
	for _, width := range widths {
		one := factor * width * draw.Float64()
		if whole {
			one = math.Floor(one)
		}
		sum += one
	}
	return sum
}

func many(n int, value func() float64) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = value()
	}
	return values
}

// The values are computed by hand, for a uniform distribution up to 16, whose places are 0, 1, and so on up to 16.
func TestFitByHand(t *testing.T) {
	uniform := NewMixture([]Component{{Weight: 1, Widths: []float64{16}}})
	exact := NewFitTest(uniform, Allowance{})
	for _, test := range []struct {
		name string
		bars []Bar
		want Fit
	}{
		{"nothing", nil, Fit{P: 1}},
		{"four in the last part", []Bar{{15.5, 15.5, 4}}, Fit{P: 32 * math.Pow(1./16, 4), N: 4, Place: 15, Above: true, Beyond: 4, Admitted: 1. / 16}},
		{"four in the first part", []Bar{{0.2, 0.4, 3}, {0.5, 0.9, 1}}, Fit{P: 32 * math.Pow(1./16, 4), N: 4, Place: 1, Beyond: 4, Admitted: 1. / 16}},
		{"one beyond all", []Bar{{8, 8, 9}, {17, 18, 1}}, Fit{P: 0, N: 10, Place: 16, Above: true, Beyond: 1, Admitted: 0}},
		{"a bar that holds all places", []Bar{{-1, 20, 1000}}, Fit{P: 1, N: 1000}},
		// 8 values, one in every second part, are what is likely.
		{"even", points([]float64{0.5, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5, 14.5}), Fit{P: 1, N: 8}},
	} {
		got := exact.Judge(test.bars)
		near(t, test.name+", P", got.P, test.want.P, 1e-6*test.want.P)
		if got.N != test.want.N {
			t.Errorf("%s: N %d, want %d", test.name, got.N, test.want.N)
		}
		if test.want.P < 1 && (got.Above != test.want.Above || got.Beyond != test.want.Beyond ||
			math.Abs(got.Place-test.want.Place) > 1e-6 || math.Abs(got.Admitted-test.want.Admitted) > 1e-6) {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
	// Two of three beyond 18 with 2 late and one in ten a stray: 1 - 0.9^3 - 3*0.1*0.81 of each, times 32, is more than 1; of
	// ten all: 1e-10 times 32.
	late := NewFitTest(uniform, Allowance{Late: 2, Strays: 0.1}).Judge([]Bar{{18.1, 30, 10}})
	near(t, "ten strays, relative", late.P/32e-10, 1, 1e-6)
	near(t, "ten that are late by less", NewFitTest(uniform, Allowance{Late: 2.2, Strays: 0.1}).Judge([]Bar{{18.1, 18.15, 10}}).P,
		32*math.Pow(0.1+0.9/16, 10), 1e-10)
	early := NewFitTest(uniform, Allowance{Early: 1}).Judge([]Bar{{-1, -0.1, 3}})
	near(t, "early by less than is allowed", early.P, 32*math.Pow(1./16, 3), 1e-6)
}

// A time limit of two seconds is certain: all values are equal. A rounding error must not place them beyond the predicted value.
func TestFitOfWhatIsCertain(t *testing.T) {
	certain := NewMixture([]Component{{Weight: 1, Shift: 2}})
	for _, test := range []struct {
		at   float64
		fits bool
	}{{2, true}, {2.004, true}, {1.9995, true}, {2.02, false}, {1.99, false}} {
		got := NewFitTest(certain, Allowance{Early: 0.001, Late: 0.005, Strays: 0.01}).Judge([]Bar{{test.at, test.at, 20}})
		if fits := got.P > 0.001; fits != test.fits {
			t.Errorf("20 values at %g: got %+v, want fits %v", test.at, got, test.fits)
		}
	}
	if got := NewFitTest(certain, Allowance{}).Judge([]Bar{{2, 2, 1000}}); got.P != 1 {
		t.Errorf("exactly what is certain: got %+v", got)
	}
}

// A correct mesh is rejected with a probability of at most the risk: with exact waits, and with waits in whole milliseconds in a
// histogram that come as late as is allowed and have strays.
func TestFitRejectsTheTruthRarely(t *testing.T) {
	const runs, n = 1000, 100
	for _, test := range []struct {
		name    string
		try     int
		allowed Allowance
		whole   bool
		least   float64 // share of rejections at 0.05: a test that never rejects would hold any risk
	}{
		{"exact", 2, Allowance{}, false, 0.005},
		{"exact", 4, Allowance{}, false, 0.005},
		{"late", 2, milliseconds(2), true, 0},
		{"late", 3, milliseconds(3), true, 0},
		{"late", 4, milliseconds(4), true, 0},
	} {
		draw, widths := rand.New(rand.NewPCG(16, uint64(test.try))), widthsBefore(test.try)
		fit := NewFitTest(waitsBefore(test.try), test.allowed)
		rejected, often := 0, 0
		for range runs {
			values := many(n, func() float64 {
				if draw.Float64() < test.allowed.Strays {
					return 500 * draw.Float64()
				}
				// The most that is allowed, for most of the values.
				return wait(draw, widths, 1, test.whole) + test.allowed.Late*min(1, 2*draw.Float64())
			})
			bars := points(values)
			if test.whole {
				bars = barsOf(values)
			}
			p := fit.Judge(bars).P
			if p <= 1./2000 {
				rejected++
			}
			if p <= 0.05 {
				often++
			}
		}
		t.Logf("%s, try %d: %d of %d rejected at 1 in 2,000, %.4f at 0.05", test.name, test.try, rejected, runs, float64(often)/runs)
		// Half of one is expected at most; more than 4 happen once in 5,000.
		if share := float64(often) / runs; rejected > 4 || share > 0.05 || share < test.least {
			t.Errorf("%s, try %d: %d of %d rejected at 1 in 2,000, %.4f at 0.05", test.name, test.try, rejected, runs, share)
		}
	}
}

// Wrong waits are found in 100 waits at a risk of one in 2,000. The waits are whole milliseconds in a histogram. Waits that are
// too long are not late, and waits that are too short come as late as is allowed, since that hides the error best.
func TestFitCatchesWrongWaits(t *testing.T) {
	const runs, n = 150, 100
	draw := rand.New(rand.NewPCG(17, 17))
	for try := 2; try <= 4; try++ {
		widths := widthsBefore(try)
		fit := NewFitTest(waitsBefore(try), milliseconds(try))
		mean := sum(widths) / 2
		old := []float64{25, 75, 175}[:try-1] // 25 (2^n - 1): the formula of old Envoy
		for _, test := range []struct {
			name   string
			skip   bool
			value  func() float64
			caught float64
		}{
			{"1.5 times", false, func() float64 { return wait(draw, widths, 1.5, true) }, 0.95},
			{"2 times", false, func() float64 { return wait(draw, widths, 2, true) }, 0.99},
			{"1/1.5 times", false, func() float64 { return wait(draw, widths, 1/1.5, true) + 2*draw.Float64() }, 0.95},
			{"no jitter, the mean", false, func() float64 { return mean + 2*draw.Float64() }, 0.99},
			{"no jitter, the largest", false, func() float64 { return 2*mean - float64(try-1) }, 0.99},
			{"fixed 24 ms", false, func() float64 { return 24*float64(try-1) + 2*draw.Float64() }, 0.99},
			{"no waits", false, func() float64 { return 2 * draw.Float64() }, 0.99},
			{"not growing", try == 2, func() float64 { return wait(draw, slices.Repeat([]float64{25}, try-1), 1, true) + 2*draw.Float64() }, 0.95},
			{"old formula", try == 2, func() float64 { return wait(draw, old, 1, true) }, 0.95},
		} {
			if test.skip {
				continue
			}
			caught := 0.
			for range runs {
				if fit.Judge(barsOf(many(n, test.value))).P <= 1./2000 {
					caught += 1. / runs
				}
			}
			t.Logf("before try %d, %s: caught in %.3f of the runs", try, test.name, caught)
			if caught < test.caught {
				t.Errorf("before try %d, %s: caught in %.3f of the runs, want %g", try, test.name, caught, test.caught)
			}
		}
	}
}

// The planned number catches as often as planned, and is not wasteful.
func TestFitTrialsToTell(t *testing.T) {
	const runs, risk, miss = 400, 1. / 2000, 0.05
	draw := rand.New(rand.NewPCG(18, 18))
	for try := 2; try <= 4; try++ {
		fit, widths := NewFitTest(waitsBefore(try), milliseconds(try)), widthsBefore(try)
		slower := make([]float64, len(widths))
		for i := range widths {
			slower[i] = 1.5 * widths[i]
		}
		n, ok := fit.TrialsToTell(NewMixture([]Component{{Weight: 1, Widths: slower}}), risk, miss)
		if !ok || n > 100 {
			t.Errorf("1.5 times before try %d: %d waits, %v, want 100 at most", try, n, ok)
		}
		power := func(n int64) (share float64) {
			for range runs {
				if fit.Judge(points(many(int(n), func() float64 { return wait(draw, widths, 1.5, false) }))).P <= risk {
					share += 1. / runs
				}
			}
			return share
		}
		planned, fewer := power(n), power(n*2/3)
		t.Logf("1.5 times before try %d: planned %d, caught in %.3f; two thirds of them: %.3f", try, n, planned, fewer)
		if planned < 1-miss-0.03 || fewer > 0.95 {
			t.Errorf("1.5 times before try %d: %d waits catch it in %.3f, two thirds in %.3f", try, n, planned, fewer)
		}
	}
	// Two milliseconds of lateness cover a back-off of one.
	short := NewMixture([]Component{{Weight: 1, Widths: []float64{1}}})
	longer := NewMixture([]Component{{Weight: 1, Widths: []float64{2}}})
	if n, ok := NewFitTest(short, milliseconds(2)).TrialsToTell(longer, risk, miss); ok {
		t.Errorf("1 ms against 2 ms with 2 ms of lateness: got %d, want no answer", n)
	}
	// Without strays one value beyond the largest refutes: 0.5^n of the runs show none, so 10 are enough, and the plan errs to more.
	n, ok := NewFitTest(short, Allowance{}).TrialsToTell(longer, risk, 0.001)
	if !ok || n < 10 || n > 12 {
		t.Errorf("1 ms against 2 ms exactly: got %d, %v, want 10 to 12", n, ok)
	}
}

func BenchmarkFitJudge(b *testing.B) {
	draw := rand.New(rand.NewPCG(19, 19))
	fit := NewFitTest(waitsBefore(4), milliseconds(4))
	bars := barsOf(many(100, func() float64 { return wait(draw, widthsBefore(4), 1, true) }))
	b.ReportAllocs()
	for b.Loop() {
		fit.Judge(bars)
	}
}

func ExampleFitTest() {
	// A policy waits up to 25 ms before the second try; 40 waits are all 12.5 ms.
	predicted := NewMixture([]Component{{Weight: 1, Widths: []float64{25}}})
	fit := NewFitTest(predicted, Allowance{Early: 1, Late: 2, Strays: 0.02}).Judge([]Bar{{From: 12.4, To: 12.6, Count: 40}})
	fmt.Println(fit.P < 1./2000, fit.Beyond, "of", fit.N)
	// Output: true 40 of 40
}
