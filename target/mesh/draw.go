package mesh

import (
	"net/http"
	"strconv"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Header keys as net/http has them.
var (
	keyRequest = http.CanonicalHeaderKey(trail.HeaderRequest)
	keyTries   = http.CanonicalHeaderKey(trail.HeaderTries)
	keyAttempt = http.CanonicalHeaderKey(trail.HeaderAttempt)
)

// draws is where the chance of one call comes from: the same request meets the same draws on its way, whenever it
// passes.
type draws struct {
	request string
	service string // the destination's host; until the rule is known, the host that was asked for
	tries   string
}

// draws returns the source for a call to host. A request that an attack did not number gets a number from the proxy.
func (p *proxy) draws(header http.Header, host string) draws {
	d := draws{service: host}
	if names := header[keyRequest]; len(names) > 0 {
		d.request = names[0]
	} else {
		d.request = p.seed + "/" + strconv.FormatInt(p.unnamed.Add(1), 10)
	}
	if tries := header[keyTries]; len(tries) > 0 {
		d.tries = tries[0]
	}
	return d
}

// draw is a number in [0,1) for a purpose that happens once in a call.
func (d *draws) draw(purpose string) float64 {
	return trail.Draw(purpose, d.request, d.service, d.tries)
}

// numbered is a number in [0,1) for the n-th time of a purpose.
func (d *draws) numbered(purpose string, n int) float64 {
	return d.draw(purpose + " " + strconv.Itoa(n))
}
