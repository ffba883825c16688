package manifests

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// retryBlock is a retries block of a VirtualService, and what Istio makes of it in the terms of Envoy (ConvertPolicy in its
// pilot/pkg/networking/core/route/retry).
type retryBlock struct {
	name, block string
	hashed      bool   // whether a consistentHash chooses the pods of the destination
	split       bool   // whether the rule has two destinations
	refused     string // what Parse says of the block, where Istio's webhook refuses it, too, or hellochaos by name; else empty

	attempts int
	words    string // Envoy's retry_on
	codes    []int  // Envoy's retriable_status_codes
	perTry   time.Duration
	base     time.Duration // of the back-off
	previous bool          // whether there is the predicate previous_hosts
}

const istioDefault = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"

// TestRetryBlocks holds what is read of retries blocks against what Istio makes of them: of those that its own tests have, and of some more.
// The blocks of its tests that its webhook refuses are refused; what they mean is held by TestRetryWords.
func TestRetryBlocks(t *testing.T) {
	const usual = 25 * time.Millisecond
	for _, c := range []retryBlock{
		{name: "absent", attempts: 2, words: istioDefault, base: usual, previous: true},
		{name: "no attempts", block: "{attempts: 0}", attempts: 0, words: istioDefault, base: usual, previous: true},
		{name: "attempts alone", block: "{attempts: 2}", attempts: 2, words: istioDefault, base: usual, previous: true},
		{name: "words that are none", block: "{attempts: 2, backoff: 2s, perTryTimeout: 3s, retryOn: 'some,fake,conditions'}", refused: `has "some", which Istio does not accept`},
		{name: "empty words", block: "{attempts: 2, retryOn: '5xx,reset,,,'}", refused: `has "", which Istio does not accept`},
		{name: "blanks", block: `{attempts: 2, retryOn: " 5xx,\t,reset"}`, refused: `has " 5xx", which Istio does not accept`},
		{name: "a number that is no status", block: "{attempts: 2, retryOn: '5xx,1000'}", refused: `has "1000", which Istio does not accept`},
		{name: "every field", block: "{attempts: 2, backoff: 2s, perTryTimeout: 3s, retryOn: 'gateway-error,reset'}", attempts: 2, words: "gateway-error,reset", perTry: 3 * time.Second, base: 2 * time.Second, previous: true},
		{name: "words and a status", block: "{attempts: 2, retryOn: 'gateway-error,retriable-status-codes,503'}", attempts: 2, words: "gateway-error,retriable-status-codes", codes: []int{503}, base: usual, previous: true},
		{name: "statuses among words", block: "{attempts: 2, retryOn: '5xx,404,reset,503'}", attempts: 2, words: "5xx,reset,retriable-status-codes", codes: []int{404, 503}, base: usual, previous: true},
		{name: "reset-before-request", block: "{attempts: 2, retryOn: reset-before-request}", attempts: 2, words: "reset-before-request", base: usual, previous: true},
		{name: "other localities", block: "{attempts: 2, retryRemoteLocalities: true}", refused: "retryRemoteLocalities: is not supported"},
		{name: "a hash", block: "{attempts: 2}", hashed: true, attempts: 2, words: istioDefault, base: usual},
		{name: "a hash, and previous hosts", block: "{attempts: 2, retryIgnorePreviousHosts: true}", hashed: true, attempts: 2, words: istioDefault, base: usual, previous: true},
		{name: "a hash of one of two destinations", block: "{attempts: 2}", hashed: true, split: true, attempts: 2, words: istioDefault, base: usual, previous: true},
		{name: "a hash, and no block", hashed: true, attempts: 2, words: istioDefault, base: usual},
		{name: "no previous hosts", block: "{attempts: 2, retryIgnorePreviousHosts: false}", attempts: 2, words: istioDefault, base: usual},
	} {
		t.Run(c.name, func(t *testing.T) { c.check(t) })
	}
}

func (c *retryBlock) check(t *testing.T) {
	objects, err := Parse("t.yaml", []byte(c.yaml()))
	if c.refused != "" {
		if err == nil || !strings.Contains(err.Error(), c.refused) {
			t.Errorf("error %v, want %q", err, c.refused)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	rules, err := Read(Overlay(Application(), objects))
	if err != nil {
		t.Fatal(err)
	}
	got := rules.Table(Caller{}).Route(&Request{Host: "backend", Path: "/"}).Retry
	want := Retry{}
	want.SetOn(c.words)
	if len(c.codes) > 0 {
		want.classes |= classStatus
	}
	if got.Attempts != c.attempts || got.PerTry != c.perTry || got.Base != c.base || got.PreviousHosts != c.previous || got.classes != want.classes || !slices.Equal(got.codes, c.codes) {
		t.Errorf("%+v, want %+v", got, c)
	}
}

func (c *retryBlock) yaml() string {
	text := "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: r}\nspec:\n  hosts: [backend]\n  http:\n  - route: [{destination: {host: backend}}]\n"
	if c.split {
		text = strings.Replace(text, "{host: backend}}]", "{host: backend}, weight: 1}, {destination: {host: frontend}, weight: 1}]", 1)
	}
	if c.block != "" {
		text += "    retries: " + c.block + "\n"
	}
	if c.hashed {
		text += "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: h}\nspec: {host: backend, trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x}}}}\n"
	}
	return text
}

// TestRetryWords reads retryOn as Istio's conversion does (parseRetryOn): it trims blanks, drops empty words, and takes numbers for statuses
// where there is one of the number. Words that Envoy does not know cover nothing. The second and the fourth are those of the policy for
// requests that come in, which the configuration of a mesh may have.
func TestRetryWords(t *testing.T) {
	for words, want := range map[string]struct {
		known string
		codes []int
	}{
		"some,fake,conditions":                 {"", nil},
		"reset-before-request":                 {"reset-before-request", nil},
		"some,fake,conditions,,,":              {"", nil},
		"reset,503":                            {"reset,retriable-status-codes", []int{503}},
		" some,\t,fake ,\tconditions, ,":       {"", nil},
		" 5xx,\t,reset ,\t503, ,":              {"5xx,reset,retriable-status-codes", []int{503}},
		"some,fake,5xx,404,conditions,503":     {"5xx,retriable-status-codes", []int{404, 503}},
		"some,fake,conditions,1000":            {"", nil},
		"gateway-error,503,503,retriable-4xx":  {"gateway-error,retriable-4xx,retriable-status-codes", []int{503, 503}},
		"retriable-status-codes,http/2,-1,+50": {"retriable-status-codes", nil},
	} {
		var got, known Retry
		got.SetOn(words)
		known.SetOn(want.known)
		if got.classes != known.classes || !slices.Equal(got.codes, want.codes) {
			t.Errorf("retryOn %q: classes %b, codes %v, want %b, %v", words, got.classes, got.codes, known.classes, want.codes)
		}
	}
}
