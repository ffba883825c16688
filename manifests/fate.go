package manifests

import (
	"bytes"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/spelling"
)

// fate is what becomes of an object of others' files.
type fate int

const (
	unknown fate = iota // hellochaos knows nothing of the kind
	isRead              // it is read
	passes              // it changes nothing about a request
	acts                // it acts on requests, and is not executed
	isWrong             // no such kind exists
)

// istioGroup is the group of Istio's networking API.
const istioGroup = "networking.istio.io"

// workloadKinds are the kinds whose objects run pods that answer requests, with the groups of their API. In extensions Kubernetes had
// the kinds of apps until release 1.16.
var workloadKinds = map[string][]string{
	"Deployment": {"apps", "extensions"}, "StatefulSet": {"apps"}, "DaemonSet": {"apps", "extensions"}, "ReplicaSet": {"apps", "extensions"},
	"ReplicationController": {""}, "Pod": {""}, "Rollout": {"argoproj.io"},
}

// actingKinds are the kinds that act on requests, or say where these go, and that are not executed, by the group of their API; "*"
// stands for all kinds of the group except those of passingKinds.
var actingKinds = map[string][]string{
	istioGroup:                    {"EnvoyFilter", "WorkloadEntry", "WorkloadGroup", "ProxyConfig"},
	"security.istio.io":           {"*"},
	"extensions.istio.io":         {"*"},
	"install.istio.io":            {"*"},
	"gateway.networking.k8s.io":   {"*"},
	"gateway.networking.x-k8s.io": {"*"},
	"networking.k8s.io":           {"*"},
	"extensions":                  {"Ingress", "NetworkPolicy"},
	"discovery.k8s.io":            {"EndpointSlice"},
	"":                            {"Endpoints"},
}

// passingKinds are the kinds that change nothing about a request or its answer, by the group of their API; "*" stands for all kinds of
// the group. Telemetry says what is logged, measured and traced.
var passingKinds = map[string][]string{
	"": {"ConfigMap", "Secret", "ServiceAccount", "Namespace", "PersistentVolume", "PersistentVolumeClaim", "LimitRange", "ResourceQuota", "Event",
		"Node", "PodTemplate", "ComponentStatus", "Binding"},
	"apps":                         {"ControllerRevision"},
	"networking.k8s.io":            {"IngressClass"},
	"gateway.networking.k8s.io":    {"GatewayClass"},
	"telemetry.istio.io":           {"*"},
	"batch":                        {"*"},
	"autoscaling":                  {"*"},
	"policy":                       {"*"},
	"rbac.authorization.k8s.io":    {"*"},
	"apiextensions.k8s.io":         {"*"},
	"apiregistration.k8s.io":       {"*"},
	"admissionregistration.k8s.io": {"*"},
	"storage.k8s.io":               {"*"},
	"scheduling.k8s.io":            {"*"},
	"coordination.k8s.io":          {"*"},
	"certificates.k8s.io":          {"*"},
	"events.k8s.io":                {"*"},
	"node.k8s.io":                  {"*"},
	"monitoring.coreos.com":        {"*"},
	"cert-manager.io":              {"*"},
}

// group is the group of an API version: "apps" of "apps/v1", and "" of "v1".
func group(version string) string {
	name, _, grouped := strings.Cut(version, "/")
	if !grouped {
		return ""
	}
	return name
}

// fateOf is what becomes of an object with this apiVersion and kind.
func fateOf(version, kind string) fate {
	of := group(version)
	holds := func(kinds map[string][]string) bool {
		return slices.Contains(kinds[of], kind) || slices.Contains(kinds[of], "*")
	}
	_, istio := istioKinds[kind]
	_, ofGatewayAPI := gatewayKinds[kind]
	switch {
	case of == istioGroup && istio, of == GatewayAPI && ofGatewayAPI, of == "" && kind == "Service", slices.Contains(workloadKinds[kind], of):
		return isRead
	case holds(passingKinds):
		return passes
	case holds(actingKinds):
		return acts
	case slices.Contains([]string{"", "apps", istioGroup}, of):
		return isWrong
	}
	return unknown
}

// noSuchKind is the problem of a kind that its API does not have.
func noSuchKind(version, kind string) string {
	of := group(version)
	known := slices.Concat(actingKinds[of], passingKinds[of])
	for name, groups := range workloadKinds {
		if slices.Contains(groups, of) {
			known = append(known, name)
		}
	}
	switch of {
	case "":
		known = append(known, "Service")
	case istioGroup:
		for name := range istioKinds {
			known = append(known, name)
		}
	}
	slices.Sort(known)
	return kind + " is no kind of " + version + spelling.DidYouMean(kind, known) + "; its kinds are " + strings.Join(known, ", ")
}

// mayBeManifest reports whether a text has the words that every object of Kubernetes has.
func mayBeManifest(text []byte) bool {
	return bytes.Contains(text, []byte("apiVersion")) && bytes.Contains(text, []byte("kind"))
}

// linesBefore is how many lines of a document stand before its content: markers, comments and blanks.
func linesBefore(text []byte) (n int) {
	for line := range bytes.Lines(text) {
		if hasContent(line) {
			break
		}
		n++
	}
	return n
}

// longestHead is how long the line of a kind is at most in a file that headLines reads.
const longestHead = 300

// headLines finds apiVersion and kind of a document without reading its YAML, which takes a hundred times as long. It returns false
// unless each of the two stands once, by itself in a line that is not indented, as in every file that a program writes. Such a line
// belongs to the object itself: YAML indents what is inside of something else.
func headLines(text []byte) (version, kind string, plain bool) {
	found := map[string]string{}
	for line := range bytes.Lines(text) {
		for _, name := range []string{"apiVersion", "kind"} {
			rest, ok := bytes.CutPrefix(line, []byte(name+":"))
			if !ok {
				continue
			}
			if _, twice := found[name]; twice || len(rest) > longestHead {
				return "", "", false
			}
			value, _, _ := strings.Cut(string(rest), " #")
			found[name] = strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	for _, name := range []string{"apiVersion", "kind"} {
		if value := found[name]; value == "" || strings.ContainsAny(value, ` "'&*!|>{[%@`) {
			return "", "", false
		}
	}
	return found["apiVersion"], found["kind"], true
}
