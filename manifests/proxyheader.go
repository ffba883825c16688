package manifests

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// Headers that a proxy writes before it looks at the rules (ConnectionManagerUtility::mutateRequestHeaders of Envoy, whose
// use_remote_address Istio sets at gateways alone), as http.Header holds them.
const (
	keyForwardedFor   = "X-Forwarded-For"
	keyForwardedProto = "X-Forwarded-Proto"
	keyRequestID      = "X-Request-Id"
)

const (
	// someRequestID has the form of an x-request-id that a proxy draws.
	someRequestID = "00000000-0000-4000-8000-000000000000"
	// someAddress stands for the address of a gateway's client, which nobody can foresee.
	someAddress = "192.0.2.1"
)

// requestIDs are the parts of x-request-ids that a proxy draws: "x" is a hexadecimal digit in lower case.
const requestIDs = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"

// byProxy is the value that a proxy gives to a header of a request with these values before it looks at the rules. ok is false for headers
// that it leaves as they are. A gateway believes no client; a sidecar writes what is missing.
func (v *view) byProxy(canonical string, values []string) (value string, ok bool) {
	if !v.gateway && len(values) > 0 && values[0] != "" {
		return "", false
	}
	switch canonical {
	case keyForwardedProto:
		return schemeOf(v.tls), true
	case keyRequestID:
		return someRequestID, true
	case keyForwardedFor:
		return strings.Join(append(slices.Clone(values), someAddress), ","), v.gateway
	}
	return "", false
}

// schemeOf is the scheme of the connection by which a request reaches its proxy.
func schemeOf(tls bool) string {
	if tls {
		return "https"
	}
	return "http"
}

// Arriving are the headers with which a request arrives at the destination, as far as the calls that follow from it may depend on them. A
// gateway says itself by which scheme and from which address a request came to it, and draws an x-request-id. Where the rule changes
// no header, a drawn id is left out: sidecars do with a request that has none what they do with one whose id was drawn.
func (d *Destination) Arriving(headers http.Header) http.Header {
	if !d.atGateway && (len(d.Request) == 0 || headers.Get(keyRequestID) != "") {
		return d.Request.Changed(headers)
	}
	sent := make(http.Header, len(headers)+3)
	maps.Copy(sent, headers)
	if d.atGateway {
		sent[keyForwardedProto] = []string{schemeOf(d.overTLS)}
		sent[keyForwardedFor] = append(slices.Clone(sent[keyForwardedFor]), someAddress)
	}
	delete(sent, keyRequestID)
	if len(d.Request) > 0 {
		sent[keyRequestID] = []string{someRequestID}
		d.Request.Apply(sent)
	}
	return sent
}

// checkProxyHeader refuses a condition on a header that proxies write or remove, unless its outcome is the same whatever they write.
func (d *document) checkProxyHeader(field, name string, m *networking.StringMatch) {
	switch key := strings.ToLower(name); {
	case key == "x-request-id" && !decidedForDrawn(m):
		d.problem(field, "%s is not supported by hellochaos by such a condition: a sidecar draws the header for requests without one, and a gateway for all, so "+
			"that nobody could foresee for which of them the condition holds; accepted: presence, an exact value, and a beginning that no drawn id has", key)
	case key == "x-forwarded-for" && !holdsForAll(m):
		d.problem(field, "%s is not supported by hellochaos by its value: a gateway adds the address of its client, which nobody could foresee; accepted: presence", key)
	case strings.HasPrefix(key, "x-envoy-") || key == "x-forwarded-client-cert":
		d.problem(field, "%s is not supported by hellochaos as a condition: a proxy writes or removes the header before it looks at the rules", key)
	case connectionHeaders[key] && key != "content-length" && key != "expect" && key != "trailer":
		d.problem(field, "%s is not supported by hellochaos as a condition: the header belongs to one connection, and a proxy removes it from most requests before it looks "+
			"at the rules", key)
	}
}

// holdsForAll reports whether a condition holds for every value that is not empty.
func holdsForAll(m *networking.StringMatch) bool {
	switch kind := m.GetMatchType().(type) {
	case nil:
		return true
	case *networking.StringMatch_Regex:
		return slices.Contains([]string{"*", ".*", ".+"}, kind.Regex)
	}
	return false
}

// decidedForDrawn reports whether it is known if a condition holds for an x-request-id that a proxy draws. That it draws one that somebody
// wrote into a rule, of more than 10^36, counts as impossible.
func decidedForDrawn(m *networking.StringMatch) bool {
	switch kind := m.GetMatchType().(type) {
	case *networking.StringMatch_Exact:
		return true
	case *networking.StringMatch_Prefix:
		return !beginsRequestID(kind.Prefix)
	case *networking.StringMatch_Regex:
		if expression, err := regexp.Compile(kind.Regex); err == nil && !holdsForAll(m) {
			prefix, _ := expression.LiteralPrefix()
			return !beginsRequestID(prefix)
		}
	}
	return true
}

// beginsRequestID reports whether an x-request-id that a proxy draws may begin with a text.
func beginsRequestID(text string) bool {
	if len(text) > len(requestIDs) {
		return false
	}
	for i, c := range []byte(text) {
		if digit := strings.IndexByte("0123456789abcdef", c) >= 0; digit != (requestIDs[i] == 'x') || !digit && c != '-' {
			return false
		}
	}
	return true
}
