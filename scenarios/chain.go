package scenarios

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/calls"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

// The services of the chain that stages look at, and the version that they tell apart. The clock is whatever service
// at the chain's end is not ours.
const (
	frontend   = "frontend"
	middleware = "middleware"
	backend    = "backend"
	clock      = attack.Clock
	canary     = "canary"
)

// hop is one step of the chain as the applied objects have it: what the caller's proxy does with a call, and who may
// answer it.
type hop struct {
	name string
	// rule is what the caller's proxy does; nil when the caller stands outside the mesh and has no proxy.
	rule *manifests.Rule
	arms []arm
	// external: the service is not ours; its failures are told apart from cascading ones.
	external bool
}

// arm is one way that a call may take: to pods of one version, to an external host, or to an answer of the proxy's own.
type arm struct {
	share   float64
	version string
	// status is the proxy's own answer (no rule, unknown cluster, no endpoint); 0 when a service answers.
	status int
	// hang is how long a hung try of these pods takes.
	hang time.Duration
	// external is a service that is not ours: it obeys no header of ours and shows no trail.
	external bool
}

// noAnswer stands for the status of a call that is cut without one; like every status above 499 it is a failure.
const noAnswer = 999

// discover follows a request with these headers through the applied objects, hop by hop, as the proxies will route it.
func discover(rules *manifests.Rules, entry target.Entry, header http.Header) ([]hop, error) {
	first, workloads, err := enter(rules, entry, header)
	if err != nil {
		return nil, err
	}
	hops := []hop{first}
	sidecar := rules.Table(manifests.Caller{Namespace: manifests.Namespace})
	for {
		call, err := callOf(workloads)
		if err != nil || call == nil {
			return hops, err
		}
		if len(hops) == maxHops {
			return nil, fmt.Errorf("the services call one another over more than %d hops (UPSTREAM_URI or CALLS of their Deployments): is it a circle?", maxHops)
		}
		upstream, err := url.Parse(call.URL)
		if err != nil {
			return nil, fmt.Errorf("%s calls %q: %w", deployment(workloads[len(workloads)-1]), call.URL, err)
		}
		next := hop{name: clock, external: call.External}
		if !next.external {
			next.name, _, _ = strings.Cut(upstream.Hostname(), ".")
		}
		next.rule = sidecar.Route(&manifests.Request{Host: upstream.Host, Method: cmp.Or(call.Method, http.MethodGet), Path: upstream.RequestURI(), Header: header})
		next.arms, workloads = follow(rules, next.rule)
		hops = append(hops, next)
	}
}

// callOf is the call that the versions of a service make, nil where they make none: all of them make the same one. The
// error names each Deployment that does what a forecast of a line of services knows nothing of.
func callOf(workloads []*manifests.Workload) (call *calls.Call, err error) {
	var problems []error
	for _, w := range workloads {
		if call, err = onlyCall(w); err != nil {
			problems = append(problems, err)
		}
		for _, name := range []string{"FAIL_PROBABILITY", "HANG_PROBABILITY"} {
			if w.Env[name] != "" {
				problems = append(problems, fmt.Errorf("%s has %s %q: the stages predict services that all fail and hang with the probabilities of the run (--fail, --hang); leave the variable out", deployment(w), name, w.Env[name]))
			}
		}
	}
	return call, errors.Join(problems...)
}

// onlyCall is the call that a workload's service makes for each try; nil where it makes none.
func onlyCall(w *manifests.Workload) (*calls.Call, error) {
	text := w.Env["CALLS"]
	if text == "" {
		if w.Env["UPSTREAM_URI"] == "" {
			return nil, nil
		}
		return &calls.Call{URL: w.Env["UPSTREAM_URI"], External: w.Env["UPSTREAM_EXTERNAL"] == "true"}, nil
	}
	steps, problems := calls.Read(text)
	if problems != nil {
		return nil, fmt.Errorf("%s: CALLS%s", deployment(w), strings.Join(problems, "; CALLS"))
	}
	all := slices.Concat(steps...)
	switch len(all) {
	case 0:
		return nil, nil
	case 1:
		return &all[0], nil
	}
	return nil, fmt.Errorf("%s makes %d calls for each try (CALLS): the stages predict a line of services, in which each one calls one other at most; leave one call in CALLS", deployment(w), len(all))
}

