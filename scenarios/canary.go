package scenarios

import (
	"net/http"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

// The cohorts of stage canary: the header's value decides, and nothing but the exact value does.
const (
	withHeader   = "exact header"
	withoutIt    = "no header"
	anotherValue = "another value"
	anotherCase  = "another case"
)

// canaryStage: a header's exact value leads to the canary, everything else to prod.
func canaryStage() Stage {
	user := func(name, value string) attack.Cohort {
		return attack.Cohort{Name: name, Header: http.Header{http.CanonicalHeaderKey(trail.HeaderDevUser): {value}}}
	}
	return Stage{
		Name:  "canary",
		Title: "x-dev-user: super-secret leads to the canary, all else to prod",
		entry: [2]target.Entry{target.Gateway, target.Gateway},
		cohorts: []attack.Cohort{
			user(withHeader, "super-secret"), {Name: withoutIt}, user(anotherValue, "super-secretary"), user(anotherCase, "Super-Secret"),
		},
		// No violation in 400 calls of each cohort excludes shares above 0.75 %.
		leastExact: 400,
		splits:     true,
		checks: func(p *phase) []check {
			var checks []check
			for i, cohort := range p.stage.cohorts {
				checks = append(checks, p.versionShare("canary, "+cohort.Name, middleware, canary, i))
			}
			return checks
		},
		explain: func(e *explanation) {
			header, wrongCase, other, none := e.check("canary, "+withHeader), e.check("canary, "+anotherCase), e.check("canary, "+anotherValue), e.check("canary, "+withoutIt)
			if catchAll := after(none); e.passed() && after(header) == 1 && catchAll < 1 && after(other) == catchAll && after(wrongCase) == catchAll {
				e.say("The header's exact value leads to the canary; without it, with another value or in another case, calls go where the catch-all rule sends them.")
			}
			if failed(header.After) {
				e.say("Calls with x-dev-user: super-secret reached the canary in %s of the answers where the rule says %s: the header is ignored, so the catch-all rule takes them.", percent(header.After.Measured), percent(&header.After.Predicted))
			}
			if failed(wrongCase.After) && !failed(other.After) {
				e.say("The value Super-Secret, in another case, leads to the canary too: values are compared without regard to case, where the manifest says exact.")
			}
			switch {
			case failed(other.After) && other.After.Predicted == 0:
				e.say("Another value of the header leads to the canary: any value matches, where the manifest says exact.")
			case failed(none.After):
				e.explainShare(none, middleware, canary)
			}
		},
	}
}
