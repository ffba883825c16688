package manifests

import (
	"strings"
	"testing"
)

// TestWebhookRefuses has what random objects showed that Istio's webhook refuses.
func TestWebhookRefuses(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"a short name in a Sidecar":      {specOf("Sidecar", "{egress: [{hosts: [./one]}]}"), "spec.egress[0].hosts[0]: must be a full name"},
		"an empty Sidecar":               {specOf("Sidecar", "{}"), "spec: must have egress or outboundTrafficPolicy"},
		"two egress entries":             {specOf("Sidecar", "{egress: [{hosts: [./*]}, {hosts: [a/*]}]}"), "spec.egress: must have one entry"},
		"a short name in a Gateway":      {specOf("Gateway", "{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: [one]}]}"), "spec.servers[0].hosts[0]: must be a full name"},
		"a server without a port name":   {specOf("Gateway", "{servers: [{port: {number: 80, protocol: HTTP}, hosts: ['*']}]}"), "spec.servers[0].port.name: must not be empty"},
		"hosts that cover one another":   {specOf("VirtualService", "{hosts: ['*.example', a.example], http: [{"+toM+"}]}"), `spec.hosts[1]: is "a.example", and "*.example"`},
		"*/* beside a host":              {specOf("Gateway", "{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ['*/*', ./a.example]}]}"), "must be the only host of a server"},
		"a host that ends with a number": {specOf("VirtualService", "{hosts: [a.1], http: [{"+toM+"}]}"), "must not end with a number"},
		"a gateway that is a number":     {specOf("VirtualService", "{hosts: [a], gateways: ['1'], http: [{"+toM+"}]}"), "spec.gateways[0]: \"1\" is not a name"},
		"upper case in a ServiceEntry":   {specOf("ServiceEntry", "{hosts: [A.example], ports: [{number: 80, name: a, protocol: HTTP}]}"), "spec.hosts[0]: must be in lower case"},
	} {
		_, err := Parse("f.yaml", []byte(c.yaml))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for name, yaml := range map[string]string{
		"a header with _":              middlewareOf("{match: [{headers: {x_c: {exact: a}}}], " + toM + "}"),
		"a host with a dot at its end": specOf("VirtualService", "{hosts: [a.example.], http: [{"+toM+"}]}"),
		"excluded hosts":               specOf("Sidecar", "{egress: [{hosts: ['./*', '~/a.example', '~shop/*']}]}"),
	} {
		if _, err := Parse("f.yaml", []byte(yaml)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNobodyKnowsWhich has objects that are right by themselves, and of which Istio obeys what no file shows.
func TestNobodyKnowsWhich(t *testing.T) {
	entry := func(name, rest string) string {
		return strings.Replace(specOf("ServiceEntry", "{"+rest+", ports: [{number: 80, name: http, protocol: HTTP}]}"), "{name: m}", "{name: "+name+"}", 1)
	}
	for name, c := range map[string]struct {
		documents []string
		want      string
	}{
		"the host of a Service":     {[]string{entry("a", "hosts: [middleware.default.svc.cluster.local], resolution: DNS")}, "is the host of Service middleware"},
		"two resolutions":           {[]string{entry("a", "hosts: [a.example], resolution: DNS"), entry("b", "hosts: [a.example]")}, "spec.resolution: must be DNS as in ServiceEntry a"},
		"two exportTo":              {[]string{entry("a", "hosts: [a.example], resolution: DNS"), entry("b", "hosts: [a.example], resolution: DNS, exportTo: ['*']")}, "spec.exportTo: must be"},
		"a host without an address": {[]string{entry("a", "hosts: [a.example]"), middlewareOf("{route: [{destination: {host: a.example}}]}")}, "a.example has resolution NONE"},
	} {
		objects := Application()
		for i, document := range c.documents {
			more, err := Parse("f"+string(rune('0'+i))+".yaml", []byte(document))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			objects = append(objects, more...)
		}
		if _, err := Read(objects); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
