package v1

// Link leads from a report to a page on which another program shows the time of the run.
type Link struct {
	// Title is the text of the link: "Grafana: hellochaos, a run".
	Title string `json:"title"`
	URL   string `json:"url"`
}
