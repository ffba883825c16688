package trail

import "strings"

// ProbePath is the beginning of the paths at which a hop of the chain and a relay are asked what their own proxy does:
// GET /probe/REST?host=NAME.hellochaos.invalid sends GET /REST with that Host on its outbound way, once, and answers
// 200 with a Probe in JSON. A probe is no try: nothing counts it.
const ProbePath = "/probe/"

// ProbeDomain ends every Host that a probe may have, since a demo service must not send for anyone to anywhere. Names
// below .invalid are nobody's (RFC 6761 section 6.4): without a rule for them no proxy leads them on.
const ProbeDomain = ".hellochaos.invalid"

// MaxProbeBody is how much of an answer's body a Probe keeps, in bytes.
const MaxProbeBody = 4 << 10

// Probe is what came back for a probe.
type Probe struct {
	// Status is the HTTP status; 0 when there was no answer, and then Error says why.
	Status int `json:"status"`
	// Body is the beginning of the answer's body, at most MaxProbeBody bytes of UTF-8.
	Body string `json:"body,omitempty"`
	// Error is why no answer came: no connection, a broken one, or none within the two seconds that a probe has.
	Error string `json:"error,omitempty"`
}

// ProbeHost reports whether a probe may have host: letters, digits, dashes and dots before ProbeDomain.
func ProbeHost(host string) bool {
	name, ok := strings.CutSuffix(host, ProbeDomain)
	alien := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.'
	}
	return ok && name != "" && !strings.ContainsFunc(name, alien)
}
