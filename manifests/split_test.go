package manifests

import (
	"testing"

	"google.golang.org/protobuf/proto"
)

// toCanaryOf is the split of stage prod.
var toCanaryOf = Split{Host: "middleware", From: "prod", To: "canary"}

func TestSplit(t *testing.T) {
	// The share of each version for requests without and with the developer's header, by weight and stage.
	for _, c := range []struct {
		stage          string
		weight         int
		plain, secret  map[string]float64
		plainRetriesOn string
	}{
		{"prod", 0, map[string]float64{"prod": 1}, map[string]float64{"prod": 1}, defaultOn},
		{"prod", 20, map[string]float64{"prod": .8, "canary": .2}, map[string]float64{"prod": .8, "canary": .2}, defaultOn},
		{"prod", 100, map[string]float64{"prod": 0, "canary": 1}, map[string]float64{"prod": 0, "canary": 1}, defaultOn},
		{"canary", 20, map[string]float64{"prod": .8, "canary": .2}, map[string]float64{"canary": 1}, "5xx,connect-failure,refused-stream"},
	} {
		objects, changed := toCanaryOf.Apply(objectsThrough(t, c.stage), c.weight)
		if changed != 1 {
			t.Errorf("stage %s, weight %d: %d rules are changed, want 1", c.stage, c.weight, changed)
		}
		r, err := Read(objects)
		if err != nil {
			t.Fatal(err)
		}
		table := r.Table(Caller{Namespace: Namespace})
		for _, arm := range []struct {
			header map[string][]string
			want   map[string]float64
		}{{nil, c.plain}, {map[string][]string{"X-Dev-User": {"super-secret"}}, c.secret}} {
			rule := table.Route(&Request{Host: "middleware", Path: "/", Header: arm.header})
			got := make(map[string]float64)
			for _, d := range rule.Split {
				got[d.Subset] = d.Share
			}
			for subset, share := range arm.want {
				if got[subset] != share || len(got) != len(arm.want) {
					t.Errorf("stage %s, weight %d, header %v: shares %v, want %v", c.stage, c.weight, arm.header, got, arm.want)
				}
			}
			if arm.header == nil && rule.Retry.On != c.plainRetriesOn {
				t.Errorf("stage %s, weight %d: retryOn %q, want %q", c.stage, c.weight, rule.Retry.On, c.plainRetriesOn)
			}
		}
	}
}

func TestSplitLeavesItsInputAndOtherHosts(t *testing.T) {
	objects := parse(t, middlewareOf("{"+toProd+"}"),
		renamed(middlewareOf("{route: [{destination: {host: middleware, subset: prod}, weight: 1}, {destination: {host: middleware, subset: canary}, weight: 1}]}"), "two"),
		"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: other}\nspec: {hosts: [backend], http: [{"+toProd+"}]}\n")
	var before []proto.Message
	for i := range objects {
		before = append(before, proto.Clone(objects[i].Istio))
	}
	split, changed := toCanaryOf.Apply(objects, 20)
	if changed != 1 {
		t.Errorf("%d rules are changed, want 1", changed)
	}
	for i, want := range []bool{true, false, false} {
		if !proto.Equal(objects[i].Istio, before[i]) {
			t.Errorf("%s of the input was changed", objects[i].Name())
		}
		if got := !proto.Equal(split[i].Istio, before[i]); got != want {
			t.Errorf("%s differs in the result: %v, want %v", objects[i].Name(), got, want)
		}
	}
}
