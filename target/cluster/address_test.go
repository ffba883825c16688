package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/certificates"
)

// listen starts a server at an address of the loopback network; port 0 is any.
func listen(t *testing.T, host string, port int, handler http.HandlerFunc) (chosen int) {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", host, port))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(handler)
	_ = s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return l.Addr().(*net.TCPAddr).Port
}

func answers(status int, server string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if server != "" {
			w.Header().Set("Server", server)
		}
		w.WriteHeader(status)
	}
}

func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// The addresses of one Service: those of the load balancer, the cluster, and two nodes.
const balancerIP, clusterIP, nodeIP, otherNodeIP = "127.0.1.1", "127.0.1.2", "127.0.1.3", "127.0.1.4"

func TestAddress(t *testing.T) {
	healthy := answers(http.StatusOK, "")
	const none = "" // no answer is expected: an error with the parts of want
	for _, c := range []struct {
		name  string
		entry manifests.Entry
		at    map[string]http.HandlerFunc // who answers; the others refuse connections
		way   string                      // with PORT for the port
		want  []string
	}{
		{"load balancer", manifests.Entry{Service: "frontend"}, map[string]http.HandlerFunc{balancerIP: healthy, clusterIP: healthy, nodeIP: healthy}, "load balancer 127.0.1.1:PORT", nil},
		{"cluster IP", manifests.Entry{Service: "frontend"}, map[string]http.HandlerFunc{balancerIP: answers(http.StatusServiceUnavailable, ""), clusterIP: healthy, nodeIP: healthy}, "cluster IP 127.0.1.2:PORT", nil},
		{"node port", manifests.Entry{Service: "frontend"}, map[string]http.HandlerFunc{otherNodeIP: healthy}, "node port 127.0.1.4:PORT", nil},
		{"a silent balancer", manifests.Entry{Service: "frontend"}, map[string]http.HandlerFunc{balancerIP: hangs, clusterIP: healthy}, "cluster IP 127.0.1.2:PORT", nil},
		{"nothing", manifests.Entry{Service: "frontend"}, map[string]http.HandlerFunc{balancerIP: answers(http.StatusNotFound, "nginx")}, none, []string{
			"entry direct: Service frontend of namespace shop cannot be reached in any of these ways; give an address with --direct-url",
			`load balancer 127.0.1.1:PORT: GET /healthz was answered with 404 Not Found by "nginx"`, "cluster IP 127.0.1.2:PORT: GET /healthz: dial tcp 127.0.1.2:PORT: connect: connection refused",
			"node port 127.0.1.3:PORT: ", "node port 127.0.1.4:PORT: ", "port-forward: the Service has no ready pod (app=frontend)"}},
		{"gateway, whatever it answers", manifests.Entry{Gateway: "default/frontend"}, map[string]http.HandlerFunc{clusterIP: answers(http.StatusServiceUnavailable, "istio-envoy")}, "cluster IP 127.0.1.2:PORT", nil},
		{"gateway without a name", manifests.Entry{Gateway: "default/frontend"}, map[string]http.HandlerFunc{clusterIP: answers(http.StatusNotFound, "")}, "cluster IP 127.0.1.2:PORT", nil},
		{"a web proxy on the way", manifests.Entry{Gateway: "default/frontend"}, map[string]http.HandlerFunc{balancerIP: answers(http.StatusGatewayTimeout, "squid"), nodeIP: healthy}, "node port 127.0.1.3:PORT", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, cluster, _ := newAPIServer(t, 10*time.Second)
			port := 0
			if len(c.at) == 0 {
				t.Fatal("nobody answers at all: no port is known to be free")
			}
			for ip, handler := range c.at {
				port = listen(t, ip, port, handler)
			}
			rules := putEntries(t, s, port)
			address, closer, err := cluster.address(t.Context(), c.entry, rules, true)
			if closer != nil {
				t.Errorf("a closer for %s", address.Way)
			}
			fill := func(text string) string { return strings.ReplaceAll(text, "PORT", fmt.Sprint(port)) }
			if c.way == none {
				for i := range c.want {
					c.want[i] = fill(c.want[i])
				}
				expectError(t, err, c.want...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := fill(c.way); address.Way != want {
				t.Errorf("way %q, want %q", address.Way, want)
			}
			if _, at, _ := strings.Cut(address.Way, " 127."); address.URL != "http://127."+at {
				t.Errorf("URL %s is not that of %s", address.URL, address.Way)
			}
		})
	}
}

// putEntries gives the server both Services with all kinds of addresses, at one port, and a Gateway for it.
func putEntries(t *testing.T, s *apiServer, port int) *manifests.Rules {
	t.Helper()
	service := func(selector string) string {
		return fmt.Sprintf(`{"spec":{"type":"LoadBalancer","clusterIP":%q,"selector":%s,"ports":[{"port":%d,"nodePort":%d,"targetPort":3000}]},
			"status":{"loadBalancer":{"ingress":[{"ip":%q}]}}}`, clusterIP, selector, port, port, balancerIP)
	}
	s.put(t, "/api/v1/namespaces/shop/services/frontend", service(`{"app":"frontend"}`))
	s.put(t, "/api/v1/namespaces/istio-system/services/a-other", service(`{"istio":"egressgateway"}`))
	s.put(t, "/api/v1/namespaces/istio-system/services/ingress", service(`{"app":"gateway","istio":"ingressgateway"}`))
	for name, ip := range map[string]string{"a": nodeIP, "b": otherNodeIP} {
		s.put(t, "/api/v1/nodes/"+name, fmt.Sprintf(`{"status":{"addresses":[{"type":"Hostname","address":"x"},{"type":"InternalIP","address":%q}]}}`, ip))
	}
	return gatewayRules(t, port)
}

// gatewayRules are those of a Gateway that takes plain HTTP at a port.
func gatewayRules(t *testing.T, port int) *manifests.Rules {
	t.Helper()
	return serverRules(t, fmt.Sprintf(`{port: {number: %d, name: http, protocol: HTTP}, hosts: ["*"]}`, port))
}

// secureRules are those of a Gateway that asks clients for their certificates at a port.
func secureRules(t *testing.T, port int) *manifests.Rules {
	t.Helper()
	return serverRules(t, fmt.Sprintf(`{port: {number: %d, name: https, protocol: HTTPS}, hosts: ["*.example"], tls: {mode: MUTUAL, credentialName: a}}`, port))
}

// serverRules are those of a Gateway with one server.
func serverRules(t *testing.T, server string) *manifests.Rules {
	t.Helper()
	objects, err := manifests.Parse("gateway.yaml", []byte(`{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: frontend},
spec: {selector: {istio: ingressgateway}, servers: [`+server+`]}}`))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := manifests.Read(objects)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestAddressGiven(t *testing.T) {
	c := &Cluster{options: Options{DirectURL: "http://shop.test/", GatewayURL: "http://gateway.test"}}
	for entry, want := range map[manifests.Entry]target.Address{
		manifests.Entry{Service: "frontend"}:         {URL: "http://shop.test", Way: "given by --direct-url"},
		manifests.Entry{Gateway: "default/frontend"}: {URL: "http://gateway.test", Way: "given by --gateway-url"},
	} {
		got, _, err := c.address(t.Context(), entry, nil, true)
		if err != nil || got != want {
			t.Errorf("%v: %+v, %v, want %+v", entry, got, err, want)
		}
	}
}

func TestAddressWithoutService(t *testing.T) {
	s, c, _ := newAPIServer(t, 10*time.Second)
	s.put(t, "/api/v1/namespaces/istio-system/services/ingress", `{"spec":{"selector":{"istio":"ingressgateway"},"ports":[{"port":81}]}}`)
	s.put(t, "/api/v1/namespaces/istio-system/services/other", `{"spec":{"selector":{"istio":"egressgateway"},"ports":[{"port":80}]}}`)
	_, _, err := c.address(t.Context(), manifests.Entry{Service: "frontend"}, gatewayRules(t, 80), true)
	expectError(t, err, "entry direct: reading Service frontend", "not found", "'hellochaos deploy' creates it", "--direct-url")
	_, _, err = c.address(t.Context(), manifests.Entry{Gateway: "default/frontend"}, gatewayRules(t, 80), true)
	expectError(t, err, "entry gateway: no Service with port 80 leads to the pods istio=ingressgateway that Gateway default/frontend selects", "--gateway-url")
	_, _, err = c.address(t.Context(), manifests.Entry{Gateway: "default/frontend"}, &manifests.Rules{}, true)
	expectError(t, err, "entry gateway: the applied objects contain no Gateway default/frontend: stage ingress adds one")
}

// A Gateway with TLS is refused before anything is written, also where its address is given.
func TestGatewayWithTLSIsRefused(t *testing.T) {
	const text = `{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: frontend}, spec: {servers: [
{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"], tls: {httpsRedirect: true}},
{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: a}}]}}`
	parsed := func(text string) []manifests.Object {
		objects, err := manifests.Parse("gateway.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return objects
	}
	objects := parsed(text)
	c := &Cluster{options: Options{GatewayURL: "https://gateway.test"}}
	expectError(t, c.gateways(t.Context(), [][]manifests.Object{objects, objects}),
		"Gateway default/frontend, servers[1] (gateway.yaml:3) has TLS at port 443, and this run has no certificate of that server", "use the embedded mesh")
	c.client = new(tls.Config)
	nameless := strings.Replace(text, ", credentialName: a", ", serverCertificate: /a, privateKey: /b", 1)
	expectError(t, c.gateways(t.Context(), [][]manifests.Object{parsed(nameless)}),
		"Gateway default/frontend, servers[1] (gateway.yaml:3) has TLS at port 443, and no server there has a tls.credentialName")
}

// A gateway with TLS is reached where it has the certificate of the run, whatever the name in it is, asks for that of the run's clients, and
// has a server for the name that they ask for; a gateway with another certificate is not.
func TestAddressWithTLS(t *testing.T) {
	ours, err := certificates.NewIssuer()
	if err != nil {
		t.Fatal(err)
	}
	others, err := certificates.NewIssuer()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		issuer *certificates.Issuer
		want   string // of the error; empty: it is reached
	}{{"ours", ours, ""}, {"another", others, "certificate signed by unknown authority"}} {
		t.Run(c.name, func(t *testing.T) {
			data, err := c.issuer.Secret()
			if err != nil {
				t.Fatal(err)
			}
			pair, err := tls.X509KeyPair(data["tls.crt"], data["tls.key"])
			if err != nil {
				t.Fatal(err)
			}
			clients := x509.NewCertPool()
			if !clients.AppendCertsFromPEM(data["ca.crt"]) {
				t.Fatal("ca.crt has no certificate")
			}
			var asked atomic.Value
			gateway := httptest.NewUnstartedServer(answers(http.StatusNotFound, "istio-envoy"))
			gateway.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
				VerifyConnection: func(s tls.ConnectionState) error { asked.Store(s.ServerName); return nil }}
			gateway.Config.ErrorLog = log.New(io.Discard, "", 0) // it says that it was refused
			gateway.StartTLS()
			defer gateway.Close()
			s, cluster, _ := newAPIServer(t, 10*time.Second)
			cluster.client = ours.ClientOfSecret()
			port := gateway.Listener.Addr().(*net.TCPAddr).Port
			s.put(t, "/api/v1/namespaces/istio-system/services/ingress", fmt.Sprintf(`{"spec":{"clusterIP":"127.0.0.1","selector":{"istio":"ingressgateway"},"ports":[{"port":%d}]}}`, port))
			address, _, err := cluster.address(t.Context(), manifests.Entry{Gateway: "default/frontend"}, secureRules(t, port), false)
			if c.want != "" {
				expectError(t, err, c.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("127.0.0.1:%d", port); address.URL != "https://"+want || address.Way != "cluster IP "+want+" with TLS" || address.TLS == nil || address.TLS.ServerName != "" {
				t.Errorf("the address is %+v, want https at %s, and a client that asks for no name yet", address, want)
			}
			if asked.Load() != "hellochaos.example" {
				t.Errorf("the client asked for %v, want a host of the server", asked.Load())
			}
			if err := cluster.certificateMissing(secureRules(t, port), secureRules(t, port).Gateways["default/frontend"]); err != nil {
				t.Errorf("the Gateway is refused: %v", err)
			}
		})
	}
}

// At a port with TLS the server of a probe has TLS, too, with the certificate of the others.
func TestProbeAtAPortWithTLS(t *testing.T) {
	p := &probe{nonce: "n1", port: 443, credential: "a"}
	want := map[string]any{"hosts": []any{p.host()}, "port": map[string]any{"number": int64(443), "name": "https", "protocol": "HTTPS"},
		"tls": map[string]any{"mode": "SIMPLE", "credentialName": "a"}}
	if diff := cmp.Diff(want, p.server()); diff != "" {
		t.Errorf("the server differs (-want +got):\n%s", diff)
	}
}
