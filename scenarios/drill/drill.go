// Package drill says which requests show that a mesh obeys the policies of DestinationRules that make what becomes of a call depend on other
// calls: the limits of a connectionPool, retryBudget, outlierDetection, and consistentHash. It says so of mirrors, too, whose copies no caller sees, and of answers of 503, which no other request asks for. No prediction of single calls is possible there, since trials
// are not independent; what is checked instead is arithmetic on the order and the times of the answers, as the client saw them. It knows rules
// and answers. It must not know how requests are sent.
package drill

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Subject is a destination with a policy, and the requests that lead to it for certain.
type Subject struct {
	// Cohort is the index of the requests.
	Cohort int
	// Name is the destination: the host, with its subset where it has one.
	Name string
	// Endpoints has the policies.
	*manifests.Endpoints
	// Rule is what the requests meet, and Pods how many pods answer there.
	Rule *manifests.Rule
	Pods int
	// Hang is how long a try hangs at the pods that is pinned to.
	Hang time.Duration
}

// Kind is a policy that a drill checks.
type Kind string

// The kinds, as reports name them.
const (
	Limits  Kind = "connectionPool"
	Retries Kind = "connectionPool, maxRetries"
	Budget  Kind = "retryBudget"
	Eject   Kind = "outlierDetection"
	Keys    Kind = "consistentHash"
	Mirrors Kind = "mirror"
	// Unavailable is the retryOn of a rule, by answers of 503.
	Unavailable Kind = "retryOn"
	// UnavailableCodes is the same for a rule of an HTTPRoute, which has codes in place of retryOn.
	UnavailableCodes Kind = "retry.codes"
)

// Drill is a check of one policy.
type Drill struct {
	Subject
	Kind Kind
	// Requests are sent one after another at Rate, a number of them a second.
	Requests []Request
	Rate     float64
	// Why is a clause that says why the policy cannot be checked; there are no Requests then.
	Why string
	// Parts are to be taken from the objects while the requests are sent, so that they meet the policy alone.
	Parts []manifests.Coupling

	// Counts says that Judge needs the copies that the mirrors got because of the requests.
	Counts bool

	judge func([]Answer, []Copies) Finding
}

// Request is one of the requests of a drill.
type Request struct {
	// Pins are the tries that fail or hang, as trail.HeaderPins has them.
	Pins string
	// Key is what the request has as the key of a hash; empty: none.
	Key string
}

// Answer is what came of a request. Times are since the first one was due.
type Answer struct {
	Key            string
	Started, Ended time.Duration
	Status         int
	// Service and Version are those of the pod that answered.
	Service, Version string
	// Pod is the one that answered; empty where the proxy did, or nobody. Held is how long it held the try, whose count is Attempt.
	Pod     string
	Held    time.Duration
	Attempt int
}

// refused reports whether the proxy answered 503 itself.
func (a *Answer) refused() bool { return a.Pod == "" && a.Status == http.StatusServiceUnavailable }

// Finding is what the answers of a drill say, as clauses. Exactly one of them is set.
type Finding struct {
	// Right says what was seen that is as the policy says, Wrong what is not, and Undecided why nothing follows.
	Right, Wrong, Undecided string
}

func wrong(format string, args ...any) Finding { return Finding{Wrong: fmt.Sprintf(format, args...)} }

func undecided(format string, args ...any) Finding {
	return Finding{Undecided: fmt.Sprintf(format, args...)}
}

// Judge says what the answers mean, which are in the order of Requests, and the copies that mirrors got, where Counts asks for them.
func (d *Drill) Judge(answers []Answer, copies []Copies) Finding { return d.judge(answers, copies) }

// byAnswers judges by the answers alone.
func byAnswers(judge func([]Answer) Finding) func([]Answer, []Copies) Finding {
	return func(answers []Answer, _ []Copies) Finding { return judge(answers) }
}

