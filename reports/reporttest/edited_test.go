package reporttest

import "testing"

// The fuzzer's edits must reach values and names, whole ones included.
func TestEdited(t *testing.T) {
	for edits, want := range map[string]string{
		"":              `{"a": [1, "b"], "c": null}`,
		"0 \"x\"":       `{"x": [1, "b"], "c": null}`,
		"1 22":          `{"a": [22, "b"], "c": null}`,
		"3 {}":          `{"a": {}, "c": null}`,
		"5 7\n2 true":   `{"a": [1, true], "c": 7}`,
		"6 17":          `17`,
		"not a number ": `{"a": [1, "b"], "c": null}`,
	} {
		if got := string(Edited([]byte(`{"a": [1, "b"], "c": null}`), edits)); got != want {
			t.Errorf("%q: %s, want %s", edits, got, want)
		}
	}
}
