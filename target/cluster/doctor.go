package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/version"
	serverversion "k8s.io/apimachinery/pkg/version"

	"github.com/hellochaos/hellochaos/manifests"
)

// State is how well something stands.
type State string

const (
	// OK: a run can rely on it.
	OK State = "ok"
	// Warn: a run can be made, but its figures may come out otherwise, or it could not be seen how the thing stands.
	Warn State = "warn"
	// Fail: a run would not work, or would prove nothing.
	Fail State = "fail"
)

// Finding is one row of what Doctor found.
type Finding struct {
	// Name is what was looked at: "permissions".
	Name string
	// State is how it stands.
	State State
	// Meaning is what was seen, and what follows from it for a run.
	Meaning string
	// Type is the command that puts it right, for the user to type; empty where there is none.
	Type string
}

const (
	// doctorTime bounds everything that Doctor reads.
	doctorTime = 4500 * time.Millisecond
	// clientMinor is the minor version of Kubernetes that this program's client library was made for.
	clientMinor = 37
	// oldestMinor is the oldest Kubernetes 1.x that a run can be made on: strict validation of fields, without which a
	// misspelt field is dropped in silence, is stable since 1.27, and 1.29 is the first that runs sidecars of both kinds.
	oldestMinor = 29
)

// rows are what Doctor looks at once the API server has answered, in the order of its findings: each stands on those
// before it. istio: there is nothing to look at where Istio is not.
var rows = []struct {
	name  string
	istio bool
	look  func(*view) Finding
}{
	{"kubernetes", false, (*view).kubernetes},
	{"permissions", false, (*view).permissions},
	{"istio", false, (*view).istio},
	{"application", false, (*view).application},
	{"injection", true, (*view).injection},
	{"sidecars", true, (*view).sidecars},
	{"webhook", true, (*view).webhook},
	{"gateway", true, (*view).gateway},
	{"mesh config", true, (*view).meshConfig},
	{"hosts", true, (*view).hosts},
	{"envoy filters", true, (*view).envoyFilters},
	{"mutual TLS", true, (*view).mutualTLS},
	{"authorization", true, (*view).authorization},
	{"gitops", false, (*view).gitOps},
	{"egress", false, (*view).egress},
}

// Doctor looks whether runs of these objects can be made here, and what would change their figures. The findings come
// in a fixed order, within 5 s, and change nothing in the cluster. What may not be looked at is never OK. When the API
// server does not answer there is one finding.
func (c *Cluster) Doctor(ctx context.Context, objects []manifests.Object) []Finding {
	ctx, cancel := context.WithTimeoutCause(ctx, doctorTime, fmt.Errorf("no answer within %v", doctorTime))
	defer cancel()
	answer, server := c.apiServer(ctx)
	server.Name = "api server"
	if server.State == Fail {
		return []Finding{server}
	}
	v := c.look(ctx, objects)
	v.version = answer
	findings := []Finding{server}
	for _, row := range rows {
		finding := warn("", "could not be checked: Istio is not installed")
		if !row.istio || c.istioVersion != "" {
			finding = row.look(v)
		}
		finding.Name = row.name
		findings = append(findings, finding)
	}
	return findings
}

// Problems are the findings that are not OK.
func Problems(findings []Finding) (wrong []Finding) {
	for _, f := range findings {
		if f.State != OK {
			wrong = append(wrong, f)
		}
	}
	return wrong
}

func good(format string, args ...any) Finding {
	return Finding{State: OK, Meaning: fmt.Sprintf(format, args...)}
}

func warn(command, format string, args ...any) Finding {
	return Finding{State: Warn, Meaning: fmt.Sprintf(format, args...), Type: command}
}

func fail(command, format string, args ...any) Finding {
	return Finding{State: Fail, Meaning: fmt.Sprintf(format, args...), Type: command}
}

// unseen is the finding about something that could not be looked at.
func (v *view) unseen(err error) Finding {
	command := ""
	if apierrors.IsForbidden(err) {
		command = v.grant()
	}
	return warn(command, "could not be checked: %s", oneLine(err))
}

// grant is the command that gives what a run needs.
func (v *view) grant() string {
	return "hellochaos manifests rbac -n " + v.cluster.namespace + " | kubectl apply -f -"
}

// oneLine is an error's text in one line, whatever was joined in it.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// apiServer asks the API server for its version and takes the time.
func (c *Cluster) apiServer(ctx context.Context) (serverversion.Info, Finding) {
	var info serverversion.Info
	begin := time.Now()
	answer, err := c.core.CoreV1().RESTClient().Get().AbsPath("/version").DoRaw(ctx)
	elapsed := time.Since(begin).Round(time.Millisecond)
	if err == nil {
		err = json.Unmarshal(answer, &info)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return info, fail("kubectl version", "%s: %v", c.server, context.Cause(ctx))
	case err != nil:
		return info, fail("kubectl version", "%s: %s", c.server, oneLine(advised(err)))
	}
	return info, good("%s (context %s) answers in %v", c.server, orNone(c.context), elapsed)
}

func orNone(name string) string {
	if name == "" {
		return "none"
	}
	return name
}

// kubernetes compares the server's version with those that this program knows.
func (v *view) kubernetes() Finding {
	server, err := version.ParseGeneric(v.version.GitVersion)
	switch {
	case err != nil:
		return warn("", "the API server reports version %q, which is not a version number: it may be too old or too new", v.version.GitVersion)
	case server.Major() == 1 && server.Minor() < oldestMinor:
		return fail("", "%s is too old: Kubernetes 1.%d or later is needed, for strict validation of fields and for sidecars of both kinds (ordinary containers and init containers)",
			v.version.GitVersion, oldestMinor)
	case server.Major() != 1 || server.Minor() > clientMinor+3:
		return warn("", "%s is more than three versions newer than this program's client library (1.%d): look for a newer hellochaos",
			v.version.GitVersion, clientMinor)
	}
	return good("%s; a run needs 1.%d or later, and this program's client library is that of 1.%d", v.version.GitVersion, oldestMinor, clientMinor)
}
