// Package differential compares the package manifests with Istio's own code. It draws objects at random, asks both what a request of a
// caller meets, and makes what differs as small as it can. It is a Go module of its own, since Istio must not be among what the program
// depends on.
package differential

import (
	"fmt"
	"strings"
)

// World has the Services and pods that the random objects are about, as YAML: Services of one and of several ports, in two namespaces, with
// versions, with a port whose name declares no protocol, without pods, and hidden from the mesh. The last two are those of Istio itself.
func World() string {
	return strings.Join([]string{
		deployment("one", "default", "v1", 1), serviceOf("one", "default", "", "{name: http, port: 80, targetPort: 3000}"),
		deployment("two", "default", "a", 1), deployment("two", "default", "b", 2),
		serviceOf("two", "default", "", "{name: http, port: 80, targetPort: 3000}, {name: http-more, port: 81, targetPort: 3000}"),
		deployment("plain", "default", "v1", 1), serviceOf("plain", "default", "", "{port: 8080, targetPort: 3000}"),
		serviceOf("empty", "default", "", "{name: http, port: 80, targetPort: 3000}"),
		serviceOf("hidden", "default", "~", "{name: http, port: 80, targetPort: 3000}"),
		deployment("one", "shop", "v1", 1), serviceOf("one", "shop", "", "{name: http, port: 80, targetPort: 3000}"),
		deployment("three", "shop", "a", 1), serviceOf("three", "shop", "", "{name: http-web, port: 8000, targetPort: 3000}"),
	}, "\n---\n")
}

// ControlPlane has the Services of Istio itself as its default profile installs them, which manifests takes for granted.
const ControlPlane = `
apiVersion: v1
kind: Service
metadata: {name: istiod, namespace: istio-system}
spec: {selector: {app: istiod}, ports: [{name: grpc-xds, port: 15010}, {name: https-dns, port: 15012}, {name: https-webhook, port: 443}, {name: http-monitoring, port: 15014}]}
---
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec: {selector: {istio: ingressgateway}, ports: [{name: status-port, port: 15021}, {name: http2, port: 80}, {name: https, port: 443}]}
`

func deployment(app, namespace, version string, replicas int) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s-%[3]s, namespace: %[2]s}
spec:
  replicas: %[4]d
  selector: {matchLabels: {app: %[1]s, version: %[3]s}}
  template:
    metadata: {labels: {app: %[1]s, version: %[3]s}}
    spec:
      containers:
        - {name: app, image: hello-service, env: [{name: ROLE, value: script}, {name: SERVICE_NAME, value: %[1]s-%[3]s}]}`, app, namespace, version, replicas)
}

func serviceOf(app, namespace, exportTo, ports string) string {
	annotations := ""
	if exportTo != "" {
		annotations = fmt.Sprintf(`, annotations: {networking.istio.io/exportTo: %q}`, exportTo)
	}
	return fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: %s, namespace: %s%s}
spec: {selector: {app: %[1]s}, ports: [%[4]s]}`, app, namespace, annotations, ports)
}
