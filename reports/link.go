package reports

// Link leads from a report to what another program shows of the same run, at the same time.
type Link struct {
	// Title is what is shown: "Grafana: hellochaos, a run".
	Title string `json:"title"`
	URL   string `json:"url"`
}
