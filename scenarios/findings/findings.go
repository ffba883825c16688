// Package findings says what is wrong with the objects of a phase themselves, whatever a mesh makes of them: rules that lead to
// nobody, and rules that no request can meet. It knows what the objects mean and which requests the phase sends. It must not know
// how requests are sent, what came of them, or how a run is judged.
package findings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// The findings, by what they are about. Those that begin with HC1 are errors, those with HC2 warnings.
const (
	NoHost     = "HC101" // a route leads to a host that does not exist
	NoPort     = "HC102" // a route leads to a port that its host does not have
	NoSubset   = "HC103" // a route leads to a subset that no DestinationRule defines
	NoGateway  = "HC104" // a rule is for a Gateway that does not exist
	NoPods     = "HC105" // a route leads to a host or subset that no pod belongs to
	HostsApart = "HC106" // a Gateway serves none of the hosts of a rule that is for it
	ClosedPort = "HC107" // calls go to a port that the Service or ServiceEntry of their host does not open
	LeftOut    = "HC108" // Istio leaves out a server of a Gateway, since another one has its host
	PlainToTLS = "HC109" // requests are sent without TLS to a port at which TLS is spoken
	TLSFails   = "HC110" // a DestinationRule has TLS opened where it is not spoken, or with a name that the certificate has not
	NotCalled  = "HC111" // no request is for the host of a rule
	OtherProxy = "HC112" // no request for the host of a rule passes a proxy that has the rule
	Shadowed   = "HC113" // other rules take every request that could meet a rule
	NeverSent  = "HC114" // no request meets the conditions of a rule
	NotReached = "HC115" // the calls for the host of a rule are made by services that no request reaches
	OtherHost  = "HC116" // a rule splits calls under a host that nobody calls, while its destinations are called by their own
	HalfName   = "HC117" // the host of a rule is a part of a Service's full name that Istio does not complete
	ForNobody  = "HC118" // a DestinationRule is for a host that does not exist
	OutOfSight = "HC119" // a DestinationRule is in a namespace in which no proxy looks for it
	Dropped    = "HC121" // a rule that does not go together with the one that delegates to it, or to which it delegates
	CopiesLost = "HC122" // a mirror leads to nobody, so that its copies are not sent
	NoBearer   = "HC123" // a match asks by sourceLabels for pods that there are none of
	NoMethod   = "HC124" // a match asks for a method that Envoy does not know

	NotRetried   = "HC201" // the retries of a rule do not cover the status that the services fail with
	PerTryUnused = "HC202" // the perTryTimeout of a rule is not below its timeout, so that Envoy ignores it
	TimeoutShort = "HC203" // the timeout of a rule ends calls before their last retry
	Multiplied   = "HC204" // retries of rules one behind the other multiply
	AbortFinal   = "HC205" // a rule has retries beside an abort, which is never sent again
	Repeated     = "HC206" // the retries of a rule send POST or PATCH again
	WeightsOff   = "HC207" // the weights of a rule are not the percentages that they look like
	Weightless   = "HC208" // a destination has no weight beside others that have one
	GatewayOnly  = "HC209" // a rule is for a gateway alone, while sidecars send calls for its host, too
	LetterCase   = "HC210" // two rules ask for values of a header that differ in their case alone
	CapitalName  = "HC211" // the name of a header in a rule has capital letters
	Unlabelled   = "HC212" // a subset that calls go to has no labels, so that it has all pods of its host
	SubsetTwice  = "HC213" // two DestinationRules define a subset with different labels
	OpenOrder    = "HC214" // which of two VirtualServices for a host at a gateway takes a request depends on which was created first

	NeverEjected  = "HC221" // the outlierDetection of a destination ejects no endpoint, since one of them is more than maxEjectionPercent
	AllEjected    = "HC222" // the outlierDetection of a destination may eject all of its endpoints
	ErrorsIgnored = "HC223" // an outlierDetection has consecutiveErrors, which Istio ignores
	NothingCopied = "HC224" // a mirror, or a percentage for one, by which no request is copied
	LabelsIgnored = "HC225" // a match has sourceLabels beside gateways, which Istio ignores
)

