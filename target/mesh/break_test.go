package mesh

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/service"
)

func TestUnknownBreak(t *testing.T) {
	_, err := New(Options{Break: "everything"})
	if err == nil {
		t.Fatal("got no error")
	}
	for _, b := range Breaks() {
		if !strings.Contains(err.Error(), b.Name) || (b.Stage == "") != (b.OnlyCompared || b.OnlyChange || b.OnlyPolicy || b.OnlyFiles) || b.Text == "" {
			t.Errorf("break %+v is incomplete, or not listed in %q", b, err)
		}
	}
}

// TestBreakRules checks which rule a request meets by the manifests of each break's stage, with the break and without.
func TestBreakRules(t *testing.T) {
	secret := func(value string) *manifests.Request {
		return &manifests.Request{Host: "middleware", Method: "GET", Path: "/", Header: http.Header{"X-Dev-User": {value}}}
	}
	arms := func(r *manifests.Rule) string {
		var all []string
		for _, d := range r.Split {
			all = append(all, fmt.Sprintf("%s %.1f", d.Subset, d.Share))
		}
		return strings.Join(all, ", ")
	}
	covers500 := func(r *manifests.Rule) string { return fmt.Sprint(r.Retry.Covers(manifests.Failure{Status: 500})) }
	attempts := func(r *manifests.Rule) string { return fmt.Sprint(r.Retry.Attempts) }
	for _, test := range []struct {
		name        string
		request     *manifests.Request
		look        func(*manifests.Rule) string
		right, want string
	}{
		{"egress-open", &manifests.Request{Host: "nowhere.example", Path: "/"}, func(r *manifests.Rule) string { return fmt.Sprint(r.Direct != nil) }, "true", "false"},
		{"split-70-30", secret(""), arms, "prod 0.8, canary 0.2", "prod 0.7, canary 0.3"},
		{"no-retries", secret(""), attempts, "3", "0"},
		{"one-retry-less", secret(""), attempts, "3", "2"},
		{"retry-too-often", secret(""), attempts, "3", "4"},
		{"retry-not-5xx", secret(""), covers500, "true", "false"},
		{"slow-backoff", secret(""), func(r *manifests.Rule) string { return r.Retry.BackOff(2).String() }, "50ms", "200ms"},
		{"header-ignored", secret("super-secret"), arms, "canary 1.0", "prod 0.8, canary 0.2"},
		{"header-sometimes-ignored", secret("super-secret"), arms, "canary 1.0", "prod 0.8, canary 0.2"},
		{"header-case-insensitive", secret("Super-Secret"), arms, "prod 0.8, canary 0.2", "canary 1.0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := findBreak(test.name)
			if err != nil {
				t.Fatal(err)
			}
			stage := b.Stage
			if stage == "egress" {
				stage = "" // the egress is still closed before its stage
			}
			applied, err := scenarios.Through(stage, nil)
			if err != nil {
				t.Fatal(err)
			}
			applied, _ = manifests.Split{Host: "middleware", From: "prod", To: "canary"}.Apply(applied, 20)
			right, err := manifests.Read(applied)
			if err != nil {
				t.Fatal(err)
			}
			wrong, err := b.rules(right)
			if err != nil {
				t.Fatal(err)
			}
			look := func(rules *manifests.Rules) string {
				return test.look(rules.Table(manifests.Caller{Namespace: manifests.Namespace}).Route(test.request))
			}
			if got := look(wrong); got != test.want {
				t.Errorf("broken: got %s, want %s", got, test.want)
			}
			if got := look(right); got != test.right {
				t.Errorf("not broken, after: got %s, want %s", got, test.right)
			}
		})
	}
}

// TestBreakPolicies checks which retry policy is in force with each break. Where the YAML has no retries, no break may change the
// policy.
func TestBreakPolicies(t *testing.T) {
	look := func(b breakage, policy string) string {
		rules, err := manifests.Read(objects(t, serviceOne+virtualService("one", policy)))
		if err != nil {
			t.Fatal(err)
		}
		if b.rules != nil {
			if rules, err = b.rules(rules); err != nil {
				t.Fatal(err)
			}
		}
		r := rules.Table(manifests.Caller{}).Route(&manifests.Request{Host: "one", Path: "/"}).Retry
		return fmt.Sprintf("%d retries, first wait below %v, each try %v, 5xx %v", r.Attempts, r.BackOff(1), r.PerTry, r.Covers(manifests.Failure{Status: 500}))
	}
	const once = "retries: {attempts: 1, perTryTimeout: 2s, retryOn: 5xx, backoff: 10ms}"
	for name, want := range map[string]string{
		"":                "1 retries, first wait below 10ms, each try 2s, 5xx true",
		"no-retries":      "0 retries, first wait below 10ms, each try 0s, 5xx true",
		"one-retry-less":  "0 retries, first wait below 10ms, each try 0s, 5xx true",
		"retry-too-often": "2 retries, first wait below 10ms, each try 2s, 5xx true",
		"retry-not-5xx":   "1 retries, first wait below 10ms, each try 2s, 5xx false",
		"slow-backoff":    "1 retries, first wait below 40ms, each try 2s, 5xx true",
	} {
		b, err := findBreak(name)
		if err != nil {
			t.Fatal(err)
		}
		for policy, want := range map[string]string{
			once:                     want,
			"timeout: 9s":            "2 retries, first wait below 25ms, each try 0s, 5xx false",
			"retries: {attempts: 0}": "0 retries, first wait below 25ms, each try 0s, 5xx false",
		} {
			if got := look(b, policy); got != want {
				t.Errorf("break %q, %s: %s, want %s", name, policy, got, want)
			}
		}
	}
}

// TestBreakGateway sends a request that needs a retry through the gateway of the chain.
func TestBreakGateway(t *testing.T) {
	yaml := strings.ReplaceAll(serviceOne+deployment1("one"), "one", "frontend") + `
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: frontend}
spec:
  hosts: ["*"]
  gateways: [door]
  http: [{route: [{destination: {host: frontend}}], retries: {attempts: 3, retryOn: 5xx}}]
`
	for name, want := range map[string]struct{ status, attempt int }{"": {200, 2}, "gateway-bypassed": {500, 0}} {
		m := applied(t, Options{Break: name}, yaml)
		if got := m.Describe().Deviation; got != name {
			t.Errorf("deviation: got %q, want %q", got, name)
		}
		address, err := m.Address(t.Context(), manifests.Entry{Gateway: "default/door"})
		if err != nil {
			t.Fatal(err)
		}
		if direct, err := m.Address(t.Context(), manifests.Entry{Service: "frontend"}); (address == direct) != (name != "") || err != nil {
			t.Errorf("break %q: the gateway is at %s, the frontend's pod at %s, %v", name, address.URL, direct.URL, err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(service.HeaderScript, "500,200")
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		counters, err := m.Counters(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if last := counters[len(counters)-1]; response.StatusCode != want.status || last.Attempt != want.attempt || last.Pinned {
			t.Errorf("break %q: got %d at attempt %d, want %+v", name, response.StatusCode, last.Attempt, want)
		}
	}
}
