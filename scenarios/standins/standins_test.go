package standins

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// of is the set of one file, which must be read by manifests.Read and be compiled by the oracle.
func of(t *testing.T, yaml string) *Set {
	t.Helper()
	others, err := manifests.LoadOthers([]string{"-"}, strings.NewReader(yaml))
	if err != nil {
		t.Fatal(err)
	}
	set, err := Of(others.Objects)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := manifests.Read(set.Objects)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oracle.NewWays(rules); err != nil {
		t.Fatal(err)
	}
	return set
}

// applied is a mesh that obeys the set, from which no call leaves this machine.
func applied(t *testing.T, set *Set) *mesh.Mesh {
	t.Helper()
	m, err := mesh.New(mesh.Options{Sealed: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := m.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if err := m.Apply(t.Context(), set.Objects); err != nil {
		t.Fatal(err)
	}
	return m
}

// client sends each request on a connection of its own.
var client = http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// ask sends a request and returns the status and who answered, "200 reviews v1"; without a trail only the status.
func ask(t *testing.T, base, host string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host, r.Header = host, http.Header{"Accept": {"application/json"}}
	response, err := client.Do(r)
	if err != nil {
		return "no answer"
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if hop, err := trail.Decode(body); err == nil {
		return fmt.Sprint(response.StatusCode, " ", hop.Service, " ", hop.Version)
	}
	return fmt.Sprint(response.StatusCode)
}

// answers is who answers 30 requests of a client, sorted, each once. A version among three that share a host is then missed with
// probability 2·(2/3)^30 at most.
func answers(t *testing.T, m *mesh.Mesh, namespace, host string) string {
	t.Helper()
	at, err := m.Address(t.Context(), manifests.Entry{Caller: namespace + "/" + Client})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for range 30 {
		if got := ask(t, at.URL, host); !slices.Contains(all, got) {
			all = append(all, got)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// Parts of files.
const (
	heads  = "apiVersion: networking.istio.io/v1\nkind: "
	rules  = heads + "VirtualService\nmetadata: {name: reviews}\nspec: {hosts: [reviews], http: [{match: [{uri: {exact: /}}], route: [{destination: {host: reviews, subset: v2}}]}]}\n---\n"
	both   = heads + "VirtualService\nmetadata: {name: reviews}\nspec: {hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: v1}, weight: 1}, {destination: {host: reviews, subset: v2}, weight: 1}]}]}\n---\n"
	subs   = heads + "DestinationRule\nmetadata: {name: reviews}\nspec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2-a}}, {name: again, labels: {version: v1}}]}\n---\n"
	plain  = heads + "VirtualService\nmetadata: {name: reviews}\nspec: {hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}\n---\n"
	serves = "apiVersion: v1\nkind: Service\nmetadata: {name: reviews}\nspec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: web}]}\n---\n"
)

// clock is a host outside the mesh that a Service of the cluster may have, and a rule for it; hidden is that Service.
const clock = heads + "ServiceEntry\nmetadata: {name: time}\nspec: {hosts: [clock.out.svc.cluster.local], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}\n---\n" +
	heads + "VirtualService\nmetadata: {name: time}\nspec: {hosts: [clock.out.svc.cluster.local], http: [{route: [{destination: {host: clock.out.svc.cluster.local}}]}]}\n---\n"
const hidden = "apiVersion: v1\nkind: Service\nmetadata: {name: clock, namespace: out, annotations: {networking.istio.io/exportTo: '~'}}\nspec: {selector: {app: c}, ports: [{name: http, port: 80}]}\n---\n"

// pods are a workload.
func pods(kind, namespace, name, labels, more string) string {
	return fmt.Sprintf("apiVersion: apps/v1\nkind: %s\nmetadata: {name: %s, namespace: %s}\nspec: {%s template: {metadata: {labels: {%s}}, spec: {containers: [{name: a, image: theirs}]}}}\n---\n", kind, name, namespace, more, labels)
}

// serviceOf is a Service in a namespace.
func serviceOf(namespace, name, more string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: %s}\nspec: {%s}\n---\n", name, namespace, more)
}

// What the files have answers, what only rules name is stood up, and what is wrong stays wrong: 503 is the proxy's answer where a
// route leads to nobody.
func TestWhoAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		yaml, host, want string
		stoodUp          int
	}{
		"all stood up":                             {both + subs, "reviews", "200 reviews v1, 200 reviews v2-a", 3},
		"one subset":                               {rules + subs, "reviews", "200 reviews v2-a", 3},
		"a subset that nothing defines":            {both, "reviews", "503", 2},
		"no subset":                                {plain, "reviews", "200 reviews stand-in", 2},
		"a Service of the files":                   {plain + serves, "reviews", "200 reviews stand-in", 1},
		"a Service of the files and subsets":       {both + subs + serves, "reviews", "200 reviews v1, 200 reviews v2-a", 2},
		"pods of the files":                        {plain + serves + pods("StatefulSet", "default", "reviews-7", "app: reviews, version: v7", ""), "reviews", "200 reviews v7", 0},
		"two of one version":                       {plain + serves + pods("Deployment", "default", "reviews-a", "app: reviews, version: v1", "") + pods("Deployment", "default", "reviews-b", "app: reviews, version: v1", ""), "reviews", "200 reviews a, 200 reviews b", 0},
		"two of one name":                          {plain + serves + pods("Deployment", "default", "reviews", "app: reviews", "") + pods("StatefulSet", "default", "reviews", "app: reviews", ""), "reviews", "200 reviews reviews, 200 reviews statefulset-reviews.default", 0},
		"a subset without pods of the files":       {both + subs + serves + pods("Deployment", "default", "reviews", "app: reviews, version: v1", ""), "reviews", "200 reviews v1, 503", 0},
		"a Service whose selector is wrong":        {plain + serves + pods("Deployment", "default", "reviews", "app: review", ""), "reviews", "503", 0},
		"no replicas":                              {plain + serves + pods("Deployment", "default", "reviews", "app: reviews", "replicas: 0,"), "reviews", "503", 0},
		"pods without a Service":                   {plain + pods("Deployment", "default", "reviews", "app: reviews, version: v1", ""), "reviews", "200 reviews v1", 1},
		"pods of other apps":                       {plain + pods("Deployment", "default", "r", "app: ratings", ""), "reviews", "503", 0},
		"a misspelt host":                          {strings.ReplaceAll(plain, "host: reviews", "host: reveiws") + serves, "reviews", "503", 1},
		"a name that is not completed":             {strings.ReplaceAll(plain, "host: reviews", "host: reviews.default"), "reviews", "503", 2},
		"another namespace":                        {strings.ReplaceAll(plain, "host: reviews", "host: reviews.shop.svc.cluster.local") + serves, "reviews", "200 reviews.shop stand-in", 3},
		"a port":                                   {strings.ReplaceAll(plain, "host: reviews", "host: reviews, port: {number: 9080}"), "reviews:9080", "200 reviews stand-in", 2},
		"a Service of two versions and one of one": {plain + serviceOf("default", "a-one", "selector: {app: reviews, version: v1}, ports: [{name: http, port: 80}]") + serves + pods("Deployment", "default", "one", "app: reviews, version: v1", "") + pods("Deployment", "default", "two", "app: reviews, version: v2", ""), "reviews", "200 reviews v1, 200 reviews v2", 0},
		"the other one of these":                   {plain + serviceOf("default", "a-one", "selector: {app: reviews, version: v1}, ports: [{name: http, port: 80}]") + serves + pods("Deployment", "default", "one", "app: reviews, version: v1", "") + pods("Deployment", "default", "two", "app: reviews, version: v2", ""), "a-one", "200 reviews v1", 0},
		"no selector":                              {plain + serviceOf("default", "reviews", "ports: [{name: http, port: 80}]") + pods("Deployment", "default", "x", "app: x", ""), "reviews", "200 reviews stand-in", 1},
		"ExternalName":                             {plain + serviceOf("default", "reviews", "type: ExternalName, externalName: example.com") + pods("Deployment", "default", "x", "app: x", ""), "reviews", "200 reviews stand-in", 1},
		"headless":                                 {rules + subs + serviceOf("default", "reviews", "clusterIP: None, selector: {app: reviews}, ports: [{port: 80}]"), "reviews", "200 reviews v2-a", 2},
		"a subset that the selector excludes":      {both + subs + serviceOf("default", "reviews", "selector: {version: v1}, ports: [{port: 80}]"), "reviews", "200 reviews v1, 503", 1},
		"gRPC":                                     {plain + serviceOf("default", "reviews", "selector: {app: a}, ports: [{name: grpc, port: 80}]"), "reviews", "200 reviews stand-in", 1},
		"a port of TCP":                            {plain + serviceOf("default", "reviews", "selector: {app: a}, ports: [{name: http, port: 80}, {name: tcp-x, port: 81}]"), "reviews:81", "503", 1},
		"outside":                                  {heads + "ServiceEntry\nmetadata: {name: time}\nspec: {hosts: [time.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}\n", "time.example.com", "200 time.example.com outside", 1},
		"outside, at another port":                 {heads + "ServiceEntry\nmetadata: {name: time}\nspec: {hosts: [time.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}\n", "time.example.com:81", "503", 1},
		"outside, by the name of a Service":        {clock, "clock.out.svc.cluster.local", "200 clock.out.svc.cluster.local outside", 1},
		"outside, at a Service of the files":       {clock + hidden + pods("Deployment", "out", "c", "app: c, version: v1", ""), "clock.out.svc.cluster.local", "200 clock v1", 0},
		"outside, known to nobody":                 {plain, "api.example.com", "503", 2},
	} {
		t.Run(name, func(t *testing.T) {
			set := of(t, c.yaml)
			if got := answers(t, applied(t, set), manifests.Namespace, c.host); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if len(set.StoodUp) != c.stoodUp {
				t.Errorf("%d objects are stood up, want %d: %+v", len(set.StoodUp), c.stoodUp, set.StoodUp)
			}
		})
	}
}

// Services of one name in two namespaces are told apart, and each namespace with rules has a client of its own.
func TestNamespaces(t *testing.T) {
	shop := strings.Replace(plain, "{name: reviews}", "{name: reviews, namespace: shop}", 1)
	set := of(t, plain+shop+serves+serviceOf("shop", "reviews", "selector: {app: reviews}, ports: [{port: 80}]")+pods("Deployment", "shop", "reviews-v3", "app: reviews, version: v3", ""))
	if !slices.Equal(set.Clients, []string{"default", "shop"}) {
		t.Fatalf("clients in %q", set.Clients)
	}
	m := applied(t, set)
	for namespace, want := range map[string]string{"default": "200 reviews stand-in", "shop": "200 reviews.shop v3"} {
		if got := answers(t, m, namespace, "reviews"); got != want {
			t.Errorf("%s: %s, want %s", namespace, got, want)
		}
	}
	if got := answers(t, m, "default", "reviews.shop.svc.cluster.local"); got != "200 reviews.shop v3" {
		t.Errorf("from default to shop: %s", got)
	}
	if got := answers(t, m, "default", Client); got != "503" { // the mesh is sealed, and no Service has the name
		t.Errorf("the client itself: %s", got)
	}
}

// Requests through a Gateway come to stand-ins, too, at the port that the route names or the Gateway has.
func TestGateway(t *testing.T) {
	const gateway = heads + "Gateway\nmetadata: {name: shop}\nspec: {servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ['*']}]}\n---\n"
	rule := func(name, to string) string {
		return heads + "VirtualService\nmetadata: {name: " + name + "}\nspec: {hosts: ['" + name + ".example.com'], gateways: [shop], http: [{route: [{destination: {" + to + "}}]}]}\n---\n"
	}
	set := of(t, gateway+rule("a", "host: a")+rule("b", "host: b")+rule("c", "host: b, port: {number: 81}")+rule("d", "host: b, port: {number: 82}"))
	if len(set.Clients) != 0 {
		t.Errorf("clients in %q, want none: no rule is for sidecars", set.Clients)
	}
	address, err := applied(t, set).Address(t.Context(), manifests.Entry{Gateway: "default/shop"})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{"a.example.com": "200 a stand-in", "b.example.com": "200 b stand-in", "c.example.com": "200 b stand-in", "e.example.com": "404"} {
		if got := ask(t, address.URL, host); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

// Each sentence says what is there and what names it.
func TestSentences(t *testing.T) {
	set := of(t, both+subs+heads+"ServiceEntry\nmetadata: {name: time}\nspec: {hosts: [time.example.com, b.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}\n---\n")
	var got []string
	for _, s := range set.StoodUp {
		got = append(got, fmt.Sprintf("%s/%s %s:%d %s", s.Namespace, s.Object, s.File, s.Line, s.Text))
	}
	want := []string{
		"default/Service reviews standard input:4 Service reviews in namespace default, with port 80, is stood up because VirtualService reviews (standard input:4) names its host, and no file has a Service of its namespace.",
		"default/Deployment reviews-v1 standard input:9 Deployment reviews-v1 in namespace default is stood up as version v1 of Service reviews, because subset v1 of DestinationRule reviews (standard input:9) has the pods with version=v1, and no file has pods of its namespace.",
		"default/Deployment reviews-v2-a standard input:9 Deployment reviews-v2-a in namespace default is stood up as version v2-a of Service reviews, because subset v2 of DestinationRule reviews (standard input:9) has the pods with version=v2-a, and no file has pods of its namespace.",
		"hellochaos-outside/Deployment host-1-time-example-com standard input:14 Host time.example.com of ServiceEntry time (standard input:14) is outside the mesh: a stand-in on this machine answers in its place at port 80, and nothing outside of it is called.",
		"hellochaos-outside/Deployment host-2-b-example-com standard input:14 Host b.example.com of ServiceEntry time (standard input:14) is outside the mesh: a stand-in on this machine answers in its place at port 80, and nothing outside of it is called.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	set = of(t, plain+serviceOf("default", "reviews", "clusterIP: None, selector: {app: a}, ports: [{port: 80}, {name: db, port: 3306}]")+serviceOf("default", "x", "type: ExternalName, externalName: x.example.com")+
		pods("Deployment", "default", "a", "app: a", "replicas: 9,")+pods("DaemonSet", "default", "d", "app: d", "")+
		heads+"ServiceEntry\nmetadata: {name: s}\nspec: {hosts: [s.example.com], ports: [{number: 443, name: https, protocol: HTTPS}], resolution: DNS}\n---\n")
	for i, want := range []string{
		"Service reviews (standard input:6) is headless. Istio sends a call to the pod",
		"Service reviews (standard input:6): port 3306 (db) is not one of HTTP for Istio",
		"Service x (standard input:11) is of type ExternalName, another name of x.example.com, whose rules Istio would obey.",
		"Deployment a (standard input:16) has 9 replicas, and 3 here: hellochaos runs at most 3 of each workload.",
		"DaemonSet d (standard input:21) has a pod on each node of a cluster, and one here.",
		"Host s.example.com of ServiceEntry s (standard input:29) has no port of HTTP",
	} {
		if i >= len(set.Remarks) || !strings.HasPrefix(set.Remarks[i], want) {
			t.Errorf("remark %d of %q, want %s", i, set.Remarks, want)
		}
	}
}

// The objects of Istio are those of the files, and nothing of the pods' own programs runs.
func TestObjects(t *testing.T) {
	set := of(t, both+subs+serves+pods("Deployment", "default", "reviews", "app: reviews, version: v1", "replicas: 2,"))
	var kinds []string
	for i := range set.Objects {
		o := &set.Objects[i]
		kinds = append(kinds, o.Name())
		k, ok := o.Kubernetes.(*appsv1.Deployment)
		if !ok {
			continue
		}
		c := k.Spec.Template.Spec.Containers
		if len(c) != 1 || c[0].Image != "hello-service" {
			t.Errorf("%s runs %+v", o.Name(), c)
		}
		if o.Meta.Name == "reviews" && *k.Spec.Replicas != 2 {
			t.Errorf("%s has %d replicas, want 2", o.Name(), *k.Spec.Replicas)
		}
	}
	want := []string{"VirtualService reviews", "DestinationRule reviews", "Service reviews", "Deployment reviews", "Deployment hellochaos-client"}
	if !slices.Equal(kinds, want) {
		t.Errorf("objects %q, want %q", kinds, want)
	}
}

func TestTooManyPods(t *testing.T) {
	var text strings.Builder
	for i := range 400 {
		text.WriteString(pods("Deployment", "default", fmt.Sprint("d-", i), "app: d", "replicas: 50,"))
	}
	others, err := manifests.LoadOthers([]string{"-"}, strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Of(others.Objects); err == nil || !strings.HasPrefix(err.Error(), "the files have 1200 pods, with at most 3 of each workload, and hellochaos runs at most 1000") {
		t.Errorf("error %v", err)
	}
}

// The calls to a host outside the mesh that a stand-in answers are calls to one of ours for the oracle, and are retried as their rule
// says.
func TestOutsideIsJudged(t *testing.T) {
	set := of(t, heads+"ServiceEntry\nmetadata: {name: time}\nspec: {hosts: [time.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}\n---\n"+
		heads+"VirtualService\nmetadata: {name: time}\nspec: {hosts: [time.example.com], http: [{route: [{destination: {host: time.example.com}}], retries: {attempts: 2, retryOn: 5xx}}]}\n")
	rules, err := manifests.Read(set.Objects)
	if err != nil {
		t.Fatal(err)
	}
	ways, err := oracle.NewWays(rules)
	if err != nil {
		t.Fatal(err)
	}
	call, err := ways.Enter(manifests.Entry{Caller: manifests.Namespace + "/" + Client}, manifests.Request{Host: "time.example.com", Path: "/"})
	if err != nil {
		t.Fatal(err)
	}
	if d := call.Destinations; call.Foreign() || len(d) != 1 || len(d[0].Workloads) != 1 || d[0].Workloads[0].Service != "time.example.com" {
		t.Errorf("the call leads to %+v, want one stand-in of ours", d)
	}
	at, err := applied(t, set).Address(t.Context(), manifests.Entry{Caller: manifests.Namespace + "/" + Client})
	if err != nil {
		t.Fatal(err)
	}
	for pins, want := range map[string]int{"1=fail,2=fail": http.StatusOK, "*=fail": http.StatusInternalServerError} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host, r.Header = "time.example.com", http.Header{"X-Hellochaos-Request": {"1/x/1"}, "X-Hellochaos-Pins": {pins}, "Accept": {"application/json"}}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if hop, err := trail.Decode(body); err != nil || response.StatusCode != want || hop.Attempt != 3 {
			t.Errorf("pins %s: status %d with %+v, %v; want %d at try 3", pins, response.StatusCode, hop, err, want)
		}
	}
}

// What is wrong with the files is what the rules lack for manifests, too: the findings are made from it.
func TestGaps(t *testing.T) {
	for name, c := range map[string]struct {
		yaml  string
		part  manifests.Part
		known string
	}{
		"a misspelt host":               {strings.ReplaceAll(plain, "host: reviews", "host: reveiws") + serves, manifests.PartHost, "reviews.default.svc.cluster.local"},
		"a misspelt host beside pods":   {strings.ReplaceAll(plain, "host: reviews", "host: reveiws") + pods("Deployment", "default", "reviews", "app: reviews", ""), manifests.PartHost, "reviews.default.svc.cluster.local"},
		"a subset that nothing defines": {rules + serves, manifests.PartSubset, ""},
		"a misspelt subset":             {strings.ReplaceAll(rules, "subset: v2", "subset: v3") + subs, manifests.PartSubset, "again v1 v2"},
		"a subset without pods":         {rules + subs + serves + pods("Deployment", "default", "reviews", "app: reviews, version: v1", ""), manifests.PartPods, ""},
		"a port":                        {strings.ReplaceAll(plain, "host: reviews", "host: reviews, port: {number: 81}") + serves, manifests.PartPort, "80"},
	} {
		rules, err := manifests.Read(of(t, c.yaml).Objects)
		if err != nil {
			t.Fatal(err)
		}
		gap := rules.Gap(&rules.HTTPEntries()[0].Destinations[0].Destination)
		if gap == nil || gap.Part != c.part || strings.Join(gap.Known, " ") != c.known {
			t.Errorf("%s: %+v, want %s of %q", name, gap, c.part, c.known)
		}
	}
}

// Rules for the whole mesh say of no namespace that callers are in it.
func TestClientsOfTheWholeMesh(t *testing.T) {
	if set := of(t, strings.Replace(subs, "{name: reviews}", "{name: reviews, namespace: istio-system}", 1)); len(set.Clients) != 0 {
		t.Errorf("clients in %q, want none", set.Clients)
	}
}

// A rule for the callers of a namespace has one there, also where no file has anything else of it.
func TestClientsOfARule(t *testing.T) {
	set := of(t, "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: reviews}\nspec:\n  hosts: [reviews]\n  http:\n"+
		"    - match: [{sourceNamespace: testing}]\n      route: [{destination: {host: reviews}}]\n")
	if !slices.Equal(set.Clients, []string{"default", "testing"}) {
		t.Errorf("clients in %q", set.Clients)
	}
	if got := answers(t, applied(t, set), "testing", "reviews.default"); !strings.Contains(got, "reviews") {
		t.Errorf("a caller of namespace testing is answered by %q", got)
	}
}

func TestPortsOf(t *testing.T) {
	route := func(host string, port, matched uint32) *networking.HTTPRoute {
		r := &networking.HTTPRoute{Match: []*networking.HTTPMatchRequest{{Port: matched}}, Route: []*networking.HTTPRouteDestination{{Destination: &networking.Destination{Host: host}}}}
		if port != 0 {
			r.Route[0].Destination.Port = &networking.PortSelector{Number: port}
		}
		return r
	}
	n := named([]manifests.Object{{Istio: &networking.VirtualService{Hosts: []string{"only"}, Http: []*networking.HTTPRoute{route("one", 81, 8080)}}},
		{Istio: &networking.VirtualService{Hosts: []string{"matched"}, Http: []*networking.HTTPRoute{route("one", 81, 8080), route("two", 81, 0), route("two", 82, 0),
			route("some", 81, 0), route("some", 82, 0), route("some", 0, 0), route("none", 0, 0), route("mixed", 81, 0), route("mixed", 0, 0)}}}})
	for name, want := range map[string][]int{"only": {8080}, "matched": {80, 8080}, "one": {81}, "two": {81, 82}, "some": {80, 81, 82}, "none": {80}, "mixed": {80, 81}, "other": {80}} {
		if got := n.portsOf(name + ".default.svc.cluster.local"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
