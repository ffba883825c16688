package cluster

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
)

const (
	// probeName is the name of the objects that show which rules a proxy holds.
	probeName = "hellochaos-probe"
	// The proxy itself answers rulesPath, from the newest VirtualService of the probe that it holds. It answers clustersPath from
	// the newest ServiceEntry and DestinationRule.
	rulesPath, clustersPath = "/rules", "/clusters"
	// servicePath is the beginning of the paths that lead to a pod of a Service, where the pods of hello-service answer healthPath. That
	// counts as no try.
	servicePath, healthPath = "/services/", "/healthz"
	// noEndpoint is the body that Envoy answers for a cluster that it knows and that has no endpoint. For a cluster that it does
	// not know, the body is empty.
	noEndpoint = "no healthy upstream"
)

// probe is a set of objects that carry a nonce, a random name. They are written after a set of rules. Istio's control plane
// reads the objects of each kind in the order in which they were written, and pushes all that it knows at once. So a proxy
// that answers for the nonce holds the set of rules, whatever these rules are.
type probe struct {
	nonce, namespace string
	// selector is the ingress gateway's, when the set has a Gateway, and port is that of the gateway's Service; 0 is 80.
	selector map[string]string
	port     int
	// credential is the Secret with a certificate for the port, where it has TLS; empty for a port without TLS.
	credential string
	// routed: the probe has an HTTPRoute, too, as the rules of the run do. It is bound to the sidecars, and to the Gateway of Gateway API
	// called parent, which takes it at parentHost; "" is no Gateway.
	routed             bool
	parent, parentHost string
	// fresh are the Services, as "name.namespace", whose pods the proxies must know now, and did not before.
	fresh []string
	// exportTo are the namespaces whose proxies know the nonce; nil: all.
	exportTo []string
	// of is the namespace of the callers as the set has it; empty: manifests.Namespace.
	of string
}

// host is the host of the VirtualService, by which the proxies' tables have the nonce.
func (p *probe) host() string { return p.nonce + trail.ProbeDomain }

// cluster is the host of the ServiceEntry. unknown is a host for which no object has rules.
func (p *probe) cluster() string { return "cluster-" + p.nonce + trail.ProbeDomain }
func (p *probe) unknown() string { return "unknown-" + p.nonce + trail.ProbeDomain }

// objects are the probe's objects, in the order in which they are written.
func (p *probe) objects(c *Cluster) []*unstructured.Unstructured {
	object := func(kind string, spec map[string]any) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
		u.SetGroupVersionKind(c.resource(kind).GroupVersion().WithKind(plainKind(kind)))
		u.SetNamespace(p.namespace)
		u.SetName(probeName)
		u.SetLabels(map[string]string{managedBy: manager})
		return u
	}
	exported := func(spec map[string]any) map[string]any {
		if len(p.exportTo) > 0 {
			spec["exportTo"] = anys(p.exportTo)
		}
		return spec
	}
	// A workload selector that selects nothing makes a cluster without endpoints.
	all := []*unstructured.Unstructured{
		object("ServiceEntry", exported(map[string]any{"hosts": []any{p.cluster()}, "resolution": "STATIC",
			"ports":            []any{map[string]any{"number": int64(80), "name": "http", "protocol": "HTTP"}},
			"workloadSelector": map[string]any{"labels": map[string]any{"hellochaos.dev/probe": "none"}}})),
		object("DestinationRule", exported(map[string]any{"host": p.cluster(),
			"subsets": []any{map[string]any{"name": p.nonce, "labels": map[string]any{"version": "none"}}}})),
	}
	gateways := []any{"mesh"}
	if p.selector != nil {
		selector := map[string]any{}
		for key, value := range p.selector {
			selector[key] = value
		}
		gateways = append(gateways, probeName)
		all = append(all, object("Gateway", map[string]any{"selector": selector, "servers": []any{p.server()}}))
	}
	path := func(exact string) []any {
		return []any{map[string]any{"uri": map[string]any{"exact": exact}}}
	}
	http := []any{
		map[string]any{"match": path(rulesPath), "directResponse": map[string]any{"status": int64(http.StatusOK), "body": map[string]any{"string": p.nonce}}},
		map[string]any{"match": path(clustersPath), "route": []any{map[string]any{"destination": map[string]any{"host": p.cluster(), "subset": p.nonce}}}},
	}
	for _, service := range p.fresh {
		http = append(http, map[string]any{"match": path(servicePath + service), "rewrite": map[string]any{"uri": healthPath},
			"route": []any{map[string]any{"destination": map[string]any{"host": service + domain}}}})
	}
	all = append(all, object("VirtualService", exported(map[string]any{"hosts": []any{p.host()}, "gateways": gateways, "http": http})))
	if p.routed {
		all = append(all, object(routeKind, p.route()))
	}
	return all
}

