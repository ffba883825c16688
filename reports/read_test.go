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
	text := out.String()
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
		{"another with a version", `{"schema": "1.2", "tests": []}`, []string{"tests: unknown field: schema", "verdict: missing: must be pass, fail or inconclusive", "stages: missing: must be an array"}},
		{"newer major", written(t, `"schema": "1.2"`, `"schema": "2.0"`), []string{"the report has schema 2.0, and this program reads 1.x", "use the hellochaos that wrote the report"}},
		{"older major", written(t, `"schema": "1.2"`, `"schema": "0.9"`), []string{"the report has schema 0.9, and this program reads 1.x"}},
		{"verdict", written(t, `"verdict": "fail"`, `"verdict": "maybe"`), []string{`verdict: "maybe": must be pass, fail or inconclusive`}},
		{"kind", written(t, `"kind": "ledger"`, `"kind": "ledgre"`), []string{`stages[0].checks[2].kind: "ledgre": must be proportion, exact, ledger or median`}},
		{"text for number", written(t, `"n": 2531`, `"n": "many"`), []string{`stages[0].checks[1].after.n: "many": must be a whole number`}},
		{"fraction", written(t, `"n": 2531`, `"n": 2531.5`), []string{`stages[0].checks[1].after.n: 2531.5: must be a whole number`}},
		{"negative count", written(t, `"n": 2531`, `"n": -1`), []string{`stages[0].checks[1].after.n: -1: must be a whole number from 0 to`}},
		{"enormous count", written(t, `"n": 2531`, `"n": 9223372036854775807`), []string{`stages[0].checks[1].after.n: 9223372036854775807: must be`}},
		{"NaN", written(t, `"fail": 0.5`, `"fail": NaN`), []string{"not JSON", "'N'"}},
		{"NaN in quotes", written(t, `"fail": 0.5`, `"fail": "NaN"`), []string{`settings.fail: "NaN": must be a number`}},
		{"beyond numbers", written(t, `"predicted": 0.0125`, `"predicted": 1e999`), []string{`stages[0].checks[3].after.predicted: 1e999: must be a number`}},
		{"no probability", written(t, `"fail": 0.5`, `"fail": 1.5`), []string{`settings.fail: 1.5: must be a number from 0 to 1`}},
		{"negative time", written(t, `"elapsed_seconds": 5.25`, `"elapsed_seconds": -5`), []string{`elapsed_seconds: -5: must be`}},
		{"null number", written(t, `"n": 2531`, `"n": null`), []string{`n: null: must be a whole number`}},
		{"no time", written(t, `"started": "2026-01-02T15:04:05.000000678Z"`, `"started": "yesterday"`), []string{`started: "yesterday": must be a time such as`}},
		{"object for array", written(t, `"bins": [`, `"bins": {}, "bim": [`), []string{`stages[0].phases[1].distributions[0].bins: an object: must be an array`, `distributions[0].bim: unknown field`}},
		{"array for object", written(t, `"tool": {`, `"tool": [1,{"a":[]}], "toll": {`), []string{`tool: an array: must be an object`, "toll: unknown field"}},
		{"bin of three", written(t, "[100,3]", "[100,5,3]"), []string{`ok[0]: 3 elements: must be 2`}},
		{"version of a number", written(t, `"istio": "1.31.1"`, `"istio": 1.31`), []string{`target.versions["istio"]: 1.31: must be a string`}},
		{"duplicate", written(t, `"aborted": true`, `"aborted": true, "aborted": false`), []string{"aborted: given twice"}},
		{"duplicate name", written(t, `"istio": "1.31.1"`, `"istio": "1", "istio": "2"`), []string{"target.versions.istio: given twice"}},
		{"upper case", written(t, `"aborted": true`, `"Aborted": true`), []string{"Aborted: the field must be written aborted", "aborted: missing"}},
		{"misspelt", written(t, `"summary"`, `"sumary"`), []string{"sumary: unknown field: schema 1.2 does not have it", "summary: missing: must be a string"}},
		{"interval upside down", written(t, `"lo": 0.048`, `"lo": 0.99`), []string{"stages[0].checks[3].after.interval: lo is 0.99 and hi is 0.052: lo must be at most hi"}},
		{"band upside down", written(t, `"lo": 0.00625`, `"lo": 0.99`), []string{"stages[0].checks[3].after.band: lo is 0.99 and hi is 0.025: lo must be at most hi"}},
		{"more hits than trials", written(t, `"k": 498`, `"k": 1001`), []string{"stages[0].checks[0].before.k: 1001: must be at most n, which is 1000"}},
		{"bins", written(t, "[250,1]", "[99,1]"), []string{"stages[0].phases[1].seconds[0].ok[1]: the latency 99 follows 100: the latencies of bins must ascend"}},
		{"seconds", written(t, `"number": 1`, `"number": 0`), []string{"stages[0].phases[1].seconds[1].number: 0: must be larger than the number before it"}},
		{"span before its parent", written(t, `"parent": 0`, `"parent": 1`), []string{"stages[0].phases[1].samples[0].spans[1].parent: 1: must be the number of a span before"}},
		{"latency upside down", written(t, `"lo": 0.009`, `"lo": 9`), []string{"stages[0].phases[1].latency[0].interval_seconds: lo is 9 and hi is 0.011"}},
		{"nested", `{"schema": "1.2", "stages": ` + deep + `}`, []string{"not JSON", "exceeded max depth"}},
		{"nested in place", `{"schema": "1.2", "stages": ` + deep[11000:29000] + `}`, []string{"stages[0]: an array: must be an object"}},
		{"a phase twice", written(t, `"name": "after"`, `"name": "before"`), []string{"stages[0].phases[1]: before: the name is there twice, and must be there once"}},
		{"two at once", written(t, `"n": 2531`, `"n": -1`, `"kind": "ledger"`, `"kind": 7`), []string{"2 problems:\n", "checks[1].after.n", "checks[2].kind: 7: must be proportion"}},
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
	newer := written(t, `"schema": "1.2"`, `"schema": "1.99", "mood": {"deep": [1, {"a": null}]}`, `"cascade"`, `"weather": "fair", "cascade"`)
	r, err := Read(strings.NewReader(newer))
	if err != nil {
		t.Fatal(err)
	}
	if r.Schema != SchemaVersion || !slices.ContainsFunc(r.Remarks, func(s string) bool { return strings.Contains(s, "schema 1.99") }) {
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

// An older minor version lacks what was added since.
func TestReadOlderMinor(t *testing.T) {
	r := example()
	r.Schema = "1.0"
	var out bytes.Buffer
	if err := JSON(&out, r); err != nil {
		t.Fatal(err)
	}
	back, err := Read(&out)
	if err != nil || back.Schema != "1.0" || len(back.Remarks) != 0 {
		t.Errorf("%v: schema %v", err, back)
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
	if err := os.WriteFile(file, []byte(`{"schema": "1.2"`), 0o644); err != nil {
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
