package yamlnode

import (
	"errors"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestFound(t *testing.T) {
	for text, want := range map[string]string{"{a: 1}": "a map", "[]": "an empty list", "[1]": "a list", "~": "nothing", "yes": `"yes"`, "1.50": "1.50", "true": "true",
		strings.Repeat("x", 200): `"` + strings.Repeat("x", 100) + `"`} {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(text), &n); err != nil {
			t.Fatal(err)
		}
		if got := Found(n.Content[0]); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

func TestSyntaxError(t *testing.T) {
	var n yaml.Node
	line, clause := SyntaxError(yaml.Unmarshal([]byte("a: 1\nb: [\n"), &n))
	if line != 2 || !strings.HasPrefix(clause, "is not valid YAML: did not find expected") {
		t.Errorf("line %d: %s", line, clause)
	}
	if line, clause := SyntaxError(errors.New("yaml: it is odd")); line != 0 || clause != "is not valid YAML: it is odd" {
		t.Errorf("line %d: %s", line, clause)
	}
}

func TestJoin(t *testing.T) {
	if Join("", "spec") != "spec" || Join("spec", "http") != "spec.http" {
		t.Error(Join("", "spec"), Join("spec", "http"))
	}
}
