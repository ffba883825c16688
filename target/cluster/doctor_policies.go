package cluster

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hellochaos/hellochaos/printable"
)

// applies reports whether a policy applies to a pod. A policy of Istio's own namespace applies to all pods, any other to the
// pods of its namespace. A selector at path within the spec restricts both.
func applies(u *unstructured.Unstructured, pod *corev1.Pod, path ...string) bool {
	selector, _, _ := unstructured.NestedStringMap(u.Object, append([]string{"spec"}, path...)...)
	return (u.GetNamespace() == istioSystem || u.GetNamespace() == pod.Namespace) && labels.SelectorFromSet(selector).Matches(labels.Set(pod.Labels))
}

// holding names the policies that apply to a pod of the chain or of the gateway.
func (v *view) holding(policies []*unstructured.Unstructured, path ...string) (names []string) {
	pods := v.chainPods()
	for i := range v.gatewayPods.items {
		pods = append(pods, &v.gatewayPods.items[i])
	}
	for _, u := range policies {
		if slices.ContainsFunc(pods, func(pod *corev1.Pod) bool { return applies(u, pod, path...) }) {
			names = append(names, fmt.Sprintf("%s in namespace %s", nameOf(u), u.GetNamespace()))
		}
	}
	return names
}

// envoyFilters checks which EnvoyFilters change the proxies' configuration past Istio's rules. It leaves out those that Istio
// installs itself for its telemetry, since they change nothing that a run measures.
func (v *view) envoyFilters() Finding {
	if v.filters.hidden != nil {
		return v.unseen(v.filters.hidden)
	}
	others := slices.DeleteFunc(slices.Clone(v.filters.items), func(u *unstructured.Unstructured) bool {
		return u.GetLabels()["operator.istio.io/component"] != "" || u.GetLabels()["release"] == "istio"
	})
	if names := v.holding(others, "workloadSelector", "labels"); len(names) > 0 {
		return warn("", "these change the proxies' configuration past Istio's rules, so routes and retries may differ from what the stages say: %s", strings.Join(names, ", "))
	}
	return good("no EnvoyFilter of others changes the chain's proxies or the gateway's")
}

// mutualTLS checks whether the chain's pods accept requests without mutual TLS. The direct entry sends such requests, and so does
// the API server, through which a run reads counters and probes.
func (v *view) mutualTLS() Finding {
	if v.peers.hidden != nil {
		return v.unseen(v.peers.hidden)
	}
	slices.SortStableFunc(v.peers.items, func(a, b *unstructured.Unstructured) int {
		return a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time)
	})
	strict := map[reference][]string{}
	for _, pod := range v.chainPods() {
		if policy := effectiveTLS(v.peers.items, pod); policy != nil {
			strict[nameOf(policy)] = append(strict[nameOf(policy)], pod.Name)
		}
	}
	for r, pods := range strict {
		permit := fmt.Sprintf("kubectl -n %s patch peerauthentication %s --type merge -p '{\"spec\":{\"mtls\":{\"mode\":\"PERMISSIVE\"},\"portLevelMtls\":null}}'", printable.Word(r.Namespace), printable.Word(r.Name))
		if r.Namespace != v.cluster.namespace {
			permit = fmt.Sprintf(`echo '{"apiVersion":"security.istio.io/v1beta1","kind":"PeerAuthentication","metadata":{"name":"default"},"spec":{"mtls":{"mode":"PERMISSIVE"}}}' | kubectl -n %s apply -f -`,
				v.cluster.namespace)
		}
		slices.Sort(pods)
		return fail(permit, "%s in namespace %s is STRICT for pods %s: connections from outside the mesh are reset, among them those of the direct entry and those that read the counters",
			r, r.Namespace, strings.Join(pods, ", "))
	}
	return good("the chain's pods accept requests without mutual TLS, as the direct entry sends them")
}

// effectiveTLS is the policy that makes a pod refuse requests without mutual TLS; nil when the pod accepts them. Policies take
// precedence in this order: for the workload's port, for the workload, for the namespace, for the mesh. Of two policies of one
// level, the older one counts. policies are sorted by their time of creation, the oldest first.
func effectiveTLS(policies []*unstructured.Unstructured, pod *corev1.Pod) *unstructured.Unstructured {
	mode := func(u *unstructured.Unstructured, path ...string) string {
		text, _, _ := unstructured.NestedString(u.Object, append(append([]string{"spec"}, path...), "mode")...)
		return text
	}
	for _, level := range []struct {
		namespace string
		selected  bool
	}{{pod.Namespace, true}, {pod.Namespace, false}, {istioSystem, false}} {
		for _, u := range policies {
			selector, _, _ := unstructured.NestedStringMap(u.Object, "spec", "selector", "matchLabels")
			if u.GetNamespace() != level.namespace || len(selector) > 0 != level.selected || !applies(u, pod, "selector", "matchLabels") {
				continue
			}
			found := mode(u, "mtls")
			if port := mode(u, "portLevelMtls", fmt.Sprint(portOf(pod))); level.selected && port != "" && port != "UNSET" {
				found = port
			}
			if found == "STRICT" {
				return u
			}
			if found != "" && found != "UNSET" {
				return nil
			}
			break
		}
	}
	return nil
}

// authorization checks which AuthorizationPolicies may forbid calls of the chain.
func (v *view) authorization() Finding {
	if v.authorities.hidden != nil {
		return v.unseen(v.authorities.hidden)
	}
	if names := v.holding(v.authorities.items, "selector", "matchLabels"); len(names) > 0 {
		return warn("", "these policies may forbid calls: a forbidden call is answered with 403, which counts as an answer of the chain and is not retried: %s", strings.Join(names, ", "))
	}
	return good("no AuthorizationPolicy applies to the pods of the chain or of the gateway")
}
