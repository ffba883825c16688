package manifests

import (
	"fmt"
	"strings"
	"testing"
)

// splitTo are a DestinationRule with some subsets of a host, and a VirtualService that sends its calls to one of them; "" leaves it out.
func splitTo(t *testing.T, subset string, subsets ...string) []Object {
	t.Helper()
	var yaml, list string
	for _, name := range subsets {
		list += fmt.Sprintf("{name: %s, labels: {version: %s}}, ", name, name)
	}
	if len(subsets) > 0 {
		yaml = fmt.Sprintf("apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: shop}\nspec: {host: shop, subsets: [%s]}\n---\n", list)
	}
	if subset != "" {
		yaml += fmt.Sprintf("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: shop}\nspec: {hosts: [shop], http: [{route: [{destination: {host: shop, subset: %s}}]}]}\n---\n", subset)
	}
	objects, err := Parse("split.yaml", []byte(yaml+"apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: 80}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// described is what a set of splitTo has: "v2 of v1 v2".
func described(objects []Object) string {
	route, subsets := "-", []string{}
	for i := range objects {
		if o := &objects[i]; o.Kind == "VirtualService" {
			_, route, _ = strings.Cut(string(o.YAML), "subset: ")
			route, _, _ = strings.Cut(route, "}")
		} else {
			for _, name := range []string{"v1", "v2", "v3"} {
				if subsetsOf(o)[name] {
					subsets = append(subsets, name)
				}
			}
		}
	}
	return route + " of " + strings.Join(subsets, " ")
}

func TestSubsetsAreThereBeforeTheRulesThatUseThem(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to []Object
		want     string
	}{
		{"the first objects", nil, splitTo(t, "v1", "v1"), "v1 of v1"},
		{"nothing changes", splitTo(t, "v1", "v1"), splitTo(t, "v1", "v1"), ""},
		{"both are added", splitTo(t, ""), splitTo(t, "v1", "v1", "v2"), "- of v1 v2; v1 of v1 v2"},
		{"both are removed", splitTo(t, "v1", "v1", "v2"), splitTo(t, ""), "- of v1 v2; - of "},
		{"a subset is added", splitTo(t, "v1", "v1"), splitTo(t, "v2", "v1", "v2"), "v1 of v1 v2; v2 of v1 v2"},
		{"a subset is removed", splitTo(t, "v2", "v1", "v2"), splitTo(t, "v1", "v1"), "v1 of v1 v2; v1 of v1"},
		{"a rule alone", splitTo(t, "v1", "v1", "v2"), splitTo(t, "v2", "v1", "v2"), "v2 of v1 v2"},
		// One object takes the place of the other, so that no order is right: for a while the rule's subset is not there.
		{"one subset for another", splitTo(t, "v1", "v1"), splitTo(t, "v2", "v2"), "v1 of v2; v2 of v2"},
	} {
		var got []string
		for _, step := range Steps(c.from, c.to) {
			got = append(got, described(step))
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, strings.Join(got, "; "), c.want)
		}
	}
}
