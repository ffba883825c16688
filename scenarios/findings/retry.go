package findings

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// retries finds policies that do not send again what the services fail with.
func (f *finder) retries() {
	for i := range f.entries {
		e := &f.entries[i]
		rows := f.met[placeOf(e)]
		if len(rows) == 0 || e.Retry.Default || e.Retry.Attempts == 0 {
			continue
		}
		if !e.Retry.Covers(manifests.Failure{Status: http.StatusInternalServerError}) && slices.ContainsFunc(rows, fails) {
			why := fmt.Sprintf("retryOn %q covers no 500", e.Retry.On)
			if e.Retry.DefaultOn {
				why = fmt.Sprintf("the retries have no retryOn, and Istio's default, %q, covers no 500", e.Retry.On)
			}
			f.add(NotRetried, e, e.RetriesLine, why, "a service that fails answers 500, and such a call is not sent again; add 5xx or 500 to retryOn")
		}
	}
}

// fails reports whether a service that fails on purpose may answer the calls of a row.
func fails(row *oracle.Row) bool {
	for i := range row.Destinations {
		for _, w := range row.Destinations[i].Workloads {
			if w.Ours {
				return true
			}
		}
	}
	return false
}
