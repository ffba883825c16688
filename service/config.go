package service

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hellochaos/hellochaos/service/calls"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Role is what a service does with a request.
type Role string

const (
	// Chain is a hop of the demo chain: it calls its upstream and answers with the trail.
	Chain Role = "chain"
	// Clock stands for the external time API at the end of the chain. It obeys none of our headers.
	Clock Role = "clock"
	// Script answers each try as its request says, for the contract tests of a mesh.
	Script Role = "script"
	// Relay sends on whatever it receives, word for word, as the app of its pod would send it: to the address that the
	// request's Host has, or, where the Host is no address and has none, to 192.0.2.1 at the Host's port, since a sidecar
	// decides by Host. It is for the contract tests of a mesh, and is no hop: it counts nothing.
	Relay Role = "relay"
)

// DefaultPort is the TCP port of the tutorial's services.
const DefaultPort = 3000

// Config is what a service is told at its start.
type Config struct {
	// Service and Version name the workload: "middleware", "canary". The clock needs no name: it is "clock" then.
	Service, Version string
	// Replica is what a Chain without a Pod calls its pod where a request asks for it (trail.HeaderPod); empty: nothing.
	Replica string
	// Upstream is the absolute http or https URL of the only call that a Chain makes for each try, and External is that
	// call's: the short form of Calls for one call, and empty where there are Calls. Probes connect to its host: a Relay may
	// have one for that, since nobody answers elsewhere where the mesh lets unknown hosts pass. Other roles need none.
	Upstream string
	External bool
	// Calls are the calls that a Chain makes for each try that does not fail: the steps one after another, the calls of a
	// step side by side. Nil is what Upstream says; without a step the service calls nobody.
	Calls [][]calls.Call
	// Forward are the names of request headers that a Chain passes on to its calls of our own services, beside those that
	// it always does.
	Forward []string
	// FailProbability and HangProbability, in [0,1], are the own ones of a Chain's version: they count in place of what
	// requests ask for. Nil is what requests ask for.
	FailProbability, HangProbability *float64
	// Hang is how long a hanging try waits; 0 is trail.DefaultHang.
	Hang time.Duration
	// Work is how long a try of a Chain that does not fail works before it calls; 0 is not at all.
	Work time.Duration
	// Transport sends the calls, the probes and what a Relay sends on; nil is a client of the service's own, which gives
	// each probe and each of a Relay's requests a connection of its own. Calls are made so that an http.Transport never
	// sends one twice. Close closes its idle connections.
	Transport http.RoundTripper
	// Pod is the name of the pod in which a Chain runs, for its trails; empty outside Kubernetes.
	Pod string
	// Role is Chain when empty.
	Role Role
	// Untraced says that a Chain keeps no record of its tries: trail.SpansPath is a path as any other then.
	Untraced bool
}

// FromEnvironment reads a Config and the port to listen on (0 is any free one) from the variables SERVICE_NAME,
// SERVICE_VERSION, ROLE, UPSTREAM_URI, UPSTREAM_EXTERNAL, CALLS, FORWARD_HEADERS, FAIL_PROBABILITY, HANG_PROBABILITY, HANG_DURATION,
// WORK_DURATION and PORT, of which an empty one counts as absent. The error joins all problems, New's too.
func FromEnvironment(getenv func(name string) string) (Config, int, error) {
	v := variables{getenv: getenv}
	config := Config{Role: Role(getenv("ROLE")), Service: getenv("SERVICE_NAME"), Upstream: getenv("UPSTREAM_URI"),
		Hang: trail.DefaultHang}
	if list := getenv("FORWARD_HEADERS"); list != "" {
		config.Forward = calls.Headers(list)
	}
	config.Version = getenv("SERVICE_VERSION") // where it is set, SERVICE_NAME is the service alone
	if dash := strings.LastIndexByte(config.Service, '-'); dash >= 0 && config.Version == "" {
		config.Service, config.Version = config.Service[:dash], config.Service[dash+1:]
	}
	v.read("UPSTREAM_EXTERNAL", "true or false", func(value string) bool {
		config.External = value == "true"
		return config.External || value == "false"
	})
	if text := getenv("CALLS"); text != "" {
		config.Calls = v.calls(text)
	}
	config.FailProbability, config.HangProbability = v.probability("FAIL_PROBABILITY"), v.probability("HANG_PROBABILITY")
	v.read("HANG_DURATION", `a duration above 0, such as "3s"`, duration(&config.Hang, 1))
	v.read("WORK_DURATION", `a duration of at least 0, such as "5ms"`, duration(&config.Work, 0))
	port := DefaultPort
	v.read("PORT", "a whole number in [0, 65535]", func(value string) bool {
		number, err := strconv.ParseUint(value, 10, 16)
		port = int(number)
		return err == nil
	})
	return config, port, errors.Join(append(v.problems, config.check())...)
}

// variables reads an environment and keeps what is wrong with it.
type variables struct {
	getenv   func(name string) string
	problems []error
}

// read hands over the value of a variable, unless that is empty, and keeps what was wanted where it is not accepted.
func (v *variables) read(name, want string, accept func(value string) bool) {
	if value := v.getenv(name); value != "" && !accept(value) {
		v.problems = append(v.problems, fmt.Errorf("%s is %q: it must be %s", name, value, want))
	}
}

