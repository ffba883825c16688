package cluster

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hellochaos/hellochaos/target"
)

const (
	// statisticsPort and statisticsPath are where an Istio proxy serves its statistics in Prometheus' text form, without
	// passing through its own inbound listener (https://istio.io/latest/docs/ops/deployment/application-requirements/).
	statisticsPort, statisticsPath = 15090, "/stats/prometheus"
	// metricSent counts the tries that a proxy sent on a connection to a cluster. It leaves out tries for which no connection
	// could be made.
	metricSent = "envoy_cluster_upstream_rq_total"
	// metricReceived counts the requests that went through a proxy. Those with reporter "destination" are tries that the proxy
	// received for its own pod.
	metricReceived = "istio_requests_total"
	// statisticsFilter selects these metrics by the names that they have inside Envoy, where they have no labels yet.
	statisticsFilter = `upstream_(rq_(total|[rt]x_reset|timeout|per_try_timeout)|cx_destroy_(local|remote)_with_active_rq)$|` + metricReceived
)

// cutMetrics count the tries of a cluster that ended without an answer, in three views, each of which misses some: streams that
// one side reset (only HTTP/2), time limits that expired (but not callers that went away), and connections that closed during
// a try (only HTTP/1.1). Envoy's documentation explains them under "Cluster manager, Statistics". Istio's proxyStatsMatcher
// decides which of them exist.
var cutMetrics = map[string]int{
	"envoy_cluster_upstream_rq_rx_reset": 0, "envoy_cluster_upstream_rq_tx_reset": 0,
	"envoy_cluster_upstream_rq_timeout": 1, "envoy_cluster_upstream_rq_per_try_timeout": 1,
	"envoy_cluster_upstream_cx_destroy_local_with_active_rq": 2, "envoy_cluster_upstream_cx_destroy_remote_with_active_rq": 2,
}

// statistic names one number of a proxy: its metric and, for those of outbound clusters, the cluster.
type statistic struct{ metric, cluster string }

// series is a statistic of one pod.
type series struct {
	pod types.UID
	statistic
}

// statistics are the numbers of the chain's proxies, and why some could not be read.
type statistics struct {
	counts map[series]int64
	// services names the service of each pod. blind says why the chain's proxies could not be read, and gateway why the
	// gateway's could not.
	services       map[types.UID]string
	blind, gateway error
}

// statistics reads every proxy that sends calls of the chain, once.
func (r *Run) statistics(ctx context.Context) statistics {
	s := statistics{counts: map[series]int64{}, services: map[types.UID]string{}}
	var pods []corev1.Pod
	for i := range r.rules.Workloads {
		w := &r.rules.Workloads[i]
		if !r.cluster.ours(w) {
			continue
		}
		found, err := r.cluster.podsOf(ctx, w)
		if err != nil {
			s.blind = err
			return s
		}
		for _, pod := range found {
			if ready(&pod) {
				s.services[pod.UID] = serviceOf(w.Env)
				pods = append(pods, pod)
			}
		}
	}
	s.blind = r.cluster.addStatistics(ctx, pods, s.counts)
	for _, gateway := range r.rules.Gateways {
		list, err := r.cluster.core.CoreV1().Pods(istioSystem).List(ctx, metav1.ListOptions{LabelSelector: labels.SelectorFromSet(gateway.Selector).String()})
		if err == nil {
			err = r.cluster.addStatistics(ctx, list.Items, s.counts)
		}
		s.gateway = err
	}
	return s
}

// addStatistics reads the proxies of pods concurrently.
func (c *Cluster) addStatistics(ctx context.Context, pods []corev1.Pod, to map[series]int64) error {
	var mutex sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for _, pod := range pods {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, requestTime)
			defer cancel()
			body, err := c.core.CoreV1().Pods(pod.Namespace).ProxyGet("http", pod.Name, strconv.Itoa(statisticsPort), statisticsPath,
				map[string]string{"usedonly": "", "filter": statisticsFilter}).DoRaw(ctx)
			if err != nil {
				return fmt.Errorf("pod %s: %w", pod.Name, err)
			}
			counts, err := readStatistics(bytes.NewReader(body))
			if err != nil {
				return fmt.Errorf("pod %s: %w", pod.Name, err)
			}
			mutex.Lock()
			defer mutex.Unlock()
			for s, count := range counts {
				to[series{pod.UID, s}] = count
			}
			return nil
		})
	}
	return group.Wait()
}

