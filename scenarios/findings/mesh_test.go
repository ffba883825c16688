package findings

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/target/mesh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// base is what the objects of a trap are laid over: frontend calls two, which has the versions a and b, and two calls three. Nobody
// calls one, but for the requests of the traps.
var base = stand("frontend", "v1", `[[{"url": "http://two/"}]]`) + stand("two", "a", `[[{"url": "http://three/"}]]`) + stand("two", "b", `[[{"url": "http://three/"}]]`) +
	stand("three", "v1", "[]") + stand("one", "v1", "[]") + serviceOf("frontend") + serviceOf("two") + serviceOf("three") + serviceOf("one") +
	destinationRule("two", "default", "two", "a", "b") + `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default}
spec:
  egress: [{hosts: ["./*"]}]
  outboundTrafficPolicy: {mode: REGISTRY_ONLY}
---
`

// stand is a Deployment of a stand-in that makes calls, with more variables.
func stand(app, version, calls string, more ...string) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s-%[2]s}
spec:
  selector: {matchLabels: {app: %[1]s, version: %[2]s}}
  template:
    metadata: {labels: {app: %[1]s, version: %[2]s}}
    spec:
      containers:
        - name: app
          image: hello-service
          env: [{name: SERVICE_NAME, value: %[1]s-%[2]s}, {name: CALLS, value: '%[3]s'}%[4]s]
---
`, app, version, calls, strings.Join(append([]string{""}, more...), ", "))
}

func serviceOf(app string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec: {selector: {app: %[1]s}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
`, app)
}

// destinationRule is a DestinationRule whose subsets have the names of versions; "c=a" is subset c of version a.
func destinationRule(name, namespace, host string, subsets ...string) string {
	var all []string
	for _, subset := range subsets {
		called, version, other := strings.Cut(subset, "=")
		if !other {
			version = called
		}
		all = append(all, fmt.Sprintf("{name: %s, labels: {version: %s}}", called, version))
	}
	return fmt.Sprintf("apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: %s, namespace: %s}\nspec: {host: %s, subsets: [%s]}\n---\n",
		name, namespace, host, strings.Join(all, ", "))
}

// serviceEntry opens a port of the clock's host.
func serviceEntry(port int, protocol string) string {
	return fmt.Sprintf("apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: clock}\n"+
		"spec: {hosts: [clock.outside.svc.cluster.local], resolution: DNS, ports: [{number: %d, name: port, protocol: %s}]}\n", port, protocol)
}

// outside is a Service whose pods answer for api.example.com.
const outside = `
apiVersion: v1
kind: Service
metadata: {name: outside, annotations: {networking.istio.io/exportTo: "~", hellochaos/answers-for: api.example.com}}
spec: {selector: {app: one}, ports: [{name: http, port: 80, targetPort: 3000}, {name: http-tls, port: 443, targetPort: 3000}]}
---
`

// entryOf has api.example.com with the ports 80, of which more may be said, and 443.
func entryOf(more string) string {
	return "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: api}\n" +
		"spec: {hosts: [api.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP" + more + "}, {number: 443, name: https, protocol: HTTPS}]}\n---\n"
}

// toTLS sends requests for a host to port 443 of api.example.com.
func toTLS(host string) string {
	return virtualService("api", host, "", "route: [{destination: {host: api.example.com, port: {number: 443}}}]") + "\n---\n"
}

// opensTLS is a DestinationRule for api.example.com with TLS; for all ports where port is empty.
func opensTLS(port, tls string) string {
	policy := "tls: {" + tls + "}"
	if port != "" {
		policy = "portLevelSettings: [{port: {number: " + port + "}, " + policy + "}]"
	}
	return "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: api}\nspec: {host: api.example.com, trafficPolicy: {" + policy + "}}\n---\n"
}

// gatewayFor is the Gateway shop with these hosts, and gatewayOf one of another name.
func gatewayFor(hosts string) string { return gatewayOf("shop", hosts) }
func gatewayOf(name, hosts string) string {
	return "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: " + name + "}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [" + hosts + "]}]}\n"
}

// redirectingGateway is the Gateway shop with a server that redirects admin.example.com to https, and one for hosts that redirects nobody.
func redirectingGateway(hosts string) string {
	return "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: shop}\nspec:\n  servers:\n" +
		"  - {port: {number: 80, name: http, protocol: HTTP}, hosts: [admin.example.com], tls: {httpsRedirect: true}}\n" +
		"  - {port: {number: 80, name: more, protocol: HTTP}, hosts: [" + hosts + "], tls: {httpsRedirect: false}}\n"
}

// sent is a request of a trap, sent so many times (once where times is 0). It enters by the sidecar of frontend, by the gateway, or
// straight at frontend.
type sent struct {
	from               string
	method, host, path string
	header             http.Header
	times              int
}

const (
	byGateway = "gateway"
	straight  = "straight"
)

// span is a closed interval of counts.
type span struct{ low, high int64 }

func exactly(n int64) span { return span{n, n} }

// about is a share of many requests, give or take five standard deviations.
func about(share float64) span {
	middle, wide := share*many, 5*math.Sqrt(share*(1-share)*many)
	return span{int64(middle - wide), int64(math.Ceil(middle + wide))}
}

