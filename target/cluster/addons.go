package cluster

import (
	"context"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Addons are URLs at which the programs that show a mesh may answer. The likeliest URL of each program comes first. Nobody has
// tried yet whether they answer.
type Addons struct{ Kiali, Tracing, Prometheus []string }

// addonTime is how long Addons may take.
const addonTime = 5 * time.Second

// Addons finds Istio's own addons by the names that their Services have in its release (samples/addons). An addon that is
// not found, or that the run is not permitted to look for, is left out: no run needs it.
func (c *Cluster) Addons(ctx context.Context) Addons {
	ctx, cancel := context.WithTimeout(ctx, addonTime)
	defer cancel()
	services, err := c.core.CoreV1().Services(istioSystem).List(ctx, metav1.ListOptions{})
	if err != nil {
		return Addons{}
	}
	// Jaeger's addon and Zipkin's serve their page from Service "tracing". Service "zipkin" is Jaeger's collector where Jaeger is
	// installed, and Zipkin's page where Zipkin is installed alone. Jaeger's operator makes "jaeger-query".
	return Addons{
		Kiali:      c.addon(ctx, services.Items, "kiali"),
		Tracing:    c.addon(ctx, services.Items, "tracing", "jaeger-query", "zipkin"),
		Prometheus: c.addon(ctx, services.Items, "prometheus"),
	}
}

// addon is the URLs of the Services with these names.
func (c *Cluster) addon(ctx context.Context, services []corev1.Service, names ...string) (urls []string) {
	for _, name := range names {
		i := slices.IndexFunc(services, func(s corev1.Service) bool { return s.Name == name && len(s.Spec.Ports) > 0 })
		if i < 0 {
			continue
		}
		in := &entrance{service: &services[i], port: pagePort(services[i].Spec.Ports)}
		scheme := "http://"
		if strings.HasPrefix(in.port.Name, "https") {
			scheme = "https://"
		}
		ways, _ := c.ways(ctx, in)
		for _, w := range ways {
			urls = append(urls, scheme+w.address)
		}
	}
	return urls
}

// pagePort is the port of a program's page: the first port whose name begins with "http" and does not name metrics, or else the
// first port.
func pagePort(ports []corev1.ServicePort) corev1.ServicePort {
	for _, port := range ports {
		if strings.HasPrefix(port.Name, "http") && !strings.Contains(port.Name, "metrics") {
			return port
		}
	}
	return ports[0]
}