// readStatistics reads a proxy's statistics in Prometheus' text form: what the proxy sent to Services, and what it received for
// its pod from callers that have a proxy themselves. It leaves out callers without a proxy, since the requests of the entry
// cannot be distinguished from this program's own readings. The error names the metric that cannot be understood.
func readStatistics(from io.Reader) (map[statistic]int64, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(from)
	if err != nil {
		return nil, fmt.Errorf("reading its proxy's statistics: %w", err)
	}
	counts := map[statistic]int64{}
	for _, name := range append([]string{metricSent, metricReceived}, slices.Sorted(maps.Keys(cutMetrics))...) {
		for _, metric := range families[name].GetMetric() {
			value := labelsOf(metric)
			s := statistic{metric: name}
			if name == metricReceived {
				if value["reporter"] != "destination" || value["source_workload"] == "" || value["source_workload"] == "unknown" {
					continue
				}
			} else if s.cluster = value["cluster_name"]; hostOf(s.cluster) == "" {
				continue
			}
			count := metric.GetCounter().GetValue() + metric.GetUntyped().GetValue()
			if !(count >= 0 && count <= 1<<53) || count != float64(int64(count)) {
				return nil, fmt.Errorf("reading its proxy's statistics: %s%v is %v, but must be a whole number in [0, 2^53]", name, value, count)
			}
			counts[s] += int64(count)
		}
	}
	return counts, nil
}

func labelsOf(metric *dto.Metric) map[string]string {
	value := map[string]string{}
	for _, label := range metric.GetLabel() {
		value[label.GetName()] = label.GetValue()
	}
	return value
}

// hostOf is the Service that an outbound cluster leads to: "backend.default.svc.cluster.local" of
// "outbound|80|prod|backend.default.svc.cluster.local", which newer Istio ends with a semicolon; empty for other clusters.
func hostOf(cluster string) string {
	parts := strings.Split(strings.TrimSuffix(cluster, ";"), "|")
	if len(parts) != 4 || parts[0] != "outbound" {
		return ""
	}
	return parts[3]
}

// serviceOf is the name of the service that a container's environment names, in the way in which hello-service reads it.
func serviceOf(env map[string]string) string {
	name := env["SERVICE_NAME"]
	if env["SERVICE_VERSION"] != "" {
		return name
	}
	return name[:max(0, strings.LastIndexByte(name, '-'))]
}

// hop is the service behind a host of the proxies' tables; empty when the host does not belong to the chain.
func (r *Run) hop(host string) string {
	name, rest, _ := strings.Cut(host, ".")
	if namespace, _, _ := strings.Cut(rest, "."); namespace != r.cluster.namespace {
		return ""
	}
	service := r.rules.Service(name)
	if service == nil {
		service = r.rules.Services[host]
	}
	if service == nil {
		return ""
	}
	for _, w := range r.rules.Selected(service) {
		return serviceOf(w.Env)
	}
	return ""
}

// compareStatistics compares the proxies' statistics with what the services counted.
func (r *Run) compareStatistics(counted map[string]int64, before, after statistics) []target.Incident {
	for _, s := range []statistics{before, after} {
		if s.blind != nil {
			return []target.Incident{remark("the proxies' statistics cannot be read, so the counters are not compared with them: %v", s.blind)}
		}
	}
	envoy, istio := map[string]sent{}, map[string]sent{}
	for s, count := range after.counts {
		// A cluster that was made again counts from zero. A cluster that is gone has no number, and got no request of the phase.
		if was := before.counts[s]; was <= count {
			count -= was
		}
		hop := r.hop(hostOf(s.cluster))
		switch total := envoy[hop]; s.metric {
		case metricReceived:
			hop = after.services[s.pod]
			istio[hop] = sent{tries: istio[hop].tries + count}
		case metricSent:
			total.tries += count
			envoy[hop] = total
		default:
			total.cut[cutMetrics[s.metric]] += count
			envoy[hop] = total
		}
	}
	found := append(compare("Envoy's statistics", counted, envoy), compare("Istio's statistics", counted, istio)...)
	if len(found) == 0 {
		found = append(found, remark("the proxies have no statistics about the chain's Services: they do not export them, or calls go past the proxies (Istio's proxyStatsMatcher decides what they export)"))
	}
	switch {
	case apierrors.IsForbidden(after.gateway):
		found = append(found, remark("the gateway's statistics cannot be read without the permission get pods/proxy in namespace %s", istioSystem))
	case after.gateway != nil:
		found = append(found, remark("the gateway's statistics cannot be read: %v", after.gateway))
	}
	return found
}
