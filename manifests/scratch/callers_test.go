package scratch_test

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/manifests/scratch"
	"github.com/hellochaos/hellochaos/scenarios/standins"
)

// labelled are rules for pods by their labels: those of a Service, and those of a job that no Service selects.
const labelled = `
apiVersion: v1
kind: Service
metadata: {name: page, namespace: shop}
spec: {selector: {app: page}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: page-v2, namespace: shop}
spec: {replicas: 2, selector: {matchLabels: {app: page}}, template: {metadata: {labels: {app: page, version: v2, service.istio.io/canonical-name: page}}, spec: {containers: [{name: a, image: x}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: job, namespace: shop}
spec: {selector: {matchLabels: {app: job}}, template: {metadata: {labels: {app: job}}, spec: {containers: [{name: a, image: x}]}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: page, namespace: shop}
spec: {hosts: [page], http: [{match: [{sourceLabels: {app: page, version: v2}}], route: [{destination: {host: page}}]}]}
`

// Requests of pods are sent by relays with their labels, which receive none of the calls that the pods answer.
func TestMoveCallers(t *testing.T) {
	set, err := moved(t, labelled, scratch.Options{Callers: []string{"shop/job/job", "shop/page/page-v2"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := manifests.Read(set.Objects); err != nil {
		t.Errorf("manifests.Read refuses the moved objects: %v", err)
	}
	job, page := set.Entry(manifests.Entry{Caller: "shop/job/job"}).Caller, set.Entry(manifests.Entry{Caller: "shop/page/page-v2"}).Caller
	if job == page || set.Entry(manifests.Entry{Caller: "shop/" + standins.Client}).Caller != "try-shop/"+standins.Client {
		t.Errorf("the callers are %q and %q, or the client of the namespace has another one", job, page)
	}
	relays := map[string][]string{job: nil, page: nil}
	for i := range set.Objects {
		o := &set.Objects[i]
		text := written(t, set.Objects[i:i+1])
		switch {
		case o.Kind == "Service" && relays[o.Meta.Namespace+"/"+o.Meta.Name] == nil && strings.Contains(text, `exportTo: "~"`):
			relays[o.Meta.Namespace+"/"+o.Meta.Name] = []string{text}
		case o.Kind == "Service" && o.Meta.Name == "page" && !strings.Contains(text, "selector:\n    app: page\n    hellochaos-answers: \"true\"\n"):
			t.Errorf("the Service selects pods that only send requests:\n%s", text)
		case o.Kind == "Deployment" && o.Meta.Name == "page-v2" && (!strings.Contains(text, "hellochaos-answers: \"true\"\n") || strings.Contains(text, "relay")):
			t.Errorf("the pods of the Service do not answer:\n%s", text)
		case o.Kind == "Deployment" && o.Meta.Name == "job" && (strings.Contains(text, "hellochaos-answers") || !strings.Contains(text, "value: relay\n")):
			t.Errorf("pods that answer nobody are not their own relay:\n%s", text)
		case o.Kind == "Deployment" && "try-shop/"+o.Meta.Name == page:
			for _, want := range []string{"app: page\n", "version: v2\n", "service.istio.io/canonical-name: page\n", "value: relay\n", "replicas: 1\n", "matchLabels:\n      hellochaos-caller: "} {
				if !strings.Contains(text, want) {
					t.Errorf("the relay of the pods lacks %q:\n%s", want, text)
				}
			}
			if strings.Contains(text, "hellochaos-answers") || strings.Contains(text, "hellochaos-stand-in") {
				t.Errorf("the relay is taken for one of the pods that answer:\n%s", text)
			}
		}
	}
	if relays[job] == nil || relays[page] == nil {
		t.Errorf("no Service leads to a relay: %q", relays)
	}
	_, err = moved(t, strings.Replace(labelled, "{app: page, version: v2}}]", "{istio.io/rev: a}}]", 1), scratch.Options{})
	if err == nil || !strings.Contains(err.Error(), "field spec.http[0].match[0].sourceLabels: asks for label istio.io/rev, by which Istio decides about sidecars") {
		t.Errorf("the error about a label that pods do not get is %v", err)
	}
}