// Of are the drills for all policies that calls meet: of has all calls, and ways are those of the cohorts. Of several requests that lead to one
// destination, each policy is checked by the first ones that can show it.
func Of(rules *manifests.Rules, of *oracle.Ways, ways []*oracle.Call) (all []Drill) {
	var order []*manifests.Endpoints
	at := map[*manifests.Endpoints][]Subject{}
	for i, way := range ways {
		s, ok := subject(rules, way)
		if !ok || !policed(s.Endpoints) {
			continue
		}
		if s.Cohort = i; at[s.Endpoints] == nil {
			order = append(order, s.Endpoints)
		}
		at[s.Endpoints] = append(at[s.Endpoints], s)
	}
	for _, e := range order {
		if e.Pool != nil {
			if e.Pool.Bounds() {
				all = append(all, first(at[e], limits))
			}
			if e.Pool.Budget != nil {
				all = append(all, first(at[e], budget))
			} else if e.Pool.Retries > 0 {
				all = append(all, first(at[e], retries))
			}
		}
		if e.Ejection != nil {
			all = append(all, first(at[e], ejection))
		}
		if e.Hash != nil {
			all = append(all, first(at[e], keys))
		}
	}
	all = append(all, others(rules, of.Rows, order)...)
	return slices.Concat(all, mirrors(rules, of, ways), unavailables(rules, ways))
}

// first is the drill of the first subject that can show a policy, or that of the first one where none can.
func first(subjects []Subject, make func(Subject) Drill) Drill {
	for _, s := range subjects {
		if d := make(s); d.Why == "" {
			return d
		}
	}
	return make(subjects[0])
}

// subject is where the requests of a way go; ok is false where that is not one destination for certain.
func subject(rules *manifests.Rules, way *oracle.Call) (s Subject, ok bool) {
	if way.Rule == nil || way.Rule.Fault != nil || len(way.Destinations) != 1 || len(way.Destinations[0].Workloads) == 0 {
		return s, false
	}
	for i := range way.Rule.Split {
		if to := &way.Rule.Split[i]; to.Share > 0 {
			s = Subject{Name: name(to), Endpoints: rules.Endpoints(to), Rule: way.Rule}
		}
	}
	for _, w := range way.Destinations[0].Workloads {
		if !w.Ours || w.Fail != nil || w.Hang != nil || len(w.Steps) > 0 {
			return s, false
		}
		s.Pods, s.Hang = s.Pods+w.Replicas, w.HangTime
	}
	return s, true
}

func policed(e *manifests.Endpoints) bool {
	return e.Pool != nil || e.Ejection != nil || e.Hash != nil
}

// name is the host of a destination, with its port where that is not 80, and its subset.
func name(to *manifests.Destination) string {
	name := to.Host
	if to.Port != 80 {
		name += ":" + strconv.Itoa(to.Port)
	}
	if to.Subset != "" {
		name += " subset " + to.Subset
	}
	return name
}

// others are the destinations with policies to which calls lead, and no requests for certain.
func others(rules *manifests.Rules, rows []oracle.Row, seen []*manifests.Endpoints) (all []Drill) {
	for i := range rows {
		rule := rows[i].Rule
		if rule == nil {
			continue
		}
		for j := range rule.Split {
			to := &rule.Split[j]
			e := rules.Endpoints(to)
			if !policed(e) || slices.Contains(seen, e) {
				continue
			}
			seen = append(seen, e)
			all = append(all, Drill{Subject: Subject{Name: name(to), Endpoints: e, Rule: rule}, Kind: Kind(strings.Join(kinds(e), ", ")),
				Why: "the requests of a check must all meet it, and calls lead there by a split, behind a fault, from one service to another, or to services that make calls of their own"})
		}
	}
	return all
}

// kinds are the policies that a destination has.
func kinds(e *manifests.Endpoints) (all []string) {
	if e.Pool != nil && e.Pool.Bounds() {
		all = append(all, string(Limits))
	}
	if e.Pool != nil && e.Pool.Budget != nil {
		all = append(all, string(Budget))
	}
	if e.Ejection != nil {
		all = append(all, string(Eject))
	}
	if e.Hash != nil {
		all = append(all, string(Keys))
	}
	return all
}

// hasTime reports whether the rule lets a try take so long.
func (s *Subject) hasTime(long time.Duration) bool {
	return (s.Rule.Timeout == 0 || s.Rule.Timeout > long) && (s.Rule.Retry.PerTry == 0 || s.Rule.Retry.PerTry > s.Hang+time.Second)
}

// retried is how many tries a call has at most that is answered 500.
func (s *Subject) retried() int {
	if s.Rule.Retry.Covers(manifests.Failure{Status: http.StatusInternalServerError}) {
		return 1 + s.Rule.Retry.Attempts
	}
	return 1
}

// pinned are requests with the same pins.
func pinned(n int, pins string) []Request {
	return slices.Repeat([]Request{{Pins: pins}}, n)
}

// Pins of all tries of the first call.
const (
	fails = "*=" + trail.PinFail
	hangs = "*=" + trail.PinHang
)

// counted is a number of things: "1 pod", "3 pods".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
