package manifests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// gatewayOf is a Gateway with servers in flow style, for the pods of a label.
func gatewayOf(name, pods string, servers ...string) string {
	return "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: " + name + "}\nspec: {selector: {istio: " + pods + "}, servers: [" + strings.Join(servers, ", ") + "]}\n"
}

// server is a server in flow style; more are its other fields.
func server(port, protocol, hosts, more string) string {
	return "{port: {number: " + port + ", name: p" + port + hosts[:1] + ", protocol: " + protocol + "}, hosts: [" + hosts + "]" + more + "}"
}

// answers is a VirtualService at gateways that answers a status itself.
func answers(name, hosts, gateways, status string) string {
	return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name + "}\nspec: {hosts: [" + hosts + "], gateways: [" + gateways + "], http: [{directResponse: {status: " + status + "}}]}\n"
}

const (
	redirecting = ", tls: {httpsRedirect: true}"
	simple      = ", tls: {mode: SIMPLE, credentialName: a}"
)

// TestServers: which rule a request meets at which port and server.
func TestServers(t *testing.T) {
	r := rulesOf(t,
		gatewayOf("g", "a", server("80", "HTTP", "'*'", redirecting), server("8080", "HTTP2", "a.example", ""), server("443", "HTTPS", "a.example", simple),
			server("443", "HTTPS", "b.example, '*.b.example'", ", tls: {mode: MUTUAL, credentialName: a}"), server("9000", "TCP", "'*'", ""), server("8443", "HTTPS", "c.example", ", tls: {}")),
		gatewayOf("other", "a", server("443", "HTTPS", "o.example", ", tls: {mode: OPTIONAL_MUTUAL, credentialName: a}"), server("8080", "HTTP", "o.example", "")),
		gatewayOf("late", "a", server("443", "HTTPS", "b.example, late.example", simple)),
		gatewayOf("apart", "b", server("8080", "HTTP", "z.example", "")),
		answers("v", "a.example, x.b.example", "g", "201"), answers("o", "o.example", "other", "202"), answers("l", "b.example, late.example", "late", "203"), answers("z", "z.example", "apart", "204"))
	for _, c := range []struct {
		port       int
		name, host string
		want       string
	}{
		{80, "", "a.example", "301"},
		{80, "", "any.example:80", "301"},
		{8080, "", "a.example", "201"},
		{8080, "", "o.example", "202"}, // of another Gateway of the same pods
		{8080, "", "z.example", "404"}, // of other pods
		{443, "", "a.example", "201"},
		{443, "", "a.example:443", "201"},
		{443, "", "x.b.example", "201"},
		{443, "", "b.example", "404"}, // no rule of this Gateway is for it, and late is left out, since it has the host, too
		{443, "", "late.example", "reset"},
		{443, "", "o.example", "202"},
		{443, "", "c.example", "reset"},
		{443, "a.example", "o.example", "404"}, // the name of the client says which server, whatever its Host is
		{443, "o.example", "a.example", "404"},
		{0, "", "a.example", "201"}, // the first port that redirects nobody
		{8443, "", "c.example", "404"},
		{9000, "", "a.example", "404"},
	} {
		rule := r.Table(Caller{Gateway: "default/g", Port: c.port}).Route(&Request{Host: c.host, ServerName: c.name, Path: "/"})
		if got, _, _ := strings.Cut(outcome(r, rule), " "); got != c.want {
			t.Errorf("port %d, name %q, host %s: %s, want %s", c.port, c.name, c.host, got, c.want)
		}
	}
	at := Caller{Gateway: "default/g", Port: 443}
	for name, want := range map[string]ClientCertificate{"A.example": NoCertificate, "b.example": RequiredCertificate, "o.example": OptionalCertificate} {
		if s := r.ServerFor(at, name); s == nil || s.Certificate != want {
			t.Errorf("name %s: server %v, want one that asks for %v", name, s, want)
		}
	}
	if s := r.ServerFor(at, "c.example"); s != nil {
		t.Errorf("%s takes a name that it does not have", s)
	}
	if s := r.ServerFor(Caller{Gateway: "default/g", Port: 8080}, "a.example"); s != nil {
		t.Errorf("%s has no TLS", s)
	}
	if got := r.Merged(at, "o.example"); !slices.Equal(got, []string{"default/other"}) {
		t.Errorf("o.example is of %v", got)
	}
	g := r.Gateways["default/g"]
	if len(g.Opaque) != 2 || g.Opaque[0].Port != 9000 || g.Opaque[1].Why != "it passes TLS through (tls.mode PASSTHROUGH, which holds where none is written)" {
		t.Errorf("not HTTP are %+v", g.Opaque)
	}
	if got := g.Entrance("x.b.example"); got != 443 {
		t.Errorf("x.b.example enters at %d", got)
	}
	if _, ok := r.EntryHost("default/g", 9000); ok {
		t.Error("a server of TCP has an entry host")
	}
	if _, _, err := r.CallerOf(Entry{Gateway: "default/g", Port: 9000}); err == nil || err.Error() != "Gateway default/g has no server of HTTP at port 9000, but at 80, 8080, 443" {
		t.Errorf("port 9000: error %v", err)
	}
}

