package service

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/service/calls"
	"github.com/hellochaos/hellochaos/service/trail"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestFromEnvironment(t *testing.T) {
	for _, test := range []struct {
		name        string
		environment map[string]string
		want        Config
		port        int
	}{
		{"a hop", map[string]string{"SERVICE_NAME": "middleware-canary", "UPSTREAM_URI": "http://backend/"},
			Config{Service: "middleware", Version: "canary", Upstream: "http://backend/", Hang: trail.DefaultHang, Role: Chain}, 3000},
		{"all", map[string]string{"SERVICE_NAME": "back-end-prod", "UPSTREAM_URI": "https://time.jsontest.com/x?y",
			"UPSTREAM_EXTERNAL": "true", "HANG_DURATION": "250ms", "ROLE": "chain", "PORT": "0"},
			Config{Service: "back-end", Version: "prod", Upstream: "https://time.jsontest.com/x?y", External: true,
				Hang: 250 * time.Millisecond, Role: Chain}, 0},
		{"the clock", map[string]string{"ROLE": "clock", "PORT": "65535", "UPSTREAM_EXTERNAL": "false"},
			Config{Service: "clock", Hang: 3 * time.Second, Role: Clock}, 65535},
		{"a relay", map[string]string{"ROLE": "relay", "SERVICE_NAME": "caller-v1"},
			Config{Service: "caller", Version: "v1", Hang: 3 * time.Second, Role: Relay}, 3000},
		{"several calls", map[string]string{"SERVICE_NAME": "page-v1", "FORWARD_HEADERS": "end-user, x-tier", "FAIL_PROBABILITY": "0.25", "HANG_PROBABILITY": "0",
			"WORK_DURATION": "5ms", "CALLS": `[[{"url":"http://details/"},{"url":"http://reviews/a?b=c","method":"POST","body":"x"}],[{"url":"http://audit/","external":true}]]`},
			Config{Service: "page", Version: "v1", Hang: trail.DefaultHang, Work: 5 * time.Millisecond, Role: Chain, Forward: []string{"end-user", "x-tier"},
				FailProbability: pointer(0.25), HangProbability: pointer(0.), Calls: [][]calls.Call{
					{{URL: "http://details/"}, {URL: "http://reviews/a?b=c", Method: "POST", Body: "x"}}, {{URL: "http://audit/", External: true}}}}, 3000},
		{"no call", map[string]string{"SERVICE_NAME": "ratings-v1", "CALLS": "[]"},
			Config{Service: "ratings", Version: "v1", Hang: trail.DefaultHang, Role: Chain, Calls: [][]calls.Call{}}, 3000},
		{"a version with a dash", map[string]string{"SERVICE_NAME": "my-ratings", "SERVICE_VERSION": "v2-mysql", "CALLS": "[]"},
			Config{Service: "my-ratings", Version: "v2-mysql", Hang: trail.DefaultHang, Role: Chain, Calls: [][]calls.Call{}}, 3000},
		{"a script", map[string]string{"ROLE": "script", "SERVICE_NAME": "two-a"},
			Config{Service: "two", Version: "a", Hang: 3 * time.Second, Role: Script}, 3000},
	} {
		got, port, err := FromEnvironment(environment(test.environment))
		if err != nil || !reflect.DeepEqual(got, test.want) || port != test.port {
			t.Errorf("%s: FromEnvironment = %+v, %d, %v, want %+v, %d", test.name, got, port, err, test.want, test.port)
		}
		if _, err := New(got); err != nil {
			t.Errorf("%s: New of what FromEnvironment read: %v", test.name, err)
		}
	}
}

func pointer[T any](value T) *T { return &value }

