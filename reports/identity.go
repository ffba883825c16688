package reports

import "strconv"

// ID identifies a run: the second at which it began, and its seed.
func (r *Report) ID() string {
	return r.Started.UTC().Format("20060102T150405Z") + "-" + strconv.FormatUint(r.Settings.Seed, 10)
}
