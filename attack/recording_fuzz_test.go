package attack

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzRecording: whatever a file of results has, reading it ends with an error or with as many observations as it said.
func FuzzRecording(f *testing.F) {
	plan := &Plan{Cohorts: []Cohort{NewTarget("GET", "http://a/", nil, nil)}}
	for _, name := range []string{"r.bin", "r.json", "r.csv"} {
		file := filepath.Join(f.TempDir(), name)
		recorder, err := NewRecorder(file)
		if err != nil {
			f.Fatal(err)
		}
		recorder.Begin(plan, time.Unix(1e9, 0))
		for n := range 3 {
			if err := recorder.Write(&Observation{Number: n, Planned: time.Duration(n) * time.Second, Latency: time.Millisecond, Status: 200 + 300*(n%2)}); err != nil {
				f.Fatal(err)
			}
		}
		if err := recorder.Close(); err != nil {
			f.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	file := filepath.Join(f.TempDir(), "fuzzed")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := OpenRecording(file)
		if err != nil {
			return
		}
		n := 0
		if err := r.Observations(func(o *Observation) {
			if n++; o.Latency > 0 && o.Started < o.Planned {
				t.Errorf("%+v: sent before it was planned", o)
			}
		}); err != nil || n != r.Result.Sent {
			t.Errorf("%d observations of %d, %v", n, r.Result.Sent, err)
		}
	})
}
