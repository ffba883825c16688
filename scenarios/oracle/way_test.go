package oracle_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

func TestWaysAfterOthers(t *testing.T) {
	application, _ := enter(t, "", direct)
	prod, first := enter(t, "prod", direct)
	prod.After(application)
	middleware, backend := rowTo(t, prod, "middleware"), rowTo(t, prod, "backend")
	// Without the rule the balancer picks among both versions, one of which the rule allows.
	if got := prod.Telling(middleware); got != 0.5 || !prod.New(middleware) {
		t.Errorf("middleware: telling %v, new %v, want 0.5 and true", got, prod.New(middleware))
	}
	if prod.New(backend) {
		t.Error("backend's rule is the same as before, and counts as new")
	}
	if row := prod.Rows[middleware]; row.Rule.File != "prod.yaml" || row.Rule.Line == 0 {
		t.Errorf("the rule stands in %s:%d, want a line of prod.yaml", row.Rule.File, row.Rule.Line)
	}
	if got, want := prod.Ours(first), []string{"frontend", "middleware", "backend"}; !slices.Equal(got, want) {
		t.Errorf("services %v, want %v", got, want)
	}
}

// waysOf compiles the way from the frontend of objects of one's own.
func waysOf(t *testing.T, yaml string) error {
	t.Helper()
	objects, err := manifests.Parse("mine.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = compile(t, objects, direct, "frontend")
	return err
}

func TestWaysRefuse(t *testing.T) {
	deployment := func(name, calls string) string {
		return strings.ReplaceAll(`apiVersion: v1
kind: Service
metadata: {name: @}
spec: {selector: {app: @}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: @-v1}
spec:
  selector: {matchLabels: {app: @}}
  template:
    metadata: {labels: {app: @, version: v1}}
    spec: {containers: [{name: hello-service, image: hello-service, env: [{name: SERVICE_NAME, value: @-v1}, {name: CALLS, value: '`+calls+`'}], ports: [{containerPort: 3000}]}]}
---
`, "@", name)
	}
	for _, c := range []struct{ name, yaml, want string }{
		{"a circle", deployment("frontend", `[[{"url":"http://b/"}]]`) + deployment("b", `[[{"url":"http://frontend/"}]]`), "lead back to it"},
		{"nothing at the entry", deployment("b", "[]"), "no Service frontend"},
		{"none", deployment("frontend", `[[{"url":"http://b/"},{"url":"http://b/"}]]`) + deployment("b", "[]"), ""},
	} {
		err := waysOf(t, c.yaml)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