func TestFromEnvironmentNamesAllProblems(t *testing.T) {
	for _, test := range []struct {
		environment map[string]string
		want        []string
	}{
		{map[string]string{}, []string{
			`the service is "" and its version "" (SERVICE_NAME): both must be set, such as middleware-canary`,
			`upstream (UPSTREAM_URI) is "": it must be an absolute http or https URL, such as http://backend/, or else CALLS must be set, to [] for a service that calls nothing`}},
		{map[string]string{"SERVICE_NAME": "middleware", "UPSTREAM_URI": "backend/", "PORT": "65536", "HANG_DURATION": "3",
			"UPSTREAM_EXTERNAL": "True"}, []string{
			`UPSTREAM_EXTERNAL is "True": it must be true or false`,
			`HANG_DURATION is "3": it must be a duration above 0, such as "3s"`,
			`PORT is "65536": it must be a whole number in [0, 65535]`,
			`the service is "middleware" and its version "" (SERVICE_NAME): both must be set, such as middleware-canary`,
			`upstream (UPSTREAM_URI) is "backend/": it must be an absolute http or https URL, such as http://backend/, or else CALLS must be set, to [] for a service that calls nothing`}},
		{map[string]string{"SERVICE_NAME": "a-b", "ROLE": "Chain", "HANG_DURATION": "0s", "PORT": "-1"}, []string{
			`HANG_DURATION is "0s": it must be a duration above 0, such as "3s"`,
			`PORT is "-1": it must be a whole number in [0, 65535]`,
			`role (ROLE) is "Chain": it must be chain, clock, script or relay`}},
		{map[string]string{"SERVICE_NAME": "a-b", "UPSTREAM_URI": "ftp://x/"}, []string{
			`upstream (UPSTREAM_URI) is "ftp://x/": it must be an absolute http or https URL, such as http://backend/, or else CALLS must be set, to [] for a service that calls nothing`}},
		{map[string]string{"SERVICE_NAME": "a-b", "ROLE": "relay", "UPSTREAM_URI": "one"}, []string{
			`upstream (UPSTREAM_URI) is "one": it must be an absolute http or https URL, such as http://backend/`}},
		{map[string]string{"SERVICE_NAME": "a-b", "UPSTREAM_URI": "http://:80/"}, []string{
			`upstream (UPSTREAM_URI) is "http://:80/": it must be an absolute http or https URL, such as http://backend/, or else CALLS must be set, to [] for a service that calls nothing`}},
		{map[string]string{"SERVICE_NAME": "a-b", "CALLS": `[[{"url":"backend"},{"url":"http://b/","method":"STEAL"}],[]]`, "UPSTREAM_URI": "http://c/",
			"FORWARD_HEADERS": "x-tier, a:b,Host", "FAIL_PROBABILITY": "1.5", "HANG_PROBABILITY": "often", "WORK_DURATION": "-1ms"}, []string{
			`FAIL_PROBABILITY is "1.5": it must be a decimal number in [0,1]`,
			`HANG_PROBABILITY is "often": it must be a decimal number in [0,1]`,
			`WORK_DURATION is "-1ms": it must be a duration of at least 0, such as "5ms"`,
			`upstream (UPSTREAM_URI) is "http://c/", and calls (CALLS) are set, too: only one of the two may be set`,
			`CALLS[0][0].url is "backend": it must be an absolute http or https URL, such as http://backend/`,
			`CALLS[0][1].method is "STEAL": it must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS`,
			`CALLS[1] has no call: each step must have at least one`,
			`FORWARD_HEADERS has "a:b", which is not the name of a header: write names of headers, joined by commas`,
			`FORWARD_HEADERS has "Host", which a service cannot pass on to its calls; it passes on none of host, content-length, accept, accept-encoding, expect, connection, ` +
				`keep-alive, proxy-connection, te, trailer, transfer-encoding, upgrade, x-hellochaos-tries, x-envoy-attempt-count, x-envoy-expected-rq-timeout-ms`}},
		{map[string]string{"SERVICE_NAME": "a-b", "CALLS": `[[{"uri":"http://b/"}, 7], [{"url":"http://b/"}]]`, "PORT": "x"}, []string{
			`CALLS[0][0] has a member "uri": only url, method, body and external are accepted`,
			`CALLS[0][1] is a JSON number: it must be a call such as {"url": "http://backend/"}`,
			`PORT is "x": it must be a whole number in [0, 65535]`}},
		{map[string]string{"SERVICE_NAME": "a-b", "CALLS": `[[{"url":"http://b/"}]]`, "UPSTREAM_EXTERNAL": "true"}, []string{
			`UPSTREAM_EXTERNAL is true, but calls (CALLS) are set: set "external": true in each call to a service outside the chain instead`}},
		{map[string]string{"ROLE": "clock", "CALLS": `[]`, "FORWARD_HEADERS": "x", "FAIL_PROBABILITY": "0", "HANG_PROBABILITY": "0", "WORK_DURATION": "1s"}, []string{
			`CALLS is set, but the role (ROLE) is clock: only the role chain obeys it`,
			`FORWARD_HEADERS is set, but the role (ROLE) is clock: only the role chain obeys it`,
			`FAIL_PROBABILITY is set, but the role (ROLE) is clock: only the role chain obeys it`,
			`HANG_PROBABILITY is set, but the role (ROLE) is clock: only the role chain obeys it`,
			`WORK_DURATION is set, but the role (ROLE) is clock: only the role chain obeys it`}},
	} {
		_, _, err := FromEnvironment(environment(test.environment))
		if want := strings.Join(test.want, "\n"); err == nil || err.Error() != want {
			t.Errorf("FromEnvironment(%v):\n got %v\nwant %s", test.environment, err, want)
		}
	}
}

