package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// files writes files into a folder, and returns it.
func files(t *testing.T, texts map[string]string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

const (
	payment = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: payment, namespace: payments}\nspec:\n  hosts: [payment]\n  http:\n  - route: [{destination: {host: payment, subset: stable}}]\n"
	stable  = "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: NAME, namespace: SPACE}\nspec: {host: HOST, subsets: [{name: SUBSET, labels: {version: v1}}]}\n"
	inShop  = "payment.payments.svc.cluster.local"
	dashes  = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: payment, namespace: payments}\nspec:\n  hosts: [payment]\n  http:\n  - match: [{uri: {prefix: /pay}}, {headers: {x-canary: {exact: 'true'}}}]\n    route: [{destination: {host: payment}}]\n" +
		"  - match: [{uri: {prefix: /pay/card}}]\n    route: [{destination: {host: payment}}]\n"
	tls       = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: stripe}\nspec: {hosts: [api.stripe.com], location: MESH_EXTERNAL, resolution: DNS, ports: [{number: 443, name: https, protocol: TLS}]}\n"
	grpcRoute = "apiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute\nmetadata: {name: payment}\n"
)

func subsets(name, namespace, host, subset string) string {
	return strings.NewReplacer("NAME", name, "SPACE", namespace, "HOST", host, "SUBSET", subset).Replace(stable)
}

// What explain says of somebody's files is true for each of the callers, and says what is not known of them.
func TestExplainWords(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		code int
		want []string
	}{
		"a subset for the callers of one namespace": {payment + subsets("a", "shop", inShop, "stable"), 1,
			[]string{"DestinationRule a (FILE:9) defines it for callers in namespace shop alone. The proxy answers 503 to all of the calls to payment from outside namespace shop that meet the rule."}},
		"a subset for the callers of two namespaces": {payment + subsets("a", "shop", inShop, "stable") + subsets("b", "cart", inShop, "stable"), 1,
			[]string{"define it for callers in the namespaces shop and cart alone. The proxy answers 503 to all of the calls to payment from outside the namespaces shop and cart that meet the rule."}},
		"a subset that another one hides": {payment + subsets("a", "payments", inShop, "other") + subsets("b", "istio-system", inShop, "stable"), 1,
			[]string{"DestinationRule b (FILE:14) defines it, and for these calls Istio obeys DestinationRule a (FILE:9) in its place, which is in namespace payments. The proxy answers 503 to all of the calls to payment that meet the rule."}},
		"a subset of a namesake": {payment + subsets("a", "shop", "payment", "stable"), 1,
			[]string{`no DestinationRule for host payment.payments defines a subset; DestinationRule a (FILE:9) defines it for payment.shop, since its host "payment" is a short name, and its namespace is shop. The proxy`}},
		"a subset of a namesake in no namespace": {payment + strings.Replace(subsets("a", "x", "payment", "stable"), ", namespace: x", "", 1), 1,
			[]string{"its namespace is default, as that of every object for which a file names none. The proxy"}},
		"a dash too many": {dashes, 1, []string{"The items of match of VirtualService payment, http[0] are alternatives, so that a request meets it by match[0], uri, or by match[1], headers, alone; if both"}},
		"kinds that are not executed": {payment + subsets("a", "payments", "payment", "stable") + "---\n" + grpcRoute, 0,
			[]string{"PASS 0 errors in 1 rule", "! NOT EXECUTED: 1 GRPCRoute (first FILE:14)."}},
		"no kind that is executed": {grpcRoute, 2, []string{"there is no rule to verify", "NOT EXECUTED: 1 GRPCRoute (first FILE:1). hellochaos does not execute this kind."}},
		"a host of TLS":            {tls, 2, []string{"there is no rule to verify", "Host api.stripe.com of ServiceEntry stripe (FILE:4) has no port of HTTP"}},
		"a scenario":               {"apiVersion: hellochaos/v1\nkind: Scenario\nname: x\n", 2, []string{"FILE:1: is a scenario, which is tested by: hellochaos run FILE"}},
		"two objects in one":       {payment + strings.TrimPrefix(subsets("a", "payments", "payment", "stable"), "---\n"), 2, []string{"FILE:8: document 1: apiVersion: is written twice, first in line 1: write a line --- between two objects"}},
	} {
		file := filepath.Join(files(t, map[string]string{"own.yaml": c.text}), "own.yaml")
		got := usage(t, "explain", "-f", file)
		text := strings.ReplaceAll(strings.Join(strings.Fields(got.stdout+got.stderr), " "), file, "FILE")
		for _, want := range c.want {
			if got.code != c.code || !strings.Contains(text, want) {
				t.Errorf("%s: exit code %d, want %d and %q\n%s", name, got.code, c.code, want, text)
			}
		}
	}
}

