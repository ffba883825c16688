package target_test

import (
	"maps"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/manifests"
)

// headPairs are the pairs of the metadata of Istio's objects.
func headPairs() map[string]pair {
	three := rules("one", to("three/v")) + strings.ReplaceAll(destinationRule("host: three, subsets: [{name: v, labels: {version: v1}}]"), "name: two", "name: three")
	door := gateway(to("one"))
	const ofGateway = "kind: Gateway\nmetadata: {name: door"
	return map[string]pair{
		"VirtualService.metadata.namespace":  edited(rules("one", to("two/b")), "metadata: {name: one}", "metadata: {name: one, namespace: elsewhere}", get("one")...),
		"DestinationRule.metadata.namespace": edited(three, "metadata: {name: three}", "metadata: {name: three, namespace: elsewhere}", get("one")...),
		"Gateway.metadata.name":              edited(door, ofGateway, "kind: Gateway\nmetadata: {name: window", atGateway("one.example")),
		"Gateway.metadata.namespace":         edited(door, ofGateway, ofGateway+", namespace: elsewhere", atGateway("one.example")),
		"ServiceEntry.metadata.namespace":    edited(serviceEntry, "metadata: {name: hidden}", "metadata: {name: hidden, namespace: elsewhere}", get(hiddenHost)...),
	}
}

func servicePairs() map[string]pair {
	four := strings.ReplaceAll(serviceOf("four"), "app: four", "app: one")
	// The port of a Service is one of HTTP, at which the sidecars answer for every host, only if the Service says so.
	guessed := strings.Replace(four, "name: http, port: 80", "port: 8088", 1)
	elsewhere := request{host: "nowhere.example:8088"}
	empty := strings.Replace(four, "app: one", "app: nobody", 1)
	return map[string]pair{
		"Service.metadata.name":            edited(four, "metadata: {name: four}", "metadata: {name: five}", get("four")...),
		"Service.metadata.namespace":       edited(four, "metadata: {name: four}", "metadata: {name: four, namespace: elsewhere}", get("four")...),
		"Service.metadata.annotations":     edited(four, "metadata: {name: four}", `metadata: {name: four, annotations: {networking.istio.io/exportTo: "~"}}`, get("four")...),
		"Service.spec.selector":            edited(four, "app: one", "app: three", get("four")...),
		"Service.spec.ports[].name":        edited(guessed, "port: 8088", "name: http, port: 8088", elsewhere),
		"Service.spec.ports[].appProtocol": edited(guessed, "port: 8088", "appProtocol: http, port: 8088", elsewhere),
		"Service.spec.ports[].port":        edited(four, "port: 80", "port: 81", get("four")...),
		"Service.spec.ports[].targetPort":  edited(empty, "targetPort: 3000", "targetPort: 3001", get("four")...),
	}
}

// five is a Service and a Deployment of a service of the demo that calls nobody, with a label and a variable more than it needs.
const five = `
apiVersion: v1
kind: Service
metadata: {name: five}
spec: {selector: {app: five, side: left}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: five}
spec:
  replicas: 1
  selector: {matchLabels: {app: five}}
  template:
    metadata: {labels: {app: five, side: left}}
    spec:
      containers:
        - env: [{name: SERVICE_NAME, value: five-v1}, {name: CALLS, value: "[]"}, {name: FAIL_PROBABILITY, value: "1"}]
          ports: [{name: a, containerPort: 3000}]
---
`

func deploymentPairs() map[string]pair {
	edit := func(old, new string) pair { return edited(five, old, new, get("five", "one")...) }
	const pod = "Deployment.spec.template.spec.containers[]."
	return map[string]pair{
		"Deployment.metadata.namespace":            edit("kind: Deployment\nmetadata: {name: five}", "kind: Deployment\nmetadata: {name: five, namespace: elsewhere}"),
		"Deployment.spec.replicas":                 edit("replicas: 1", "replicas: 0"),
		"Deployment.spec.selector.matchLabels":     edit("matchLabels: {app: five}", "matchLabels: {app: five, side: left}"),
		"Deployment.spec.template.metadata.labels": edit("labels: {app: five, side: left}", "labels: {app: five, side: right}"),
		pod + "env[].name":                         edit("name: FAIL_PROBABILITY", "name: OTHER"),
		pod + "env[].value":                        edit(`value: "1"`, `value: "0"`),
		pod + "ports[].containerPort":              edited(strings.Replace(five, "          ports: [{name: a, containerPort: 3000}]\n", "", 1), `value: "1"}]`, `value: "1"}]`+"\n          ports: [{containerPort: 3000}]", get("five")...),
	}
}

