// Package envoy reads the configuration that Envoy gets, and says what a request meets under it: listener, virtual host, route, cluster,
// endpoints. It is written from Envoy's documentation and code alone. It imports nothing that reads Istio's API, so that what it says is
// evidence about Istio.
package envoy

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Request has the parts of a request on which routing depends.
type Request struct {
	Host   string // as in the Host header, with or without a port
	Port   int    // of the connection on which the client sends it
	Method string
	Path   string // normalised, with the query
	Header http.Header
	// Address is the address to which DNS resolves the host, and Name the name of what is there, for messages.
	Address, Name string
}

// Pods are the pods of a cluster with its load balancer.
func Pods(names []string, balancer string) string {
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ") + " by " + balancer
}

// Outside are the addresses outside the mesh of a cluster, "external host:port", with its load balancer where there are several.
func Outside(addresses []string, balancer string) string {
	slices.Sort(addresses)
	if addresses = slices.Compact(addresses); len(addresses) == 1 {
		return addresses[0]
	}
	return strings.Join(addresses, " ") + " by " + balancer
}

// Outcome is what a request meets. Two outcomes are the same if their Strings are equal.
type Outcome struct {
	// Answer is what the proxy answers itself: "404", "direct 418 body", "redirect 301 host path", "reset"; empty where it routes.
	Answer string
	// To has the destinations among which the one of the request is drawn.
	To []Share
	// Retry says how often and after what the request is sent again; Timeout and Fault are empty where there is none.
	Retry, Timeout, Fault string
	// Mirrors are where copies go, with the share of the requests that are copied.
	Mirrors []Share
}

// Share is a share of the requests, in [0,1], and where it goes: "pods two-a two-b", "external api.example:80", "NC" or "UH", with the host
// and the path that are sent.
type Share struct {
	Share float64
	To    string
}

// String is the outcome in one line, in a form that does not depend on the order of equal destinations.
func (o *Outcome) String() string {
	all := []string{o.Answer}
	sum := make(map[string]float64)
	for _, to := range o.To {
		if to.Share > 0 {
			sum[to.To] += to.Share
		}
	}
	for to, share := range sum {
		all = append(all, fmt.Sprintf("%.3f %s", share, to))
	}
	for _, m := range o.Mirrors {
		if strings.HasPrefix(m.To, "NC") {
			continue // no copy is sent, as without the mirror
		}
		all = append(all, fmt.Sprintf("mirror %.4f %s", m.Share, m.To))
	}
	for name, value := range map[string]string{"retry": o.Retry, "timeout": o.Timeout, "fault": o.Fault} {
		if value != "" {
			all = append(all, name+" "+value)
		}
	}
	slices.Sort(all)
	return strings.TrimPrefix(strings.Join(all, "; "), "; ")
}

// Failures are ways in which a try can fail, by the words of messages. A retry policy is compared by those that it covers.
var Failures = []Failure{{"409", 409, false}, {"429", 429, false}, {"500", 500, false}, {"501", 501, false}, {"502", 502, false}, {"503", 503, false},
	{"504", 504, false}, {"404", 404, false}, {"rate-limited", 503, true}, {"reset", 0, false}, {"connect", 0, false}, {"per-try", 0, false}}

// Failure is a way in which a try fails: by a status, or without one.
type Failure struct {
	Name        string
	Status      int
	RateLimited bool // the answer has the header x-envoy-ratelimited
}

// RetryWords is a retry policy in words; empty where nothing is sent again.
func RetryWords(attempts int, perTry, base time.Duration, otherHosts bool, covers func(*Failure) bool) string {
	if attempts == 0 {
		return ""
	}
	var covered []string
	for i := range Failures {
		if covers(&Failures[i]) {
			covered = append(covered, Failures[i].Name)
		}
	}
	return fmt.Sprintf("%d after [%s] per try %v base %v other hosts %v", attempts, strings.Join(covered, " "), perTry, base, otherHosts)
}

// FaultWords is a fault in words; empty where there is none.
func FaultWords(delay time.Duration, delayed float64, status int, aborted float64) string {
	var all []string
	if delay > 0 && delayed > 0 {
		all = append(all, fmt.Sprintf("delay %v of %.4f", delay, delayed))
	}
	if status > 0 && aborted > 0 {
		all = append(all, fmt.Sprintf("abort %d of %.4f", status, aborted))
	}
	return strings.Join(all, " ")
}

// Sent is what is sent to a destination, with which headers, and with which ones an answer of SomeAnswer comes back.
func Sent(to, host, path string, request, answer http.Header) string {
	return fmt.Sprintf("%s as %s%s %s answers %s", to, host, path, HeaderWords(request), HeaderWords(answer))
}