func TestNewNamesAllProblems(t *testing.T) {
	_, err := New(Config{Service: "a", Hang: -1, Role: "cook"})
	want := "hang duration (HANG_DURATION) is -1ns: it must be more than 0\n" +
		`role (ROLE) is "cook": it must be chain, clock, script or relay` + "\n" +
		`the service is "a" and its version "" (SERVICE_NAME): both must be set, such as middleware-canary`
	if err == nil || err.Error() != want {
		t.Errorf("New = %v, want %s", err, want)
	}
}

// Values that no environment can have can still be in a Config that a program makes.
func TestNewChecksWhatAProgramGives(t *testing.T) {
	_, err := New(Config{Service: "a", Version: "b", Calls: [][]calls.Call{{{URL: "http://c/", Body: strings.Repeat("x", calls.MaxBody+1)}}},
		FailProbability: pointer(math.NaN()), HangProbability: pointer(-0.5)})
	want := "CALLS[0][0].body has 65537 bytes: at most 65536 are accepted\nFAIL_PROBABILITY is NaN: it must be a number in [0,1]\nHANG_PROBABILITY is -0.5: it must be a number in [0,1]"
	if err == nil || err.Error() != want {
		t.Errorf("New = %v, want %s", err, want)
	}
}

func TestNewFillsInWhatIsAbsent(t *testing.T) {
	s, err := New(Config{Service: "a", Version: "b", Upstream: "http://c/"})
	if err != nil || s.config.Hang != trail.DefaultHang || s.config.Role != Chain {
		t.Errorf("New = %+v, %v, want role chain and a hang of %v", s, err, trail.DefaultHang)
	}
}

// FuzzFromEnvironment reads any environment: New accepts what FromEnvironment accepts, and a wrong environment is an error.
func FuzzFromEnvironment(f *testing.F) {
	f.Add("middleware-canary", "chain", "http://backend/", "false", "3s", "3000")
	f.Add("clock", "clock", "", "", "", "")
	f.Add("-", "relay", "http://[::1%25eth0]:80/?a=b", "true", "-1h", "65536")
	f.Add("a-b", "script", "http://a:b@c/%zz", "yes", "1e9h", "0x10")
	f.Fuzz(func(t *testing.T, name, role, upstream, external, hang, port string) {
		config, number, err := FromEnvironment(environment(map[string]string{"SERVICE_NAME": name, "ROLE": role, "UPSTREAM_URI": upstream,
			"UPSTREAM_EXTERNAL": external, "HANG_DURATION": hang, "PORT": port}))
		if err != nil {
			return
		}
		if number < 0 || number > 65535 || config.Hang <= 0 {
			t.Errorf("port %d and hang %v were accepted", number, config.Hang)
		}
		s, err := New(config)
		if err != nil {
			t.Fatalf("New refuses what FromEnvironment accepted: %v", err)
		}
		s.Close()
	})
}
