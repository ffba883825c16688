package findings

import (
	"fmt"

	"github.com/hellochaos/hellochaos/manifests"
)

// ejections finds outlierDetection of destinations that calls go to, by which no endpoint is ever ejected, or all are, and settings of it
// that Istio ignores.
func (f *finder) ejections() {
	for i := range f.ways.Rows {
		row := &f.ways.Rows[i]
		if row.Rule == nil {
			continue
		}
		for j := range row.Rule.Split {
			to := &row.Rule.Split[j]
			if e := f.rules.Endpoints(to); to.Share > 0 && e.Ejection != nil && len(e.Workloads) > 0 {
				f.ejection(to, e)
			}
		}
	}
}

func (f *finder) ejection(to *manifests.Destination, at *manifests.Endpoints) {
	e, pods := at.Ejection, 0
	for i := range at.Workloads {
		pods += at.Workloads[i].Replicas
	}
	host := short(to.Host, manifests.Namespace)
	if to.Subset != "" {
		host += " subset " + to.Subset
	}
	if e.Ignored > 0 {
		f.addAt(ErrorsIgnored, at.Rule, at.File, at.Line, fmt.Sprintf("outlierDetection for %s has consecutiveErrors: %d, which Istio reads no more: what ejects a pod is %s", host, e.Ignored, ejecting(e)),
			"write consecutive5xxErrors or consecutiveGatewayErrors")
	}
	switch most := e.Most(pods); {
	case pods == 0 || e.Errors == 0 && e.GatewayErrors == 0 && e.Local == 0:
	case most == 0:
		f.addAt(NeverEjected, at.Rule, at.File, at.Line, fmt.Sprintf("outlierDetection for %s ejects nobody: maxEjectionPercent is %d, and one of %s is more than that. However often it fails, calls go on to it",
			host, e.Percent, counted(pods, "pod", "pods")), fmt.Sprintf("a pod can be ejected where there are at least %d of them, or with a maxEjectionPercent of at least %d", (99+e.Percent)/e.Percent, (99+pods)/pods))
	case most == pods && e.Panic == 0:
		f.addAt(AllEjected, at.Rule, at.File, at.Line, fmt.Sprintf("outlierDetection for %s may eject all of its pods at a time (%d here), since maxEjectionPercent is %d and there is no minHealthPercent: after %s at each of them, the proxy answers "+
			"503 to all of the calls for at least %v", host, pods, e.Percent, ejecting(e), e.Base), "set a maxEjectionPercent that leaves a pod, or a minHealthPercent above 0, below which calls go to ejected pods, too")
	}
}

// ejecting says what ejects a pod.
func ejecting(e *manifests.Ejection) string {
	switch {
	case e.Errors > 0 && e.GatewayErrors > 0:
		return fmt.Sprintf("%s, or %d of 502, 503 or 504,", counted(e.Errors, "answer of 5xx", "answers of 5xx in a row"), e.GatewayErrors)
	case e.Errors > 0:
		return counted(e.Errors, "answer of 5xx", "answers of 5xx in a row")
	case e.GatewayErrors > 0:
		return counted(e.GatewayErrors, "answer of 502, 503 or 504", "answers of 502, 503 or 504 in a row")
	case e.Local > 0:
		return counted(e.Local, "try without an answer", "tries without an answer in a row")
	}
	return "nothing"
}
