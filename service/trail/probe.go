package trail

import "strings"

// ProbePath is the beginning of the paths at which a service of the chain or a relay shows what its own proxy does with a request.
// At GET /probe/REST?host=NAME.hellochaos.invalid the service sends GET /REST with that Host once, as it sends its own calls, and
// answers 200 with a Probe in JSON. A probe does not count as a try.
const ProbePath = "/probe/"

// ProbeDomain is the end of every Host that a probe may have, because a demo service must not send requests of strangers to
// arbitrary hosts. No host has a name below .invalid (RFC 6761 section 6.4), so a proxy forwards such a request only if a rule
// names the host.
const ProbeDomain = ".hellochaos.invalid"

// MaxProbeBody is how much of an answer's body a Probe keeps, in bytes.
const MaxProbeBody = 4 << 10

// Probe is the answer to a probe.
type Probe struct {
	// Status is the HTTP status. It is 0 if there was no answer, and Error then has the reason.
	Status int `json:"status"`
	// Body is the beginning of the answer's body, at most MaxProbeBody bytes of UTF-8.
	Body string `json:"body,omitempty"`
	// Error is the reason why there was no answer: no connection, a broken one, or no answer within two seconds.
	Error string `json:"error,omitempty"`
}

// ProbeHost reports whether a probe may have host: letters, digits, dashes and dots, followed by ProbeDomain.
func ProbeHost(host string) bool {
	name, ok := strings.CutSuffix(host, ProbeDomain)
	alien := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.'
	}
	return ok && name != "" && !strings.ContainsFunc(name, alien)
}
