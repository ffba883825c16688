// Package scenarios holds the stages of the tutorial: what is applied in which order, what each phase must show, computed
// from the applied manifests, and how evidence becomes checks, verdicts and words. It knows neither sockets nor clusters:
// load comes from attack, meshes are behind target.Target, numbers are judged by stats.
package scenarios

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/target"
)

// Stage is one policy of the tutorial: what it is, how it is looked at before and after it is applied, and how its
// result is put into words.
type Stage struct {
	// Name is the stage's name and its manifest's: "retry".
	Name string
	// Title says in one line what the stage does.
	Title string
	// entry is the way into the chain before and after.
	entry [2]target.Entry
	// cohorts are the requests that share headers; both phases send the same.
	cohorts []attack.Cohort
	// leastExact is how many observations an exact check looks at, at least: with no violation in n of them, shares above
	// 3/n are excluded.
	leastExact int
	// retried are the hops whose retries are looked at: by their ledgers, and by the times that they wait.
	retried []string
	// splits: middleware's calls are split by weight from this stage on.
	splits bool
	// checks lists the shares that a phase must show.
	checks func(*phase) []check
	// explain puts the result into words; it reads the report alone.
	explain func(*explanation)
}

// Stages are the stages in the tutorial's order; each stands on those before it.
func Stages() []Stage {
	return []Stage{egressStage(), prodStage(), retryStage(), ingressStage(), canaryStage()}
}

// Choose picks the stages that a command line names, in the tutorial's order and each once; "all" is all of them.
func Choose(names []string) ([]Stage, error) {
	stages := Stages()
	if slices.Contains(names, "all") && len(names) == 1 {
		return stages, nil
	}
	known := make([]string, len(stages))
	for i, s := range stages {
		known[i] = s.Name
	}
	var wrong []string
	for _, name := range names {
		if !slices.Contains(known, name) {
			wrong = append(wrong, name+spelling.DidYouMean(name, known))
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("no stage %s: the stages are %s, or all by itself", strings.Join(wrong, ", "), strings.Join(known, ", "))
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no stage given: name one or more of %s, or all", strings.Join(known, ", "))
	}
	return slices.DeleteFunc(stages, func(s Stage) bool { return !slices.Contains(names, s.Name) }), nil
}

// objects is what is applied in a phase: the application with the stages before this one, and in the phase after, its own.
func (s *Stage) objects(after bool, o Options, overrides map[string][]manifests.Object) ([]manifests.Object, error) {
	through := s.Name
	if !after {
		names := manifests.StageNames()
		if through = ""; slices.Index(names, s.Name) > 0 {
			through = names[slices.Index(names, s.Name)-1]
		}
	}
	objects, err := manifests.Through(through, overrides)
	if err != nil {
		return nil, err
	}
	return manifests.SplitCanary(objects, o.CanaryWeight), nil
}

// plain is the one cohort of the stages that do not route by header.
func plain() []attack.Cohort { return []attack.Cohort{{}} }

// headers are what a cohort's requests carry in a run.
func headers(c attack.Cohort, o Options) http.Header {
	h := http.Header{}
	for name, values := range c.Header {
		h[name] = values
	}
	set := func(name, value string) { h.Set(name, value) }
	set("Accept", "application/json") // the attack asks for trails, and rules may look at it
	set(trail.HeaderFail, fmt.Sprint(o.Fail))
	if o.Hang > 0 {
		set(trail.HeaderHang, fmt.Sprint(o.Hang))
	}
	set(trail.HeaderCascade, o.Cascade)
	return h
}
