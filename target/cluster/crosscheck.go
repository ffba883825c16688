package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/target"
)

// moment is what was read at a time when no try was in flight. A phase lies between two moments.
type moment struct {
	at       time.Time
	counters target.Counters
	proxies  statistics
}

// mark reads the proxies' statistics at the moment of these counters. crossCheck reports what could not be read.
func (r *Run) mark(ctx context.Context, counters target.Counters) {
	m := &moment{at: time.Now(), counters: counters, proxies: r.statistics(ctx)}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.began == nil {
		r.began = m
	} else {
		r.ended = m
	}
}

// crossCheck compares what the services counted between the last two moments with every other source of the same numbers:
// Envoy's statistics, Istio's, and Prometheus. A disagreement becomes an incident, everything else a note. Nothing is compared
// when a pod was replaced in between, since an incident about the pod exists already.
func (r *Run) crossCheck(ctx context.Context) error {
	r.mutex.Lock()
	began, ended := r.began, r.ended
	r.began, r.ended = nil, nil
	replaced := slices.ContainsFunc(r.incidents, func(i target.Incident) bool { return i.Pod })
	r.mutex.Unlock()
	if began == nil || ended == nil || replaced {
		return nil
	}
	counted := byService(ended.counters.Since(began.counters))
	if len(counted) == 0 {
		return nil
	}
	found := r.compareStatistics(counted, began.proxies, ended.proxies)
	if r.cluster.options.PrometheusURL != "" && !r.unscraped {
		more, err := r.comparePrometheus(ctx, counted, ended.at)
		if err != nil {
			return err
		}
		found = append(found, more...)
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.incidents = append(r.incidents, found...)
	return nil
}

// byService sums the tries that each service received.
func byService(counters target.Counters) map[string]int64 {
	sum := map[string]int64{}
	for _, t := range counters {
		sum[t.Service] += t.Count
	}
	return sum
}

// sent is how many tries to a hop (a service of the chain) a source has, and how many of them ended without an answer, in the
// three views of cutMetrics.
type sent struct {
	tries int64
	cut   [3]int64
}

// unanswered is how many tries may have ended without an answer. Only the hop knows whether these tries arrived, so it may
// rightly have counted that many fewer.
func (s sent) unanswered() int64 { return slices.Max(s.cut[:]) }

// compare compares a source with what the services counted. It returns an incident for each hop on which they disagree, and a
// note that names the hops on which they agree and those that the source has no tries to.
func compare(source string, counted map[string]int64, bySource map[string]sent) (found []target.Incident) {
	var agreed, unseen []string
	for _, hop := range slices.Sorted(maps.Keys(counted)) {
		count, s := counted[hop], bySource[hop]
		switch {
		case s.tries == 0:
			unseen = append(unseen, hop)
		case count > s.tries:
			found = append(found, target.Incident{Text: fmt.Sprintf("%s have %d tries to %s, but its pods counted %d: somebody else called it, or some calls went past the callers' proxies",
				source, s.tries, hop, count)})
		case count < s.tries-s.unanswered():
			found = append(found, target.Incident{Text: fmt.Sprintf("%s have %d tries to %s, of which at most %d ended without an answer, but its pods counted %d: proxies answered some of the tries themselves, or their counts are wrong",
				source, s.tries, hop, s.unanswered(), count)})
		case count < s.tries:
			agreed = append(agreed, fmt.Sprintf("the pods of %s counted %d of %d tries, of which at most %d ended without an answer", hop, count, s.tries, s.unanswered()))
		default:
			agreed = append(agreed, fmt.Sprintf("the pods of %s counted %d of %d tries", hop, count, s.tries))
		}
	}
	if len(unseen) == len(counted) {
		return nil
	}
	if len(unseen) > 0 {
		agreed = append(agreed, "they have no tries to "+strings.Join(unseen, ", "))
	}
	if len(agreed) == 0 {
		return found
	}
	return append(found, remark("%s: %s", source, strings.Join(agreed, "; ")))
}

func remark(format string, args ...any) target.Incident {
	return target.Incident{Text: fmt.Sprintf(format, args...), Note: true}
}
