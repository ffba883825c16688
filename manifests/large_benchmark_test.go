package manifests

import (
	"fmt"
	"strings"
	"testing"
)

// many are services with a VirtualService each, of so many rules that look at paths, in the form of a match with %[1]d for the number.
func many(services, rules int, match string) string {
	var b strings.Builder
	for s := range services {
		fmt.Fprintf(&b, "apiVersion: v1\nkind: Service\nmetadata: {name: s%d}\nspec: {selector: {app: s%[1]d}, ports: [{name: http, port: 80, targetPort: 3000}]}\n---\n", s)
		fmt.Fprintf(&b, "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: s%d}\nspec:\n  hosts: [s%[1]d]\n  http:\n", s)
		for r := range rules {
			fmt.Fprintf(&b, "  - match: [{uri: {"+match+"}}]\n    route: [{destination: {host: s%[2]d}}]\n", r, s)
		}
		b.WriteString("---\n")
	}
	return b.String()
}

// BenchmarkManyRules reads 10,000 rules, and makes the table of one sidecar of them.
func BenchmarkManyRules(b *testing.B) {
	for _, c := range []struct{ services, rules int }{{1000, 10}, {10, 1000}} {
		text := many(c.services, c.rules, "prefix: /p%[1]d/")
		b.Run(fmt.Sprintf("services=%d", c.services), func(b *testing.B) {
			for b.Loop() {
				objects, err := Parse("many.yaml", []byte(text))
				if err != nil {
					b.Fatal(err)
				}
				rules, err := Read(objects)
				if err != nil {
					b.Fatal(err)
				}
				if rules.Table(Caller{}).Route(&Request{Host: "s9", Path: "/p9/"}).File == "" {
					b.Fatal("the request meets no rule")
				}
			}
		})
	}
}

// BenchmarkRouteAmong finds the last of 1,000 rules of one host.
func BenchmarkRouteAmong(b *testing.B) {
	for _, c := range []struct{ name, match, path string }{
		{"exact", "exact: /p%[1]d", "/p999"},
		{"prefix", "prefix: /p%[1]d/", "/p999/x"},
		{"regex", `regex: "/p%[1]d/.*"`, "/p999/x"},
	} {
		b.Run(c.name, func(b *testing.B) {
			objects, err := Parse("many.yaml", []byte(many(1, 1000, c.match)))
			if err != nil {
				b.Fatal(err)
			}
			rules, err := Read(objects)
			if err != nil {
				b.Fatal(err)
			}
			table, q := rules.Table(Caller{}), &Request{Host: "s0", Method: "GET", Path: c.path}
			if got := table.Route(q).Name; got != "VirtualService s0, http[999]" {
				b.Fatalf("got %s", got)
			}
			b.ReportAllocs()
			for b.Loop() {
				table.Route(q)
			}
		})
	}
}
