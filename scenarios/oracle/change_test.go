package oracle_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
)

// marking are two sets of rules for the graph of rewriting. By the new ones, the proxy of frontend gives calls to a the header by which the
// proxy of a sends its calls to b to version v2.
func marking(t *testing.T) (first *oracle.Call) {
	t.Helper()
	read := func(objects []manifests.Object) *manifests.Rules {
		rules, err := manifests.Read(objects)
		if err != nil {
			t.Fatal(err)
		}
		return rules
	}
	before, after := rewriting(t, ""), rewriting(t, "      headers: {request: {set: {x-dev-user: super-secret}}}\n")
	change, err := oracle.NewChange(read(before), read(after))
	if err != nil {
		t.Fatal(err)
	}
	first, err = change.Enter(manifests.Entry{Service: "frontend"}, manifests.Request{Path: "/", Header: http.Header{}})
	if err != nil {
		t.Fatal(err)
	}
	return first
}

// through is the trail of a request whose call to b was answered by a version, if any, and whose call to a was answered with a status of a's
// proxy where that is not 0.
func through(version string, status int) *trail.Call {
	b := trail.Call{URL: "http://b/", Status: 200, Elapsed: 4 * time.Millisecond, Hop: &trail.Hop{Service: "b", Version: version, Status: 200, Attempt: 1, Elapsed: time.Millisecond}}
	a := trail.Call{URL: "http://a/old/x?y=1", Status: 200, Elapsed: 8 * time.Millisecond,
		Hop: &trail.Hop{Service: "a", Version: "v1", Status: 200, Attempt: 1, Path: "/old/x?y=1", Elapsed: 6 * time.Millisecond, Calls: []trail.Call{b}}}
	if status != 0 {
		a = trail.Call{URL: a.URL, Status: status, Elapsed: time.Millisecond}
	}
	return &trail.Call{Status: 200, Elapsed: 10 * time.Millisecond, Hop: &trail.Hop{Service: "frontend", Version: "v1", Status: 200, Elapsed: 9 * time.Millisecond, Calls: []trail.Call{a}}}
}

func TestEachCallMeetsOldRulesOrNewOnes(t *testing.T) {
	first := marking(t)
	request := &oracle.Request{Name: "1/x/0", Pins: trail.PinNothing}
	told := func(o *trail.Call) (all []oracle.Told, text string) {
		var judge oracle.Judge
		judge.Changing(request, first, o, func(t *oracle.Told) { all = append(all, *t) })
		for _, one := range all {
			text += one.Caller + map[[2]bool]string{{true, true}: " both", {true, false}: " old", {false, true}: " new", {false, false}: " neither"}[[2]bool{one.Old, one.New}] + ", "
		}
		return all, strings.TrimSuffix(text, ", ")
	}
	// Whether frontend's proxy set the header shows only by the version that answers a's call: each call by itself is right either way.
	for _, version := range []string{"v1", "v2"} {
		if _, got := told(through(version, 0)); got != "edge both, frontend both, a both" {
			t.Errorf("answered by %s: %s", version, got)
		}
	}
	all, got := told(through("v1", 503))
	if got != "edge both, frontend neither" || all[1].Mismatch == nil || !strings.Contains(all[1].Mismatch.Met, "503") || all[1].Host != "a" {
		t.Errorf("a lost call: %s, %+v", got, all)
	}
	if all, _ := told(through("v3", 0)); all[2].Old || all[2].New || all[2].Mismatch.Expected != "b-v1 answers, or b-v2 answers" {
		t.Errorf("a version that no rule leads to: %+v, %+v", all[2], all[2].Mismatch)
	}
	all, _ = told(through("v1", 0))
	var bounds []time.Duration
	for _, one := range all {
		bounds = append(bounds, one.From/time.Millisecond, one.To/time.Millisecond)
	}
	if want := []time.Duration{0, 1, 0, 4, 0, 9}; !slices.Equal(bounds, want) {
		t.Errorf("calls were looked up between %v ms, want %v", bounds, want)
	}
}

// A call is told with the pod of the service that made it, and with its connection, where the answer says them.
func TestCallsOfPods(t *testing.T) {
	o := through("v1", 0)
	o.Hop.Pod, o.Hop.Calls[0].Connection, o.Hop.Calls[0].Turn = "frontend-1", 3, 17
	var judge oracle.Judge
	var got []string
	judge.Changing(&oracle.Request{Name: "1/x/0", Pins: trail.PinNothing}, marking(t), o, func(t *oracle.Told) {
		got = append(got, fmt.Sprint(t.Caller, " ", t.Pod, " ", t.Connection, " ", t.Turn))
	})
	if want := []string{"edge  0 0", "frontend frontend-1 3 17", "a  0 0"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
