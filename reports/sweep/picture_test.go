package sweep

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

// A picture has the prediction as one line through the points in the order of their values, and of each point what was measured, in the
// colour of its verdict. Points that differ in another axis have a picture of their own.
func TestPicture(t *testing.T) {
	wrong := reporttest.Retry()
	wrong.Phases[1].Calls[1].Verdict = reports.Fail
	s := New([]Axis{{"fail", []string{"0.5", "0.3"}}, {"weight", []string{"1", "2"}}}, 4, nil, reporttest.Started)
	for i, values := range [][]string{{"0.5", "1"}, {"0.5", "2"}, {"0.3", "1"}, {"0.3", "2"}} {
		s.Add(values, "", []*reports.Report{reporttest.Retry(), wrong}[i%2])
	}
	lines := s.lines()
	if len(lines) != 2 || lines[1].Rest != "weight 2" || lines[1].Points[0] != 3 || lines[1].Points[1] != 1 {
		t.Fatalf("%+v", lines)
	}
	middleware := s.series()[0].Fails[1]
	p := s.picture("a", &middleware, lines[1], "title", func(v float64) string { return "" })
	count := func(class string) (n int) {
		for _, m := range p.Marks {
			if m.Class == class {
				n += strings.Count(m.Path, "z") + strings.Count(m.Path, "L")
			}
		}
		return n
	}
	if middleware.Name != "middleware" || count("prediction") != 1 || count("point fail") != 2 || count("point pass") != 0 || count("interval fail") != 6 {
		t.Errorf("%s: %+v", middleware.Name, p.Marks)
	}
	if want := "fail 0.3: predicted "; !strings.HasPrefix(p.Desc, want) || !strings.Contains(p.Desc, "; fail 0.5: ") || !strings.Contains(p.Desc, ", fail") {
		t.Errorf("%q does not begin with %q", p.Desc, want)
	}
	if !inside(p) {
		t.Errorf("something lies outside of the picture: %+v", p.Marks)
	}
}

// inside reports whether all texts of a picture begin in it.
func inside(p *page.Picture) bool {
	for _, m := range p.Marks {
		if m.Text != "" && (m.X < 0 || m.X > p.Width || m.Y < 0 || m.Y > p.Height) {
			return false
		}
	}
	return true
}
