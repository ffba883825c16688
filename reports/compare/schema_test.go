package compare

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write docs/comparison.schema.json from the types")

var published = filepath.Join("..", "..", "docs", "comparison.schema.json")

// The published schema is the types' own.
func TestSchemaIsPublished(t *testing.T) {
	reflector := jsonschema.Reflector{}
	for path, base := range map[string]string{".": "reports/compare", "../../stats": "stats"} {
		if err := reflector.AddGoComments("github.com/hellochaos/hellochaos/"+base, path); err != nil {
			t.Fatal(err)
		}
	}
	schema := reflector.Reflect(&Comparison{})
	schema.ID = ""
	schema.Title = "hellochaos comparison " + SchemaVersion
	want, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(published, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(published)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/comparison.schema.json differs from the types: run `go test ./reports/compare -update`, and raise SchemaVersion if a reader would notice")
	}
}

// What is written is of the published form.
func TestJSONFollowsTheSchema(t *testing.T) {
	schema, err := validator.NewCompiler().Compile(published)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Comparison{example(), Of(usual.draw(1), usual.draw(1), defaults)} {
		var out bytes.Buffer
		if err := JSON(&out, c); err != nil {
			t.Fatal(err)
		}
		value, err := validator.UnmarshalJSON(bytes.NewReader(out.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Error(err)
		}
		back := new(Comparison)
		if err := json.Unmarshal(out.Bytes(), back); err != nil || back.Summary != c.Summary || len(back.Rows) != len(c.Rows) || back.ExitCode() != c.ExitCode() {
			t.Errorf("read back: %v, %+v", err, back)
		}
	}
}
