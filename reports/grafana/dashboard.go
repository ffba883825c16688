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

// Dashboard is one of the dashboards of hellochaos.
type Dashboard struct {
	// Name is its name on the command line of 'hellochaos dashboard'.
	Name string
	// UID and Title are its id and its title in Grafana. Revision grows with every change that hellochaos makes to it, and is one of
	// its tags.
	UID, Title string
	Revision   int
	// JSON is the dashboard itself, in the form that Grafana's import, provisioning and API accept.
	JSON []byte
}

// ours are the dashboards of hellochaos. That of the run is first.
var ours = []*Dashboard{read("run"), read("mesh")}

// Dashboards returns all dashboards of hellochaos.
func Dashboards() []*Dashboard { return slices.Clone(ours) }

// revisionTag begins the tag of a dashboard that has its revision.
const revisionTag = "hellochaos-revision-"

// read reads an embedded dashboard. It panics if it cannot, which is a mistake in this program.
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

// revisionOf returns the revision of a dashboard with these tags. It returns false where no tag has it, because somebody removed the tag.
func revisionOf(tags []string) (int, bool) {
	for _, tag := range tags {
		if number, ok := strings.CutPrefix(tag, revisionTag); ok {
			revision, err := strconv.Atoi(number)
			return revision, err == nil
		}
	}
	return 0, false
}