// server is that of the probe's Gateway. At a port with TLS it has the Secret of another server there, since all servers of a port have TLS or
// none. It asks clients for no certificate, whatever the others do.
func (p *probe) server() map[string]any {
	port := map[string]any{"number": int64(cmp.Or(p.port, 80)), "name": "http", "protocol": "HTTP"}
	server := map[string]any{"hosts": []any{p.host()}, "port": port}
	if p.credential != "" {
		port["name"], port["protocol"] = "https", "HTTPS"
		server["tls"] = map[string]any{"mode": "SIMPLE", "credentialName": p.credential}
	}
	return server
}

// route is the spec of the probe's HTTPRoute. Gateway API has no direct answers, so it answers the path of the nonce with a redirect, at
// the host of the ServiceEntry and at the Gateway. Before a proxy has it, the path meets an older route of the probe or none, and is
// answered 404 or 503.
func (p *probe) route() map[string]any {
	parents := []any{map[string]any{"group": istioGroup, "kind": "ServiceEntry", "name": probeName}}
	spec := map[string]any{"rules": []any{map[string]any{
		"matches": []any{map[string]any{"path": map[string]any{"type": "Exact", "value": p.routePath()}}},
		"filters": []any{map[string]any{"type": "RequestRedirect", "requestRedirect": map[string]any{"statusCode": int64(http.StatusFound)}}}}}}
	if p.parent != "" {
		parents = append(parents, map[string]any{"name": p.parent})
		spec["hostnames"] = []any{p.parentHost} // it says nothing about the sidecars
	}
	spec["parentRefs"] = parents
	return spec
}

// routePath is the path that the HTTPRoute answers.
func (p *probe) routePath() string { return "/routes/" + p.nonce }

func anys(texts []string) (all []any) {
	for _, text := range texts {
		all = append(all, text)
	}
	return all
}

// question is one request of a probe; obeys reports whether the answer is that of a proxy that obeys.
type question struct {
	host, path string
	obeys      func(trail.Probe) bool
	why        string // what a wrong answer may mean, behind a semicolon; empty: that the rules are not in force
}

// visible are the questions to a proxy that sees every host of its namespace: the rules and the clusters of the nonce, the HTTPRoute of the
// nonce, and the pods of fresh Services.
func (p *probe) visible() []question {
	all := []question{
		{host: p.host(), path: rulesPath, obeys: func(a trail.Probe) bool { return a.Status == http.StatusOK && a.Body == p.nonce }},
		{host: p.host(), path: clustersPath, obeys: func(a trail.Probe) bool { return a.Status == http.StatusServiceUnavailable && a.Body == noEndpoint }},
	}
	if p.routed {
		all = append(all, question{host: p.cluster(), path: p.routePath(), obeys: func(a trail.Probe) bool { return a.Status == http.StatusFound }})
	}
	for _, service := range p.fresh {
		all = append(all, question{host: p.host(), path: servicePath + service, obeys: func(a trail.Probe) bool { return a.Error == "" && a.Status != http.StatusServiceUnavailable }})
	}
	return all
}

// questions are the questions for the sidecars of the chain's namespace after a set was applied. A Sidecar of the set decides
// what they do with unknown hosts, which is one of the questions. The Sidecar may also hide the nonce's own host; then the
// question is whether it is hidden.
func (p *probe) questions(objects []manifests.Object) ([]question, error) {
	of := cmp.Or(p.of, manifests.Namespace)
	text := fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: %s, namespace: %s}
spec:
  hosts: [%s]
  http: [{match: [{uri: {exact: %s}}], directResponse: {status: 200, body: {string: %s}}}]
`, probeName, of, p.host(), rulesPath, p.nonce)
	own, err := manifests.Parse("probe", []byte(text))
	if err != nil {
		return nil, err
	}
	rules, err := manifests.Read(append(slices.Clone(objects), own...))
	if err != nil {
		return nil, err
	}
	table := rules.Table(manifests.Caller{Namespace: of})
	answer := func(host string) *manifests.Direct {
		return table.Route(&manifests.Request{Host: host, Method: http.MethodGet, Path: rulesPath, Header: http.Header{}}).Direct
	}
	blocked := answer(p.unknown()) != nil
	outside := question{host: p.unknown(), path: rulesPath, obeys: func(a trail.Probe) bool {
		return (a.Error != "" || a.Status == http.StatusBadGateway && a.Body == "") == blocked
	}}
	if mode, _ := rules.Outbound(of); mode == "" {
		outside.why = "; no Sidecar sets outboundTrafficPolicy, and hellochaos takes that of the mesh for Istio's default, ALLOW_ANY: a mesh of REGISTRY_ONLY answers so"
	}
	if a := answer(p.host()); a == nil || a.Status != http.StatusOK {
		hidden := question{host: p.host(), path: rulesPath, obeys: func(a trail.Probe) bool { return a.Status != http.StatusOK || a.Body != p.nonce }}
		return []question{hidden, outside}, nil
	}
	return append(p.visible(), outside), nil
}

// atGateway is what a gateway that obeys is asked, and what it answers.
func (p *probe) atGateway() (host, path string, status int, body string) {
	if p.parent != "" {
		return p.parentHost, p.routePath(), http.StatusFound, ""
	}
	return p.host(), rulesPath, http.StatusOK, p.nonce
}
