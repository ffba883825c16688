package cluster

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// content is the part of an object that a run changes and puts back: its spec, labels and annotations, under these names.
// It is nil for an object that does not exist.
type content map[string]any

// contentOf is a deep copy of an object's content.
func contentOf(u *unstructured.Unstructured) content {
	if u == nil {
		return nil
	}
	c := content{}
	take := func(name string, path ...string) {
		value, found, err := unstructured.NestedFieldNoCopy(u.Object, path...)
		if err != nil || !found || empty(value) {
			return
		}
		c[name] = runtime.DeepCopyJSONValue(value)
	}
	take("spec", "spec")
	take("labels", "metadata", "labels")
	take("annotations", "metadata", "annotations")
	return c
}

// empty reports whether a value is absent or an empty map: an object without labels equals one with an empty map of labels.
func empty(value any) bool {
	some, ok := value.(map[string]any)
	return value == nil || ok && len(some) == 0
}

func (c content) equal(other content) bool {
	return (c == nil) == (other == nil) && reflect.DeepEqual(map[string]any(c), map[string]any(other))
}

// into writes a content into an object.
func (c content) into(u *unstructured.Unstructured) {
	set := func(value any, path ...string) {
		if empty(value) {
			unstructured.RemoveNestedField(u.Object, path...)
			return
		}
		// This cannot fail: every step of the paths below is a map in any object of the API.
		_ = unstructured.SetNestedField(u.Object, runtime.DeepCopyJSONValue(value), path...)
	}
	set(c["spec"], "spec")
	set(c["labels"], "metadata", "labels")
	set(c["annotations"], "metadata", "annotations")
}

// difference is a field whose value differs between three states of an object: before the run, as the run left it, and now. An
// absent value is nil.
type difference struct {
	Path              string
	Before, Ours, Now any
}

func (d difference) String() string {
	show := func(v any) string {
		switch v.(type) {
		case nil:
			return "absent"
		case map[string]any, []any:
			if text, err := json.Marshal(v); err == nil {
				return string(text)
			}
		}
		return fmt.Sprint(v)
	}
	if reflect.DeepEqual(d.Before, d.Ours) {
		return fmt.Sprintf("%s was %s before the run and is %s now", d.Path, show(d.Before), show(d.Now))
	}
	return fmt.Sprintf("%s was %s before the run, %s as the run left it, and is %s now", d.Path, show(d.Before), show(d.Ours), show(d.Now))
}

// putBack is the content that an object must get so that everything that the run changed is as before, and everything that
// somebody else has changed since then stays. conflicts are the fields that both changed: if there is one, nothing may be
// written.
func putBack(before, ours, now content) (merged content, conflicts []difference) {
	switch {
	case now.equal(ours), now.equal(before):
		return before, nil
	case before == nil || ours == nil || now == nil:
		return now, differences("", plain(before), plain(ours), plain(now))
	}
	value, conflicts := merge("", map[string]any(before), map[string]any(ours), map[string]any(now))
	merged, _ = value.(map[string]any)
	return merged, conflicts
}

// plain is a content as a JSON value, which is nil when the object does not exist.
func plain(c content) any {
	if c == nil {
		return nil
	}
	return map[string]any(c)
}

// merge merges three JSON values. A list counts as one value.
func merge(path string, before, ours, now any) (any, []difference) {
	switch {
	case reflect.DeepEqual(now, ours), reflect.DeepEqual(now, before):
		return before, nil
	case reflect.DeepEqual(before, ours):
		return now, nil
	}
	b, isMap := before.(map[string]any)
	o, oursToo := ours.(map[string]any)
	n, nowToo := now.(map[string]any)
	if !isMap || !oursToo || !nowToo {
		return now, differences(path, before, ours, now)
	}
	merged := map[string]any{}
	var conflicts []difference
	for _, key := range keys(b, o, n) {
		value, wrong := merge(join(path, key), b[key], o[key], n[key])
		if value != nil {
			merged[key] = value
		}
		conflicts = append(conflicts, wrong...)
	}
	return merged, conflicts
}

// differences are the innermost fields whose value now differs from the value that the run left.
func differences(path string, before, ours, now any) (all []difference) {
	if reflect.DeepEqual(now, ours) {
		return nil
	}
	o, oursMap := ours.(map[string]any)
	n, nowMap := now.(map[string]any)
	if oursMap && nowMap {
		b, _ := before.(map[string]any)
		for _, key := range keys(o, n) {
			all = append(all, differences(join(path, key), b[key], o[key], n[key])...)
		}
		return all
	}
	oursList, isList := ours.([]any)
	nowList, nowToo := now.([]any)
	if isList && nowToo && len(oursList) == len(nowList) {
		beforeList, _ := before.([]any)
		for i := range oursList {
			var b any
			if len(beforeList) == len(oursList) {
				b = beforeList[i]
			}
			all = append(all, differences(fmt.Sprintf("%s[%d]", path, i), b, oursList[i], nowList[i])...)
		}
		return all
	}
	if path == "" {
		path = "the whole object"
	}
	return []difference{{path, before, ours, now}}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// keys are the keys of all maps, sorted.
func keys(some ...map[string]any) []string {
	all := map[string]bool{}
	for _, m := range some {
		for key := range m {
			all[key] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
