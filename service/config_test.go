package service

import (
	"reflect"
	"strings"
	"testing"
	"time"

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
		{"a script", map[string]string{"ROLE": "script", "SERVICE_NAME": "two-a"},
			Config{Service: "two", Version: "a", Hang: 3 * time.Second, Role: Script}, 3000},
	} {
		got, port, err := FromEnvironment(environment(test.environment))
		if err != nil || !reflect.DeepEqual(got, test.want) || port != test.port {
			t.Errorf("%s: FromEnvironment = %+v, %d, %v, want %+v, %d", test.name, got, port, err, test.want, test.port)
		}
	}
}

func TestFromEnvironmentNamesAllProblems(t *testing.T) {
	for _, test := range []struct {
		environment map[string]string
		want        []string
	}{
		{map[string]string{}, []string{
			`service is "" and version "" (SERVICE_NAME): want both, such as middleware-canary`,
			`upstream (UPSTREAM_URI) is "": want an absolute http or https URL, such as http://backend/`}},
		{map[string]string{"SERVICE_NAME": "middleware", "UPSTREAM_URI": "backend/", "PORT": "65536", "HANG_DURATION": "3",
			"UPSTREAM_EXTERNAL": "True"}, []string{
			`UPSTREAM_EXTERNAL is "True": want true or false`,
			`HANG_DURATION is "3": want a duration above 0, such as "3s"`,
			`PORT is "65536": want a whole number in [0, 65535]`,
			`service is "middleware" and version "" (SERVICE_NAME): want both, such as middleware-canary`,
			`upstream (UPSTREAM_URI) is "backend/": want an absolute http or https URL, such as http://backend/`}},
		{map[string]string{"SERVICE_NAME": "a-b", "ROLE": "Chain", "HANG_DURATION": "0s", "PORT": "-1"}, []string{
			`HANG_DURATION is "0s": want a duration above 0, such as "3s"`,
			`PORT is "-1": want a whole number in [0, 65535]`,
			`role (ROLE) is "Chain": want chain, clock, script or relay`}},
		{map[string]string{"SERVICE_NAME": "a-b", "UPSTREAM_URI": "ftp://x/"}, []string{
			`upstream (UPSTREAM_URI) is "ftp://x/": want an absolute http or https URL, such as http://backend/`}},
		{map[string]string{"SERVICE_NAME": "a-b", "ROLE": "relay", "UPSTREAM_URI": "one"}, []string{
			`upstream (UPSTREAM_URI) is "one": want an absolute http or https URL, such as http://backend/`}},
		{map[string]string{"SERVICE_NAME": "a-b", "UPSTREAM_URI": "http://:80/"}, []string{
			`upstream (UPSTREAM_URI) is "http://:80/": want an absolute http or https URL, such as http://backend/`}},
	} {
		_, _, err := FromEnvironment(environment(test.environment))
		if want := strings.Join(test.want, "\n"); err == nil || err.Error() != want {
			t.Errorf("FromEnvironment(%v):\n got %v\nwant %s", test.environment, err, want)
		}
	}
}

func TestNewNamesAllProblems(t *testing.T) {
	_, err := New(Config{Service: "a", Hang: -1, Role: "cook"})
	want := "hang duration (HANG_DURATION) is -1ns: want more than 0\n" +
		`role (ROLE) is "cook": want chain, clock, script or relay` + "\n" +
		`service is "a" and version "" (SERVICE_NAME): want both, such as middleware-canary`
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
