package scratch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networking "istio.io/api/networking/v1alpha3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/manifests/scratch"
	"github.com/hellochaos/hellochaos/scenarios/standins"
)

// shop has every field that names a namespace.
const shop = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["shop/*", "./own.example.com"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [shop.example.com, cart.shop.svc.cluster.local]
  gateways: [istio-system/edge, mesh]
  http:
    - match: [{sourceNamespace: front, authority: {exact: "cart.shop:8080"}, gateways: [mesh]}, {gateways: [istio-system/edge]}]
      route: [{destination: {host: cart}}, {destination: {host: stock.store.svc.cluster.local, port: {number: 80}}, weight: 1}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ledger, namespace: store}
spec: {host: ledger.store.svc.cluster.local, exportTo: ["."]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: store}
spec:
  hosts: [api.example.com, b.example.com]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: front}
spec:
  egress: [{hosts: ["./*", "shop/*", "*/api.example.com"]}]
  outboundTrafficPolicy: {mode: ALLOW_ANY}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: plain}
spec: {selector: {app: plain}, ports: [{name: http, port: 80}]}
`

// move moves the objects of a text with their stand-ins.
func move(t *testing.T, text string, shared bool) (*scratch.Set, error) {
	t.Helper()
	return moved(t, text, scratch.Options{Shared: shared})
}

// moved moves the objects of a text with their stand-ins to namespaces whose names begin with try.
func moved(t *testing.T, text string, o scratch.Options) (*scratch.Set, error) {
	t.Helper()
	others, err := manifests.LoadOthers([]string{"-"}, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	set, err := standins.Of(others.Objects)
	if err != nil {
		t.Fatal(err)
	}
	before := written(t, set.Objects)
	o.Base, o.Client, o.Outside = "try", standins.Client, standins.Outside
	moved, err := scratch.Move(set.Objects, o)
	if after := written(t, set.Objects); after != before {
		t.Errorf("Move has changed the objects that it got:\n%s", after)
	}
	return moved, err
}

// written is the YAML of objects.
func written(t *testing.T, objects []manifests.Object) string {
	t.Helper()
	var all strings.Builder
	for i := range objects {
		u, err := objects[i].Unstructured()
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(u)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString("---\n" + string(text))
	}
	return all.String()
}

// found is the YAML of the object of a kind, namespace and name; empty where there is none.
func found(t *testing.T, objects []manifests.Object, kind, namespace, name string) string {
	t.Helper()
	for i := range objects {
		if o := &objects[i]; o.Kind == kind && o.Meta.Namespace == namespace && o.Meta.Name == name {
			return written(t, objects[i:i+1])
		}
	}
	return ""
}

func TestMove(t *testing.T) {
	set, err := move(t, shop, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := manifests.Read(set.Objects); err != nil {
		t.Errorf("manifests.Read refuses the moved objects: %v", err)
	}
	everywhere := "exportTo:\n  - try\n  - try-front\n  - try-shop\n  - try-store\n  - try-istio-system\n"
	for _, c := range []struct {
		kind, namespace, name string
		want                  []string
	}{
		{"Gateway", "try-istio-system", "edge", []string{"hellochaos-gateway: try\n    hellochaos-gateway-1: \"true\"\n", "- try-shop/*\n", "- ./own.example.com\n"}},
		{"VirtualService", "try-shop", "web", []string{everywhere, "- shop.example.com\n", "- cart.try-shop.svc.cluster.local\n", "exact: cart.try-shop:8080\n",
			"sourceNamespace: try-front\n", "- try-istio-system/edge\n", "- mesh\n", "host: cart\n", "host: stock.try-store.svc.cluster.local\n"}},
		{"DestinationRule", "try-store", "ledger", []string{"host: ledger.try-store.svc.cluster.local\n", "exportTo:\n  - .\n"}},
		{"ServiceEntry", "try-store", "api", []string{everywhere, "hosts:\n  - api.example.com\n  ports", "endpoints:\n  - address: host-1-api-example-com.try-hellochaos-outside.svc.cluster.local\n", "resolution: DNS\n"}},
		{"ServiceEntry", "try-store", "api-2", []string{"hosts:\n  - b.example.com\n", "address: host-2-b-example-com.try-hellochaos-outside.svc.cluster.local\n"}},
		{"Sidecar", "try-front", "default", []string{"- ./*\n", "- try-shop/*\n", "- try-store/api.example.com\n", "mode: REGISTRY_ONLY\n"}},
		{"Sidecar", "try-shop", "default", []string{"- hosts:\n    - try/*\n", "- try-front/*\n", "mode: REGISTRY_ONLY\n"}},
		{"Service", "try-shop", "cart", []string{"exportTo: try,try-front,try-shop,try-store,try-istio-system\n"}},
		{"Service", "try", "plain", nil},
		{"Service", "try-front", standins.Client, []string{`exportTo: "~"`, "port: 80\n"}},
		{"Deployment", "try-front", standins.Client, []string{"name: ROLE\n          value: relay\n", `excludeInboundPorts: 3000,3001`}},
		{"Deployment", "try-shop", "cart-stand-in", []string{"app: cart\n", "name: CALLS\n", "name: ADMIN_PORT\n          value: \"3001\"\n", `excludeInboundPorts: "3001"`}},
		{"Deployment", "try-hellochaos-outside", "host-1-api-example-com", nil},
	} {
		text := found(t, set.Objects, c.kind, c.namespace, c.name)
		if text == "" {
			t.Errorf("there is no %s %s in namespace %s", c.kind, c.name, c.namespace)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s %s in namespace %s lacks %q:\n%s", c.kind, c.name, c.namespace, want, text)
			}
		}
	}
	if ways := written(t, set.Ways); !strings.Contains(ways, "inject.istio.io/templates: gateway") || !strings.Contains(ways, "targetPort: 20080") {
		t.Errorf("the gateway pods are not injected as a gateway, or their Service does not lead to them:\n%s", ways)
	}
}

// Nothing may be left in a namespace that is not made for the set, and nothing that is applied may have no namespace.
func TestMoveStaysInItsNamespaces(t *testing.T) {
	set, err := move(t, shop, false)
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{}
	for _, n := range set.Namespaces {
		made[n.Name] = n.Of
	}
	want := map[string]string{"try": "default", "try-shop": "shop", "try-store": "store", "try-front": "front", "try-hellochaos-outside": standins.Outside, "try-istio-system": "istio-system"}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("the namespaces that are made differ (-want +got):\n%s", diff)
	}
	for _, o := range slices.Concat(set.Objects, set.Ways) {
		if made[o.Meta.Namespace] == "" || o.Kind == "Namespace" {
			t.Errorf("%s is in namespace %q, which is not made for the set", o.Name(), o.Meta.Namespace)
		}
	}
}

// secure is a Gateway whose servers have certificates in each way that a file can say, beside one without TLS and one that passes TLS
// through.
const secure = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers:
    - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"], tls: {httpsRedirect: true}}
    - {port: {number: 443, name: a, protocol: HTTPS}, hosts: [a.example], tls: {mode: SIMPLE, credentialName: theirs, cipherSuites: [ECDHE-RSA-AES128-GCM-SHA256]}}
    - {port: {number: 443, name: b, protocol: HTTPS}, hosts: [b.example], tls: {mode: MUTUAL, serverCertificate: /a, privateKey: /b, caCertificates: /c}}
    - {port: {number: 443, name: c, protocol: HTTPS}, hosts: [c.example], tls: {mode: OPTIONAL_MUTUAL, credentialNames: [theirs, others]}}
    - {port: {number: 443, name: d, protocol: HTTPS}, hosts: [d.example], tls: {mode: ISTIO_MUTUAL}}
    - {port: {number: 443, name: e, protocol: HTTPS}, hosts: [e.example], tls: {mode: PASSTHROUGH}}
`

