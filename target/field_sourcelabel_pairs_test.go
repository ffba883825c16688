package target_test

// sourceLabelPairs are those of the labels of the caller's pods. The requests are sent by the sidecar of pods with app: caller.
func sourceLabelPairs() map[string]pair {
	return map[string]pair{
		"HTTPMatchRequest.sourceLabels": matches("{sourceLabels: {app: caller}}", "{sourceLabels: {app: other}}", get("one")...),
	}
}
