package manifests

import (
	"slices"
	"strings"
	"testing"
)

// hiddenAnd is a hidden Service of namespace default with a ServiceEntry for its host in each of some namespaces, and rules of namespace
// shop that lead there.
func hiddenAnd(more string, namespaces ...string) string {
	all := "apiVersion: v1\nkind: Service\nmetadata: {name: hidden, annotations: {networking.istio.io/exportTo: '~'}}\nspec: {ports: [{name: http, port: 80}]}\n---\n" +
		"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v, namespace: shop}\nspec: {hosts: [a.example], http: [{route: [{destination: {host: hidden.default.svc.cluster.local, port: {number: 80}}}]}]}\n"
	for _, namespace := range namespaces {
		all += "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e, namespace: " + namespace +
			"}\nspec: {hosts: [hidden.default.svc.cluster.local], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}\n"
	}
	return all + more
}

// sidecarIn is a Sidecar of a namespace that imports a host, and Istio's own Services, which have port 80.
func sidecarIn(namespace, host string) string {
	return "---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s, namespace: " + namespace + "}\nspec: {egress: [{hosts: [istio-system/*, " + host + "]}]}\n"
}

// A hidden Service takes the place of a ServiceEntry of its namespace, except where a Sidecar imports that one.
func TestShadowed(t *testing.T) {
	const imported = "'*/hidden.default.svc.cluster.local'"
	for _, c := range []struct {
		name, objects, caller string
		gap                   Part // empty: none
	}{
		{"without a Sidecar", hiddenAnd("", "default"), "shop", ""},
		{"imported", hiddenAnd(sidecarIn("shop", imported), "default"), "shop", ""},
		{"not imported", hiddenAnd(sidecarIn("shop", "./*"), "default"), "shop", PartShadow},
		{"imported by its namespace alone", hiddenAnd(sidecarIn("shop", "default/hidden.default.svc.cluster.local"), "default"), "shop", ""},
		{"imported without a wildcard", strings.Replace(hiddenAnd(sidecarIn("shop", "default/hidden.default.svc.cluster.local, shop/a.example"), "default"), "istio-system/*", "default/frontend.default.svc.cluster.local", 1), "shop", PartShadow},
		{"not imported, of another namespace", hiddenAnd(sidecarIn("shop", "'~/*'"), "third"), "shop", ""},
	} {
		rule := rulesOf(t, c.objects).Table(Caller{Namespace: c.caller}).Route(&Request{Host: "a.example", Path: "/"})
		if len(rule.Split) != 1 {
			t.Errorf("%s: the rule is %+v", c.name, rule)
			continue
		}
		if gap := rulesOf(t, c.objects).Gap(&rule.Split[0]); gap == nil && c.gap != "" || gap != nil && gap.Part != c.gap {
			t.Errorf("%s: the gap of %s is %+v, want %q", c.name, rule.Name, gap, c.gap)
		}
	}
}

// Istio looks for DestinationRules in the namespace of what the caller's sidecar knows by the host.
func TestLookedByCallers(t *testing.T) {
	const host = "hidden.default.svc.cluster.local"
	for _, c := range []struct{ objects, caller, want string }{
		{hiddenAnd("", "shop"), "shop", "shop"}, {hiddenAnd("", "shop"), "", "shop"}, {hiddenAnd(""), "shop", "default"},
		{hiddenAnd("", "shop", "third"), "", "shop"}, {hiddenAnd("", "shop", "third"), "third", "third"}, {hiddenAnd("", "shop", "third"), "other", "shop"},
		{hiddenAnd(sidecarIn("other", "third/*"), "shop", "third"), "other", "third"}, {hiddenAnd("", "shop", "istio-system"), "", ""},
		{strings.ReplaceAll(hiddenAnd("", "shop", "third"), "spec: {hosts: [hidden", "spec: {exportTo: [.], hosts: [hidden"), "third", "third"},
	} {
		want := []string{c.want, rootNamespace}
		if c.want == "" {
			want = want[1:]
		}
		if got := rulesOf(t, c.objects).Looked(host, c.caller); !slices.Equal(got, want) {
			t.Errorf("callers in %q look in %v, want %v\n%s", c.caller, got, want, c.objects)
		}
	}
}
