package derive

import (
	"strings"
	"testing"
)

// A rule for pods with some labels is met by requests that such pods send, and not by those of other pods.
func TestSourceLabels(t *testing.T) {
	deployment := func(name, version string) string {
		return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec: {selector: {matchLabels: {app: page, version: " + version + "}}, template: {metadata: {labels: {app: page, version: " + version + "}}, spec: {containers: [{name: a, image: x}]}}}\n---\n"
	}
	service := "apiVersion: v1\nkind: Service\nmetadata: {name: reviews}\nspec: {selector: {app: page}, ports: [{name: http, port: 80}]}\n---\n"
	rules, cohorts := derived(t, strings.ReplaceAll(deployment("page-v1", "v1")+deployment("page-v2", "v2"), "name: a, image: x", "name: a, image: hello-service, env: [{name: SERVICE_NAME, value: page-v0}, {name: CALLS, value: '[]'}]")+service+
		virtualService("reviews", "hosts: [reviews]", "{match: [{sourceLabels: {app: page, version: v2}}], "+toV2+"}", "{"+toV1+"}")+subsets)
	want := map[string]string{"reviews, from pods of page-v2": "http[0]", "reviews": "http[1]", "reviews, from pods of page-v1": "http[1]",
		"reviews.default.svc.cluster.local., from pods of page-v2": "http[0]", "reviews.default.svc.cluster.local.": "http[1]"}
	for i := range cohorts {
		if got := met(t, rules, &cohorts[i]); want[cohorts[i].Name] != got {
			t.Errorf("%s meets %s, want %q", cohorts[i].Name, got, want[cohorts[i].Name])
		}
		delete(want, cohorts[i].Name)
	}
	if len(want) > 0 {
		t.Errorf("there are no requests %v", want)
	}
}
