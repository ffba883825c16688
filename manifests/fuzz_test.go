package manifests

import (
	"errors"
	"net/http"
	"testing"
)

// FuzzParse checks that Parse returns either Objects or Problems and never panics, and that Read and Route work on everything that
// Parse accepts.
func FuzzParse(f *testing.F) {
	for _, stage := range tutorial {
		text, err := BundledYAML(stage + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "middleware:80", "/a/../b?c=d")
	}
	for _, seed := range []string{
		"a: &x [*x]", "a: &x {<<: *x}", "a: &x {b: 1}\nc: {<<: [*x, {d: 2}], e: *x}", "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Namespace, metadata: {name: a}}]", bomb(9),
		"- - - -", "{a: .inf}", "? [a]\n: b", "%YAML 1.1\n---\na: 2001-01-01", "a: !!binary x", "\x00", "--- a\n...\n",
		httpEntry("{match: [{queryParams: {a: {regex: b}}, withoutHeaders: {a: {}}}], " + toM + "}"),
		httpEntry("{match: [{uri: {prefix: /a}, port: 80}], " + toM + ", rewrite: {uri: /b, authority: c}, headers: {request: {set: {a: b}, add: {host: c}, remove: [d]}}}"),
		httpEntry("{" + toM + `, rewrite: {uriRegexRewrite: {match: "(a)|$b", rewrite: "\\\\0$1"}}}`),
		httpEntry("{match: [{uri: {prefix: /a}}], delegate: {name: d}}") + "---\n" + delegateOf("d", "default", "{match: [{uri: {exact: /a/b}}], redirect: {uri: /c}}"),
	} {
		f.Add([]byte(seed), "", "")
	}
	application := Application()
	f.Fuzz(func(t *testing.T, data []byte, host, path string) {
		objects, err := Parse("f.yaml", data)
		if err != nil {
			var problems Problems
			if !errors.As(err, &problems) || len(problems) == 0 || objects != nil {
				t.Fatalf("error %v with %d objects, want Problems alone", err, len(objects))
			}
			return
		}
		split, _ := toCanaryOf.Apply(Overlay(application, objects), 20)
		r, err := Read(split)
		if err != nil {
			var problems Problems
			if !errors.As(err, &problems) || len(problems) == 0 || r != nil {
				t.Fatalf("error %v with rules %v, want Problems alone", err, r)
			}
			return
		}
		callers := []Caller{{Namespace: Namespace}}
		for name := range r.Gateways {
			callers = append(callers, Caller{Gateway: name})
		}
		for _, c := range callers {
			rule := r.Table(c).Route(&Request{Host: host, Method: "GET", Path: NormalPath(path), Header: http.Header{"A": {"b"}}})
			for _, e := range r.HTTPEntries() {
				for i := range e.Destinations {
					r.Gap(&e.Destinations[i].Destination)
				}
				q := Request{Host: host, Method: "GET", Path: NormalPath(path), Header: http.Header{"A": {"b"}}}
				if miss := e.Miss(c, &q); miss != nil && e.Name == rule.Name && e.File == rule.File && e.Line == rule.Line && len(objects) == 1 {
					t.Fatalf("%s is met by a request, and Miss says %+v", e.Name, miss)
				}
			}
			for i := range rule.Split {
				q := Request{Host: host, Method: "GET", Path: NormalPath(path), Header: http.Header{"A": {"b"}}}
				rule.Rewritten(&q, &rule.Split[i])
				rule.Split[i].Request.Changed(q.Header)
			}
			set := 0
			for _, present := range []bool{len(rule.Split) > 0, rule.Direct != nil, rule.Redirect != nil} {
				if present {
					set++
				}
			}
			if set != 1 {
				t.Fatalf("%+v: %d of Split, Direct and Redirect are set, want one", rule, set)
			}
			for _, draw := range []float64{0, .5, .9999} {
				if d := rule.Pick(draw); (d == nil) != (rule.Split == nil) {
					t.Fatalf("%+v: Pick(%v) = %v", rule, draw, d)
				}
			}
		}
	})
}
