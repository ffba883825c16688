package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// importCalls finds out who calls whom: by Istio's own metric in a Prometheus, where one was named and has it, or else by what the
// proxies of the pods count. That neither could be read is a remark.
func (c *Cluster) importCalls(ctx context.Context, workloads []unstructured.Unstructured, to *Imported) error {
	if c.options.PrometheusURL != "" {
		calls, err := c.callsByPrometheus(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			to.Remarks = append(to.Remarks, fmt.Sprintf("Prometheus at %s could not be asked who calls whom: %v", withoutPassword(c.options.PrometheusURL), err))
		case len(calls) == 0:
			to.Remarks = append(to.Remarks, fmt.Sprintf("Prometheus at %s has no %s of callers in namespace %s.", withoutPassword(c.options.PrometheusURL), metricReceived, c.namespace))
		default:
			to.Calls, to.Source = calls, metricReceived+" of Prometheus"
			return nil
		}
	}
	calls, err := c.callsByProxies(ctx, workloads)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		to.Remarks = append(to.Remarks, fmt.Sprintf("The proxies of the pods could not be asked who calls whom: %v", err))
	case len(calls) > 0:
		to.Calls, to.Source = calls, metricSent+" of the pods' proxies"
	}
	return nil
}

// callsByPrometheus asks for Istio's metric of the callers' side, for which the label destination_service has the full name.
func (c *Cluster) callsByPrometheus(ctx context.Context) (calls []ImportedCall, err error) {
	api, close, err := c.prometheusOf()
	defer close()
	if err != nil {
		return nil, err
	}
	query := fmt.Sprintf(`sum by (source_workload, destination_service) (%s{reporter="source",source_workload_namespace=%q}) > 0`, metricReceived, c.namespace)
	vector, err := askForVector(ctx, api, query)
	if err != nil {
		return nil, err
	}
	for _, sample := range vector {
		calls = append(calls, ImportedCall{Workload: string(sample.Metric["source_workload"]), Host: string(sample.Metric["destination_service"]), Count: int64(sample.Value)})
	}
	return ordered(calls), nil
}

// callsByProxies sums what the proxy of each running pod counts of the tries that it sent to each host.
func (c *Cluster) callsByProxies(ctx context.Context, workloads []unstructured.Unstructured) ([]ImportedCall, error) {
	var pods *corev1.PodList
	err := c.again(ctx, "listing the pods in namespace "+c.namespace, func(ctx context.Context) (err error) {
		pods, err = c.core.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{})
		return err
	})
	if err != nil {
		return nil, err
	}
	var injected []corev1.Pod
	of := map[types.UID]string{}
	for _, pod := range pods.Items {
		if name := workloadOf(&pod, workloads); name != "" && ready(&pod) && hasSidecar(&pod) {
			injected, of[pod.UID] = append(injected, pod), name
		}
	}
	counts := map[series]int64{}
	if err := c.addStatistics(ctx, injected, counts); err != nil {
		return nil, err
	}
	sums := map[ImportedCall]int64{}
	for s, count := range counts {
		if s.metric == metricSent && count > 0 {
			sums[ImportedCall{Workload: of[s.pod], Host: hostOf(s.cluster)}] += count
		}
	}
	var calls []ImportedCall
	for call, count := range sums {
		call.Count = count
		calls = append(calls, call)
	}
	return ordered(calls), nil
}

// workloadOf is the name of the workload whose selector selects a pod; empty where none does.
func workloadOf(pod *corev1.Pod, workloads []unstructured.Unstructured) string {
	for i := range workloads {
		selected, found, _ := unstructured.NestedStringMap(workloads[i].Object, "spec", "selector", "matchLabels")
		if found && labels.SelectorFromSet(selected).Matches(labels.Set(pod.Labels)) {
			return workloads[i].GetName()
		}
	}
	return ""
}

func ordered(calls []ImportedCall) []ImportedCall {
	slices.SortFunc(calls, func(a, b ImportedCall) int {
		return cmp.Or(cmp.Compare(a.Workload, b.Workload), cmp.Compare(a.Host, b.Host))
	})
	return calls
}
