package oracle_test

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// enter is the way of the tutorial's requests at a stage.
func enter(t testing.TB, stage string, entry manifests.Entry) (*oracle.Ways, *oracle.Call) {
	t.Helper()
	objects, err := scenarios.Through(stage, nil)
	if err != nil {
		t.Fatal(err)
	}
	ways, first, err := compile(t, objects, entry, "x")
	if err != nil {
		t.Fatal(err)
	}
	return ways, first
}

// compile is the way of requests with a Host through objects.
func compile(t testing.TB, objects []manifests.Object, entry manifests.Entry, host string) (*oracle.Ways, *oracle.Call, error) {
	t.Helper()
	rules, err := manifests.Read(objects)
	if err != nil {
		t.Fatal(err)
	}
	ways, err := oracle.NewWays(rules)
	if err != nil {
		t.Fatal(err)
	}
	first, err := ways.Enter(entry, manifests.Request{Host: host, Path: "/", Header: http.Header{}})
	return ways, first, err
}

var direct = manifests.Entry{Service: "frontend"}

func TestPredictIsExactWhereItCanBe(t *testing.T) {
	const f = 0.5
	ways, first := enter(t, "retry", direct)
	p := ways.Predict(&oracle.Request{Fail: f, Timeout: 30 * time.Second}, first)
	once := math.Pow(f, 4)
	near(t, "edge", p.Edge, f, 1e-12)
	near(t, "any", p.Any, 1-(1-f)*(1-once)*(1-once), 1e-12)
	for i, want := range []oracle.RowPrediction{
		{Shown: 1, Failed: f, Tries: 1},
		{Shown: 1 - f, Failed: (1 - f) * once, Tries: (1 - f) * (1 - once) / (1 - f)},
		{Shown: (1 - f) * (1 - once), Failed: (1 - f) * (1 - once) * once, Tries: (1 - f) * (1 - once) * (1 - once) / (1 - f)},
	} {
		row := rowTo(t, ways, []string{"frontend", "middleware", "backend"}[i])
		near(t, fmt.Sprint("shown ", i), p.Rows[row].Shown, want.Shown, 1e-12)
		near(t, fmt.Sprint("failed ", i), p.Rows[row].Failed, want.Failed, 1e-12)
		near(t, fmt.Sprint("tries ", i), p.Rows[row].Tries, want.Tries, 1e-12)
	}
	if p.Error != 0 {
		t.Errorf("error %v, want none", p.Error)
	}
}

// Played and enumerated predictions of the same requests agree.
func TestPlayAgreesWithTheExactPrediction(t *testing.T) {
	for _, stage := range []string{"", "egress", "prod", "retry", "ingress", "canary"} {
		entry := direct
		if stage == "ingress" || stage == "canary" {
			entry = manifests.Entry{Gateway: "default/frontend"}
		}
		ways, first := enter(t, stage, entry)
		for _, f := range []float64{0, 0.1, 0.7} {
			exact := ways.Predict(&oracle.Request{Fail: f, Timeout: 30 * time.Second}, first)
			// A timeout that can matter in theory makes it play.
			played := ways.Predict(&oracle.Request{Fail: f, Timeout: 400 * time.Millisecond, Hang: 1e-12}, first)
			if exact.Error != 0 || played.Error == 0 {
				t.Fatalf("errors %v and %v: want none and some", exact.Error, played.Error)
			}
			near(t, stage+" edge", played.Edge, exact.Edge, 5*played.Error)
			near(t, stage+" any", played.Any, exact.Any, 5*played.Error)
			for i := range ways.Rows {
				near(t, fmt.Sprintf("%s %v row %d shown", stage, f, i), played.Rows[i].Shown, exact.Rows[i].Shown, 5*played.Error)
				near(t, fmt.Sprintf("%s %v row %d failed", stage, f, i), played.Rows[i].Failed, exact.Rows[i].Failed, 5*played.Error)
				near(t, fmt.Sprintf("%s %v row %d tries", stage, f, i), played.Rows[i].Tries, exact.Rows[i].Tries, 20*played.Error)
			}
		}
	}
}

func rowTo(t testing.TB, ways *oracle.Ways, service string) int {
	t.Helper()
	for i := range ways.Rows {
		if h := ways.Rows[i].Host; h == service || len(h) > len(service) && h[:len(service)+1] == service+"." {
			return i
		}
	}
	t.Fatalf("no row to %s", service)
	return -1
}

func near(t testing.TB, what string, got, want, by float64) {
	t.Helper()
	if math.Abs(got-want) > by {
		t.Errorf("%s = %v, want %v within %v", what, got, want, by)
	}
}