// deployment names a workload.
func deployment(w *manifests.Workload) string { return "Deployment " + w.Name }

// enter is the first hop: through the gateway's proxy, or straight to the frontend's pods.
func enter(rules *manifests.Rules, entry target.Entry, header http.Header) (hop, []*manifests.Workload, error) {
	first := hop{name: frontend}
	if entry == target.Gateway {
		gateway, host, err := theGateway(rules)
		if err != nil {
			return hop{}, nil, err
		}
		first.rule = rules.Table(manifests.Caller{Gateway: gateway}).Route(
			&manifests.Request{Host: host, Method: http.MethodGet, Path: "/", Header: header})
		var workloads []*manifests.Workload
		first.arms, workloads = follow(rules, first.rule)
		return first, workloads, nil
	}
	for i := range rules.Workloads {
		if w := &rules.Workloads[i]; w.Labels["app"] == frontend {
			first.arms = []arm{podsOf(w, 1)}
			return first, []*manifests.Workload{w}, nil
		}
	}
	return hop{}, nil, fmt.Errorf("no Deployment with the label app=%s in the application", frontend)
}

// follow lists the arms of a rule, and the workloads that may answer a call.
func follow(rules *manifests.Rules, rule *manifests.Rule) ([]arm, []*manifests.Workload) {
	switch {
	case rule.Direct != nil && rule.Direct.Reset:
		return []arm{{share: 1, status: noAnswer}}, nil
	case rule.Direct != nil:
		return []arm{{share: 1, status: rule.Direct.Status}}, nil
	}
	if rule.Redirect != nil {
		return []arm{{share: 1, status: rule.Redirect.Status}}, nil
	}
	var arms []arm
	var next []*manifests.Workload
	for i := range rule.Split {
		destination := &rule.Split[i]
		if destination.Share == 0 {
			continue
		}
		endpoints := rules.Endpoints(destination)
		switch {
		case endpoints.External != "":
			arms = append(arms, arm{share: destination.Share, external: true})
		case pods(endpoints) == 0:
			arms = append(arms, arm{share: destination.Share, status: http.StatusServiceUnavailable})
		default:
			for j := range endpoints.Workloads {
				w := &endpoints.Workloads[j]
				arms = append(arms, podsOf(w, destination.Share*float64(w.Replicas)/float64(pods(endpoints))))
				next = append(next, w)
			}
		}
	}
	return arms, next
}

// pods is how many endpoints there are.
func pods(endpoints *manifests.Endpoints) (n int) {
	for _, w := range endpoints.Workloads {
		n += w.Replicas
	}
	return n
}

// podsOf is the arm of one workload's pods.
func podsOf(w *manifests.Workload, share float64) arm {
	hang := trail.DefaultHang
	if d, err := time.ParseDuration(w.Env["HANG_DURATION"]); err == nil {
		hang = d
	}
	return arm{share: share, version: w.Labels["version"], hang: hang}
}

// balanced reports whether the versions of this hop are picked by load alone: a rule sends calls to one destination
// that holds several versions.
func (h *hop) balanced() bool {
	destinations := 0
	if h.rule != nil {
		for _, d := range h.rule.Split {
			if d.Share > 0 {
				destinations++
			}
		}
	}
	return destinations == 1 && len(h.arms) > 1
}

// version is the share of a hop's answers that come from one version, among the arms that a service answers.
func (h *hop) version(name string) float64 {
	var share, all float64
	for _, a := range h.arms {
		if a.status == 0 {
			all += a.share
			if a.version == name {
				share += a.share
			}
		}
	}
	if all == 0 {
		return 0
	}
	return share / all
}

// tries is the most tries that a call to this hop can have, 1 when nothing is retried.
func (h *hop) tries() int {
	if h.rule == nil {
		return 1
	}
	return 1 + h.rule.Retry.Attempts
}

// theGateway is the Gateway that requests enter by, and a Host header that it admits (empty: any).
func theGateway(rules *manifests.Rules) (name, host string, err error) {
	names := slices.Sorted(maps.Keys(rules.Gateways))
	if len(names) != 1 {
		return "", "", fmt.Errorf("want exactly one Gateway to enter by, the objects have %d %v", len(names), names)
	}
	host, ok := rules.EntryHost(names[0])
	if !ok {
		return "", "", fmt.Errorf("no server of Gateway %s has a host for HTTP", names[0])
	}
	return names[0], host, nil
}
