package cluster

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// policy is the content of an object with one retry policy.
func policy(attempts int, more ...string) content {
	c := content{"spec": map[string]any{"hosts": []any{"middleware"}, "http": []any{
		map[string]any{"retries": map[string]any{"attempts": int64(attempts), "retryOn": "5xx"}}}}}
	if len(more) > 0 {
		annotations := map[string]any{}
		for i := 0; i < len(more); i += 2 {
			annotations[more[i]] = more[i+1]
		}
		c["annotations"] = annotations
	}
	return c
}

func TestPutBack(t *testing.T) {
	var absent content
	for _, c := range []struct {
		name              string
		before, ours, now content
		want              content
		conflicts         string // joined by ";", empty: none
	}{
		{"as we left it", policy(1), policy(3), policy(3), policy(1), ""},
		{"already as before", policy(1), policy(3), policy(1), policy(1), ""},
		{"we made it", absent, policy(3), policy(3), absent, ""},
		{"we made it, and it is away", absent, policy(3), absent, absent, ""},
		{"we took it away", policy(1), absent, absent, policy(1), ""},
		{"another edited what we edited", policy(1), policy(3), policy(2), policy(2),
			"spec.http[0].retries.attempts was 1 before the run, 3 as the run left it, and is 2 now"},
		{"another edited what we made", absent, policy(3), policy(2), policy(2),
			"spec.http[0].retries.attempts was absent before the run, 3 as the run left it, and is 2 now"},
		{"another removed what we made of theirs", policy(1), policy(3), absent, absent, "the whole object was "},
		{"another made what we took away", policy(1), absent, policy(2), policy(2), "the whole object was "},
		{"another annotated it", policy(1), policy(3), policy(3, "their", "note"), policy(1, "their", "note"), ""},
		{"another annotated it, and we too", policy(1, "a", "1"), policy(3, "a", "2"), policy(3, "a", "2", "their", "note"), policy(1, "a", "1", "their", "note"), ""},
		{"another changed our annotation", policy(1, "a", "1"), policy(1, "a", "2"), policy(1, "a", "3"), policy(1, "a", "3"),
			"annotations.a was 1 before the run, 2 as the run left it, and is 3 now"},
		{"another changed what we left alone", policy(1, "a", "1"), policy(3, "a", "1"), policy(3, "a", "3"), policy(1, "a", "3"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, conflicts := putBack(c.before, c.ours, c.now)
			var text []string
			for _, d := range conflicts {
				text = append(text, d.String())
			}
			if all := strings.Join(text, ";"); !strings.HasPrefix(all, c.conflicts) || (all == "") != (c.conflicts == "") {
				t.Errorf("conflicts %q, want %q", all, c.conflicts)
			}
			if len(conflicts) == 0 && !got.equal(c.want) {
				t.Errorf("put back differs (-want +got):\n%s", cmp.Diff(c.want, got))
			}
		})
	}
}

// What a controller adds to an object is nobody's edit of a policy; what touches the spec, or what we set, is.
func TestKnows(t *testing.T) {
	service := func(nodePort int64) content {
		return content{"spec": map[string]any{"ports": []any{map[string]any{"port": int64(80), "nodePort": nodePort}}}}
	}
	object := func(c content) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{}}
		c.into(u)
		return u
	}
	for _, c := range []struct {
		name      string
		record    record
		now       content
		want      bool
		foreknown bool
	}{
		{"untouched", record{before: object(policy(1)), ours: policy(3)}, policy(3), true, false},
		{"a controller's annotation", record{before: object(policy(1)), ours: policy(3)}, policy(3, "cloud/neg", "x"), true, false},
		{"our annotation changed", record{before: object(policy(1)), ours: policy(3, "a", "1")}, policy(3, "a", "2"), false, false},
		{"the spec changed", record{before: object(policy(1)), ours: policy(3)}, policy(2), false, false},
		{"gone", record{before: object(policy(1)), ours: policy(3)}, nil, false, false},
		{"a write that was begun, done", record{ours: policy(1), pending: &outcome{Content: policy(3)}}, policy(3), true, true},
		{"a write that was begun, not done", record{ours: policy(1), pending: &outcome{Content: policy(3)}}, policy(1), true, false},
		{"a removal that was begun, done", record{ours: policy(1), pending: &outcome{}}, nil, true, true},
		{"another write than the one begun", record{ours: policy(1), pending: &outcome{Content: policy(3)}}, policy(2), false, false},
		{"node port of the server's choice", record{pending: &outcome{Content: service(30001)}}, service(30002), true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.record.knows(c.now); got != c.want {
				t.Errorf("knows: %v, want %v", got, c.want)
			}
			if got := c.record.begun(c.now); got != c.foreknown {
				t.Errorf("begun: %v, want %v", got, c.foreknown)
			}
		})
	}
}

func TestOwnPart(t *testing.T) {
	object := func(c content) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{}}
		c.into(u)
		return u
	}
	rec := record{before: object(policy(1, "kept", "1"))}
	got := rec.ownPart(object(policy(3, "kept", "1", "wanted", "2", "theirs", "3")), object(policy(3, "wanted", "2")))
	if want := policy(3, "kept", "1", "wanted", "2"); !got.equal(want) {
		t.Errorf("own part differs (-want +got):\n%s", cmp.Diff(want, got))
	}
	if got := rec.ownPart(nil, nil); got != nil {
		t.Errorf("the own part of nothing is %v", got)
	}
}
