package reports

import "net/url"

// Link leads from a report to a page on which another program shows the time of the run.
type Link struct {
	// Title is the text of the link: "Grafana: hellochaos, a run".
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Followable reports whether a page may have the link as one that a click follows: only http and https lead to another page, where
// javascript and data would run what a file says that anybody may have written. All others are shown as text.
func (l Link) Followable() bool {
	u, err := url.Parse(l.URL)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
