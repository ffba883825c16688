package manifests

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	networking "istio.io/api/networking/v1alpha3"
)

// TestChanged changes everything that the copied rules point at, and checks that the original rules stay as they were.
func TestChanged(t *testing.T) {
	everything := []string{subsets(t), middlewareOf("{match: [{headers: {x-a: {exact: a}}}], directResponse: {status: 200, body: {string: ours}}}, " +
		"{match: [{headers: {x-a: {exact: b}}}], redirect: {uri: /b}}, " +
		"{fault: {delay: {fixedDelay: 1s, percentage: {value: 10}}}, timeout: 9s, retries: {attempts: 3, retryOn: '500,503'}, " +
		"route: [{destination: {host: middleware, subset: prod}, weight: 9}, {destination: {host: middleware, subset: canary}, weight: 1}]}")}
	right, untouched := rulesOf(t, everything...), rulesOf(t, everything...)
	calls := 0
	changed := right.Changed(func(r *Rule) {
		calls++
		if r.Direct != nil {
			r.Direct.Status = 201
		}
		if r.Redirect != nil {
			r.Redirect.URI = "/c"
		}
		if r.Fault != nil {
			r.Fault.DelayShare = 1
			r.Split[0].Share, r.Split[1].Share = 0.5, 0.5
			r.Retry.SetOn("502,504")
			r.Retry.Attempts, r.Timeout = 7, time.Second
		}
	})
	if calls != 3 {
		t.Errorf("change was called %d times, want once for each of 3 http entries", calls)
	}
	look := func(r *Rules, value string) *Rule {
		return r.Table(Caller{}).Route(&Request{Host: "middleware", Path: "/", Header: http.Header{"X-A": {value}}})
	}
	if got := look(changed, "a").Direct; got.Status != 201 || got.Body != "ours" {
		t.Errorf("direct response: %+v, want 201 and the body", got)
	}
	if got := look(changed, "b").Redirect.URI; got != "/c" {
		t.Errorf("redirect: %q, want /c", got)
	}
	r := look(changed, "")
	if r.Fault.DelayShare != 1 || r.Split[0].Share != 0.5 || r.Retry.Attempts != 7 || r.Timeout != time.Second || r.Name != look(right, "").Name {
		t.Errorf("the third rule is %+v, want what was changed in it, and its name", r)
	}
	if r.Retry.On != "502,504" || r.Retry.Covers(Failure{Status: 500}) || !r.Retry.Covers(Failure{Status: 504}) {
		t.Errorf("the third rule retries on %s, want 502 and 504 alone", r.Retry.On)
	}
	if changed.Endpoints(&r.Split[1]) != right.Endpoints(&look(right, "").Split[1]) {
		t.Error("one destination has two Endpoints")
	}
	for _, value := range []string{"a", "b", ""} {
		if got, want := look(right, value), look(untouched, value); !reflect.DeepEqual(got, want) {
			t.Errorf("x-a %q: the original's rule is %+v now, want %+v", value, got, want)
		}
	}
}

func TestChangedLeavesHostsWithoutVirtualService(t *testing.T) {
	changed := rulesOf(t).Changed(func(r *Rule) { r.Retry.Attempts = 9 })
	if got := changed.Table(Caller{}).Route(&Request{Host: "backend", Path: "/"}).Retry; got.Attempts != defaultAttempts || !got.Default {
		t.Errorf("backend has %+v, want Istio's default", got)
	}
}

func TestRetryDefault(t *testing.T) {
	for policy, want := range map[string]bool{"": true, ", retries: {attempts: 2}": false, ", retries: {attempts: 0}": false} {
		r := rulesOf(t, subsets(t), middlewareOf("{"+toProd+policy+"}"))
		if got := r.Table(Caller{}).Route(&Request{Host: "middleware", Path: "/"}).Retry.Default; got != want {
			t.Errorf("policy %q: Default %v, want %v", policy, got, want)
		}
	}
}

