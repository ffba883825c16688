package oracle_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
)

// failuresOf is how many tries of a call pins make fail; call is the path of the tries above it.
func failuresOf(pins, call string) (n int) {
	for n < 10 && trail.Pinned(pins, trail.Tries(call, n+1)) == trail.PinFail {
		n++
	}
	return n
}

func TestProbesMeetWhatIsWanted(t *testing.T) {
	ways, first := enter(t, "retry", direct)
	wants := make([]oracle.Want, len(ways.Rows))
	for i := range wants {
		wants[i] = oracle.Want{Retried: 690, Each: 66}
	}
	probes, short := ways.Probes([]*oracle.Call{first}, wants, false)
	if len(short) > 0 {
		t.Errorf("rows %v are met too seldom, want none", short)
	}
	var middleware, backend [5]int // by failed tries
	for _, p := range probes {
		if problem := trail.CheckPins(p.Pins); problem != "" {
			t.Fatalf("pins %q: want %s", p.Pins, problem)
		}
		if trail.Pinned(p.Pins, "0") == trail.PinFail {
			continue // the frontend fails, so nothing below it is called
		}
		failures := failuresOf(p.Pins, "0")
		middleware[failures]++
		if failures < 4 {
			backend[failuresOf(p.Pins, trail.Tries("0", failures+1))]++
		}
	}
	for name, counts := range map[string][5]int{"middleware": middleware, "backend": backend} {
		if retried := counts[1] + counts[2] + counts[3] + counts[4]; retried < 690 {
			t.Errorf("%s: %d calls are retried, want at least 690", name, retried)
		}
		if slices.Min(counts[:]) < 66 {
			t.Errorf("%s: %v calls by failed tries, want at least 66 of each", name, counts)
		}
	}
	if len(probes) > 1000 {
		t.Errorf("%d probes, want at most 1000: each one serves both calls", len(probes))
	}
}

func TestProbesOfNothingWanted(t *testing.T) {
	ways, first := enter(t, "retry", direct)
	if probes, short := ways.Probes([]*oracle.Call{first}, make([]oracle.Want, len(ways.Rows)), false); len(probes)+len(short) > 0 {
		t.Errorf("%d probes, want none", len(probes))
	}
}

func TestPlayOnceFollowsPins(t *testing.T) {
	ways, first := enter(t, "retry", direct)
	for pins, tries := range map[string]int{"none": 4, "0=fail": 1, "0.1=fail": 5, "0.*=fail": 5, "0.1=fail,0.2=fail,0.3.*=fail": 8} {
		if got := ways.PlayOnce(&oracle.Request{Fail: 1, Pins: pins}, first).Tries; got != tries {
			t.Errorf("pins %s: %d tries, want %d: the clock's included", pins, got, tries)
		}
	}
}

