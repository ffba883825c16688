package target_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/hellochaos/hellochaos/manifests"
)

var update = flag.Bool("update", false, "write the tables of docs/fields.md and docs/istio-facts.md from the tables of fields and of the contract")

// fieldsPage is the page that says which field is proved by what.
const fieldsPage = "../docs/fields.md"

// The comments around the part of docs/fields.md that is made from the tables.
const (
	proofsBegin = "<!-- The test of target/field_page_test.go holds this part to manifests/field.go and to the contract. -->\n"
	proofsEnd   = "<!-- The part ends. -->\n"
)

// TestFieldsPage holds docs/fields.md to the table of what is supported, and to the cases of the contract that set each field.
func TestFieldsPage(t *testing.T) {
	page, err := os.ReadFile(fieldsPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(page), proofsBegin)
	got, after, ends := strings.Cut(rest, proofsEnd)
	if !begins || !ends {
		t.Fatalf("the page has no part between %q and %q", proofsBegin, proofsEnd)
	}
	proofs := newProofs(t)
	want := proofs.page()
	if *update {
		if err := os.WriteFile(fieldsPage, []byte(before+proofsBegin+want+proofsEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != want {
		t.Errorf("the part about the fields is\n%s\nand must be\n%s\nwrite it with: go test ./target -run TestFieldsPage -update", got, want)
	}
}

// proof is a case of the contract that sets a field. fields is how many it sets in all: the fewer, the more it is about each of them.
type proof struct {
	name   string
	fields int
}

// proofs are the cases measured on real Istio that set each row of the table of fields, by the name of the row. kept are the names of the cases in
// which an object of base sets it. shown are the rows whose pair real Istio executes, too.
type proofs struct {
	measured map[string][]proof
	kept     map[string][]string
	shown    map[string]bool
	limits   map[string]limits
}

func newProofs(t *testing.T) *proofs {
	p := &proofs{measured: make(map[string][]proof), kept: make(map[string][]string), shown: make(map[string]bool), limits: fieldLimits()}
	all := pairs()
	for _, f := range manifests.Fields() {
		if pair, ok := all[f.String()]; ok && pair.onCluster(t, f) == "" {
			p.shown[f.String()] = true
		}
	}
	of := documents(t, base+away(manifests.Namespace))
	for field, s := range shownOfAway {
		p.measured[field] = append(p.measured[field], proof{s.row, 1})
	}
	for _, r := range table(manifests.Namespace) {
		p.add(t, of, r)
		p.keep(t, of, r)
	}
	return p
}

// add notes a case for each field in which its objects differ from those that others have, too.
func (p *proofs) add(t *testing.T, common []map[string]any, r row) {
	set := make(map[string]bool)
	for _, document := range documents(t, r.policy) {
		kind := kindOf(document)
		for _, l := range differences("", counterpart(common, document), document) {
			l.kind = kind
			for _, name := range l.rows() {
				set[name] = true
			}
		}
	}
	for name := range set {
		p.measured[name] = append(p.measured[name], proof{r.name, len(set)})
	}
}

// keep notes a case for each field of a common object that it leaves as it is.
func (p *proofs) keep(t *testing.T, common []map[string]any, r row) {
	own := documents(t, r.policy)
	for _, document := range common {
		kind := kindOf(document)
		if specs[kind] == nil || counterpart(own, document) != nil {
			continue
		}
		for _, l := range differences("", nil, document) {
			l.kind = kind
			for _, name := range l.rows() {
				p.kept[name] = append(p.kept[name], r.name)
			}
		}
	}
}

// counterpart is the common object that a document is, or replaces; nil where there is none.
func counterpart(common []map[string]any, document map[string]any) any {
	named := func(d map[string]any) any {
		metadata, _ := d["metadata"].(map[string]any)
		return fmt.Sprint(kindOf(d), metadata["namespace"], metadata["name"])
	}
	for _, d := range common {
		if named(d) == named(document) {
			return d
		}
	}
	return nil
}

// page is the tables, one for each message of Istio's API, behind the number of fields that each kind of proof is for.
func (p *proofs) page() string {
	var b strings.Builder
	all, measured := p.count(func(f manifests.Field) bool { return !byPath(f) })
	fmt.Fprintf(&b, "\nOf the %d fields and values of Istio's API that are executed, %d are proved on real Istio.", all, measured)
	if measured < all {
		fmt.Fprintf(&b, " What the other %d do, only the embedded\nmesh shows.", all-measured)
	}
	b.WriteByte('\n')
	for _, kind := range []string{"VirtualService", "DestinationRule", "Gateway", "ServiceEntry", "Sidecar"} {
		fmt.Fprintf(&b, "\n## %s\n", kind)
		done := make(map[protoreflect.Name]bool)
		for _, at := range messagesOf(kind) {
			if name := at.message.Name(); !done[name] {
				done[name] = true
				p.messageTable(&b, kind, at)
			}
		}
	}
	all, measured = p.count(byPath)
	fmt.Fprintf(&b, "\n## By kind\n\nFields that are known by their path in an object, and are executed: %d, of which %d are proved on real Istio. "+
		"[manifests.md](manifests.md#what-is-supported) has\nthe others.\n\n%s", all, measured, byPathHead)
	for _, f := range manifests.Fields() {
		if byPath(f) && f.Executed() {
			p.line(&b, f, "`"+f.Of+"` `"+f.Name+"`")
		}
	}
	return b.String() + "\n"
}

// byPath reports whether a row is known by its path in an object, and not by a message of Istio's API, which may have the name of a kind.
func byPath(f manifests.Field) bool {
	return strings.Contains(f.Name, ".") || f.Name == "status" && !f.Executed()
}

// The heads of the tables, with and without the columns of limits.
const (
	tableHead  = "| field | effect | proved on real Istio by | near miss | precedence |\n| --- | --- | --- | --- | --- |\n"
	byPathHead = "| field | effect | proved on real Istio by |\n| --- | --- | --- |\n"
)

// count counts the executed fields of those that it is about, and those of them that are proved on real Istio.
func (p *proofs) count(about func(manifests.Field) bool) (all, measured int) {
	for _, f := range manifests.Fields() {
		if !f.Executed() || !about(f) {
			continue
		}
		all++
		if p.shown[f.String()] || len(p.measured[f.String()]) > 0 {
			measured++
		}
	}
	return all, measured
}

// messageAt is a message of Istio's API at one of the places of a kind that lead to it.
type messageAt struct {
	path    string
	message protoreflect.MessageDescriptor
}

// messagesOf are the messages to which the accepted fields of a kind lead, from the outermost on, with each of their places.
func messagesOf(kind string) []messageAt {
	accepted := make(map[string]bool)
	for _, f := range manifests.Fields() {
		accepted[f.String()] = true
	}
	all := []messageAt{{"spec", specs[kind].ProtoReflect().Descriptor()}}
	for i := 0; i < len(all); i++ {
		fields := all[i].message.Fields()
		for j := range fields.Len() {
			fd := fields.Get(j)
			message, path := fd.Message(), all[i].path+"."+fd.JSONName()
			switch {
			case !accepted[string(all[i].message.Name())+"."+fd.JSONName()]:
				continue
			case fd.IsMap():
				message, path = fd.MapValue().Message(), path+".*"
			case fd.IsList():
				path += "[]"
			}
			if message != nil && message.ParentFile().Package() == all[i].message.ParentFile().Package() {
				all = append(all, messageAt{path, message})
			}
		}
	}
	return all
}

// messageTable is the table of one message: its fields, each with the values of its enumeration below it.
func (p *proofs) messageTable(b *strings.Builder, kind string, at messageAt) {
	var rows []manifests.Field
	for _, f := range manifests.Fields() {
		if f.Of == string(at.message.Name()) && !byPath(f) {
			rows = append(rows, f)
		}
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n### %s `%s`\n\n%s", kind, at.path, tableHead)
	for _, f := range rows {
		p.line(b, f, "`"+f.Name+"`")
		fd := at.message.Fields().ByJSONName(f.Name)
		if fd == nil || fd.Enum() == nil {
			continue
		}
		of := enumeration(at.message, fd.Enum())
		for _, v := range manifests.Fields() {
			if v.Of == of {
				p.line(b, v, "`"+f.Name+": "+v.Name+"`")
			}
		}
	}
}

// line is the line of a field.
func (p *proofs) line(b *strings.Builder, f manifests.Field, name string) {
	effect := "executed"
	if !f.Executed() {
		effect = "none: " + f.Without
	}
	measured := cases(p.measured[f.String()])
	if p.shown[f.String()] {
		measured = strings.TrimSuffix("its pair; "+measured, "; –")
	}
	fmt.Fprintf(b, "| %s | %s | %s |", name, effect, measured)
	if !byPath(f) {
		b.WriteString(p.limits[f.String()].columns())
	}
	b.WriteByte('\n')
}

// mostCases is how many cases are named for a field.
const mostCases = 2

// cases names those that are most about a field, and says how many there are.
func cases(all []proof) string {
	sorted := slices.SortedStableFunc(slices.Values(all), func(a, b proof) int { return cmp.Compare(a.fields, b.fields) })
	var names []string
	for _, one := range sorted[:min(mostCases, len(sorted))] {
		names = append(names, strings.ReplaceAll(one.name, "|", `\|`))
	}
	text := strings.Join(names, "; ")
	if more := len(sorted) - mostCases; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return cmp.Or(text, "–")
}
