// Package oracle says what a request must meet, and holds what it met against that. Every failure is drawn from the
// request's name or pinned by its headers, so the objects, the graph and the request decide each try; only what the mesh
// draws itself (which destination of a split, which pod, whether a fault strikes, how long a back-off lasts) is open, and
// there the oracle follows the observation as far as the rules allow it.
//
// It knows rules, graph and trails. It must not know how requests are sent, how many are needed, or what becomes of a
// mismatch.
package oracle

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/graph"
	"github.com/hellochaos/hellochaos/service"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Ways are the calls that the requests of a phase can lead to, compiled from objects and graph. Rows tell what can be
// counted of them; a row is shared by all calls from the same service to the same host under the same rule.
type Ways struct {
	Rows []Row

	// routed are the requests that proxies look up; seen has them by their keys.
	routed []Routed
	seen   map[routedKey]bool

	rules  *manifests.Rules
	graph  *graph.Graph
	tables map[manifests.Caller]*manifests.Table
	rows   map[rowKey]int
	calls  map[callKey]*Call
	nodes  map[nodeKey]*Workload
	// open are the workloads whose calls are being followed: meeting one of them again is a circle.
	open map[nodeKey]bool
	// former are the ways of the phase before; nil in the first one.
	former *Ways
	// twin are the ways under the other rules of a Change, of which these are those after it where after is set; nil where there is none.
	twin  *Ways
	after bool
}

// Edge is the name of the caller of the entry: the load generator.
const Edge = "edge"

// Row is a kind of calls that are counted together.
type Row struct {
	// Caller is the calling service, or Edge. Host is what it calls, as it was resolved where a rule leads to one service.
	Caller, Host string
	// Rule is what the caller's proxy does; nil when the caller has no proxy.
	Rule *manifests.Rule
	// Destinations are where calls can go.
	Destinations []Destination
	// Tried: stand-ins of ours answer such calls, so that their tries can be made to fail.
	Tried bool
}

// Service is the service that all calls of the row lead to; "" where that is none or several.
func (r *Row) Service() (name string) {
	for i := range r.Destinations {
		for _, w := range r.Destinations[i].Workloads {
			if name != "" && name != w.Service {
				return ""
			}
			name = w.Service
		}
	}
	return name
}

// LeadsTo reports whether a call of the row may be answered by a service.
func (r *Row) LeadsTo(service string) bool {
	for i := range r.Destinations {
		for _, w := range r.Destinations[i].Workloads {
			if w.Service == service {
				return true
			}
		}
	}
	return false
}

// Call is a call as its caller's proxy treats it.
type Call struct {
	Row int
	graph.Call
	Rule *manifests.Rule // nil: no proxy is on the way
	// Destinations are those with a share above 0; none where the rule answers itself.
	Destinations []Destination
	// Twin is the same call under the other rules of a Change, of which this one is under the new ones where after is set; nil where the
	// rules do not change.
	Twin  *Call
	after bool
}

// Destination is one way that a call may take.
type Destination struct {
	// Name is the host, with its subset and port where it has them.
	Name string
	// Share of the calls, in (0, 1].
	Share float64
	// Status is the proxy's own answer (503: no such host or subset, no pods, 500 in place of it where an HTTPRoute names no such Service, or no connection with TLS), or that of a server of TLS to plain
	// HTTP (400); 0 where somebody answers.
	Status int
	// TLS says that the caller's proxy opens TLS there by a DestinationRule.
	TLS bool
	// External: a host outside at which no stand-in of ours answers; whoever is there answers what he likes.
	External bool
	// Host is what a rule sends there in place of the call's host; empty where it sends the same. Path is the path with its query that
	// is sent there; empty where no proxy is on the way.
	Host, Path string
	// Workloads are those whose pods may answer, each with its share of the pods.
	Workloads []*Workload
}

// Workload is a stand-in that may answer a call, with its own calls as they are treated on this way.
type Workload struct {
	*graph.Workload
	Share float64
	Steps [][]*Call
}

// Routed is a request as a proxy looks it up, and the rule that it meets.
type Routed struct {
	// Service is the calling service, or Edge; Caller is its proxy.
	Service string
	Caller  manifests.Caller
	Request manifests.Request
	Rule    *manifests.Rule
}

type routedKey struct {
	caller                              manifests.Caller
	service, host, method, path, header string
}

type rowKey struct {
	caller, host string
	external     bool
	rule         *manifests.Rule
}

type callKey struct {
	workload *graph.Workload
	number   int
	headers  string
}

type nodeKey struct {
	workload *graph.Workload
	headers  string
}

