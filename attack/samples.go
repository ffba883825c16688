package attack

import "strings"

// The reasons for which a request is kept as a sample.
const (
	Slowest   = "slowest"
	Failed    = "failed"
	MostTries = "most tries"
)

// Sample is one request that a tally kept, so that a report can show each of its tries.
type Sample struct {
	Why string // Slowest, Failed or MostTries, or several of them joined by ", "
	Observation
}

// samples are the requests that a tally keeps: four observations, each with the trail of its answer, of at most trail.MaxBytes.
type samples struct {
	seen bool
	// slowest is the first request with the longest latency, edge the first that failed at the edge, hop the first with a failed
	// call to a service of the chain, and most the first with the most tries.
	slowest, edge, hop, most Observation
	tries                    int // tries of the request most; 0: no request had a trail with tries
	edgeSeen, hopSeen        bool
}

// add keeps the observation if it is one of the samples. hopFailed and tries come from its trail, as addHops returns them.
func (s *samples) add(o *Observation, hopFailed bool, tries int) {
	if !s.seen || o.Latency > s.slowest.Latency {
		s.seen, s.slowest = true, *o
	}
	if !s.edgeSeen && o.EdgeFailure() {
		s.edgeSeen, s.edge = true, *o
	}
	if !s.hopSeen && hopFailed {
		s.hopSeen, s.hop = true, *o
	}
	if tries > s.tries {
		s.tries, s.most = tries, *o
	}
}

// Samples are the slowest request, the first that failed, and the one with the most tries. The failed one is the first that failed
// at the edge, or if there is none, the first with a failed call to a service of the chain. The number of tries is the sum of the
// attempt counts in the trail. Of equal requests the first is taken. A request that is several of these is in the list once. Before
// the first observation the list is empty.
func (t *Tally) Samples() []Sample {
	s := &t.samples
	var all []Sample
	add := func(why string, o *Observation) {
		for i := range all {
			if all[i].Number == o.Number {
				all[i].Why = strings.Join([]string{all[i].Why, why}, ", ")
				return
			}
		}
		all = append(all, Sample{Why: why, Observation: *o})
	}
	if s.seen {
		add(Slowest, &s.slowest)
	}
	if s.edgeSeen {
		add(Failed, &s.edge)
	} else if s.hopSeen {
		add(Failed, &s.hop)
	}
	if s.tries > 0 {
		add(MostTries, &s.most)
	}
	return all
}
