package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/sweep"
)

// The points of a grid are every combination, the last axis changing fastest, each with the command line of its own.
func TestPoints(t *testing.T) {
	fails := []float64{0.1, 0.5}
	parameters := []sweep.Axis{{Name: "fail", Values: []string{"10", "20"}}} // a scenario's own parameter may have any name
	for _, c := range []struct {
		fails []float64
		axes  []sweep.Axis
		want  string
	}{
		{fails, nil, "0.1 map[fail:0 other:1]; 0.5 map[fail:0 other:1]"},
		{fails[:1], parameters, "0.1 map[fail:10 other:1]; 0.1 map[fail:20 other:1]"},
		{fails, parameters, "0.1 map[fail:10 other:1]; 0.1 map[fail:20 other:1]; 0.5 map[fail:10 other:1]; 0.5 map[fail:20 other:1]"},
		{fails[:1], nil, "0.1 map[fail:0 other:1]"},
	} {
		points, err := pointsOf(c.fails, axesOf(c.fails, c.axes), map[string]string{"fail": "0", "other": "1"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range points {
			got = append(got, fmt.Sprint(p.fail, " ", p.parameters))
		}
		if all := strings.Join(got, "; "); all != c.want {
			t.Errorf("%v and %v: %s, want %s", c.fails, c.axes, all, c.want)
		}
	}
}

func TestChangedFlags(t *testing.T) {
	c := changed{flags: map[string]string{"fail": "0.1"}, parameters: map[string]string{"blue": "10", "canary-weight": "20", "seed": "3"}}
	for _, flag := range [][3]string{{"fail", "0.1,0.2", "0.1"}, {"set", "blue=1,2", "blue=10"}, {"set", "green=1", "green=1"}, {"canary-weight", "1,2", "20"}, {"seed", "1", "1"}, {"rate", "5", "5"}} {
		if got := c.value(flag[0], flag[1]); got != flag[2] {
			t.Errorf("--%s %s is %s at the point, want %s", flag[0], flag[1], got, flag[2])
		}
	}
}

// A grid has a report of its own with each point, and a report for each point in a folder that repeats it; one deviation fails all.
func TestGrid(t *testing.T) {
	out := filepath.Join(t.TempDir(), "grid")
	got := execute(t, "run", "prod", "--fail", "0.2,0.6", "--seed", "7", "--out", out, "--exclude", "0.1", "--break", "no-subsets", "--format", "json")
	if got.code != 2 {
		t.Fatalf("a deviation that there is not: %+v", got)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("the folder was made, and nothing was to be started")
	}
	got = execute(t, "run", "prod", "--fail", "0.2,0.6", "--seed", "7", "--out", out, "--exclude", "0.1", "--format", "json")
	var whole sweep.Report
	if err := json.Unmarshal([]byte(got.stdout), &whole); err != nil || got.code != 0 {
		t.Fatalf("exit %d, %v\n%s", got.code, err, got.stderr)
	}
	if whole.Schema != sweep.Schema || whole.Verdict != reports.Pass || len(whole.Points) != 2 || whole.Points[1].Settings.Fail != 0.6 {
		t.Errorf("%+v", whole)
	}
	for _, file := range append(sweep.Files(), "fail-0.2/report.html", "fail-0.6/report.json") {
		if _, err := os.Stat(filepath.Join(out, file)); err != nil {
			t.Error(err)
		}
	}
	if asked := usage(t, "report", out); asked.code != 2 || !strings.Contains(asked.stderr, out+": has the report of a grid") {
		t.Errorf("report of a grid: %+v", asked)
	}
	point, err := reports.Load(filepath.Join(out, whole.Points[1].Folder))
	if err != nil {
		t.Fatal(err)
	}
	if command := strings.Join(point.Command, " "); point.Settings.Fail != 0.6 || !strings.Contains(command, "--fail 0.6 --seed 7 --out "+filepath.Join(out, "fail-0.6")+" ") {
		t.Errorf("fail %g, %s", point.Settings.Fail, command)
	}
	broken := execute(t, "verify", "-f", shop(t), "--fail", "0.1,0.5", "--seed", "7", "--break", "one-retry-less", "--quiet")
	if broken.code != 1 || !strings.HasPrefix(broken.stdout, "FAIL  2 of 2 points fail, the first at fail 0.1: ") {
		t.Errorf("%+v", broken)
	}
}
