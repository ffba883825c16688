package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

func pointer[T any](v T) *T { return &v }

// drawn adds to a report what pictures show: the service graph, requests by second, latencies by tries, sampled requests and manifests.
func drawn(r *reports.Report) *reports.Report {
	at := r.Started.Add(time.Second)
	for i := range r.Phases {
		p := &r.Phases[i]
		p.Started, p.Applied = at, 0.035*float64(i+1)
		at = at.Add(4 * time.Second)
		p.Elapsed, p.PlannedRate, p.Edges = 3, float64(p.Sent)/3, nil
		addEdges(p)
		addLatencies(p, i)
		p.Manifests = []reports.Manifest{{Kind: "VirtualService", Name: "middleware", File: p.Name + ".yaml",
			YAML: "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: middleware\nspec:\n  hosts:\n    - middleware\n"}}
	}
	return r
}

// addEdges makes the service graph of a phase from its calls, with a version for each that a rule may lead to.
func addEdges(p *reports.Phase) {
	for i := range p.Calls {
		c := &p.Calls[i]
		versions := []string{"prod"}
		if strings.Contains(c.To, ".") {
			versions = []string{""}
		}
		if c.Rule != nil && len(c.Rule.Destinations) > 0 {
			versions = nil
			for _, d := range c.Rule.Destinations {
				versions = append(versions, d.Versions...)
			}
		}
		for k, version := range versions {
			e := reports.Edge{From: c.From, To: c.To, Version: version, Calls: c.Fails.N / int64(len(versions)), Failed: c.Fails.K / int64(len(versions))}
			if c.Tries != nil {
				e.Tries, e.FailedTries = pointer(c.Tries.Tries/int64(len(versions))+int64(k)), pointer(2*c.Fails.K/int64(len(versions)))
			}
			p.Edges = append(p.Edges, e)
		}
	}
}

func addLatencies(p *reports.Phase, phase int) {
	p.Seconds, p.Distributions = nil, nil
	for second := range 3 {
		n := int64(40 + 13*second)
		p.Seconds = append(p.Seconds, reports.Second{Number: second, OK: []reports.Bin{{900, n}, {1500, 2 * n}, {2600, n}, {int64(15000 * (phase + 1)), n / 4}},
			Failed: []reports.Bin{{400, n / 2}}})
	}
	for tries := range 4 {
		d := reports.Distribution{Outcome: "ok", Tries: tries + 1}
		for bin := range int64(12) {
			d.Bins = append(d.Bins, reports.Bin{int64(1+40*tries)*1000 + bin*(300+int64(phase)*40), 2 + bin*(11-bin)})
		}
		p.Distributions = append(p.Distributions, d)
	}
	p.Distributions = append(p.Distributions, reports.Distribution{Outcome: "failed", Tries: 4, Bins: []reports.Bin{{90_000, 12}, {120_000, 30}, {150_000, 9}}})
}

// chainSample is a request through the demo chain that was tried several times.
func chainSample(phase string) reports.Sample {
	call := func(start, elapsed float64, status int) (a, b *float64, c *int) { return &start, &elapsed, &status }
	s := reports.Sample{Why: "slowest, most tries", Request: 311, Name: "7/" + phase + "/311", Trace: "0af7651916cd43dd8448eb211c80319c", Started: 0.6, Latency: 0.187, Status: 200}
	front := reports.Span{Service: "frontend", Version: "prod", Parent: 0, Start: 0.0006, Elapsed: 0.186, Status: 200}
	front.CallStart, front.CallElapsed, front.CallStatus = call(0.001, 0.1848, 200)
	middle := reports.Span{Service: "middleware", Version: "prod", Parent: 1, Attempt: 3, Start: 0.0513, Elapsed: 0.134, Status: 200}
	middle.CallStart, middle.CallElapsed, middle.CallStatus = call(0.0518, 0.1331, 200)
	back := reports.Span{Service: "backend", Version: "prod", Parent: 4, Attempt: 4, Start: 0.181, Elapsed: 0.0031, Status: 200}
	back.CallStart, back.CallElapsed, back.CallStatus = call(0.1815, 0.0022, 200)
	s.Spans = []reports.Span{{Service: "edge", Parent: -1, Elapsed: 0.187, Status: 200}, front,
		{Service: "middleware", Version: "prod", Parent: 1, Attempt: 1, Start: 0.0014, Elapsed: 0.0004, Status: 500},
		{Service: "middleware", Version: "prod", Parent: 1, Attempt: 2, Start: 0.0191, Elapsed: 0.0004, Status: 500}, middle,
		{Service: "backend", Version: "prod", Parent: 4, Attempt: 1, Start: 0.0522, Elapsed: 0.0003, Status: 500},
		{Service: "backend", Version: "prod", Parent: 4, Attempt: 2, Start: 0.0611, Elapsed: 0.0003, Status: 500},
		{Service: "backend", Version: "prod", Parent: 4, Attempt: 3, Start: 0.1002, Elapsed: 0.0003, Status: 500}, back,
		{Service: "clock", Parent: 8, Start: 0.1817, Elapsed: 0.0018, Status: 200}}
	return s
}

