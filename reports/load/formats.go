package load

import (
	"fmt"
	"io"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/junit"
)

// Format is a format in which a report is printed. File is the file of a folder that Save writes.
type Format struct {
	Name, File string
	Write      func(io.Writer, *Report) error
}

// Formats are all of them, the usual one first.
var Formats = []Format{
	{"text", TextName, func(w io.Writer, r *Report) error { return Text(w, r, false) }},
	{"json", FileName, JSON},
	{"html", "report.html", HTML},
	{"junit", "report.xml", JUnit},
	{"prometheus", "report.prom", Prometheus},
}

// JUnit writes the report as JUnit's XML: a case for each expectation, or without any one that says whether there was an answer. What fails is a
// failure, and what cannot be judged an error.
func JUnit(w io.Writer, r *Report) error {
	word, _, summary := r.headline()
	suite := junit.Suite{Name: "attack", Time: junit.Seconds(r.seconds()), Timestamp: r.Began.UTC().Format("2006-01-02T15:04:05"), Out: word + ": " + summary}
	add := func(name string, verdict reports.Verdict, message, why string) {
		c := junit.Case{Name: name, Class: "hellochaos.attack", Out: message}
		problem := &junit.Problem{Message: message, Type: string(verdict), Text: why}
		switch verdict {
		case reports.Pass:
		case reports.Fail:
			c.Failure = problem
		default:
			c.Error = problem
		}
		suite.Cases = append(suite.Cases, c)
	}
	for i := range r.Expectations {
		e := &r.Expectations[i]
		add(e.Text, e.Verdict, e.measured(), e.Why)
	}
	if len(r.Expectations) == 0 || r.Interrupted != "" {
		verdict := reports.Pass
		if r.ExitCode() != reports.ExitPass {
			verdict = reports.Inconclusive
		}
		add("the attack was sent to its end, and there was an answer", verdict, summary, r.Interrupted)
	}
	all := junit.Suites{Name: "hellochaos attack", Time: suite.Time, Suites: []junit.Suite{suite}}
	if err := all.Write(w); err != nil {
		return fmt.Errorf("writing the report as JUnit's XML: %w", err)
	}
	return nil
}

// seconds is how long the requests of the report were due.
func (r *Report) seconds() float64 {
	if n := len(r.Windows); n > 0 {
		return r.Windows[n-1].At + r.Windows[n-1].Seconds
	}
	return 0
}

// Prometheus writes the report in Prometheus' text format, for a node exporter's textfile folder or a push gateway.
func Prometheus(w io.Writer, r *Report) error {
	registry := prometheus.NewRegistry()
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "hellochaos", Subsystem: "attack", Name: name, Help: help}, labels)
		registry.MustRegister(g)
		return g
	}
	gauge("exit_code", "Exit code of the attack: 0 passed, 1 an expectation is not met, 3 the data cannot tell.").WithLabelValues().Set(float64(r.ExitCode()))
	gauge("began_timestamp_seconds", "When the attack began.").WithLabelValues().Set(float64(r.Began.UnixMilli()) / 1000)
	limited := 0.0
	if r.Limited {
		limited = 1
	}
	gauge("generator_limited", "1 when the load generator did not keep its schedule, so that no verdict about latency follows.").WithLabelValues().Set(limited)
	requests := gauge("requests", "Requests by what became of them.", "outcome")
	for outcome, n := range map[string]int64{"ok": r.Requests.OK, "failed": r.Requests.Failed, "skipped": r.Requests.Skipped, "given_up": r.Requests.GivenUp} {
		requests.WithLabelValues(outcome).Set(float64(n))
	}
	rate := gauge("rate", "Requests a second: planned, sent, and answered well.", "of")
	rate.WithLabelValues("planned").Set(r.Rate.Planned)
	rate.WithLabelValues("sent").Set(r.Rate.Sent)
	rate.WithLabelValues("ok").Set(r.Rate.OK)
	latency := gauge("latency_seconds", "Quantiles of the latency from the planned start of each request.", "outcome", "quantile")
	service := gauge("service_time_seconds", "Quantiles of the time from when a request was sent.", "outcome", "quantile")
	for _, of := range []struct {
		gauge *prometheus.GaugeVec
		times *Outcomes
	}{{latency, &r.Latency}, {service, &r.Service}} {
		for outcome, d := range map[string]*Distribution{"ok": &of.times.OK, "failed": &of.times.Failed} {
			for _, q := range d.Quantiles {
				of.gauge.WithLabelValues(outcome, fmt.Sprintf("%g", q.Q)).Set(q.Seconds)
			}
			if d.N > 0 {
				of.gauge.WithLabelValues(outcome, "1").Set(d.Max)
			}
		}
	}
	statuses := gauge("answers", "Complete answers by status.", "status")
	for status, n := range r.Statuses {
		statuses.WithLabelValues(fmt.Sprint(status)).Set(float64(n))
	}
	errors := gauge("errors", "Requests without a complete answer, by the class of the error.", "class")
	for _, e := range r.Errors {
		errors.WithLabelValues(e.Class).Set(float64(e.Count))
	}
	met := gauge("expectation", "1 for the verdict on an expectation.", "expectation", "verdict")
	for i := range r.Expectations {
		met.WithLabelValues(strings.ToValidUTF8(r.Expectations[i].Text, "?"), string(r.Expectations[i].Verdict)).Set(1)
	}
	families, err := registry.Gather()
	if err != nil {
		return fmt.Errorf("gathering the report for Prometheus: %w", err)
	}
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(w, family); err != nil {
			return fmt.Errorf("writing the report for Prometheus: %w", err)
		}
	}
	return nil
}
