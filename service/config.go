package service

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

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
	// Upstream is the absolute http or https URL of the only call that a Chain makes for each request, and External is that
	// call's; Calls says more, and then Upstream is empty. Probes connect to its host: a Relay may have one for that, since
	// nobody answers elsewhere where the mesh lets unknown hosts pass. Other roles need none.
	Upstream string
	External bool
	// Calls are the calls that a Chain makes for each try that does not fail: the steps one after another, the calls of a
	// step side by side. Nil is what Upstream says; without a step the service calls nobody.
	Calls [][]Call
	// Forward are the names of request headers that a Chain passes on to its calls of our own services, beside those that
	// it always does.
	Forward []string
	// FailProbability and HangProbability, in [0,1], are the version's own: they count in place of what requests ask for.
	// Nil is what requests ask for.
	FailProbability, HangProbability *float64
	// Hang is how long a hanging try waits; 0 is trail.DefaultHang.
	Hang time.Duration
	// Work is how long a try of a Chain that does not fail works before it calls its upstream; 0 is not at all.
	Work time.Duration
	// Transport sends the calls, the probes and what a Relay sends on; nil is a client of the service's own, which gives
	// each probe and each of a Relay's requests a connection of its own. Calls are made so that an http.Transport never
	// sends one twice. Close closes its idle connections.
	Transport http.RoundTripper
	// Role is Chain when empty.
	Role Role
}

// FromEnvironment reads a Config and the port to listen on (0 is any free one) from the variables SERVICE_NAME, ROLE,
// UPSTREAM_URI, UPSTREAM_EXTERNAL, CALLS, FORWARD_HEADERS, FAIL_PROBABILITY, HANG_PROBABILITY, HANG_DURATION,
// WORK_DURATION and PORT, of which an empty one counts as absent. The error joins all problems, New's too.
func FromEnvironment(getenv func(name string) string) (Config, int, error) {
	var problems []error
	variable := func(name, absent string, read func(value string) error) {
		value := getenv(name)
		if value == "" {
			value = absent
		}
		if err := read(value); err != nil {
			problems = append(problems, fmt.Errorf("%s is %q: %w", name, value, err))
		}
	}
	config, port := Config{Role: Role(getenv("ROLE")), Upstream: getenv("UPSTREAM_URI")}, 0
	config.Service = getenv("SERVICE_NAME")
	if dash := strings.LastIndexByte(config.Service, '-'); dash >= 0 {
		config.Service, config.Version = config.Service[:dash], config.Service[dash+1:]
	}
	variable("UPSTREAM_EXTERNAL", "false", func(value string) (err error) {
		if config.External = value == "true"; !config.External && value != "false" {
			err = errors.New("want true or false")
		}
		return err
	})
	variable("CALLS", "null", func(value string) (err error) {
		config.Calls, err = ReadCalls(value)
		return err
	})
	config.Forward = strings.FieldsFunc(getenv("FORWARD_HEADERS"), func(r rune) bool { return r == ',' || r == ' ' })
	own := func(name string) (p *float64) {
		variable(name, "none", func(value string) error {
			var number float64
			if value == "none" {
				return nil
			}
			if problem := probability(value, &number); problem != "" {
				return errors.New("want " + problem)
			}
			p = &number
			return nil
		})
		return p
	}
	config.FailProbability, config.HangProbability = own("FAIL_PROBABILITY"), own("HANG_PROBABILITY")
	variable("WORK_DURATION", "0s", func(value string) (err error) {
		if config.Work, err = time.ParseDuration(value); err != nil || config.Work < 0 {
			config.Work, err = 0, errors.New(`want a duration of at least 0, such as "5ms"`)
		}
		return err
	})
	variable("HANG_DURATION", trail.DefaultHang.String(), func(value string) (err error) {
		if config.Hang, err = time.ParseDuration(value); err != nil || config.Hang <= 0 {
			config.Hang, err = 0, errors.New(`want a duration above 0, such as "3s"`)
		}
		return err
	})
	variable("PORT", strconv.Itoa(DefaultPort), func(value string) error {
		number, err := strconv.ParseUint(value, 10, 16)
		if port = int(number); err != nil {
			return errors.New("want a whole number in [0, 65535]")
		}
		return nil
	})
	return config, port, errors.Join(append(problems, config.check())...)
}

// check fills in what may be absent and joins all problems of c.
func (c *Config) check() error {
	var problems []error
	problem := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	if c.Hang == 0 {
		c.Hang = trail.DefaultHang
	}
	if c.Hang < 0 {
		problem("hang duration (HANG_DURATION) is %v: want more than 0", c.Hang)
	}
	if c.Work < 0 {
		problem("work is %v: want 0 or more", c.Work)
	}
	switch c.Role {
	case "":
		c.Role = Chain
	case Chain, Clock, Script, Relay:
	default:
		problem("role (ROLE) is %q: want %s, %s, %s or %s", c.Role, Chain, Clock, Script, Relay)
	}
	if c.Role == Clock && c.Service == "" {
		c.Service = string(Clock)
	} else if c.Role != Clock && (c.Service == "" || c.Version == "") {
		problem("service is %q and version %q (SERVICE_NAME): want both, such as middleware-canary", c.Service, c.Version)
	}
	switch calls := c.Role == Chain || c.Role == Relay && c.Upstream != ""; {
	case c.Role == Chain && c.Calls != nil && c.Upstream != "":
		problem("upstream (UPSTREAM_URI) is %q, and there are calls (CALLS) too: want one of the two", c.Upstream)
	case calls && c.Calls == nil && !callable(c.Upstream):
		problem("upstream (UPSTREAM_URI) is %q: want an absolute http or https URL, such as http://backend/, or calls (CALLS), [] for none", c.Upstream)
	case c.Role == Chain && c.Calls == nil:
		c.Calls = [][]Call{{{URL: c.Upstream, External: c.External}}}
	}
	for _, text := range checkCalls(c.Calls) {
		problem("calls (CALLS): %s", text)
	}
	for _, name := range c.Forward {
		if !httpguts.ValidHeaderFieldName(name) {
			problem("headers to forward (FORWARD_HEADERS) have %q: want names of headers", name)
		}
	}
	return errors.Join(problems...)
}
