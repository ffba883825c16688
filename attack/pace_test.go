package attack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func pace(t *testing.T, arguments ...string) (Pace, error) {
	t.Helper()
	set := pflag.NewFlagSet("attack", pflag.ContinueOnError)
	flags := AddLoadFlags(set)
	if err := set.Parse(arguments); err != nil {
		t.Fatal(err)
	}
	return flags.Pace()
}

func TestPace(t *testing.T) {
	for arguments, want := range map[string]string{
		"":                                      "",
		"--rate 50/1s":                          "",
		"--rate 100..1000":                      "100..1000 100 1000 10s",
		"--rate 100..60/1m --duration 3s":       "100..60/1m 100 1 3s",
		"--rate 10:1s,20,30:2s --duration 5s":   "10 10 10 1s, 20 20 20 5s, 30 30 30 2s",
		"--rate 10..20:1s --warmup 2s":          "warm-up 10 10 2s warm-up, 10..20 10 20 1s",
		"--poisson":                             "50 50 50 10s drawn",
		"--poisson --rate 7 --warmup 1s":        "warm-up 7 7 1s drawn warm-up, 7 7 7 10s drawn",
		"--rate max --workers 3 --duration 20s": "closed 3",
		"--rate max":                            "closed 64",
	} {
		p, err := pace(t, strings.Fields(arguments)...)
		if err != nil {
			t.Errorf("%s: %v", arguments, err)
		}
		var got []string
		if p.Closed {
			got = append(got, fmt.Sprint("closed ", p.Connections))
		}
		for i := range p.Phases {
			f := &p.Phases[i]
			text := fmt.Sprint(f.Name, " ", f.Rate, " ", f.To, " ", f.Duration)
			if f.Poisson {
				text += " drawn"
			}
			if f.Warmup {
				text += " warm-up"
			}
			got = append(got, text)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: got %q, want %q", arguments, got, want)
		}
	}
}

func TestPaceRefuses(t *testing.T) {
	for arguments, want := range map[string]string{
		"--rate 10..x":                "--rate 10..x: must be a number of requests a second",
		"--rate 10:1s,y:2s":           "--rate y:2s: must be",
		"--rate 10:soon":              "--rate 10:soon: must be",
		"--rate 1,2 --requests 5":     "--requests: phases end by their time",
		"--workers 5":                 "--workers: is for the closed loop",
		"--rate max --workers 0":      "--workers 0: must be a whole number",
		"--rate max --connections 5":  "--connections: in the closed loop",
		"--rate max --poisson":        "--rate max: has no schedule",
		"--warmup never":              "--warmup never: must be a time",
		"--replay none":               "--replay none: no such file",
		"--replay none --rate 5":      "--replay and --rate: give one",
		"--replay flags.go --poisson": "--replay: the file says when",
		"--replay flags.go":           "flags.go: has no times",
	} {
		if _, err := pace(t, strings.Fields(arguments)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", arguments, err, want)
		}
	}
}

// Times of logs are replayed from the first on, in order; those of a whole second are spread over it.
func TestReadTimes(t *testing.T) {
	folder := t.TempDir()
	for name, c := range map[string]struct {
		text string
		want []time.Duration
	}{
		"envoy": {`[2026-11-28T06:30:23.500Z] "GET / HTTP/1.1" 200 - 0 5 1 0 "-" "-" "-" "-" "-"
no time
[2026-11-28T06:30:23.123Z] "GET / HTTP/1.1" 200 - 0 5 1 0 "-" "-" "-" "-" "-"
`, []time.Duration{0, 377 * time.Millisecond}},
		"nginx": {strings.Repeat(`10.0.0.1 - - [28/Nov/2026:06:30:23 +0000] "GET / HTTP/1.1" 200 612 "-" "curl"`+"\n", 4) + `10.0.0.1 - - [28/Nov/2026:07:30:25 +0100] "GET / HTTP/1.1" 200 612 "-" "curl"`,
			[]time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond, 750 * time.Millisecond, 2 * time.Second}},
	} {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if p, err := ReadTimes(file); err != nil || fmt.Sprint(p.Times) != fmt.Sprint(c.want) || p.Requests() != len(c.want) || p.Duration != c.want[len(c.want)-1]+1 {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	results := filepath.Join(folder, "r.bin")
	recorder, err := NewRecorder(results)
	if err != nil {
		t.Fatal(err)
	}
	plan := planFor("http://a/", 2, 10)
	recorder.Begin(&plan, time.Unix(1e9, 0))
	for n := range 3 {
		if err := recorder.Write(&Observation{Number: n, Planned: time.Duration(n) * 100 * time.Millisecond, Status: 200}); err != nil {
			t.Fatal(err)
		}
	}
	if err := recorder.Close(); err != nil {
		t.Fatal(err)
	}
	if p, err := ReadTimes(results); err != nil || len(p.Times) != 3 || p.Times[2] != 200*time.Millisecond {
		t.Errorf("%+v, %v", p, err)
	}
}
