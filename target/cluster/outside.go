package cluster

import (
	"fmt"

	"github.com/hellochaos/hellochaos/manifests"
)

// plainOutside is an error where proxies open TLS to a host, or rules send requests to a port at which TLS is spoken: the stand-ins on a
// cluster speak HTTP alone, since the proxies there would trust no certificate of theirs.
func plainOutside(rules *manifests.Rules) error {
	const text = "and on a cluster the stand-ins for hosts outside speak HTTP without TLS alone; use the embedded mesh"
	if all := rules.Originations(); len(all) > 0 {
		return fmt.Errorf("%s (%s:%d) has proxies open TLS, %s", all[0].Object, all[0].File, all[0].Line, text)
	}
	for _, e := range rules.HTTPEntries() {
		for i := range e.Destinations {
			d := &e.Destinations[i]
			if rules.Certificate(rules.Endpoints(&d.Destination).External) != nil {
				return fmt.Errorf("%s (%s:%d) sends requests to port %d of %s, at which TLS is spoken, %s", e.Name, e.File, d.HostLine, d.Port, d.Written, text)
			}
		}
	}
	return nil
}
