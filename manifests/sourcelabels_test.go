package manifests

import (
	"strings"
	"testing"
)

// Nobody knows whether the pods of a gateway have labels that its selector does not name.
func TestSourceLabelsOfGateways(t *testing.T) {
	const text = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["m.example"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: m}
spec:
  hosts: [m.example]
  gateways: [door]
  http: [{match: [{sourceLabels: {LABELS}GATEWAYS}], directResponse: {status: 200}}]
`
	for _, test := range []struct{ labels, gateways, problem string }{
		{"istio: ingressgateway", "", ""},
		{"istio: other, app: a", "", ""},
		{"app: a", ", gateways: [door]", ""},
		{"app: a", "", "door.yaml:12: VirtualService m: spec.http[0].match[0].sourceLabels: asks for app=a of the pods of Gateway default/door, whose selector does not name that label"},
	} {
		objects, err := Parse("door.yaml", []byte(strings.NewReplacer("LABELS", test.labels, "GATEWAYS", test.gateways).Replace(text)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = Read(objects); (err == nil) != (test.problem == "") || err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s%s: got %v, want %q", test.labels, test.gateways, err, test.problem)
		}
	}
}
