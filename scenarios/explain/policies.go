package explain

import (
	"slices"

	"github.com/hellochaos/hellochaos/reports"
)

// policies says what was seen of the policies that have requests of their own. Those that failed are among the problems of the phase.
func (s *story) policies() {
	coupled := false
	for i := range s.phase.Policies {
		coupled = coupled || !slices.Contains([]string{"consistentHash", "mirror", "retryOn", "retry.codes"}, s.phase.Policies[i].Policy)
		switch c := &s.phase.Policies[i]; c.Verdict {
		case reports.Pass:
			s.say("The %s holds: %s.", c.Label(), c.Text)
		case reports.NotJudged:
			s.say("The %s was not checked: %s.", c.Label(), c.Text)
		}
	}
	if coupled {
		s.say("All other requests were sent without the limits and ejections of DestinationRules, by which calls depend on each other: what is predicted leaves them out.")
	}
}
