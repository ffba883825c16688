package findings

import (
	"fmt"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// ports finds calls that the sidecar of their caller answers itself, since what has their host opens other ports alone.
func (f *finder) ports() {
	for _, routed := range f.ways.Routed() {
		direct := routed.Rule.Direct
		if direct == nil || routed.Rule.Why == "" {
			continue
		}
		closed := f.rules.Closed(routed.Caller, &routed.Request)
		if closed == nil {
			continue
		}
		effect := fmt.Sprintf("the sidecar answers %d to all of them", direct.Status)
		if direct.Reset {
			effect = "the connection of each of them is reset"
		}
		mend := fmt.Sprintf("open the port in spec.ports: {number: %d, name: http, protocol: HTTP}", closed.Port)
		if strings.HasPrefix(closed.Object, "Service ") {
			mend = "call a port that the Service has, or add the port to spec.ports"
		}
		f.addAt(ClosedPort, closed.Object, closed.File, closed.Line, fmt.Sprintf("the calls of %s to %s are for port %d with HTTP, and %s opens %s alone", callerOf(routed),
			short(closed.Host, manifests.Namespace), closed.Port, closed.Object, list(closed.Ports)), effect, mend)
	}
}
