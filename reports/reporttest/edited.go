package reporttest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Edited is a report as JSON with some of its values or names replaced: each line of edits is the number of one, and its new text. So
// a fuzzer gets past the JSON to what a report says.
func Edited(data []byte, edits string) []byte {
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
