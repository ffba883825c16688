package hellochaos_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// listedPlain are the packages of the Makefile that are tested without the race detector.
func listedPlain(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^PLAIN := ((?:.*\\\n)*.*)$`).FindSubmatch(text)
	if found == nil {
		t.Fatal("the Makefile has no list PLAIN")
	}
	return strings.Fields(strings.ReplaceAll(string(found[1]), "\\\n", " "))
}

// What is tested without the race detector starts no goroutine: neither itself, nor by a server or a mesh that its tests start.
func TestPlainPackages(t *testing.T) {
	out, err := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles,TestImports,XTestImports"}, listedPlain(t)...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p struct {
			ImportPath, Dir                    string
			GoFiles, TestGoFiles, XTestGoFiles []string
			TestImports, XTestImports          []string
		}
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		seen++
		for _, file := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			text, err := os.ReadFile(filepath.Join(p.Dir, file))
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range concurrent(t, string(text)) {
				t.Errorf("%s/%s:%s: take the package out of the Makefile's PLAIN", p.ImportPath, file, found)
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if imported == "net/http/httptest" || imported == module+"target/mesh" {
				t.Errorf("the tests of %s start servers with %s: take the package out of the Makefile's PLAIN", p.ImportPath, imported)
			}
		}
	}
	if seen < 10 {
		t.Errorf("go list named %d packages, want at least 10", seen)
	}
}

// concurrent lists where a file starts something that runs at the same time as what started it: a go statement, Go of a group, a
// parallel test or benchmark.
func concurrent(t *testing.T, text string) (found []string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		what := ""
		switch n := n.(type) {
		case *ast.GoStmt:
			what = "a go statement"
		case *ast.CallExpr:
			if called, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Go", "Parallel", "RunParallel"}, called.Sel.Name) {
				what = called.Sel.Name
			}
		}
		if what != "" {
			found = append(found, fmt.Sprintf("%d: %s", files.Position(n.Pos()).Line, what))
		}
		return true
	})
	return found
}

// The rule must be able to say no.
func TestConcurrent(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"package p\nfunc f() { f() }", "[]"},
		{"package p\nfunc f() {\n go f() }", "[3: a go statement]"},
		{"package p\nfunc f() { group.Go(f) }", "[2: Go]"},
		{"package p\nfunc f() { print(report.Go) }", "[]"},
		{"package p\nfunc f() { t.Parallel() }", "[2: Parallel]"},
	} {
		if got := fmt.Sprint(concurrent(t, c.text)); got != c.want {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
	}
}
