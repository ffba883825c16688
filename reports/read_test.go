package reports

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// written is a report as JSON, with some of its text replaced.
func written(t testing.TB, replace ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := JSON(&out, everything()); err != nil {
		t.Fatal(err)
	}
	return replaced(t, out.String(), replace...)
}

func replaced(t testing.TB, text string, replace ...string) string {
	t.Helper()
	for i := 0; i < len(replace); i += 2 {
		changed := strings.Replace(text, replace[i], replace[i+1], 1)
		if changed == text {
			t.Fatalf("the report has no %q to replace", replace[i])
		}
		text = changed
	}
	return text
}

// What is no report is refused in one message that names the place, what is there and what is accepted.
func TestReadRefuses(t *testing.T) {
	deep := strings.Repeat("[", 20000) + strings.Repeat("]", 20000)
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"empty"}},
		{"blank", " \n\t", []string{"empty"}},
		{"truncated", written(t)[:1000], []string{"truncated", "after 1000 bytes"}},
		{"not JSON", "PASS  all checks agree", []string{"line 1, column 1: not JSON", "'P'"}},
		{"corrupt", written(t, `"aborted": true`, `"aborted": treu`), []string{"line ", "not JSON", "'e'"}},
		{"two reports", written(t) + written(t), []string{"not JSON", "after top-level value"}},
		{"array", "[1]", []string{"an array, not a report"}},
		{"number", "17", []string{"a number, not a report"}},
		{"string", `"report"`, []string{"a string, not a report"}},
		{"another program's", `{"metrics": {"http_reqs": 7}}`, []string{`no field "schema"`}},
		{"another program's schema", `{"schema": "v1/test"}`, []string{`schema: "v1/test": must be a version`}},
		{"schema of another type", `{"schema": 1.2}`, []string{`schema: 1.2: must be a version`}},
		{"null schema", `{"schema": null}`, []string{`schema`}},
		{"another with a version", `{"schema": "2.0", "tests": []}`, []string{"tests: unknown field: schema 2.0", "verdict: missing: must be pass, fail or inconclusive", "phases: missing: must be an array"}},
		{"another with an older version", `{"schema": "1.2", "tests": []}`, []string{"tests: unknown field: schema 1.2", "verdict: missing: must be pass, fail or inconclusive", "stages: missing: must be an array"}},
		{"newer major", written(t, `"schema": "2.0"`, `"schema": "3.0"`), []string{"the report has schema 3.0, and this program reads 1.x and 2.x", "use the hellochaos that wrote the report"}},
		{"older major", written(t, `"schema": "2.0"`, `"schema": "0.9"`), []string{"the report has schema 0.9, and this program reads 1.x and 2.x"}},
		{"newer by name alone", written(t, `"schema": "2.0"`, `"schema": "1.2"`), []string{"phases: unknown field: schema 1.2 does not have it", "stages: missing"}},
		{"verdict", written(t, `"verdict": "fail"`, `"verdict": "maybe"`), []string{`verdict: "maybe": must be pass, fail or inconclusive`}},
		{"verdict of a phase", written(t, `"verdict": "pass",
      "entry"`, `"verdict": "not judged",
      "entry"`), []string{`phases[0].verdict: "not judged": must be pass, fail or inconclusive`}},
		{"severity", written(t, `"severity": "error"`, `"severity": "bad"`), []string{`findings[0].severity: "bad": must be error or warning`}},
		{"text for number", written(t, `"judged": 2531`, `"judged": "many"`), []string{`phases[1].calls[0].judged: "many": must be a whole number`}},
		{"fraction", written(t, `"judged": 2531`, `"judged": 2531.5`), []string{`phases[1].calls[0].judged: 2531.5: must be a whole number`}},
		{"negative count", written(t, `"judged": 2531`, `"judged": -1`), []string{`phases[1].calls[0].judged: -1: must be a whole number from 0 to`}},
		{"enormous count", written(t, `"judged": 2531`, `"judged": 9223372036854775807`), []string{`phases[1].calls[0].judged: 9223372036854775807: must be`}},
		{"NaN", written(t, `"fail": 0.5`, `"fail": NaN`), []string{"not JSON", "'N'"}},
		{"NaN in quotes", written(t, `"fail": 0.5`, `"fail": "NaN"`), []string{`settings.fail: "NaN": must be a number`}},
		{"beyond numbers", written(t, `"predicted": 0.0125`, `"predicted": 1e999`), []string{`phases[1].shares[0].predicted: 1e999: must be a number`}},
		{"no probability", written(t, `"fail": 0.5`, `"fail": 1.5`), []string{`settings.fail: 1.5: must be a number from 0 to 1`}},
		{"no share", written(t, `"excludes": 0.0098`, `"excludes": 9.8`), []string{`phases[1].calls[0].excludes: 9.8: must be a number from 0 to 1`}},
		{"negative time", written(t, `"elapsed_seconds": 5.25`, `"elapsed_seconds": -5`), []string{`elapsed_seconds: -5: must be`}},
		{"null number", written(t, `"judged": 2531`, `"judged": null`), []string{`judged: null: must be a whole number`}},
		{"no time", written(t, `"started": "2026-01-02T15:04:05.000000678Z"`, `"started": "yesterday"`), []string{`started: "yesterday": must be a time such as`}},
		{"object for array", written(t, `"bins": [`, `"bins": {}, "bim": [`), []string{`phases[1].distributions[0].bins: an object: must be an array`, `distributions[0].bim: unknown field`}},
		{"array for object", written(t, `"tool": {`, `"tool": [1,{"a":[]}], "toll": {`), []string{`tool: an array: must be an object`, "toll: unknown field"}},
		{"bin of three", written(t, "[100,3]", "[100,5,3]"), []string{`ok[0]: 3 elements: must be 2`}},
		{"version of a number", written(t, `"istio": "1.31.1"`, `"istio": 1.31`), []string{`target.versions["istio"]: 1.31: must be a string`}},
		{"duplicate", written(t, `"aborted": true`, `"aborted": true, "aborted": false`), []string{"aborted: given twice"}},
		{"duplicate name", written(t, `"istio": "1.31.1"`, `"istio": "1", "istio": "2"`), []string{"target.versions.istio: given twice"}},
		{"upper case", written(t, `"aborted": true`, `"Aborted": true`), []string{"Aborted: the field must be written aborted", "aborted: missing"}},
		{"misspelt", written(t, `"summary"`, `"sumary"`), []string{"sumary: unknown field: schema 2.0 does not have it", "summary: missing: must be a string"}},
		{"outcomes in plain text", written(t, `"outcomes": "AAEC/w=="`, `"outcomes": "good, bad"`), []string{`phases[1].outcomes: "good, bad": must be bytes in base64`}},
		{"outcomes as numbers", written(t, `"outcomes": "AAEC/w=="`, `"outcomes": [0, 1]`), []string{"phases[1].outcomes: an array: must be bytes in base64"}},
		{"outcomes of others", written(t, `"natural_requests": 4`, `"natural_requests": 5`), []string{"phases[1].outcomes: 4 bytes: must be one for each of the natural_requests, which are 5, or none"}},
		{"interval upside down", written(t, `"lo": 0.048`, `"lo": 0.99`), []string{"phases[1].shares[0].interval: lo is 0.99 and hi is 0.052: lo must be at most hi"}},
		{"wait upside down", written(t, `"lo": 0.0115`, `"lo": 0.99`), []string{"phases[1].calls[0].waits[0].interval_seconds: lo is 0.99 and hi is 0.0136"}},
		{"tolerance upside down", written(t, `"lo": 0.7`, `"lo": 7`), []string{"settings.split_tolerance: lo is 7 and hi is 1.4"}},
		{"more cases held than there are", written(t, `"held": 2`, `"held": 4`), []string{"cases.held: must be at least 0 and at most all, which is 3, not 4"}},
		{"more hits than trials", written(t, `"k": 498`, `"k": 1001`), []string{"phases[1].calls[0].fails.k: 1001: must be at most n, which is 1000"}},
		{"more mismatches than calls", written(t, `"mismatched": 3`, `"mismatched": 2532`), []string{"phases[1].calls[0].mismatched: 2532: must be at most judged, which is 2531"}},
		{"more decisive than calls", written(t, `"decisive": 700`, `"decisive": 7000`), []string{"phases[1].calls[0].decisive: 7000: must be at most judged"}},
		{"a part beyond the whole", written(t, `"k": 80`, `"k": 101`), []string{"phases[1].calls[0].split.parts[0].k: 101: must be at most n, which is 100"}},
		{"bins", written(t, "[250,1]", "[99,1]"), []string{"phases[1].seconds[0].ok[1]: the latency 99 follows 100: the latencies of bins must ascend"}},
		{"seconds", written(t, `"number": 1`, `"number": 0`), []string{"phases[1].seconds[1].number: 0: must be larger than the number before it"}},
		{"span before its parent", written(t, `"parent": 0`, `"parent": 1`), []string{"phases[1].samples[0].spans[1].parent: 1: must be the number of a span before"}},
		{"latency upside down", written(t, `"lo": 0.009`, `"lo": 9`), []string{"phases[1].latency[0].interval_seconds: lo is 9 and hi is 0.011"}},
		{"nested", `{"schema": "2.0", "phases": ` + deep + `}`, []string{"not JSON", "exceeded max depth"}},
		{"nested in place", `{"schema": "2.0", "phases": ` + deep[11000:29000] + `}`, []string{"phases[0]: an array: must be an object"}},
		{"a phase twice", written(t, `"name": "retry",
      "title"`, `"name": "application",
      "title"`), []string{"phases[1]: application: the name is there twice, and must be there once"}},
		{"a share twice", written(t, `"name": "any of ours fails"`, `"name": "edge fails"`), []string{"phases[1].shares[1]: edge fails: the name is there twice"}},
		{"a branch twice", written(t, `"name": "all 4 tries fail"`, `"name": "answered at try 2"`), []string{"phases[1].calls[0].branches[1]: answered at try 2: the name is there twice"}},
		{"a branch by another check's name", written(t, `"name": "all 4 tries fail"`, `"name": "ledger"`), []string{"phases[1]: the checks of calls[5]: backend: ledger: the name is there twice"}},
		{"a version twice", written(t, `"name": "canary"`, `"name": "prod"`), []string{"phases[1].calls[0].split.parts[1]: prod: the name is there twice"}},
		{"two at once", written(t, `"judged": 2531`, `"judged": -1`, `"severity": "error"`, `"severity": 7`), []string{"2 problems:\n", "calls[0].judged", "findings[0].severity: 7: must be error or warning"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Read(strings.NewReader(c.text))
			if err == nil || r != nil {
				t.Fatalf("read %v, %v", r, err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("lacks %q:\n%.2000s", want, err)
				}
			}
			if len(err.Error()) > 5000 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
		})
	}
}

