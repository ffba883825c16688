package target_test

import "strings"

// outsideTLS is a Service whose pods answer for api.example with TLS at port 443 and without it at port 80, a ServiceEntry for it, and a rule
// that sends requests for hidden.example to its port 443.
const outsideTLS = `
apiVersion: v1
kind: Service
metadata: {name: outside, annotations: {networking.istio.io/exportTo: "~", hellochaos/answers-for: api.example}}
spec: {selector: {app: one}, ports: [{name: http, port: 80, targetPort: 3000}, {name: http-tls, port: 443, targetPort: 3000}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api}
spec:
  hosts: [api.example]
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: https, protocol: HTTPS}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: alias}
spec:
  hosts: [alias.example]
  http: [{route: [{destination: {host: api.example, port: {number: 443}}}]}]
---
`

// originating is outsideTLS with a DestinationRule of this trafficPolicy.
func originating(policy string) string {
	return outsideTLS + strings.ReplaceAll(destinationRule("host: api.example, trafficPolicy: {"+policy+"}"), "{name: two}", "{name: api}")
}

func originationPairs() map[string]pair {
	port := func(tls string) string {
		return originating("portLevelSettings: [{port: {number: 443}, loadBalancer: {simple: RANDOM}" + tls + "}]")
	}
	alias, plain := get("alias.example"), get("api.example")
	mode := func(before, after string) pair {
		return pair{without: originating("tls: {mode: " + before + "}"), with: originating("tls: {mode: " + after + "}"), requests: alias}
	}
	more := func(before, field string) pair { return mode(before, before+", "+field) }
	certified := "MUTUAL, sni: api.example, clientCertificate: /a, privateKey: /b"
	target := edited(originating("tls: {mode: SIMPLE}"), "protocol: HTTP}", "protocol: HTTP, targetPort: 443}", plain...)
	return map[string]pair{
		"TrafficPolicy.tls":                    {without: originating("loadBalancer: {}"), with: originating("loadBalancer: {}, tls: {mode: SIMPLE}"), requests: plain},
		"PortTrafficPolicy.tls":                {without: port(""), with: port(", tls: {mode: SIMPLE, sni: api.example}"), requests: alias},
		"ClientTLSSettings.mode":               mode("DISABLE, sni: api.example", "SIMPLE, sni: api.example"),
		"TLSmode.SIMPLE":                       mode("DISABLE, sni: api.example", "SIMPLE, sni: api.example"),
		"TLSmode.MUTUAL":                       mode("DISABLE, sni: api.example, clientCertificate: /a, privateKey: /b", certified),
		"ClientTLSSettings.sni":                more("SIMPLE", "sni: api.example"),
		"ClientTLSSettings.subjectAltNames":    more("SIMPLE", "subjectAltNames: [api.example]"),
		"ClientTLSSettings.insecureSkipVerify": more("SIMPLE", "insecureSkipVerify: true"),
		"ClientTLSSettings.credentialName":     more("SIMPLE, sni: api.example", "credentialName: a"),
		"ClientTLSSettings.caCertificates":     more("SIMPLE, sni: api.example", "caCertificates: /a"),
		"ClientTLSSettings.caCrl":              more("SIMPLE, sni: api.example", "caCrl: /a"),
		"ClientTLSSettings.clientCertificate":  {without: originating("tls: {mode: " + certified + "}"), with: strings.Replace(originating("tls: {mode: "+certified+"}"), "clientCertificate: /a", "clientCertificate: /c", 1), requests: alias},
		"ClientTLSSettings.privateKey":         {without: originating("tls: {mode: " + certified + "}"), with: strings.Replace(originating("tls: {mode: "+certified+"}"), "privateKey: /b", "privateKey: /c", 1), requests: alias},
		"ServicePort.targetPort":               target,
		"ServiceEntry.subjectAltNames":         edited(originating("tls: {mode: SIMPLE}"), "  resolution", "  subjectAltNames: [alias.example]\n  resolution", alias...),
	}
}
