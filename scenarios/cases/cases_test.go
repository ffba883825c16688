package cases

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/standins"
)

// shop are rules for a host in the mesh and for one at a gateway, and a delegate.
const shop = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example.com]
  gateways: [door]
  http:
    - match: [{uri: {prefix: /cart}, headers: {x-beta: {exact: 'yes'}}}]
      rewrite: {uri: /basket}
      headers: {request: {set: {x-seen: '1'}}}
      route: [{destination: {host: cart, port: {number: 80}}}]
    - match: [{uri: {prefix: /pay}}]
      delegate: {name: pay}
    - match: [{uri: {exact: /old}}]
      redirect: {uri: /new}
    - match: [{uri: {exact: /half}}]
      fault: {abort: {percentage: {value: 50}, httpStatus: 418}}
      route: [{destination: {host: cart}, weight: 90}, {destination: {host: pay}, weight: 10}]
    - match: [{queryParams: {v: {exact: '2'}}}]
      fault: {abort: {percentage: {value: 100}, httpStatus: 403}}
      route: [{destination: {host: cart}, weight: 90}, {destination: {host: pay}, weight: 10}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: pay}
spec: {http: [{route: [{destination: {host: pay}}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: stock}
spec: {hosts: [stock], http: [{match: [{method: {exact: POST}}], route: [{destination: {host: stock}}]}]}
`

// judged holds the cases of a text against the shop.
func judged(t testing.TB, yaml string) *Judgement {
	t.Helper()
	objects, err := manifests.Parse("shop.yaml", []byte(shop))
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
	suite, err := read(t, yaml)
	if err != nil {
		t.Fatal(err)
	}
	return suite.Judge(rules, set.Clients, standins.Client, "verify")
}

// read reads a text as the file test.yaml.
func read(t testing.TB, yaml string) (*Suite, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("test.yaml", []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	return Read([]string{"test.yaml"})
}

// at is a request for the shop's host.
func at(path string) string {
	return "request: {authority: [shop.example.com], method: [GET], uri: ['" + path + "']}"
}

// A case holds where each part that it names is that of the rule, or, with wantMatch: false, where none is.
func TestJudge(t *testing.T) {
	const cart = "request: {authority: [shop.example.com], method: [GET, PUT], uri: [/cart, /cart/1], headers: {X-Beta: 'yes'}}"
	for name, c := range map[string]struct {
		body string
		want string // a part of the finding; empty where the case holds
	}{
		"all parts":                  {"wantMatch: true, " + cart + ", route: [{destination: {host: cart, port: {number: 80}}}], rewrite: {uri: /basket}, headers: {request: {set: {x-seen: '1'}}}", ""},
		"the full name of the host":  {"wantMatch: true, " + cart + ", route: [{destination: {host: cart.default.svc.cluster.local, port: {number: 80}}}]", ""},
		"one part of two":            {"wantMatch: true, " + cart + ", rewrite: {uri: /basket}, headers: {request: {set: {x-seen: '2'}}}", `It must have the headers {request: {set: {x-seen: "2"}}}, and has {request: {set: {x-seen: "1"}}}. The case does not hold for 4 of its 4 requests.`},
		"as written, with the port":  {"wantMatch: true, " + cart + ", route: [{destination: {host: cart}}]", "VirtualService shop, http[0] (shop.yaml:13): it goes to cart.default. It must have the route [{destination: {host: cart}}], and has [{destination: {host: cart, port: {number: 80}}}]."},
		"neither part, as wanted":    {"wantMatch: false, " + cart + ", route: [{destination: {host: pay}}], rewrite: {uri: /pay}", ""},
		"one part that must not be":  {"wantMatch: false, " + cart + ", route: [{destination: {host: pay}}], rewrite: {uri: /basket}", "It must not have the rewrite {uri: /basket}, and does (wantMatch is false)."},
		"wantMatch is false unsaid":  {cart + ", route: [{destination: {host: pay}}]", ""},
		"no rule":                    {"wantMatch: true, " + at("/else") + ", route: [{destination: {host: pay}}]", "meets no rule of the files (the conditions of none of the rules for host shop.example.com hold at Gateway default/door): the proxy answers 404. A rule with the route [{destination: {host: pay}}] is expected."},
		"no rule, as wanted":         {"wantMatch: false, " + at("/else") + ", route: [{destination: {host: pay}}]", ""},
		"a redirect":                 {"wantMatch: true, " + at("/old") + ", redirect: {uri: /new}", ""},
		"another redirect":           {"wantMatch: true, " + at("/old") + ", redirect: {uri: /newer}", "the proxy answers 301, a redirect. It must have the redirect {uri: /newer}, and has {uri: /new}."},
		"a fault, by the query":      {"wantMatch: true, " + at("/?v=2") + ", fault: {abort: {percentage: {value: 100}, httpStatus: 403}}, route: [{destination: {host: cart}, weight: 90}, {destination: {host: pay}, weight: 10}]", ""},
		"another weight":             {"wantMatch: true, " + at("/?v=2") + ", route: [{destination: {host: cart}, weight: 10}, {destination: {host: pay}, weight: 90}]", "the proxy answers 403. It must have the route"},
		"half of them":               {"wantMatch: true, " + at("/half") + ", redirect: {uri: /}", "it goes to cart.default (90 %) or pay.default (10 %), unless it is among the 50 % that the proxy answers 418. It must have the redirect {uri: /}, and has none."},
		"a delegate":                 {"wantMatch: true, " + at("/pay/1") + ", delegate: {name: pay}, route: [{destination: {host: pay}}]", ""},
		"a delegate elsewhere":       {"wantMatch: true, " + at("/pay/1") + ", delegate: {name: pay, namespace: bank}", "and is of the delegate {name: pay, namespace: default}."},
		"nobody delegates":           {"wantMatch: true, " + at("/old") + ", delegate: {name: pay}", "It must have the delegate {name: pay}, and nobody delegates to it."},
		"a caller in the mesh":       {"wantMatch: true, request: {authority: [stock, stock.default.svc.cluster.local], method: [POST], uri: [/]}, route: [{destination: {host: stock}}]", ""},
		"a host that nobody has":     {"wantMatch: false, request: {authority: [nowhere.example.com], method: [POST], uri: [/]}, route: [{destination: {host: stock}}]", ""},
		"one of two methods":         {"wantMatch: true, request: {authority: [stock], method: [GET, POST], uri: [/]}, route: [{destination: {host: stock}}]", "The case does not hold for 1 of its 2 requests."},
		"a header that nobody sends": {"wantMatch: true, " + at("/cart") + ", rewrite: {uri: /basket}", "A rule with the rewrite {uri: /basket} is expected."},
	} {
		t.Run(name, func(t *testing.T) {
			done := judged(t, "testCases:\n- {description: a case, "+c.body+"}\n")
			if c.want == "" {
				if done.Held != 1 || len(done.NotMet) > 0 {
					t.Errorf("%d cases hold, findings %+v", done.Held, done.NotMet)
				}
				return
			}
			if len(done.NotMet) != 1 || done.Held != 0 {
				t.Fatalf("%d cases hold, and %d findings", done.Held, len(done.NotMet))
			}
			f := done.NotMet[0]
			if f.ID != NotMet || f.Severity != "error" || f.Phase != "verify" || f.File != "test.yaml" || f.Line != 2 || f.Object != `test case "a case"` || !strings.Contains(f.Text, c.want) {
				t.Errorf("%+v, want the text %q", f, c.want)
			}
		})
	}
}

// The requests of all cases are cohorts, each once, that enter where the rule of their host is.
func TestCohorts(t *testing.T) {
	done := judged(t, `testCases:
- request: {authority: [shop.example.com, stock], method: [GET, POST], uri: [/, 'http://other/a/../b?c=d']}
  route: [{destination: {host: nobody}}]
- request: {authority: [stock], method: [GET, HEAD], uri: [/]}
  route: [{destination: {host: nobody}}]
- request: {authority: [stock], method: [GET], uri: [/], headers: {Accept: text/html}}
  route: [{destination: {host: nobody}}]
`)
	var got []string
	for _, c := range done.Cohorts {
		got = append(got, c.Name)
	}
	want := []string{"shop.example.com, by gateway door", "POST shop.example.com, by gateway door", "stock", "POST stock",
		"shop.example.com /b?c=d, by gateway door", "POST shop.example.com /b?c=d, by gateway door", "stock /b?c=d", "POST stock /b?c=d"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	unsent := []string{`Compared with the rules alone, and not sent, since hellochaos sends no HEAD: 1 request of the test case "testCases[1]" (test.yaml:4).`,
		`Compared with the rules alone, and not sent, since hellochaos sets the header accept itself: 1 request of the test case "testCases[2]" (test.yaml:6).`}
	if !slices.Equal(done.Unsent, unsent) || done.Held != 3 {
		t.Errorf("%d hold; not sent: %q", done.Held, done.Unsent)
	}
}

// Bad files are refused with everything that is wrong with them.
func TestReadRefuses(t *testing.T) {
	const ok = "request: {authority: [a], method: [GET], uri: [/]}"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"nothing":                {"", []string{"test.yaml: has no testCases"}},
		"another file":           {"apiVersion: v1\nkind: Service\n", []string{"test.yaml: has no testCases"}},
		"no YAML":                {"testCases:\n- {", []string{"test.yaml:2: is not valid YAML: did not find expected node content"}},
		"no cases":               {"testCases: []\n", []string{"test.yaml:1: testCases: must be a list of test cases with at least one item, not an empty list"}},
		"a misspelt list":        {"testCase:\n- {}\n", []string{`test.yaml:1: testCase: unknown field (did you mean "testCases"?); accepted: testCases`}},
		"a document of others":   {"testCases:\n- {" + ok + ", rewrite: {uri: /}}\n---\nfoo: 1\n", []string{"test.yaml:4: is a document without testCases beside others that have them"}},
		"misspelt fields":        {"testCases:\n- " + ok + "\n  wantmatch: true\n  wantsMatch: true\n  rewrite:\n    ur: /\n", []string{`test.yaml:4: testCases[0].wantsMatch: unknown field (did you mean "wantMatch"?)`, `test.yaml:6: testCases[0].rewrite.ur: unknown field (did you mean "uri"?)`}},
		"a field twice":          {"testCases:\n- " + ok + "\n  rewrite: {uri: /}\n  rewrite: {uri: /}\n", []string{"test.yaml:3: testCases[0].rewrite: is written twice, in line 3 and in line 4"}},
		"no request":             {"testCases:\n- rewrite: {uri: /}\n", []string{"test.yaml:2: testCases[0].request: is missing"}},
		"nothing expected":       {"testCases:\n- " + ok + "\n", []string{"test.yaml:2: testCases[0]: expects nothing, so that it cannot fail: name one of route, redirect"}},
		"values of other kinds":  {"testCases:\n- wantMatch: 1\n  request: {authority: [], method: GET, uri: [7], headers: {x: true}}\n  rewrite: {uri: /}\n- 7\n", []string{"testCases[0].wantMatch: must be true or false, not 1", "authority: must be a list with at least one item, not an empty list", `method: must be a list with at least one item, not "GET"`, "uri[0]: must be a string (in quotes), not 7", "headers.x: must be a string (in quotes), not true", "test.yaml:5: testCases[1]: must be a map with the fields"}},
		"requests of no kind":    {"testCases:\n- request: {authority: ['a b'], method: ['G T'], uri: [users, ':'], headers: {'a b': c, x: \"a\\nb\", Y: a, y: b, host: c}}\n  rewrite: {uri: /}\n", []string{`"a b"`, `"G T" is not a method`, `not "users"`, `":" is not a URI`, "headers.a b:", "headers.x:", "headers.y: is the same header", "headers.host:"}},
		"what is not executed":   {"testCases:\n- " + ok + "\n  fault: {abort: {percentage: {value: 100}, grpcStatus: UNAVAILABLE}}\n", []string{"test.yaml:3: testCases[0].fault.abort.grpcStatus: "}},
		"too many requests":      {"testCases:\n- request: {authority: [a], method: [GET], uri: [" + strings.Repeat("/, ", MostRequests) + "/]}\n  rewrite: {uri: /}\n", []string{"makes 1001 requests, and with those of the cases before there are more than 1000"}},
		"too large":              {strings.Repeat("# testCases\n", 100_000), []string{"test.yaml: is larger than the 1048576 bytes that a test file may have"}},
		"an alias in itself":     {"testCases: &a\n- *a\n", []string{"is nested more than 100 times"}},
		"a merged map":           {"testCases:\n- {<<: {a: b}}\n", []string{"<< is not read"}},
		"an impossible delegate": {"testCases:\n- " + ok + "\n  delegate: {nam: x}\n", []string{`testCases[0].delegate.nam: unknown field (did you mean "name"?)`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, c.text)
			var all manifests.Problems
			if !errors.As(err, &all) {
				t.Fatalf("%v", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in\n%v", part, err)
				}
			}
		})
	}
}

// Aliases are written out, names of fields may have other letters' cases, as istio-config-validator takes them, and folders may have other files.
func TestReadFolder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a/one_test.yml":  "TestCases:\n- Description: |\n    one\n    case\n  wantMatch: true\n  request: {authority: &hosts [a, b], method: [GET], uri: ['']}\n  route: [{destination: {host: c}}]\n- request: {authority: *hosts, method: [GET], uri: [/]}\n  route: [{destination: {host: c}}]\n",
		"a/two.json":      `{"testCases": [{"description": "two", "request": {"authority": ["a"], "method": ["GET"], "uri": ["/"]}, "route": [{"destination": {"host": "c"}}]}]}`,
		"a/service.yaml":  "apiVersion: v1\nkind: Service\n",
		"a/chart.yaml":    "{{ template }}\n",
		"a/notes.txt":     "testCases: 7\n",
		".git/three.yaml": "testCases: 7\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	suite, err := Read([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range suite.Cases {
		got = append(got, c.Description)
	}
	if want := []string{"one case", "testCases[1]", "two"}; !slices.Equal(got, want) || len(suite.Cases[1].Requests) != 2 || suite.Cases[0].Requests[1].Path != "/" {
		t.Errorf("cases %q, want %q: %+v", got, want, suite.Cases)
	}
	if want := []string{filepath.Join(dir, "a/chart.yaml"), filepath.Join(dir, "a/service.yaml")}; !slices.Equal(suite.PassedOver, want) {
		t.Errorf("passed over %q, want %q", suite.PassedOver, want)
	}
	for name, want := range map[string]string{filepath.Join(dir, "none"): "no such file", t.TempDir(): "is a folder without a .yaml"} {
		if _, err := Read([]string{name, name}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "is named more than once") {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// lineBreak is what ends a line of YAML 1.1, by which the parser counts lines: a carriage return alone does too.
var lineBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// FuzzRead checks that no text makes Read panic, and that what it accepts has requests, expectations and lines of the text.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"testCases:\n- {description: a, wantMatch: true, request: {authority: [a], method: [GET], uri: [/]}, route: [{destination: {host: b}}]}\n",
		"testCases: &a\n- *a\n", "\"a\r", "testCases:\n- request: {headers: {a: b}}\n  fault: {delay: {fixedDelay: 1s}}\n---\ntestcase: {}\n", "testCases: [{headers: {request: {set: {a: b}}}}]", "{{"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := &reader{suite: &Suite{}}
		r.text("fuzz.yaml", []byte(text), false)
		if len(r.suite.Cases) == 0 && len(r.problems) == 0 {
			t.Error("neither cases nor problems")
		}
		for _, p := range r.problems {
			if p.Line > len(lineBreak.FindAllString(text, -1))+1 || p.Text == "" {
				t.Errorf("problem %+v", p)
			}
		}
		for i := range r.suite.Cases {
			if c := &r.suite.Cases[i]; len(c.Requests) == 0 || len(c.expected) == 0 || c.Line < 1 || c.Description == "" {
				t.Errorf("case %+v", c)
			}
		}
	})
}
