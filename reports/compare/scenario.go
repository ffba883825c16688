package compare

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// scenario compares the settings and targets of the two runs. Settings that must not differ become Mismatches, those that may differ
// Changes, and those that a report does not have Unknown.
func (c *Comparison) scenario(before, after *reports.Report) {
	must := func(name, a, b string) { c.Mismatches = differ(c.Mismatches, name, a, b) }
	may := func(name, a, b string) { c.Changes = differ(c.Changes, name, a, b) }
	a, b := &before.Settings, &after.Settings
	must("stages", stages(before), stages(after))
	must("fail probability", reports.Probability(a.Fail), reports.Probability(b.Fail))
	must("hang probability", reports.Probability(a.Hang), reports.Probability(b.Hang))
	must("cascade", a.Cascade, b.Cascade)
	must("canary weight", fmt.Sprintf("%d %%", a.CanaryWeight), fmt.Sprintf("%d %%", b.CanaryWeight))
	must("tolerance", reports.Probability(a.Tolerance), reports.Probability(b.Tolerance))
	must("kind of target", before.Target.Kind, after.Target.Kind)
	if c.both("rate", !hasRate(before), !hasRate(after)) {
		must("rate", rate(a.Rate), rate(b.Rate))
	}
	if c.both("manifests' hash", a.ManifestsHash == "", b.ManifestsHash == "") {
		must("manifests' hash", a.ManifestsHash, b.ManifestsHash)
	}
	may("target", before.Target.Detail, after.Target.Detail)
	for _, name := range names(before.Target.Versions, after.Target.Versions) {
		may("version of "+name, before.Target.Versions[name], after.Target.Versions[name])
	}
	may("--break", before.Target.Deviation, after.Target.Deviation)
	may("hellochaos", before.Tool.Version, after.Tool.Version)
	may("Go", before.Tool.Go, after.Tool.Go)
	may("system", before.Tool.System, after.Tool.System)
	may("processors", processors(before), processors(after))
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
	major, minor, _ := strings.Cut(r.Schema, ".")
	number, err := strconv.Atoi(minor)
	return major != "1" || err == nil && number >= 2
}

func stages(r *reports.Report) string {
	var all []string
	for _, s := range r.Stages {
		all = append(all, s.Name)
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
