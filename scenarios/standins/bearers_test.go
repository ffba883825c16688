package standins

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
)

// Pods are stood up for sourceLabels where no file has any, and where they would answer nobody's calls.
func TestBearers(t *testing.T) {
	const service = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: shop}\nspec: {hosts: [shop], http: [{match: [{sourceLabels: {LABELS}}], route: [{destination: {host: shop}}]}]}\n---\n"
	const pods = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec: {selector: {matchLabels: {app: shop}}, template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: a, image: x}]}}}\n---\n"
	for name, test := range map[string]struct {
		labels, more string
		want         int
	}{
		"none have them":                    {"role: batch", "", 1},
		"the files have pods":               {"role: batch", pods, 0},
		"a Service would take them for its": {"app: shop, version: v9", "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {selector: {app: shop}, ports: [{name: http, port: 80}]}\n", 0},
	} {
		set, have := of(t, strings.Replace(service, "LABELS", test.labels, 1)+test.more), 0
		for _, o := range set.Objects {
			if d, ok := o.Kubernetes.(*appsv1.Deployment); ok && has(d.Spec.Template.Labels, labels(test.labels)) {
				have++
			}
		}
		if have != test.want {
			t.Errorf("%s: %d workloads have %s, want %d", name, have, test.labels, test.want)
		}
	}
}

func labels(text string) map[string]string {
	all := map[string]string{}
	for pair := range strings.SplitSeq(text, ", ") {
		name, value, _ := strings.Cut(pair, ": ")
		all[name] = value
	}
	return all
}
