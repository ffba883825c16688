package derive

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/standins"
)

const head = "apiVersion: networking.istio.io/v1\nkind: "

// virtualService is a VirtualService with http entries in flow style.
func virtualService(name, spec string, entries ...string) string {
	return head + "VirtualService\nmetadata: {name: " + name + "}\nspec: {" + spec + ", http: [" + strings.Join(entries, ", ") + "]}\n---\n"
}

const subsets = head + "DestinationRule\nmetadata: {name: reviews}\nspec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}\n---\n"

const (
	toV1, toV2 = "route: [{destination: {host: reviews, subset: v1}}]", "route: [{destination: {host: reviews, subset: v2}}]"
	split      = "route: [{destination: {host: reviews, subset: v1}, weight: 80}, {destination: {host: reviews, subset: v2}, weight: 20}]"
)

// derived are the cohorts of rules with stand-ins.
func derived(t testing.TB, yaml string) (*manifests.Rules, []scenarios.Cohort) {
	t.Helper()
	objects, err := manifests.Parse("mine.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	set, err := standins.Of(objects)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := manifests.Read(set.Objects)
	if err != nil {
		t.Fatal(err)
	}
	return rules, Cohorts(rules, set.Clients, standins.Client)
}

// met is the rule that a cohort meets: "http[0]", or the status that its proxy answers where no rule is for it.
func met(t testing.TB, rules *manifests.Rules, c *scenarios.Cohort) string {
	t.Helper()
	caller, proxied, err := rules.CallerOf(c.Entry)
	if err != nil || !proxied {
		t.Fatalf("%s enters by %+v: %v", c.Name, c.Entry, err)
	}
	rule := rules.Table(caller).Route(&manifests.Request{Host: c.Host, Method: c.Method, Path: c.Path, Header: c.Header})
	if rule.File == "" {
		if rule.Direct != nil {
			return fmt.Sprint(rule.Direct.Status)
		}
		return "default"
	}
	_, entry, _ := strings.Cut(strings.TrimPrefix(rule.Name, "VirtualService "), ", ")
	return entry
}

// Each rule is met, and so is what comes near to it.
func TestCohorts(t *testing.T) {
	for name, c := range map[string]struct {
		yaml string
		want []string // the name of each cohort, and what it meets
	}{
		"a header, and all else split": {
			subsets + virtualService("reviews", "hosts: [reviews]", "{match: [{headers: {end-user: {exact: jason}}}], "+toV2+"}", "{"+split+"}"),
			[]string{"reviews end-user: jason → http[0]", "reviews → http[1] ×20", "reviews end-user: hellochaos → http[1]", "reviews end-user: JASON → http[1]",
				"reviews.default.svc.cluster.local. end-user: jason → http[0]"},
		},
		"paths": {
			subsets + virtualService("reviews", "hosts: [reviews]", "{match: [{uri: {exact: /a}}, {uri: {prefix: /b/}}, {uri: {regex: '/v[0-9]+'}}], "+toV2+"}", "{match: [{uri: {prefix: /c}}], "+toV1+"}"),
			[]string{"reviews /a → http[0]", "reviews /b/ → http[0]", "reviews /v0 → http[0]", "reviews /c → http[1]",
				"reviews /a/hellochaos → 404", "reviews /A → 404", "reviews /hellochaos → 404", "reviews /B/ → 404", "reviews /b → 404", "reviews /v0/hellochaos → 404", "reviews /V0 → 404", "reviews /C → 404", "reviews → 404", "reviews.default.svc.cluster.local. /a → http[0]"},
		},
		"methods, queries, and headers that must be absent": {
			subsets + virtualService("reviews", "hosts: [reviews]", "{match: [{method: {exact: DELETE}}, {queryParams: {debug: {exact: 'yes'}}, withoutHeaders: {x-old: {}}}], "+toV2+"}", "{"+toV1+"}"),
			[]string{"DELETE reviews → http[0]", "reviews /?debug=yes → http[0]", "reviews → http[1]", "POST reviews → http[1]", "reviews /?debug=yes x-old: hellochaos → http[1]",
				"reviews /?debug=hellochaos → http[1]", "reviews /?debug=YES → http[1]", "DELETE reviews.default.svc.cluster.local. → http[0]"},
		},
		"a rule behind those that take its plainest requests": {
			subsets + virtualService("reviews", "hosts: [reviews]", "{match: [{uri: {exact: /}}, {method: {exact: GET}}], "+toV2+"}", "{"+toV1+"}"),
			[]string{"reviews → http[0]", "POST reviews /hellochaos → http[1]", "reviews.default.svc.cluster.local. → http[0]"},
		},
		"a shadowed rule": {
			subsets + virtualService("reviews", "hosts: [reviews]", "{match: [{uri: {prefix: /}}], "+toV2+"}", "{match: [{headers: {end-user: {exact: jason}}}], "+toV1+"}"),
			[]string{"reviews → http[0]", "reviews end-user: jason → http[0]", "reviews.default.svc.cluster.local. → http[0]"},
		},
		"a gateway": {
			head + "Gateway\nmetadata: {name: door}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*.example.com']}]}\n---\n" + subsets +
				virtualService("reviews", "hosts: ['*'], gateways: [door]", "{match: [{uri: {exact: /r}}], "+toV2+"}"),
			[]string{"hellochaos.example.com /r, by gateway door → http[0]", "hellochaos.example.com /r/hellochaos, by gateway door → 404", "hellochaos.example.com /R, by gateway door → 404",
				"hellochaos.example.com /hellochaos, by gateway door → 404", "hellochaos.example.com:8443 /r, by gateway door → http[0]", "reviews → default"},
		},
		"another port, and a host outside": {
			"apiVersion: v1\nkind: Service\nmetadata: {name: reviews}\nspec: {selector: {app: reviews}, ports: [{name: http, port: 9080, targetPort: 3000}]}\n---\n" +
				virtualService("reviews", "hosts: [reviews]", "{route: [{destination: {host: reviews}}]}") +
				head + "ServiceEntry\nmetadata: {name: time}\nspec: {hosts: [time.example.com], location: MESH_EXTERNAL, resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}\n",
			[]string{"reviews:9080 → http[0]", "reviews.default.svc.cluster.local.:9080 → http[0]", "time.example.com → default"},
		},
		"another namespace": {
			strings.ReplaceAll(virtualService("orders", "hosts: [orders]", "{route: [{destination: {host: orders}}]}"), "{name: orders}", "{name: orders, namespace: shop}"),
			[]string{"orders, from namespace shop → http[0]", "orders.shop.svc.cluster.local., from namespace shop → http[0]"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			rules, cohorts := derived(t, c.yaml)
			var got []string
			for i := range cohorts {
				text := cohorts[i].Name + " → " + met(t, rules, &cohorts[i])
				if cohorts[i].Weight > 0 {
					text += fmt.Sprintf(" ×%d", cohorts[i].Weight)
				}
				got = append(got, text)
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

// So many rules have so many cohorts at most, and each rule is met before the near misses are made.
func TestMostCohorts(t *testing.T) {
	var entries []string
	for i := range MostCohorts/2 + 100 {
		entries = append(entries, fmt.Sprintf("{match: [{uri: {exact: /%d}}], route: [{destination: {host: reviews}}]}", i))
	}
	_, cohorts := derived(t, virtualService("reviews", "hosts: [reviews]", entries...))
	if last := cohorts[len(entries)-1]; len(cohorts) != MostCohorts || last.Path != fmt.Sprintf("/%d", len(entries)-1) {
		t.Errorf("%d cohorts, and rule %d is met by %q", len(cohorts), len(entries), last.Name)
	}
}

// FuzzMatching checks that examples match their expression, unless none is found.
func FuzzMatching(f *testing.F) {
	for _, seed := range []string{"a", "^(.*?;)?(user=jason)(;.*)?$", "[^a]{2,}", "(?s).+", `\pL*`, "((((a*)*)*)*)*", "x{500}y{500}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		if len(expression) > 1024 { // Istio refuses longer ones
			return
		}
		all := matching(expression)
		whole, err := regexp.Compile(`\A(?:` + expression + `)\z`)
		for _, one := range all {
			if err == nil && !whole.MatchString(one) && one != expression {
				t.Errorf("%q does not match %q", one, expression)
			}
		}
	})
}

// However many rules there are, each has a request that meets it.
func TestManyEntries(t *testing.T) {
	var http strings.Builder
	for i := range MostCohorts + 10 {
		fmt.Fprintf(&http, "    - {match: [{uri: {exact: /%d}}], directResponse: {status: 200}}\n", i)
	}
	objects, err := manifests.Parse("f.yaml", []byte(base+"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: one}\nspec:\n  hosts: [one]\n  http:\n"+http.String()))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := manifests.Read(objects)
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]bool{}
	for _, cohort := range Cohorts(rules, []string{"default"}, "client") {
		paths[cohort.Path] = true
	}
	if last := fmt.Sprintf("/%d", MostCohorts+9); !paths[last] || len(paths) != MostCohorts+10 {
		t.Errorf("%d paths, want %d, of which one is %s", len(paths), MostCohorts+10, last)
	}
}

// What is made for an expression matches it, each string is another one, and the plainest comes first.
func TestMatching(t *testing.T) {
	for expression, want := range map[string]string{
		"/v[0-9]+":                     "/v0 /v11 /v222 /v3333",
		"(one|two)":                    "one two",
		"[^a-z/]":                      "A B C D",
		"/a?":                          "/ /a",
		"^(x;)?(user=jason)(;.*)?$":    "user=jason x;user=jason;a x;user=jason;aa x;user=jason;aaa",
		"(":                            "(",
		`\bno\B`:                       `\bno\B`,
		"/[é]":                         "/é",
		"/(api|static)/[a-z]{2}\\.css": "/api/aa.css /static/bb.css /static/cc.css /static/dd.css",
	} {
		if got := strings.Join(matching(expression), " "); got != want {
			t.Errorf("%s: %q, want %q", expression, got, want)
		}
	}
}

// A request that somebody asks for enters at each proxy that has rules for its host, and else by a client, or at a Gateway.
func TestAt(t *testing.T) {
	gateway := head + "Gateway\nmetadata: {name: door}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n---\n"
	both := gateway + virtualService("shop", "hosts: ['*.example.com', reviews], gateways: [door, mesh]", "{"+toV1+"}")
	other := strings.ReplaceAll(virtualService("orders", "hosts: [orders]", "{route: [{destination: {host: orders}}]}"), "{name: orders}", "{name: orders, namespace: shop}")
	port := "apiVersion: v1\nkind: Service\nmetadata: {name: reviews}\nspec: {selector: {app: reviews}, ports: [{name: http, port: 9080}]}\n---\n" +
		virtualService("reviews", "hosts: [reviews]", "{route: [{destination: {host: reviews}}]}")
	alone := gateway + virtualService("shop", "hosts: [shop.example.com], gateways: [door]", "{route: [{destination: {host: shop}}]}")
	lost := strings.ReplaceAll(gateway, "'*'", "shop.example.com") + virtualService("shop", "hosts: [cart]", "{route: [{destination: {host: cart}}]}")
	every := gateway + virtualService("shop", "hosts: ['*'], gateways: [door]", "{route: [{destination: {host: shop}}]}") + virtualService("cart", "hosts: [cart]", "{route: [{destination: {host: cart}}]}") + before(port, "---")
	for _, c := range []struct {
		yaml, host string
		want       []string
	}{
		{lost, "shop.example.com", []string{"PUT shop.example.com /x, by gateway door"}},
		{every, "reviews", []string{"PUT reviews:9080 /x"}},
		{every, "a.example.com", []string{"PUT a.example.com /x, by gateway door"}},
		{both, "a.example.com", []string{"PUT a.example.com /x, by gateway door", "PUT a.example.com /x"}},
		{both, "reviews.default.svc.cluster.local:80", []string{"PUT reviews.default.svc.cluster.local:80 /x, by gateway door", "PUT reviews.default.svc.cluster.local:80 /x"}},
		{both, "nowhere.example.org", []string{"PUT nowhere.example.org /x"}},
		{other, "orders", []string{"PUT orders /x, from namespace shop"}},
		{other, "orders.shop.svc.cluster.local", []string{"PUT orders.shop.svc.cluster.local /x, from namespace shop"}},
		{port, "reviews", []string{"PUT reviews:9080 /x"}},
		{alone, "nowhere.example.org", []string{"PUT nowhere.example.org /x, by gateway door"}},
	} {
		objects, err := manifests.Parse("mine.yaml", []byte(c.yaml))
		if err != nil {
			t.Fatal(err)
		}
		set, err := standins.Of(objects)
		if err != nil {
			t.Fatal(err)
		}
		rules, err := manifests.Read(set.Objects)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, cohort := range Spelt(rules, set.Clients, standins.Client, Wanted{Host: c.host, Method: "PUT", Path: "/x"}) {
			got = append(got, cohort.Name)
			if _, _, err := rules.CallerOf(cohort.Entry); err != nil {
				t.Errorf("%s: %v", cohort.Name, err)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.host, got, c.want)
		}
	}
}

// before is what stands in front of a mark.
func before(text, mark string) string {
	text, _, _ = strings.Cut(text, mark)
	return text
}
