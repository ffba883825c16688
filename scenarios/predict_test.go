package scenarios

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target"
)

func forecastOf(t *testing.T, stage string, entry target.Entry, fail, hang float64, cascade string) *forecast {
	t.Helper()
	f, err := forecastWith(t, stage, "", entry, question{fail: fail, hang: hang, cascade: cascade, timeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// forecastWith lays a YAML over the objects of a stage.
func forecastWith(t *testing.T, stage, yaml string, entry target.Entry, q question) (*forecast, error) {
	t.Helper()
	objects, err := manifests.Through(stage, nil)
	if err != nil {
		t.Fatal(err)
	}
	if yaml != "" {
		over, err := manifests.Parse("over.yaml", []byte(yaml))
		if err != nil {
			t.Fatal(err)
		}
		objects = manifests.Overlay(objects, over)
	}
	rules, err := manifests.Read(objects)
	if err != nil {
		t.Fatal(err)
	}
	hops, err := discover(rules, entry, nil)
	if err != nil {
		t.Fatal(err)
	}
	return predict(hops, q)
}

// The probabilities are those of the closed formulas for independent tries, for both cascade modes, by the policies of the stages.
func TestPredictAgreesWithTheFormulas(t *testing.T) {
	stages := []struct {
		stage string
		entry target.Entry
	}{{"egress", target.Direct}, {"retry", target.Direct}, {"ingress", target.Gateway}}
	type want struct{ edge, any float64 }
	for _, c := range []struct {
		fail      float64
		stage     int
		absorb    want
		propagate float64
		triesA    [3]float64
		triesB    [3]float64
	}{
		{0.1, 0, want{.1000, .2710}, .2710, [3]float64{1, .900, .810}, [3]float64{1, .900, .810}},
		{0.1, 1, want{.1000, .1002}, .1001, [3]float64{1, 1.000, 1.000}, [3]float64{1, 1.000, 1.000}},
		{0.1, 2, want{.0001, .0003}, .0001, [3]float64{1.111, 1.111, 1.111}, [3]float64{1.111, 1.111, 1.111}},
		{0.3, 0, want{.3000, .6570}, .6570, [3]float64{1, .700, .490}, [3]float64{1, .700, .490}},
		{0.3, 1, want{.3000, .3113}, .3061, [3]float64{1, .992, .984}, [3]float64{1, .999, .991}},
		{0.3, 2, want{.0081, .0241}, .0088, [3]float64{1.417, 1.406, 1.394}, [3]float64{1.428, 1.428, 1.416}},
		{0.5, 0, want{.5000, .8750}, .8750, [3]float64{1, .500, .250}, [3]float64{1, .500, .250}},
		{0.5, 1, want{.5000, .5605}, .5398, [3]float64{1, .938, .879}, [3]float64{1, .982, .920}},
		{0.5, 2, want{.0625, .1760}, .0849, [3]float64{1.875, 1.758, 1.648}, [3]float64{1.989, 1.952, 1.830}},
	} {
		at := stages[c.stage]
		t.Run(fmt.Sprintf("%s/%v", at.stage, c.fail), func(t *testing.T) {
			a := forecastOf(t, at.stage, at.entry, c.fail, 0, "absorb")
			b := forecastOf(t, at.stage, at.entry, c.fail, 0, "propagate")
			near(t, "edge failure, absorb", a.edgeFailure, c.absorb.edge)
			near(t, "any failure, absorb", a.cascading, c.absorb.any)
			near(t, "edge failure, propagate", b.edgeFailure, c.propagate)
			near(t, "any failure, propagate", b.cascading, c.propagate)
			for i := range 3 {
				near(t, "tries of "+a.hops[i].name+", absorb", a.tries[i], c.triesA[i])
				near(t, "tries of "+b.hops[i].name+", propagate", b.tries[i], c.triesB[i])
			}
		})
	}
}

// near compares with a table that was rounded to the last digit it shows.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > 0.00051 {
		t.Errorf("%s: got %.5f, want %.4f", what, got, want)
	}
}

func TestPredictCalls(t *testing.T) {
	f := forecastOf(t, "retry", target.Direct, 0.5, 0, "absorb")
	near(t, "middleware per call", f.failure(1), 0.0625)
	near(t, "backend per call", f.failure(2), 0.0625)
	near(t, "clock status 200", f.status[3][200]/f.shown[3], 1)
	f = forecastOf(t, "", target.Direct, 0.5, 0, "absorb")
	near(t, "clock status 502 before egress", f.status[3][502]/f.shown[3], 1)
	f = forecastOf(t, "", target.Direct, 0.5, 0, "propagate")
	near(t, "edge failure when egress is blocked and failures propagate", f.edgeFailure, 1)
	near(t, "any own hop failed", f.cascading, 1)
}

// A hung try of the backend is cut together with its caller's try, whose 2 s began earlier: so it is middleware that is
// tried again, and a try of middleware succeeds only when neither hangs.
func TestPredictHungTries(t *testing.T) {
	f := forecastOf(t, "retry", target.Direct, 0, 0.2, "absorb")
	near(t, "a try of middleware is sent again", f.again(1), 0.36)
	near(t, "middleware per call", f.failure(1), math.Pow(0.36, 4))
	near(t, "backend per call, as delivered", f.failure(2), 0)
	near(t, "edge", f.edgeFailure, 0)
	near(t, "tries of middleware", f.tries[1], (1-math.Pow(0.36, 4))/0.64)
	near(t, "tries of backend", f.tries[2], 0.8*(1-math.Pow(0.36, 4))/0.64)
	before := forecastOf(t, "prod", target.Direct, 0, 0.2, "absorb")
	near(t, "edge without a timeout", before.edgeFailure, 0)
	near(t, "middleware without a timeout", before.failure(1), 0)
}

// middlewareRule is a VirtualService for middleware with one route and more of the user's.
func middlewareRule(more string) string {
	return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: middleware}
spec:
  hosts: [middleware]
  http:
    - route: [{destination: {host: middleware, subset: prod}}]
` + more
}

func TestPredictOtherRules(t *testing.T) {
	absorb := question{fail: 0.5, cascade: "absorb", timeout: 30 * time.Second}
	hung := question{hang: 0.2, cascade: "absorb", timeout: 30 * time.Second}
	for _, c := range []struct {
		name, yaml string
		q          question
		failure    float64 // of calls to middleware
		tries      float64 // of middleware per request
	}{
		{"one retry of 500 alone", middlewareRule(`      retries: {attempts: 1, retryOn: "500"}`), absorb, 0.25, 0.5 * 1.5},
		{"no retryOn", middlewareRule("      retries: {attempts: 3}"), absorb, 0.5, 0.5},
		{"aborted before any try", middlewareRule("      retries: {attempts: 3, retryOn: 5xx}\n      fault: {abort: {httpStatus: 503, percentage: {value: 40}}}"),
			absorb, 0.4 + 0.6*0.0625, 0.5 * 0.6 * 1.875},
		{"an undefined subset", strings.Replace(middlewareRule(""), "subset: prod", "subset: none", 1), absorb, 1, 0},
		{"half to an undefined subset", strings.Replace(middlewareRule(""), "[{destination: {host: middleware, subset: prod}}]",
			"[{destination: {host: middleware, subset: prod}, weight: 1}, {destination: {host: middleware, subset: none}, weight: 1}]", 1), absorb, 0.75, 0.25},
		{"a route timeout ends hung calls", middlewareRule("      timeout: 1s"), hung, 1 - 0.8*0.8, 1},
		{"a per-try timeout that is not retried", middlewareRule(`      retries: {attempts: 3, perTryTimeout: 1s, retryOn: "500"}`), hung, 1 - 0.8*0.8, 1},
		{"a delay of all calls", middlewareRule("      fault: {delay: {fixedDelay: 1s, percentage: {value: 100}}}"), absorb, 0.5, 0.5},
	} {
		f, err := forecastWith(t, "prod", c.yaml, target.Direct, c.q)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		near(t, c.name+": failure", f.failure(1), c.failure)
		near(t, c.name+": tries", f.tries[1], c.tries)
	}
}

// The edge waits only so long: a hung frontend then is an edge failure.
func TestPredictEdgeTimeout(t *testing.T) {
	f, err := forecastWith(t, "prod", "", target.Direct, question{hang: 0.2, cascade: "absorb", timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "edge", f.edgeFailure, 1-0.8*0.8*0.8)
}

// A limit that back-offs or hung tries just reach is not guessed at.
func TestPredictRefusesCloseLimits(t *testing.T) {
	for name, yaml := range map[string]string{
		"route timeout within the back-offs": middlewareRule("      retries: {attempts: 3, retryOn: 5xx}\n      timeout: 100ms"),
		"per-try timeout at the hung time":   middlewareRule("      retries: {attempts: 3, perTryTimeout: 3s, retryOn: 5xx}"),
	} {
		if f, err := forecastWith(t, "prod", yaml, target.Direct, question{fail: 0.5, hang: 0.2, cascade: "absorb", timeout: time.Minute}); err == nil {
			t.Errorf("%s: predicted %.4f, want an error", name, f.failure(1))
		}
	}
	many := middlewareRule("      retries: {attempts: 90, retryOn: 5xx}")
	began := time.Now()
	_, err := forecastWith(t, "ingress", many, target.Gateway, question{fail: 0.5, hang: 0.5, cascade: "propagate", timeout: time.Minute})
	_ = err // bounded, whether it is predicted or refused
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("a large enumeration took %v", took)
	}
}

// Without pods there is nobody to answer: the proxy's 503, and no division by none.
// What a forecast of a line of services knows nothing of is refused, by the Deployment that asks for it.
func TestDiscoverReadsCalls(t *testing.T) {
	const upstream = `{name: UPSTREAM_URI, value: "http://backend/"}`
	for _, test := range []struct{ name, old, new, want string }{
		{"one call", upstream, `{name: CALLS, value: '[[{"url":"http://backend/"}]]'}`, "frontend middleware backend clock"},
		{"none", upstream, `{name: CALLS, value: "[]"}`, "frontend middleware"},
		{"side by side", upstream, `{name: CALLS, value: '[[{"url":"http://backend/"},{"url":"http://backend/a"}]]'}`,
			"Deployment middleware-prod makes 2 calls for each try (CALLS): the stages predict a line of services, in which each one calls one other at most; leave one call in CALLS"},
		{"in turn", upstream, `{name: CALLS, value: '[[{"url":"http://backend/"}],[{"url":"http://backend/"}],[{"url":"http://backend/"}]]'}`,
			"Deployment middleware-prod makes 3 calls for each try"},
		{"its own failures", upstream, upstream + "\n            - {name: FAIL_PROBABILITY, value: '0.5'}",
			`Deployment middleware-prod has FAIL_PROBABILITY "0.5": the stages predict services that all fail and hang with the probabilities of the run (--fail, --hang); leave the variable out`},
		{"a circle", upstream, `{name: CALLS, value: '[[{"url":"http://middleware/"}]]'}`, "call one another over more than 6 hops"},
	} {
		t.Run(test.name, func(t *testing.T) {
			objects, err := manifests.Through("prod", nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range objects {
				if objects[i].Name() == "Deployment middleware-prod" {
					text := strings.Replace(string(objects[i].YAML), test.old, test.new, 1)
					other, err := manifests.Parse("other.yaml", []byte(text))
					if err != nil || text == string(objects[i].YAML) {
						t.Fatal(err, text)
					}
					objects[i] = other[0]
				}
			}
			rules, err := manifests.Read(objects)
			if err != nil {
				t.Fatal(err)
			}
			hops, err := discover(rules, target.Direct, nil)
			var names []string
			for _, h := range hops {
				names = append(names, h.name)
			}
			if got := strings.Join(names, " "); err == nil && got != test.want || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s, %v; want %s", got, err, test.want)
			}
		})
	}
}

// A call with a method of its own is routed by it.
func TestDiscoverRoutesByMethod(t *testing.T) {
	objects, err := manifests.Through("prod", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range objects {
		if objects[i].Name() == "Deployment middleware-prod" {
			other, err := manifests.Parse("other.yaml", []byte(strings.Replace(string(objects[i].YAML), `{name: UPSTREAM_URI, value: "http://backend/"}`,
				`{name: CALLS, value: '[[{"url":"http://backend/","method":"POST"}]]'}`, 1)))
			if err != nil {
				t.Fatal(err)
			}
			objects[i] = other[0]
		}
	}
	over, err := manifests.Parse("over.yaml", []byte("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: posts}\n"+
		"spec:\n  hosts: [backend]\n  http:\n    - {match: [{method: {exact: POST}}], directResponse: {status: 418}}\n    - {route: [{destination: {host: backend}}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := manifests.Read(manifests.Overlay(objects, over))
	if err != nil {
		t.Fatal(err)
	}
	hops, err := discover(rules, target.Direct, nil)
	if err != nil || len(hops) != 3 || len(hops[2].arms) != 1 || hops[2].arms[0].status != 418 {
		t.Errorf("%+v, %v; want a backend that the proxy answers 418 for", hops, err)
	}
}

func TestPredictWithoutPods(t *testing.T) {
	objects, err := manifests.Through("prod", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range objects {
		if objects[i].Name() == "Deployment middleware-prod" {
			none, err := manifests.Parse("none.yaml", []byte(strings.Replace(string(objects[i].YAML), "replicas: 1", "replicas: 0", 1)))
			if err != nil {
				t.Fatal(err)
			}
			objects[i] = none[0]
		}
	}
	rules, err := manifests.Read(objects)
	if err != nil {
		t.Fatal(err)
	}
	hops, err := discover(rules, target.Direct, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := predict(hops, question{cascade: "absorb", timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "middleware", f.failure(1), 1)
}