// Up to a limit each problem is listed, and the others are counted. Long values are cut, and no control character reaches a terminal.
func TestReadBoundsItsMessage(t *testing.T) {
	words := strings.Repeat(`7, `, 5000)
	_, err := Read(strings.NewReader(written(t, `"words": [`, `"words": [`+words)))
	if err == nil || strings.Count(err.Error(), "\n") != maxProblems+1 || !strings.HasPrefix(err.Error(), "5000 problems:\n") || !strings.HasSuffix(err.Error(), "and 4980 more") {
		t.Errorf("got %.3000v", err)
	}
	_, err = Read(strings.NewReader(written(t, `"verdict": "fail"`, `"verdict": "\u001b[31m`+strings.Repeat("x", 100000)+`"`)))
	if err == nil || len(err.Error()) > 200 || strings.ContainsRune(err.Error(), '\x1b') {
		t.Errorf("got %.300q", err)
	}
	_, err = Read(strings.NewReader(written(t, `"verdict": "fail"`, `"\u001b`+strings.Repeat("y", 100000)+`": 1, "verdict": "fail"`)))
	if err == nil || len(err.Error()) > 300 || strings.ContainsRune(err.Error(), '\x1b') {
		t.Errorf("got %.300q", err)
	}
}

// Fields of a newer minor version are left out, which a remark reports. All other fields must still have their form.
func TestReadNewerMinor(t *testing.T) {
	newer := written(t, `"schema": "2.0"`, `"schema": "2.99", "mood": {"deep": [1, {"a": null}]}`, `"cascade"`, `"weather": "fair", "cascade"`)
	r, err := Read(strings.NewReader(newer))
	if err != nil {
		t.Fatal(err)
	}
	if r.Schema != SchemaVersion || !slices.ContainsFunc(r.Remarks, func(s string) bool { return strings.Contains(s, "schema 2.99") }) {
		t.Errorf("schema %s and remarks %q, want %s and a remark", r.Schema, r.Remarks, SchemaVersion)
	}
	var got, want bytes.Buffer
	r.Remarks = r.Remarks[:1]
	if err := JSON(&got, r); err != nil {
		t.Fatal(err)
	}
	if err := JSON(&want, everything()); err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() {
		t.Errorf("what both versions have was changed:\n%s", got.String())
	}
	if _, err := Read(strings.NewReader(strings.Replace(newer, `"verdict": "fail"`, `"VERDICT": "maybe", "verdict": "fail"`, 1))); err == nil {
		t.Error("a field in capitals takes the place of another")
	}
}

