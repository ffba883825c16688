package trail

import "testing"

func TestProbability(t *testing.T) {
	for text, want := range map[string]float64{"0": 0, "1": 1, "0.25": 0.25, "1e-3": 0.001, "-0": 0} {
		if p, ok := Probability(text); !ok || p != want {
			t.Errorf("Probability(%q) = %v, %v, want %v", text, p, ok, want)
		}
	}
	for _, text := range []string{"", "1.0001", "-0.1", "NaN", "Inf", "0x1p-2", "0_1", "half", " 1"} {
		if p, ok := Probability(text); ok || p != 0 {
			t.Errorf("Probability(%q) = %v, %v, want it refused", text, p, ok)
		}
	}
}
