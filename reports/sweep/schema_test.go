package sweep

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

var update = flag.Bool("update", false, "write docs/sweep.schema.json from the types")

var published = filepath.Join("..", "..", "docs", "sweep.schema.json")

// The published schema is the types' own.
func TestSchemaIsPublished(t *testing.T) {
	reflector := jsonschema.Reflector{}
	for path, base := range map[string]string{".": "reports/sweep", "..": "reports", "../../stats": "stats"} {
		if err := reflector.AddGoComments("github.com/hellochaos/hellochaos/"+base, path); err != nil {
			t.Fatal(err)
		}
	}
	schema := reflector.Reflect(&Report{})
	schema.ID = ""
	schema.Title = Schema
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
		t.Error("docs/sweep.schema.json differs from the types: run `go test ./reports/sweep -update`, and raise the version in Schema if a reader would notice")
	}
}

// What is written is of the published form.
func TestJSONFollowsTheSchema(t *testing.T) {
	schema, err := validator.NewCompiler().Compile(published)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Report{gridOf(2, expecting(reporttest.Retry(), reports.Fail), reporttest.RunAll()), gridOf(3, reporttest.Retry()), gridOf(1)} {
		var out bytes.Buffer
		if err := JSON(&out, s); err != nil {
			t.Fatal(err)
		}
		value, err := validator.UnmarshalJSON(bytes.NewReader(out.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Error(err)
		}
	}
}
