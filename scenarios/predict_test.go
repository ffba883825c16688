package scenarios

import (
	"fmt"
	"math"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target"
)

func forecastOf(t *testing.T, stage string, entry target.Entry, fail, hang float64, cascade string) *forecast {
	t.Helper()
	objects, err := manifests.Through(stage, nil)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := manifests.Read(objects)
	if err != nil {
		t.Fatal(err)
	}
	hops, err := discover(rules, entry, nil)
	if err != nil {
		t.Fatal(err)
	}
	return predict(hops, fail, hang, cascade)
}

// The table of istio-semantics §10: columns "short" of both cascade modes, by the policies of the stages.
func TestPredictAgreesWithTheFormulas(t *testing.T) {
	stages := []struct {
		stage string
		entry target.Entry
	}{{"egress", target.Direct}, {"retry", target.Direct}, {"ingress", target.Gateway}}
	type want struct{ edge, any float64 }
	for _, c := range []struct {
		fail      float64
		stage     int
		absorb    want
		propagate float64
		triesA    [3]float64
		triesB    [3]float64
	}{
		{0.1, 0, want{.1000, .2710}, .2710, [3]float64{1, .900, .810}, [3]float64{1, .900, .810}},
		{0.1, 1, want{.1000, .1002}, .1001, [3]float64{1, 1.000, 1.000}, [3]float64{1, 1.000, 1.000}},
		{0.1, 2, want{.0001, .0003}, .0001, [3]float64{1.111, 1.111, 1.111}, [3]float64{1.111, 1.111, 1.111}},
		{0.3, 0, want{.3000, .6570}, .6570, [3]float64{1, .700, .490}, [3]float64{1, .700, .490}},
		{0.3, 1, want{.3000, .3113}, .3061, [3]float64{1, .992, .984}, [3]float64{1, .999, .991}},
		{0.3, 2, want{.0081, .0241}, .0088, [3]float64{1.417, 1.406, 1.394}, [3]float64{1.428, 1.428, 1.416}},
		{0.5, 0, want{.5000, .8750}, .8750, [3]float64{1, .500, .250}, [3]float64{1, .500, .250}},
		{0.5, 1, want{.5000, .5605}, .5398, [3]float64{1, .938, .879}, [3]float64{1, .982, .920}},
		{0.5, 2, want{.0625, .1760}, .0849, [3]float64{1.875, 1.758, 1.648}, [3]float64{1.989, 1.952, 1.830}},
	} {
		at := stages[c.stage]
		t.Run(fmt.Sprintf("%s/%v", at.stage, c.fail), func(t *testing.T) {
			a := forecastOf(t, at.stage, at.entry, c.fail, 0, "absorb")
			b := forecastOf(t, at.stage, at.entry, c.fail, 0, "propagate")
			near(t, "edge failure, absorb", a.edgeFailure, c.absorb.edge)
			near(t, "any failure, absorb", a.cascading, c.absorb.any)
			near(t, "edge failure, propagate", b.edgeFailure, c.propagate)
			near(t, "any failure, propagate", b.cascading, c.propagate)
			for i := range 3 {
				near(t, "tries of "+a.hops[i].name+", absorb", a.tries[i], c.triesA[i])
				near(t, "tries of "+b.hops[i].name+", propagate", b.tries[i], c.triesB[i])
			}
		})
	}
}

// near compares with a table that was rounded to the last digit it shows.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > 0.00051 {
		t.Errorf("%s: got %.5f, want %.4f", what, got, want)
	}
}

func TestPredictCalls(t *testing.T) {
	f := forecastOf(t, "retry", target.Direct, 0.5, 0, "absorb")
	near(t, "middleware per call", f.failure(1), 0.0625)
	near(t, "backend per call", f.failure(2), 0.0625)
	near(t, "clock status 200", f.status[3][200]/f.shown[3], 1)
	f = forecastOf(t, "", target.Direct, 0.5, 0, "absorb")
	near(t, "clock status 502 before egress", f.status[3][502]/f.shown[3], 1)
	f = forecastOf(t, "", target.Direct, 0.5, 0, "propagate")
	near(t, "edge failure when egress is blocked and failures propagate", f.edgeFailure, 1)
	near(t, "any own hop failed", f.cascading, 1)
}

// A hung try of the backend is cut together with its caller's try, whose 2 s began earlier: so it is middleware that is
// tried again, and a try of middleware succeeds only when neither hangs.
func TestPredictHungTries(t *testing.T) {
	f := forecastOf(t, "retry", target.Direct, 0, 0.2, "absorb")
	near(t, "success of a try of middleware", f.succeeded[1], 0.64)
	near(t, "middleware per call", f.failure(1), math.Pow(0.36, 4))
	near(t, "backend per call, as delivered", f.failure(2), 0)
	near(t, "edge", f.edgeFailure, 0)
	near(t, "tries of middleware", f.tries[1], (1-math.Pow(0.36, 4))/0.64)
	near(t, "tries of backend", f.tries[2], 0.8*(1-math.Pow(0.36, 4))/0.64)
	before := forecastOf(t, "prod", target.Direct, 0, 0.2, "absorb")
	near(t, "edge without a timeout", before.edgeFailure, 0)
	near(t, "middleware without a timeout", before.failure(1), 0)
}