// duration accepts a duration of at least so much, and sets it.
func duration(set *time.Duration, least time.Duration) func(value string) bool {
	return func(value string) bool {
		d, err := time.ParseDuration(value)
		if err != nil || d < least {
			return false
		}
		*set = d
		return true
	}
}

// probability is that of a variable; nil when it has none.
func (v *variables) probability(name string) (p *float64) {
	v.read(name, "a decimal number in [0,1]", func(value string) bool {
		number, ok := trail.Probability(value)
		if ok {
			p = &number
		}
		return ok
	})
	return p
}

// calls reads the variable CALLS. Where its form is wrong there are no calls: their values are not judged then.
func (v *variables) calls(text string) [][]calls.Call {
	read, problems := calls.Read(text)
	if problems == nil {
		return read
	}
	for _, problem := range problems {
		v.problems = append(v.problems, errors.New("CALLS"+problem))
	}
	return [][]calls.Call{}
}

// problems collects what is wrong with a Config.
type problems []error

func (p *problems) add(format string, values ...any) { *p = append(*p, fmt.Errorf(format, values...)) }

// check fills in what may be absent and joins all problems of c.
func (c *Config) check() error {
	var wrong problems
	if c.Hang == 0 {
		c.Hang = trail.DefaultHang
	}
	if c.Hang < 0 {
		wrong.add("hang duration (HANG_DURATION) is %v: it must be more than 0", c.Hang)
	}
	switch c.Role {
	case "":
		c.Role = Chain
	case Chain, Clock, Script, Relay:
	default:
		wrong.add("role (ROLE) is %q: it must be %s, %s, %s or %s", c.Role, Chain, Clock, Script, Relay)
	}
	if c.Role == Clock && c.Service == "" {
		c.Service = string(Clock)
	} else if c.Role != Clock && (c.Service == "" || c.Version == "") {
		wrong.add("the service is %q and its version %q (SERVICE_NAME): both must be set, such as middleware-canary", c.Service, c.Version)
	}
	if !utf8.ValidString(c.Pod) {
		wrong.add("the pod is %q (POD_NAME): it must be UTF-8", c.Pod)
	}
	if !utf8.ValidString(c.Service) || !utf8.ValidString(c.Version) {
		wrong.add("the service is %q and its version %q (SERVICE_NAME): both must be UTF-8, since they are labels of metrics", c.Service, c.Version)
	}
	switch c.Role {
	case Chain:
		c.checkChain(&wrong)
	case Clock, Script, Relay:
		if c.Role == Relay && c.Upstream != "" && !calls.Callable(c.Upstream) {
			wrong.add("upstream (UPSTREAM_URI) is %q: it must be an absolute http or https URL, such as http://backend/", c.Upstream)
		}
		c.checkNoChain(&wrong)
	}
	return errors.Join(wrong...)
}

// Steps are the calls that a Chain with this configuration makes, whether Calls or Upstream says so.
func (c *Config) Steps() [][]calls.Call {
	if c.Calls == nil && c.Role == Chain {
		return [][]calls.Call{{{URL: c.Upstream, External: c.External}}}
	}
	return c.Calls
}

// checkChain is check for what a Chain alone has.
func (c *Config) checkChain(wrong *problems) {
	switch {
	case c.Calls == nil && !calls.Callable(c.Upstream):
		wrong.add("upstream (UPSTREAM_URI) is %q: it must be an absolute http or https URL, such as http://backend/, or else CALLS must be set, to [] for a service that calls nothing", c.Upstream)
	case c.Calls == nil:
	case c.Upstream != "":
		wrong.add("upstream (UPSTREAM_URI) is %q, and calls (CALLS) are set, too: only one of the two may be set", c.Upstream)
	case c.External:
		wrong.add(`UPSTREAM_EXTERNAL is true, but calls (CALLS) are set: set "external": true in each call to a service outside the chain instead`)
	}
	for _, problem := range calls.Check(c.Calls) {
		wrong.add("CALLS%s", problem)
	}
	for _, problem := range calls.CheckHeaders(c.Forward) {
		wrong.add("FORWARD_HEADERS %s", problem)
	}
	for _, own := range []struct {
		name        string
		probability *float64
	}{{"FAIL_PROBABILITY", c.FailProbability}, {"HANG_PROBABILITY", c.HangProbability}} {
		if p := own.probability; p != nil && !(*p >= 0 && *p <= 1) {
			wrong.add("%s is %v: it must be a number in [0,1]", own.name, *p)
		}
	}
	if c.Work < 0 {
		wrong.add("work (WORK_DURATION) is %v: it must be 0 or more", c.Work)
	}
}

// checkNoChain is check for what no other role than Chain obeys.
func (c *Config) checkNoChain(wrong *problems) {
	for _, only := range []struct {
		name  string
		there bool
	}{{"CALLS", c.Calls != nil}, {"FORWARD_HEADERS", len(c.Forward) > 0}, {"FAIL_PROBABILITY", c.FailProbability != nil},
		{"HANG_PROBABILITY", c.HangProbability != nil}, {"WORK_DURATION", c.Work != 0}} {
		if only.there {
			wrong.add("%s is set, but the role (ROLE) is %s: only the role %s obeys it", only.name, c.Role, Chain)
		}
	}
}
