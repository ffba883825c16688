package explain

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

func TestWordsOfAChange(t *testing.T) {
	r := reporttest.Changed()
	c := &r.Changes[0]
	words := strings.Join(Change(c), "\n")
	for _, want := range []string{
		"19 calls were lost: neither the old rules of the caller nor the new ones explain what came back. The first one was that of frontend to middleware, no later than 41 ms after the objects began to be applied (request 7/retry/c/169): by the new rules middleware-prod answers, and status 404 came after 1ms without a trail.",
		"2 calls met the old rules after the proxy had obeyed the new ones for the same host.",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("no %q in:\n%s", want, words)
		}
	}
	for _, kind := range []string{"old rules after the change", "new rules before the change"} {
		c.Troubles = []reports.Trouble{{Kind: kind, Count: 1, From: "", To: "frontend", At: -0.02}}
		if words := Change(c)[0]; !strings.HasPrefix(words, "1 call met the ") || !strings.Contains(words, "the load generator to frontend, no later than 20 ms before the objects") {
			t.Error(words)
		}
	}
	c.Troubles, c.Verdict = nil, reports.Pass
	if words := strings.Join(Change(c), "\n"); !strings.HasPrefix(words, "Each of 1,458 calls met the old rules of its caller or the new ones") || !strings.Contains(words, "in any 9 ms meanwhile (backend least often)") {
		t.Error(words)
	}
	c = &reporttest.OnPods().Changes[0]
	if words := strings.Join(Change(c), "\n"); !strings.Contains(words, "2 calls met the old rules after the same connection to the proxy had met the new ones for the same host.") {
		t.Error(words)
	}
	c.Troubles, c.Verdict = nil, reports.Pass
	words = strings.Join(Change(c), "\n")
	for _, want := range []string{"none met old ones after new ones on one connection to a pod's proxy.", "in any 9 ms between its first call and its last one (backend least often)",
		"At the proxy of frontend-prod-54fff9dccc-qz2fh a call on one connection met old rules at least 12 ms after one on another connection had met the new ones"} {
		if !strings.Contains(words, want) {
			t.Errorf("no %q in:\n%s", want, words)
		}
	}
	if words := Change(&reports.Change{Why: "nothing was sent"}); len(words) != 1 || words[0] != "There is no verdict: nothing was sent." {
		t.Error(words)
	}
}

func TestSummaryOfChanges(t *testing.T) {
	for _, c := range []struct{ first, second, want string }{
		{"pass", "pass", "each of 1,380 requests met what the manifests say, and no call was lost while the rules changed"},
		{"fail", "pass", "19 calls lost in the change prod → retry"},
		{"fail", "fail", "19 calls lost in the change prod → retry, and 1 more change fails"},
		{"pass", "inconclusive", "no verdict: the change retry → prod (put back): 12 calls tell the old rules from the new ones, and at least 60 are needed"},
	} {
		r := reporttest.Changed()
		r.Changes[0].Verdict, r.Changes[1].Verdict = reports.Verdict(c.first), reports.Verdict(c.second)
		r.Verdict = reports.Worst(r.Changes[0].Verdict, r.Changes[1].Verdict)
		got := Summary(r)
		if c.want = strings.Replace(c.want, "1,380", count(requests(r)), 1); got != c.want {
			t.Errorf("%s, %s: %q, want %q", c.first, c.second, got, c.want)
		}
	}
}
