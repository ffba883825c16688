package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/target/cluster"
)

// What was found in a namespace becomes a folder with a scenario that runs, with the calls that were counted, and without those that close
// a circle.
func TestRehearse(t *testing.T) {
	var application string
	for _, name := range []string{"web", "cart"} {
		application += fmt.Sprintf("{apiVersion: v1, kind: Service, metadata: {name: %[1]s, namespace: shop}, spec: {selector: {app: %[1]s}, ports: [{name: http, port: 80}]}}\n---\n"+
			"{apiVersion: apps/v1, kind: Deployment, metadata: {name: %[1]s, namespace: shop}, spec: {selector: {matchLabels: {app: %[1]s}}, template: {metadata: {labels: {app: %[1]s}}, spec: {containers: [{name: a, image: b}]}}}}\n---\n", name)
	}
	found := &cluster.Imported{Application: []byte(application), Source: "istio_requests_total of Prometheus", Remarks: []string{"httproutes could not be listed"},
		Policies: []byte("{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: cart, namespace: shop}, spec: {hosts: [cart], http: [{route: [{destination: {host: cart}}]}]}}\n"),
		Calls:    []cluster.ImportedCall{{Workload: "cart", Host: "web.shop.svc.cluster.local", Count: 1}, {Workload: "web", Host: "cart.shop.svc.cluster.local", Count: 1200}}}
	folder := filepath.Join(t.TempDir(), "shop")
	cmd, stdout := importCommand(), &bytes.Buffer{}
	cmd.SetOut(stdout)
	if err := rehearse(cmd, folder, "shop", found); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, scenarioFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"name: shop\n", `calls: ["http://cart.shop.svc.cluster.local/"] # 1,200 tries to cart.shop.svc.cluster.local counted`, "# meets VirtualService cart, http[0]"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the scenario lacks %q:\n%s", want, text)
		}
	}
	for _, want := range []string{"note: httproutes could not be listed\n", "note: shop/cart calls http://web.shop.svc.cluster.local/ (1 try to web.shop.svc.cluster.local counted), and calls lead from there back to it: left out",
		"Who calls whom is known from istio_requests_total of Prometheus: 2 pairs of a caller and a host.", "to run it, type: hellochaos run "} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, stdout)
		}
	}
	if err := free(folder); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("a folder that is there: %v", err)
	}
}
