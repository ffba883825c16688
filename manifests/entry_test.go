package manifests

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// An http entry has what its file says, also what Rules drop.
func TestHTTPEntryIsAsItIsWritten(t *testing.T) {
	r := rulesOf(t, `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: m}
spec:
  hosts: [middleware]
  http:
    - match:
        - headers:
            X-A: {exact: b}
          method: {exact: POST}
        - withoutHeaders:
            x-c: {}
          method: {exact: POST}
      route:
        - destination: {host: middleware}
          weight: 50
        - destination: {host: backend}
      timeout: 1s
      retries:
        attempts: 2
        perTryTimeout: 2s
      fault:
        abort: {httpStatus: 503, percentage: {value: 10}}
`)
	e := r.HTTPEntries()[0]
	if got, want := fmt.Sprintf("%+v", e.Conditions), "[{Name:X-A Value:b Line:9} {Name:x-c Value: Line:12}]"; got != want {
		t.Errorf("conditions %s, want %s", got, want)
	}
	if !slices.Equal(e.Methods, []string{"POST"}) {
		t.Errorf("methods %v, want POST once", e.Methods)
	}
	if e.Timeout != time.Second || e.PerTry != 2*time.Second || e.Retry.PerTry != 0 || e.Fault.AbortStatus != 503 {
		t.Errorf("timeout %v, perTryTimeout %v, obeyed %v, fault %+v", e.Timeout, e.PerTry, e.Retry.PerTry, e.Fault)
	}
	if got := []int{e.TimeoutLine, e.RetriesLine, e.PerTryLine, e.AbortLine, e.Destinations[0].WeightLine, e.Destinations[1].WeightLine}; !slices.Equal(got, []int{18, 19, 21, 23, 16, 17}) {
		t.Errorf("lines %v", got)
	}
	if d := e.Destinations; d[0].Weight != 50 || d[0].Unweighed || d[1].Weight != 0 || !d[1].Unweighed {
		t.Errorf("destinations %+v", d)
	}
}

// The weights of a split that no file has are all there.
func TestAppliedSplitHasWeights(t *testing.T) {
	objects, err := Bundled("prod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	applied, changed := Split{Host: "middleware", From: "prod", To: "canary"}.Apply(Overlay(Application(), objects), 100)
	r, err := Read(applied)
	if err != nil || changed != 1 {
		t.Fatalf("%d changed, %v", changed, err)
	}
	for _, d := range r.HTTPEntries()[0].Destinations {
		if d.Unweighed {
			t.Errorf("destination %s, subset %s counts as written without a weight", d.Host, d.Subset)
		}
	}
}

func TestServed(t *testing.T) {
	gateway := "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*.example.com', other/b.org]}]}\n"
	service := "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec: {hosts: [a.example.com, b.org], gateways: [g], http: [{route: [{destination: {host: backend}}]}]}\n"
	r := rulesOf(t, gateway, service)
	if got := r.Gateways["default/g"].Hosts(); !slices.Equal(got, []string{"*.example.com", "other/b.org"}) {
		t.Errorf("the gateway has %v", got)
	}
	e := r.HTTPEntries()[0]
	if got := e.Served("default/g", 0); !slices.Equal(got, []string{"a.example.com"}) {
		t.Errorf("served are %v", got)
	}
	if !e.Always("default/g", 80) || e.Always(Mesh, 80) {
		t.Error("the entry must be met by every request at the gateway, and by none in the mesh")
	}
	if got := e.Served("default/none", 0); got != nil {
		t.Errorf("a gateway that does not exist serves %v", got)
	}
}
