package service

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Keys of the request headers in the canonical form of http.Header. http.Header.Get would compute that form for each request.
var (
	failKey    = http.CanonicalHeaderKey(trail.HeaderFail)
	hangKey    = http.CanonicalHeaderKey(trail.HeaderHang)
	cascadeKey = http.CanonicalHeaderKey(trail.HeaderCascade)
	requestKey = http.CanonicalHeaderKey(trail.HeaderRequest)
	pinsKey    = http.CanonicalHeaderKey(trail.HeaderPins)
	podKey     = http.CanonicalHeaderKey(trail.HeaderPod)
	triesKey   = http.CanonicalHeaderKey(trail.HeaderTries)
	attemptKey = http.CanonicalHeaderKey(trail.HeaderAttempt)

	expectedKey = http.CanonicalHeaderKey(trail.HeaderExpected)
)

// order is what the headers of a request tell the service to do.
type order struct {
	fail, hang float64
	propagate  bool
	request    string // the name of the request; empty: its draws are random
	pins       string // the value of trail.HeaderPins; empty: draws decide
	tries      string // the call, as trail.CallOf names it; empty at the first hop
}

// readOrder reads the order in the headers. It returns all problems of the headers, or nil.
func readOrder(header http.Header) (o order, problems []string) {
	read := func(key, name string, accept func(value string) (problem string)) {
		values := header[key]
		if len(values) == 0 {
			return
		}
		if problem := accept(values[0]); problem != "" {
			problems = append(problems, fmt.Sprintf("header %s is %q: it must be %s", name, values[0], problem))
		}
		if len(values) > 1 {
			problems = append(problems, fmt.Sprintf("header %s was sent %d times: send it only once", name, len(values)))
		}
	}
	read(failKey, trail.HeaderFail, func(value string) string { return probability(value, &o.fail) })
	read(hangKey, trail.HeaderHang, func(value string) string { return probability(value, &o.hang) })
	read(cascadeKey, trail.HeaderCascade, func(value string) string {
		if o.propagate = value == trail.Propagate; !o.propagate && value != trail.Absorb {
			return trail.Absorb + " or " + trail.Propagate
		}
		return ""
	})
	read(requestKey, trail.HeaderRequest, func(value string) string { o.request = value; return "" })
	read(pinsKey, trail.HeaderPins, func(value string) string { o.pins = value; return trail.CheckPins(value) })
	read(triesKey, trail.HeaderTries, func(value string) string {
		if o.tries = value; !trail.IsCall(value) {
			return `whole numbers joined by dots, such as "1.3", with the number of a call after a colon where it is not the first, such as "1.3:2"`
		}
		// The answer to a loop must not be 500 or more: proxies would retry it, and multiply the requests.
		if strings.Count(value, ".") >= trail.MaxDepth-1 {
			return fmt.Sprintf("a path with fewer than %d attempt counts; check whether the upstreams call each other in a circle", trail.MaxDepth)
		}
		return ""
	})
	return o, problems
}

// probability reads a decimal number in [0,1] into p.
func probability(value string, p *float64) (problem string) {
	number, ok := trail.Probability(value)
	if !ok {
		return "a decimal number in [0,1]"
	}
	*p = number
	return ""
}
