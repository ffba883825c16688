package spelling

import (
	"fmt"
	"testing"
)

func TestDidYouMean(t *testing.T) {
	accepted := []string{"attempts", "perTryTimeout", "retryOn", "help", "run", "retry"}
	for name, want := range map[string]string{
		"retryOnn": "retryOn", "atempts": "attempts", "pertrytimeout": "perTryTimeout", "hepl": "help", "runn": "run",
		"rety": "retry", "RETRY": "retry", "x": "", "mirror": "", "": "",
	} {
		if want != "" {
			want = fmt.Sprintf(" (did you mean %q?)", want)
		}
		if got := DidYouMean(name, accepted); got != want {
			t.Errorf("DidYouMean(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"same", "same", 0}, {"hepl", "help", 1},
		{"ca", "abc", 3}, {"ab", "ba", 1}} {
		if got := editDistance(c.a, c.b); got != c.want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
