package target_test

// machines are Services whose pods answer for two addresses, at two ports each, and a ServiceEntry for the first of them with a rule for its
// subset a.
const machines = `
apiVersion: v1
kind: Service
metadata: {name: first, annotations: {networking.istio.io/exportTo: "~", hellochaos/answers-for: 10.0.0.1}}
spec: {selector: {app: one}, ports: [{name: http, port: 80, targetPort: 3000}, {name: http-more, port: 8080, targetPort: 3000}]}
---
apiVersion: v1
kind: Service
metadata: {name: second, annotations: {networking.istio.io/exportTo: "~", hellochaos/answers-for: 10.0.0.2}}
spec: {selector: {app: three}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: machines}
spec:
  hosts: [machines.example]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 10.0.0.1, labels: {version: a}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: machines}
spec: {host: machines.example, subsets: [{name: a, labels: {version: a}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: alias}
spec:
  hosts: [alias.example]
  http: [{route: [{destination: {host: machines.example, subset: a}}]}]
---
`

func endpointPairs() map[string]pair {
	const only = "endpoints: [{address: 10.0.0.1, labels: {version: a}}]"
	asked := get("machines.example", "alias.example")
	edit := func(old, new string) pair { return edited(machines, old, new, asked...) }
	return map[string]pair{
		"ServiceEntry.endpoints": edit("  "+only+"\n", ""),
		"ServiceEntry.addresses": edited(machines, "  resolution", "  addresses: [10.1.1.1, 10.2.0.0/16]\n  resolution", get("10.1.1.1")...),
		"Resolution.STATIC":      edited(serviceEntry, "resolution: DNS", "resolution: STATIC", get(hiddenHost)...),
		"WorkloadEntry.address":  edit("address: 10.0.0.1", "address: 10.0.0.2"),
		"WorkloadEntry.labels":   edit("labels: {version: a}}]\n---", "labels: {version: b}}]\n---"),
		"WorkloadEntry.ports":    edit("10.0.0.1, labels", "10.0.0.1, ports: {http: 81}, labels"),
	}
}
