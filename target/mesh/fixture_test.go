package mesh

import (
	"fmt"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

// applied is a mesh that obeys the YAML and ends with the test.
func applied(tb testing.TB, options Options, yaml string) *Mesh {
	tb.Helper()
	m, err := New(options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := m.Close(tb.Context()); err != nil {
			tb.Error(err)
		}
	})
	if err := m.Apply(tb.Context(), objects(tb, yaml)); err != nil {
		tb.Fatal(err)
	}
	return m
}

func objects(tb testing.TB, yaml string) []manifests.Object {
	tb.Helper()
	parsed, err := manifests.Parse("test.yaml", []byte(yaml))
	if err != nil {
		tb.Fatal(err)
	}
	return parsed
}

// deployment1 is a script app of one pod.
func deployment1(app string) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s, version: v1}}
    spec:
      containers:
        - name: app
          image: hello-service
          env: [{name: ROLE, value: script}, {name: SERVICE_NAME, value: %[1]s-v1}]
`, app)
}
