// Package target defines what a run needs from the mesh that it tests: the mesh obeys a set of objects, it has addresses to which
// requests are sent, and its services report their own counters. The package knows manifests, and must not know load, statistics
// or verdicts. The embedded mesh and the cluster implement it. The contract test of this folder checks both against one table.
package target

import (
	"context"
	"crypto/tls"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Target is a mesh that a run can change, send requests to and put back as it was. Only Counters, Spans and Address may be called
// concurrently.
type Target interface {
	// Apply makes objects the whole set that the mesh obeys. After it returns, the mesh handles no new request by an older set.
	// On error the former set stays in force. Apply cuts calls that are under way at a pod that it removes.
	Apply(ctx context.Context, objects []manifests.Object) error
	// Address is the current address of an entry. Requests to a gateway must carry a Host header that it serves
	// (manifests.Rules.EntryHost), and requests of a caller the host that they are for. An error names the object that is missing.
	Address(ctx context.Context, entry manifests.Entry) (Address, error)
	// Counters waits until no try is in flight, and then reads what every service has counted since it started. ctx bounds the
	// wait. The counts are read over HTTP from /metrics of the services and never from the memory of a proxy. For a pod that
	// went away the counts that were last read from it stay.
	Counters(ctx context.Context) (Counters, error)
	// Spans reads what every process of the chain's services recorded about the requests with these names, at most
	// trail.MaxSpanRequests names; without names it reads how much they recorded. Together with an error it returns the
	// recordings that could be read. The recordings of a pod that went away are lost.
	Spans(ctx context.Context, requests []string) ([]trail.Recording, error)
	// Incidents are the things that happened to the target since the last call and that the run itself did not cause.
	Incidents(ctx context.Context) ([]Incident, error)
	// Describe describes the target for the report.
	Describe() Description
	// Close stops or puts back everything that the target started or changed, and reports what that was. Its error says
	// what was not put back and how to put it back.
	Close(ctx context.Context) (Restoration, error)
}

// Address is where requests enter the mesh.
type Address struct {
	// URL is the base of all requests, without a slash at its end: "http://127.0.0.1:41234". With "https://" a client connects with
	// TLS, and asks for the host of its request (SNI).
	URL string
	// TLS is how a client connects to an URL with "https://": which certificates it trusts, and the one that it has itself. The name for
	// which it asks is missing. nil: the system's certificates.
	TLS *tls.Config
	// Way says for the report how the address was found: "loopback", "loopback with TLS", "load balancer", "port-forward to pod frontend-prod-x1".
	Way string
}

// Incident is something that happened to a target during a run and that the run did not cause.
type Incident struct {
	// Text is one sentence that names the object, what happened, and who did it where that is known.
	Text string
	// Pod says that a pod of the chain was replaced or restarted, so that calls were cut and counts are lost. Without Pod and
	// Note the rules of the mesh were changed, or two sources of one number disagree.
	Pod bool
	// Note says that nothing happened: Text reports that a second source of the counters agrees with them, or why there is no
	// second source.
	Note bool
}

// Restoration reports how a target was put back.
type Restoration struct {
	// Objects is how many objects were put back as they were. Each of them was read again to check it.
	Objects int
	// Detail is one line for people; empty when there was nothing to put back.
	Detail string
}

// Description names a target in a report.
type Description struct {
	// Kind is "mesh" or "cluster".
	Kind string
	// Detail is one line for people: "embedded mesh, Istio's defaults as of 1.31".
	Detail string
	// Versions are the versions of the tested software, by its name: "kubernetes", "istio".
	Versions map[string]string
	// Traced says that the mesh may have a tracer, so that requests get ids by which the tracer knows them.
	Traced bool
	// ByConnection says that each connection to a proxy takes up new rules by itself, and that each pod has a proxy of its own. Without it a
	// proxy sends the calls of all pods of an app, and takes up new rules for all of them at one moment.
	ByConnection bool
	// Deviation is the value of --break, which makes the mesh wrong on purpose, or empty. It is printed, and never used in a
	// verdict or an explanation.
	Deviation string
}
