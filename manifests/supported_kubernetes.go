package manifests

import "slices"

// Why fields of objects are without effect on requests.
const (
	onlyNames   = "it is a name in messages, and other objects do not name it"
	checkedOnly = "it is checked against other fields, which say the same"
	byCluster   = "the API server writes it, or looks at it to keep the object"
	onlyLabels  = "no rule looks at it; names of Istio's own are refused unless they are executed"
	oneProtocol = "no other value is accepted: hellochaos executes HTTP over TCP"
	addresses   = "it says where a cluster offers the Service, and the proxies of the mesh find the Service by its name"
	rollout     = "it says how pods are replaced"
	placement   = "it says on which node a pod runs, and what it may do there"
	program     = "the mesh runs the demo service in place of the image's program"
	health      = "it says when Kubernetes takes a pod for ready or broken, and the pods of the mesh are ready from their start to their end"
)

// objectFields are the fields that are accepted by their paths, by kind of object.
func objectFields() []Field {
	return slices.Concat(
		headOf("VirtualService"), headOf("DestinationRule"), headOf("Gateway"), headOf("ServiceEntry"), headOf("Sidecar"),
		headOf("Namespace"), namespaceFields, headOf("Service"), serviceFields,
		headOf("Deployment"), deploymentFields, metadataOf("Deployment", "spec.template.metadata."), podFields,
		gatewayFields(),
	)
}

// headOf are the rows for what every object of a kind has.
func headOf(kind string) []Field {
	return append(metadataOf(kind, "metadata."), Field{kind, "status", byCluster})
}

// metadataOf are the rows of Kubernetes' ObjectMeta at a path: those of ownMetadata, and else what is the same for all kinds.
func metadataOf(kind, path string) []Field {
	rows := []Field{
		{kind, "name", onlyNames}, {kind, "namespace", onlyNames}, {kind, "labels", onlyLabels}, {kind, "annotations", onlyLabels},
		{kind, "generateName", byCluster}, {kind, "selfLink", byCluster}, {kind, "uid", byCluster}, {kind, "resourceVersion", byCluster},
		{kind, "generation", byCluster}, {kind, "creationTimestamp", byCluster}, {kind, "deletionTimestamp", byCluster},
		{kind, "deletionGracePeriodSeconds", byCluster}, {kind, "ownerReferences", byCluster}, {kind, "finalizers", byCluster},
		{kind, "managedFields", byCluster},
	}
	for i := range rows {
		rows[i].Name = path + rows[i].Name
		for _, own := range ownMetadata {
			if own.Of == kind && own.Name == rows[i].Name {
				rows[i] = own
			}
		}
	}
	return rows
}

// ownMetadata are the rows of metadata that are not the same for all kinds.
var ownMetadata = []Field{
	{"VirtualService", "metadata.name", executed},
	{"VirtualService", "metadata.namespace", executed},
	{"DestinationRule", "metadata.namespace", executed},
	{"Gateway", "metadata.name", executed},
	{"Gateway", "metadata.namespace", executed},
	{"ServiceEntry", "metadata.namespace", executed},
	{"Sidecar", "metadata.namespace", executed},
	{"Namespace", "metadata.name", executed},
	{"Namespace", "metadata.namespace", "a namespace stands in none"},
	{"Namespace", "metadata.labels", executed},
	{"Service", "metadata.name", executed},
	{"Service", "metadata.namespace", executed},
	{"Service", "metadata.annotations", executed},
	{"Deployment", "metadata.namespace", executed},
	{"HTTPRoute", "metadata.name", executed},
	{"HTTPRoute", "metadata.namespace", executed},
	{GatewayAPI + " Gateway", "metadata.name", executed},
	{GatewayAPI + " Gateway", "metadata.namespace", executed},
	{"ReferenceGrant", "metadata.namespace", executed},
	{"Deployment", "spec.template.metadata.namespace", "pods stand in the namespace of their Deployment"},
	{"Deployment", "spec.template.metadata.labels", executed},
}

var namespaceFields = []Field{
	{"Namespace", "spec.finalizers", byCluster},
}