// tutorial is the report of a run of all stages, with pictures.
func tutorial() *reports.Report {
	r := drawn(reporttest.RunAll())
	for i := range r.Phases {
		s := chainSample(r.Phases[i].Name)
		other := chainSample(r.Phases[i].Name)
		other.Why, other.Request, other.Status, other.Spans = "failed", 12, 500, []reports.Span{{Service: "edge", Parent: -1, Elapsed: 0.0007, Status: 500},
			{Service: "frontend", Version: "prod", Parent: 0, Start: 0.0003, Elapsed: 0.0002, Status: 500}}
		other.Latency, other.Trace = 0.0007, ""
		r.Phases[i].Samples = []reports.Sample{s, other}
	}
	return r
}

// failing is a run that deviated, with pictures.
func failing() *reports.Report {
	r := drawn(reporttest.Failed())
	r.Phases[1].Samples = []reports.Sample{chainSample("retry")}
	r.Findings = reporttest.Findings().Findings[2:]
	return r
}

// shop is the report of a graph of eight services that call others side by side, with pictures.
func shop() *reports.Report {
	r := drawn(reporttest.Graph())
	r.Phases[1].Samples = []reports.Sample{shopSample()}
	return r
}

// shopSample is a request of which a service called three others side by side, two of them with retries.
func shopSample() reports.Sample {
	s := reports.Sample{Why: "most tries", Request: 77, Name: "7/resilience/77", Started: 0.2, Latency: 0.096, Status: 200}
	add := func(service, version string, parent, attempt int, start, elapsed float64, status int, calls ...float64) {
		span := reports.Span{Service: service, Version: version, Parent: parent, Attempt: attempt, Start: start / 1000, Elapsed: elapsed / 1000, Status: status}
		if len(calls) > 0 {
			span.CallStart, span.CallElapsed, span.CallStatus = pointer(calls[0]/1000), pointer(calls[1]/1000), pointer(200)
		}
		s.Spans = append(s.Spans, span)
	}
	add("edge", "", -1, 0, 0, 96, 200)
	add("web", "v1", 0, 1, 0.5, 95, 200, 1, 94)
	add("cart", "v1", 1, 1, 1.4, 0.6, 500)
	add("catalog", "v2", 1, 1, 1.4, 60, 200, 2, 58)
	add("recommendations", "v1", 1, 1, 1.5, 12, 200)
	add("cart", "v1", 1, 2, 30, 64, 200, 30.5, 63)
	add("inventory", "v1", 3, 1, 2.5, 0.5, 500)
	add("prices", "v1", 3, 1, 2.6, 40, 200)
	add("inventory", "v1", 3, 2, 22, 35, 200)
	add("payments", "v1", 5, 1, 31, 50, 200, 32, 48)
	add("audit", "v1", 9, 1, 33, 45, 200)
	add("inventory", "v1", 5, 1, 81.5, 11, 200)
	return s
}

// manyServices is a graph of n services that one other service calls.
func manyServices(n int) *reports.Report {
	r := reporttest.Graph()
	for i := range r.Phases {
		r.Phases[i].Edges = []reports.Edge{{From: "edge", To: "hub", Version: "v1", Calls: 100}}
		for k := range n {
			r.Phases[i].Edges = append(r.Phases[i].Edges, reports.Edge{From: "hub", To: fmt.Sprintf("leaf-%d", k), Version: "v1", Calls: 100})
		}
	}
	return r
}
