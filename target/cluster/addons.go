package cluster

import (
	"context"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Addons are the URLs at which the programs that show a mesh may answer, of each program the likeliest first. None was asked.
type Addons struct{ Kiali, Tracing, Prometheus []string }

// addonTime is how long Addons looks.
const addonTime = 5 * time.Second

// Addons finds Istio's own addons by the names that their Services have in its release (samples/addons). What is not found,
// or may not be looked for, is left out: no run needs it.
func (c *Cluster) Addons(ctx context.Context) Addons {
	ctx, cancel := context.WithTimeout(ctx, addonTime)
	defer cancel()
	services, err := c.core.CoreV1().Services(istioSystem).List(ctx, metav1.ListOptions{})
	if err != nil {
		return Addons{}
	}
	// The page of Jaeger's addon and of Zipkin's is "tracing"; "zipkin" is Jaeger's collector where Jaeger is, and the page where
	// Zipkin stands alone; "jaeger-query" is what Jaeger's operator makes.
	return Addons{
		Kiali:      c.addon(ctx, services.Items, "kiali"),
		Tracing:    c.addon(ctx, services.Items, "tracing", "jaeger-query", "zipkin"),
		Prometheus: c.addon(ctx, services.Items, "prometheus"),
	}
}

// addon is where the Services with some names are.
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

// pagePort is the port of a program's page: the first that speaks HTTP by its name and is not of the program's own metrics; the first
// of all where the names say nothing.
func pagePort(ports []corev1.ServicePort) corev1.ServicePort {
	for _, port := range ports {
		if strings.HasPrefix(port.Name, "http") && !strings.Contains(port.Name, "metrics") {
			return port
		}
	}
	return ports[0]
}
