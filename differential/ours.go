package differential

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/differential/envoy"
	"github.com/hellochaos/hellochaos/manifests"
)

// outcome is what manifests says that a request meets.
func outcome(rules *manifests.Rules, rule *manifests.Rule, q *manifests.Request, atGateway bool) *envoy.Outcome {
	switch {
	case rule.Direct != nil && rule.Direct.Reset:
		return &envoy.Outcome{Answer: "reset"}
	case rule.Direct != nil && rule.Direct.Flags == "NR":
		return &envoy.Outcome{Answer: "404"}
	case rule.Direct != nil:
		return answered(rule, fmt.Sprintf("direct %d %s", rule.Direct.Status, rule.Direct.Body))
	case rule.Redirect != nil:
		return answered(rule, fmt.Sprintf("redirect %d %s", rule.Redirect.Status, location(rule.Redirect, q, atGateway)))
	}
	o := &envoy.Outcome{}
	for i := range rule.Split {
		d := &rule.Split[i]
		host, path := rule.Rewritten(q, d)
		to := destination(rules.Endpoints(d))
		if to == "NC" && rule.NoDestination() == http.StatusInternalServerError {
			to += " 500"
		}
		o.To = append(o.To, envoy.Share{Share: d.Share, To: envoy.Sent(to+secure(d, host), host, path,
			d.Request.Changed(q.Header), d.Answer.Changed(envoy.SomeAnswer))})
	}
	for i := range rule.Mirrors {
		m := &rule.Mirrors[i]
		o.Mirrors = append(o.Mirrors, envoy.Share{Share: m.Share, To: destination(rules.Endpoints(&m.Destination))})
	}
	r := &rule.Retry
	o.Retry = envoy.RetryWords(r.Attempts, r.PerTry, r.Base, r.PreviousHosts, func(f *envoy.Failure) bool {
		return r.Covers(manifests.Failure{Status: f.Status, RateLimited: f.RateLimited, ConnectFailure: f.Name == "connect", Reset: f.Name == "reset",
			PerTryTimeout: f.Name == "per-try"})
	})
	if rule.Timeout > 0 {
		o.Timeout = rule.Timeout.String()
	}
	if f := rule.Fault; f != nil {
		o.Fault = envoy.FaultWords(f.Delay, f.DelayShare, f.AbortStatus, f.AbortShare)
	}
	return o
}

// location is where a redirect leads, as the embedded mesh writes it (target/mesh).
func location(to *manifests.Redirect, q *manifests.Request, atGateway bool) string {
	uri := q.Path
	switch {
	case to.Prefix != nil:
		uri = to.Prefix.Of(q)
	case to.URI != "":
		uri = to.URI
		if _, query, ok := strings.Cut(q.Path, "?"); ok && !strings.Contains(to.URI, "?") {
			uri += "?" + query
		}
	}
	scheme, forwarded := "http", strings.Join(q.Header["X-Forwarded-Proto"], ",")
	if !atGateway && strings.ToLower(forwarded) == "https" {
		scheme = "https"
	}
	if atGateway || forwarded == "" {
		forwarded = scheme
	}
	return to.Location(scheme, forwarded, q.Host, uri)
}

// answered is an answer of the proxy itself.
func answered(rule *manifests.Rule, answer string) *envoy.Outcome {
	return &envoy.Outcome{Answer: answer + " " + envoy.HeaderWords(rule.Answer.Changed(envoy.SomeAnswer))}
}

// secure is how TLS is opened to a destination, in the words of package envoy.
func secure(d *manifests.Destination, host string) string {
	t := d.TLS
	if t == nil {
		return ""
	}
	names := slices.Sorted(slices.Values(t.SubjectAltNames))
	return envoy.TLSWords(t.Asked(host), t.Mutual, t.Unverified, t.Verified(host), names)
}

// destination is where a destination leads to, in the words of package envoy.
func destination(e *manifests.Endpoints) string {
	var pods []string
	for i := range e.Workloads {
		if w := &e.Workloads[i]; w.Replicas > 0 {
			pods = append(pods, "pod "+w.Namespace+"/"+w.Name)
		}
	}
	switch {
	case !e.Known:
		return "NC"
	case len(e.External) > 0:
		var all []string
		for _, address := range e.External {
			all = append(all, "external "+address)
		}
		return envoy.Outside(all, e.Balancer)
	case len(pods) == 0:
		return "UH"
	}
	return envoy.Pods(pods, e.Balancer) + settings(e).String()
}

// settings are the limits of a destination, and when it ejects pods.
func settings(e *manifests.Endpoints) (s envoy.Settings) {
	if p := e.Pool; p != nil {
		s.Connections, s.Pending, s.Requests, s.Retries, s.PerConnection = p.Connections, p.Pending, p.Requests, p.Retries, p.RequestsPerConnection
		if b := p.Budget; b != nil {
			s.Budget = envoy.BudgetWords(b.Percent, b.Least)
		}
	}
	if j := e.Ejection; j != nil {
		s.Ejects, s.Errors, s.Gateway, s.Local = true, j.Errors, j.GatewayErrors, j.Local
		s.Interval, s.Base, s.Percent, s.Panic = j.Interval, j.Base, j.Percent, j.Panic
	}
	return s
}

// port is the port to which a client sends a request, by its Host header.
func port(host string) int {
	if _, text, err := net.SplitHostPort(host); err == nil {
		if number, err := strconv.Atoi(text); err == nil {
			return number
		}
	}
	return 80
}
