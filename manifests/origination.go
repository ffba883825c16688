package manifests

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// Origination is how a caller's proxy opens TLS to a destination: trafficPolicy.tls with mode SIMPLE or MUTUAL.
type Origination struct {
	// Object is the DestinationRule that says so, "DestinationRule api"; its mode stands at Line of File.
	Object, File string
	Line         int
	// Mutual says that the proxy shows a certificate of its own.
	Mutual bool
	// ServerName is the name that the proxy asks the server for (SNI); empty is the host that it sends (Envoy's auto_sni).
	ServerName string
	// SubjectAltNames are names of which the server's certificate must have one; none asks for none of them.
	SubjectAltNames []string
	// Unverified says that any certificate will do (insecureSkipVerify).
	Unverified bool

	// hostVerified says that the certificate must have the host that is sent (Envoy's auto_san_validation).
	hostVerified bool
	// atGateways says that sidecars do not open TLS: a credentialName names a Secret, which gateways alone may read.
	atGateways bool
}

// originate is how proxies open TLS by the settings of a DestinationRule for a host whose ServiceEntries have these subjectAltNames; nil where
// they open none (constructUpstreamTLS and setAutoSniAndAutoSanValidation in Istio's pilot/pkg/networking/core/cluster_tls.go).
func originate(from *Object, line int, tls *networking.ClientTLSSettings, entryNames []string) *Origination {
	if m := tls.GetMode(); m != networking.ClientTLSSettings_SIMPLE && m != networking.ClientTLSSettings_MUTUAL {
		return nil
	}
	o := &Origination{Object: from.Name(), File: from.File, Line: line, Mutual: tls.Mode == networking.ClientTLSSettings_MUTUAL, ServerName: tls.Sni,
		SubjectAltNames: tls.SubjectAltNames, Unverified: tls.GetInsecureSkipVerify().GetValue(),
		atGateways: tls.CredentialName != ""}
	o.hostVerified = o.ServerName == "" && len(o.SubjectAltNames) == 0 && !o.Unverified
	if len(o.SubjectAltNames) == 0 {
		o.SubjectAltNames = entryNames
	}
	return o
}

// Asked is the name for which the proxy asks the server where it sends a host, with or without a port.
func (o *Origination) Asked(host string) string {
	if o.ServerName != "" {
		return o.ServerName
	}
	name, _ := splitHost(host)
	return name
}

// AbsoluteName reports whether a name has a dot at its end. No server may be asked for it (RFC 6066, section 3). Envoy asks all the same, and
// servers close the connection.
func AbsoluteName(name string) bool { return strings.HasSuffix(name, ".") }

// Verified is the name that the server's certificate must have where the proxy sends a host; empty where it need not have it.
func (o *Origination) Verified(host string) string {
	if !o.hostVerified {
		return ""
	}
	return o.Asked(host)
}

// Trusts reports whether the proxy accepts a certificate with these names where it sends a host. Names are compared as
// texts (Envoy's DefaultCertValidator::verifySubjectAltName).
func (o *Origination) Trusts(names []string, host string) bool {
	if o.Unverified {
		return true
	}
	if name := o.Verified(host); name != "" && !slices.ContainsFunc(names, func(pattern string) bool { return certifies(pattern, name) }) {
		return false
	}
	return len(o.SubjectAltNames) == 0 || slices.ContainsFunc(o.SubjectAltNames, func(name string) bool { return slices.Contains(names, name) })
}

// certifies reports whether a name of a certificate is that of a host. A star stands for what is before the first dot.
func certifies(pattern, host string) bool {
	rest, wild := strings.CutPrefix(pattern, "*.")
	_, of, _ := strings.Cut(host, ".")
	return pattern == host || wild && rest == of
}

// Failing is why no request gets through to a destination, although it exists and has somebody who answers.
type Failing struct {
	// Status is what the caller receives; 0 where it is not known, since nobody of the objects answers for the host.
	Status int
	// Plain says that requests without TLS go to a port at which TLS is spoken. Otherwise the proxy opens TLS by TLS, which fails: where
	// Certificate is not empty since the certificate there has these names alone, or else since no TLS is spoken there.
	Plain       bool
	TLS         *Origination
	Certificate []string
	// Asked is the name by which the certificate is not accepted; or, with a dot at its end, one for which no server may be asked.
	Asked string
	// Ignored is the TLS that a DestinationRule asks for and that the proxy does not open, since its credentialName counts at gateways alone.
	Ignored *Origination
}

// Failing is what keeps requests that are sent with a host from being answered at a destination; nil where nothing does. What a server
// says to plain HTTP at a port of TLS is its own affair: most answer 400 (as nginx, Apache and Go's do), and others break the connection.
func (r *Rules) Failing(d *Destination, host string) *Failing {
	endpoints := r.Endpoints(d)
	names := r.certificateOf(endpoints)
	switch {
	case !endpoints.Known || d.TLS == nil && names == nil:
		return nil
	case d.TLS == nil && r.empty(endpoints):
		return &Failing{Plain: true, Ignored: endpoints.secure}
	case d.TLS == nil:
		return &Failing{Status: http.StatusBadRequest, Plain: true, Ignored: endpoints.secure}
	case r.empty(endpoints):
		return nil
	case names == nil:
		return &Failing{Status: http.StatusServiceUnavailable, TLS: d.TLS}
	case AbsoluteName(d.TLS.Asked(host)):
		return &Failing{Status: http.StatusServiceUnavailable, TLS: d.TLS, Asked: d.TLS.Asked(host)}
	case !d.TLS.Trusts(names, host):
		return &Failing{Status: http.StatusServiceUnavailable, TLS: d.TLS, Certificate: names, Asked: d.TLS.Asked(host)}
	}
	return nil
}

