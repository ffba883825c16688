package differential

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/differential/istio"
	"github.com/hellochaos/hellochaos/manifests"
)

// notExecuted are messages about what hellochaos does not execute although Istio accepts it, and about what somebody else refuses.
var notExecuted = regexp.MustCompile(strings.Join([]string{
	"hellochaos", "does not execute", "not supported",
	"unknown field", "is not a field of this place", // the API server refuses them, where fieldValidation is Strict
	"is not a port: ", "is not a valid name: ", // no object has such a name, and no socket such a port
	"must be a host name without a wildcard",                                                                                                          // a DestinationRule or a ServiceEntry for many hosts is not executed
	"is not a valid name of a header", "is not a host, with or without a port", "which cannot be in the path of a request", "must begin with a slash", // no server accepts such requests
	"must be an HTTP status from",                      // Envoy refuses the configuration
	"after a backslash there must be",                  // RE2 refuses it
	"is not a name that Istio accepts for a gateway",   // its validateGatewayNames looks at the first short name alone
	"the services count tries", "must have fixedDelay", // limits of hellochaos
	"a wildcard DNS-1123 subdomain must start with",                             // *example is not executed
	"is not a valid value of a label",                                           // no pod has such a label
	"is not accepted as the name of a header: use the fields",                   // Envoy has no header of this name
	`fault\.delay\.percent: must be from`,                                       // Istio's webhook does not look at it where the entry delegates, and Envoy has no such share
	`uri\.prefix: must not be empty`,                                            // the webhook has let it through beside a match without conditions, where it changes nothing
	"spec.ports: must have at least one port", "must be a full name with a dot", // other ServiceEntries are not executed
}, "|"))

// TestAcceptance compares which objects manifests accepts with those that Istio's webhook accepts. What manifests accepts Istio must accept.
// What it refuses although Istio accepts it, it must refuse as something that hellochaos does not execute.
func TestAcceptance(t *testing.T) {
	var both, neither, unexecuted, wronglyAccepted, wronglyRefused int
	kinds := count{}
	for i := range *policies {
		d := newDraw(*seed + uint64(i))
		o := d.policy(i)
		if d.chance(0.8) {
			o = d.twisted(o)
		}
		yaml := text([]tree{o})
		_, ours := manifests.Parse("policy.yaml", []byte(yaml))
		theirs := istio.Validate(yaml)
		kind := ""
		switch {
		case ours == nil && theirs == nil:
			both++
			continue
		case ours != nil && theirs != nil:
			neither++
			continue
		case ours == nil:
			wronglyAccepted++
			kind = "accepted, and Istio: " + general(theirs.Error())
		case everyProblem(ours, notExecuted):
			unexecuted++
			continue
		default:
			wronglyRefused++
			kind = "refused: " + general(ours.Error())
		}
		if kinds[kind]++; kinds[kind] == 1 {
			t.Errorf("seed %d: manifests: %v\n  Istio: %v\n%s", *seed+uint64(i), ours, theirs, yaml)
		}
	}
	for _, kind := range kinds.names() {
		t.Logf("%6d %s", kinds[kind], kind)
	}
	t.Logf("%d objects: %d accepted by both, %d by neither; %d refused as not executed; %d accepted wrongly, %d refused wrongly",
		*policies, both, neither, unexecuted, wronglyAccepted, wronglyRefused)
}

// everyProblem reports whether all problems of an error are of a kind.
func everyProblem(err error, kind *regexp.Regexp) bool {
	for line := range strings.Lines(err.Error()) {
		if !kind.MatchString(line) {
			return false
		}
	}
	return true
}

// general is a message without what differs from one object to the next.
func general(message string) string {
	message = regexp.MustCompile(`"(\\"|[^"])*"|[0-9]+|'[^']*'`).ReplaceAllString(message, "·")
	return strings.Join(strings.Fields(message), " ")
}
