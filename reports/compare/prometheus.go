package compare

import (
	"fmt"
	"io"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// Prometheus writes a comparison in Prometheus' text format, for a node exporter's textfile folder or a push gateway.
func Prometheus(w io.Writer, c *Comparison) error {
	registry := prometheus.NewRegistry()
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "hellochaos", Subsystem: "comparison", Name: name, Help: help}, labels)
		registry.MustRegister(g)
		return g
	}
	gauge("exit_code", "Exit code of compare-reports: 0 same or better, 1 worse, 3 unclear.").WithLabelValues().Set(float64(c.ExitCode()))
	gauge("tests", "Statistical tests in the comparison, the family of Holm's procedure.").WithLabelValues().Set(float64(c.Family))
	count := gauge("metrics", "Number of metrics of the comparison that have a word.", "word")
	for _, word := range []Word{Better, Worse, Same, Unclear} {
		count.WithLabelValues(string(word)).Set(float64(c.Counts()[word]))
	}
	of := []string{"phase", "call", "metric", "kind"}
	words := gauge("metric_word", "1 for the word of the metric: better, worse, same or unclear.", append(of, "word")...)
	difference := gauge("difference", "New value minus old value; of latencies and waits divided by the old value.", of...)
	low := gauge("difference_low", "Lower end of the difference's 95 % interval.", of...)
	high := gauge("difference_high", "Upper end of the difference's 95 % interval.", of...)
	p := gauge("p_value", "p-value of the hypothesis that there is no difference, after Holm's procedure.", of...)
	for i := range c.Rows {
		r := &c.Rows[i]
		at := []string{r.Phase, r.Call, r.Metric, string(r.Kind)}
		words.WithLabelValues(append(at, string(r.Word))...).Set(1)
		if r.Difference != nil {
			difference.WithLabelValues(at...).Set(*r.Difference)
		}
		if r.Interval != nil {
			low.WithLabelValues(at...).Set(r.Interval.Lo)
			high.WithLabelValues(at...).Set(r.Interval.Hi)
		}
		if r.PHolm != nil {
			p.WithLabelValues(at...).Set(*r.PHolm)
		}
	}
	families, err := registry.Gather()
	if err != nil {
		return fmt.Errorf("gathering the comparison for Prometheus: %w", err)
	}
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(w, family); err != nil {
			return fmt.Errorf("writing the comparison for Prometheus: %w", err)
		}
	}
	return nil
}
