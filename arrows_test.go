// The rules of docs/architecture.md about who may import whom.
package hellochaos_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hellochaos/hellochaos/"

// arrows is every import between packages of this module that is allowed; service/trail and stats may be imported by all.
var arrows = map[string][]string{
	"cmd/hellochaos": {"scenarios", "target", "target/mesh", "target/cluster", "manifests", "reports", "attack",
		"metrics", "reports/compare", "reports/grafana", "reports/links", "reports/traces"},
	"cmd/hello-service":     {"service"},
	"cmd/hello-image":       {},
	"scenarios":             {"attack", "target", "manifests", "reports", "service/calls"},
	"target/mesh":           {"target", "manifests", "service"},
	"target/cluster":        {"target", "manifests"},
	"target":                {"manifests"},
	"service":               {"service/calls"},
	"service/calls":         {},
	"service/trail":         {},
	"stats":                 {},
	"reports":               {"reports/junit", "reports/page", "reports/terminal"},
	"reports/compare":       {"reports", "reports/junit", "reports/page", "reports/terminal"},
	"reports/junit":         {},
	"reports/page":          {},
	"reports/page/pagetest": {},
	"reports/terminal":      {},
	"reports/grafana":       {"reports"},
	"reports/links":         {"reports"},
	"metrics":               {"scenarios", "attack", "reports"},
	"reports/traces":        {"reports"},
	"attack":                {},
	"manifests":             {"service/calls"},
	"docs":                  {}, // a test alone
}

// onlyBy are modules that a single package may import.
var onlyBy = map[string]string{
	"github.com/tsenart/vegeta/":              "attack",
	"k8s.io/client-go/":                       "target/cluster",
	"github.com/google/go-containerregistry/": "cmd/hello-image",
	"go.opentelemetry.io/":                    "reports/traces",
	"github.com/openzipkin/zipkin-go/":        "reports/traces",
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestImportArrows(t *testing.T) {
	out, err := exec.Command("go", "list", "-tags", "e2e,integration", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p goPackage
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if name, ours := strings.CutPrefix(p.ImportPath, module); ours {
			seen++
			for _, complaint := range complaints(name, p.Imports) {
				t.Error(complaint)
			}
		}
	}
	if seen < 10 {
		t.Errorf("go list named %d packages of this module, want at least 10", seen)
	}
}

// complaints lists what is wrong with a package's imports.
func complaints(name string, imports []string) (wrong []string) {
	allowed, known := arrows[name]
	if !known {
		return []string{name + " is not in the table of packages"}
	}
	for _, imported := range imports {
		if to, ours := strings.CutPrefix(imported, module); ours && to != "stats" && to != "service/trail" && !slices.Contains(allowed, to) {
			wrong = append(wrong, name+" may not import "+to)
		}
		for prefix, owner := range onlyBy {
			if strings.HasPrefix(imported, prefix) && name != owner {
				wrong = append(wrong, name+" may not import "+imported+", only "+owner+" may")
			}
		}
	}
	return wrong
}

// The rule must be able to say no.
func TestComplaints(t *testing.T) {
	for _, c := range []struct {
		name    string
		imports []string
		want    int
	}{
		{"scenarios", []string{module + "attack", module + "stats", "fmt"}, 0},
		{"attack", []string{module + "manifests"}, 1},
		{"reports", []string{module + "target", "github.com/tsenart/vegeta/v12/lib"}, 2},
		{"target/mesh", []string{"k8s.io/client-go/kubernetes"}, 1},
		{"helpers", nil, 1},
	} {
		if got := complaints(c.name, c.imports); len(got) != c.want {
			t.Errorf("%s importing %v: %v, want %d complaints", c.name, c.imports, got, c.want)
		}
	}
}
