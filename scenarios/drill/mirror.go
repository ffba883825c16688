package drill

import (
	"fmt"
	"math"
	"slices"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/stats"
)

const (
	// mirrorRate is how many requests a second are sent whose copies are counted.
	mirrorRate = 400
	// leastMirrored and mostMirrored bound how many they are.
	leastMirrored, mostMirrored = 200, 2000
	// byChance is the probability that a right share is called wrong, and that of none is not told from the right one.
	byChance = 1e-6
)

// Copies are the copies that pods of one service and version got during a check, as they counted themselves.
type Copies struct {
	Service, Version string
	Count            int64
}

// mirrors are the checks of the mirrors of the rules that ways meet, each rule by the first way that can show it.
func mirrors(rules *manifests.Rules, of *oracle.Ways, ways []*oracle.Call) (all []Drill) {
	at := map[mirrored]int{}
	for i, way := range ways {
		if way.Rule == nil {
			continue
		}
		for j := range way.Rule.Mirrors {
			key := mirrored{way.Rule.File, way.Rule.Line, j}
			before, seen := at[key]
			if seen && all[before].Why == "" {
				continue
			}
			d := mirror(rules, of, way, j)
			if d.Cohort = i; seen {
				all[before] = d
				continue
			}
			at[key] = len(all)
			all = append(all, d)
		}
	}
	return all
}

// mirrored identifies a mirror: the place of its rule, and its number there.
type mirrored struct {
	file      string
	line, own int
}

// mirror checks by the counters of the pods behind a mirror that a share of the calls is copied to them.
func mirror(rules *manifests.Rules, of *oracle.Ways, way *oracle.Call, number int) Drill {
	m := &way.Rule.Mirrors[number]
	e := *rules.Endpoints(&m.Destination)
	share := m.Share
	if f := way.Rule.Fault; f != nil && f.AbortStatus > 0 {
		share *= 1 - f.AbortShare // an aborted call is not sent to anybody
	}
	e.Rule, e.File, e.Line = way.Rule.Name, way.Rule.File, m.Line
	d := Drill{Subject: Subject{Name: name(&m.Destination), Endpoints: &e, Rule: way.Rule}, Kind: Mirrors, Rate: mirrorRate, Counts: true,
		Parts: []manifests.Coupling{manifests.Pools, manifests.Ejections}}
	to := behind(of, &e)
	n := needed(share)
	switch {
	case len(e.External) > 0:
		d.Why = "the copies leave the mesh, where nobody counts them"
	case len(to) == 0:
		d.Why = "no pod of ours is there to count copies"
	case slices.ContainsFunc(way.Destinations, func(to oracle.Destination) bool { return to.Status != 0 || len(to.Workloads) == 0 }):
		d.Why = "calls of the rule lead to nobody, and are not copied then"
	case share == 0:
		d.Why = "all calls of the rule are aborted, and are not copied then"
	case n > mostMirrored:
		d.Why = fmt.Sprintf("it takes %d requests to tell %.3g %% from none or from all, and a check has at most %d", n, 100*share, mostMirrored)
	case alsoCopied(rules, of, way, number, to):
		d.Why = "other copies of the same requests go to the same pods, whose counters do not tell them apart"
	default:
		d.Requests = pinned(n, "none")
		d.judge = func(answers []Answer, copies []Copies) Finding {
			for i := range answers {
				if a := &answers[i]; a.Pod != "" && !answersTo(way, a) {
					return wrong("a call was answered by %s %s, to which the rule sends copies alone", a.Service, a.Version)
				}
			}
			f := judgeMirror(len(answers), share, to, copies)
			if f.Wrong != "" {
				f.Wrong += ", by " + way.Rule.Name
			}
			return f
		}
	}
	return d
}

// needed is how many requests tell a share from none and, unless it is 1, from all; and from the half of it, where a check has so many.
func needed(share float64) int {
	if share == 1 {
		return leastMirrored
	}
	least := int(math.Ceil(math.Log(byChance) / math.Log1p(-min(share, 1-share))))
	if least > mostMirrored {
		return least
	}
	// 4.9 standard errors leave the right share out by a probability of byChance, and the half is 3 standard errors beyond.
	half := share / 2
	apart := (4.9*math.Sqrt(share*(1-share)) + 3*math.Sqrt(half*(1-half))) / half
	return max(leastMirrored, least, min(mostMirrored, int(math.Ceil(apart*apart))))
}

// behind are the pods at a destination as they call themselves in counters.
func behind(of *oracle.Ways, e *manifests.Endpoints) (all []Copies) {
	for _, w := range of.At(e.Workloads) {
		if w.Ours && w.Replicas > 0 {
			all = append(all, Copies{Service: w.Service, Version: w.Version})
		}
	}
	return all
}

// alsoCopied reports whether another mirror that requests of a way meet, in its rule or on the way on, leads to some of the same pods.
func alsoCopied(rules *manifests.Rules, of *oracle.Ways, way *oracle.Call, number int, to []Copies) bool {
	overlaps := func(m *manifests.Mirror) bool {
		return slices.ContainsFunc(behind(of, rules.Endpoints(&m.Destination)), func(c Copies) bool { return slices.Contains(to, c) })
	}
	var meets func(c *oracle.Call, but int) bool
	meets = func(c *oracle.Call, but int) bool {
		for i := range c.Rule.Mirrors {
			if i != but && overlaps(&c.Rule.Mirrors[i]) {
				return true
			}
		}
		for i := range c.Destinations {
			for _, w := range c.Destinations[i].Workloads {
				for _, step := range w.Steps {
					for _, next := range step {
						if next.Rule != nil && meets(next, -1) {
							return true
						}
					}
				}
			}
		}
		return false
	}
	return meets(way, number)
}

// answersTo reports whether the rule of a way lets the pod answer that did.
func answersTo(way *oracle.Call, a *Answer) bool {
	return slices.ContainsFunc(way.Destinations, func(to oracle.Destination) bool {
		return slices.ContainsFunc(to.Workloads, func(w *oracle.Workload) bool { return w.Service == a.Service && w.Version == a.Version })
	})
}

// judgeMirror judges how many copies of so many calls came.
func judgeMirror(calls int, share float64, to, copies []Copies) Finding {
	got := int64(0)
	for _, c := range copies {
		if slices.ContainsFunc(to, func(t Copies) bool { return t.Service == c.Service && t.Version == c.Version }) {
			got += c.Count
		}
	}
	if got > int64(calls) {
		return wrong("%d calls made %d copies, and a call is copied once", calls, got)
	}
	measured := fmt.Sprintf("of %d calls %d were copied", calls, got)
	interval := stats.ClopperPearson(got, int64(calls), byChance)
	switch {
	case share == 1 && got < int64(calls):
		return wrong("%s, where each is to be", measured)
	case share < interval.Lo || share > interval.Hi:
		return wrong("%s (%.3g %%), where %.3g %% are to be", measured, 100*float64(got)/float64(calls), 100*share)
	case share == 1:
		return Finding{Right: measured + ", each once, and none of the copies was answered to a caller"}
	}
	seen := stats.ClopperPearson(got, int64(calls), 0.05)
	return Finding{Right: fmt.Sprintf("%s (%.3g %%, 95 %% interval %.3g to %.3g %%; %.3g %% are to be), and none of the copies was answered to a caller", measured, 100*float64(got)/float64(calls), 100*seen.Lo, 100*seen.Hi, 100*share)}
}