const many = 400

// Each finding is in a file that has it and not in its twin, and what it says of the traffic is what the embedded mesh does with it.
func TestTraps(t *testing.T) {
	for name, c := range traps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := mesh.New(mesh.Options{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if _, err := m.Close(context.Background()); err != nil {
					t.Error(err)
				}
			}()
			twin, twinSent := c.twin, c.twinSent
			if twin == "" {
				twin = c.objects
			}
			if twinSent == nil {
				twinSent = c.sent
			}
			objects := laid(t, c.objects)
			there := slices.DeleteFunc(found(t, objects, c.sent), func(f reports.Finding) bool { return f.ID != c.id })
			if len(there) != 1 || !strings.Contains(there[0].Text, c.text) || there[0].Line == 0 || there[0].File != "f.yaml" {
				t.Errorf("found %+v, want one %s with %q", there, c.id, c.text)
			}
			compare(t, "with the finding", observe(t, m, objects, c.sent), c.seen)
			objects = laid(t, twin)
			if there := found(t, objects, twinSent); len(there) > 0 {
				t.Errorf("the twin has %+v", there)
			}
			compare(t, "the twin", observe(t, m, objects, twinSent), c.twinSeen)
		})
	}
}

// Every finding that there is has a trap.
func TestEveryFindingHasATrap(t *testing.T) {
	for _, id := range ids(t) {
		there := false
		for _, c := range traps {
			there = there || c.id == id
		}
		if !there {
			t.Errorf("%s has no trap", id)
		}
	}
}

// ids are the findings that findings.go names.
func ids(t *testing.T) (all []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "findings.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if text, err := strconv.Unquote(l.Value); err == nil && len(text) == len("HC101") && strings.HasPrefix(text, "HC") {
				all = append(all, text)
			}
		}
		return true
	})
	if len(all) < 20 {
		t.Fatalf("findings.go names %d findings, want at least 20", len(all))
	}
	return all
}

// laid are objects over the base and the clock.
func laid(t *testing.T, yaml string) []manifests.Object {
	t.Helper()
	clock, err := manifests.Bundled("clock.yaml")
	if err != nil {
		t.Fatal(err)
	}
	objects, err := manifests.Parse("base.yaml", []byte(base))
	if err != nil {
		t.Fatal(err)
	}
	own, err := manifests.Parse("f.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return manifests.Overlay(append(objects, clock...), own)
}

// entry is where a request enters.
func (s *sent) entry() manifests.Entry {
	switch s.from {
	case byGateway:
		return manifests.Entry{Gateway: "default/shop"}
	case straight:
		return manifests.Entry{Service: s.host}
	}
	return manifests.Entry{Caller: "default/frontend"}
}

// found are the findings of objects for these requests.
func found(t *testing.T, objects []manifests.Object, requests []sent) []reports.Finding {
	t.Helper()
	rules, err := manifests.Read(objects)
	if err != nil {
		t.Fatal(err)
	}
	ways, err := oracle.NewWays(rules)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range requests {
		if _, err := ways.Enter(r.entry(), manifests.Request{Host: r.host, Method: r.method, Path: manifests.NormalPath("/" + strings.TrimPrefix(r.path, "/")), Header: r.header}); err != nil {
			t.Fatal(err)
		}
	}
	return Of(&scenarios.Phase{Name: "trap"}, rules, ways)
}

// observe has the mesh obey objects, sends requests, and counts the answers by status and the tries by workload.
func observe(t *testing.T, m *mesh.Mesh, objects []manifests.Object, requests []sent) map[string]int64 {
	t.Helper()
	if err := m.Apply(t.Context(), objects); err != nil {
		t.Fatal(err)
	}
	before, err := m.Counters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int64{}
	for _, r := range requests {
		for n := range max(1, r.times) {
			seen[strconv.Itoa(answered(t, m, r, n))]++
		}
	}
	after, err := m.Counters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tries := range after.Since(before) {
		seen[strings.TrimSuffix(tries.Service+"-"+tries.Version, "-")] += tries.Count
	}
	return seen
}

// answered sends a request and is the status of its answer.
func answered(t *testing.T, m *mesh.Mesh, r sent, number int) int {
	t.Helper()
	address, err := m.Address(t.Context(), r.entry())
	if err != nil {
		t.Fatal(err)
	}
	q, err := http.NewRequestWithContext(t.Context(), r.method, address.URL+"/"+strings.TrimPrefix(r.path, "/"), bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	q.Host, q.Header = r.host, r.header.Clone()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(q)
	if err != nil {
		t.Fatalf("request %d: %v", number, err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

// compare holds what was seen against what must be; what is not named must be 0.
func compare(t *testing.T, what string, seen map[string]int64, want map[string]span) {
	t.Helper()
	for name, count := range seen {
		if s, named := want[name]; count != 0 && (!named || count < s.low || count > s.high) {
			t.Errorf("%s: %d of %s, want %v", what, count, name, want)
		}
	}
	for name, s := range want {
		if seen[name] < s.low {
			t.Errorf("%s: %d of %s, want %v", what, seen[name], name, s)
		}
	}
}