// Where files are alternatives, the commands are of those with rules, and the alternatives are named beside what else is wrong.
func TestAlternativesWords(t *testing.T) {
	texts := map[string]string{"a.yaml": strings.TrimPrefix(subsets("a", "payments", "payment", "stable"), "---\n"), "b.yaml": strings.TrimPrefix(subsets("a", "payments", "payment", "stable"), "---\n"),
		"c.yaml": payment, "d.yaml": payment}
	folder := files(t, texts)
	got := usage(t, "explain", "-f", folder)
	if want := "such as:\n    hellochaos verify -f " + folder + "/a.yaml -f " + folder + "/c.yaml\n"; got.code != 2 || !strings.Contains(got.stderr, want) ||
		!strings.Contains(got.stderr, "some of the files in "+folder+" are alternatives") || !strings.Contains(got.stderr, "VirtualService payment in namespace payments: c.yaml:1 and d.yaml:1\n") {
		t.Errorf("exit code %d, want %q in\n%s", got.code, want, got.stderr)
	}
	texts["e.yaml"] = strings.Replace(payment, "hosts:", "hots:", 1)
	got = usage(t, "explain", "-f", files(t, texts))
	for _, want := range []string{"hots: unknown field", "c.yaml:1: defines VirtualService payment in namespace payments, as d.yaml:1 does: they are alternatives"} {
		if got.code != 2 || !strings.Contains(got.stderr, want) {
			t.Errorf("exit code %d, want %q in\n%s", got.code, want, got.stderr)
		}
	}
}

// A command or flag that is not the one for somebody's own manifests says which one is.
func TestSignposts(t *testing.T) {
	folder := files(t, map[string]string{"own.yaml": payment})
	file := filepath.Join(folder, "own.yaml")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"verify", folder}, "each file or folder with manifests needs -f before it: hellochaos verify -f " + folder + "\n"},
		{[]string{"explain", "-f", folder, file}, "hellochaos explain -f " + folder + " -f " + file + "\n"},
		{[]string{"verify", "-f", folder, "share", "="}, `"share": each word must be a flag or the value of one`},
		{[]string{"verfy", "-f", folder}, `no command "verfy" (did you mean "verify"?)`},
		{[]string{"lint", "-f", folder}, "; manifests of your own are proved by: hellochaos verify -f " + folder + "\n"},
		{[]string{"test", "--graph", "my shop.yaml"}, "; manifests of your own are proved by: hellochaos verify --graph 'my shop.yaml'\n"},
		{[]string{"validate", "-f", folder}, "unknown shorthand flag: 'f' in -f ('hellochaos verify -f FILE' has this flag)"},
		{[]string{"run", "--graph", file}, "unknown flag: --graph ('hellochaos verify --graph FILE' has this flag)"},
		{[]string{"plan", "-f", folder}, "; manifests of your own are proved without a stage: hellochaos verify -f " + folder + "\n"},
		{[]string{"run", file}, "own.yaml:1: is the VirtualService of a manifest (apiVersion networking.istio.io/v1), and must be a Scenario (apiVersion hellochaos/v1); manifests are proved by: hellochaos verify -f " + file + "\n"},
		{[]string{"validate", folder}, "is a folder, and must be a scenario file; a folder of manifests is proved by: hellochaos verify -f " + folder + "\n"},
	} {
		if got := usage(t, c.args...); got.code != 2 || !strings.Contains(got.stderr, c.want) || strings.Contains(got.stderr, "note: ") {
			t.Errorf("%q: exit code %d, want %q\n%s", c.args, got.code, c.want, got.stderr)
		}
	}
}
