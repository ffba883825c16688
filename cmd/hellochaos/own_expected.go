package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/cases"
	"github.com/hellochaos/hellochaos/scenarios/derive"
	"github.com/hellochaos/hellochaos/scenarios/standins"
)

// spellOut adds the requests that expectations spell out to those that were derived. So such an expectation is judged also where the rule
// is gone that it was written for. The errors name the requests that cannot be sent.
func (o *ownRules) spellOut(all []expect.Expectation) error {
	var problems []error
	for i := range all {
		e := &all[i]
		named := func(c scenarios.Cohort) bool { return c.Name == e.Requests }
		request, ok := expect.RequestOf(e.Requests)
		if !ok || slices.ContainsFunc(o.phase.Cohorts, named) {
			continue
		}
		wanted, err := wantedOf(&request)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s %s: %w", e.Place, e.Text, err))
			continue
		}
		cohorts := derive.Spelt(o.read, o.clients, standins.Client, wanted)
		cohorts = slices.DeleteFunc(cohorts, func(c scenarios.Cohort) bool { return !strings.HasSuffix(c.Name, request.Place) })
		if len(cohorts) == 0 {
			problems = append(problems, fmt.Errorf("%s %s: no proxy sends requests for %s%s: the files have neither such a Gateway nor a rule for sidecars there", e.Place, e.Text, request.Host, request.Place))
		}
		for _, cohort := range cohorts {
			if !slices.ContainsFunc(o.phase.Cohorts, func(c scenarios.Cohort) bool { return c.Name == cohort.Name }) {
				cohort.Aside = true
				o.phase.Cohorts = append(o.phase.Cohorts, cohort)
			}
		}
	}
	return errors.Join(problems...)
}

// wantedOf is a request as it is sent. The error says why it cannot be.
func wantedOf(r *expect.Request) (derive.Wanted, error) {
	if _, err := url.ParseRequestURI(r.Path); err != nil {
		return derive.Wanted{}, fmt.Errorf("%q is not a path", r.Path)
	}
	w := derive.Wanted{Host: r.Host, Method: r.Method, Path: manifests.NormalPath(r.Path), Header: http.Header{}}
	for _, h := range r.Header {
		switch {
		case cases.Own(h[0]) || strings.EqualFold(h[0], "host"):
			return w, fmt.Errorf("the header %s cannot be chosen, since each request has its own", strings.ToLower(h[0]))
		case w.Header.Values(h[0]) != nil:
			return w, fmt.Errorf("the header %s is there twice: write it once", strings.ToLower(h[0]))
		}
		w.Header.Set(h[0], h[1])
	}
	return w, nil
}
