package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports/sweep"
	"github.com/hellochaos/hellochaos/scenarios"
)

// parameterFlags are the flags that set the parameters of a scenario: one for each of the bundled stages', and --set for all.
type parameterFlags struct {
	bundled map[string]*string
	set     []string
	api     string // that of the bundled stages
	// grid: a parameter may have several values, joined by commas. axes are those parameters that have several, as values has read them.
	grid bool
	axes []sweep.Axis
}

func (f *parameterFlags) add(set *pflag.FlagSet) {
	f.bundled, f.api = map[string]*string{}, scenarios.IstioAPI
	for _, p := range scenarios.Parameters() {
		f.bundled[p.Name] = set.String(p.Name, "0", "`percent`, 0 to 100: "+p.Title)
	}
	set.StringArrayVar(&f.set, "set", nil, "`NAME=PERCENT` of a parameter of a scenario file, 0 to 100. You can repeat the flag")
}

// acceptGrid makes parameters take several values, joined by commas.
func (f *parameterFlags) acceptGrid(set *pflag.FlagSet) {
	f.grid = true
	set.Lookup("set").Usage = "`NAME=PERCENT` of a parameter of a scenario file, 0 to 100; several percentages, joined by commas, run a grid. You can repeat the flag"
}

// values are the parameters of a scenario by name: as the flags give them, or 0.
func (f *parameterFlags) values(set *pflag.FlagSet, of *scenarios.Scenario) (map[string]string, error) {
	values := map[string]string{}
	for _, p := range of.Parameters() {
		values[p.Name] = "0"
	}
	given := map[string]bool{}
	for name, value := range f.bundled {
		if given[name] = set.Changed(name); given[name] {
			values[name] = *value
		}
	}
	var problems []error
	several := func(name, value string) string {
		first, list, err := f.several(of, name, value)
		problems = append(problems, err)
		if len(list) > 1 {
			f.axes = append(f.axes, sweep.Axis{Name: name, Values: list})
		}
		return first
	}
	for _, p := range of.Parameters() { // in the order of the stages, as flags have none
		if given[p.Name] {
			values[p.Name] = several(p.Name, values[p.Name])
		}
	}
	for _, text := range f.set {
		name, value, ok := strings.Cut(text, "=")
		switch {
		case !ok || name == "":
			problems = append(problems, fmt.Errorf("--set %s: must be NAME=PERCENT", text))
		case given[name]:
			problems = append(problems, fmt.Errorf("--set %s: parameter %s is given more than once: give it only once", text, name))
		default:
			given[name], values[name] = true, several(name, value)
		}
	}
	return values, errors.Join(append(problems, of.CheckParameters(values))...)
}

// several are the values of a parameter, and the first of them. The error is about the others: the first one is checked with those of all
// parameters.
func (f *parameterFlags) several(of *scenarios.Scenario, name, text string) (first string, all []string, err error) {
	if !f.grid || !strings.Contains(text, ",") {
		return text, nil, nil
	}
	var problems []error
	for i, value := range strings.Split(text, ",") {
		if i > 0 && slices.ContainsFunc(of.Parameters(), func(p scenarios.Parameter) bool { return p.Name == name }) {
			problems = append(problems, of.CheckParameters(map[string]string{name: value}))
		}
		if slices.Contains(all, value) {
			flag := "--set " + name + "="
			if isParameter(name) {
				flag = "--" + name + " "
			}
			problems = append(problems, fmt.Errorf("%s%s: %s is there twice: each must be there once", flag, text, value))
			continue
		}
		all = append(all, value)
	}
	return all[0], all, errors.Join(problems...)
}

// choose reads the scenario that a command line names, the values of its parameters, and the user's manifests that replace some of its
// objects. The scenario is nil where there is no such one; the error has all that is wrong.
func choose(cmd *cobra.Command, args []string, own *manifestFlags, parameters *parameterFlags) (of *scenarios.Scenario, values map[string]string, overrides map[string][]manifests.Object, err error) {
	of, wrong := scenarios.OpenIn(parameters.api, args)
	settable := of
	if wrong != nil { // the parameters are checked as those of the bundled stages
		of = nil
		if settable, err = scenarios.Open([]string{"all"}); err != nil {
			return nil, nil, nil, err
		}
	} else {
		for _, remark := range of.Remarks {
			fmt.Fprintf(cmd.ErrOrStderr(), "note: %s\n", remark)
		}
	}
	values, wrongValues := parameters.values(cmd.Flags(), settable)
	notes := cmd.ErrOrStderr()
	if wrong != nil { // they would be about a chain that is not chosen
		notes = io.Discard
	}
	overrides, wrongManifests := own.load(of, cmd.InOrStdin(), notes)
	if len(args) == 0 && len(own.files) > 0 {
		wrong = fmt.Errorf("%w; manifests of your own are proved without a stage: %s", wrong, command("verify", own.files))
	}
	return of, values, overrides, errors.Join(wrong, wrongValues, wrongManifests)
}
