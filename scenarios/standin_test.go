package scenarios

import (
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/hellochaos/hellochaos/manifests"
)

// anybodys are files of an application that was not written for hellochaos: a Deployment with an image of its own, a Service that only a
// rule names, in another file, and one in another namespace.
var anybodys = map[string]string{
	"app.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-v1}
spec: {template: {metadata: {labels: {app: shop, version: v1}}, spec: {containers: [{name: shop, image: registry/shop:1, env: [{name: DB, value: x}]}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{name: http, port: 9080}]}
`,
	"cart.yaml": `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, namespace: goods}
spec: {hosts: [cart], http: [{route: [{destination: {host: cart}}], retries: {attempts: 2, retryOn: 5xx}}]}
`,
	"once.yaml": `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, namespace: goods}
spec: {hosts: [cart], http: [{route: [{destination: {host: cart}}]}]}
`,
}

const standing = `apiVersion: hellochaos/v1
kind: Scenario
name: anybodys
title: t
entry: {service: shop}
services:
- {name: shop, calls: ['http://cart.goods/', 'http://shop:9080/again']}
- {name: cart.goods}
phases:
- {name: first, title: t, apply: [app.yaml, cart.yaml]}
- {name: second, title: t, apply: [once.yaml]}
`

// With services, stand-ins answer in all phases in place of what the files have or name, and call what the file says.
func TestStandIns(t *testing.T) {
	texts := map[string]string{"x.yaml": standing}
	for name, text := range anybodys {
		texts[name] = text
	}
	s, phases := opened(t, filepath.Join(folder(t, texts), "x.yaml"))
	if !s.StandIns || len(phases) != 2 {
		t.Fatalf("%+v, %d phases", s, len(phases))
	}
	for _, p := range phases {
		calls, services, rules := map[string]string{}, 0, 0
		for _, o := range p.Objects {
			switch k := o.Kubernetes.(type) {
			case *appsv1.Deployment:
				for _, v := range k.Spec.Template.Spec.Containers[0].Env {
					if v.Name == "CALLS" {
						calls[o.Meta.Name] = v.Value
					}
				}
			case *corev1.Service:
				services++
			}
			if o.Istio != nil {
				rules++
			}
		}
		want := `[[{"url":"http://cart.goods/"}],[{"url":"http://shop:9080/again"}]]`
		if calls["shop-v1"] != want || calls["cart-stand-in"] != "[]" || services != 2 || rules != 1 {
			t.Errorf("phase %s: calls %v, %d Services, %d rules", p.Name, calls, services, rules)
		}
		if _, err := manifests.Read(p.Objects); err != nil {
			t.Errorf("phase %s: %v", p.Name, err)
		}
	}
	if len(phases[1].Added) != 1 {
		t.Errorf("the second phase adds %d objects, want the rule alone", len(phases[1].Added))
	}
}

// What is wrong with services is told with the place, and the nearest name.
func TestStandInsProblems(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"no such service":      {"name: cart.goods", "name: cart.gods", `x.yaml:8: Scenario anybodys: services[1].name: no file has a Service "cart.gods", and no rule names it (did you mean "cart.goods"?): there are shop, cart.goods`},
		"a call to nobody":     {"http://cart.goods/", "http://cart/", `x.yaml:7: Scenario anybodys: services[0].calls[0]: no file has a Service "cart", and no rule names it`},
		"no address":           {"http://cart.goods/", "cart.goods", `x.yaml:7: Scenario anybodys: services[0].calls[0]: must be an address such as "http://ratings:9080/", not "cart.goods"`},
		"twice":                {"name: cart.goods", "name: shop", `x.yaml:8: Scenario anybodys: services[1].name: is "shop" as services[0] is: write a service once`},
		"behind a stage":       {"title: t\nentry", "title: t\nafter: prod\nentry", `x.yaml:7: Scenario anybodys: services: is of a file without after: the bundled stages bring their services`},
		"alternatives at once": {"[app.yaml, cart.yaml]", "[app.yaml, cart.yaml, once.yaml]", `x.yaml:10: Scenario anybodys: phases[0].apply: applies alternatives, of which a mesh obeys one at a time`},
	} {
		texts := map[string]string{"x.yaml": strings.Replace(standing, c.old, c.new, 1)}
		for name, text := range anybodys {
			texts[name] = text
		}
		dir := folder(t, texts)
		_, err := OpenFile(filepath.Join(dir, "x.yaml"))
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), dir+"/", ""), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
