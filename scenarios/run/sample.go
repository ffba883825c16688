package run

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

// spansTimeout bounds the reading of spans: they are worth little beside the counts.
const spansTimeout = 20 * time.Second

// deviated is why the first requests that met something else than the rules say are sampled, and mostDeviated how many of them. With those
// of the attack they are no more than a service tells of at once.
const (
	deviated     = "deviated"
	mostDeviated = trail.MaxSpanRequests - 3
)

// samples are those of the attack, and the first request of each kind of mismatch. A request that is several of these is in the list once.
func (s *sending) samples() []attack.Sample {
	all := s.load.Samples()
	for i, key := range s.deviations() {
		if i == mostDeviated {
			break
		}
		first := s.tally.Mismatches[key].Observation
		at := slices.IndexFunc(all, func(other attack.Sample) bool { return other.Number == first.Number })
		switch {
		case at < 0:
			all = append(all, attack.Sample{Why: deviated, Observation: first})
		case !strings.Contains(all[at].Why, deviated):
			all[at].Why += ", " + deviated
		}
	}
	return all
}

// sampling is what is known of a phase's samples: who kept which spans.
type sampling struct {
	plan  attack.Plan
	first []*oracle.Call // the ways of the natural cohorts
	began time.Time
	// marks are how many spans each process had recorded when the phase began, by instance; unmarked: why that is not known.
	marks    map[string]int64
	unmarked error
	// recordings are what the processes told; unread: why some did not.
	recordings []trail.Recording
	unread     error
}

// mark notes how much is recorded before a phase: its names may have been used before, by an earlier run with its seed.
func (s *sampling) mark(ctx context.Context, on target.Target) {
	ctx, cancel := context.WithTimeout(ctx, spansTimeout)
	defer cancel()
	recordings, err := on.Spans(ctx, nil)
	s.marks, s.unmarked = map[string]int64{}, err
	for _, r := range recordings {
		s.marks[r.Instance] = r.Recorded
	}
}

// read asks for the spans of the samples. Failing it takes nothing away but them.
func (s *sampling) read(ctx context.Context, on target.Target, samples []attack.Sample) {
	ctx, cancel := context.WithTimeout(ctx, spansTimeout)
	defer cancel()
	var names []string
	for _, of := range samples {
		names = append(names, s.plan.RequestName(of.Number))
	}
	if len(names) > 0 {
		s.recordings, s.unread = on.Spans(ctx, names)
	}
}

// samples tells each request try by try.
func (s *sampling) samples(all []attack.Sample) []reports.Sample {
	var told []reports.Sample
	for i := range all {
		told = append(told, s.sample(&all[i]))
	}
	return told
}

func (s *sampling) sample(of *attack.Sample) reports.Sample {
	name := s.plan.RequestName(of.Number)
	told := reports.Sample{Why: of.Why, Request: of.Number, Name: name, Cohort: s.plan.Cohorts[of.Cohort].Name,
		Started: of.Started.Seconds(), Latency: of.Latency.Seconds(), Status: of.Status}
	if s.plan.Trace {
		told.Trace = attack.TraceID(name, s.began)
	}
	began := s.began.Add(of.Started).UnixNano()
	tries := s.tries(name)
	told.Spans = []reports.Span{{Service: attack.Edge, Parent: -1, Elapsed: told.Latency, Status: of.Status}}
	for i := range tries {
		t := &tries[i]
		span := reports.Span{Service: t.service, Version: t.version, Parent: 1 + parentOf(tries, t.path), Attempt: t.Attempt,
			Start: since(began, t.Begin), Elapsed: t.Elapsed.Seconds(), Status: t.Status}
		if len(t.Calls) > 0 {
			span.CallStart, span.CallElapsed, span.CallStatus = waitedForCalls(began, t.Calls)
		}
		told.Spans = append(told.Spans, span)
	}
	told.Missing = strings.Join(slices.Concat(s.gaps(tries, of.Cohort, of.Trail), repeated(tries), s.losses(began), contradictions(told.Spans)), "; ")
	return told
}

// waitedForCalls is the time in which a try waited for its calls, from the first one's beginning to the last one's end, and the
// status of the first call that failed, or of the first one where none did.
func waitedForCalls(began int64, calls []trail.SpanCall) (start, elapsed *float64, status *int) {
	first, last, shown := calls[0].Begin, int64(0), &calls[0]
	for i := range calls {
		c := &calls[i]
		first, last = min(first, c.Begin), max(last, c.Begin+int64(c.Elapsed))
		if c.Failed() && !shown.Failed() {
			shown = c
		}
	}
	return pointer(since(began, first)), pointer(since(first, last)), pointer(shown.Status)
}

func since(began, at int64) float64 { return time.Duration(at - began).Seconds() }

// recordedTry is a span and who recorded it.
type recordedTry struct {
	trail.Span
	service, version string
	path             []step // from the entry down to this try
}

// step is one part of a path of tries: which call of the try before, counted from 0, and the attempt count that the try
// carried.
type step struct{ call, attempt int }

func (s step) compare(other step) int {
	return cmp.Or(cmp.Compare(s.call, other.call), cmp.Compare(s.attempt, other.attempt))
}

// tries are the phase's spans of a request, callers before what they called, tries of a call in order.
func (s *sampling) tries(request string) []recordedTry {
	var all []recordedTry
	for i := range s.recordings {
		r := &s.recordings[i]
		for _, span := range r.Spans {
			if span.Request == request && span.Number >= s.marks[r.Instance] {
				all = append(all, recordedTry{span, r.Service, r.Version, pathOf(span.Tries)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b recordedTry) int {
		if c := slices.CompareFunc(a.path, b.path, step.compare); c != 0 {
			return c
		}
		return int(min(max(a.Begin-b.Begin, -1), 1))
	})
	return all
}

// pathOf reads what trail.Tries writes; trail.DecodeRecording lets nothing else pass.
func pathOf(tries string) (path []step) {
	call := 0
	for part := range strings.SplitSeq(tries, ".") {
		attempt, next, _ := strings.Cut(part, ":")
		n, _ := strconv.Atoi(attempt)
		path = append(path, step{call, n})
		call, _ = strconv.Atoi(next) // 0 where the call is the first
	}
	return path
}

// find is the try at a path; -1: none was recorded.
func find(tries []recordedTry, path []step) int {
	return slices.IndexFunc(tries, func(t recordedTry) bool { return slices.Equal(t.path, path) })
}

// parentOf is the try that caused the one at a path, or the nearest above it that was recorded; -1: the edge.
func parentOf(tries []recordedTry, path []step) int {
	for length := len(path) - 1; length > 0; length-- {
		if i := find(tries, path[:length]); i >= 0 {
			return i
		}
	}
	return -1
}