// NewWays reads who calls whom, and compiles nothing yet; Enter does, for each entry. The error joins all Deployments whose environment
// is wrong.
func NewWays(rules *manifests.Rules) (*Ways, error) {
	g, err := graph.Read(rules)
	if err != nil {
		return nil, err
	}
	return &Ways{rules: rules, graph: g, tables: map[manifests.Caller]*manifests.Table{}, rows: map[rowKey]int{},
		seen: map[routedKey]bool{}, calls: map[callKey]*Call{}, nodes: map[nodeKey]*Workload{}, open: map[nodeKey]bool{}}, nil
}

// Enter compiles the way of the requests of a cohort. The error says that the calls lead back to themselves, or that
// nothing stands at the entry.
func (w *Ways) Enter(entry manifests.Entry, request manifests.Request) (*Call, error) {
	if request.Method == "" {
		request.Method = http.MethodGet
	}
	first := &Call{Call: graph.Call{Host: request.Host, Path: request.Path, Method: request.Method}, after: w.after}
	caller, proxied, err := w.rules.CallerOf(entry)
	switch {
	case err != nil:
		return nil, err
	case proxied:
		first.Rule = w.route(Edge, caller, request)
	default:
		s := w.rules.Service(entry.Service)
		first.Host = s.Host
		d := Destination{Name: s.Host, Share: 1}
		if err := w.answeredBy(&d, w.rules.Selected(s), request.Header); err != nil {
			return nil, err
		}
		if len(d.Workloads) == 0 {
			return nil, fmt.Errorf("no Deployment in the objects has the labels that Service %s selects", entry.Service)
		}
		first.Destinations = []Destination{d}
	}
	if first.Rule != nil {
		request.Path = manifests.NormalPath(cmp.Or(request.Path, "/"))
		if err := w.lead(first, &request); err != nil {
			return nil, err
		}
	}
	w.place(first, Edge, sameHost(first.Host, caller))
	return first, nil
}

// sameHost is the host of a request as rows tell hosts apart: the names of one host are one, and a gateway looks at no port.
func sameHost(host string, caller manifests.Caller) string {
	name, port, _ := strings.Cut(host, ":")
	if caller.Gateway != "" {
		return name
	}
	name = manifests.FullHost(strings.TrimSuffix(name, "."), cmp.Or(caller.Namespace, manifests.Namespace))
	if port != "" {
		name += ":" + port
	}
	return name
}

// route is the rule that a request meets at the proxy of a caller.
func (w *Ways) route(service string, c manifests.Caller, request manifests.Request) *manifests.Rule {
	rule := w.table(c).Route(&request)
	key := routedKey{c, service, request.Host, request.Method, request.Path, fingerprint(request.Header)}
	if !w.seen[key] {
		w.seen[key] = true
		w.routed = append(w.routed, Routed{Service: service, Caller: c, Request: request, Rule: rule})
	}
	return rule
}

// Unreached are the workloads that no request of the entered ways can meet.
func (w *Ways) Unreached() (all []*graph.Workload) {
	reached := map[*graph.Workload]bool{}
	for key := range w.nodes {
		reached[key.workload] = true
	}
	for i := range w.graph.Workloads {
		if of := &w.graph.Workloads[i]; !reached[of] {
			all = append(all, of)
		}
	}
	return all
}

// At are the stand-ins that run in workloads of the rules.
func (w *Ways) At(workloads []manifests.Workload) (all []*graph.Workload) {
	for i := range workloads {
		if at := w.graph.Of(&workloads[i]); at != nil {
			all = append(all, at)
		}
	}
	return all
}

// Routed are the requests that proxies look up on the ways, each once.
func (w *Ways) Routed() []Routed { return w.routed }

func (w *Ways) table(c manifests.Caller) *manifests.Table {
	t := w.tables[c]
	if t == nil {
		t = w.rules.Table(c)
		w.tables[c] = t
	}
	return t
}

// lead follows a call's rule to its destinations, with what the rule sends there for the request.
func (w *Ways) lead(c *Call, request *manifests.Request) error {
	for i := range c.Rule.Split {
		to := &c.Rule.Split[i]
		if to.Share == 0 {
			continue
		}
		d, header := Destination{Name: destinationName(to), Share: to.Share, TLS: to.TLS != nil}, to.Arriving(request.Header)
		d.Host, d.Path = c.Rule.Rewritten(request, to)
		failing := w.rules.Failing(to, d.Host)
		if d.Host == request.Host {
			d.Host = ""
		}
		switch endpoints := w.rules.Endpoints(to); {
		case failing != nil && failing.Status != 0:
			d.Status = failing.Status
		case len(endpoints.External) > 0:
			if err := w.answeredBy(&d, w.rules.Behind(endpoints.External), header); err != nil {
				return err
			}
			d.External = !slices.ContainsFunc(d.Workloads, func(at *Workload) bool { return at.Ours })
		case !endpoints.Known:
			d.Status = c.Rule.NoDestination()
		case replicas(endpoints.Workloads) == 0:
			d.Status = http.StatusServiceUnavailable
		default:
			if err := w.answeredBy(&d, endpoints.Workloads, header); err != nil {
				return err
			}
		}
		c.Destinations = append(c.Destinations, d)
	}
	return c.distinct()
}