// TestRedirecting: which hosts are redirected, what keeps a request from a rule there, and where the rule can be met.
func TestRedirecting(t *testing.T) {
	r := rulesOf(t, gatewayOf("g", "a", server("80", "HTTP", "a.example", redirecting), server("80", "HTTP", "'*'", ""), server("443", "HTTPS", "'*'", simple)),
		answers("v", "a.example, b.example", "g", "201"))
	var hosts []string
	for _, at := range r.Redirecting() {
		hosts = append(hosts, at.Host)
	}
	if !slices.Equal(hosts, []string{"a.example"}) {
		t.Errorf("redirected are %v", hosts)
	}
	e := &r.HTTPEntries()[0]
	if miss := e.Miss(Caller{Gateway: "default/g", Port: 80}, &Request{Host: "a.example", Path: "/"}); miss == nil || miss.Kind != MissRedirected || miss.Redirected.String() != "Gateway default/g, servers[0]" {
		t.Errorf("a.example at 80 misses by %+v", miss)
	}
	for port, host := range map[int]string{80: "b.example", 443: "a.example"} {
		if miss := e.Miss(Caller{Gateway: "default/g", Port: port}, &Request{Host: host, Path: "/"}); miss != nil {
			t.Errorf("%s at %d misses by %+v", host, port, miss)
		}
	}
	if got, want := e.Doors("default/g"), []Door{{80, "b.example"}, {443, "a.example"}, {443, "b.example"}}; !slices.Equal(got, want) {
		t.Errorf("the rule can be met at %v, want %v", got, want)
	}
}

// TestPortAtAGateway: match.port is the port of the server, with TLS and without.
func TestPortAtAGateway(t *testing.T) {
	r := rulesOf(t, gatewayOf("g", "a", server("8080", "HTTP", "a.example", ""), server("443", "HTTPS", "a.example", simple)),
		"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec: {hosts: [a.example], gateways: [g], http: [{match: [{port: 443}], directResponse: {status: 201}}, {directResponse: {status: 202}}]}\n")
	for port, want := range map[int]int{443: 201, 8080: 202} {
		if got := r.Table(Caller{Gateway: "default/g", Port: port}).Route(&Request{Host: "a.example", Path: "/"}); got.Direct == nil || got.Direct.Status != want {
			t.Errorf("port %d: %s, want %d", port, got.Name, want)
		}
	}
}

// TestTLSOnOneOfTwoGateways: of two Gateways of the same pods, one has TLS at the port and the other has not.
func TestTLSOnOneOfTwoGateways(t *testing.T) {
	objects, err := Parse("f.yaml", []byte(gatewayOf("a", "a", server("443", "HTTP", "a.example", ""))+"---\n"+gatewayOf("b", "a", server("443", "HTTPS", "b.example", simple))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read(objects); err == nil || !strings.Contains(err.Error(), "f.yaml:9: Gateway b: spec.servers[0].port: is port 443 of the pods that Gateway default/a (f.yaml:4) selects, too") {
		t.Errorf("error %v", err)
	}
}

// TestOpaqueServersAreRemarked: LoadOthers says which servers no rule is for.
func TestOpaqueServersAreRemarked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "g.yaml")
	if err := os.WriteFile(file, []byte(gatewayOf("g", "a", server("80", "HTTP", "a.example", ""), server("27017", "MONGO", "'*'", ""))), 0o600); err != nil {
		t.Fatal(err)
	}
	others, err := LoadOthers([]string{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "Gateway g, servers[1] (" + file + ":4), at port 27017, is not HTTP, since its protocol is MONGO: no rule for HTTP applies to its connections, and no request is sent there"
	if !slices.Equal(others.Remarks, []string{want}) {
		t.Errorf("remarks %q, want %q", others.Remarks, want)
	}
}
