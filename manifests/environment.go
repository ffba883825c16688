package manifests

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/hellochaos/hellochaos/service/calls"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Environment variables that name the calls of a service.
const (
	upstreamURI      = "UPSTREAM_URI"
	upstreamExternal = "UPSTREAM_EXTERNAL"
	callsVariable    = "CALLS"
	forwardHeaders   = "FORWARD_HEADERS"
)

const (
	// defaultPort is where the service listens when the environment variable PORT is not set.
	defaultPort = 3000
	// onlyHTTP describes the URLs that the embedded mesh can call.
	onlyHTTP = "an http URL without dot segments, such as http://backend/: the mesh's proxies see no other calls"
)

// variables is the environment of a Deployment's container while it is checked.
type variables struct {
	document *document
	values   map[string]string
	last     map[string]int // the last index of each name; where a name stands twice, the last one counts
	chain    bool           // whether the role is chain, whose services call others
}

// problem records a problem of a variable, in the field of its value.
func (v *variables) problem(name, format string, args ...any) {
	field := container + ".env"
	if i, ok := v.last[name]; ok {
		field = fmt.Sprintf("%s[%d].value", field, i)
	}
	v.document.problem(field, format, args...)
}

// mustBe records a problem of a variable unless it is right. text completes the sentence "it must be".
func (v *variables) mustBe(name string, right bool, text string) {
	if !right {
		v.problem(name, "%s is %q: it must be %s", name, v.values[name], text)
	}
}

// checkEnvironment refuses variables that the demo service would refuse, and URLs that the embedded mesh cannot call.
func (d *document) checkEnvironment(environ []corev1.EnvVar) {
	v := variables{document: d, values: environment(environ), last: make(map[string]int)}
	for i, variable := range environ {
		v.last[variable.Name] = i
	}
	role := v.values["ROLE"]
	v.chain = role == "" || role == "chain"
	v.mustBe("ROLE", slices.Contains([]string{"", "chain", "clock", "script", "relay"}, role), "chain, clock, script or relay")
	name := v.values["SERVICE_NAME"]
	dash := strings.LastIndexByte(name, '-')
	v.mustBe("SERVICE_NAME", role == "clock" || dash > 0 && dash < len(name)-1 || name != "" && v.values["SERVICE_VERSION"] != "", "a service and its version, such as middleware-canary")
	v.checkUpstream(role)
	v.checkCalls()
	if v.chain {
		v.checkChain()
	} else {
		for _, name := range []string{callsVariable, forwardHeaders, "FAIL_PROBABILITY", "HANG_PROBABILITY", "WORK_DURATION"} {
			v.mustBe(name, v.values[name] == "", "empty unless ROLE is chain")
		}
	}
	v.checkDuration("HANG_DURATION", 1, `a duration above 0, such as "3s"`)
	v.mustBe("PORT", listensAt(v.values) > 0, "a port from 1 to 65535")
	v.mustBe(tlsPort, v.values[tlsPort] == "" || portNumber(v.values[tlsPort]) > 0, "a port from 1 to 65535")
}

// checkUpstream checks the variables that name one call.
func (v *variables) checkUpstream(role string) {
	upstream, several := v.values[upstreamURI], v.values[callsVariable] != ""
	switch {
	case v.chain && several:
		v.mustBe(upstreamURI, upstream == "", "empty when "+callsVariable+" is set, which names all calls")
	case v.chain:
		v.mustBe(upstreamURI, callable(upstream), onlyHTTP+"; a service without calls has "+callsVariable+" [] instead")
	case role == "relay":
		v.mustBe(upstreamURI, upstream == "" || callable(upstream), onlyHTTP)
	}
	external := v.values[upstreamExternal]
	v.mustBe(upstreamExternal, slices.Contains([]string{"", "true", "false"}, external), "true or false")
	v.mustBe(upstreamExternal, !v.chain || !several || external != "true", "empty when "+callsVariable+` is set, where each call outside the mesh has "external": true`)
}

// checkCalls checks the calls of a service with role chain.
func (v *variables) checkCalls() {
	text := v.values[callsVariable]
	if text == "" || !v.chain {
		return
	}
	steps, problems := calls.Read(text)
	if problems == nil {
		problems = calls.Check(steps)
	}
	for _, problem := range problems {
		v.problem(callsVariable, "%s%s", callsVariable, problem)
	}
	for i, step := range steps {
		for j := range step {
			if address := step[j].URL; calls.Callable(address) && !callable(address) {
				v.problem(callsVariable, "%s[%d][%d].url is %q: it must be %s", callsVariable, i, j, address, onlyHTTP)
			}
		}
	}
}

// checkChain checks the other variables that only a service with role chain obeys.
func (v *variables) checkChain() {
	for _, problem := range calls.CheckHeaders(calls.Headers(v.values[forwardHeaders])) {
		v.problem(forwardHeaders, "%s %s", forwardHeaders, problem)
	}
	for _, name := range []string{"FAIL_PROBABILITY", "HANG_PROBABILITY"} {
		_, ok := trail.Probability(v.values[name])
		v.mustBe(name, v.values[name] == "" || ok, "a decimal number in [0,1]")
	}
	v.checkDuration("WORK_DURATION", 0, `a duration of at least 0, such as "5ms"`)
}

func (v *variables) checkDuration(name string, least time.Duration, text string) {
	d, err := time.ParseDuration(v.values[name])
	v.mustBe(name, v.values[name] == "" || err == nil && d >= least, text)
}

// callable reports whether the embedded mesh can call a URL.
func callable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" {
		return false
	}
	if u.Port() != "" && portNumber(u.Port()) == 0 {
		return false
	}
	return NormalPath(u.RequestURI()) == u.RequestURI()
}

// environment is a container's variables by name. Where a name stands twice, the last one counts.
func environment(variables []corev1.EnvVar) map[string]string {
	values := make(map[string]string, len(variables))
	for _, v := range variables {
		values[v.Name] = v.Value
	}
	return values
}

// callsBy is the variable by which a service with this environment calls others; empty when it calls nobody.
func callsBy(values map[string]string) string {
	if values[upstreamURI] != "" {
		return upstreamURI
	}
	if steps, _ := calls.Read(values[callsVariable]); len(steps) > 0 {
		return callsVariable
	}
	return ""
}

// tlsPort is the variable with the port at which the pods of a host outside speak TLS. Only a hidden Service may lead to it, from port 443: the
// proxies of the embedded mesh know by that number that TLS is spoken there.
const tlsPort = "TLS_PORT"

// tlsFiles is the variable with the folder of their certificate. Pods that have it are those of a cluster.
const tlsFiles = "TLS_FILES"

// listensAt is the port at which a service with this environment listens; 0 when PORT is not a port.
func listensAt(values map[string]string) int {
	if values["PORT"] == "" {
		return defaultPort
	}
	return portNumber(values["PORT"])
}

// portNumber reads a port from 1 to 65535; 0 when text is not a port.
func portNumber(text string) int {
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return int(number)
}