// distinct returns an error where a workload may answer at two destinations to which the rule sends different headers, on which the
// workload's own calls depend: nobody could tell which of the two an answer came from.
func (c *Call) distinct() error {
	seen := map[*graph.Workload]*Workload{}
	for i := range c.Destinations {
		for _, at := range c.Destinations[i].Workloads {
			if other := seen[at.Workload]; other != nil && !reflect.DeepEqual(other.Steps, at.Steps) {
				return fmt.Errorf("%s sends different headers to two destinations where Deployment %s answers, whose calls depend on them: nobody can tell which of "+
					"the two an answer came from", c.Rule.Name, at.Name)
			}
			seen[at.Workload] = at
		}
	}
	return nil
}

func destinationName(d *manifests.Destination) string {
	name := d.Host
	if d.Subset != "" {
		name += " subset " + d.Subset
	}
	return name
}

func replicas(workloads []manifests.Workload) (n int) {
	for i := range workloads {
		n += workloads[i].Replicas
	}
	return n
}

// answeredBy adds the workloads whose pods may answer at a destination.
func (w *Ways) answeredBy(d *Destination, workloads []manifests.Workload, header http.Header) error {
	all := replicas(workloads)
	for i := range workloads {
		if workloads[i].Replicas == 0 {
			continue
		}
		of := w.graph.Of(&workloads[i])
		if of == nil {
			return fmt.Errorf("the graph has no Deployment %s", workloads[i].Name)
		}
		node, err := w.node(of, header)
		if err != nil {
			return err
		}
		shared := *node
		shared.Share = float64(workloads[i].Replicas) / float64(all)
		d.Workloads = append(d.Workloads, &shared)
	}
	return nil
}

// node is a workload with its calls, for requests with these headers.
func (w *Ways) node(of *graph.Workload, header http.Header) (*Workload, error) {
	key := nodeKey{of, fingerprint(header)}
	if node := w.nodes[key]; node != nil {
		return node, nil
	}
	if w.open[key] {
		return nil, fmt.Errorf("the calls of Deployment %s lead back to it: circles cannot be followed", of.Name)
	}
	if len(w.open) == trail.MaxDepth {
		return nil, fmt.Errorf("the calls of Deployment %s are more than %d services away from the entry: no trail is as long", of.Name, trail.MaxDepth)
	}
	w.open[key] = true
	defer delete(w.open, key)
	node := &Workload{Workload: of}
	for _, step := range of.Steps {
		var calls []*Call
		for i := range step {
			call, err := w.call(of, &step[i], service.Forwarded(header, step[i].External, of.Forward))
			if err != nil {
				return nil, err
			}
			calls = append(calls, call)
		}
		node.Steps = append(node.Steps, calls)
	}
	w.nodes[key] = node
	return node, nil
}

// call is a workload's call as its proxy treats it.
func (w *Ways) call(of *graph.Workload, call *graph.Call, header http.Header) (*Call, error) {
	key := callKey{of, call.Number, fingerprint(header)}
	if c := w.calls[key]; c != nil {
		return c, nil
	}
	c := &Call{Call: *call, after: w.after}
	request := manifests.Request{Host: call.Host, Method: call.Method, Path: manifests.NormalPath(call.Path), Header: header}
	caller := w.rules.SidecarCaller(of.Workload)
	c.Rule = w.route(of.Service, caller, request)
	if err := w.lead(c, &request); err != nil {
		return nil, err
	}
	w.place(c, of.Service, sameHost(c.Host, caller))
	w.calls[key] = c
	return c, w.pair(c, of, call, header)
}

// place finds the row of a call to a host, or adds it.
func (w *Ways) place(c *Call, caller, host string) {
	key := rowKey{caller, host, c.External, c.Rule}
	row, ok := w.rows[key]
	if !ok {
		row = len(w.Rows)
		w.rows[key] = row
		w.Rows = append(w.Rows, Row{Caller: caller, Host: c.Host, Rule: c.Rule, Destinations: c.Destinations, Tried: c.tried()})
	}
	c.Row = row
}

// fingerprint is the same for equal headers.
func fingerprint(header http.Header) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(header)) {
		fmt.Fprintf(&text, "%s:%q\n", name, header[name])
	}
	return text.String()
}

// Tries is the most tries that a call can have.
func (c *Call) Tries() int {
	if c.Rule == nil {
		return 1
	}
	return 1 + c.Rule.Retry.Attempts
}