// TestChangedMatches checks to which version a header leads, by the original rules and by the changed ones.
func TestChangedMatches(t *testing.T) {
	without := func(r *Rules) (*Rules, error) { return r.WithoutHeaderMatches(), nil }
	const none = "404 route_not_found"
	for _, c := range []struct {
		name, entries, value, path string
		change                     func(*Rules) (*Rules, error)
		right, want                string
	}{
		{"skipped", "{match: [{headers: {x-a: {exact: ab}}}], " + toCanary + "}, {" + toProd + "}", "ab", "/", without, "middleware-canary", "middleware-prod"},
		{"another entry of the list stays", "{match: [{headers: {x-a: {exact: ab}}}, {uri: {prefix: /a}}], " + toCanary + "}, {" + toProd + "}", "ab", "/a", without, "middleware-canary", "middleware-canary"},
		{"no other entry holds", "{match: [{headers: {x-a: {exact: ab}}}, {uri: {prefix: /a}}], " + toCanary + "}, {" + toProd + "}", "ab", "/b", without, "middleware-canary", "middleware-prod"},
		{"none of the list holds", "{match: [{headers: {x-a: {exact: ab}}}, {uri: {prefix: /a}}], " + toCanary + "}, {" + toProd + "}", "b", "/b", without, "middleware-prod", "middleware-prod"},
		{"no other rule holds", "{match: [{headers: {x-a: {exact: ab}}}], " + toCanary + "}, {match: [{uri: {prefix: /a}}], " + toProd + "}", "ab", "/b", without, "middleware-canary", none},
		{"withoutHeaders stays", "{match: [{withoutHeaders: {x-a: {exact: ab}}}], " + toCanary + "}, {" + toProd + "}", "b", "/", without, "middleware-canary", "middleware-canary"},
		{"exact", "{match: [{headers: {x-a: {exact: a.b}}}], " + toCanary + "}, {" + toProd + "}", "A.B", "/", (*Rules).IgnoringHeaderCase, "middleware-prod", "middleware-canary"},
		{"exact is no prefix", "{match: [{headers: {x-a: {exact: ab}}}], " + toCanary + "}, {" + toProd + "}", "ABC", "/", (*Rules).IgnoringHeaderCase, "middleware-prod", "middleware-prod"},
		{"prefix", "{match: [{headers: {x-a: {prefix: ab}}}], " + toCanary + "}, {" + toProd + "}", "ABC", "/", (*Rules).IgnoringHeaderCase, "middleware-prod", "middleware-canary"},
		{"regex", "{match: [{headers: {x-a: {regex: a|bc}}}], " + toCanary + "}, {" + toProd + "}", "BC", "/", (*Rules).IgnoringHeaderCase, "middleware-prod", "middleware-canary"},
		{"regex, whole", "{match: [{headers: {x-a: {regex: a|bc}}}], " + toCanary + "}, {" + toProd + "}", "ABC", "/", (*Rules).IgnoringHeaderCase, "middleware-prod", "middleware-prod"},
		{"presence", "{match: [{headers: {x-a: {}}}], " + toCanary + "}, {" + toProd + "}", "", "/", (*Rules).IgnoringHeaderCase, "middleware-canary", "middleware-canary"},
		{"uri keeps its case", "{match: [{uri: {prefix: /a}}], " + toCanary + "}, {" + toProd + "}", "", "/A", (*Rules).IgnoringHeaderCase, "middleware-prod", "middleware-prod"},
		{"withoutHeaders keeps its case", "{match: [{withoutHeaders: {x-a: {exact: ab}}}], " + toCanary + "}, {" + toProd + "}", "AB", "/", (*Rules).IgnoringHeaderCase, "middleware-canary", "middleware-canary"},
	} {
		right := rulesOf(t, subsets(t), middlewareOf(c.entries))
		changed, err := c.change(right)
		if err != nil {
			t.Fatal(err)
		}
		q := &Request{Host: "middleware", Path: c.path, Header: http.Header{"X-A": {c.value}}}
		if got := outcome(changed, changed.Table(Caller{}).Route(q)); got != c.want {
			t.Errorf("%s, changed: %s, want %s", c.name, got, c.want)
		}
		if got := outcome(right, right.Table(Caller{}).Route(q)); got != c.right {
			t.Errorf("%s, the original: %s, want %s", c.name, got, c.right)
		}
	}
}

