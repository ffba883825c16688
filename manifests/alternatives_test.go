package manifests

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// split is a VirtualService of a name for host reviews that leads to these subsets.
func splitYAML(name, more string, subsets ...string) string {
	text := "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name + "}\nspec:\n  hosts: [reviews]\n" + more + "  http:\n    - route:\n"
	for _, s := range subsets {
		text += "        - {destination: {host: reviews, subset: " + s + "}, weight: 1}\n"
	}
	return text
}

// subsetsYAML is a DestinationRule of reviews with these subsets.
func subsetsYAML(subsets ...string) string {
	text := "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: reviews}\nspec:\n  host: reviews\n  subsets:\n"
	for _, s := range subsets {
		text += "    - {name: " + s + ", labels: {version: " + s + "}}\n"
	}
	return text
}

const (
	serviceYAML = "apiVersion: v1\nkind: Service\nmetadata: {name: reviews}\nspec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: 3000}]}\n"
	podsYAML    = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: reviews}\nspec: {template: {metadata: {labels: {app: reviews}}}}\n"
)

// alternativesOf are the alternatives of files: "VirtualService reviews in namespace default: a.yaml:1 b.yaml:1".
func alternativesOf(o *Others) (all []string) {
	for _, a := range o.Alternatives {
		text := a.Of + ":"
		for _, p := range a.Objects {
			text += fmt.Sprintf(" %s %s:%d", p.Object, filepath.Base(p.File), p.Line)
		}
		all = append(all, text)
	}
	return all
}

func TestAlternatives(t *testing.T) {
	gateway := "  gateways: [shop]\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"of one name": {map[string]string{"a.yaml": splitYAML("reviews", "", "v1"), "b.yaml": "\n" + splitYAML("reviews", "", "v2"), "c.yaml": subsetsYAML("v1")},
			[]string{"VirtualService reviews in namespace default: VirtualService reviews a.yaml:1 VirtualService reviews b.yaml:2"}},
		"for one host": {map[string]string{"a.yaml": splitYAML("one", "", "v1"), "b.yaml": splitYAML("two", "", "v2")},
			[]string{"the rules of the sidecars for host reviews.default.svc.cluster.local: VirtualService one a.yaml:1 VirtualService two b.yaml:1"}},
		"for one host of a gateway": {map[string]string{"a.yaml": splitYAML("one", gateway, "v1"), "b.yaml": splitYAML("two", gateway, "v2")},
			[]string{"the rules of gateway default/shop for host reviews.default.svc.cluster.local: VirtualService one a.yaml:1 VirtualService two b.yaml:1"}},
		"for some requests at a gateway": {map[string]string{"a.yaml": splitYAML("one", gateway, "v1"), "b.yaml": strings.Replace(splitYAML("two", gateway, "v2"), "- route:", "- match: [{uri: {prefix: /a}}]\n      route:", 1)}, nil},
		"for one host in one file":       {map[string]string{"a.yaml": splitYAML("one", "", "v1") + "---\n" + splitYAML("two", "", "v2")}, nil},
		"one name in two namespaces":     {map[string]string{"a.yaml": serviceYAML, "b.yaml": strings.Replace(serviceYAML, "name: reviews", "name: reviews, namespace: shop", 1)}, nil},
		"exported to their namespaces":   {map[string]string{"a.yaml": splitYAML("one", "  exportTo: [\".\"]\n", "v1"), "b.yaml": splitYAML("two", "", "v1")}, nil},
	} {
		o, err := LoadOthers([]string{tree(t, c.files)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := alternativesOf(o); !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, c.want)
		}
	}
}

// The files to check together with one of several alternatives are those that it needs, and none that contradicts another one.
func TestTogether(t *testing.T) {
	delegate := "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: root}\nspec: {hosts: [x.example.com], gateways: [shop], http: [{route: [{destination: {host: reviews, subset: v1}}]}]}\n"
	dir := tree(t, map[string]string{
		"80-20.yaml": splitYAML("reviews", "", "v1", "v2"), "v3.yaml": splitYAML("other", "", "v3"), "edge.yaml": delegate,
		"rules-all.yaml": subsetsYAML("v1", "v2", "v3"), "rules-all-mtls.yaml": subsetsYAML("v1", "v2", "v3"), "rules.yaml": subsetsYAML("v1"),
		"gateway.yaml":  "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: shop}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n",
		"services.yaml": serviceYAML, "pods.yaml": podsYAML, "pods-2.yaml": podsYAML, "shop.yaml": strings.Replace(podsYAML, "name: reviews", "name: reviews, namespace: shop", 1),
	})
	o, err := LoadOthers([]string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"80-20.yaml": "pods.yaml rules-all.yaml services.yaml 80-20.yaml", "v3.yaml": "pods.yaml rules-all.yaml services.yaml v3.yaml",
		"edge.yaml": "gateway.yaml pods.yaml rules.yaml services.yaml edge.yaml", "services.yaml": "pods.yaml services.yaml", "pods-2.yaml": "services.yaml pods-2.yaml",
		"shop.yaml": "shop.yaml", "none.yaml": "none.yaml",
	} {
		together := o.Together(filepath.Join(dir, file))
		var got []string
		for _, f := range together {
			got = append(got, filepath.Base(f))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
		if _, err := Read(o.From(together)); err != nil {
			t.Errorf("%s: the files contradict each other: %v", file, err)
		}
	}
}
