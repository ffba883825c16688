package attack

import "strings"

// Why a request is kept as a sample.
const (
	Slowest   = "slowest"
	Failed    = "failed"
	MostTries = "most tries"
)

// Sample is one request that a tally kept, to be told try by try.
type Sample struct {
	Why string // Slowest, Failed, MostTries, or several of them, joined by ", "
	Observation
}

// samples are the requests that a tally keeps: four observations, each with the trail that its answer carried, of at most
// trail.MaxBytes.
type samples struct {
	seen bool
	// slowest is the first of the longest latency; edge the first that failed at the edge, hop the first of which a call to
	// one of our own services failed; most the first with the most tries.
	slowest, edge, hop, most Observation
	tries                    int // of most; 0: no trail told of any
	edgeSeen, hopSeen        bool
}

// add looks at an observation; hopFailed and tries are what its trail tells.
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

// Samples are the slowest request, the first that failed (at the edge, or, where none did, with a failed call to one of our
// own services) and the one with the most tries, which is the sum of the attempt counts that its trail tells of; the first
// of equals. Each is there once. Before the first observation there is none.
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
