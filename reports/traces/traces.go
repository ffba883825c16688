// Package traces turns the sampled requests of a report into distributed traces, by OpenTelemetry's conventions, and sends them to OTLP
// receivers and Zipkin, or saves them in files. It knows reports, OTLP and Zipkin's API. It must not know how requests were sent or how
// spans were recorded, and it changes only the links and remarks of a report.
package traces

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// Trace is one sampled request.
type Trace struct {
	ID    ID
	Phase string
	// Base is true where the phase is only what the next one is compared with.
	Base bool
	// Carried is true where the request carried the id, so that the mesh may have traced it under the same id.
	Carried bool
	// Why has the reasons for which it was sampled: "slowest", "most tries".
	Why []string
	// Recorder is the version of the program that recorded the spans.
	Recorder string
	// Spans are the request, its tries and the calls that these made. A caller comes before the tries that it caused.
	Spans []Span
}

// Of makes a trace of every sampled request, in the report's order. A request that was sampled twice, for two reasons, becomes one
// trace. Ids are computed from the report, so the same report always gives the same spans. The problems name the samples that cannot
// become traces, and the reasons.
func Of(r *reports.Report) (all []Trace, problems []string) {
	place := make(map[ID]int)
	for _, phase := range r.Phases {
		for _, sample := range phase.Samples {
			if err := check(&phase, &sample); err != nil {
				problems = append(problems, fmt.Sprintf("%s: request %d cannot be a trace: %v", phase.Name, sample.Request, err))
				continue
			}
			id := traceID(r, &sample)
			if at, known := place[id]; known {
				all[at].Why = append(all[at].Why, sample.Why)
				continue
			}
			place[id] = len(all)
			b := builder{report: r, phase: &phase, sample: &sample, id: id}
			all = append(all, Trace{ID: id, Phase: phase.Name, Base: phase.Base, Why: strings.Split(sample.Why, ", "),
				Carried: sample.Trace != "", Recorder: r.Tool.Version, Spans: b.spans()})
		}
	}
	for i := range all {
		request := &all[i].Spans[0]
		request.add(text(prefix+"why", strings.Join(all[i].Why, ", ")))
	}
	return all, problems
}

// check finds values from which no valid trace can be made. The report may come from a file that anybody wrote.
func check(phase *reports.Phase, sample *reports.Sample) error {
	if phase.Started.IsZero() {
		return errors.New("the phase has no start")
	}
	if sample.Trace != "" {
		if id, err := hex.DecodeString(sample.Trace); err != nil || len(id) != len(ID{}) {
			return fmt.Errorf("trace %q is not 32 hexadecimal digits", sample.Trace)
		}
	}
	if len(sample.Spans) == 0 {
		return errors.New("it has no spans")
	}
	if !possible(sample.Started) {
		return fmt.Errorf("started_seconds %g is out of range", sample.Started)
	}
	for i, s := range sample.Spans {
		switch {
		case i == 0 && s.Parent != -1:
			return errors.New("its first span must be that of the edge, with the parent -1")
		case i > 0 && (s.Parent < 0 || s.Parent >= i):
			return fmt.Errorf("span %d has no parent before it", i)
		case !possible(s.Start) || !possible(s.Elapsed) || s.Elapsed < 0:
			return fmt.Errorf("the times of span %d are out of range", i)
		case (s.CallStart == nil) != (s.CallElapsed == nil):
			return fmt.Errorf("span %d must have both the start and the duration of its call, or neither", i)
		case s.CallStart != nil && (!possible(*s.CallStart) || !possible(*s.CallElapsed) || *s.CallElapsed < 0):
			return fmt.Errorf("the times of span %d's call are out of range", i)
		}
	}
	return nil
}

// possible reports whether a number of seconds can be a time within a run.
func possible(seconds float64) bool { return seconds > -1e7 && seconds < 1e7 }
