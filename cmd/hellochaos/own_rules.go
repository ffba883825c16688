package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/cases"
	"github.com/hellochaos/hellochaos/scenarios/derive"
	"github.com/hellochaos/hellochaos/scenarios/isotope"
	scenario "github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/scenarios/standins"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// ownRules are manifests of the user with the stand-ins and the requests that they are verified with.
type ownRules struct {
	phase   scenarios.Phase
	rules   int
	read    *manifests.Rules
	clients []string
	stoodUp []standins.StoodUp
	// graph are the services that call each other; nil where no topology was given.
	graph *isotope.Topology
	// policies are objects that a cluster is given without being read.
	policies []manifests.Policy
	// remarks are sentences about what the files have and hellochaos does not execute, and about what differs from the application.
	remarks []string
}

// readOwn reads manifests and the topology in the file graph, unless that is empty, and derives their requests. The error has all
// problems, and says how to check alternatives. What acts on the whole mesh is left out where the files are for a cluster.
func readOwn(files []string, graph string, onCluster bool, stdin io.Reader) (*ownRules, error) {
	load := manifests.LoadOthers
	if onCluster {
		load = manifests.LoadForCluster
	}
	others, err := load(files, stdin)
	own := &ownRules{}
	if graph != "" {
		var wrong error
		own.graph, wrong = isotope.Load(graph)
		err = errors.Join(err, wrong)
	}
	if err != nil {
		return nil, err
	}
	if len(others.Alternatives) > 0 {
		return nil, alternatives("verify", others)
	}
	if own.graph != nil {
		if others.Objects, err = withGraph(others.Objects, own.graph); err != nil {
			return nil, err
		}
	}
	if onCluster {
		others.Objects, own.remarks = withoutMeshWide(others.Objects)
	}
	set, err := standins.Of(others.Objects)
	if err != nil {
		return nil, err
	}
	rules, err := manifests.Read(set.Objects)
	if err != nil {
		return nil, err
	}
	own.policies = others.Policies
	own.rules, own.read, own.clients, own.stoodUp = len(rules.HTTPEntries())+len(rules.Dropped()), rules, set.Clients, set.StoodUp
	own.phase = scenarios.Phase{Name: "verify", Title: strings.Join(files, ", "), Objects: set.Objects, Cohorts: derive.Cohorts(rules, set.Clients, standins.Client)}
	if own.graph != nil {
		own.phase.Title = strings.Join(append([]string{graph}, files...), ", ")
		own.phase.Cohorts = append(entering(own.graph), own.phase.Cohorts...)
	}
	if own.rules == 0 && len(own.phase.Cohorts) == 0 {
		none := []string{strings.Join(files, ", ") + ": there is no rule to verify: no VirtualService, no HTTPRoute, and no DestinationRule or ServiceEntry for a host with a port of HTTP"}
		for _, k := range others.Unknown {
			if k.Kind == scenarios.Kind {
				none = append(none, fmt.Sprintf("%s:%d: is a scenario, which is tested by: hellochaos run %s", k.File, k.Line, printable.Word(scenarioArgument(k.File))))
			}
		}
		return nil, errors.New(strings.Join(slices.Concat(none, notExecuted(others.NotExecuted, onCluster, ""), others.Remarks, set.Remarks), "\n"))
	}
	own.remarks = append(own.remarks, notExecuted(others.NotExecuted, onCluster, ", so that a cluster may treat requests otherwise than is said here")...)
	if len(others.PassedOver)+len(others.Unknown) > 0 {
		var kinds []string
		for _, k := range slices.Concat(others.PassedOver, others.Unknown) {
			kinds = append(kinds, kindCount(k))
		}
		own.remarks = append(own.remarks, "Passed over, since no mesh looks at them for a request: "+strings.Join(kinds, ", ")+".")
	}
	own.remarks = append(own.remarks, slices.Concat(others.Remarks, set.Remarks)...)
	return own, nil
}

// notExecuted names the kinds that act on requests and that hellochaos does not execute, or does not apply to a cluster, and what follows
// from that.
func notExecuted(kinds []manifests.KindCount, onCluster bool, so string) (all []string) {
	what, why := "NOT EXECUTED", "hellochaos does not execute this kind"
	if onCluster {
		what, why = "NOT APPLIED", "hellochaos does not apply this kind"
	}
	for _, k := range kinds {
		all = append(all, fmt.Sprintf("%s: %s (first %s:%d). %s%s.", what, kindCount(k), k.File, k.Line, why, so))
	}
	return all
}

