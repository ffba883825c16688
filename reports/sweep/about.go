package sweep

import (
	"fmt"

	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports/render"
)

// about returns lines that say what was tested, with which settings that all points share.
func (s *Report) about() (lines []string) {
	requests := 0
	for i := range s.Points {
		requests += s.Points[i].Requests
	}
	if len(s.Points) == 0 {
		return []string{s.Error}
	}
	settings := s.Points[0].Settings
	text := fmt.Sprintf("%s: %s requests in %.1f s; ", s.Target.Detail, render.Count(int64(requests)), s.Elapsed)
	if s.Axes[0].Name != "fail" {
		text += "fail " + render.Probability(settings.Fail) + ", "
	}
	if settings.Hang > 0 {
		text += "hang " + render.Probability(settings.Hang) + ", "
	}
	lines = append(lines, text+fmt.Sprintf("%s, seed %d at each point", settings.Cascade, settings.Seed))
	if s.Target.Deviation != "" {
		lines = append(lines, "The mesh is wrong on purpose: --break "+s.Target.Deviation+".")
	}
	if s.Error != "" {
		lines = append(lines, s.Error)
	}
	return lines
}

// reproduction is the command of the grid as a shell reads it, with its seed.
func (s *Report) reproduction() string {
	text, seeded := "", false
	for i, word := range s.Command {
		if i > 0 {
			text += " "
		}
		text += printable.Word(word)
		seeded = seeded || word == "--seed" || len(word) > 7 && word[:7] == "--seed="
	}
	if !seeded && len(s.Points) > 0 {
		text += fmt.Sprintf(" --seed %d", s.Points[0].Settings.Seed)
	}
	return text
}
