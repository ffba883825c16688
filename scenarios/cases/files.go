package cases

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// Bounds of what Read reads.
const (
	// maxFile is the size of the largest accepted file in bytes.
	maxFile = 1 << 20
	// mostFiles ends the search for files in a folder that somebody named by mistake.
	mostFiles = 1000
	// MostRequests is how many requests all cases may have together. A run sends each of them 20 times or more.
	MostRequests = 1000
	// mostProblems is the number of problems after which no more are noted.
	mostProblems = 100
)

// Read reads test files of istio-config-validator: files, and the .yaml, .yml and .json files of folders with their subfolders, in which
// files without test cases are passed over. Unlike istio-config-validator it refuses fields that the form does not have, cases that
// expect nothing, and parts that hellochaos does not execute. The error is manifests.Problems, up to a limit.
func Read(names []string) (*Suite, error) {
	r := &reader{suite: &Suite{}}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			r.problem(manifests.Problem{File: name, Text: "is named more than once: name it once"})
			continue
		}
		r.name(name)
	}
	if len(r.problems) == 0 && len(r.suite.Cases) == 0 {
		r.problem(manifests.Problem{File: strings.Join(names, ", "), Text: "no file has " + root + noTests})
	}
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return r.suite, nil
}

// reader is the state of Read.
type reader struct {
	suite    *Suite
	problems manifests.Problems
	files    []string // those read so far, by cleaned path
	requests int
}

// problem notes a problem.
func (r *reader) problem(one manifests.Problem) {
	if len(r.problems) < mostProblems {
		r.problems = append(r.problems, one)
	}
}

// name reads what one name of Read names.
func (r *reader) name(name string) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		r.problem(manifests.Problem{File: name, Text: cause(err)})
	case !info.IsDir():
		r.file(name, false)
	default:
		before := len(r.files)
		err := filepath.WalkDir(name, r.found)
		if err != nil {
			r.problem(manifests.Problem{File: name, Text: cause(err)})
		} else if len(r.files) == before {
			r.problem(manifests.Problem{File: name, Text: "is a folder without a .yaml, .yml or .json file"})
		}
	}
}

// found reads a file of a folder.
func (r *reader) found(path string, entry fs.DirEntry, err error) error {
	switch {
	case err != nil:
		return err
	case strings.HasPrefix(entry.Name(), ".") && entry.IsDir() && path != "." && path != "..":
		return fs.SkipDir
	case !entry.Type().IsRegular() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)):
		return nil
	case len(r.files) == mostFiles:
		return fmt.Errorf("has more than %d files: name the folder of the tests", mostFiles)
	}
	r.file(path, true)
	return nil
}

// file reads a file, unless it was read already. found says that it was found in a folder, and not named.
func (r *reader) file(path string, found bool) {
	clean := filepath.Clean(path)
	if slices.Contains(r.files, clean) {
		return
	}
	r.files = append(r.files, clean)
	f, err := os.Open(path)
	if err != nil {
		r.problem(manifests.Problem{File: path, Text: cause(err)})
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		r.problem(manifests.Problem{File: path, Text: cause(err)})
	case len(data) > maxFile && found && !mentions(data):
		r.suite.PassedOver = append(r.suite.PassedOver, path)
	case len(data) > maxFile:
		r.problem(manifests.Problem{File: path, Text: fmt.Sprintf("is larger than the %d bytes that a test file may have", maxFile)})
	default:
		r.text(path, data, found)
	}
}

// cause is an error without the path, which a problem has itself.
func cause(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}