// empty reports whether nobody of the objects is at a destination.
func (r *Rules) empty(e *Endpoints) bool {
	workloads := e.Workloads
	if len(e.External) > 0 {
		workloads = r.Behind(e.External)
	}
	return !slices.ContainsFunc(workloads, func(w Workload) bool { return w.Replicas > 0 })
}

// Certificate has the names in the certificate of whoever answers at an external host:port, as an Endpoints has it; nil where no TLS is
// spoken there. Nobody asks the host itself: TLS is spoken at port 443, at ports that a ServiceEntry declares as HTTPS or TLS, and at those
// to which a DestinationRule has TLS opened, but not at port 80. The certificate has the host's own name, and those that the files expect.
func (r *Rules) Certificate(external string) []string {
	if names := r.secured[external]; names != nil {
		return names
	}
	return r.secured[longestCover(maps.Keys(r.secured), external)]
}

// certificateOf has the names in the certificates of whoever answers at a destination, which are the same at each address.
func (r *Rules) certificateOf(e *Endpoints) []string {
	if len(e.External) == 0 {
		return nil
	}
	return r.Certificate(e.External[0])
}

// SecureAddresses are the external host:port at which TLS is spoken, sorted.
func (r *Rules) SecureAddresses() []string { return slices.Sorted(maps.Keys(r.secured)) }

// Originations are the TLS settings by which proxies open TLS, in the order of their files and lines.
func (r *Rules) Originations() (all []*Origination) {
	for _, endpoints := range r.clusters {
		same := func(o *Origination) bool { return o.File == endpoints.secure.File && o.Line == endpoints.secure.Line }
		if endpoints.secure != nil && !slices.ContainsFunc(all, same) {
			all = append(all, endpoints.secure)
		}
	}
	slices.SortFunc(all, func(a, b *Origination) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	return all
}

// secure notes that TLS is spoken at an external address, for which the certificate has these names.
func (r *Rules) secure(address string, names ...string) {
	for _, name := range names {
		if !slices.Contains(r.secured[address], name) {
			r.secured[address] = append(r.secured[address], name)
		}
	}
}

// checkClientTLS refuses what Istio's ValidateTLS refuses.
func (d *document) checkClientTLS(field string, tls *networking.ClientTLSSettings) {
	d.checkValue(field+".mode", tls.Mode)
	simple, mutual := tls.Mode == networking.ClientTLSSettings_SIMPLE, tls.Mode == networking.ClientTLSSettings_MUTUAL
	secret := tls.CredentialName != ""
	if tls.GetInsecureSkipVerify().GetValue() && (simple || mutual) && (tls.CaCertificates != "" || tls.SubjectAltNames != nil || simple && secret) {
		d.problem(field+".insecureSkipVerify", "must not be true beside caCertificates, subjectAltNames or the credentialName of mode SIMPLE, which say what is to be verified: Istio refuses it")
	}
	if strings.HasPrefix(tls.CredentialName, configMap) {
		d.problem(field+".credentialName", "%s is not supported by hellochaos: name a Secret, or the files of the certificates", tls.CredentialName)
	}
	switch {
	case !simple && !mutual:
	case secret && (tls.ClientCertificate != "" || tls.CaCertificates != "" || tls.PrivateKey != "" || tls.CaCrl != ""):
		d.problem(field+".credentialName", "must not stand beside clientCertificate, privateKey, caCertificates or caCrl: Istio refuses certificates from two places")
	case mutual && !secret && (tls.ClientCertificate == "" || tls.PrivateKey == ""):
		d.problem(field, "must have clientCertificate and privateKey, or a credentialName: Istio refuses mode MUTUAL without them")
	}
}

// configMap is what the name of a credential begins with that is a ConfigMap and not a Secret.
const configMap = "configmap://"

// EntryOf is the first ServiceEntry that has a host, "ServiceEntry api", and the place of its ports; all empty where none has.
func (r *Rules) EntryOf(host string) (object, file string, line int) {
	for i := range r.entries {
		if o := r.entries[i].object; slices.Contains(r.entries[i].hosts, host) {
			return o.Name(), o.File, o.lines.of("spec.ports", o.Line)
		}
	}
	return "", "", 0
}

// originationConflicts are DestinationRules that have TLS opened to a port of a Service whose protocol Istio must guess from the traffic:
// there the pods of an application may speak TLS themselves, and no file says whether they do. At a port that is declared as HTTP a sidecar
// takes no such connection.
func (r *Rules) originationConflicts(objects []Object) (problems Problems) {
	for i := range objects {
		o := &objects[i]
		spec, ok := o.Istio.(*networking.DestinationRule)
		if !ok {
			continue
		}
		for _, host := range slices.Sorted(maps.Keys(r.Services)) {
			if !covers(qualify(spec.Host, o.namespace()), host) {
				continue
			}
			s := r.Services[host]
			tlsSettings(spec, func(field string, port int, tls *networking.ClientTLSSettings) {
				for _, p := range s.Ports {
					if originate(o, 0, tls, nil) != nil && !p.declared && (port == 0 || port == p.Port) {
						problems = append(problems, o.problem(field+".mode", "must not be %s for port %d of %s, which declares no protocol: nobody could say whether TLS is spoken there; "+
							"name the port http", tls.Mode, p.Port, s.object.place()))
					}
				}
			})
		}
	}
	return problems
}