// scenarioArgument is the name of a file as 'hellochaos run' takes it for one: a name without an extension or a slash is that of a stage.
func scenarioArgument(file string) string {
	if scenarios.IsFile(file) {
		return file
	}
	return "./" + file
}

// hold holds the test cases of files against the rules, and adds their requests to those that were derived. Without files it returns nil.
func (o *ownRules) hold(files []string) (*reports.Cases, []reports.Finding, error) {
	if len(files) == 0 {
		return nil, nil, nil
	}
	suite, err := cases.Read(files)
	if err != nil {
		return nil, nil, err
	}
	judged := suite.Judge(o.read, o.clients, standins.Client, o.phase.Name)
	for _, cohort := range judged.Cohorts {
		if !slices.ContainsFunc(o.phase.Cohorts, func(c scenarios.Cohort) bool { return c.Name == cohort.Name }) {
			o.phase.Cohorts = append(o.phase.Cohorts, cohort)
		}
	}
	if len(suite.PassedOver) > 0 {
		o.remarks = append(o.remarks, "Passed over, since they have no testCases: "+strings.Join(suite.PassedOver, ", ")+".")
	}
	o.remarks = append(o.remarks, judged.Unsent...)
	return &reports.Cases{Held: judged.Held, All: len(suite.Cases)}, judged.NotMet, nil
}

// meshPace is what the embedded mesh can carry.
var meshPace = scenario.Pace{Capacity: mesh.Capacity, Timed: mesh.Timed}

// plan derives nothing more: it reads the rules, finds what is wrong with them, and plans the requests.
func (o *ownRules) plan(options scenario.Options, pace scenario.Pace) (*scenario.Run, error) {
	options.Derived = true
	if o.graph != nil {
		if err := o.bound(&options, &pace); err != nil {
			return nil, err
		}
	}
	return scenario.Plan("verify", []scenarios.Phase{o.phase}, options, pace)
}

// explain prints what is wrong with the files, and ends with exit code 1 where that is an error, or where no request can meet any rule.
func (o *ownRules) explain(stdout io.Writer, plan *scenario.Run, noColor bool) error {
	to, coloured := painted(stdout, noColor)
	if err := render.Findings(to, plan.Findings(), o.rules, o.remarks, render.TextOptions{Colour: coloured, Columns: columns(stdout)}); err != nil {
		return failure{err}
	}
	wrong := len(o.phase.Cohorts) == 0
	for _, found := range plan.Findings() {
		wrong = wrong || found.Severity == reports.SeverityError
	}
	if wrong {
		return exit(reports.ExitFail)
	}
	return nil
}

func kindCount(k manifests.KindCount) string { return fmt.Sprintf("%d %s", k.Count, k.Kind) }

// announce prints what is about to be verified, and what was stood up for it.
func (o *ownRules) announce(w io.Writer, plan *scenario.Run, seed uint64, verbose bool) {
	if o.graph != nil {
		announceGraph(w, o.graph)
	}
	requests, most, duration := plan.Requests()
	fmt.Fprintf(w, "verifying %s with %s of %s, seed %d, in about %s\n", several(o.rules, "rule"), announced(requests, most), several(len(o.phase.Cohorts), "kind"), seed, max(duration.Round(time.Second), time.Second))
	if n := len(o.stoodUp); n > 0 && !verbose {
		are, them := "Services and versions of them are", "them"
		if n == 1 {
			are, them = "Service or version of one is", "it"
		}
		fmt.Fprintf(w, "note: %d %s stood up because the rules name %s and no file has %s; --verbose lists %s\n", n, are, them, them, them)
	}
	for _, one := range o.stoodUp {
		if verbose {
			fmt.Fprintf(w, "note: %s\n", one.Text)
		}
	}
	for _, notice := range plan.Notices() {
		fmt.Fprintf(w, "note: %s\n", notice)
	}
}

// several is a number of things: "1 rule", "2 rules".
func several(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
