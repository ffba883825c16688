package reports

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/invopop/jsonschema"
)

var update = flag.Bool("update", false, "write docs/report.schema.json from the types")

// The published schema is the types' own.
func TestSchemaIsPublished(t *testing.T) {
	reflector := jsonschema.Reflector{}
	if err := reflector.AddGoComments("github.com/hellochaos/hellochaos/reports", "."); err != nil {
		t.Fatal(err)
	}
	schema := reflector.Reflect(&Report{})
	schema.ID = ""
	schema.Title = "hellochaos report " + SchemaVersion
	want, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	file := filepath.Join("..", "docs", "report.schema.json")
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
		t.Error("docs/report.schema.json differs from the types: run `go test ./reports -update`, and raise SchemaVersion if a reader would notice")
	}
}