func TestAllowingAny(t *testing.T) {
	root := strings.Replace(sidecarOf("{egress: [{hosts: ['*/*']}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}}"),
		"{name: default}", "{name: default, namespace: istio-system}", 1)
	right := rulesOf(t, root)
	open := right.AllowingAny()
	for _, namespace := range []string{Namespace, "other"} {
		q := &Request{Host: "nowhere.example", Path: "/"}
		if got := outcome(open, open.Table(Caller{Namespace: namespace}).Route(q)); got != "nowhere.example:80" {
			t.Errorf("namespace %s, open: %s, want the host itself", namespace, got)
		}
		if got := outcome(right, right.Table(Caller{Namespace: namespace}).Route(q)); got != "502 direct_response" {
			t.Errorf("namespace %s, the original: %s, want 502", namespace, got)
		}
	}
}

// The proxies of these rules know fewer names, and the original keeps them.
func TestNamesThatAreNotKnown(t *testing.T) {
	right := rulesOf(t, subsets(t), middlewareOf("{"+toCanary+"}"))
	q := &Request{Host: "middleware.default.svc.cluster.local.", Path: "/"}
	if got := right.Table(Caller{}).Route(q); got.File == "" || len(got.Split) != 1 {
		t.Errorf("with a dot: %+v, want the rule of the VirtualService", got)
	}
	if got := right.WithoutAbsoluteNames().Table(Caller{}).Route(q); !strings.HasPrefix(got.Name, "outside the registry") {
		t.Errorf("without names that end with a dot: %s", got.Name)
	}
	door := "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: door}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*.example.com', exact.example.org]}]}\n"
	rules := strings.Replace(middlewareOf("{route: [{destination: {host: middleware}}]}"), "hosts: [middleware]", "hosts: ['*.example.com', exact.example.org], gateways: [door]", 1)
	right = rulesOf(t, door, rules)
	for host, want := range map[string]bool{"a.example.com": true, "a.example.com:80": true, "a.example.com:8443": false, "exact.example.org:8443": true} {
		caller, q := Caller{Gateway: "default/door"}, &Request{Host: host, Path: "/"}
		if got := right.WithPortsInWildcards().Table(caller).Route(q).File != ""; got != want {
			t.Errorf("%s meets the rule: %v, want %v", host, got, want)
		}
		if right.Table(caller).Route(q).File == "" {
			t.Errorf("%s does not meet the rule of the original", host)
		}
	}
}

// Changed copies are read, and the original stays as it is.
func TestReread(t *testing.T) {
	right := rulesOf(t, subsets(t), middlewareOf("{"+toCanary+"}"))
	changed, err := right.Reread(func(objects []Object) []Object {
		for i := range objects {
			if spec, ok := objects[i].Istio.(*networking.VirtualService); ok {
				spec.Http[0].Route[0].Destination.Subset = "prod"
			}
		}
		return objects
	})
	if err != nil {
		t.Fatal(err)
	}
	q := &Request{Host: "middleware", Path: "/"}
	if was, is := right.Table(Caller{}).Route(q).Split[0].Subset, changed.Table(Caller{}).Route(q).Split[0].Subset; was != "canary" || is != "prod" {
		t.Errorf("the original leads to %s and the changed rules to %s", was, is)
	}
	_, err = right.Reread(func(objects []Object) []Object { return append(objects, objects[0]) })
	if err == nil {
		t.Error("an object that is there twice is no problem")
	}
}
