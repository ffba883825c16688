package reports

import (
	"fmt"
	"strings"
)

// about says what was tested and how, and how it was put back.
func about(r *Report) []string {
	requests := 0
	for _, s := range r.Stages {
		for _, p := range s.Phases {
			requests += p.Sent
		}
	}
	s := r.Settings
	first := fmt.Sprintf("%s: %d requests in %.1f s; fail %s, ", r.Target.Detail, requests, r.Elapsed, Probability(s.Fail))
	if s.Hang > 0 {
		first += "hang " + Probability(s.Hang) + ", "
	}
	lines := []string{first + fmt.Sprintf("%s, seed %d", s.Cascade, s.Seed)}
	if r.Target.Deviation != "" {
		lines = append(lines, "The mesh is wrong on purpose: --break "+r.Target.Deviation+".")
	}
	if back := r.Restoration; back != nil && back.Problem == "" {
		lines = append(lines, fmt.Sprintf("Put back in %.1f s: %s.", back.Elapsed, back.Detail))
	}
	return lines
}

// notRestored says what was not put back, line by line: a difference is easier to read by itself.
func notRestored(r *Report) []string {
	if r.Restoration == nil || r.Restoration.Problem == "" {
		return nil
	}
	return strings.Split("Not all was put back: "+strings.TrimRight(r.Restoration.Problem, "\n"), "\n")
}
