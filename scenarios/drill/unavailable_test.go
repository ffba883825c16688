package drill

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

// A call of which each try is answered 503 has as many tries as retryOn allows for that.
func TestUnavailable(t *testing.T) {
	for _, c := range []struct {
		name     string
		on       string
		attempts int
		answer   Answer
		right    string
		wrong    string
	}{
		{"", "gateway-error", 2, Answer{Pod: "a", Status: 503, Attempt: 3}, "1 call of which each try was answered 503 had 3 tries", ""},
		{"HTTPRoute r, rules[0]", "connect-failure,502,503", 2, Answer{Pod: "a", Status: 503, Attempt: 1}, "", "had 1 try, and retry.codes [502 503] with 2 attempts allows 3 tries"},
		{"HTTPRoute r, rules[0]", "connect-failure", 2, Answer{Pod: "a", Status: 503, Attempt: 2}, "", "had 2 tries, and a retry without codes with 2 attempts allows 1 try"},
		{"", "gateway-error", 2, Answer{Pod: "a", Status: 503, Attempt: 1}, "", "had 1 try, and retryOn \"gateway-error\" with 2 attempts allows 3 tries"},
		{"", "reset", 2, Answer{Pod: "a", Status: 503, Attempt: 1}, "1 call of which each try was answered 503 had 1 try", ""},
		{"", "reset", 2, Answer{Pod: "a", Status: 503, Attempt: 2}, "", "had 2 tries, and retryOn \"reset\" with 2 attempts allows 1 try"},
		{"", "503", 1, Answer{Status: 404}, "", "ended with status 404"},
	} {
		rule := &manifests.Rule{Name: c.name, Retry: manifests.Retry{Attempts: c.attempts}}
		rule.Retry.SetOn(c.on)
		s := Subject{Rule: rule}
		got := s.judgeUnavailable([]Answer{c.answer})
		if got.Undecided != "" || (got.Wrong == "") != (c.wrong == "") || !strings.Contains(got.Right, c.right) || !strings.Contains(got.Wrong, c.wrong) {
			t.Errorf("%s, %+v: %+v, want %q%q", c.on, c.answer, got, c.right, c.wrong)
		}
	}
}
