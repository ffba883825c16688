package cluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The Services are those of samples/addons of Istio's release, and what Jaeger's operator makes.
func TestAddons(t *testing.T) {
	addon := func(name, ip string, ports ...corev1.ServicePort) *corev1.Service {
		return &corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: metav1.ObjectMeta{Namespace: istioSystem, Name: name},
			Spec: corev1.ServiceSpec{ClusterIP: ip, Ports: ports}}
	}
	port := func(name string, number int32) corev1.ServicePort {
		return corev1.ServicePort{Name: name, Port: number}
	}
	kiali := addon("kiali", "10.96.0.1", port("http", 20001), port("http-metrics", 9090))
	kiali.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{Hostname: "kiali.example"}}
	elsewhere := addon("kiali", "10.96.0.9", port("http", 20001))
	elsewhere.Namespace = "shop"
	for _, c := range []struct {
		name     string
		services []*corev1.Service
		refuse   string
		want     Addons
	}{
		{"none", []*corev1.Service{addon("istiod", "10.96.0.8", port("http-monitoring", 15014)), elsewhere}, "", Addons{}},
		{"Jaeger", []*corev1.Service{addon("zipkin", "10.96.0.3", port("http-query", 9411)), addon("tracing", "10.96.0.2", port("http-query", 80), port("grpc-query", 16685))}, "",
			Addons{Tracing: []string{"http://10.96.0.2:80", "http://10.96.0.3:9411"}}},
		{"encrypted", []*corev1.Service{addon("kiali", "10.96.0.1", port("http-metrics", 9090), port("https", 20001))}, "", Addons{Kiali: []string{"https://10.96.0.1:20001"}}},
		{"its operator", []*corev1.Service{addon("jaeger-query", "10.96.0.2", port("grpc-query", 16685), port("http-query", 16686))}, "", Addons{Tracing: []string{"http://10.96.0.2:16686"}}},
		{"all", []*corev1.Service{kiali, addon("prometheus", "10.96.0.4", port("", 9090)), addon("zipkin", corev1.ClusterIPNone, port("", 9411))}, "",
			Addons{Kiali: []string{"http://kiali.example:20001", "http://10.96.0.1:20001"}, Prometheus: []string{"http://10.96.0.4:9090"}}},
		{"refused", []*corev1.Service{kiali}, "list services istio-system", Addons{}},
	} {
		f := newFakeServer()
		for _, s := range c.services {
			f.put(t, s)
		}
		if c.refuse != "" {
			f.forbidden = []string{c.refuse}
		}
		if diff := cmp.Diff(c.want, f.connect(t).Addons(t.Context())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