func TestLoad(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, FileName)
	if _, err := Load(filepath.Join(folder, "none")); err == nil || !strings.Contains(err.Error(), "none: no such file") {
		t.Errorf("none: %v", err)
	}
	if _, err := Load(folder); err == nil || !strings.Contains(err.Error(), folder+": there is no report.json in this folder") {
		t.Errorf("a folder without a report: %v", err)
	}
	if err := os.WriteFile(file, []byte(written(t, `"verdict": "fail"`, `"verdict": "maybe"`)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(folder); err == nil || !strings.HasPrefix(err.Error(), file+`: verdict: "maybe"`) {
		t.Errorf("a bad report: %v", err)
	}
	if err := os.WriteFile(file, []byte(written(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, file} {
		if r, err := Load(path); err != nil || r.Settings.Seed != everything().Settings.Seed {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(folder); err == nil {
		t.Error("a folder by the name of a report is one")
	}
}

// endless is blanks without end; it counts those that were read.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

// What is too large is refused before it is read, or as soon as more was read than a report may have.
func TestReadTooLarge(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gibibyte.json")
	if err := os.WriteFile(file, []byte(`{"schema": "2.0"`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, 1<<30); err != nil { // a hole: it takes no room
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Load(file)
	runtime.ReadMemStats(&after)
	want := fmt.Sprintf("the file has 1073741824 bytes: a report of hellochaos has at most %d MiB, so this is not a report", MaxSize>>20)
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), want) {
		t.Errorf("a file of 1 GiB: %v", err)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<20 {
		t.Errorf("refusing a file of 1 GiB allocated %d bytes", allocated)
	}
	stream := &endless{}
	if _, err := Read(stream); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("the input is too long: a report of hellochaos has at most %d MiB", MaxSize>>20)) {
		t.Errorf("an endless stream: %v", err)
	}
	if stream.read > MaxSize+1<<20 {
		t.Errorf("%d bytes were read of an endless stream", stream.read)
	}
	if _, err := Read(io.MultiReader(strings.NewReader(written(t)), strings.NewReader(strings.Repeat(" ", 1000)))); err != nil {
		t.Errorf("blanks after a report: %v", err)
	}
}

func BenchmarkRead(b *testing.B) {
	data := []byte(written(b))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(bytes.NewReader(data)); err != nil {
			b.Fatal(err)
		}
	}
}

// UTF-8 with a byte order mark is read, and UTF-16 is named.
func TestReadEncodings(t *testing.T) {
	text := written(t)
	if _, err := Read(strings.NewReader("\xef\xbb\xbf" + text)); err != nil {
		t.Errorf("with a byte order mark: %v", err)
	}
	for order, encode := range map[string]func([]byte, uint16) []byte{"little-endian": binary.LittleEndian.AppendUint16, "big-endian": binary.BigEndian.AppendUint16} {
		var encoded []byte
		for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
			encoded = encode(encoded, unit)
		}
		for what, data := range map[string][]byte{"with a mark": encoded, "without": encoded[2:]} {
			_, err := Read(bytes.NewReader(data))
			if err == nil || !strings.Contains(err.Error(), "the report is encoded in UTF-16 ("+order+")") {
				t.Errorf("UTF-16, %s, %s: %v", order, what, err)
			}
		}
	}
}
