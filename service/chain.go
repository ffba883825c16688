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

// chain answers a try as a service of the chain. It accepts any method, and reads the body without using it. A try that is refused
// for its headers is not recorded.
func (s *Service) chain(r *http.Request, t try) answer {
	order, problems := readOrder(r.Header)
	if problems != nil {
		return refusal(http.StatusBadRequest, problems...)
	}
	record := tried{request: order.request, tries: trail.Tries(order.tries, t.attempt)}
	a := answer{code: trail.CodeCut} // if the body does not come to its end
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		a = s.hop(r, t, &order, &record)
	}
	a.tried = record
	return a
}

// hop answers a try as order says, and writes its calls into record. A try that hangs waits first. A try that fails answers 500, or 503 where it is pinned so, at
// once and calls nothing. Every other try works for the configured time, and then makes its calls.
func (s *Service) hop(r *http.Request, t try, order *order, record *tried) answer {
	if s.befalls(trail.HeaderHang, trail.PinHang, configuredOr(s.config.HangProbability, order.hang), order, record) && !wait(r.Context(), s.config.Hang) {
		return answer{code: trail.CodeCut}
	}
	hop := &trail.Hop{Service: s.config.Service, Version: s.config.Version, Status: http.StatusOK, Attempt: t.attempt,
		Host: trail.ToldHost(s.config.Service, r.Host), Path: trail.ToldPath(r.RequestURI), Pod: s.config.Pod}
	if hop.Pod == "" && len(r.Header[podKey]) > 0 {
		hop.Pod = s.config.Replica
	}
	if order.pins != "" && trail.Pinned(order.pins, record.tries) == trail.PinUnavailable {
		hop.Status = http.StatusServiceUnavailable
		return deliver(r, hop, t)
	}
	if s.befalls(trail.HeaderFail, trail.PinFail, configuredOr(s.config.FailProbability, order.fail), order, record) {
		hop.Status = http.StatusInternalServerError
		return deliver(r, hop, t)
	}
	if s.config.Work > 0 && !wait(r.Context(), s.config.Work) {
		return answer{code: trail.CodeCut}
	}
	hop.Calls, record.called = s.upstreams.call(r, record.tries, order.propagate)
	record.calls = hop.Calls
	if r.Context().Err() != nil {
		return answer{code: trail.CodeCut}
	}
	if order.propagate && anyFailed(hop.Calls) {
		hop.Status = http.StatusInternalServerError
	}
	return deliver(r, hop, t)
}

// configuredOr returns the probability that is configured for the service, or the one that the request asks for if none is.
func configuredOr(configured *float64, requested float64) float64 {
	if configured != nil {
		return *configured
	}
	return requested
}

// befalls reports whether a try fails or hangs: as the pins of its request say if it has pins, and otherwise by a draw.
func (s *Service) befalls(purpose, pin string, probability float64, order *order, record *tried) bool {
	switch {
	case order.pins != "":
		return trail.Pinned(order.pins, record.tries) == pin
	case probability == 0:
		return false
	case record.request == "":
		return rand.Float64() < probability
	default:
		return trail.Draw(purpose, record.request, s.config.Service, record.tries) < probability
	}
}

// onlyGet refuses a request because of its method.
func onlyGet(r *http.Request) answer {
	a := refusal(http.StatusMethodNotAllowed, fmt.Sprintf("method is %q: it must be GET", r.Method))
	a.header = a.header.Clone()
	a.header.Set("Allow", http.MethodGet)
	return a
}

// wait waits for d, and reports whether ctx has not ended before.
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

// deliver answers with the trail if the request accepts JSON, and otherwise with the tutorial's page, also when the try failed: without a
// body, somebody with curl would see nothing. Only a failed try whose request accepts no text answers without a body.
func deliver(r *http.Request, hop *trail.Hop, t try) answer {
	accept := r.Header["Accept"]
	if accepts(accept, "application/json") {
		return trailAnswer(hop, t)
	}
	hop.Elapsed = time.Since(t.begin)
	a := answer{code: hop.Status, header: textHeader}
	if hop.Status == http.StatusOK || len(hop.Calls) > 0 || len(accept) == 0 || accepts(accept, "text/plain", "text/*", "*/*") {
		a.body = []byte(trail.Page(hop))
	}
	return a
}

// accepts reports whether the values of a header Accept name one of kinds.
func accepts(accept []string, kinds ...string) bool {
	return slices.ContainsFunc(accept, func(value string) bool {
		return slices.ContainsFunc(kinds, func(kind string) bool { return strings.Contains(value, kind) })
	})
}
