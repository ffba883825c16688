package manifests

// HasOwnPods reports whether Istio makes the pods of the gateway and a Service for them, in the Gateway's namespace, when the Gateway is
// written. It does so for each Gateway of Gateway API (the controller "gateway-deployment" in its pilot/pkg/config/kube/gateway).
func (g *Gateway) HasOwnPods() bool { return g.listens }
