// Package target says what a run needs of the thing it tests: a mesh that obeys a set of objects, addresses to send
// requests to, and counters read from the services themselves. It knows manifests and nothing of load, statistics or
// verdicts. The embedded mesh and the cluster implement it, and the contract test of this folder holds both to one
// table.
package target

import (
	"context"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Entry is a way into the chain.
type Entry string

const (
	// Direct leads straight to the frontend's pod from outside the mesh: no caller-side proxy is on the way.
	Direct Entry = "direct"
	// Gateway leads through the mesh's ingress gateway.
	Gateway Entry = "gateway"
)

// Target is a mesh that a run can change, send to and put back. Methods may not be called concurrently, except
// Counters, Spans and Address, which may be.
type Target interface {
	// Apply makes objects the whole set that the mesh obeys. After it returns, no new request sees an older set.
	// On error the former set stays in force. Calls that are under way at a pod that goes are cut.
	Apply(ctx context.Context, objects []manifests.Object) error
	// Address is an entry as it is now. The gateway's requests carry the Host that manifests.Rules.EntryHost gives. An
	// error says which object is missing.
	Address(ctx context.Context, entry Entry) (Address, error)
	// Counters reads what every service counted since it started, after waiting until no try is in flight any
	// more; ctx bounds the wait. It is read over HTTP from the services' /metrics, never from a proxy's memory. Pods
	// that went away keep the counts that were last read of them.
	Counters(ctx context.Context) (Counters, error)
	// Spans reads what every process of the chain's services recorded of the requests with these names, at most
	// trail.MaxSpanRequests; without names, how much they recorded. With an error it returns what could be read
	// nevertheless. Pods that went away took theirs with them.
	Spans(ctx context.Context, requests []string) ([]trail.Recording, error)
	// Incidents is what happened to the target since the last call that the run did not do.
	Incidents(ctx context.Context) ([]Incident, error)
	// Describe says what the target is, for the report.
	Describe() Description
	// Close stops or puts back everything that the target started or changed, and says what that was. Its error says
	// what is left and how to put it back.
	Close(ctx context.Context) (Restoration, error)
}

// Address is a way in.
type Address struct {
	// URL is the base of all requests, without a slash at its end: "http://127.0.0.1:41234".
	URL string
	// Way says how it was found, for the report: "loopback", "load balancer", "port-forward to pod frontend-prod-x1".
	Way string
}

// Incident is something that happened to a target behind the run's back.
type Incident struct {
	// Text is one sentence that names the object, what happened, and who did it where that is known.
	Text string
	// Pod: a pod of the chain was replaced or restarted, so that calls were cut and counts are lost. Otherwise the mesh's
	// rules were changed, or two sources of one number disagree.
	Pod bool
	// Note: nothing happened. Text says where a second source of the counters agrees with them, or why there is none.
	Note bool
}

// Restoration is how a target was put back.
type Restoration struct {
	// Objects were put back as they were, of which each was read back.
	Objects int
	// Detail is one line for people; empty where there was nothing to put back.
	Detail string
}

// Description names a target in a report.
type Description struct {
	// Kind is "mesh" or "cluster".
	Kind string
	// Detail is one line for people: "embedded mesh, Istio's defaults as of 1.31".
	Detail string
	// Versions are those of what is tested, by name: "kubernetes", "istio".
	Versions map[string]string
	// Traced: the mesh may have a tracer, so requests are given ids by which it knows them.
	Traced bool
	// Deviation is what the mesh was told to do wrong on purpose (--break), or empty. It is shown, never used in a
	// verdict or an explanation.
	Deviation string
}
