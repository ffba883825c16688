package target

import (
	"fmt"
	"io"
	"net/url"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Records reports whether the pods of a workload record spans: those of the chain's own hops do.
func Records(w *manifests.Workload) bool {
	role := w.Env["ROLE"]
	return role == "" || role == "chain"
}

// SpansQuery is what a pod is asked at trail.SpansPath about requests with these names.
func SpansQuery(requests []string) url.Values { return url.Values{"request": requests} }

// ReadSpans reads what one pod answered.
func ReadSpans(r io.Reader) (*trail.Recording, error) {
	data, err := io.ReadAll(io.LimitReader(r, trail.MaxRecordingBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading spans: %w", err)
	}
	recording, err := trail.DecodeRecording(data)
	if err != nil {
		return nil, fmt.Errorf("reading %s, is the pod's image of this version of hello-service? %w", trail.SpansPath, err)
	}
	return recording, nil
}
