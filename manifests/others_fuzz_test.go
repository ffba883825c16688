package manifests

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzLoadOthers checks that LoadOthers returns either Others or Problems and never panics, that it loses no object, and that every
// object of Istio is one that Parse reads the same.
func FuzzLoadOthers(f *testing.F) {
	for _, seed := range []string{
		object("v1", "ConfigMap", "a") + virtualServiceYAML("a", "x"), serviceYAML, podsYAML, splitYAML("a", "", "v1") + "---\n" + subsetsYAML("v1"),
		"apiVersion: v1\nkind: List\nitems:\n" + item(serviceYAML) + item(podsYAML), `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"a": "b"}}}`,
		"apiVersion: v1\nkind: VirtualService\n---\nkind: Secret\napiVersion: v1\nkind: Secret", "a: &a [*a]", bomb(9), "{{ x }}", "\xff\xfe", "--- a\n...\n",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 1.5, template: []}", "apiVersion: v1\nkind: Namespace\nmetadata: []",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := LoadOthers([]string{"-"}, bytes.NewReader(data))
		if err != nil {
			var problems Problems
			if !errors.As(err, &problems) || len(problems) == 0 || o != nil {
				t.Fatalf("error %v with %v, want Problems alone", err, o)
			}
			return
		}
		for i := range o.Objects {
			object := &o.Objects[i]
			if object.Meta.Name == "" || (object.Istio == nil) == (object.Kubernetes == nil) {
				t.Fatalf("%+v: want a name and one of Istio and Kubernetes", object)
			}
			if object.Istio == nil {
				continue
			}
			if again, err := Parse("f.yaml", object.YAML); err != nil || len(again) != 1 || again[0].Name() != object.Name() {
				t.Fatalf("%s is read as %v by Parse, with %v", object.Name(), again, err)
			}
		}
		if _, err := Read(o.Objects); err != nil {
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("error %v of Read, want Problems", err)
			}
		}
		o.Together(stdinFile)
	})
}
