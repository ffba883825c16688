package grafana

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// panel is what every panel must have, whatever else it has.
type panel struct {
	ID          int
	Type, Title string
	Description string
	Datasource  struct{ Type, UID string }
	GridPos     struct{ H, W, X, Y int }
	Targets     []struct {
		RefID, Expr, LegendFormat string
		Datasource                struct{ Type, UID string }
	}
}

type dashboard struct {
	ID            any
	UID, Title    string
	Tags          []string
	SchemaVersion int
	Annotations   struct {
		List []struct {
			Enable     bool
			Datasource struct{ Type, UID string }
			Target     struct {
				Type string
				Tags []string
			}
		}
	}
	Templating struct {
		List []struct{ Name, Type, Query string }
	}
	Panels []panel
}

// parse reads a dashboard; of the data source's variable, whose query is a text, as of those whose query is an object.
func parse(t *testing.T, text []byte) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal(bytes.ReplaceAll(text, []byte(`"query": {`), []byte(`"queryObject": {`)), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDashboards(t *testing.T) {
	uids := map[string]bool{}
	for _, ours := range Dashboards() {
		d := parse(t, ours.JSON)
		if d.ID != nil || d.UID == "" || len(d.UID) > 40 || uids[d.UID] || d.SchemaVersion < 39 {
			t.Errorf("%s: id %v, uid %q, schema version %d: want null, a uid of its own of at most 40 bytes, at least 39", ours.Name, d.ID, d.UID, d.SchemaVersion)
		}
		uids[d.UID] = true
		if ours.Revision < 1 || d.Tags[0] != "hellochaos" || d.Tags[1] != fmt.Sprint(revisionTag, ours.Revision) {
			t.Errorf("%s: tags %v and revision %d", ours.Name, d.Tags, ours.Revision)
		}
		if v := d.Templating.List[0]; v.Name != "datasource" || v.Type != "datasource" || v.Query != "prometheus" {
			t.Errorf("%s: the first variable is %+v, want the data source", ours.Name, v)
		}
		annotated := false
		for _, a := range d.Annotations.List {
			annotated = annotated || a.Enable && a.Datasource.UID == "-- Grafana --" && a.Target.Type == "tags" && fmt.Sprint(a.Target.Tags) == "[hellochaos]"
		}
		if !annotated {
			t.Errorf("%s: no annotations are queried by tag", ours.Name)
		}
		if asked, chosen := bytes.Count(ours.JSON, []byte(`"type": "prometheus"`)), bytes.Count(ours.JSON, []byte(`"uid": "${datasource}"`)); asked != chosen {
			t.Errorf("%s: %d queries go to a Prometheus, %d to the one that is chosen", ours.Name, asked, chosen)
		}
		checkPanels(t, ours.Name, d.Panels)
	}
	if len(uids) != 2 {
		t.Errorf("%d dashboards, want 2", len(uids))
	}
}

// checkPanels looks that no two panels share an id or a place, and that each query asks the chosen data source.
func checkPanels(t *testing.T, name string, panels []panel) {
	t.Helper()
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range panels {
		at := name + ": " + p.Title
		if ids[p.ID] {
			t.Errorf("%s: id %d twice", at, p.ID)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x > 23 {
					t.Fatalf("%s: lies at column %d, row %d, where %q is", at, x, y, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Description == "" || len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" {
			t.Errorf("%s: description %q, %d queries, data source %q", at, p.Description, len(p.Targets), p.Datasource.UID)
		}
		refs := map[string]bool{}
		for _, q := range p.Targets {
			if q.Expr == "" || q.Datasource.UID != "${datasource}" || refs[q.RefID] || strings.Count(q.Expr, "(") != strings.Count(q.Expr, ")") {
				t.Errorf("%s: query %+v", at, q)
			}
			refs[q.RefID] = true
		}
	}
}
