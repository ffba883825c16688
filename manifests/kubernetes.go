package manifests

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/json"
)

// kubernetesFields are the fields of a kind that are executed, or that change nothing that a request could tell, by the
// path of the object that holds them. A path that is missing here has no field that matters.
var kubernetesFields = map[string]map[string][]string{
	"Namespace": {
		"":     {"apiVersion", "kind", "metadata", "spec", "status"},
		"spec": {"finalizers"},
	},
	"Service": {
		"": {"apiVersion", "kind", "metadata", "spec", "status"},
		"spec": {"type", "selector", "ports", "sessionAffinity", "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy",
			"internalTrafficPolicy", "externalTrafficPolicy", "allocateLoadBalancerNodePorts"},
		"spec.ports[]": {"name", "port", "targetPort", "protocol", "appProtocol", "nodePort"},
	},
	"Deployment": {
		"": {"apiVersion", "kind", "metadata", "spec", "status"},
		"spec": {"replicas", "selector", "template", "strategy", "minReadySeconds", "revisionHistoryLimit",
			"progressDeadlineSeconds"},
		"spec.selector": {"matchLabels"},
		"spec.template": {"metadata", "spec"},
		"spec.template.spec": {"containers", "securityContext", "serviceAccountName", "automountServiceAccountToken",
			"imagePullSecrets", "terminationGracePeriodSeconds", "nodeSelector", "tolerations", "affinity",
			"topologySpreadConstraints", "priorityClassName", "enableServiceLinks", "volumes", "dnsPolicy", "restartPolicy",
			"schedulerName", "serviceAccount"},
		"spec.template.spec.containers[]": {"name", "image", "imagePullPolicy", "env", "ports", "readinessProbe",
			"livenessProbe", "startupProbe", "resources", "securityContext", "volumeMounts", "terminationMessagePath",
			"terminationMessagePolicy"},
		"spec.template.spec.containers[].env[]":   {"name", "value"},
		"spec.template.spec.containers[].ports[]": {"name", "containerPort", "protocol"},
	},
}

// checkFields refuses the fields that accepted does not name. pattern is path without the numbers of lists.
func (d *document) checkFields(accepted map[string][]string, path, pattern string, value any) {
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			d.checkFields(accepted, fmt.Sprintf("%s[%d]", path, i), pattern+"[]", item)
		}
	case map[string]any:
		names, matters := accepted[pattern]
		if !matters {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			switch {
			case v[name] == nil: // the same as absent
			case slices.Contains(names, name):
				d.checkFields(accepted, join(path, name), join(pattern, name), v[name])
			default:
				d.problem(join(path, name), notExecuted)
			}
		}
	}
}

// goField finds the path in a message of the JSON decoder: "json: cannot unmarshal string into Go struct field
// ServiceSpec.spec.replicas of type int32".
var goField = regexp.MustCompile(`^json: cannot unmarshal (.+) into Go (?:struct field [A-Za-z]*\.(\S+)|value) of type (\S+)$`)

// strict decodes JSON into a Kubernetes type as the API server does with fieldValidation Strict: names are
// case-sensitive and unknown ones are problems.
func (d *document) strict(data []byte, into any) {
	unknown, err := json.UnmarshalStrict(data, into)
	for _, err := range unknown {
		field := ""
		if at, ok := err.(json.FieldError); ok {
			field = at.FieldPath()
		}
		d.problem(field, "unknown field")
	}
	if err == nil {
		return
	}
	if place := goField.FindStringSubmatch(err.Error()); place != nil {
		d.problem(place[2], "want %s, not %s", strings.TrimPrefix(place[3], "*"), place[1])
		return
	}
	d.problem("", "%v", err)
}
