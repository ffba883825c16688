package attack

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func parse(t *testing.T, arguments ...string) (Options, error) {
	t.Helper()
	set := pflag.NewFlagSet("run", pflag.ContinueOnError)
	flags := AddFlags(set)
	if err := set.Parse(arguments); err != nil {
		t.Fatalf("%v: pflag must accept any text: %v", arguments, err)
	}
	return flags.Options()
}

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		arguments string
		want      Options
	}{
		{"", Options{Timeout: 30 * time.Second}},
		{"--rate 50", Options{Rate: 50, Timeout: 30 * time.Second}},
		{"--rate 0.5", Options{Rate: 0.5, Timeout: 30 * time.Second}},
		{"--rate 500/1s", Options{Rate: 500, Timeout: 30 * time.Second}},
		{"--rate 500/s", Options{Rate: 500, Timeout: 30 * time.Second}},
		{"--rate 3000/1m", Options{Rate: 50, Timeout: 30 * time.Second}},
		{"--rate 100000 --duration 1h --max-requests 10000000 --connections 10000 --timeout 1m",
			Options{MaxRate, time.Hour, MaxRequests, MaxConnections, time.Minute}},
		{"--duration 10s --max-requests 7 --connections 3 --timeout 150ms",
			Options{0, 10 * time.Second, 7, 3, 150 * time.Millisecond}},
	} {
		got, err := parse(t, strings.Fields(test.arguments)...)
		if err != nil || got != test.want {
			t.Errorf("%q: got %+v, %v; want %+v", test.arguments, got, err, test.want)
		}
	}
}

func TestOptionsRefuse(t *testing.T) {
	for flag, values := range map[string][]string{
		"rate":         {"", "-3", "0", "0.009", "1e-300", "1/1h", "abc", "100001", "inf", "nan", "5/", "5/0s", "0/0s", "5/-1s", "-5/-1s", "5/parsec", "/s", "1/ns"},
		"duration":     {"", "0s", "-1s", "1ns", "999us", "10", "61m", "soon"},
		"max-requests": {"", "0", "-1", "1.5", "10000001", "many"},
		"connections":  {"", "0", "-1", "10001", "x"},
		"timeout":      {"", "0", "1ns", "-1s", "61s", "30"},
	} {
		for _, value := range values {
			_, err := parse(t, "--"+flag+"="+value)
			if err == nil {
				t.Errorf("--%s %s: accepted", flag, value)
				continue
			}
			if value == "" {
				value = `""`
			}
			if want := "--" + flag + " " + value + ": must be a "; !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %q, want it to begin with %q", err, want)
			}
		}
	}
}

func TestOptionsReportsAllProblems(t *testing.T) {
	_, err := parse(t, "--rate=-3", "--duration=x", "--max-requests=0", "--connections=many", "--timeout=2m")
	want := `--rate -3: must be a number of requests a second from 0.01 to 100000, or a number per time such as 3000/1m
--duration x: must be a time from 1ms to 3600 seconds, such as 10s
--max-requests 0: must be a whole number from 1 to 10000000
--connections many: must be a whole number from 1 to 10000
--timeout 2m: must be a time from 1ms to 60 seconds, such as 30s`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func FuzzParseRate(f *testing.F) {
	for _, text := range []string{"50", "500/1s", "500/s", "1e3/1m30s", "nan", "1/0s", "/", "0x1p4/2h", "1/9223372036854775807ns"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rate, ok := parseRate(text)
		if !ok {
			if rate != 0 {
				t.Errorf("%q: refused with rate %g", text, rate)
			}
			return
		}
		if math.IsNaN(rate) || rate <= 0 || rate > MaxRate {
			t.Errorf("%q: got %g, want a rate above 0 and at most %g", text, rate, MaxRate)
		}
	})
}

func FuzzParseTime(f *testing.F) {
	for _, text := range []string{"10s", "1h", "-1s", "0", "1h1h", "9223372036854775807ns", "2562048h", ".5s", "µs"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, ok := parseTime(text, MaxDuration); ok && (d <= 0 || d > MaxDuration) {
			t.Errorf("%q: got %v, want a time above 0 and at most %v", text, d, MaxDuration)
		}
		if n, ok := parseCount(text, MaxRequests); ok && (n <= 0 || n > MaxRequests) {
			t.Errorf("%q: got %d, want a number above 0 and at most %d", text, n, MaxRequests)
		}
	})
}
