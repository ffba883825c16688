package mesh

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// Between is how long after one proxy the next one takes new rules, where Options.Gradual is set and all of them do within mostConverging. Istio's control plane pushes them to the
// proxies one by one, in no order that anybody could rely on; here it is that of their names.
const Between = 20 * time.Millisecond

// mostConverging is how long it takes until all proxies have taken new rules: there may be hundreds.
const mostConverging = 2 * time.Second

// routeless is how long a proxy has no routes when it takes new rules, with Break "routes-dropped".
const routeless = 20 * time.Millisecond

// gradually makes the proxies obey objects in the steps of manifests.Steps, and within each of them one after another. A step on the way that
// no rules can be read of is left out, since its objects contradict each other. When ctx ends, the rest is done at once.
func (m *Mesh) gradually(ctx context.Context, objects []manifests.Object) error {
	for _, set := range manifests.Steps(m.objects, objects) {
		rules, err := manifests.Read(set)
		if err != nil {
			continue
		}
		if err := m.obey(ctx, rules); err != nil {
			return err
		}
	}
	return nil
}

// pause waits until the next of so many proxies takes new rules.
func (m *Mesh) pause(ctx context.Context, proxies int) {
	if m.options.Gradual {
		wait(ctx, min(Between, mostConverging/time.Duration(proxies)))
	}
}

// named are the proxies with their callers, in the order of their names.
func (m *Mesh) named() (all []named) {
	for name, sidecar := range m.sidecars {
		all = append(all, named{sidecar, manifests.Caller{Namespace: name.namespace, Labels: name.labels}})
	}
	for at, gateway := range m.gateways {
		all = append(all, named{gateway, at.Caller})
	}
	slices.SortFunc(all, func(a, b named) int {
		return cmp.Or(strings.Compare(a.proxy.name, b.proxy.name), strings.Compare(a.caller.Gateway, b.caller.Gateway), cmp.Compare(a.caller.Port, b.caller.Port))
	})
	return all
}

// named is a proxy and whose rules it obeys.
type named struct {
	proxy  *proxy
	caller manifests.Caller
}
