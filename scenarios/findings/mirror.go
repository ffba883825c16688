package findings

import (
	"fmt"

	"github.com/hellochaos/hellochaos/manifests"
)

// mirrors finds mirrors that get nothing. No answer tells of them: Envoy drops copies without a word.
func (f *finder) mirrors() {
	for i := range f.entries {
		e := &f.entries[i]
		if e.LonePercentage != "" {
			text := fmt.Sprintf("%s of %s is for mirror, which is not there: no request is copied by it", e.LonePercentage, e.Name)
			if len(e.Mirrors) > 0 {
				text = fmt.Sprintf("%s of %s is for mirror: each of its mirrors has its own percentage, and 100 where it has none", e.LonePercentage, e.Name)
			}
			f.add(NothingCopied, e, e.LonePercentageLine, text)
		}
		for j := range e.Mirrors {
			f.mirror(e, &e.Mirrors[j])
		}
	}
}

// mirror adds what is wrong with a mirror.
func (f *finder) mirror(e *manifests.HTTPEntry, m *manifests.WrittenMirror) {
	to := short(m.Host, e.Namespace)
	if m.Subset != "" {
		to += " subset " + m.Subset
	}
	switch {
	case m.Share == 0:
		f.add(NothingCopied, e, m.Line, fmt.Sprintf("the mirror %s of %s has 0 percent: no request is copied to it", to, e.Name))
	case m.Bound < 0:
		f.add(NothingCopied, e, m.Line, fmt.Sprintf("%s answers requests itself, and none of them is copied to its mirror %s: a proxy copies what it sends on", e.Name, to))
	default:
		gap := f.mirrorGap(e, m)
		if gap == nil {
			return
		}
		lost := fmt.Sprintf("no copy is sent, and nobody gets an error: %s of the requests that meet %s were to be copied", percent(m.Share), e.Name)
		f.add(CopiesLost, e, m.Line, f.missing(e, m, gap), lost)
	}
}

// mirrorGap is what is missing of a mirror, for the first of the callers whose requests meet the rule that lacks anything.
func (f *finder) mirrorGap(e *manifests.HTTPEntry, m *manifests.WrittenMirror) *manifests.Gap {
	rows := f.met[placeOf(e)]
	for _, row := range rows {
		if m.Bound < len(row.Rule.Mirrors) {
			if gap := f.rules.Gap(&row.Rule.Mirrors[m.Bound].Destination); gap != nil {
				return gap
			}
		}
	}
	if len(rows) > 0 {
		return nil
	}
	return f.rules.Gap(&m.Destination)
}

// missing says what a mirror lacks.
func (f *finder) missing(e *manifests.HTTPEntry, m *manifests.WrittenMirror, gap *manifests.Gap) string {
	host, known := short(m.Host, e.Namespace), shortAll(gap.Known, e.Namespace)
	switch gap.Part {
	case manifests.PartHost:
		return fmt.Sprintf("the mirror's host %q does not exist%s: no Service and no ServiceEntry has it", m.Written, meant(m.Written, known))
	case manifests.PartGrant:
		return fmt.Sprintf("no ReferenceGrant in the namespace of the mirror's host %s lets HTTPRoutes of namespace %s name it", host, e.Namespace)
	case manifests.PartImport:
		return fmt.Sprintf("no Sidecar imports the mirror's host %s for callers of the rule", host)
	case manifests.PartShadow:
		return fmt.Sprintf("the Service of the mirror's host %s is hidden from the mesh, and no Sidecar imports a ServiceEntry for it", host)
	case manifests.PartExport:
		return "the mirror goes nowhere: " + f.notExported(m.Host, host, m.Caller())
	case manifests.PartPort:
		return fmt.Sprintf("the mirror's host %s has no port %d for HTTP", host, m.Port)
	case manifests.PartSubset:
		return fmt.Sprintf("no DestinationRule defines the subset %q of the mirror's host %s%s", m.Subset, host, meant(m.Subset, gap.Known))
	}
	return fmt.Sprintf("no pod belongs to the mirror's host %s", host)
}
