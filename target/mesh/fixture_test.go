package mesh

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/hellochaos/hellochaos/manifests"
)

// applied is a mesh that obeys the YAML and is closed when the test ends.
func applied(tb testing.TB, options Options, yaml string) *Mesh {
	tb.Helper()
	m, err := New(options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if _, err := m.Close(tb.Context()); err != nil {
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
	for i := range parsed {
		withLoopback(&parsed[i])
	}
	return parsed
}

// refusing is an address of the loopback interface that refuses connections while the test runs: a connection of the test holds
// the port, so that no other process can take it, but nothing listens there.
func refusing(tb testing.TB) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { listener.Close() })
	connection, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { connection.Close() })
	return connection.LocalAddr().String()
}

// ended reports whether a server was closed. It looks at the listener, since another process may have taken the port by now.
func ended(tb testing.TB, s *server) bool {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	listener.Close()
	return errors.Is(s.http.Serve(listener), http.ErrServerClosed)
}

// deployment1 is a Deployment of one pod with role script.
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

// loopback is a host of a ServiceEntry that stands for the loopback interface: Istio accepts no address as a host, and no DNS has a name for
// it that tests could count on.
const loopback = "loopback.example"

// withLoopback puts the address in the place of the name.
func withLoopback(o *manifests.Object) {
	put := func(host *string) {
		if *host == loopback {
			*host = "127.0.0.1"
		}
	}
	switch spec := o.Istio.(type) {
	case *networking.ServiceEntry:
		for i := range spec.Hosts {
			put(&spec.Hosts[i])
		}
	case *networking.VirtualService:
		for i := range spec.Hosts {
			put(&spec.Hosts[i])
		}
		for _, h := range spec.Http {
			for _, d := range h.Route {
				put(&d.Destination.Host)
			}
		}
	}
}
