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

// State is the result of one of Doctor's checks.
type State string

const (
	// OK means that a run can rely on what was checked.
	OK State = "ok"
	// Warn means that a run can be made, but that its figures may be changed, or that the check could not be made.
	Warn State = "warn"
	// Fail means that a run would not work, or would prove nothing.
	Fail State = "fail"
)

// Finding is one row of what Doctor found.
type Finding struct {
	// Name says what was checked, for example "permissions".
	Name string
	// State is the result of the check.
	State State
	// Meaning says what Doctor saw, and what follows for a run.
	Meaning string
	// Type is a command that the user can type to repair it, or to see more; it may be empty.
	Type string
}

const (
	// doctorTime limits the time of all that Doctor reads.
	doctorTime = 4500 * time.Millisecond
	// clientMinor is the minor version of Kubernetes that this program's client library was made for.
	clientMinor = 37
	// oldestMinor is the minor version of the oldest Kubernetes 1.x that a run supports. Strict validation of fields is stable
	// since 1.27; without it, the API server drops a misspelt field in silence. 1.29 is the first version that runs sidecars
	// both as ordinary containers and as init containers.
	oldestMinor = 29
)

// rows are Doctor's checks after that of the API server, in the order of its findings. Each check relies on those before it.
// Checks with istio set can only be made where Istio is installed.
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
	{"gateway api", true, (*view).gatewayAPI},
	{"mesh config", true, (*view).meshConfig},
	{"hosts", true, (*view).hosts},
	{"envoy filters", true, (*view).envoyFilters},
	{"mutual TLS", true, (*view).mutualTLS},
	{"authorization", true, (*view).authorization},
	{"gitops", false, (*view).gitOps},
	{"egress", false, (*view).egress},
}

// Doctor checks whether runs of these objects can be made in this cluster, and what would change their figures. It returns the
// findings in a fixed order, within 5 s, and changes nothing in the cluster. A check that could not be made is never OK. When
// the API server does not answer, there is only one finding.
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

// unseen is the finding of a check that could not be made.
func (v *view) unseen(err error) Finding {
	command := ""
	if apierrors.IsForbidden(err) {
		command = v.grant()
	}
	return warn(command, "could not be checked: %s", oneLine(err))
}

// grant is the command that grants the permissions that a run needs.
func (v *view) grant() string {
	command := "hellochaos manifests rbac -n " + v.cluster.namespace + " | kubectl apply -f -"
	if v.cluster.options.Workers > 0 {
		command += "; hellochaos manifests rbac-workers -n " + v.cluster.namespace + " | kubectl apply -f -"
	}
	return command
}

// oneLine is an error's text in one line; errors that were joined are separated by semicolons.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// apiServer asks the API server for its version and measures how long the answer takes.
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

// kubernetes compares the server's version with the versions that this program supports.
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