// Servers with TLS get the certificate of the run, and keep what they ask of clients.
func TestMoveGatewaysWithTLS(t *testing.T) {
	set, err := move(t, secure, false)
	if err != nil {
		t.Fatal(err)
	}
	var servers []string
	for i := range set.Objects {
		if spec, ok := set.Objects[i].Istio.(*networking.Gateway); ok {
			for _, s := range spec.Servers {
				servers = append(servers, fmt.Sprintf("%s %q %q %q %v %v", s.Tls.GetMode(), s.Tls.GetCredentialName(), s.Tls.GetCredentialNames(), s.Tls.GetServerCertificate(), s.Tls.GetCipherSuites(), s.Tls.GetHttpsRedirect()))
			}
		}
	}
	const ours = ` "hellochaos-gateway" [] "" [] false`
	want := []string{`PASSTHROUGH "" [] "" [] true`, "SIMPLE" + ours, "MUTUAL" + ours, "OPTIONAL_MUTUAL" + ours, "MUTUAL" + ours, `PASSTHROUGH "" [] "" [] false`}
	if diff := cmp.Diff(want, servers); diff != "" {
		t.Errorf("the settings of TLS differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]scratch.Certificate{{Namespace: "try-istio-system", Name: scratch.Credential}}, set.Certificates); diff != "" {
		t.Errorf("the certificates differ (-want +got):\n%s", diff)
	}
	if len(set.Left) != 4 || !strings.HasPrefix(set.Left[0], "the certificates of servers[1] of Gateway edge (standard input:9)") || !strings.Contains(set.Left[3], "ISTIO_MUTUAL") {
		t.Errorf("what is applied otherwise than written is %q, want the certificates of four servers", set.Left)
	}
	plain, err := move(t, shop, false)
	if err != nil || len(plain.Certificates) > 0 {
		t.Errorf("a set without TLS has the certificates %v, %v", plain.Certificates, err)
	}
	_, err = move(t, secure, true)
	if err == nil || !strings.Contains(err.Error(), "servers[1] of Gateway edge (standard input:9) has TLS, and hellochaos has no certificate of the gateway pods that others share: leave out --shared-gateway") {
		t.Errorf("the error about TLS at shared gateway pods is %v", err)
	}
}

// The references of Gateway API's objects are not moved.
func TestMoveRefusesGatewayAPI(t *testing.T) {
	_, err := move(t, `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: web}, spec: {parentRefs: [{name: edge, namespace: prod}], rules: [{backendRefs: [{name: web, port: 80}]}]}}`, false)
	if err == nil || !strings.Contains(err.Error(), "standard input:1: HTTPRoute web is one of Gateway API, and 'hellochaos verify --target cluster' does not move the references of these objects") {
		t.Errorf("the error about an HTTPRoute is %v", err)
	}
}

// What is sent and where it enters follow the move.
func TestMovedRequests(t *testing.T) {
	set, err := move(t, shop, false)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{"cart": "cart", "cart.shop:8080": "cart.try-shop:8080", "stock.store.svc": "stock.try-store.svc",
		"stock.store.svc.cluster.local": "stock.try-store.svc.cluster.local", "cart.shop.svc.cluster.local.:8080": "cart.try-shop.svc.cluster.local.:8080",
		"plain.default": "plain.try", "api.example.com": "api.example.com", "": ""} {
		if got := set.Sent(host); got != want {
			t.Errorf("Sent(%q) = %q, want %q", host, got, want)
		}
	}
	for entry, want := range map[manifests.Entry]manifests.Entry{
		{Caller: "front/client"}:         {Caller: "try-front/client"},
		{Gateway: "istio-system/edge"}:   {Gateway: "try-istio-system/edge"},
		{Service: "plain"}:               {Service: "plain.try.svc.cluster.local"},
		{Service: "cart.shop.svc.local"}: {Service: "cart.shop.svc.local"},
	} {
		if got := set.Entry(entry); got != want {
			t.Errorf("Entry(%+v) = %+v, want %+v", entry, got, want)
		}
	}
	want := []scratch.Host{{Was: "cart.shop", Is: "cart.try-shop"}, {Was: "cart.shop.svc.cluster.local", Is: "cart.try-shop.svc.cluster.local"},
		{Was: "ledger.store.svc.cluster.local", Is: "ledger.try-store.svc.cluster.local"},
		{Was: "stock.store.svc.cluster.local", Is: "stock.try-store.svc.cluster.local"}}
	if diff := cmp.Diff(want, set.Hosts); diff != "" {
		t.Errorf("the hosts that the files name and that were rewritten differ (-want +got):\n%s", diff)
	}
	if len(set.Left) != 1 || !strings.Contains(set.Left[0], "ALLOW_ANY") {
		t.Errorf("what is applied otherwise than written is %q, want the Sidecar's ALLOW_ANY alone", set.Left)
	}
}

// At shared gateway pods the selector stays, and the rules are for the namespace of these pods, too.
func TestMoveToASharedGateway(t *testing.T) {
	set, err := move(t, shop, true)
	if err != nil {
		t.Fatal(err)
	}
	if text := found(t, set.Objects, "Gateway", "try-istio-system", "edge"); !strings.Contains(text, "istio: ingressgateway\n") || len(set.Ways) > 0 {
		t.Errorf("the Gateway does not select the shared pods, or there are %d objects of own ones:\n%s", len(set.Ways), text)
	}
	if text := found(t, set.Objects, "VirtualService", "try-shop", "web"); !strings.Contains(text, "  - istio-system\n") {
		t.Errorf("the rules are not exported to the namespace of the shared pods:\n%s", text)
	}
}

func TestMoveRefuses(t *testing.T) {
	_, err := move(t, strings.Replace(shop, `authority: {exact: "cart.shop:8080"}`, `authority: {prefix: cart.shop}`, 1), false)
	if err == nil || !strings.Contains(err.Error(), "standard input:16: VirtualService web, field spec.http[0].match[0].authority:") || !strings.Contains(err.Error(), "write the whole host with exact") {
		t.Errorf("the error about a pattern with a namespace is %v", err)
	}
	if _, err := move(t, strings.Replace(shop, `authority: {exact: "cart.shop:8080"}`, `authority: {prefix: cart.shopping}`, 1), false); err != nil {
		t.Errorf("a prefix without a namespace is refused: %v", err)
	}
	_, err = move(t, strings.ReplaceAll(shop, "namespace: front", "namespace: "+strings.Repeat("f", 60)), false)
	if err == nil || !strings.Contains(err.Error(), "has 64 characters: at most 63 are allowed") {
		t.Errorf("the error about a name that is too long is %v", err)
	}
}

// A rule of Istio's own namespace is one for the whole mesh, unless its kind has no such meaning.
func TestMeshWide(t *testing.T) {
	others, err := manifests.LoadOthers([]string{"-"}, strings.NewReader(shop+strings.ReplaceAll(shop[strings.Index(shop, "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule"):strings.Index(shop, "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry")],
		"namespace: store", "namespace: istio-system")))
	if err != nil {
		t.Fatal(err)
	}
	var wide []string
	for i := range others.Objects {
		if scratch.MeshWide(&others.Objects[i]) {
			wide = append(wide, others.Objects[i].Name())
		}
	}
	if diff := cmp.Diff([]string{"DestinationRule ledger"}, wide); diff != "" {
		t.Errorf("the objects for the whole mesh differ (-want +got):\n%s", diff)
	}
}

// Names of an exportTo become those of the namespaces that stand in for them, and nothing is exported to others.
func TestMoveExports(t *testing.T) {
	text := shop
	for kind, name := range map[string]string{"VirtualService": "web, namespace: shop}\nspec:\n", "ServiceEntry": "api, namespace: store}\nspec:\n"} {
		text = strings.Replace(text, "kind: "+kind+"\nmetadata: {name: "+name, "kind: "+kind+"\nmetadata: {name: "+name+"  exportTo: [\".\", front, istio-system, never]\n", 1)
	}
	text = strings.Replace(text, `exportTo: ["."]}`, "exportTo: [shop]}", 1)
	text = strings.Replace(text, "metadata: {name: cart, namespace: shop}", `metadata: {name: cart, namespace: shop, annotations: {networking.istio.io/exportTo: "., lonely"}}`, 1)
	for shared, gateways := range map[bool]string{false: "- try-istio-system\n", true: "- try-istio-system\n  - istio-system\n"} {
		set, err := move(t, text, shared)
		if err != nil {
			t.Fatal(err)
		}
		by := "exportTo:\n  - .\n  - try-front\n  " + gateways + "  - try-never\n"
		for _, c := range []struct{ kind, namespace, name, want string }{
			{"VirtualService", "try-shop", "web", by}, {"ServiceEntry", "try-store", "api", by}, {"ServiceEntry", "try-store", "api-2", by},
			{"DestinationRule", "try-store", "ledger", "exportTo:\n  - try-shop\n"}, {"Service", "try-shop", "cart", "exportTo: .,try-lonely\n"},
		} {
			if got := found(t, set.Objects, c.kind, c.namespace, c.name); !strings.Contains(got, c.want) {
				t.Errorf("shared %v: %s %s lacks %q:\n%s", shared, c.kind, c.name, c.want, got)
			}
		}
		allowed := []string{".", "~"}
		for _, n := range set.Namespaces {
			allowed = append(allowed, n.Name)
		}
		if shared {
			allowed = append(allowed, "istio-system")
		}
		for i := range set.Objects {
			to := exportedBy(&set.Objects[i])
			if to != nil && (len(to) == 0 || slices.ContainsFunc(to, func(name string) bool { return !slices.Contains(allowed, name) })) {
				t.Errorf("shared %v: %s is exported to %q, and may be to %q alone", shared, set.Objects[i].Name(), to, allowed)
			}
		}
		if !slices.ContainsFunc(set.Namespaces, func(n scratch.Namespace) bool { return n.Name == "try-lonely" }) {
			t.Errorf("a namespace that an exportTo names alone is not made: %v", set.Namespaces)
		}
	}
}

// exportedBy is to whom an object is exported; nil for kinds that are for nobody else.
func exportedBy(o *manifests.Object) []string {
	switch spec := o.Istio.(type) {
	case *networking.VirtualService:
		return append([]string{}, spec.ExportTo...) // an empty list is for all
	case *networking.DestinationRule:
		return append([]string{}, spec.ExportTo...) // an empty list is for all
	case *networking.ServiceEntry:
		return append([]string{}, spec.ExportTo...) // an empty list is for all
	}
	if k, ok := o.Kubernetes.(*corev1.Service); ok {
		return strings.Split(k.Annotations["networking.istio.io/exportTo"], ",")
	}
	return nil
}

// Of two VirtualServices for one host Istio takes first the one that is exported by name, and after the move both are.
func TestMoveRefusesAnotherOrder(t *testing.T) {
	other := "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: other, namespace: front}\nspec: {hosts: [HOST], gateways: [istio-system/edge], EXPORT http: [{directResponse: {status: 200}}]}\n"
	for _, c := range []struct {
		host, export string
		refused      bool
	}{{"shop.example.com", "exportTo: [istio-system],", true}, {"shop.example.com", "", false}, {"else.example.com", "exportTo: [istio-system],", false},
		{"shop.example.com", "exportTo: [front],", false}, {"cart.shop.svc.cluster.local", "exportTo: [istio-system],", true}} {
		_, err := move(t, shop+strings.NewReplacer("HOST", c.host, "EXPORT", c.export).Replace(other), false)
		const want = "VirtualService other, field spec.exportTo: has a host of VirtualService web (standard input:9), too, and in which order the proxies of namespace istio-system look at the two"
		if refused := err != nil && strings.Contains(err.Error(), want); refused != c.refused || err != nil && !refused {
			t.Errorf("%s with %q: the error is %v, want one that is about the order: %v", c.host, c.export, err, c.refused)
		}
	}
}

// Calls to endpoints and other ports go to their stand-ins; what no stand-in of a cluster can answer is refused.
func TestMoveServiceEntries(t *testing.T) {
	entry := func(spec string) string {
		return shop + "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: bank}\nspec: {hosts: [bank.example.com], location: MESH_EXTERNAL, " + spec + "}\n"
	}
	for _, c := range []struct{ name, spec, want string }{
		{"endpoints", "resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 10.9.8.7, labels: {version: v1}, ports: {http: 8080}}]",
			"endpoints:\n  - address: host-3-10-9-8-7.try-hellochaos-outside.svc.cluster.local\n    labels:\n      version: v1\n    ports:\n      http: 8080\n"},
		{"a targetPort", "resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}]", "targetPort: 8080\n"},
		{"nobody", "resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}]", "resolution: STATIC\n"},
	} {
		set, err := move(t, entry(c.spec), false)
		if err != nil {
			t.Fatal(err)
		}
		got := found(t, set.Objects, "ServiceEntry", "try", "bank")
		if !strings.Contains(got, c.want) || c.name != "nobody" && !strings.Contains(got, "resolution: DNS\n") {
			t.Errorf("%s: the ServiceEntry lacks %q:\n%s", c.name, c.want, got)
		}
	}
	const http = "ports: [{number: 80, name: http, protocol: HTTP}]"
	for spec, want := range map[string]string{
		"resolution: DNS, addresses: [10.1.2.3], " + http: "ServiceEntry bank has addresses or a host with *",
		"resolution: DNS, " + http + "}\n---\n{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: bank}, spec: {host: '*.example.com'}": "DestinationRule bank is for all hosts that *.example.com covers",
	} {
		if _, err := move(t, entry(spec), false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, want %q", spec, err, want)
		}
	}
}

// A Gateway selects the pods of those whose labels include its own, and no others. The first of their Services leads to pods with these labels
// alone, or, for a Gateway that selects all, to those of Istio's ingress gateway.
func TestMoveSelectors(t *testing.T) {
	gateway := func(name, selector string) string {
		return "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: " + name + "}\nspec: {" + selector + "servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [" + name + ".example.com]}]}\n"
	}
	set, err := move(t, gateway("narrow", "selector: {istio: ingressgateway, app: edge}, ")+gateway("other", "selector: {istio: inner}, ")+gateway("wide", "selector: {istio: ingressgateway}, ")+gateway("all", ""), false)
	if err != nil {
		t.Fatal(err)
	}
	selects := map[string][]string{}
	for i := range set.Objects {
		spec, ok := set.Objects[i].Istio.(*networking.Gateway)
		for j := 0; ok && j < len(set.Ways); j++ {
			if s, ok := set.Ways[j].Kubernetes.(*corev1.Service); ok && labels.SelectorFromSet(spec.Selector).Matches(labels.Set(s.Spec.Selector)) {
				selects[set.Objects[i].Meta.Name] = append(selects[set.Objects[i].Meta.Name], s.Name)
			}
		}
	}
	want := map[string][]string{"wide": {"try-1", "try-3"}, "other": {"try-2"}, "narrow": {"try-3"}, "all": {"try-1", "try-2", "try-3"}}
	if diff := cmp.Diff(want, selects); diff != "" {
		t.Errorf("the pods that each Gateway selects differ (-want +got):\n%s", diff)
	}
}

// Stand-ins outside speak TLS where their hosts would, proxies that open it have the files of a certificate, and rules name these files.
func TestMoveTLSToTheOutside(t *testing.T) {
	const bank = `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank}
spec: {hosts: [bank.example.com], location: MESH_EXTERNAL, resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8443}, {number: 81, name: plain, protocol: HTTP, targetPort: 80}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: bank}
spec:
  host: bank.example.com
  trafficPolicy: {portLevelSettings: [{port: {number: 80}, tls: {mode: MUTUAL, subjectAltNames: [inner.example.com], clientCertificate: /a, privateKey: /b, caCertificates: /c}}]}
  subsets: [{name: a, trafficPolicy: {tls: {mode: SIMPLE, credentialName: theirs}}}]
`
	set, err := move(t, shop+bank, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := manifests.Read(set.Objects); err != nil {
		t.Errorf("manifests.Read refuses the moved objects: %v", err)
	}
	want := []scratch.Certificate{{Namespace: "try", Name: "hellochaos-proxy"}, {Namespace: "try-front", Name: "hellochaos-proxy"}, {Namespace: "try-shop", Name: "hellochaos-proxy"},
		{Namespace: "try-store", Name: "hellochaos-proxy"}, {Namespace: "try-istio-system", Name: "hellochaos-proxy"},
		{Namespace: "try-hellochaos-outside", Name: "host-3-bank-example-com", Hosts: []string{"bank.example.com", "inner.example.com"}}}
	if diff := cmp.Diff(want, set.Certificates); diff != "" {
		t.Errorf("the certificates differ (-want +got):\n%s", diff)
	}
	if len(set.Left) != 2 || !strings.HasPrefix(set.Left[1], "the certificates that DestinationRule bank (standard input:") {
		t.Errorf("what is applied otherwise than written is %q, want the certificates of DestinationRule bank once, behind the Sidecar's ALLOW_ANY", set.Left)
	}
	const files = "      - mountPath: /etc/hellochaos\n          name: hellochaos-certificates\n"
	for _, c := range []struct {
		kind, namespace, name string
		want                  []string
	}{
		{"Service", "try-hellochaos-outside", "host-3-bank-example-com", []string{"port: 80\n    targetPort: 3000\n", "port: 8443\n    targetPort: 3443\n"}},
		{"Deployment", "try-hellochaos-outside", "host-3-bank-example-com", []string{"name: TLS_PORT\n          value: \"3443\"\n", "name: TLS_FILES\n          value: /etc/hellochaos\n", "secretName: host-3-bank-example-com\n", files}},
		{"Deployment", "try", standins.Client, []string{`sidecar.istio.io/userVolume: '{"hellochaos-certificates": {"secret": {"secretName":`}},
		{"DestinationRule", "try", "bank", []string{"caCertificates: /etc/hellochaos/ca.crt\n", "clientCertificate: /etc/hellochaos/tls.crt\n", "privateKey: /etc/hellochaos/tls.key\n", "credentialName: hellochaos-proxy\n"}},
	} {
		text := found(t, set.Objects, c.kind, c.namespace, c.name)
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s %s in namespace %s lacks %q:\n%s", c.kind, c.name, c.namespace, want, text)
			}
		}
	}
	if text := found(t, set.Objects, "Deployment", "try-hellochaos-outside", "host-1-api-example-com"); strings.Contains(text, "TLS_PORT") {
		t.Errorf("a stand-in to which nobody opens TLS speaks it:\n%s", text)
	}
	const refusal = "DestinationRule bank has proxies open TLS, and the gateway pods that others share have no certificates of the run: leave out --shared-gateway"
	if _, err := move(t, shop+bank, true); err == nil || !strings.Contains(err.Error(), refusal) {
		t.Errorf("the error about shared gateway pods is %v", err)
	}
	if ways := written(t, set.Ways); !strings.Contains(ways, "secretName: hellochaos-proxy\n") || !strings.Contains(ways, files) {
		t.Errorf("the gateway pods do not have the files:\n%s", ways)
	}
}