// Of are the findings of a phase, errors first, each in the order of files and lines. rules are what its objects mean, and ways must
// have been entered by all its requests. The same finding may be one of several phases.
func Of(phase *scenarios.Phase, rules *manifests.Rules, ways *oracle.Ways) []reports.Finding {
	f := &finder{phase: phase, rules: rules, ways: ways, entries: rules.HTTPEntries(), destinationRules: rules.DestinationRules(), hosts: rules.Hosts(), met: map[place][]*oracle.Row{}, others: map[string][]string{}}
	for i := range ways.Rows {
		row := &ways.Rows[i]
		switch {
		case row.Rule != nil:
			at := place{row.Rule.Name, row.Rule.File, row.Rule.Line}
			f.met[at] = append(f.met[at], row)
		case row.Caller == oracle.Edge:
			f.direct = append(f.direct, row.Host)
		}
	}
	for _, find := range []func(){f.gateways, f.apart, f.leftOut, f.destinations, f.ports, f.originations, f.unusedDestinationRules, f.subsets, f.unmet, f.delegates, f.retries, f.timeouts, f.multiplied, f.aborts,
		f.repeated, f.weights, f.gatewayOnly, f.openOrder, f.letters, f.ejections, f.mirrors, f.sourceLabels, f.methods} {
		find()
	}
	f.found = slices.DeleteFunc(f.found, func(found reports.Finding) bool {
		return f.accepted(found.ID, append(f.others[found.ID], found.Object))
	})
	slices.SortStableFunc(f.found, func(a, b reports.Finding) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.ID, b.ID))
	})
	return f.found
}

// finder collects the findings of a phase.
type finder struct {
	phase   *scenarios.Phase
	rules   *manifests.Rules
	ways    *oracle.Ways
	entries []manifests.HTTPEntry
	// destinationRules are all of them, and hosts those of the registry, sorted.
	destinationRules []manifests.WrittenDestinationRule
	hosts            []string
	// met are the rows of each rule that requests meet. direct are the hosts at which requests enter past every proxy.
	met    map[place][]*oracle.Row
	direct []string
	found  []reports.Finding
	// others are the objects besides its own that a finding is about, by its id, for one that a phase has once.
	others map[string][]string
}

// place identifies a rule.
type place struct {
	name, file string
	line       int
}

func placeOf(e *manifests.HTTPEntry) place { return place{e.Name, e.File, e.Line} }

// add adds a finding about an entry, unless the same is there already. The text is one or more sentences.
func (f *finder) add(id string, e *manifests.HTTPEntry, line int, sentences ...string) {
	f.addAt(id, e.Object, e.File, line, sentences...)
}

// addAt is add for any object.
func (f *finder) addAt(id, object, file string, line int, sentences ...string) {
	severity := reports.SeverityError
	if strings.HasPrefix(id, "HC2") {
		severity = reports.SeverityWarning
	}
	found := reports.Finding{ID: id, Severity: severity, Phase: f.phase.Name, File: file, Line: line, Object: object}
	for _, sentence := range sentences {
		if sentence != "" {
			found.Text = strings.TrimSpace(found.Text + " " + strings.ToUpper(sentence[:1]) + sentence[1:] + ".")
		}
	}
	if !slices.Contains(f.found, found) {
		f.found = append(f.found, found)
	}
}

// accepted reports whether the author of the phase means what was found about some objects, the last of which it names. What the user
// replaced is the user's.
func (f *finder) accepted(id string, objects []string) bool {
	named := func(a scenarios.Accepted) bool { return a.Finding == id && a.Rule == objects[len(objects)-1] }
	return slices.ContainsFunc(f.phase.Accepted, named) && (f.phase.Promised == nil || !slices.ContainsFunc(objects, f.replaced))
}

// replaced reports whether an object is not as the author of the phase wrote it.
func (f *finder) replaced(name string) bool {
	forms := func(objects []manifests.Object) (all []string) {
		for i := range objects {
			if objects[i].Name() == name {
				form, err := scenarios.Canonical(&objects[i])
				if err != nil {
					return nil // it cannot be applied either, which is reported elsewhere
				}
				all = append(all, string(form))
			}
		}
		return all
	}
	return !slices.Equal(forms(f.phase.Objects), forms(f.phase.Promised))
}

// percent is a share as text: "33.3 %".
func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

// counted is a number of things: "1 retry", "3 retries".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// short is a host as the objects of a namespace may write it.
func short(host, namespace string) string {
	return strings.TrimSuffix(host, "."+namespace+".svc.cluster.local")
}

func shortAll(hosts []string, namespace string) (all []string) {
	for _, host := range hosts {
		all = append(all, short(host, namespace))
	}
	return all
}

// mostNamed is how many names a list has.
const mostNamed = 8

// list joins names: "a", "a and b", "a, b and c".
func list(names []string) string {
	if n := len(names) - mostNamed; n > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), n)
	}
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