// added are values of fields without effect on requests. The test lays each of them into an object that does not have it.
var added = metadataValues(map[string]string{
	"status":          "{}",
	"spec.finalizers": "[kubernetes]",

	"spec.type":                          "NodePort",
	"spec.ports[].protocol":              "TCP",
	"spec.ports[].nodePort":              "30080",
	"spec.sessionAffinity":               "None",
	"spec.clusterIP":                     "10.0.0.7",
	"spec.clusterIPs":                    "[10.0.0.7]",
	"spec.ipFamilies":                    "[IPv4]",
	"spec.ipFamilyPolicy":                "SingleStack",
	"spec.internalTrafficPolicy":         "Cluster",
	"spec.externalTrafficPolicy":         "Local",
	"spec.allocateLoadBalancerNodePorts": "false",

	"spec.strategy":                "{type: Recreate}",
	"spec.minReadySeconds":         "30",
	"spec.revisionHistoryLimit":    "1",
	"spec.progressDeadlineSeconds": "30",

	"spec.template.spec.securityContext":               "{runAsNonRoot: true}",
	"spec.template.spec.serviceAccountName":            "a",
	"spec.template.spec.serviceAccount":                "a",
	"spec.template.spec.automountServiceAccountToken":  "false",
	"spec.template.spec.imagePullSecrets":              "[{name: a}]",
	"spec.template.spec.terminationGracePeriodSeconds": "1",
	"spec.template.spec.nodeSelector":                  "{disk: ssd}",
	"spec.template.spec.tolerations":                   "[{key: a, operator: Exists}]",
	"spec.template.spec.affinity":                      "{podAntiAffinity: {}}",
	"spec.template.spec.topologySpreadConstraints":     "[{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]",
	"spec.template.spec.priorityClassName":             "low",
	"spec.template.spec.enableServiceLinks":            "false",
	"spec.template.spec.volumes":                       "[{name: a, emptyDir: {}}]",
	"spec.template.spec.dnsPolicy":                     "ClusterFirst",
	"spec.template.spec.restartPolicy":                 "Always",
	"spec.template.spec.schedulerName":                 "a",

	"spec.template.spec.containers[].name":                     "a",
	"spec.template.spec.containers[].image":                    "nginx",
	"spec.template.spec.containers[].imagePullPolicy":          "Never",
	"spec.template.spec.containers[].ports[].name":             "a",
	"spec.template.spec.containers[].ports[].protocol":         "TCP",
	"spec.template.spec.containers[].readinessProbe":           "{httpGet: {path: /never, port: 9}}",
	"spec.template.spec.containers[].livenessProbe":            "{httpGet: {path: /never, port: 9}}",
	"spec.template.spec.containers[].startupProbe":             "{httpGet: {path: /never, port: 9}}",
	"spec.template.spec.containers[].resources":                "{limits: {cpu: 1m, memory: 1Mi}}",
	"spec.template.spec.containers[].securityContext":          "{readOnlyRootFilesystem: true}",
	"spec.template.spec.containers[].volumeMounts":             "[{name: a, mountPath: /a}]",
	"spec.template.spec.containers[].terminationMessagePath":   "/a",
	"spec.template.spec.containers[].terminationMessagePolicy": "File",
})

