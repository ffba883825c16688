// Package target says what a run needs of the thing it tests: a mesh that obeys a set of objects, addresses to send
// requests to, and counters read from the services themselves. It knows manifests and nothing of load, statistics or
// verdicts. The embedded mesh and the cluster implement it, and the contract test of this folder holds both to one
// table.
package target

import (
	"context"

	"github.com/hellochaos/hellochaos/manifests"
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
// Counters and Address, which may be.
type Target interface {
	// Apply makes objects the whole set that the mesh obeys. After it returns, no new request sees an older set.
	// On error the former set stays in force. Calls that are under way at a pod that goes are cut.
	Apply(ctx context.Context, objects []manifests.Object) error
	// Address is the base URL of an entry, "http://127.0.0.1:41234". The gateway's requests carry the Host that
	// manifests.Rules.EntryHost gives. An error says which object is missing.
	Address(entry Entry) (string, error)
	// Counters reads what every service counted since it started, after waiting until no try is in flight any
	// more; ctx bounds the wait. It is read over HTTP from the services' /metrics, never from a proxy's memory.
	Counters(ctx context.Context) (Counters, error)
	// Describe says what the target is, for the report.
	Describe() Description
	// Close stops or puts back everything that the target started or changed.
	Close(ctx context.Context) error
}

// Description names a target in a report.
type Description struct {
	// Kind is "mesh" or "cluster".
	Kind string
	// Detail is one line for people: "embedded mesh, Istio's defaults as of 1.31".
	Detail string
	// Deviation is what the mesh was told to do wrong on purpose (--break), or empty. It is shown, never used in a
	// verdict or an explanation.
	Deviation string
}
