package scenarios

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/spelling"
)

// Phases are those of a run of some stages, which must come from Choose. Each phase is the one before with more objects. A stage
// whose predecessor was not chosen is preceded by a Base phase that ends with that predecessor, so that n stages that follow each
// other make n+1 phases. overrides has objects, by the names of stages, that take the place of a stage's bundled objects as a whole.
// parameters has the values of Parameters by name; one that is missing has its default. The error joins everything that is wrong.
func Phases(stages []Stage, overrides map[string][]manifests.Object, parameters map[string]string) ([]Phase, error) {
	return bundled.phases(stages, overrides, parameters)
}

// phases is Phases of a line, of which stages are some, in its order. No Base phase comes before the first stage of a line.
func (l line) phases(stages []Stage, overrides map[string][]manifests.Object, parameters map[string]string) ([]Phase, error) {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(overrides)) {
		if _, err := l.place(name); err != nil {
			problems = append(problems, err)
		}
	}
	values, err := l.percentages(parameters)
	if problems = append(problems, err); errors.Join(problems...) != nil {
		return nil, errors.Join(problems...)
	}
	b, err := newBuilder(l, overrides, values)
	if err != nil {
		return nil, err
	}
	at := -1 // the place of the last phase
	for i := range stages {
		next, err := l.place(stages[i].Name)
		if err != nil {
			return nil, err
		}
		if next-1 != at {
			problems = append(problems, b.add(next-1, true))
		}
		problems = append(problems, b.add(next, false))
		at = next
	}
	return b.phases, errors.Join(problems...)
}

// given is how a command line gives a parameter a value: those of the bundled stages have flags of their own.
func given(name string, value any) string {
	if slices.ContainsFunc(Parameters(), func(p Parameter) bool { return p.Name == name }) {
		return fmt.Sprintf("--%s %v", name, value)
	}
	return fmt.Sprintf("--set %s=%v", name, value)
}

// percentages reads the values of parameters.
func (l line) percentages(parameters map[string]string) (map[string]int, error) {
	var names []string
	for _, p := range l.parameters() {
		names = append(names, p.Name)
	}
	values := map[string]int{}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		text := parameters[name]
		if !slices.Contains(names, name) {
			problems = append(problems, fmt.Errorf("no stage has a parameter %s%s", name, spelling.DidYouMean(name, names)))
			continue
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil || value < 0 || value > 100 || value != float64(int(value)) {
			problems = append(problems, fmt.Errorf("%s: must be a whole number of percent from 0 to 100", given(name, text)))
			continue
		}
		values[name] = int(value)
	}
	return values, errors.Join(problems...)
}

// builder makes phases one after another.
type builder struct {
	line   line
	values map[string]int
	// promised are the author's objects of each stage, and own those that the user put in their place where replaced is true.
	promised, own [][]manifests.Object
	replaced      []bool
	phases        []Phase
}

func newBuilder(of line, overrides map[string][]manifests.Object, values map[string]int) (*builder, error) {
	b := &builder{line: of, values: values}
	for i := range of {
		objects, err := of[i].objects()
		if err != nil {
			return nil, err
		}
		own, replaced := overrides[of[i].Name]
		b.promised, b.replaced = append(b.promised, objects), append(b.replaced, replaced)
		if !replaced {
			own = objects
		}
		b.own = append(b.own, own)
	}
	return b, nil
}

// add adds the phase that ends with a stage.
func (b *builder) add(at int, base bool) error {
	s := &b.line[at]
	p := Phase{Name: s.Name, Title: s.Title, Base: base, Cohorts: s.Cohorts, Exclude: s.Exclude, Lessons: s.Lessons}
	var err error
	if p.Objects, err = b.objects(at, b.own, true); err != nil {
		return err
	}
	if slices.Contains(b.replaced[:at+1], true) {
		if p.Promised, err = b.objects(at, b.promised, false); err != nil {
			return err
		}
	}
	for i := range b.line[:at+1] {
		p.Accepted = append(p.Accepted, b.line[i].Accepted...)
	}
	if len(b.phases) > 0 {
		if p.Added, err = added(b.phases[len(b.phases)-1].Objects, p.Objects); err != nil {
			return err
		}
	}
	p.Unmet = b.unmet(at)
	b.phases = append(b.phases, p)
	return nil
}

// objects are all objects up to a stage, of those of each stage, changed by the parameters. A value that changes nothing is an error
// where strict asks for it.
func (b *builder) objects(at int, of [][]manifests.Object, strict bool) (objects []manifests.Object, err error) {
	for i := range b.line[:at+1] {
		objects = manifests.Overlay(objects, of[i])
	}
	for i := range b.line[:at+1] {
		for _, p := range b.line[i].Parameters {
			changed := 0
			if objects, changed = p.Split.Apply(objects, b.values[p.Name]); changed == 0 && b.values[p.Name] != 0 && strict {
				return nil, fmt.Errorf("%s: in stage %s no rule of a VirtualService for %s sends all calls without a match to the subset %s, "+
					"so that there is nothing to split (a file of your own says itself how calls are split)", given(p.Name, b.values[p.Name]), b.line[at].Name, p.Split.Host, p.Split.From)
			}
		}
	}
	return objects, nil
}

// unmet are the rules that no request of the phase meets by intention: those of the stage itself, and those of stages before whose
// objects are still in force as they were then.
func (b *builder) unmet(at int) (all []Unmet) {
	for i := range b.line[:at+1] {
		for _, u := range b.line[i].Unmet {
			named := func(o manifests.Object) bool { return o.Name() == u.Rule }
			replaced := slices.ContainsFunc(b.own[i+1:at+1], func(later []manifests.Object) bool { return slices.ContainsFunc(later, named) })
			if !replaced && slices.ContainsFunc(b.own[i], named) {
				all = append(all, u)
			}
		}
	}
	return all
}

// added are the objects of after that before does not have, or not so.
func added(before, after []manifests.Object) (all []manifests.Object, err error) {
	type identity struct{ version, kind, namespace, name string }
	was := map[identity][]byte{}
	for i := range before {
		o := &before[i]
		if was[identity{o.APIVersion, o.Kind, o.Meta.Namespace, o.Meta.Name}], err = Canonical(o); err != nil {
			return nil, err
		}
	}
	for i := range after {
		o := &after[i]
		text, err := Canonical(o)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(text, was[identity{o.APIVersion, o.Kind, o.Meta.Namespace, o.Meta.Name}]) {
			all = append(all, *o)
		}
	}
	return all, nil
}

// Canonical is an object as it is applied, as JSON with sorted members: the same for the same object, wherever it was read from and
// however it was written.
func Canonical(o *manifests.Object) ([]byte, error) {
	object, err := o.Unstructured()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("writing %s as JSON: %w", o.Name(), err)
	}
	return text, nil
}
