package scenarios

import (
	"fmt"

	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/manifests"
)

// expect reads what the author expects, and notes what cannot be read or is there twice.
func (d *decoder) expect(texts []string) {
	given := map[string]bool{}
	for i, text := range texts {
		path := fmt.Sprintf("expect[%d]", i)
		e, err := expect.Parse(text)
		if err != nil {
			d.must(path, false, "%s", err)
			continue
		}
		d.must(path, !given[e.Text], "%s: is there a second time: each must be there once", e.Text)
		given[e.Text] = true
		e.Place = manifests.Problem{File: d.file, Line: d.line(path), Object: d.object, Field: path}.Error() + ":"
		d.expected = append(d.expected, e)
	}
}

// Expect is what the author of a scenario file expects of a run of it; each has its place.
func (s *Scenario) Expect() (all []expect.Expectation) {
	for i := range s.line {
		all = append(all, s.line[i].Expect...)
	}
	return all
}
