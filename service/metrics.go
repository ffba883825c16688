package service

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hellochaos/hellochaos/service/trail"
)

// maxAttempt is the greatest attempt count with a counter of its own: a header must not make counters without end.
const maxAttempt = 100

// metrics are a service's own, in a registry of its own: many services run in one process of the embedded mesh.
type metrics struct {
	handler  http.Handler
	inFlight prometheus.Gauge
	duration prometheus.Histogram
	tries    *prometheus.CounterVec

	mutex    sync.RWMutex
	counters map[outcome]prometheus.Counter // those of tries that were needed already
}

// outcome is how a try ended.
type outcome struct {
	attempt, code int
	pinned        bool
	mirrored      string // trail.NoCopy, trail.Copy or trail.BelowCopy
}

func newMetrics(service, version string) *metrics {
	labels := prometheus.Labels{"service": service, "version": version}
	m := &metrics{
		counters: make(map[outcome]prometheus.Counter),
		tries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: trail.MetricTries, ConstLabels: labels,
			Help: "Tries received, by x-envoy-attempt-count (0 without it) and by the status answered: 499 when the " +
				"caller went away first, 0 when the service broke the connection. Tries of requests whose failures are pinned " +
				"count apart, and so do copies that a proxy sent to a mirror, and what was called on behalf of one.",
		}, []string{"attempt", "code", "pinned", "mirrored"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: trail.MetricInFlight, ConstLabels: labels,
			Help: "Tries that have not ended yet.",
		}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: trail.MetricDuration, ConstLabels: labels,
			Help:    "Seconds from reading a try to its answer, the upstream's time included.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15), // 0.5 ms to 8.2 s, beyond the default hang
		}),
	}
	form := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: trail.MetricForm, ConstLabels: prometheus.Labels{"form": trail.Form},
		Help: "1 for the version of the trail, and of the draws that decide which tries fail, that the service uses.",
	})
	form.Set(1)
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.tries, m.inFlight, m.duration, form)
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return m
}

// count counts a try that ended after elapsed.
func (m *metrics) count(o outcome, elapsed time.Duration) {
	m.duration.Observe(elapsed.Seconds())
	m.counter(o).Inc()
}

func (m *metrics) counter(o outcome) prometheus.Counter {
	m.mutex.RLock()
	counter := m.counters[o]
	m.mutex.RUnlock()
	if counter == nil {
		counter = m.tries.WithLabelValues(strconv.Itoa(o.attempt), strconv.Itoa(o.code), strconv.FormatBool(o.pinned), o.mirrored)
		m.mutex.Lock()
		m.counters[o] = counter
		m.mutex.Unlock()
	}
	return counter
}
