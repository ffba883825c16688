package findings

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// originations finds calls that are answered by nobody since one side of a connection speaks TLS and the other does not, and those whose
// certificate the proxy does not accept.
func (f *finder) originations() {
	for _, routed := range f.ways.Routed() {
		for i := range routed.Rule.Split {
			d := &routed.Rule.Split[i]
			host, _ := routed.Rule.Rewritten(&routed.Request, d)
			failing := f.rules.Failing(d, host)
			switch {
			case failing == nil || d.Share == 0:
			case failing.Plain:
				f.plain(routed, d, failing)
			default:
				f.untrusted(routed, d, failing, host)
			}
		}
	}
}

// plain adds the finding of requests that are sent without TLS to a port at which TLS is spoken.
func (f *finder) plain(routed oracle.Routed, d *manifests.Destination, failing *manifests.Failing) {
	object, file, line := f.whose(routed, d)
	answer := "most servers of TLS answer 400 to that"
	if failing.Status != 0 {
		answer += ", as the stand-in does"
	}
	answer += ", and others break the connection, so that the proxy answers 503"
	host, port := d.Host, fmt.Sprint(d.Port)
	for _, external := range f.rules.Endpoints(d).External {
		if _, number, err := net.SplitHostPort(external); err == nil {
			port = number
		}
	}
	mend := fmt.Sprintf("have the proxy open TLS by a DestinationRule for %s with trafficPolicy.portLevelSettings: [{port: {number: %d}, tls: {mode: SIMPLE}}]", host, d.Port)
	if i := failing.Ignored; i != nil {
		mend = fmt.Sprintf("the proxy opens no TLS by %s (%s:%d), since it has a credentialName, which counts at gateways alone: name the files of the certificates in its place", i.Object, i.File, i.Line)
	} else if !slices.Contains(f.hosts, host) || len(routed.Rule.Hosts) == 0 && routed.Rule.File != "" {
		mend = "send them to a port of HTTP, and have the proxy open TLS"
	}
	f.addAt(PlainToTLS, object, file, line, fmt.Sprintf("%s of the requests of %s for %s are sent without TLS to port %s of %s, at which TLS is spoken", share(d.Share), callerOf(routed), routed.Request.Host, port, host),
		answer, mend)
}

// untrusted adds the finding of a DestinationRule by which a proxy opens TLS without success.
func (f *finder) untrusted(routed oracle.Routed, d *manifests.Destination, failing *manifests.Failing, sent string) {
	tls, where, mend := failing.TLS, "", ""
	external := f.rules.Endpoints(d).External
	port := ""
	for _, address := range external {
		_, port, _ = net.SplitHostPort(address)
	}
	switch {
	case manifests.AbsoluteName(failing.Asked):
		where = fmt.Sprintf("the proxy asks for the name %s, and no server may be asked for a name with a dot at its end", failing.Asked)
		mend = fmt.Sprintf("write sni: %s beside the mode", strings.TrimSuffix(failing.Asked, "."))
	case len(failing.Certificate) > 0:
		where = fmt.Sprintf("the proxy asks for the name %s, and the certificate of %s is taken to be for %s", failing.Asked, d.Host, list(failing.Certificate))
		mend = fmt.Sprintf("send the host of the destination (rewrite: {authority: %s}), or write sni: %[1]s beside the mode", d.Host)
	case len(external) == 0:
		where = fmt.Sprintf("the pods of %s speak HTTP at its port %d, which is none of TLS", d.Host, d.Port)
		mend = "remove tls, or write mode ISTIO_MUTUAL: between pods of the mesh Istio opens TLS by itself"
	default:
		where = fmt.Sprintf("no TLS is spoken at port %s of %s", port, d.Host)
		mend = fmt.Sprintf("write targetPort: 443 beside port %d in the ServiceEntry, or route the requests to a port of TLS and set tls for this port alone (portLevelSettings)", d.Port)
	}
	f.addAt(TLSFails, tls.Object, tls.File, tls.Line, "TLS is opened in vain: "+where,
		fmt.Sprintf("the proxy of %s answers 503 to %s of the requests for %s", callerOf(routed), share(d.Share), sent), mend)
}

// whose is what sends requests to a destination: the rule of a VirtualService, or what has the host of the request.
func (f *finder) whose(routed oracle.Routed, d *manifests.Destination) (object, file string, line int) {
	if r := routed.Rule; len(r.Hosts) > 0 {
		object, _, _ = strings.Cut(r.Name, ",")
		return object, r.File, r.Line
	}
	return f.rules.EntryOf(d.Host)
}

// share is a share of requests in words.
func share(part float64) string {
	if part == 1 {
		return "all"
	}
	return percent(part)
}
