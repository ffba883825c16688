package derive

import (
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
)

// Met is requests that meet a rule.
type Met struct {
	scenarios.Cohort
	// Rule is the rule's name, with the file and the line where it is written; all are empty where no rule is for the requests.
	Rule, File string
	Line       int
}

// Each are requests for each http entry of the rules, one cohort an entry, and for each host without one that Cohorts has requests for.
// unmet are the entries that no request of Cohorts meets. clients and client are those of Cohorts.
func Each(rules *manifests.Rules, clients []string, client string) (met []Met, unmet []manifests.HTTPEntry) {
	d := &deriver{rules: rules, clients: clients, client: client, tables: map[manifests.Caller]*manifests.Table{}, met: map[rule][]made{}, known: map[string]bool{}}
	entries := rules.HTTPEntries()
	for i := range entries {
		d.entry(&entries[i])
		made := d.met[ruleOf(&entries[i])]
		if len(made) == 0 {
			unmet = append(unmet, entries[i])
			continue
		}
		cohort := made[0].cohort()
		for _, one := range d.cohorts { // which has the weight
			if one.Name == cohort.Name {
				cohort = one
			}
		}
		met = append(met, Met{cohort, entries[i].Name, entries[i].File, entries[i].Line})
	}
	before := len(d.cohorts)
	d.bare(entries)
	for _, cohort := range d.cohorts[before:] {
		met = append(met, Met{Cohort: cohort})
	}
	return met, unmet
}
