package trail

import (
	"regexp"
	"testing"
)

func FuzzProbeHost(f *testing.F) {
	f.Add("n.hellochaos.invalid")
	f.Add("a\r\nb.hellochaos.invalid")
	want := regexp.MustCompile(`^[-.0-9A-Za-z]+\.hellochaos\.invalid\z`)
	f.Fuzz(func(t *testing.T, host string) {
		if got := ProbeHost(host); got != want.MatchString(host) {
			t.Errorf("ProbeHost(%q) = %v", host, got)
		}
	})
}
