package mesh

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target/certificates"
)

// TestOpenerCompares opens TLS to a host outside by several names: Envoy asks for the one that is sent, as it is, and compares it with those of the
// certificate.
func TestOpenerCompares(t *testing.T) {
	objects, err := manifests.Parse("api.yaml", []byte(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api}
spec: {hosts: [api.example], resolution: DNS, ports: [{number: 443, name: http, protocol: HTTP}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: api}
spec: {host: api.example, trafficPolicy: {tls: {mode: SIMPLE}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := manifests.Read(objects)
	if err != nil {
		t.Fatal(err)
	}
	how := rules.Table(manifests.Caller{Namespace: manifests.Namespace}).Route(&manifests.Request{Host: "api.example:443"}).Split[0].TLS
	issuer, err := certificates.NewIssuer()
	if err != nil {
		t.Fatal(err)
	}
	server, err := issuer.Host([]string{"api.example", "*.wild.example"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for name, ok := range map[string]bool{"api.example": true, "api.example.": false, "a.wild.example": true, "a.b.wild.example": false, "other.example": false} {
		near, far := net.Pipe()
		served := make(chan struct{})
		go func() {
			defer close(served)
			defer far.Close()
			_ = tls.Server(far, server).HandshakeContext(ctx) // the client says whether it succeeds
		}()
		_, err := (&opener{how, issuer, true}).open(ctx, near, name)
		if (err == nil) != ok {
			t.Errorf("%s: %v, want it to be accepted: %v", name, err, ok)
		}
		near.Close()
		<-served
	}
}