// metadataValues adds values of the fields of Kubernetes' ObjectMeta to values, for objects and for the pods of a Deployment.
func metadataValues(values map[string]string) map[string]string {
	for name, value := range map[string]string{
		"name": "renamed", "namespace": "shop", "labels": "{team: a}", "annotations": "{team: a}", "generateName": "a-", "selfLink": "/a",
		"uid": "0a1b", "resourceVersion": `"7"`, "generation": "7", "creationTimestamp": `"2026-01-02T03:04:05Z"`,
		"deletionTimestamp": `"2026-01-02T03:04:05Z"`, "deletionGracePeriodSeconds": "7",
		"ownerReferences": "[{apiVersion: v1, kind: Pod, name: a, uid: 0a1b}]", "finalizers": "[a.example/b]", "managedFields": "[{manager: a}]",
	} {
		values["metadata."+name] = value
		if name != "labels" { // those of pods are executed
			values["spec.template.metadata."+name] = value
		}
	}
	return values
}

// plain has one object of each kind, with no fields but those that are needed.
var plain = plainGatewayAPI + gateway(to("six")) + serviceEntry + destinationRule("host: six, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}") + `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default}
spec: {egress: [{hosts: ["./*"]}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}}
---
apiVersion: v1
kind: Namespace
metadata: {name: default}
---
apiVersion: v1
kind: Service
metadata: {name: six}
spec: {selector: {app: six}, ports: [{port: 80, targetPort: 3000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: six}
spec:
  replicas: 2
  selector: {matchLabels: {app: six}}
  template:
    metadata: {labels: {app: six}}
    spec:
      containers: [{env: [{name: ROLE, value: script}, {name: SERVICE_NAME, value: six-v1}], ports: [{containerPort: 3000}]}]
---
`

// TestAddedFields lays each field without effect that has no pair of its own into the plain object of its kind, and sends requests that
// meet all of the plain objects.
func TestAddedFields(t *testing.T) {
	requests := append(repeated(2, "six"), request{host: "six", header: script("500,200").header}, atGateway("one.example"),
		request{host: hiddenHost}, request{host: "nowhere.example"})
	s := newEmbedded(t, "")
	apply := func(t *testing.T, text string) string {
		t.Helper()
		own, err := manifests.Parse("plain.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		caller, err := manifests.Parse("base.yaml", []byte(deployment("relay", "caller", "v1", 1)+deployment("script", "one", "v1", 1)+hidden))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(t.Context(), append(caller, own...)); err != nil {
			t.Fatal(err)
		}
		return outcomes(t, s, requests, "added")
	}
	before := apply(t, plain)
	proofs, unused := pairs(), maps.Clone(added)
	for _, field := range manifests.Fields() {
		value, ok := added[field.Name]
		if _, own := proofs[field.String()]; own || !ok || field.Executed() {
			continue
		}
		delete(unused, field.Name)
		t.Run(field.String(), func(t *testing.T) {
			text := with(t, field, value)
			if err := differInAlone(field, documents(t, plain), documents(t, text)); err != nil {
				t.Fatal(err)
			}
			judge(t, field, before, apply(t, text))
		})
	}
	for name := range unused {
		t.Errorf("there is a value for %s, which is no row of the table without effect", name)
	}
}

// with is plain with a value at the field.
func with(t *testing.T, field manifests.Field, value string) string {
	t.Helper()
	var text strings.Builder
	found := false
	for _, document := range documents(t, plain) {
		if kindOf(document) == field.Of {
			var parsed any
			if err := yaml.Unmarshal([]byte(value), &parsed); err != nil {
				t.Fatal(err)
			}
			lay(document, strings.Split(field.Name, "."), parsed)
			found = true
		}
		data, err := yaml.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString("---\n" + string(data))
	}
	if !found {
		t.Fatalf("plain has no %s", field.Of)
	}
	return text.String()
}

// lay puts a value at a path: into the first item of each list on the way.
func lay(object map[string]any, path []string, value any) {
	name, list := strings.CutSuffix(path[0], "[]")
	switch {
	case len(path) == 1:
		object[name] = value
	case list:
		lay(object[name].([]any)[0].(map[string]any), path[1:], value)
	default:
		if object[name] == nil {
			object[name] = make(map[string]any)
		}
		lay(object[name].(map[string]any), path[1:], value)
	}
}
