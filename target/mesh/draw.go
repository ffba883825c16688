package mesh

import (
	"net/http"
	"strconv"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Keys of headers in the form that net/http uses.
var (
	keyRequest = http.CanonicalHeaderKey(trail.HeaderRequest)
	keyTries   = http.CanonicalHeaderKey(trail.HeaderTries)
	keyAttempt = http.CanonicalHeaderKey(trail.HeaderAttempt)
)

// draws makes the random numbers of one call. They depend only on the fields, so the same request gets the same numbers whenever
// it passes the proxy.
type draws struct {
	request string
	service string // the destination's host; the Host of the request until the rule is known
	tries   string
}

// draws makes the draws of a call to host. A request without trail.HeaderRequest, which no attack has sent, gets a number from
// the proxy. Where somebody is told of tries, the gateway sends it on.
func (p *proxy) draws(header http.Header, host string) draws {
	d := draws{service: host}
	if names := header[keyRequest]; len(names) > 0 {
		d.request = names[0]
	} else {
		d.request = p.seed + "/" + strconv.FormatInt(p.unnamed.Add(1), 10)
		if p.gateway && p.tries != nil { // so that what the request leads to can be told apart from what others lead to
			header[keyRequest] = []string{d.request}
		}
	}
	if tries := header[keyTries]; len(tries) > 0 {
		d.tries = tries[0]
	}
	return d
}

// draw is a number in [0,1) for a purpose that a call has once.
func (d *draws) draw(purpose string) float64 {
	return trail.Draw(purpose, d.request, d.service, d.tries)
}

// numbered is a number in [0,1) for the n-th time that a call has a purpose.
func (d *draws) numbered(purpose string, n int) float64 {
	return d.draw(purpose + " " + strconv.Itoa(n))
}
