// Package cases reads the test files of istio-config-validator, and says which of their cases hold. A case has requests, and what its
// author expects of the rule that they meet. The package knows the form of the files and what rules mean. It must not know how requests
// are sent, or what came of them: it makes cohorts of the requests, so that a run sends them.
package cases

import (
	"google.golang.org/protobuf/proto"

	"github.com/hellochaos/hellochaos/scenarios/derive"
)

// Case is a test case: what is expected of the rule that each of its requests meets.
type Case struct {
	File string
	Line int
	// Description is the author's; where there is none, it is the place of the case in its document, "testCases[2]".
	Description string
	// WantMatch says that the rule must have each of the expected parts. Where it is false, the rule must have none of them.
	WantMatch bool
	// Requests are the product of the lists of authorities, methods and URIs, at least one.
	Requests []Request
	// expected are the parts that the case names, at least one.
	expected []part
}

// Request is a request of a case.
type Request struct {
	derive.Wanted
	// Unsent is a clause that says why a run cannot send the request, so that it is compared with the rules alone; empty where it can.
	Unsent string
}

// part is a part of an http entry that a case expects, as it is written there.
type part struct {
	// name is its field: "route", "redirect", "rewrite", "fault", "headers", "delegate".
	name string
	// values are the message of Istio's API, or, of a route, its destinations.
	values []proto.Message
}

// Suite is the cases of some files.
type Suite struct {
	Cases []Case
	// PassedOver are the files of folders that have no test cases.
	PassedOver []string
}
