package reports

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// edited is a report with some of its values or names replaced: each line of edits is the number of one, and its new text. So
// a fuzzer gets past the JSON to what a report says.
func edited(data []byte, edits string) []byte {
	for line := range strings.Lines(edits) {
		number, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		n, err := strconv.ParseUint(number, 10, 32)
		if spans := valuesOf(data); err == nil && len(spans) > 0 {
			span := spans[int(n)%len(spans)]
			data = []byte(string(data[:span[0]]) + text + string(data[span[1]:]))
		}
	}
	return data
}

// valuesOf returns where each value and each name of a JSON text begins and ends.
func valuesOf(data []byte) (spans [][2]int) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var open []int
	for {
		from := int(decoder.InputOffset())
		token, err := decoder.Token()
		if err != nil {
			return spans
		}
		for from < len(data) && strings.IndexByte(" \n\r\t,:", data[from]) >= 0 {
			from++
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			open = append(open, from)
			continue
		case json.Delim('}'), json.Delim(']'):
			from = open[len(open)-1]
			open = open[:len(open)-1]
		}
		spans = append(spans, [2]int{from, int(decoder.InputOffset())})
	}
}

// FuzzRead holds Read to its promise: a report or an error, and whatever it accepts can be written in every format, and read
// again as the same.
func FuzzRead(f *testing.F) {
	seeds, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no reports in testdata (%v)", err)
	}
	for _, seed := range seeds {
		data, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "")
	}
	full := []byte(written(f))
	for _, edits := range []string{"", "1 \"1.3\"", "17 -1\n99 null", "30 \"\\u001b[31m\\n|<`\"", "200 1e15", "120 []\n121 {}", "77 \"verdict\"", "300 \"\""} {
		f.Add(full, edits)
	}
	f.Fuzz(func(t *testing.T, data []byte, edits string) {
		if len(data) > 1<<16 || strings.Count(edits, "\n") > 10 {
			return
		}
		r, err := Read(bytes.NewReader(edited(data, edits)))
		if err != nil {
			if r != nil || len(err.Error()) > 8000 {
				t.Fatalf("report %v with an error of %d bytes", r, len(err.Error()))
			}
			return
		}
		outputs := make(map[string]string, len(formats))
		for _, format := range formats {
			var out bytes.Buffer
			if err := format.Write(&out, r); err != nil || out.Len() == 0 {
				t.Fatalf("%s: %v", format.Name, err)
			}
			outputs[format.Name] = out.String()
		}
		if err := Text(io.Discard, r, true); err != nil {
			t.Fatal(err)
		}
		if err := wellFormed(outputs["junit"]); err != nil {
			t.Fatalf("junit: %v", err)
		}
		back, err := Read(strings.NewReader(outputs["json"]))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		for _, format := range formats {
			var out bytes.Buffer
			if err := format.Write(&out, back); err != nil || out.String() != outputs[format.Name] {
				t.Fatalf("%s (%v) of the report that was written and read differs", format.Name, err)
			}
		}
	})
}
