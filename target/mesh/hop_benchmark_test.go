//go:build unix

package mesh

import (
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// BenchmarkHop sends the same request to an app directly and through a caller-side proxy that retries, and reports the
// CPU time of the whole process for each: "direct-µs/op", and "added-µs/op", which is what one proxied hop costs.
func BenchmarkHop(b *testing.B) {
	m := applied(b, Options{}, `
apiVersion: v1
kind: Service
metadata: {name: one}
spec:
  selector: {app: one}
  ports: [{name: http, port: 80, targetPort: 3000}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: one}
spec:
  hosts: [one]
  http:
    - match: [{headers: {x-dev-user: {exact: super-secret}}}]
      route: [{destination: {host: one, subset: other}}]
    - route: [{destination: {host: one}}]
      retries: {attempts: 3, perTryTimeout: 2s, retryOn: 5xx}
---
`+deployment1("one"))
	direct := &upstream{address: m.pods.replicasOf(m.rules.Workloads)[0].server.address}
	defer direct.close()
	proxied := m.sidecars[sidecarName{manifests.Namespace, "one", ""}].calls
	b.ReportAllocs()
	var cost, directCost time.Duration
	n := 0
	for b.Loop() {
		directCost += cpu(b, func() { get(b, transport{direct}) })
		cost += cpu(b, func() { get(b, transport{proxied}) })
		n++
	}
	perCall := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(n*batch) }
	b.ReportMetric(perCall(directCost), "direct-µs/op")
	b.ReportMetric(perCall(cost-directCost), "added-µs/op")
}

// batch is how many requests are sent between two looks at the CPU time.
const batch = 200

func cpu(b *testing.B, run func()) time.Duration {
	b.Helper()
	began := rusage(b)
	for range batch {
		run()
	}
	return rusage(b) - began
}

func rusage(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func get(tb testing.TB, through http.RoundTripper) {
	tb.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://one/", nil)
	if err != nil {
		tb.Fatal(err)
	}
	response, err := through.RoundTrip(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		tb.Fatal(response.Status, err)
	}
}
