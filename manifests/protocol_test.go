package manifests

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// The rows are those of the test of Istio's ConvertProtocol, as far as they are about HTTP.
func TestProtocolOf(t *testing.T) {
	of := func(name string, port int32, protocol corev1.Protocol, app string) Protocol {
		p := &corev1.ServicePort{Name: name, Port: port, Protocol: protocol}
		if app != "" {
			p.AppProtocol = &app
		}
		return ProtocolOf(p)
	}
	for _, c := range []struct {
		name     string
		port     int32
		protocol corev1.Protocol
		app      string
		want     Protocol
	}{
		{"", 80, "", "", GuessedHTTP}, {"web", 80, "TCP", "", GuessedHTTP}, {"http", 80, "", "", DeclaredHTTP}, {"HTTP-web", 80, "", "", DeclaredHTTP},
		{"httpx", 80, "", "", GuessedHTTP}, {"http2-x", 80, "", "", DeclaredHTTP}, {"grpc", 80, "", "", DeclaredHTTP}, {"grpc-web-x", 80, "", "", DeclaredHTTP},
		{"tcp-x", 80, "", "", NotHTTP}, {"https", 443, "", "", NotHTTP}, {"redis", 6379, "", "", NotHTTP}, {"http", 80, "UDP", "", NotHTTP},
		{"db", 3306, "", "", NotHTTP}, {"http", 3306, "", "", DeclaredHTTP}, {"tcp", 80, "", "http", DeclaredHTTP}, {"http", 80, "", "tcp", NotHTTP},
		{"http", 80, "", "kubernetes.io/h2c", DeclaredHTTP}, {"http", 80, "", "kubernetes.io/wss", NotHTTP}, {"http", 80, "", "example.com/own", GuessedHTTP},
	} {
		if got := of(c.name, c.port, c.protocol, c.app); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
