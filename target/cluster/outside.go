package cluster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// plainOutside is an error where proxies open TLS to a host, or rules send requests to a port at which TLS is spoken: the stand-ins on a
// cluster speak HTTP alone, since the proxies there would trust no certificate of theirs. It is one, too, where calls go to addresses that no
// stand-in of a cluster has.
func plainOutside(rules *manifests.Rules) error {
	const text = "and on a cluster the stand-ins for hosts outside speak HTTP without TLS alone; use the embedded mesh"
	if all := rules.Originations(); len(all) > 0 {
		return fmt.Errorf("%s (%s:%d) has proxies open TLS, %s", all[0].Object, all[0].File, all[0].Line, text)
	}
	if entry := rules.Elsewhere(); entry != "" {
		return fmt.Errorf("%s has endpoints, addresses, a targetPort or a host with *, and on a cluster no stand-in answers there; use the embedded mesh", entry)
	}
	for _, d := range rules.DestinationRules() {
		if strings.HasPrefix(d.Host, "*") {
			return fmt.Errorf("%s (%s:%d) is for all hosts that %s covers, and on a cluster the hosts of a run have other names; use the embedded mesh", d.Object, d.File, d.HostLine, d.Written)
		}
	}
	for _, e := range rules.HTTPEntries() {
		for i := range e.Destinations {
			d := &e.Destinations[i]
			external := rules.Endpoints(&d.Destination).External
			if slices.ContainsFunc(external, func(address string) bool { return rules.Certificate(address) != nil }) {
				return fmt.Errorf("%s (%s:%d) sends requests to port %d of %s, at which TLS is spoken, %s", e.Name, e.File, d.HostLine, d.Port, d.Written, text)
			}
		}
	}
	return nil
}
