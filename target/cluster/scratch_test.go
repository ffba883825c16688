package cluster

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/manifests/scratch"
)

const shopNamespaces = "/api/v1/namespaces/"

// headOfScratch begins the journal of a run in namespaces of its own.
func headOfScratch(run string) line {
	head := headOf(run)
	head.Run.Format = scratchFormat
	return head
}

// madeLine is a line about a namespace that has the UID that the server gives it.
func madeLine(name string) line {
	return line{Made: &madeNamespace{name, uidOf(shopNamespaces + name)}}
}

// What a killed run has left is removed, of which the journal has the UID, and the namespace that it was about to make.
func TestRestoreRemovesTheNamespacesOfARun(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, c, _ := newAPIServer(t, 10*time.Second)
	for _, name := range []string{"shop", "shop-outside", "shop-begun"} {
		s.put(t, shopNamespaces+name, `{"metadata":{"annotations":{"`+madeForRun+`":"r1"}}}`)
	}
	s.put(t, shopNamespaces+"prod", `{}`)
	putJournal(t, s, "r1", written(headOfScratch("r1"), madeLine("shop"), line{Made: &madeNamespace{Name: "shop-outside"}}, madeLine("shop-outside"),
		line{Made: &madeNamespace{Name: "shop-begun"}}, line{Made: &madeNamespace{Name: "shop-never"}}))
	left, err := c.Leftovers(t.Context())
	if want := []string{"Namespace shop", "Namespace shop-outside", "Namespace shop-begun"}; err != nil || len(left) != 1 || left[0].Problem != nil || !slices.Equal(left[0].Changed, want) {
		t.Errorf("Leftovers are %+v, %v, want one that has changed %q", left, err, want)
	}
	done, err := c.Restore(t.Context(), "r1", RefuseEdits, false)
	if err != nil || done.Objects != 3 {
		t.Fatalf("got %+v, %v, want 3 namespaces removed", done, err)
	}
	for _, path := range s.paths() {
		if strings.HasPrefix(path, shopNamespaces) && strings.Count(path, "/") == strings.Count(shopNamespaces, "/") && path != shopNamespaces+"prod" {
			t.Errorf("%s is still there", path)
		}
	}
	if s.at(shopNamespaces+"prod") == nil {
		t.Error("namespace prod is gone, which the run has not made")
	}
	deleted := slices.DeleteFunc(slices.Clone(s.writes), func(w string) bool {
		return !strings.HasPrefix(w, "DELETE "+shopNamespaces+"shop") || strings.Count(w, "/") != 4
	})
	if last := deleted[len(deleted)-1]; last != "DELETE "+shopNamespaces+"shop" {
		t.Errorf("%q was deleted last, want the namespace that holds the journal", last)
	}
}

// Whoever can write a journal must not be able to have the namespace of somebody else deleted.
func TestRestoreLeavesNamespacesOfOthers(t *testing.T) {
	for _, c := range []struct {
		name, annotations string
		lines             []line
		want              string
	}{
		{"one that no run has made", `{}`, []line{headOfScratch("x"), madeLine("shop-prod")}, "namespace shop-prod was not made by run x"},
		{"one that no run has made, without its UID", `{}`, []line{headOfScratch("x"), {Made: &madeNamespace{Name: "shop-prod"}}}, "namespace shop-prod was not made by run x"},
		{"one of another run", `{"` + madeForRun + `":"y"}`, []line{headOfScratch("x"), madeLine("shop-prod")}, "namespace shop-prod was not made by run x"},
		{"another one of that name", `{"` + madeForRun + `":"x"}`, []line{headOfScratch("x"), {Made: &madeNamespace{"shop-prod", "former"}}}, "namespace shop-prod is another one than run x has made"},
		{"one with another name", `{"` + madeForRun + `":"x"}`, []line{headOfScratch("x"), madeLine("prod")}, `line 2: namespace "prod": a run makes only "shop"`},
		{"a path for a name", `{}`, []line{headOfScratch("x"), {Made: &madeNamespace{Name: "shop-/../prod"}}}, `namespace "shop-/../prod": a run makes only`},
		{"beside an object", `{}`, append([]line{headOfScratch("x"), madeLine("shop-prod")}, changedRule("middleware")...), "line 3: a run in namespaces of its own records nothing but these"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			s, cluster, _ := newAPIServer(t, 10*time.Second)
			for _, name := range []string{"shop", "shop-prod", "prod"} {
				s.put(t, shopNamespaces+name, `{"metadata":{"annotations":`+c.annotations+`}}`)
			}
			putRule(t, s, "middleware", 2)
			putJournal(t, s, "x", written(c.lines...))
			_, err := cluster.Restore(t.Context(), "x", OverwriteEdits, true)
			expectError(t, err, c.want)
			for _, path := range []string{shopNamespaces + "shop", shopNamespaces + "shop-prod", shopNamespaces + "prod", journalPath + "x", shopRules + "middleware"} {
				if s.at(path) == nil {
					t.Errorf("%s is gone", path)
				}
			}
		})
	}
}