var serviceFields = []Field{
	{"Service", "spec.type", addresses},
	{"Service", "spec.selector", executed},
	{"Service", "spec.ports[].name", executed},
	{"Service", "spec.ports[].port", executed},
	{"Service", "spec.ports[].targetPort", checkedOnly},
	{"Service", "spec.ports[].protocol", oneProtocol},
	{"Service", "spec.ports[].appProtocol", executed},
	{"Service", "spec.ports[].nodePort", addresses},
	{"Service", "spec.sessionAffinity", "no other value than None is accepted"},
	{"Service", "spec.clusterIP", addresses},
	{"Service", "spec.clusterIPs", addresses},
	{"Service", "spec.ipFamilies", addresses},
	{"Service", "spec.ipFamilyPolicy", addresses},
	{"Service", "spec.internalTrafficPolicy", "no other value than Cluster is accepted"},
	{"Service", "spec.externalTrafficPolicy", addresses},
	{"Service", "spec.allocateLoadBalancerNodePorts", addresses},
}

var deploymentFields = []Field{
	{"Deployment", "spec.replicas", executed},
	{"Deployment", "spec.selector.matchLabels", checkedOnly},
}

// podFields are the fields of a Deployment after the metadata of its pods.
var podFields = []Field{
	{"Deployment", "spec.template.spec.containers[].name", onlyNames},
	{"Deployment", "spec.template.spec.containers[].image", program},
	{"Deployment", "spec.template.spec.containers[].imagePullPolicy", program},
	{"Deployment", "spec.template.spec.containers[].env[].name", executed},
	{"Deployment", "spec.template.spec.containers[].env[].value", executed},
	{"Deployment", "spec.template.spec.containers[].ports[].name", onlyNames},
	{"Deployment", "spec.template.spec.containers[].ports[].containerPort", checkedOnly},
	{"Deployment", "spec.template.spec.containers[].ports[].protocol", oneProtocol},
	{"Deployment", "spec.template.spec.containers[].readinessProbe", health},
	{"Deployment", "spec.template.spec.containers[].livenessProbe", health},
	{"Deployment", "spec.template.spec.containers[].startupProbe", health},
	{"Deployment", "spec.template.spec.containers[].resources", "it says how much of a node a pod may use, and the prediction is for pods that have enough"},
	{"Deployment", "spec.template.spec.containers[].securityContext", placement},
	{"Deployment", "spec.template.spec.containers[].volumeMounts", program},
	{"Deployment", "spec.template.spec.containers[].terminationMessagePath", program},
	{"Deployment", "spec.template.spec.containers[].terminationMessagePolicy", program},
	{"Deployment", "spec.template.spec.securityContext", placement},
	{"Deployment", "spec.template.spec.serviceAccountName", placement},
	{"Deployment", "spec.template.spec.automountServiceAccountToken", placement},
	{"Deployment", "spec.template.spec.imagePullSecrets", program},
	{"Deployment", "spec.template.spec.terminationGracePeriodSeconds", rollout},
	{"Deployment", "spec.template.spec.nodeSelector", placement},
	{"Deployment", "spec.template.spec.tolerations", placement},
	{"Deployment", "spec.template.spec.affinity", placement},
	{"Deployment", "spec.template.spec.topologySpreadConstraints", placement},
	{"Deployment", "spec.template.spec.priorityClassName", placement},
	{"Deployment", "spec.template.spec.enableServiceLinks", program},
	{"Deployment", "spec.template.spec.volumes", program},
	{"Deployment", "spec.template.spec.dnsPolicy", "no other value than ClusterFirst is accepted"},
	{"Deployment", "spec.template.spec.restartPolicy", health},
	{"Deployment", "spec.template.spec.schedulerName", placement},
	{"Deployment", "spec.template.spec.serviceAccount", placement},
	{"Deployment", "spec.strategy", rollout},
	{"Deployment", "spec.minReadySeconds", rollout},
	{"Deployment", "spec.revisionHistoryLimit", rollout},
	{"Deployment", "spec.progressDeadlineSeconds", rollout},
}
