package target_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
)

// pair is two manifests that differ in one field alone, and the requests that show what the field does.
type pair struct {
	// without and with are laid over base, each by itself. For the row of a value, with has the value.
	without, with string
	requests      []request
	// slower is set for a field whose effect is time: a request takes at least so long by with, and may take less by without.
	slower time.Duration
	// held, unless it is nil, is under way while the requests are sent.
	held *request
	// counted says that the tries which the apps counted are part of what becomes of the requests.
	counted bool
}

// TestFields proves each row of the table of what is supported: with a field that is executed something else becomes of a request, and
// with a field that is not, nothing else. Each row must have its pair.
func TestFields(t *testing.T) {
	proofs := pairs()
	meshes := newMeshes(t, 4)
	for _, field := range manifests.Fields() {
		p, ok := proofs[field.String()]
		delete(proofs, field.String())
		if !ok {
			if _, added := added[field.Name]; !added || field.Executed() {
				t.Errorf("%s has no pair of manifests that shows what it does", field)
			}
			continue // TestAddedFields has the field
		}
		t.Run(field.String(), func(t *testing.T) {
			t.Parallel()
			if err := differInAlone(field, documents(t, p.without), documents(t, p.with)); err != nil {
				t.Fatal(err)
			}
			s := <-meshes
			defer func() { meshes <- s }()
			p.check(t, s, field)
		})
	}
	for name := range proofs {
		t.Errorf("there is a pair for %s, which is no row of the table", name)
	}
}

// newMeshes are meshes that subtests take from the channel and put back, so that each of them has one for itself. They are closed when t
// ends.
func newMeshes(t *testing.T, n int) chan *embedded {
	meshes := make(chan *embedded, n)
	for range n {
		meshes <- newEmbedded(t, "")
	}
	return meshes
}

// check compares what becomes of the requests by the two manifests.
func (p *pair) check(t *testing.T, s *embedded, field manifests.Field) {
	before := p.outcome(t, s, p.without, "without")
	after := p.outcome(t, s, p.with, "with")
	if again := p.outcome(t, s, p.without, "again"); again != before {
		t.Errorf("chance decides what becomes of the requests: first\n%s\nand then\n%s", before, again)
	}
	switch {
	case p.slower == 0:
		judge(t, field, before, after)
	case before != after || !field.Executed():
		t.Errorf("the pair is for a field that is executed and changes times alone, and %s changes\n%s\nto\n%s", field, before, after)
	default:
		p.checkTime(t, s)
	}
}

// judge fails unless two outcomes differ where the field is executed, and are equal where it is not.
func judge(t *testing.T, field manifests.Field, before, after string) {
	t.Helper()
	switch {
	case field.Executed() && before == after:
		t.Errorf("%s is called executed, and changes nothing: with and without it\n%s", field, before)
	case !field.Executed() && before != after:
		t.Errorf("%s is called without effect (%s), and changes\n%s\nto\n%s", field, field.Without, before, after)
	}
}

// outcome applies objects over base, sends the requests one after another, and describes what became of them.
func (p *pair) outcome(t *testing.T, s *embedded, policy, tag string) string {
	t.Helper()
	if err := s.Apply(t.Context(), parse(t, policy)); err != nil {
		t.Fatal(err)
	}
	if p.held != nil {
		defer hold(t, s, p.held.named(len(p.requests)))()
	}
	if !p.counted {
		return outcomes(t, s, p.requests, tag)
	}
	before := counters(t, s)
	return outcomes(t, s, p.requests, tag) + fmt.Sprint(counters(t, s).Since(before))
}

// named is the request with a name, by which it gets the same draws whenever it is sent.
func (q request) named(number int) request {
	q.header = maps.Clone(q.header)
	if q.header == nil {
		q.header = make(map[string]string)
	}
	q.header[trail.HeaderRequest] = fmt.Sprintf("field/%d", number)
	return q
}

