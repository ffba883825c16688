package differential

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/differential/envoy"
	"github.com/hellochaos/hellochaos/differential/proxy"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// matching is a set of random policies in the hands of real Envoys and of the embedded mesh.
type matching struct {
	*real
	receipts *receipts
	mesh     *mesh.Mesh
	client   *http.Client
}

// changeable are the headers that policies of random sets change, or ask for.
var changeable = []string{"X-A", "X-B", "X-New", "X_c", "User-Agent"}

func changeableOf(h http.Header) http.Header {
	kept := http.Header{}
	for _, name := range changeable {
		for have, values := range h {
			if strings.EqualFold(have, name) {
				kept[http.CanonicalHeaderKey(name)] = values
			}
		}
	}
	return kept
}

// deviates says how the answer of a real Envoy deviates from what the matcher of its configuration says, and the rule's retry policy;
// empty where it does not.
func (m *matching) deviates(q *question) string {
	received, reached := m.receipts.last[q.name]
	f := q.rule.Fault
	switch {
	case f != nil && f.AbortShare > 0 && !reached && q.got.status == f.AbortStatus:
		return ""
	case f != nil && f.AbortShare == 1 && f.AbortStatus > 0:
		return fmt.Sprintf("every request is aborted with %d", f.AbortStatus)
	case q.met.Answer != "" && reached:
		return "the proxy answers itself"
	case q.met.Answer != "":
		return q.itself()
	case !reached && q.unreachable():
		return ""
	case !reached:
		return "somebody answers"
	case !slices.ContainsFunc(q.met.To, func(to envoy.Share) bool { return to.Share > 0 && q.sentTo(to.To, &received) }):
		return "it is sent elsewhere, or otherwise"
	}
	retry := &q.rule.Retry
	if tunnelled := received.header.Get(trail.HeaderAttempt) == ""; tunnelled {
		retry = new(manifests.Retry)
		if word := q.script[0]; word == "reset" || word == "close" {
			return map[bool]string{false: "the connection ends"}[q.got.err != nil]
		}
	}
	if try, status := q.delivered(retry); try != received.tries || status != q.got.status {
		return fmt.Sprintf("try %d is delivered, with %d", try, status)
	}
	return ""
}

// itself says how an answer deviates that the proxy gives itself: "404", "reset", "direct 418 tea", "redirect 302 host path".
func (q *question) itself() string {
	words := strings.Fields(q.met.Answer)
	switch {
	case words[0] == "reset" && q.got.err == nil:
		return "the connection is reset"
	case words[0] == "404" && q.got.status != http.StatusNotFound,
		words[0] != "reset" && words[0] != "404" && strconv.Itoa(q.got.status) != words[1]:
		return "the status is another"
	case words[0] == "redirect" && q.got.header.Get("Location") != words[2]:
		return "the Location is another"
	}
	return ""
}

// unreachable reports whether the proxy answers as it does where a destination has no cluster, or no endpoint.
func (q *question) unreachable() bool {
	return slices.ContainsFunc(q.met.To, func(to envoy.Share) bool {
		where, _, _ := strings.Cut(to.To, " as ")
		status := map[string]int{"NC": http.StatusServiceUnavailable, "UH": http.StatusServiceUnavailable, "NC 500": http.StatusInternalServerError}[where]
		return to.Share > 0 && status != 0 && q.got.status == status
	})
}

// sentTo reports whether what was received is what a share of the matcher says (envoy.Sent), and so is what came back where a stand-in
// answered, and not the proxy in place of one that broke the connection.
func (q *question) sentTo(to string, received *receipt) bool {
	where, rest, _ := strings.Cut(to, " as ")
	expected, answers, _ := strings.Cut(rest, " answers ")
	external := strings.HasPrefix(where, "external ")
	if where != received.by && !(external && received.by == passedThrough) && !slices.Contains(endpointsIn(where), received.by) {
		return false
	}
	by := q.got.header.Get(trail.HeaderTrail)
	return expected == received.host+received.path+" "+envoy.HeaderWords(changeableOf(received.header)) &&
		(by == "" || answers == envoy.HeaderWords(changeableOf(q.got.header)))
}

