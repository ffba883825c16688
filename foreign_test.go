//go:build foreign

package hellochaos_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// released are the systems and processors of .goreleaser.yaml.
var released = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

// Every package is right for every system and processor of a release, with all that it imports. This checks the types of
// the sources and compiles nothing: `go vet` would compile each of 900 packages for each of them, in ten times the time.
func TestEverySystem(t *testing.T) {
	for _, target := range released {
		t.Run(target, func(t *testing.T) {
			system, processor, _ := strings.Cut(target, "/")
			loaded, err := packages.Load(&packages.Config{
				Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedTypesSizes,
				Env:  append(os.Environ(), "GOOS="+system, "GOARCH="+processor, "CGO_ENABLED=0"),
			}, "./...")
			if err != nil {
				t.Fatal(err)
			}
			if len(loaded) < 10 {
				t.Errorf("%d packages were looked at, want at least 10", len(loaded))
			}
			packages.Visit(loaded, nil, func(p *packages.Package) {
				for _, wrong := range p.Errors {
					t.Error(wrong)
				}
			})
		})
	}
}
