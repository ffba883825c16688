package reports

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// What is shortened is white space between numbers of histograms: the report is the same, and no text is touched.
func TestJSONKeepsBinsOnALine(t *testing.T) {
	want := &Report{Schema: SchemaVersion, Summary: "a, [b] bins [\n 1,\n 2\n ],\n [ 3, 4 ]", Phases: []Phase{{Name: "retry",
		Seconds:       []Second{{Number: 3, OK: []Bin{{100, 2}, {104, 1}}, Failed: []Bin{{9, 1}}}},
		Distributions: []Distribution{{Outcome: "ok", Bins: []Bin{{100, 2}, {104, 1}, {99614720, 3}}}},
		Warnings:      []string{"7", "8"},
	}}}
	var text bytes.Buffer
	if err := JSON(&text, want); err != nil {
		t.Fatal(err)
	}
	var got Report
	if err := json.Unmarshal(text.Bytes(), &got); err != nil || !reflect.DeepEqual(&got, want) {
		t.Errorf("%v: read %+v\nwrote %+v", err, got, want)
	}
	lines := map[string]int{}
	for line := range strings.Lines(text.String()) {
		lines[strings.TrimSpace(line)]++
	}
	for _, line := range []string{"[100,2],[104,1]", "[9,1]", "[100,2],[104,1],[99614720,3]", `"7",`, `"8"`, `"name": "retry",`} {
		if lines[line] != 1 {
			t.Errorf("no line of its own for %s in\n%s", line, text.String())
		}
	}
}
