package manifests

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of docs/manifests.md from the table of what is supported")

// manifestsPage is the page with the tables.
const manifestsPage = "../docs/manifests.md"

// The comments around the part of docs/manifests.md that is made from the table.
const (
	tableBegins = "<!-- The test of manifests/field_page_test.go holds this part to the table of manifests/field.go. -->\n"
	tableEnds   = "<!-- The part ends. -->\n"
)

// TestPage holds docs/manifests.md to the table of what is supported.
func TestPage(t *testing.T) {
	page, err := os.ReadFile(manifestsPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(page), tableBegins)
	got, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		t.Fatalf("the page has no part between %q and %q", tableBegins, tableEnds)
	}
	want := executedPage() + unfeltPage()
	if *update {
		if err := os.WriteFile(manifestsPage, []byte(before+tableBegins+want+tableEnds+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != want {
		t.Errorf("the part about what is supported is\n%s\nand must be\n%s\nwrite it with: go test ./manifests -run TestPage -update", got, want)
	}
}

// executedPage is a table of the fields that are executed, by the place of the object at which they stand.
func executedPage() string {
	var b strings.Builder
	b.WriteString("\n| kind | place | fields that are executed |\n| --- | --- | --- |\n")
	add := func(kind, place string, names []string) {
		if len(names) > 0 {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", kind, place, strings.Join(names, ", "))
		}
	}
	for _, kind := range istioOrder {
		add(kind, "metadata", pathsOf(kind, "metadata."))
		done := make(map[string]bool)
		for _, p := range places(kind) {
			if name := string(p.message.Name()); !done[name] {
				done[name] = true
				add(kind, placesOf(kind, name), executedOf(p))
			}
		}
	}
	for _, kind := range []string{"Service", "Deployment", "HTTPRoute", GatewayAPI + " Gateway", "ReferenceGrant"} {
		add(kind, "metadata", pathsOf(kind, "metadata."))
		add(kind, "spec", pathsOf(kind, "spec."))
	}
	return b.String()
}

// placesOf are the places of a message in a kind. Those beside the first one have only their last part.
func placesOf(kind, message string) string {
	var all []string
	first := ""
	for _, p := range places(kind) {
		if string(p.message.Name()) != message {
			continue
		}
		text := p.path
		if first == "" {
			first = p.path[:strings.LastIndexByte(p.path, '.')+1]
		} else if rest, beside := strings.CutPrefix(p.path, first); beside {
			text = rest
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// executedOf are the executed fields of a message, with the executed values of those that are enumerations.
func executedOf(p place) (names []string) {
	for _, f := range istioFields {
		if f.Of != string(p.message.Name()) || !f.Executed() {
			continue
		}
		name := f.Name
		if enum := p.message.Fields().ByJSONName(f.Name).Enum(); enum != nil {
			name += " (" + strings.Join(supportedValues[enumeration(enum)], ", ") + ")"
		}
		names = append(names, name)
	}
	return names
}

// pathsOf are the executed fields that begin with a path, without it.
func pathsOf(kind, path string) (names []string) {
	for _, f := range objectFields() {
		if rest, ok := strings.CutPrefix(f.Name, path); ok && f.Of == kind && f.Executed() {
			names = append(names, rest)
		}
	}
	return names
}

// unfeltPage is a table of the fields that have no effect on requests, by the reason and the place.
func unfeltPage() string {
	var reasons reasonTable
	for _, kind := range istioOrder {
		for _, p := range places(kind) {
			for _, f := range istioFields {
				if f.Of != string(p.message.Name()) {
					continue
				}
				name := f.Name
				if enum := p.message.Fields().ByJSONName(f.Name).Enum(); enum != nil {
					name += " (" + strings.Join(supportedValues[enumeration(enum)], ", ") + ")"
				}
				reasons.add(f.Without, kind+" "+p.path, name)
			}
		}
	}
	for _, f := range objectFields() {
		kind, place, name := f.Of, "", f.Name
		if ofEachKind(f) {
			kind = "each kind"
		}
		if last := strings.LastIndexByte(f.Name, '.'); last >= 0 {
			place, name = " "+f.Name[:last], f.Name[last+1:]
		}
		reasons.add(f.Without, kind+place, name)
	}
	var b strings.Builder
	b.WriteString("\n| why a field has no effect on requests | fields |\n| --- | --- |\n")
	for _, r := range reasons {
		var cells []string
		for i, place := range r.places {
			cells = append(cells, place+": "+strings.Join(r.names[i], ", "))
		}
		fmt.Fprintf(&b, "| %s | %s |\n", r.reason, strings.Join(cells, "; "))
	}
	return b.String() + "\n"
}

// ofEachKind reports whether every kind has a field of this path for which the same is written.
func ofEachKind(f Field) bool {
	for kind := range kubernetesFields {
		if !slices.Contains(objectFields(), Field{kind, f.Name, f.Without}) {
			return false
		}
	}
	return true
}

// reasonTable has the names of fields by reason and by place, in the order in which they were added.
type reasonTable []*reasonRow

type reasonRow struct {
	reason string
	places []string
	names  [][]string // by index of places
}

func (t *reasonTable) add(reason, place, name string) {
	if reason == executed {
		return
	}
	i := slices.IndexFunc(*t, func(r *reasonRow) bool { return r.reason == reason })
	if i < 0 {
		i = len(*t)
		*t = append(*t, &reasonRow{reason: reason})
	}
	r := (*t)[i]
	j := slices.Index(r.places, place)
	if j < 0 {
		j = len(r.places)
		r.places, r.names = append(r.places, place), append(r.names, nil)
	}
	if !slices.Contains(r.names[j], name) {
		r.names[j] = append(r.names[j], name)
	}
}
