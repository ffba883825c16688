package differential

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/differential/envoy"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service"
	"github.com/hellochaos/hellochaos/service/trail"
)

// question is a request with the script that its stand-ins follow, and what came back.
type question struct {
	asked
	name   string
	script []string
	tell   string // the header that the stand-in tells of
	rule   *manifests.Rule
	met    *envoy.Outcome // what the matcher says
	got    answer         // through the Envoy
	own    answer         // through the embedded mesh, where the question is decided
}

func (q *question) headers() http.Header {
	h := http.Header{}
	h.Set(trail.HeaderRequest, q.name)
	h.Set(service.HeaderScript, strings.Join(q.script, ","))
	h.Set(service.HeaderTell, q.tell)
	return h
}

// scripted draws what the stand-ins do with the tries of a request: most often with failures where its rule retries, and all is over before
// a time limit.
func (d draw) scripted(rule *manifests.Rule) []string {
	var longest time.Duration
	for n := range rule.Retry.Attempts {
		longest += rule.Retry.BackOff(n + 1)
	}
	if longest > 400*time.Millisecond || d.chance(0.3) {
		return []string{"200"}
	}
	var words []string
	for range 1 + d.IntN(4) {
		words = append(words, d.one("200", "500", "503", "503", "502", "504", "409", "429", "404", "reset", "close"))
	}
	return words
}

// delivered is which try of a request is delivered, by the rule's retry policy, and with which status.
func (q *question) delivered(retry *manifests.Retry) (try, status int) {
	for try = 1; ; try++ {
		word := q.script[min(try, len(q.script))-1]
		status, err := strconv.Atoi(word)
		failure := manifests.Failure{Status: status, Reset: err != nil}
		if try > retry.Attempts || !retry.Covers(failure) {
			if err != nil {
				status = http.StatusServiceUnavailable
			}
			return try, status
		}
	}
}

// decided reports whether nothing is drawn for the request, so that two proxies give it the same answer.
func (q *question) decided() bool {
	if f := q.rule.Fault; f != nil && (f.AbortShare > 0 && f.AbortShare < 1) {
		return false
	}
	destinations := 0
	for _, to := range q.met.To {
		if to.Share > 0 {
			destinations++
		}
	}
	return destinations <= 1
}