// outcomes sends requests one after another, and describes what became of them, without what time and the ports of loopback decide.
func outcomes(t *testing.T, s *embedded, requests []request, tag string) string {
	t.Helper()
	var all strings.Builder
	for i, q := range requests {
		tag := fmt.Sprintf("%s/%s/%d", url.PathEscape(t.Name()), tag, i)
		answer := send(t, s, exchange{request: q.named(i)}, tag)[0]
		answer.describe(&all)
		if q.from != fromDirect {
			lines, err := s.logged(t.Context(), sent{tag: tag, calls: 1})
			if err != nil {
				t.Fatal(err)
			}
			lines[0].describe(&all)
		}
		all.WriteByte('\n')
	}
	return all.String()
}

func (a *received) describe(to *strings.Builder) {
	fmt.Fprintf(to, "status %d", a.status)
	if a.broken {
		to.WriteString(", broken")
	}
	if a.hop.Service != "" {
		fmt.Fprintf(to, ", try %d at %s-%s", a.hop.Attempt, a.hop.Service, a.hop.Version)
	} else {
		fmt.Fprintf(to, ", body %q", a.body)
	}
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		if name != "Date" && name != "Content-Length" { // a trail has times, and with them another length for each request
			fmt.Fprintf(to, ", %s %q", name, a.header[name])
		}
	}
}

// describe has the tries by the order in which their pods were first tried: "0 1 0" is a third try at the pod of the first one.
func (l *logLine) describe(to *strings.Builder) {
	var pods []int
	for _, host := range l.hosts {
		pods = append(pods, slices.Index(l.hosts, host))
	}
	fmt.Fprintf(to, ", flags %s, detail %s, tries %v", l.flags, l.detail, pods)
}

// checkTime fails unless a request takes at least p.slower by p.with, and less by p.without. Of the requests by p.without one in many
// is enough, since a machine that is busy can make a request slower and never faster.
func (p *pair) checkTime(t *testing.T, s subject) {
	t.Helper()
	if took := p.fastest(t, s, p.with, 1); took < p.slower {
		t.Errorf("with the field a request took %v, want at least %v", took, p.slower)
	}
	if took := p.fastest(t, s, p.without, 20); took >= p.slower {
		t.Errorf("without the field the fastest of 20 requests took %v, want less than %v", took, p.slower)
	}
}

// fastest is the time of the fastest of so many requests, or of the first one that takes less than p.slower.
func (p *pair) fastest(t *testing.T, s subject, policy string, requests int) time.Duration {
	t.Helper()
	if err := s.Apply(t.Context(), parse(t, policy)); err != nil {
		t.Fatal(err)
	}
	fastest := time.Duration(math.MaxInt64)
	for range requests {
		answer := send(t, s, exchange{request: p.requests[0].named(0)}, "fastest")[0]
		if fastest = min(fastest, answer.elapsed); fastest < p.slower {
			break
		}
	}
	return fastest
}

// hold sends a request that hangs at its pod, and returns when the pod has it. end ends the request.
func hold(t *testing.T, s *embedded, q request) (end func()) {
	t.Helper()
	address, err := entrance(t.Context(), s, q.from)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, err := q.send(ctx, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, address.URL)
		if ctx.Err() == nil {
			t.Errorf("the request that was to hang ended: %v", err)
		}
	}()
	for arrived, most := false, 20*time.Millisecond; !arrived; most *= 2 { // a busy machine needs longer to read the counters
		some, stop := context.WithTimeout(ctx, most)
		_, err := s.Counters(some)
		stop()
		if t.Context().Err() != nil {
			t.Fatal(t.Context().Err())
		}
		arrived = err != nil && strings.Contains(err.Error(), "with 1 tries in flight")
	}
	return func() {
		cancel()
		<-ended
		if _, err := s.Counters(t.Context()); err != nil { // it waits until the pod has seen the end, too
			t.Error(err)
		}
	}
}
