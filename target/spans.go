package target

import (
	"fmt"
	"io"
	"net/url"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Records reports whether the pods of a workload record spans. Those with role chain, the default, do.
func Records(w *manifests.Workload) bool {
	role := w.Env["ROLE"]
	return role == "" || role == "chain"
}

// SpansQuery is the query with which trail.SpansPath of a pod is asked for the spans of requests with these names.
func SpansQuery(requests []string) url.Values { return url.Values{"request": requests} }

// ReadSpans reads the answer of one pod to SpansQuery. It is an error when the answer has more than trail.MaxRecordingBytes bytes
// or is not a recording, as that of another version of hello-service.
func ReadSpans(r io.Reader) (*trail.Recording, error) {
	data, err := io.ReadAll(io.LimitReader(r, trail.MaxRecordingBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading spans: %w", err)
	}
	recording, err := trail.DecodeRecording(data)
	if err != nil {
		return nil, fmt.Errorf("reading the answer to %s: %w; is the pod's image of this version of hello-service?", trail.SpansPath, err)
	}
	return recording, nil
}
