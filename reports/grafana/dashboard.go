package grafana

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

//go:embed dashboards/*.json
var files embed.FS

// Dashboard is one of ours.
type Dashboard struct {
	// Name is what 'hellochaos dashboard' calls it.
	Name string
	// UID and Title are what Grafana calls it; Revision grows with every change of ours, and is one of its tags.
	UID, Title string
	Revision   int
	// JSON is the dashboard itself, as Grafana's import, provisioning and API take it.
	JSON []byte
}

// ours are the dashboards, the run's own first.
var ours = []*Dashboard{read("run"), read("mesh")}

// Dashboards are all of ours.
func Dashboards() []*Dashboard { return slices.Clone(ours) }

// revisionTag comes before the revision in one of a dashboard's tags.
const revisionTag = "hellochaos-revision-"

// read reads an embedded dashboard; one that cannot be read is a mistake in this program.
func read(name string) *Dashboard {
	text, err := files.ReadFile("dashboards/" + name + ".json")
	if err != nil {
		panic(err)
	}
	var head struct {
		UID, Title string
		Tags       []string
	}
	if err := json.Unmarshal(text, &head); err != nil {
		panic(fmt.Sprintf("dashboard %s: %v", name, err))
	}
	d := &Dashboard{Name: name, UID: head.UID, Title: head.Title, JSON: text}
	d.Revision, _ = revisionOf(head.Tags)
	return d
}

// revisionOf is the revision of a dashboard of ours that has these tags; false: somebody has taken the tag away.
func revisionOf(tags []string) (int, bool) {
	for _, tag := range tags {
		if number, ok := strings.CutPrefix(tag, revisionTag); ok {
			revision, err := strconv.Atoi(number)
			return revision, err == nil
		}
	}
	return 0, false
}