// workload is a Service and a Deployment for each version, with its calls.
func workload(name string, calls ...string) (yaml string) {
	yaml = strings.ReplaceAll("apiVersion: v1\nkind: Service\nmetadata: {name: @}\nspec: {selector: {app: @}, ports: [{name: http, port: 80, targetPort: 3000}]}\n---\n", "@", name)
	for i, c := range calls {
		yaml += fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s-v%[2]d}
spec:
  selector: {matchLabels: {app: %[1]s, version: v%[2]d}}
  template:
    metadata: {labels: {app: %[1]s, version: v%[2]d}}
    spec: {containers: [{name: hello-service, image: hello-service, env: [{name: SERVICE_NAME, value: %[1]s-v%[2]d}, {name: CALLS, value: '%[3]s'}], ports: [{containerPort: 3000}]}]}
---
`, name, i+1, c)
	}
	return yaml
}

func virtualService(name, route, more string) string {
	return fmt.Sprintf("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: %[1]s}\nspec: {hosts: [%[1]s], http: [{route: %[2]s%[3]s}]}\n---\n", name, route, more)
}

const threeRetries = ", retries: {attempts: 3, retryOn: 5xx, perTryTimeout: 2s}"

// chances has a middle service of which version v1 calls the service often, and version v2 the service seldom, and whose calls are aborted one
// time in five.
func chances(t *testing.T, weight int) (*oracle.Ways, *oracle.Call) {
	t.Helper()
	to := func(name string) string { return `[[{"url":"http://` + name + `/"}]]` }
	yaml := workload("frontend", to("middle")) + workload("middle", to("often"), to("seldom")) + workload("often", "[]") + workload("seldom", "[]") +
		"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: middle}\nspec: {host: middle, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}\n---\n" +
		virtualService("middle", fmt.Sprintf("[{destination: {host: middle, subset: v1}, weight: %d}, {destination: {host: middle, subset: v2}, weight: %d}]", 1000-weight, weight),
			", fault: {abort: {httpStatus: 403, percentage: {value: 20}}}"+threeRetries) +
		virtualService("often", "[{destination: {host: often}}]", threeRetries) + virtualService("seldom", "[{destination: {host: seldom}}]", ", retries: {attempts: 1, retryOn: 5xx}")
	objects, err := manifests.Parse("chances.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	ways, first, err := compile(t, objects, direct, "frontend")
	if err != nil {
		t.Fatal(err)
	}
	return ways, first
}

// Where the mesh draws whether a call is made, so many probes are planned that chance hardly ever falls short.
func TestProbesWhereTheMeshDraws(t *testing.T) {
	ways, first := chances(t, 100)
	wants := make([]oracle.Want, len(ways.Rows))
	middle, often, seldom := rowTo(t, ways, "middle"), rowTo(t, ways, "often"), rowTo(t, ways, "seldom")
	for _, row := range []int{middle, often, seldom} {
		wants[row] = oracle.Want{Retried: 100, Each: 30}
	}
	probes, short := ways.Probes([]*oracle.Call{first}, wants, false)
	if len(short) > 0 || len(probes) < 1000 || len(probes) > 6000 {
		t.Fatalf("%d probes, short of rows %v: one call in 12.5 goes to seldom", len(probes), short)
	}
	for seed := range uint64(20) { // what chance makes of the plan
		met := meet(ways, probes, seed)
		for _, row := range []int{middle, often, seldom} {
			retries := 3
			if row == seldom {
				retries = 1
			}
			retried := 0
			for n, k := range met[row] {
				if n > 0 {
					retried += k
				}
				if n <= retries+1 && k < 30 {
					t.Errorf("seed %d: %d calls to %s have %d failed tries, want at least 30", seed, k, ways.Rows[row].Host, n)
				}
			}
			if retried < 100 {
				t.Errorf("seed %d: %d calls to %s are retried, want at least 100", seed, retried, ways.Rows[row].Host)
			}
		}
	}
}

// meet plays the probes of chances, and counts the calls of each row by their failed tries.
func meet(ways *oracle.Ways, probes []oracle.Probe, seed uint64) (met [][6]int) {
	draw := rand.New(rand.NewPCG(seed, 3))
	met = make([][6]int, len(ways.Rows))
	count := func(host, pins, call string, retries int) (answered string) {
		failures := failuresOf(pins, call)
		for row := range ways.Rows {
			if ways.Rows[row].Host == host+".default.svc.cluster.local" || ways.Rows[row].Host == host {
				met[row][min(failures, retries+1)]++
			}
		}
		if failures > retries {
			return ""
		}
		return trail.Tries(call, failures+1)
	}
	for _, p := range probes {
		if trail.Pinned(p.Pins, "0") == trail.PinFail || draw.Float64() < 0.2 {
			continue
		}
		next, retries := "often", 3
		if draw.Float64() < 0.1 {
			next, retries = "seldom", 1
		}
		if at := count("middle", p.Pins, "0", 3); at != "" {
			count(next, p.Pins, at, retries)
		}
	}
	return met
}

// Rows that are met too seldom are named, and do not make the plan for the others longer.
func TestProbesOfWhatIsHardlyMet(t *testing.T) {
	ways, first := chances(t, 1)
	wants := make([]oracle.Want, len(ways.Rows))
	seldom, often := rowTo(t, ways, "seldom"), rowTo(t, ways, "often")
	wants[often], wants[seldom] = oracle.Want{Each: 66}, oracle.Want{Retried: 690, Each: 66}
	probes, short := ways.Probes([]*oracle.Call{first}, wants, false)
	if !slices.Equal(short, []int{seldom}) || len(probes) == 0 || len(probes) > 1000 {
		t.Errorf("%d probes, short of rows %v, want only that of y: one call in 1,250 goes there", len(probes), short)
	}
	if wants[seldom].Retried != 690 {
		t.Error("the wants were changed")
	}
}

// Pins of more bytes than services accept are never planned, and each of many calls gets its turn.
func TestProbesOfManyCalls(t *testing.T) {
	var step, yaml []string
	for n := range 100 {
		name := fmt.Sprintf("service-%d", n)
		step = append(step, `{"url":"http://`+name+`/"}`)
		yaml = append(yaml, workload(name, "[]"), virtualService(name, "[{destination: {host: "+name+"}}]", ", retries: {attempts: 9, retryOn: 5xx}"))
	}
	yaml = append(yaml, workload("frontend", "[["+strings.Join(step[:50], ",")+"],["+strings.Join(step[50:], ",")+"]]"))
	objects, err := manifests.Parse("many.yaml", []byte(strings.Join(yaml, "")))
	if err != nil {
		t.Fatal(err)
	}
	ways, first, err := compile(t, objects, direct, "frontend")
	if err != nil {
		t.Fatal(err)
	}
	wants := make([]oracle.Want, len(ways.Rows))
	for row := range wants {
		wants[row] = oracle.Want{Each: 20}
	}
	probes, short := ways.Probes([]*oracle.Call{first}, wants, false)
	if len(short) > 0 || len(probes) > 2000 {
		t.Errorf("%d probes, short of rows %v", len(probes), short)
	}
	longest := 0
	for _, p := range probes {
		if problem := trail.CheckPins(p.Pins); problem != "" {
			t.Fatalf("pins of %d bytes: want %s", len(p.Pins), problem)
		}
		longest = max(longest, len(p.Pins))
	}
	if longest < trail.MaxPins/2 {
		t.Errorf("the longest pins have %d bytes: the limit was not tried", longest)
	}
}

// Calls that nobody of ours answers are met too, though no try of them can be made to fail.
func TestProbesOfTheClock(t *testing.T) {
	ways, first := enter(t, "egress", direct)
	wants := make([]oracle.Want, len(ways.Rows))
	for row := range wants {
		if ways.Rows[row].Caller == "backend" {
			wants[row].Calls = 690
		}
	}
	probes, short := ways.Probes([]*oracle.Call{first}, wants, false)
	if len(probes) != 690 || len(short) > 0 || probes[0].Pins != trail.PinNothing {
		t.Errorf("%d probes, the first with pins %q, short of %v; want 690 that fail nowhere", len(probes), probes[0].Pins, short)
	}
}

// Where failures propagate, a call of which all tries fail makes the caller's try fail, which is sent again: the answer shows it only
// below last tries.
func TestProbesWhereFailuresPropagate(t *testing.T) {
	ways, first := enter(t, "retry", direct)
	wants := make([]oracle.Want, len(ways.Rows))
	for i := range wants {
		wants[i] = oracle.Want{Retried: 300, Each: 66}
	}
	probes, short := ways.Probes([]*oracle.Call{first}, wants, true)
	var frontend [2]int
	var middleware, backend [5]int // what the answers show, by failed tries
	for _, p := range probes {
		if trail.Pinned(p.Pins, "0") == trail.PinFail {
			frontend[1]++
			continue
		}
		failed, below := 0, 0
		for ; failed < 4; failed++ {
			at := trail.Tries("0", failed+1)
			if trail.Pinned(p.Pins, at) == trail.PinFail {
				continue
			}
			if below = failuresOf(p.Pins, at); below < 4 || failed == 3 {
				backend[below]++
				break
			}
		}
		if failed == 3 && below == 4 {
			failed = 4
		}
		middleware[failed]++
		frontend[failed/4]++
	}
	for name, counts := range map[string][]int{"frontend": frontend[:], "middleware": middleware[:], "backend": backend[:]} {
		if slices.Min(counts) < 66 {
			t.Errorf("%s: answers show %v calls by failed tries, want at least 66 of each", name, counts)
		}
	}
	if len(short) > 0 || len(probes) > 1000 {
		t.Errorf("%d probes, short of rows %v", len(probes), short)
	}
}