// endpointsIn are the endpoints of a destination in the words of package envoy: "pod default/two-a pod default/two-b by LEAST_REQUEST", or
// "external 198.51.100.1:80 external api.example:80 by RANDOM".
func endpointsIn(where string) (all []string) {
	list, _, _ := strings.Cut(where, " by ")
	words := strings.Fields(list)
	for i := 0; i+1 < len(words); i += 2 {
		all = append(all, words[i]+" "+words[i+1])
	}
	return all
}

// inWords is what of an answer must be the same by the embedded mesh and by a real Envoy.
func inWords(got *answer) string {
	if got.err != nil {
		return "no answer"
	}
	all := []string{strconv.Itoa(got.status), "location " + got.header.Get("Location")}
	if got.header.Get(trail.HeaderTrail) == "" {
		return strings.Join(append(all, string(got.body), fmt.Sprint(answerHeaders(got.header))), "; ")
	}
	var hop struct {
		Service string
		Attempt int
	}
	if err := json.Unmarshal(got.body, &hop); err != nil {
		return err.Error()
	}
	for _, name := range []string{service.HeaderPath, service.HeaderHost, service.HeaderMethod, service.HeaderTold} {
		all = append(all, name+" "+got.header.Get(name))
	}
	return strings.Join(append(all, hop.Service, strconv.Itoa(hop.Attempt)), "; ")
}

func answerHeaders(h http.Header) http.Header {
	kept := changeableOf(h)
	delete(kept, "User-Agent")
	return kept
}

// callers are the pods whose sidecars send the requests of random sets.
func callers() string {
	var all []string
	for _, namespace := range []string{"default", "shop", "istio-system"} {
		all = append(all, deployment("caller", namespace, "v1", 1))
	}
	return strings.Join(all, "\n---\n")
}

// toMesh sends a request through the embedded mesh.
func (m *matching) toMesh(t *testing.T, q *question) answer {
	t.Helper()
	entry := manifests.Entry{Caller: q.caller.Namespace + "/caller"}
	if q.caller.Gateway != "" {
		entry = manifests.Entry{Gateway: q.caller.Gateway, Port: m.connected(&q.asked).Port}
	}
	at, err := m.mesh.Address(t.Context(), entry)
	if err != nil {
		t.Error(err)
	}
	return sent(t.Context(), m.client, at.URL, &q.asked, q.headers())
}

// matchSet draws a set of policies, and compares what requests meet at real Envoys with the matcher of their configuration, and with the
// embedded mesh.
func matchSet(t *testing.T, program string, s uint64, tally *matchTally) {
	t.Helper()
	d := newDraw(s)
	drawn := d.objects(*matchedSet)
	on := &scope{T: t}
	defer on.end()
	objects, err := newSet(on, World()+"\n---\n"+callers(), drawn)
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", s, err, text(drawn))
	}
	received := &receipts{last: make(map[string]receipt)}
	pods, err := objects.podsOf()
	if err != nil {
		t.Fatal(err)
	}
	stands, err := startStandIns(objects.rules, pods, received.around)
	if err != nil {
		t.Fatal(err)
	}
	defer stands.close()
	others := &outside{standIns: stands, receipts: received, external: make(map[string]netip.AddrPort)}
	m := &matching{real: newReal(objects, program, others.place, nil), receipts: received}
	defer m.close()
	if m.mesh, err = mesh.New(mesh.Options{Seed: s, Sealed: true}); err != nil {
		t.Fatal(err)
	}
	defer m.mesh.Close(t.Context())
	applied, err := manifests.Parse("all.yaml", []byte(World()+"\n---\n"+callers()+"\n---\n"+text(objects.policies)))
	if err == nil {
		err = m.mesh.Apply(t.Context(), applied)
	}
	if err != nil {
		t.Fatalf("seed %d: %v", s, err)
	}
	m.client = proxy.Plain(inFlight, patience)
	defer m.client.CloseIdleConnections()
	var all []*question
	for n := range len(objects.policies) * *matchedRequests {
		q, err := m.question(d, fmt.Sprintf("%d/%d", s, n))
		if err == nil {
			err = m.start(t.Context(), q.caller)
		}
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", s, err, text(objects.policies))
		}
		all = append(all, q)
	}
	eachOf(all, func(q *question) { m.ask(t, q) })
	if others.err != nil {
		t.Fatal(others.err)
	}
	for _, q := range all {
		m.compare(t, s, q, tally)
	}
	tally.sets, tally.policies = tally.sets+1, tally.policies+len(objects.policies)
}

