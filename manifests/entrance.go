package manifests

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// Entry is a way into the mesh: where the load generator's requests go, and so which proxy they meet first. Exactly one of Service,
// Caller and Gateway is set.
// Entries may be compared.
type Entry struct {
	// Service is the name of a Service, short or fully qualified: requests go from outside the mesh straight to its pods, past every
	// proxy of a caller.
	Service string
	// Caller is the "namespace/app" of pods in the mesh: requests are sent as if the app of these pods made them, by its sidecar. Where the
	// pods of an app have different labels, it may be "namespace/app/deployment"; else those of the first Deployment send them.
	Caller string
	// Gateway is the "namespace/name" of a Gateway: requests are sent to the pods that it selects, to Port, the port of one of its
	// servers; 0 is that of Gateway.Entrance.
	Gateway string
	Port    int
}

// The kinds of entries, as reports call them.
const (
	EntryDirect  = "direct"
	EntryCaller  = "caller"
	EntryGateway = "gateway"
)

// Pods are the namespace and the label app of the pods of Caller, and the name of their Deployment, which is empty where every one will do.
func (e Entry) Pods() (namespace, app, deployment string) {
	namespace, app, _ = strings.Cut(e.Caller, "/")
	app, deployment, _ = strings.Cut(app, "/")
	return namespace, app, deployment
}

// Kind is EntryDirect, EntryCaller or EntryGateway.
func (e Entry) Kind() string {
	switch {
	case e.Caller != "":
		return EntryCaller
	case e.Gateway != "":
		return EntryGateway
	}
	return EntryDirect
}

// CallerOf is the proxy that an entry's requests meet first; false where they meet none. An error says which object is missing.
func (r *Rules) CallerOf(e Entry) (c Caller, proxied bool, err error) {
	switch e.Kind() {
	case EntryCaller:
		namespace, app, name := e.Pods()
		for i := range r.Workloads {
			if w := &r.Workloads[i]; w.Namespace == namespace && w.Labels["app"] == app && (name == "" || w.Name == name) {
				return r.SidecarCaller(w), true, nil
			}
		}
		return Caller{}, false, fmt.Errorf("no Deployment of namespace %s has pods with the label app: %s", namespace, app)
	case EntryGateway:
		g := r.Gateways[e.Gateway]
		if g == nil {
			return Caller{}, false, fmt.Errorf("no Gateway %s in the objects", e.Gateway)
		}
		c := Caller{Gateway: e.Gateway, Port: cmp.Or(e.Port, g.Entrance(""))}
		if len(r.door(c).servers) == 0 {
			return Caller{}, false, errors.New(g.closed(c.Port))
		}
		return c, true, nil
	}
	if r.Service(e.Service) == nil {
		return Caller{}, false, fmt.Errorf("no Service %s in the objects", e.Service)
	}
	return Caller{}, false, nil
}
