package run

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/expect"
)

func options(t *testing.T, args ...string) (Options, error) {
	t.Helper()
	set := pflag.NewFlagSet("run", pflag.ContinueOnError)
	flags := AddFlags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return flags.Options()
}

// Every bad value of a command line is reported at once, each with what is accepted.
func TestOptionsReportEveryBadValue(t *testing.T) {
	_, err := options(t, "--fail", "1.5", "--hang", "NaN", "--cascade", "propagat", "--exclude", "0", "--split-tolerance", "0.7", "--require", "time",
		"--seed", "-1", "--request", "retry/1", "--rate", "0", "--max-requests", "x")
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{
		"--fail 1.5: must be a probability from 0 to 1, such as 0.05 or 5%; above 0 it must be at least 0.000001, and below 1 at most 0.999999",
		"--hang NaN: must be a probability",
		`--cascade propagat: must be absorb or propagate (did you mean "propagate"?)`,
		"--exclude 0: must be a share from 0.0005 to 0.5",
		"--split-tolerance 0.7: must be two factors joined by a comma, the first from 0.1 to 0.95 and the second from 1.05 to 1.9, such as 0.7,1.4",
		`--require time: must be times (did you mean "times"?)`,
		"--seed -1: must be a whole number from 0 to 18446744073709551615",
		"--rate 0:", "--max-requests x:",
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d of %d of the error is not %q:\n%v", i+1, len(lines), want, err)
		}
	}
	if len(lines) != 9 {
		t.Errorf("%d lines, want 9:\n%v", len(lines), err)
	}
}

func TestOptionsRefuse(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--fail 0.0000001", "--fail 0.0000001"}, {"--fail 0.9999999", "--fail 0.9999999"}, {"--hang -0.1", "--hang -0.1"}, {"--fail Inf", "--fail Inf"},
		{"--exclude 0.6", "--exclude 0.6"}, {"--exclude NaN", "--exclude NaN"},
		{"--split-tolerance 1.4,0.7", "--split-tolerance 1.4,0.7"}, {"--split-tolerance 0.7,NaN", "--split-tolerance"}, {"--split-tolerance NaN,1.4", "--split-tolerance"},
		{"--split-tolerance 0.7,1.4,2", "--split-tolerance"}, {"--split-tolerance 0,2", "--split-tolerance"},
		{"--expect edge", `--expect edge: "edge" is not compared with anything`},
		{"--expect p99<1s --expect p99<1s", "--expect p99<1s: given more than once"},
		{"--expect p99<1s --request retry/17 --seed 1", "--expect: cannot be judged by the one request of --request"},
		{"--request retry/17", "needs --seed, since the seed is part of every request's name"},
	} {
		if _, err := options(t, strings.Fields(c.args)...); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", c.args, err, c.want)
		}
	}
}

func TestOptionsTakeWhatIsGiven(t *testing.T) {
	o, err := options(t, "--fail", "-0", "--hang", "0.25", "--cascade", "propagate", "--exclude", "0.005", "--split-tolerance", "0.8,1.2", "--require", "times",
		"--seed", "18446744073709551615", "--request", "retry/p/3", "--rate", "50", "--timeout", "3s")
	if err != nil {
		t.Fatal(err)
	}
	if o.Fail != 0 || o.Hang != 0.25 || o.Cascade != "propagate" || o.Exclude != 0.005 || o.SplitLo != 0.8 || o.SplitHi != 1.2 || !o.RequireTimes || o.Seed != 1<<64-1 ||
		o.Request != "retry/p/3" || o.Attack.Rate != 50 || o.Attack.Timeout != 3*time.Second {
		t.Errorf("%+v", o)
	}
	if o.Fail != 0 || 1/o.Fail < 0 {
		t.Error("--fail -0 is printed as -0")
	}
	if o, err = options(t, "--fail", "0.7%", "--hang", "5 %", "--exclude", "1%"); err != nil || o.Fail != 0.007 || o.Hang != 0.05 || o.Exclude != 0.01 {
		t.Errorf("percent: %+v, %v", o, err)
	}
	o, err = options(t)
	if err != nil {
		t.Fatal(err)
	}
	if o.Fail != 0.3 || o.Hang != 0 || o.Cascade != "absorb" || o.Exclude != 0.01 || o.SplitLo != 0.7 || o.SplitHi != 1.4 || o.RequireTimes || o.Request != "" || o.Attack.Rate != 0 {
		t.Errorf("by default: %+v", o)
	}
	again, _ := options(t)
	if third, _ := options(t); o.Seed == again.Seed && o.Seed == third.Seed {
		t.Error("three runs without --seed have one seed")
	}
}

// What a file expects is joined with what the user expects, each once, and left out where one request is sent alone.
func TestAlsoExpect(t *testing.T) {
	of := func(text string) expect.Expectation {
		e, err := expect.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	author := []expect.Expectation{of("edge fails <= 0.1"), of("any fails <= 0.2")}
	for request, want := range map[string]int{"": 2, "retry/17": 1} {
		o := Options{Request: request, Expect: []expect.Expectation{of(" edge fails <= 0.1")}}
		if o.AlsoExpect(author); len(o.Expect) != want {
			t.Errorf("request %q: %+v, want %d", request, o.Expect, want)
		}
	}
}