// question draws a request.
func (m *matching) question(d draw, name string) (q *question, err error) {
	a := d.request(m.gateways())
	if d.chance(0.6) {
		a = d.near(m.policies, m.gateways())
	}
	m.enter(d, &a)
	if agent := a.request.Header["User-Agent"]; len(agent) == 1 && agent[0] == "" {
		delete(a.request.Header, "User-Agent") // Go's client sends none that is empty
	}
	if strings.Contains(a.request.Method, "/") {
		a.request.Method = http.MethodPut // nor a method that is no token
	}
	q = &question{asked: a, name: name, rule: m.rules.Table(m.sender(&a)).Route(&a.request), tell: d.one("x-a", "X-B", "x-new")}
	q.script = d.scripted(q.rule)
	p, err := m.proxy(a.caller)
	if err != nil {
		return nil, err
	}
	if q.met, err = p.Meets(m.connected(&a)); err != nil {
		return nil, fmt.Errorf("%v: %w", &a, err)
	}
	return q, nil
}

// ask sends a request to the Envoy of its caller, and to the embedded mesh where both must answer the same.
func (m *matching) ask(t *testing.T, q *question) {
	var err error
	if q.got, err = m.send(t.Context(), &q.asked, q.headers()); err != nil {
		t.Errorf("%v: %v", &q.asked, err)
	}
	if q.decided() {
		q.own = m.toMesh(t, q)
	}
}

// compare judges what came back.
func (m *matching) compare(t *testing.T, seed uint64, q *question, tally *matchTally) {
	t.Helper()
	received := m.receipts.last[q.name]
	tally.requests, tally.tries = tally.requests+1, tally.tries+received.tries
	tally.met[kindOf(q.met.String())]++
	if q.got.header.Get("X-Envoy-Overloaded") != "" || strings.HasSuffix(string(q.own.body), "reset reason: overflow") {
		tally.overloaded++ // by a limit of a DestinationRule, and by how many requests are on their way
		return
	}
	if why := m.deviates(q); why != "" {
		tally.deviate(t, "seed %d: %v, script %q: expected: %s: %s\n  Envoy: %d %v %v; received: %+v", seed, &q.asked, q.script, why, q.met, q.got.status, q.got.header, q.got.err, received)
	}
	outside := received.by == passedThrough || strings.HasPrefix(received.by, "external")
	if !q.decided() || outside { // the mesh lets nobody out
		return
	}
	tally.compared++
	if real, embedded := inWords(&q.got), inWords(&q.own); real != embedded {
		tally.deviate(t, "seed %d: %v, script %q, under %s\n  the mesh: %s\n  Envoy:    %s", seed, &q.asked, q.script, q.rule.Name, embedded, real)
	}
}

// matchTally is what a comparison saw.
type matchTally struct {
	sets, policies, requests, tries, compared, overloaded, deviations int
	met                                                               count
}

// deviate notes a deviation, and shows the first ones.
func (a *matchTally) deviate(t *testing.T, format string, values ...any) {
	t.Helper()
	if a.deviations++; a.deviations <= *shown {
		t.Errorf(format, values...)
	}
}

// TestEnvoyMatcher compares real Envoys with the matcher of their configuration, on which TestTranslation relies, and with the embedded mesh.
func TestEnvoyMatcher(t *testing.T) {
	at, tally, begin := program(t), &matchTally{met: count{}}, time.Now()
	for s := *seed; tally.policies < *matchedPolicies; s++ {
		matchSet(t, at, s, tally)
	}
	for _, met := range tally.met.names() {
		t.Logf("%6d requests met %s", tally.met[met], met)
	}
	t.Logf("seeds %d to %d: %d policies, %d requests with %d tries in %v, %d of them compared with the embedded mesh too, %d ended by a limit: %d deviations", *seed, *seed+uint64(tally.sets)-1,
		tally.policies, tally.requests, tally.tries, time.Since(begin).Round(time.Second), tally.compared, tally.overloaded, tally.deviations)
}
