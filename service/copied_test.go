package service

import (
	"net/http"
	"testing"

	"github.com/hellochaos/hellochaos/service/trail"
)

func TestCopied(t *testing.T) {
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Add(pairs[i], pairs[i+1])
		}
		return h
	}
	const told, from = trail.HeaderCopies, trail.HeaderForwardedFor
	for _, test := range []struct {
		header           http.Header
		want, sent, name string
	}{
		{header(from, "10.0.0.1"), trail.NoCopy, "", "nobody says how many addresses are usual"},
		{header(told, "0"), trail.NoCopy, "1", "none, as usual"},
		{header(told, "0", from, "10.0.0.1"), trail.Copy, trail.CopiesBelow, "one more"},
		{header(told, "1", from, "10.0.0.1"), trail.NoCopy, "1", "one, as usual at a gateway"},
		{header(told, "1", from, "10.0.0.1,10.0.0.2"), trail.Copy, trail.CopiesBelow, "one more on a line"},
		{header(told, "1", from, "10.0.0.1", from, "10.0.0.2"), trail.Copy, trail.CopiesBelow, "one more on a line of its own"},
		{header(told, trail.CopiesBelow), trail.BelowCopy, trail.CopiesBelow, "below a copy"},
		{header(told, "many", from, "10.0.0.1"), trail.NoCopy, "1", "no number"},
	} {
		if got := copied(test.header); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		sent := header(from, "10.0.0.9") // as a service that forwards the header sends it
		if tellCopies(test.header, sent); sent.Get(told) != test.sent {
			t.Errorf("%s: it sends on %q, want %q", test.name, sent.Get(told), test.sent)
		}
	}
}
