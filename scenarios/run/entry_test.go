package run

import (
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
)

// doors are two Gateways of the same pods, whose hosts differ, and rules for the service one: at both of them, for the sidecars, and for
// orders that are sent by POST.
const doors = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: back}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [admin.example.com]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: doors}
spec:
  hosts: [shop.example.com, admin.example.com]
  gateways: [front, back]
  http:
  - match: [{uri: {prefix: /admin}, authority: {exact: admin.example.com}}]
    route: [{destination: {host: two}}]
  - {route: [{destination: {host: one}}], retries: {attempts: 1, retryOn: 5xx}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: one}
spec:
  hosts: [one]
  http:
  - match: [{method: {exact: POST}, uri: {prefix: /orders}}]
    route: [{destination: {host: two}}]
  - {route: [{destination: {host: one}}], retries: {attempts: 2, retryOn: 5xx}}
`

// entering is a run whose requests enter in every way.
func entering(t *testing.T) *Run {
	t.Helper()
	services := deployed("one", "v1", "[]", "") + served("one") + deployed("two", "v1", "[]", "") + served("two") + deployed("web", "v1", "[]", "") + served("web")
	objects := manifests.Overlay(parsed(t, "services.yaml", services), parsed(t, "doors.yaml", doors))
	web := manifests.Entry{Caller: "default/web"}
	o := hasty(0.3, 5)
	o.Exclude = 0.3
	r, err := Plan("doors", []scenarios.Phase{{Name: "doors", Title: "doors", Objects: objects, Cohorts: []scenarios.Cohort{
		{Name: "straight", Entry: manifests.Entry{Service: "one"}},
		{Name: "shopper", Entry: manifests.Entry{Gateway: "default/front"}, Host: "shop.example.com"},
		{Name: "admin", Entry: manifests.Entry{Gateway: "default/back"}, Host: "admin.example.com", Path: "/admin/users?all=1"},
		{Name: "admin of the other door", Entry: manifests.Entry{Gateway: "default/front"}, Host: "admin.example.com", Path: "/"},
		{Name: "order", Entry: web, Host: "one", Method: "POST", Path: "/orders/7"},
		{Name: "list", Entry: web, Host: "one", Path: "/orders/7"},
	}}}, o, pace)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Requests enter straight at a service, at each of two Gateways, and as those of a caller in the mesh, with methods, hosts and paths of
// their own; each meets the rule that is for it, also where the Gateway that has its host is another one of the same pods.
func TestEveryEntry(t *testing.T) {
	report := onMesh(t, entering(t), "")
	if outrun(t, report) {
		return
	}
	if report.Verdict != reports.Pass {
		t.Fatalf("%s: %s", report.Verdict, failures(report))
	}
	p := report.Phases[0]
	if p.Entry != "caller, direct, gateway" || p.Way != "loopback" {
		t.Errorf("entered by %q, %q", p.Entry, p.Way)
	}
	var got []string
	for _, c := range p.Calls {
		name := "none"
		if c.Rule != nil {
			name = strings.TrimPrefix(c.Rule.Name, "VirtualService ")
		}
		got = append(got, c.From+" to "+c.To+" by "+name+" of "+strings.Join(c.Cohorts, "+"))
	}
	want := []string{"edge to one by none of straight", "edge to one by doors, http[1] of shopper", "edge to one by doors, http[1] of admin of the other door", "edge to two by doors, http[0] of admin",
		"edge to two by one, http[0] of order", "edge to one by one, http[1] of list"}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, text := range p.Words {
		if strings.Contains(text, "the gateway") {
			t.Errorf("%q: not all requests enter at a gateway", text)
		}
	}
}

// A mesh that deviates is found at each entry that has a rule to deviate from.
func TestEveryEntryShowsABreak(t *testing.T) {
	for deviation, cohorts := range map[string][]string{"no-retries": {"shopper", "list"}, "gateway-bypassed": {"admin"}} {
		r := entering(t)
		r.phases[0].onlySo(300)
		report := onMesh(t, r, deviation)
		found := map[string]bool{}
		for _, m := range report.Phases[0].Mismatches {
			for _, cohort := range m.Cohorts {
				found[cohort] = true
			}
		}
		for _, cohort := range cohorts {
			if !found[cohort] {
				t.Errorf("--break %s: no mismatch of cohort %q: %s", deviation, cohort, failures(report))
			}
		}
	}
}
