package render

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

// timed is a report with phases of seconds; stretch multiplies the latencies of the second one.
func timed(stretch int64) *reports.Report {
	bins := func(stretch int64) []reports.Bin {
		return []reports.Bin{{400 * stretch, 50}, {900 * stretch, 45}, {5000 * stretch, 5}}
	}
	late := reports.Phase{Name: "prod", Late: true, Seconds: []reports.Second{{OK: bins(1), Failed: []reports.Bin{{100, 25}}}}}
	retry := reports.Phase{Name: "retry"}
	for i := range 8 {
		retry.Seconds = append(retry.Seconds, reports.Second{Number: i, OK: bins(stretch), Failed: []reports.Bin{{100 + int64(i), 25}}})
	}
	share := 0.0625
	retry.Shares = []reports.Share{{Name: "any of ours fails", Measured: &share, K: 1, N: 16}}
	retry.Calls = []reports.Call{{From: "middleware", To: "backend", Fails: reports.Share{Measured: &share, K: 1, N: 16}, Tries: &reports.Factor{Measured: 1.5, Tries: 3, Requests: 2}}}
	return &reports.Report{
		Schema: reports.SchemaVersion, Tool: reports.Tool{Version: "1.0", Go: "go1.26", System: "linux/amd64"},
		Target:   reports.Target{Kind: "mesh"},
		Settings: reports.Settings{Fail: 0.5, Cascade: "absorb", Seed: uint64(stretch), Parameters: map[string]string{"canary-weight": "20", "Odd\nname": "1"}},
		Phases:   []reports.Phase{late, retry, {Name: "canary", GeneratorLimited: true, Seconds: late.Seconds}},
	}
}

// What is written is read by the format's own library, every line of it.
func TestBenchmarkIsRead(t *testing.T) {
	var out bytes.Buffer
	if err := Benchmark(&out, timed(2)); err != nil {
		t.Fatal(err)
	}
	got := map[string][]benchfmt.Value{}
	samples := map[string]int{}
	reader := benchfmt.NewReader(&out, "report")
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			name := string(record.Name)
			samples[name]++
			got[name] = append([]benchfmt.Value(nil), record.Values...)
			if record.GetConfig("fail") != "0.5" || record.GetConfig("goos") != "linux" || record.GetConfig("seed") != "" || record.GetConfig("canary-weight") != "20" {
				t.Errorf("configuration: %v", record.Config)
			}
		case *benchfmt.SyntaxError:
			t.Error(record)
		}
	}
	if err := reader.Err(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		samples int
		values  map[string]float64
	}{
		"Latency/phase=retry/outcome=ok":            {8, map[string]float64{"p50-sec": 800e-6, "p90-sec": 1800e-6, "p99-sec": 10e-3}},
		"Latency/phase=retry/outcome=failed":        {8, map[string]float64{"p50-sec": 107e-6}},
		"Edge/phase=retry":                          {8, map[string]float64{"failures/request": 0.2}},
		"Edge/phase=prod":                           {1, map[string]float64{"failures/request": 0.2}},
		"Share/phase=retry/share=any_of_ours_fails": {1, map[string]float64{"share": 0.0625}},
		"Share/phase=retry/share=backend_fails":     {1, map[string]float64{"share": 0.0625}},
		"Amplification/phase=retry/hop=backend":     {1, map[string]float64{"tries/request": 1.5}},
	} {
		if samples[name] != want.samples {
			t.Errorf("%s: %d samples, want %d", name, samples[name], want.samples)
		}
		for unit, v := range want.values {
			found := false
			for _, have := range got[name] {
				if have.Unit == unit {
					found = true
					if d := have.Value - v; d > 1e-9 || d < -1e-9 {
						t.Errorf("%s: %g %s, want %g", name, have.Value, unit, v)
					}
				}
			}
			if !found {
				t.Errorf("%s: no %s in %v", name, unit, got[name])
			}
		}
	}
	if len(samples) != 7 { // nothing of the void phase, no latencies of the late one
		t.Errorf("benchmarks: %v, want 7", samples)
	}
}

// Real benchstat compares two reports.
func TestBenchstatCompares(t *testing.T) {
	folder := t.TempDir()
	var files []string
	for i, name := range []string{"old", "new"} {
		var out bytes.Buffer
		if err := Benchmark(&out, timed(1+9*int64(i))); err != nil {
			t.Fatal(err)
		}
		files = append(files, filepath.Join(folder, name))
		if err := os.WriteFile(files[i], out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var stderr bytes.Buffer
	cmd := exec.Command("go", append([]string{"tool", "benchstat", "-format", "csv"}, files...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("benchstat: %v\n%s", err, stderr.String())
	}
	for _, want := range []string{"Latency/phase=retry/outcome=ok,0.0004,0%,0.004,0%,+900.00%,p=0.000 n=8", "Edge/phase=retry,0.2,0%,0.2,0%,~"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("benchstat does not say %q:\n%s", want, out)
		}
	}
}

// Reports of real runs, as far as they are in testdata, have no line that the reader refuses.
func FuzzBenchmark(f *testing.F) {
	text, err := json.Marshal(timed(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"phases":[{"name":"a b/c-1\n","seconds":[{"ok":[[1,2]]}],"calls":[{"to":"x-1 /"}]}]}`))
	hostile, err := json.Marshal(reporttest.Hostile())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(hostile)
	f.Fuzz(func(t *testing.T, text []byte) {
		r := new(reports.Report)
		if json.Unmarshal(text, r) != nil {
			return
		}
		var out bytes.Buffer
		if err := Benchmark(&out, r); err != nil {
			t.Fatal(err)
		}
		reader := benchfmt.NewReader(&out, "report")
		for reader.Scan() {
			if err, wrong := reader.Result().(*benchfmt.SyntaxError); wrong {
				t.Fatal(err)
			}
		}
	})
}
