package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheus "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

const (
	// scrapeTime is how long a Prometheus may take until it has scraped what the services count, scrapeEvery is the time between
	// two queries, and scrapeAnswer is how long an answer may take.
	scrapeTime, scrapeEvery, scrapeAnswer = 20 * time.Second, 500 * time.Millisecond, 5 * time.Second
)

// comparePrometheus compares the counts of a Prometheus with what the services' pods counted. A Prometheus scrapes the pods only
// now and then, so it is asked until it agrees or scrapeTime is over. Its counts at the beginning of the phase would also be
// late, so the comparison is about everything that the present pods counted since they started; the texts name the tries of the
// phase. If Prometheus cannot be asked, or has no counts at all, one incident says so and it is not asked again. The error is
// the cause of ctx's end.
func (r *Run) comparePrometheus(ctx context.Context, counted map[string]int64, ended time.Time) ([]target.Incident, error) {
	address := withoutPassword(r.cluster.options.PrometheusURL)
	api, close, err := r.cluster.prometheusOf()
	defer close()
	if err != nil {
		return nil, err
	}
	live := r.live()
	selector := fmt.Sprintf("%s{namespace=%q}", trail.MetricTries, r.cluster.namespace)
	ask := func(query string) (map[string]float64, error) {
		return askPrometheus(ctx, api, query)
	}
	known, err := awaited(ctx, ended.Add(scrapeTime), live, func() (map[string]float64, error) { return ask("sum by (service) (" + selector + ")") })
	var age map[string]float64
	if err == nil && known != nil && !agree(live, known) {
		age, err = ask("max by (service) (time() - timestamp(" + selector + "))")
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		r.unscraped = true
		return []target.Incident{{Text: fmt.Sprintf("Prometheus at %s could not be asked, so its counts are not compared: %v", address, err)}}, nil
	case len(known) == 0 && len(live) > 0:
		r.unscraped = true
		return []target.Incident{{Text: fmt.Sprintf("Prometheus at %s has no %s, so its counts are not compared: does it scrape the pods (annotation prometheus.io/scrape)?", address, selector)}}, nil
	}
	return comparePods(counted, live, known, age, time.Since(ended).Seconds()), nil
}

// live sums what the present pods counted since they started.
func (r *Run) live() map[string]int64 {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var all target.Counters
	for _, t := range r.tallies {
		if !t.gone {
			all = append(all, t.counts...)
		}
	}
	return byService(all)
}

// awaited calls ask until the answer agrees with live, or until the given time.
func awaited(ctx context.Context, until time.Time, live map[string]int64, ask func() (map[string]float64, error)) (map[string]float64, error) {
	ticker := time.NewTicker(scrapeEvery)
	defer ticker.Stop()
	for {
		known, err := ask()
		if err != nil || agree(live, known) || time.Now().After(until) {
			return known, err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func agree(live map[string]int64, known map[string]float64) bool {
	for service, count := range live {
		if known[service] != float64(count) {
			return false
		}
	}
	return true
}

// withoutPassword is an address as it may be shown: without user and password, since either may be a secret token.
func withoutPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(not a URL)"
	}
	u.User = nil
	return u.String()
}

// askPrometheus is the answer to an instant query that sums by service.
func askPrometheus(ctx context.Context, api prometheus.API, query string) (map[string]float64, error) {
	vector, err := askForVector(ctx, api, query)
	if err != nil {
		return nil, err
	}
	all := map[string]float64{}
	for _, sample := range vector {
		all[string(sample.Metric["service"])] = float64(sample.Value)
	}
	return all, nil
}

// askForVector is the answer to an instant query.
func askForVector(ctx context.Context, api prometheus.API, query string) (model.Vector, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, scrapeAnswer, fmt.Errorf("no answer within %v", scrapeAnswer))
	defer cancel()
	value, _, _, err := api.Query(ctx, query, time.Time{})
	var failed *url.Error
	if errors.As(err, &failed) { // the wrapped error leaves out the URL, whose password must not be shown
		err = failed.Err
	}
	if err != nil {
		return nil, err
	}
	vector, ok := value.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("query %s returned a %s instead of a vector", query, value.Type())
	}
	return vector, nil
}

// prometheusOf is a client of the Prometheus that the user named. close ends its connections.
func (c *Cluster) prometheusOf() (asked prometheus.API, close func(), err error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	client, err := api.NewClient(api.Config{Address: c.options.PrometheusURL, Client: &http.Client{Transport: boundedAnswers{transport, fromAnywhere},
		// The URL's password is for the host that the user named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}})
	if err != nil {
		return nil, transport.CloseIdleConnections, fmt.Errorf("asking Prometheus at %s: %w", withoutPassword(c.options.PrometheusURL), err)
	}
	return prometheus.NewAPI(client), transport.CloseIdleConnections, nil
}

// comparePods reports where a Prometheus agrees and where it does not. counted are the tries of the phase; live is what the
// present pods counted since they started, and known what Prometheus has of that; age is how many seconds ago Prometheus
// scraped the pods, and late how many seconds ago the phase ended.
func comparePods(counted, live map[string]int64, known, age map[string]float64, late float64) (found []target.Incident) {
	var agreed []string
	for _, hop := range slices.Sorted(maps.Keys(counted)) {
		count := counted[hop]
		scraped, there := known[hop]
		more := int64(scraped) - live[hop]
		switch {
		case !there:
			found = append(found, target.Incident{Text: fmt.Sprintf("Prometheus has no tries to %s, whose pods counted %d: does it scrape all pods?", hop, count)})
		case more == 0:
			agreed = append(agreed, fmt.Sprintf("it has %d of %d tries to %s", count, count, hop))
		case age[hop] >= late:
			found = append(found, remark("Prometheus had not scraped all pods of %s %.0f s after the phase, so its count is not compared: its scrape interval is longer", hop, late))
		default:
			found = append(found, target.Incident{Text: fmt.Sprintf("Prometheus has %d tries to %s, but its pods counted %d", count+more, hop, count)})
		}
	}
	if len(agreed) > 0 {
		found = append(found, remark("Prometheus: %s", strings.Join(agreed, "; ")))
	}
	return found
}
