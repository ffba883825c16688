package manifests

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

const (
	// container is where the one container of a Deployment stands.
	container = "spec.template.spec.containers[0]"
	// upstreamURI is the variable that says whom the service calls.
	upstreamURI = "UPSTREAM_URI"
	// defaultPort is where the service listens that is not told PORT.
	defaultPort = 3000
)

func (d *document) checkDeployment(k *appsv1.Deployment) {
	if k.Spec.Replicas != nil && *k.Spec.Replicas < 0 {
		d.problem("spec.replicas", "want at least 0, not %d", *k.Spec.Replicas)
	}
	labels := k.Spec.Template.Labels
	if k.Spec.Selector == nil || len(k.Spec.Selector.MatchLabels) == 0 || !has(labels, k.Spec.Selector.MatchLabels) {
		d.problem("spec.selector.matchLabels", "want labels that the pods of spec.template have")
	}
	if labels["app"] == "" {
		d.problem("spec.template.metadata.labels", "want a label app, by which hellochaos knows the pods' proxy")
	}
	d.checkMetadata("spec.template.metadata", "", labels, k.Spec.Template.Annotations)
	if policy := k.Spec.Template.Spec.DNSPolicy; policy != "" && policy != corev1.DNSClusterFirst {
		d.problem("spec.template.spec.dnsPolicy", "%s is not supported by hellochaos; accepted: ClusterFirst", policy)
	}
	if len(k.Spec.Template.Spec.Containers) != 1 {
		d.problem("spec.template.spec.containers", "want exactly one container, not %d", len(k.Spec.Template.Spec.Containers))
		return
	}
	c := &k.Spec.Template.Spec.Containers[0]
	d.checkEnvironment(c.Env)
	for i, p := range c.Ports {
		field := fmt.Sprintf("%s.ports[%d]", container, i)
		d.checkProtocol(field+".protocol", p.Protocol)
		if listens := listensAt(environment(c.Env)); int(p.ContainerPort) != listens {
			d.problem(field+".containerPort", "want %d, where the service listens (PORT), not %d", listens, p.ContainerPort)
		}
	}
}

func (d *document) checkProtocol(field string, protocol corev1.Protocol) {
	if protocol != "" && protocol != corev1.ProtocolTCP {
		d.problem(field, "want TCP, not %s: hellochaos executes HTTP/1.1 only", protocol)
	}
}

// checkEnvironment holds a container's environment to what the demo service takes, and to what the embedded mesh can
// call.
func (d *document) checkEnvironment(variables []corev1.EnvVar) {
	values, last := environment(variables), make(map[string]int)
	for i, v := range variables {
		last[v.Name] = i
	}
	want := func(name string, right bool, text string) {
		if right {
			return
		}
		field := container + ".env"
		if i, ok := last[name]; ok {
			field = fmt.Sprintf("%s[%d].value", field, i)
		}
		d.problem(field, "%s is %q: want %s", name, values[name], text)
	}
	role := values["ROLE"]
	want("ROLE", slices.Contains([]string{"", "chain", "clock", "script", "relay"}, role), "chain, clock, script or relay")
	name := values["SERVICE_NAME"]
	dash := strings.LastIndexByte(name, '-')
	want("SERVICE_NAME", role == "clock" || dash > 0 && dash < len(name)-1, "a service and its version, such as middleware-canary")
	want(upstreamURI, role != "" && role != "chain" && (role != "relay" || values[upstreamURI] == "") || callable(values[upstreamURI]),
		"an http URL without dot segments, such as http://backend/: the mesh's proxies see no other calls")
	want("UPSTREAM_EXTERNAL", slices.Contains([]string{"", "true", "false"}, values["UPSTREAM_EXTERNAL"]), "true or false")
	hang, err := time.ParseDuration(values["HANG_DURATION"])
	want("HANG_DURATION", values["HANG_DURATION"] == "" || err == nil && hang > 0, `a duration above 0, such as "3s"`)
	want("PORT", listensAt(values) > 0, "a port from 1 to 65535")
}

// callable reports whether the embedded mesh carries calls to a URL.
func callable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" {
		return false
	}
	if u.Port() != "" && portNumber(u.Port()) == 0 {
		return false
	}
	return NormalPath(u.RequestURI()) == u.RequestURI()
}

// environment is a container's variables by name; of two of a name the last counts.
func environment(variables []corev1.EnvVar) map[string]string {
	values := make(map[string]string, len(variables))
	for _, v := range variables {
		values[v.Name] = v.Value
	}
	return values
}

// listensAt is the port of a service with this environment; 0 when PORT is none.
func listensAt(values map[string]string) int {
	if values["PORT"] == "" {
		return defaultPort
	}
	return portNumber(values["PORT"])
}

// portNumber reads a port from 1 to 65535; 0 when text is none.
func portNumber(text string) int {
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return int(number)
}

func workload(o *Object, k *appsv1.Deployment) Workload {
	w := Workload{
		Name:      o.Meta.Name,
		Namespace: o.namespace(),
		Labels:    k.Spec.Template.Labels,
		Env:       make(map[string]string),
		Replicas:  1,
	}
	if k.Spec.Replicas != nil {
		w.Replicas = int(*k.Spec.Replicas)
	}
	for _, c := range k.Spec.Template.Spec.Containers {
		w.Env = environment(c.Env)
	}
	return w
}
