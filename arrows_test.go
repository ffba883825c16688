// The rules of docs/architecture.md about who may import whom.
package hellochaos_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hellochaos/hellochaos/"

// arrows is every import between packages of this module that is allowed; service/trail, spelling, stats, printable and yamlnode may be
// imported by all.
var arrows = map[string][]string{
	"cmd/hellochaos": {"expect", "scenarios", "scenarios/cases", "scenarios/derive", "scenarios/draft", "scenarios/isotope", "scenarios/run", "scenarios/standins", "target", "target/mesh", "target/cluster", "manifests", "manifests/scratch", "reports", "reports/render", "reports/terminal",
		"attack", "attack/gauge", "attack/share", "reports/load", "live", "live/page", "metrics", "openfiles", "reports/compare", "reports/sweep", "reports/destination", "reports/grafana", "reports/links", "reports/traces"},
	"hack/pictures":      {"reports", "reports/render"},
	"cmd/hello-service":  {"service"},
	"cmd/hello-image":    {},
	"scenarios":          {"expect", "manifests", "scenarios/standins"},
	"scenarios/cases":    {"manifests", "reports", "scenarios", "scenarios/derive"},
	"scenarios/derive":   {"manifests", "scenarios"},
	"scenarios/draft":    {"manifests", "scenarios", "scenarios/derive", "scenarios/standins"},
	"scenarios/explain":  {"reports"},
	"scenarios/drill":    {"manifests", "scenarios/oracle"},
	"scenarios/findings": {"manifests", "scenarios", "scenarios/oracle", "reports"},
	"scenarios/graph":    {"manifests", "service"},
	"scenarios/isotope":  {"manifests", "service/calls"},
	"scenarios/oracle":   {"manifests", "scenarios/graph", "service"},
	"scenarios/standins": {"manifests", "service/calls"},
	"scenarios/observe":  {"attack", "scenarios/oracle"},
	"scenarios/check":    {"manifests", "reports", "scenarios/observe", "scenarios/oracle", "target"},
	"scenarios/run": {"attack", "manifests", "reports", "scenarios", "scenarios/check", "scenarios/drill", "scenarios/explain", "scenarios/findings", "expect", "scenarios/expectations",
		"scenarios/observe", "scenarios/oracle", "target"},
	"target/mesh":           {"target", "target/certificates", "manifests", "service"},
	"target/cluster":        {"target", "target/certificates", "manifests", "manifests/scratch"},
	"target/certificates":   {},
	"target":                {"manifests"},
	"service":               {"service/calls"},
	"service/calls":         {},
	"service/trail":         {},
	"stats":                 {},
	"printable":             {},
	"reports":               {"reports/terminal", "reports/v1"},
	"reports/v1":            {},
	"reports/render":        {"reports", "reports/junit", "reports/page", "reports/terminal"},
	"reports/reporttest":    {"reports"}, // for tests alone
	"reports/compare":       {"reports", "reports/render", "reports/junit", "reports/page", "reports/terminal"},
	"reports/sweep":         {"reports", "reports/render", "reports/junit", "reports/page", "reports/terminal"},
	"reports/junit":         {},
	"reports/page":          {},
	"reports/page/pagetest": {},
	"reports/terminal":      {},
	"reports/destination":   {},
	"reports/grafana":       {"reports", "reports/destination"},
	"reports/links":         {"reports", "reports/destination"},
	"live":                  {"manifests", "reports", "scenarios", "scenarios/run", "target", "target/mesh"},
	"live/page":             {"live"},
	"metrics":               {"scenarios/run", "scenarios/observe", "attack", "reports", "reports/render"},
	"reports/traces":        {"reports", "reports/destination"},
	"attack":                {},
	"attack/share":          {"attack"},
	"attack/share/crewtest": {"attack/share"}, // for tests alone
	"attack/gauge":          {"attack", "attack/share", "expect", "reports", "reports/load"},
	"reports/load":          {"reports", "reports/junit", "reports/page", "reports/render", "reports/terminal"},
	"manifests":             {"service/calls"},
	"manifests/scratch":     {"manifests"},
	"openfiles":             {},
	"expect":                {},
	"spelling":              {},
	"yamlnode":              {},
	"docs":                  {}, // a test alone

	"scenarios/expectations": {"expect", "reports"},
}

// leaves may be imported by all.
var leaves = []string{"service/trail", "spelling", "stats", "printable", "yamlnode"}

// onlyBy are modules that a single package may import.
var onlyBy = map[string]string{
	"github.com/tsenart/vegeta/":              "attack",
	"k8s.io/client-go/":                       "target/cluster",
	"github.com/google/go-containerregistry/": "cmd/hello-image",
	"go.opentelemetry.io/":                    "reports/traces",
	"github.com/openzipkin/zipkin-go/":        "reports/traces",
}

// tooHeavy are packages that the program must not be linked with, and what it does instead (docs/performance.md).
var tooHeavy = map[string]string{
	"k8s.io/client-go/kubernetes":                "target/cluster has a clientset of the four API groups that it uses",
	"k8s.io/client-go/kubernetes/scheme":         "target/cluster has a scheme of the four API groups that it uses",
	"k8s.io/client-go/discovery":                 "target/cluster asks for /version and /apis itself",
	"k8s.io/client-go/gentype":                   "it brings the test fakes of client-go and with them OpenAPI's models",
	"github.com/google/gnostic-models/openapiv2": "nothing reads OpenAPI",
	"gonum.org/v1/gonum/mat":                     "stats and reports/compare take gonum's mathext, without linear algebra",
	"google.golang.org/grpc":                     "reports/traces sends OTLP over HTTP itself",
}

func TestWeight(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./cmd/hellochaos").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	linked := strings.Fields(string(out))
	if !slices.Contains(linked, "k8s.io/client-go/rest") {
		t.Errorf("go list names %d packages and not k8s.io/client-go/rest: it did not list the program's", len(linked))
	}
	for _, name := range linked {
		if instead, heavy := tooHeavy[name]; heavy {
			t.Errorf("the program is linked with %s: %s", name, instead)
		}
	}
}

// mostBytes is how large the stripped program may be.
const mostBytes = 40e6

func TestSize(t *testing.T) {
	if testing.Short() {
		t.Skip("make test links the program, which takes long")
	}
	program := filepath.Join(t.TempDir(), "hellochaos")
	if said, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", program, "./cmd/hellochaos").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > mostBytes {
		t.Errorf("the program has %d bytes, want at most %.0f: 'make size' prints what fills it", info.Size(), mostBytes)
	}
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
		if to, ours := strings.CutPrefix(imported, module); ours && !slices.Contains(leaves, to) && !slices.Contains(allowed, to) {
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
		{"scenarios/run", []string{module + "attack", module + "stats", "fmt"}, 0},
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
