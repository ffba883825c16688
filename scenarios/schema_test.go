package scenarios

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write docs/scenario.schema.json and the fields of docs/scenarios.md from the form")

// held compares a file with what it must contain, or writes it with -update.
func held(t *testing.T, file string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from the form: run `go test ./scenarios -update`", file)
	}
}

// The published schema is the form's own.
func TestSchemaIsPublished(t *testing.T) {
	held(t, filepath.Join("..", "docs", "scenario.schema.json"), Schema())
}

// compiled is the schema, ready to validate.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("scenario.schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("scenario.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func document(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// The schema accepts the bundled stages and files with every field.
func TestSchemaAccepts(t *testing.T) {
	schema := compiled(t)
	texts := map[string]string{"whole": whole, "phases": inPhases}
	for _, pattern := range []string{"*.yaml", "gatewayapi/*.yaml"} {
		names, err := fs.Glob(files, pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := files.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts[name] = string(data)
		}
	}
	if len(texts) < 14 {
		t.Errorf("%d files, want the bundled ones", len(texts))
	}
	for name, text := range texts {
		if err := schema.Validate(document(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the schema refuses, Read refuses too; and for each field that is narrowed there is a value that both refuse.
func TestSchemaRefuses(t *testing.T) {
	schema := compiled(t)
	refuse := func(name, old, new string) {
		t.Helper()
		text := strings.Replace(whole, old, new, 1)
		if text == whole {
			t.Fatalf("%s: the file has no %q to replace", name, old)
		}
		if _, err := Read("x.yaml", []byte(text)); err == nil {
			t.Errorf("%s: Read accepts %q", name, new)
		}
		if schema.Validate(document(t, text)) == nil {
			t.Errorf("%s: the schema accepts %q", name, new)
		}
	}
	seen := map[string]bool{}
	for _, c := range []struct{ path, old, new string }{
		{"apiVersion", "hellochaos/v1", "hellochaos/v2"}, {"kind", "kind: Scenario", "kind: Scenarios"}, {"name", "name: mirror", "name: all"},
		{"name", "name: mirror", "name: Mirror"}, {"after", "canary", "Canary"}, {"title", "a title", `"a\nb"`}, {"lessons", "It is so.", `" a"`}, {"expect", "edge fails <= 0.1", `""`},
		{"apply", "a.yaml", `""`}, {"exclude", "0.01", "0"}, {"exclude", "0.01", "0.51"}, {"cohorts.name", "name: without", `name: ""`}, {"cohorts.weight", "weight: 3", "weight: 1.5"},
		{"cohorts.weight", "weight: 3", "weight: 1001"}, {"cohorts.method", "POST", "HEAD"}, {"cohorts.path", `"/new?a=b"`, "new"}, {"parameters.name", "blue-weight", "Blue"},
		{"parameters.title", "title: percent", "title: ''"}, {"unmet.rule", "VirtualService a", "Gateway a"}, {"unmet.reason", "by choice", "' '"}, {"accepted.finding", "HC204", "HC104"},
		{"accepted.rule", "VirtualService b", "VirtualService"}, {"accepted.reason", "it is shown", "''"}, {"unknown", "after:", "afterr:"}, {"missing", "title: a title\n", ""},
		{"entry", `{gateway: "*"}`, `{gateway: "*", service: a}`}, {"entry", `{gateway: "*"}`, `{}`}, {"entry", `{gateway: "*"}`, `{service: a, port: 80}`}, {"entry.port", `{gateway: "*"}`, `{gateway: "*", port: 65536}`}, {"cohorts.entry.port", "{caller: shop/web}", "{gateway: a, port: 0.5}"}, {"apply", "apply: [a.yaml, b.yaml]\n", ""}, {"list", "[It is so.]", "[]"}, {"number", "0.01", `"0.01"`},
	} {
		refuse(c.path, c.old, c.new)
		seen[c.path] = true
	}
	for path := range narrowed {
		if !seen[path] {
			t.Errorf("nothing shows that the schema narrows %s", path)
		}
	}
}

// Every field has a description, and the page has a row for it.
func TestFieldsPage(t *testing.T) {
	const begin, end = "<!-- The fields of the form: go test ./scenarios -update -->\n", "<!-- End of the fields. -->\n"
	file := filepath.Join("..", "docs", "scenarios.md")
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the fields", file)
	}
	rows := fieldRows(t, "", reflect.TypeFor[form]())
	held(t, file, []byte(before+begin+"| field | | what it says |\n| --- | --- | --- |\n"+strings.Join(rows, "")+end+after))
}

// fieldRows are rows of a table of the fields of a struct, and of those within them.
func fieldRows(t *testing.T, path string, of reflect.Type) (rows []string) {
	for i := range of.NumField() {
		field := of.Field(i)
		name, option, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		doc := field.Tag.Get("doc")
		if !strings.HasSuffix(doc, ".") {
			t.Errorf("%s%s has no description: %q", path, name, doc)
		}
		needed := "optional"
		if option == "" {
			needed = "required"
		}
		within, kind := "", field.Type
		if kind.Kind() == reflect.Slice {
			within, kind = "[]", kind.Elem()
		}
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		rows = append(rows, "| `"+path+name+"` | "+needed+" | "+doc+" |\n")
		if kind.Kind() == reflect.Struct && (path == "" || !slices.Contains([]string{"entry", "cohorts", "unmet", "accepted"}, name)) {
			rows = append(rows, fieldRows(t, path+name+within+".", kind)...)
		}
	}
	return rows
}
