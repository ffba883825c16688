package expect

import (
	"math"
	"testing"

	"github.com/hellochaos/hellochaos/stats"
)

func TestJudge(t *testing.T) {
	at := func(lo, hi float64) *stats.Interval { return &stats.Interval{Lo: lo, Hi: hi} }
	most := Band{Lo: math.Inf(-1), Hi: 0.1}
	for _, c := range []struct {
		name    string
		band    Band
		of      Evidence
		verdict Verdict
		reason  Reason
	}{
		{"a weak policy, whatever is measured", most, Evidence{Predicted: at(0.5, 0.5), Interval: at(0, 0.05)}, Fail, PredictionBreaks},
		{"a weak policy without data", most, Evidence{Predicted: at(0.5, 0.5)}, Fail, PredictionBreaks},
		{"a weak policy with data that cannot be used", most, Evidence{Predicted: at(0.5, 0.5), Unusable: "why"}, Fail, PredictionBreaks},
		{"measured wholly beyond", most, Evidence{Predicted: at(0.05, 0.05), Interval: at(0.11, 0.2)}, Fail, MeasurementBreaks},
		{"measured wholly beyond, unusable", most, Evidence{Predicted: at(0.05, 0.05), Interval: at(0.11, 0.2), Unusable: "why"}, Inconclusive, UnusableData},
		{"no data", most, Evidence{Predicted: at(0.05, 0.05)}, Fail, NoData},
		{"nothing at all", most, Evidence{}, Fail, NoData},
		{"interval inside", most, Evidence{Predicted: at(0.05, 0.05), Interval: at(0.01, 0.09)}, Pass, MeasurementHolds},
		{"interval inside without a prediction", most, Evidence{Interval: at(0.01, 0.09)}, Pass, MeasurementHolds},
		{"interval across", most, Evidence{Predicted: at(0.09, 0.09), Interval: at(0.05, 0.15)}, Pass, PredictionHolds},
		{"interval across without a prediction", most, Evidence{Interval: at(0.05, 0.15)}, Inconclusive, TooFewData},
		{"an interval without an end", most, Evidence{Interval: at(0.05, math.Inf(1))}, Inconclusive, TooFewData},
		{"both across", most, Evidence{Predicted: at(0.09, 0.11), Interval: at(0.05, 0.15)}, Inconclusive, TooFewData},
		{"each call held", most, Evidence{Predicted: at(0.05, 0.05), Held: 66}, Pass, PredictionHolds},
		{"each call held and no prediction", most, Evidence{Held: 66}, Inconclusive, TooFewData},
		{"the end itself, computed", most, Evidence{Predicted: at(0.1+1e-16, 0.1+1e-16), Held: 1}, Pass, PredictionHolds},
		{"below the end", Band{Lo: math.Inf(-1), Hi: 0.1, Below: true}, Evidence{Predicted: at(0.1-1e-16, 0.1-1e-16), Held: 1}, Fail, PredictionBreaks},
		{"above the end", Band{Lo: 0.1, Hi: math.Inf(1), Above: true}, Evidence{Predicted: at(0.1, 0.1), Held: 1}, Fail, PredictionBreaks},
		{"under", Band{Lo: 0.15, Hi: 0.25}, Evidence{Predicted: at(0, 0), Held: 1}, Fail, PredictionBreaks},
		{"none at all", Band{Lo: math.Inf(-1), Hi: 0}, Evidence{Predicted: at(1e-17, 1e-17), Held: 1}, Pass, PredictionHolds},
	} {
		if verdict, reason := c.band.Judge(c.of); verdict != c.verdict || reason != c.reason {
			t.Errorf("%s: %s, %d, want %s, %d", c.name, verdict, reason, c.verdict, c.reason)
		}
	}
}
