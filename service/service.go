// Package service is the demo service: the chain's hops, the clock at its end, and two services for contract tests, one
// that answers by script and one that sends on what it receives, all behind one http.Handler. A hop fails and hangs with the probabilities that its request asks
// for, drawn anew on every try, and answers with the trail of its call. Each try is counted before any byte of its
// answer leaves, so that whoever has read an answer finds it counted. The package knows nothing of the mesh in front
// of it.
package service

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Service answers requests in one role. Besides, it answers those without a name (trail.HeaderRequest) to /metrics
// (Prometheus), /healthz (200) and /readyz (200, and 503 after Drain), as Chain or Relay probes (trail.ProbePath), and as
// Chain trail.SpansPath. These are no tries and are not counted.
type Service struct {
	config    Config
	metrics   *metrics
	role      func(*http.Request, try) answer // nil when the role is Relay
	upstreams *upstreams                      // nil unless the role is Chain
	fresh     http.RoundTripper               // sends probes and what a Relay sends on
	probed    string                          // host or host:port that probes connect to; empty: the role answers none
	spans     *spans                          // of a Chain's tries; nil for the other roles, and where none are kept
	draining  atomic.Bool
}

// try is what every role needs to know of a request.
type try struct {
	begin   time.Time
	attempt int // 0 when the request carried none
}

// answer is what a role made of a try.
type answer struct {
	code   int // the HTTP status, trail.CodeCut or trail.CodeBroken
	header http.Header
	body   []byte
	reset  bool // with CodeBroken: break the connection by a TCP reset, not a plain close
	tried  tried
}

// New makes a service. The error joins all problems of config.
func New(config Config) (*Service, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	s := &Service{config: config, metrics: newMetrics(config.Service, config.Version)}
	switch config.Role {
	case Clock:
		s.role = clock
	case Script:
		s.role = s.script
	case Relay:
		s.probed = anywhere
		if address, err := url.Parse(config.Upstream); err == nil && address.Host != "" {
			s.probed = address.Host
		}
	default:
		s.role = s.chain
		if !config.Untraced {
			s.spans = newSpans(keptSpans)
		}
		s.upstreams = newUpstreams(config)
		if s.probed = s.upstreams.host(); s.probed == "" {
			s.probed = anywhere
		}
	}
	if s.fresh = config.Transport; s.fresh == nil {
		s.fresh = newFresh(anywhere)
	}
	return s, nil
}

// ServeHTTP implements http.Handler. A try that took as long as its caller's proxy waits (trail.HeaderExpected) ends
// without an answer, as if the caller's going had been seen. It panics with http.ErrAbortHandler where a try ends without an answer, which
// closes the connection: returning would answer 200.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch named := len(r.Header[requestKey]) > 0; { // a named request is a try wherever it goes
	case named && s.config.Role == Relay:
		s.relay(w, r)
	case named:
		s.serve(w, r)
	case path == "/metrics":
		s.metrics.handler.ServeHTTP(w, r)
	case path == "/healthz":
		w.WriteHeader(http.StatusOK)
	case path == "/readyz":
		if s.draining.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	case s.probed != "" && strings.HasPrefix(path, trail.ProbePath):
		s.probe(r).write(w)
	case s.spans != nil && path == trail.SpansPath:
		s.recording(r).write(w)
	case s.config.Role == Relay:
		s.relay(w, r)
	default:
		s.serve(w, r)
	}
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	s.metrics.inFlight.Inc()
	defer s.metrics.inFlight.Dec()
	t := try{begin: time.Now(), attempt: int(count(r, attemptKey))}
	a := s.role(r, t)
	elapsed := time.Since(t.begin)
	if patience := expected(r); patience > 0 && elapsed >= patience {
		// The caller's proxy cuts the try now, and may have sent the next one. Its word of that may still be on the way.
		a.code = trail.CodeCut
	}
	mirrored := copied(r.Header)
	s.metrics.count(outcome{min(t.attempt, maxAttempt), a.code, len(r.Header[pinsKey]) > 0, mirrored}, elapsed)
	if s.spans != nil && mirrored == trail.NoCopy { // a copy has the name of its request
		s.spans.record(t, &a, elapsed)
	}
	a.write(w)
}

// Drain makes /readyz answer 503 from now on.
func (s *Service) Drain() { s.draining.Store(true) }

// Close closes the idle connections to the upstreams.
func (s *Service) Close() {
	if s.upstreams != nil {
		s.upstreams.close()
	}
}

// count is the whole number of 31 bits in a header that a proxy set, and 0 when there is none or something else.
func count(r *http.Request, key string) int64 {
	values := r.Header[key]
	if len(values) == 0 {
		return 0
	}
	number, err := strconv.ParseUint(values[0], 10, 31)
	if err != nil {
		return 0
	}
	return int64(number)
}

// expected is how long the caller's proxy waits for the answer, and 0 when it does not say.
func expected(r *http.Request) time.Duration {
	return time.Duration(count(r, expectedKey)) * time.Millisecond
}

// write sends the answer. Nothing can be done about an error: the caller has gone.
func (a answer) write(w http.ResponseWriter) {
	switch a.code {
	case trail.CodeCut:
		panic(http.ErrAbortHandler)
	case trail.CodeBroken:
		breakConnection(w, a.reset)
	default:
		header := w.Header()
		for key, values := range a.header {
			header[key] = values
		}
		w.WriteHeader(a.code)
		_, _ = w.Write(a.body)
	}
}

// trailAnswer is the answer that carries h, whose elapsed time it fills in.
func trailAnswer(h *trail.Hop, t try) answer {
	h.Elapsed = time.Since(t.begin)
	return answer{code: h.Status, header: trailHeader, body: trail.Append(make([]byte, 0, 1024), h)}
}

// refusal answers a request that asks for something that cannot be done.
func refusal(code int, problems ...string) answer {
	return answer{code: code, header: textHeader, body: []byte(strings.Join(problems, "\n") + "\n")}
}

// Headers of answers, shared by all of them and never changed.
var (
	jsonHeader  = http.Header{"Content-Type": {"application/json"}}
	textHeader  = http.Header{"Content-Type": {"text/plain; charset=utf-8"}}
	trailHeader = http.Header{"Content-Type": {"application/json"}, http.CanonicalHeaderKey(trail.HeaderTrail): {trail.Form}}
)
