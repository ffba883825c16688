package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

func TestAutocorrelationByHand(t *testing.T) {
	// Deviations from the mean of 5.5 are -4.5 ... 4.5: squares 82.5, products of neighbours 57.75, so 0.7 before the correction.
	rising := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	r, effective, ok := Autocorrelation(rising)
	if !ok {
		t.Fatal("ten values are not usable")
	}
	near(t, "a trend of ten", r, 1, 0) // (10 * 0.7 + 1) / 6 is more than 1
	near(t, "its effective size", effective, 2, 0)

	// 12 values in blocks of three, -1 and 1: squares 12, neighbours agree 8 times and disagree 3 times, so 5/12.
	blocks := []float64{1, 1, 1, -1, -1, -1, 1, 1, 1, -1, -1, -1}
	r, effective, _ = Autocorrelation(blocks)
	near(t, "blocks of three", r, (5+1)/8., 1e-15)
	near(t, "their effective size", effective, 2, 0) // 12 * 0.25 / 1.75 is less

	swinging := make([]float64, 30)
	for i := range swinging {
		swinging[i] = float64(i % 2)
	}
	r, effective, _ = Autocorrelation(swinging)
	near(t, "to and fro", r, -1, 0) // (30 * -29/30 + 1) / 26 is less
	near(t, "its effective size", effective, 30, 0)
}

// Before the correction r is gonum's covariance of the series with itself one second later, about the common mean.
func TestAutocorrelationEqualsGonum(t *testing.T) {
	draw := rand.New(rand.NewPCG(10, 10))
	for _, n := range []int{10, 25, 300} {
		series := autoregressive(draw, n, 0.5)
		mean, variance := stat.PopMeanVariance(series, nil)
		later, earlier := stat.Mean(series[1:], nil), stat.Mean(series[:n-1], nil)
		products := float64(n-2)*stat.Covariance(series[1:], series[:n-1], nil) + float64(n-1)*(later-mean)*(earlier-mean)
		plain := products / (float64(n) * variance)
		r, effective, _ := Autocorrelation(series)
		what := fmt.Sprintf("of %d values", n)
		near(t, what, r, (float64(n)*plain+1)/(float64(n)-4), 1e-12)
		near(t, "effective size "+what, effective, min(float64(n), max(2, float64(n)*(1-r)/(1+r))), 1e-12)
	}
}

func TestAutocorrelationWhereItIsNotUsable(t *testing.T) {
	for name, series := range map[string][]float64{
		"nothing": nil, "nine values": make([]float64, 9), "not a number": append(make([]float64, 20), math.NaN()), "infinite": append(make([]float64, 20), math.Inf(1)),
		"squares that overflow": append(make([]float64, 20), 1e200),
	} {
		if r, effective, ok := Autocorrelation(series); ok || r != 0 || effective != 0 {
			t.Errorf("%s: got %g, %g, %v, want no answer", name, r, effective, ok)
		}
	}
	constant := make([]float64, 15)
	for i := range constant {
		constant[i] = 0.1 // the sum is not exactly 1.5, because of rounding errors
	}
	if r, effective, ok := Autocorrelation(constant); !ok || r != 0 || effective != 15 {
		t.Errorf("all equal: got %g, %g, %v, want 0, 15, true", r, effective, ok)
	}
}

// autoregressive draws a stationary series in which each value has the share carried of the deviation of the value before it.
func autoregressive(draw *rand.Rand, n int, carried float64) []float64 {
	series, fresh := make([]float64, n), math.Sqrt(1-carried*carried)
	series[0] = draw.NormFloat64()
	for i := 1; i < n; i++ {
		series[i] = carried*series[i-1] + fresh*draw.NormFloat64()
	}
	return series
}

// The mean of many estimates from short series is the truth, except where the estimates are clipped to 1.
func TestAutocorrelationIsCorrectedForItsBias(t *testing.T) {
	const runs = 4000
	for _, test := range []struct {
		n               int
		carried, within float64
	}{{20, 0, 0.015}, {60, 0, 0.01}, {20, 0.3, 0.02}, {20, 0.6, 0.06}, {60, 0.6, 0.015}, {10, 0, 0.05}} {
		draw, mean := rand.New(rand.NewPCG(11, uint64(test.n))), 0.
		for range runs {
			r, _, _ := Autocorrelation(autoregressive(draw, test.n, test.carried))
			mean += r / runs
		}
		near(t, fmt.Sprintf("mean of %d values at %g", test.n, test.carried), mean, test.carried, test.within)
	}
}

// This is the purpose of the effective size: a t-test of a mean at 0.05 that treats dependent seconds as independent rejects the
// truth often, and with the effective size it rejects the truth hardly more often than 0.05.
func TestEffectiveSizeHoldsTheLevel(t *testing.T) {
	const runs = 3000
	for _, test := range []struct {
		n                         int
		carried, leastPlain, most float64
	}{{60, 0.6, 0.25, 0.09}, {30, 0.6, 0.25, 0.11}, {60, 0, 0.03, 0.065}, {120, 0.3, 0.1, 0.07}} {
		draw := rand.New(rand.NewPCG(12, uint64(test.n)))
		var plain, effective float64
		for range runs {
			series := autoregressive(draw, test.n, test.carried)
			mean, deviation := stat.MeanStdDev(series, nil)
			_, size, _ := Autocorrelation(series)
			for _, side := range []struct {
				size float64
				to   *float64
			}{{float64(test.n), &plain}, {size, &effective}} {
				tail := distuv.StudentsT{Sigma: 1, Nu: side.size - 1}.CDF(-math.Abs(mean) / deviation * math.Sqrt(side.size))
				if 2*tail <= 0.05 {
					*side.to += 1. / runs
				}
			}
		}
		if plain < test.leastPlain || effective > test.most {
			t.Errorf("%d seconds at %g: rejected with %.3f as independent (want %g at least), with %.3f by effective size (want %g at most)",
				test.n, test.carried, plain, test.leastPlain, effective, test.most)
		}
		t.Logf("%d seconds at %g: as independent %.3f, by effective size %.3f", test.n, test.carried, plain, effective)
	}
}
