package service

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// chain is a hop of the chain. A try that is refused for its headers is not recorded.
func (s *Service) chain(r *http.Request, t try) answer {
	if r.Method != http.MethodGet {
		return onlyGet(r)
	}
	order, problems := readOrder(r.Header)
	if problems != nil {
		return refusal(http.StatusBadRequest, problems...)
	}
	told := tried{request: order.request, tries: trail.Tries(order.tries, t.attempt)}
	a := s.hop(r, t, &order, &told)
	a.tried = told
	return a
}

// hop answers a try as ordered, and notes its call. A hanging try waits first; a failing one answers 500 at once and
// calls nothing; any other does its work, if it has any, and calls.
func (s *Service) hop(r *http.Request, t try, order *order, told *tried) answer {
	if s.draw(trail.HeaderHang, order.hang, told) && !wait(r.Context(), s.config.Hang) {
		return answer{code: trail.CodeCut}
	}
	hop := &trail.Hop{Service: s.config.Service, Version: s.config.Version, Status: http.StatusOK, Attempt: t.attempt}
	if s.draw(trail.HeaderFail, order.fail, told) {
		hop.Status = http.StatusInternalServerError
		return deliver(r, hop, t)
	}
	if s.config.Work > 0 && !wait(r.Context(), s.config.Work) {
		return answer{code: trail.CodeCut}
	}
	told.called = time.Now()
	hop.Call = s.upstream.call(r, told.tries, told.called)
	told.call = hop.Call
	if r.Context().Err() != nil {
		return answer{code: trail.CodeCut}
	}
	if order.propagate && hop.Call.Failed() {
		hop.Status = http.StatusInternalServerError
	}
	return deliver(r, hop, t)
}

// draw reports whether an event of a probability happens to a try.
func (s *Service) draw(purpose string, probability float64, of *tried) bool {
	switch {
	case probability == 0:
		return false
	case of.request == "":
		return rand.Float64() < probability
	default:
		return trail.Draw(purpose, of.request, s.config.Service, of.tries) < probability
	}
}

// onlyGet refuses the method of r.
func onlyGet(r *http.Request) answer {
	a := refusal(http.StatusMethodNotAllowed, fmt.Sprintf("method is %q: want GET", r.Method))
	a.header = a.header.Clone()
	a.header.Set("Allow", http.MethodGet)
	return a
}

// wait reports whether ctx lasted for d.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// deliver answers with the trail where it was asked for, and with the tutorial's page where not. The tutorial's failed
// answers had no body.
func deliver(r *http.Request, hop *trail.Hop, t try) answer {
	json := func(accept string) bool { return strings.Contains(accept, "application/json") }
	if slices.ContainsFunc(r.Header["Accept"], json) {
		return trailAnswer(hop, t)
	}
	hop.Elapsed = time.Since(t.begin)
	if hop.Call == nil {
		return answer{code: hop.Status, header: textHeader}
	}
	return answer{code: hop.Status, header: textHeader, body: []byte(trail.Page(hop))}
}