// limit is the shortest time after which a time limit of the rule ends a try or the call; 0 is none.
func (c *Call) limit() time.Duration {
	switch {
	case c.Rule == nil:
		return 0
	case c.Rule.Retry.PerTry > 0:
		return c.Rule.Retry.PerTry
	}
	return c.Rule.Timeout
}

// After notes the ways of the phase before, whose rules are what a proxy obeys that has not taken the new ones.
func (w *Ways) After(former *Ways) { w.former = former }

// Telling is the share of the calls of a row that would be answered by somebody else under another rule: under those that
// other requests for the same host meet, and those of the phase before. It is 1 where there is no other rule, and 0 where all
// of them lead to the same.
func (w *Ways) Telling(row int) float64 {
	mine, most, others := &w.Rows[row], 0.0, 0
	compare := func(of *Ways) {
		for i := range of.Rows {
			other := &of.Rows[i]
			if other.Caller == mine.Caller && other.Host == mine.Host && other.Rule != mine.Rule {
				others++
				most = max(most, elsewhere(mine, other))
			}
		}
	}
	compare(w)
	if w.former != nil {
		compare(w.former)
	}
	if others == 0 {
		return 1
	}
	return most
}

// elsewhere is the share of the calls under another rule whose answer does not come from where this one leads.
func elsewhere(mine, other *Row) (share float64) {
	if len(other.Destinations) == 0 || len(mine.Destinations) == 0 {
		if len(other.Destinations) == len(mine.Destinations) {
			return 0
		}
		return 1
	}
	for i := range other.Destinations {
		d := &other.Destinations[i]
		if len(d.Workloads) == 0 && !mine.leads(d, nil) {
			share += d.Share
		}
		for _, at := range d.Workloads {
			if !mine.leads(d, at) {
				share += d.Share * at.Share
			}
		}
	}
	return share
}

// leads reports whether the calls of a row may be answered by a workload, or, without one, as a destination answers.
func (r *Row) leads(d *Destination, at *Workload) bool {
	for i := range r.Destinations {
		mine := &r.Destinations[i]
		if at == nil && len(mine.Workloads) == 0 && mine.Status == d.Status {
			return true
		}
		for _, w := range mine.Workloads {
			if at != nil && w.Service == at.Service && w.Version == at.Version {
				return true
			}
		}
	}
	return false
}

// New reports whether the rule of a row holds since this phase: its calls met another one, or none, in the phase before. In the
// first phase all are.
func (w *Ways) New(row int) bool {
	mine := &w.Rows[row]
	if w.former == nil {
		return true
	}
	for i := range w.former.Rows {
		if other := &w.former.Rows[i]; other.Caller == mine.Caller && other.Host == mine.Host && sameRule(mine, other) {
			return false
		}
	}
	return true
}

// sameRule reports whether two rows of different phases say the same of their calls.
func sameRule(a, b *Row) bool {
	if a.Rule == nil || b.Rule == nil {
		return a.Rule == b.Rule
	}
	return a.Rule.Name == b.Rule.Name && a.Rule.File == b.Rule.File && elsewhere(a, b) == 0 && elsewhere(b, a) == 0 &&
		reflect.DeepEqual(a.Rule.Retry, b.Rule.Retry) && a.Rule.Timeout == b.Rule.Timeout && reflect.DeepEqual(a.Rule.Fault, b.Rule.Fault) && sameMirrors(a.Rule.Mirrors, b.Rule.Mirrors) &&
		sentAlike(a, b)
}

// sameMirrors reports whether the same shares are copied to the same destinations.
func sameMirrors(a, b []manifests.Mirror) bool {
	return slices.EqualFunc(a, b, func(x, y manifests.Mirror) bool {
		return x.Host == y.Host && x.Subset == y.Subset && x.Port == y.Port && x.Share == y.Share
	})
}

// sentAlike reports whether the rules of two rows with the same destinations send the same there.
func sentAlike(a, b *Row) bool {
	if len(a.Destinations) != len(b.Destinations) || len(a.Rule.Split) != len(b.Rule.Split) {
		return false
	}
	for i := range a.Destinations {
		if a.Destinations[i].Host != b.Destinations[i].Host || a.Destinations[i].Path != b.Destinations[i].Path {
			return false
		}
	}
	for i := range a.Rule.Split {
		mine, other := &a.Rule.Split[i], &b.Rule.Split[i]
		if !reflect.DeepEqual(mine.Request, other.Request) || !reflect.DeepEqual(mine.Answer, other.Answer) || !reflect.DeepEqual(mine.TLS, other.TLS) {
			return false
		}
	}
	return reflect.DeepEqual(a.Rule.Answer, b.Rule.Answer)
}
