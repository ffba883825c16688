package service

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// chain is a hop: it takes any method, and reads the body and throws it away. A try that is refused for its headers is not
// recorded.
func (s *Service) chain(r *http.Request, t try) answer {
	order, problems := readOrder(r.Header)
	if problems != nil {
		return refusal(http.StatusBadRequest, problems...)
	}
	told := tried{request: order.request, tries: trail.Tries(order.tries, t.attempt)}
	a := answer{code: trail.CodeCut} // where the body does not come to its end
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		a = s.hop(r, t, &order, &told)
	}
	a.tried = told
	return a
}

// hop answers a try as ordered, and notes its calls. A hanging try waits first; a failing one answers 500 at once and
// calls nothing; any other does its work, if it has any, and calls.
func (s *Service) hop(r *http.Request, t try, order *order, told *tried) answer {
	if s.befalls(trail.HeaderHang, trail.PinHang, own(s.config.HangProbability, order.hang), order, told) && !wait(r.Context(), s.config.Hang) {
		return answer{code: trail.CodeCut}
	}
	hop := &trail.Hop{Service: s.config.Service, Version: s.config.Version, Status: http.StatusOK, Attempt: t.attempt}
	if s.befalls(trail.HeaderFail, trail.PinFail, own(s.config.FailProbability, order.fail), order, told) {
		hop.Status = http.StatusInternalServerError
		return deliver(r, hop, t)
	}
	if s.config.Work > 0 && !wait(r.Context(), s.config.Work) {
		return answer{code: trail.CodeCut}
	}
	hop.Calls, told.called = s.upstreams.call(r, told.tries, order.propagate)
	told.calls = hop.Calls
	if r.Context().Err() != nil {
		return answer{code: trail.CodeCut}
	}
	if order.propagate && anyFailed(hop.Calls) {
		hop.Status = http.StatusInternalServerError
	}
	return deliver(r, hop, t)
}

// own is a version's own probability, or the one that a request asks for where it has none.
func own(versions *float64, requests float64) float64 {
	if versions != nil {
		return *versions
	}
	return requests
}

// befalls reports whether a try fails or hangs: as its request's pins say where it has any, else by a draw.
func (s *Service) befalls(purpose, pin string, probability float64, order *order, of *tried) bool {
	switch {
	case order.pins != "":
		return trail.Pinned(order.pins, of.tries) == pin
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
	if hop.Status != http.StatusOK && len(hop.Calls) == 0 {
		return answer{code: hop.Status, header: textHeader}
	}
	return answer{code: hop.Status, header: textHeader, body: []byte(trail.Page(hop))}
}