// book is a set whose Gateway is for every host.
const book = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: book}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: book}
spec: {hosts: [HOST], gateways: [book], http: [{directResponse: {status: 200}}]}
`

func bookAt(t *testing.T, host string, shared bool) *scratch.Set {
	t.Helper()
	return bookWith(t, book, host, shared)
}

// bookWith is the set of a text like book.
func bookWith(t *testing.T, text, host string, shared bool) *scratch.Set {
	t.Helper()
	objects, err := manifests.Parse("book.yaml", []byte(strings.Replace(text, "HOST", host, 1)))
	if err != nil {
		t.Fatal(err)
	}
	set, err := scratch.Move(objects, scratch.Options{Base: "shop", Shared: shared})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// A run in namespaces of its own begins with nothing that could meet what others have, and is refused before its first write.
func TestBeginScratchIsRefused(t *testing.T) {
	const gateways, rules = "/apis/networking.istio.io/v1/namespaces/prod/gateways/web", "/apis/networking.istio.io/v1/namespaces/prod/virtualservices/web"
	web := func(selector string) string {
		return `{"spec":{"selector":` + selector + `,"servers":[{"port":{"number":80},"hosts":["web.example.com"]}]}}`
	}
	for _, c := range []struct {
		name, host string
		shared     bool
		there      map[string]string
		want       string // empty: not refused
	}{
		{"a namespace that exists", "a.example.com", false, map[string]string{shopNamespaces + "shop-istio-system": `{}`}, "namespace shop-istio-system exists"},
		{"a Gateway for the same host", `"*"`, true, map[string]string{gateways: web(`{"istio":"ingressgateway"}`)}, "Gateway web in namespace prod claims host web.example.com at the shared gateway, where your files have rules for host *"},
		{"rules at a Gateway of the same pods", `"*.org"`, true, map[string]string{gateways: web(`{"istio":"ingressgateway"}`), rules: `{"spec":{"hosts":["b.org"],"gateways":["web"]}}`}, "VirtualService web in namespace prod claims host b.org"},
		{"another host", "a.example.com", true, map[string]string{gateways: web(`{"istio":"ingressgateway"}`)}, ""},
		{"a Gateway of other pods", `"*"`, true, map[string]string{gateways: web(`{"istio":"other"}`)}, ""},
		{"a gateway of the run's own", `"*"`, false, map[string]string{gateways: web(`{"istio":"ingressgateway"}`), rules: `{"spec":{"hosts":["b.org"],"gateways":["web"]}}`}, ""},
		{"a Gateway for all gateway pods", `"*"`, false, map[string]string{gateways: web(`{}`)}, "Gateway web in namespace prod claims host web.example.com at the gateway pods of the run (a Gateway without a selector is for those of all namespaces), where your files have rules for host *: nothing was written. Give that Gateway a selector"},
		{"rules at a Gateway for all gateway pods", `"*.org"`, false, map[string]string{gateways: web(`{}`), rules: `{"spec":{"hosts":["b.org"],"gateways":["web"]}}`}, "VirtualService web in namespace prod claims host b.org at the gateway pods of the run"},
		{"another host at a Gateway for all gateway pods", "a.example.com", false, map[string]string{gateways: web(`{}`)}, ""},
		{"what the same deployment has applied", `"*"`, true, map[string]string{"/apis/networking.istio.io/v1/namespaces/shop/gateways/web": web(`{"istio":"ingressgateway"}`)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, cluster, _ := newAPIServer(t, 10*time.Second)
			for path, text := range c.there {
				s.put(t, path, text)
			}
			set := bookAt(t, c.host, c.shared)
			if c.want == "" {
				if err := cluster.unclaimed(t.Context(), set); err != nil {
					t.Errorf("it is refused: %v", err)
				}
				return
			}
			_, err := cluster.BeginScratch(t.Context(), set, ScratchOptions{Image: "hello-service", Begun: func(string) { t.Error("a run has begun") }})
			expectError(t, err, c.want)
			if len(s.writes) != 0 {
				t.Errorf("it wrote %q, want nothing", s.writes)
			}
		})
	}
}

// A run that cannot begin leaves nothing behind.
func TestBeginScratchCleansUp(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, c, _ := newAPIServer(t, 10*time.Second)
	s.refuse = func(r *http.Request, _ *unstructured.Unstructured) *metav1.Status {
		if strings.Contains(r.URL.Path, "/deployments/") {
			return failure(http.StatusForbidden, metav1.StatusReasonForbidden, "no Deployments")
		}
		return nil
	}
	undo := ""
	set := bookWith(t, strings.Replace(book, "hosts: [\"*\"]}", "hosts: [\"*\"]}, {port: {number: 443, name: https, protocol: HTTPS}, hosts: [\"*\"], tls: {mode: MUTUAL, credentialName: a}}", 1), "a.example.com", false)
	_, err := c.BeginScratch(t.Context(), set, ScratchOptions{Begun: func(command string) { undo = command }})
	expectError(t, err, "no Deployments")
	if errors.Is(err, ErrLeft) || len(s.paths()) > 0 {
		t.Errorf("there is still %q, and the error is %v", s.paths(), err)
	}
	if !slices.ContainsFunc(s.writes, func(write string) bool {
		return strings.HasSuffix(write, "/namespaces/shop-istio-system/secrets/hellochaos-gateway")
	}) {
		t.Errorf("it wrote %q, want the Secret of its gateway among them", s.writes)
	}
	if !slices.Contains(s.writes, "POST /api/v1/namespaces/shop-istio-system") || !strings.HasPrefix(undo, "hellochaos restore ") {
		t.Errorf("it wrote %q, and its undo is %q, want two namespaces and a restore", s.writes, undo)
	}
}

// What is deployed to stay is no run that was not put back, and undeploy deletes it.
func TestKeptNamespaces(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, c, _ := newAPIServer(t, 10*time.Second)
	for _, name := range []string{"shop", "shop-outside", "prod"} {
		s.put(t, shopNamespaces+name, `{"metadata":{"annotations":{"`+madeForRun+`":"r1"}}}`)
	}
	head := headOfScratch("r1")
	head.Run.Kept, head.Run.StandIns = true, "others"
	putJournal(t, s, "r1", written(head, madeLine("shop"), madeLine("shop-outside")))
	if err := c.unfinished(t.Context(), ""); err != nil {
		t.Errorf("it counts as a run that was not put back: %v", err)
	}
	if names, err := c.Unrestored(t.Context()); err != nil || len(names) > 0 {
		t.Errorf("restore --all would put back %q, %v, want nothing", names, err)
	}
	left, err := c.Leftovers(t.Context())
	if err != nil || len(left) != 1 || !left[0].Deployed {
		t.Errorf("Leftovers are %+v, %v, want one that is deployed", left, err)
	}
	_, err = c.BeginScratch(t.Context(), bookAt(t, "a.example.com", false), ScratchOptions{})
	expectError(t, err, "namespace shop has the stand-ins of other files", "hellochaos undeploy -n shop")
	if err := c.Undeploy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.at(shopNamespaces+"shop") != nil || s.at(shopNamespaces+"shop-outside") != nil || s.at(shopNamespaces+"prod") == nil {
		t.Errorf("after undeploy there is %q, want prod alone", s.paths())
	}
}

// The pods of a deployment hold the certificates that it has written: a later run writes that of the gateway alone, and is refused where another
// one is missing.
func TestAdoptedCertificates(t *testing.T) {
	const proxy, gateway = shopNamespaces + "shop/secrets/hellochaos-proxy", shopNamespaces + "shop-istio-system/secrets/" + scratch.Credential
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, c, _ := newAPIServer(t, 10*time.Second)
	s.refuse = func(r *http.Request, _ *unstructured.Unstructured) *metav1.Status {
		if strings.Contains(r.URL.Path, "/deployments/") {
			return failure(http.StatusForbidden, metav1.StatusReasonForbidden, "no Deployments")
		}
		return nil
	}
	set := bookAt(t, "a.example.com", false)
	set.Certificates = []scratch.Certificate{{Namespace: "shop", Name: "hellochaos-proxy"}, {Namespace: "shop-istio-system", Name: scratch.Credential}}
	for _, name := range []string{"shop", "shop-istio-system"} {
		s.put(t, shopNamespaces+name, `{"metadata":{"annotations":{"`+madeForRun+`":"r1"}}}`)
	}
	head := headOfScratch("r1")
	head.Run.Kept, head.Run.StandIns = true, standInsOf(set)
	putJournal(t, s, "r1", written(head, madeLine("shop"), madeLine("shop-istio-system")))
	_, err := c.BeginScratch(t.Context(), set, ScratchOptions{Keep: true})
	expectError(t, err, "the Secret hellochaos-proxy of namespace shop, which pods need, is not there", "'hellochaos undeploy -n shop'")
	if s.at(proxy) != nil || s.at(gateway) != nil {
		t.Errorf("it wrote %q, want no Secret", s.writes)
	}
	s.put(t, proxy, `{"metadata":{"labels":{"`+managedBy+`":"`+manager+`"}},"data":{"tls.crt":"b3VycyBvZiBiZWZvcmU="}}`)
	before := s.at(proxy)
	_, err = c.BeginScratch(t.Context(), set, ScratchOptions{Keep: true})
	expectError(t, err, "no Deployments")
	if s.at(gateway) == nil || s.at(proxy).GetResourceVersion() != before.GetResourceVersion() {
		t.Errorf("it wrote %q, want the Secret of the gateway, and not that of the proxies", s.writes)
	}
	rights, _, _ := unstructured.NestedSlice(s.at("/apis/rbac.authorization.k8s.io/v1/namespaces/shop-istio-system/roles/"+scratch.Credential).Object, "rules")
	if want := []any{map[string]any{"apiGroups": []any{""}, "resources": []any{"secrets"}, "verbs": []any{"list"}}}; !reflect.DeepEqual(rights, want) {
		t.Errorf("gateway pods have the rights %v, want %v", rights, want)
	}
}

// A run writes only in the namespaces that it has made.
func TestScratchWritesInItsNamespacesAlone(t *testing.T) {
	s, c, _ := newAPIServer(t, 10*time.Second)
	run := &Scratch{Run: &Run{cluster: c}, made: []madeNamespace{{Name: "shop"}}}
	foreign := rule("middleware", 1)
	foreign.SetNamespace("prod")
	expectError(t, run.send(t.Context(), foreign), `is for namespace "prod", which the run has not made`)
	if len(s.writes) != 0 {
		t.Errorf("it wrote %q, want nothing", s.writes)
	}
}
