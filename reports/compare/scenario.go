package compare

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/stats"
)

// scenario compares the settings and targets of the two runs. Settings that must not differ become Mismatches, those that may differ
// Changes, and those that a report does not have Unknown.
func (c *Comparison) scenario(before, after *reports.Report) {
	must := func(name, a, b string) { c.Mismatches = differ(c.Mismatches, name, a, b) }
	may := func(name, a, b string) { c.Changes = differ(c.Changes, name, a, b) }
	a, b := &before.Settings, &after.Settings
	oldForm, newForm := before.UpgradedFrom != "", after.UpgradedFrom != ""
	if oldForm == newForm { // The phases of another form have other names; those that both have are compared.
		must("scenario", before.Scenario.Name, after.Scenario.Name)
		must("phases", phases(before), phases(after))
	}
	must("fail probability", render.Probability(a.Fail), render.Probability(b.Fail))
	must("hang probability", render.Probability(a.Hang), render.Probability(b.Hang))
	must("cascade", a.Cascade, b.Cascade)
	for _, name := range names(a.Parameters, b.Parameters) {
		if _, _, ok := inBoth(a.Parameters, b.Parameters, name); !ok && oldForm != newForm && name == "tolerance" {
			continue // Schema 2 has none.
		}
		must(name, a.Parameters[name], b.Parameters[name])
	}
	if oldForm == newForm || c.both("share of deviating calls to be excluded", oldForm, newForm) {
		must("--exclude", render.Probability(a.Exclude), render.Probability(b.Exclude))
		must("--split-tolerance", factors(a.SplitTolerance), factors(b.SplitTolerance))
	}
	must("kind of target", before.Target.Kind, after.Target.Kind)
	if c.both("rate", !hasRate(before), !hasRate(after)) {
		must("rate", rate(a.Rate), rate(b.Rate))
	}
	if c.both("manifests' hash", a.ManifestsHash == "" || oldForm && !newForm, b.ManifestsHash == "" || newForm && !oldForm) {
		if c.Policies {
			may("manifests", a.Manifests, b.Manifests)
		} else {
			must("manifests' hash", a.ManifestsHash, b.ManifestsHash)
		}
	}
	may("target", before.Target.Detail, after.Target.Detail)
	for _, name := range names(before.Target.Versions, after.Target.Versions) {
		may("version of "+name, before.Target.Versions[name], after.Target.Versions[name])
	}
	may("--break", before.Target.Deviation, after.Target.Deviation)
	may("--require times", strconv.FormatBool(a.RequireTimes), strconv.FormatBool(b.RequireTimes))
	may("hellochaos", before.Tool.Version, after.Tool.Version)
	may("Go", before.Tool.Go, after.Tool.Go)
	may("system", before.Tool.System, after.Tool.System)
	may("processors", processors(before), processors(after))
}

func inBoth(a, b map[string]string, name string) (one, other string, ok bool) {
	one, inOne := a[name]
	other, inOther := b[name]
	return one, other, inOne && inOther
}

func factors(i stats.Interval) string {
	return fmt.Sprintf("%s to %s", render.Probability(i.Lo), render.Probability(i.Hi))
}

func differ(all []Mismatch, name, a, b string) []Mismatch {
	if a == b {
		return all
	}
	return append(all, Mismatch{Name: name, Old: orNone(a), New: orNone(b)})
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// both reports whether both reports have a setting. Where one does not have it, an entry of Unknown says so.
func (c *Comparison) both(setting string, missingInOld, missingInNew bool) bool {
	lacking := ""
	switch {
	case missingInOld && missingInNew:
		lacking = "neither report has"
	case missingInOld:
		lacking = "OLD does not have"
	case missingInNew:
		lacking = "NEW does not have"
	default:
		return true
	}
	c.Unknown = append(c.Unknown, fmt.Sprintf("the %s could not be compared: %s it", setting, lacking))
	return false
}

// hasRate reports whether a report has the rate that the user chose: only schemas from 1.2 on have it.
func hasRate(r *reports.Report) bool {
	return r.UpgradedFrom != "1.0" && r.UpgradedFrom != "1.1"
}

func phases(r *reports.Report) string {
	var all []string
	for i := range r.Phases {
		all = append(all, r.Phases[i].Name)
	}
	return strings.Join(all, ", ")
}

func rate(r float64) string {
	if r == 0 {
		return "as planned"
	}
	return strconv.FormatFloat(r, 'g', -1, 64) + " a second"
}

func processors(r *reports.Report) string {
	if r.Tool.Processors == 0 {
		return ""
	}
	return strconv.Itoa(r.Tool.Processors)
}

func names(a, b map[string]string) []string {
	both := maps.Clone(a)
	if both == nil {
		both = map[string]string{}
	}
	maps.Copy(both, b)
	return slices.Sorted(maps.Keys(both))
}
