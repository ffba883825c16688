package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/scenarios/draft"
	"github.com/hellochaos/hellochaos/scenarios/standins"
)

// defaultScenario is the file that init writes where the user names none.
const defaultScenario = "hellochaos.yaml"

func initCommand() *cobra.Command {
	var files []string
	cmd := &cobra.Command{
		Use:   "init [FILE|-]",
		Short: "write a scenario file to begin with",
		Long: `Write a scenario file with comments, which 'hellochaos run' runs as it is, and
which you change then. With -f it is made of your manifests: their services and
versions, one kind of requests for each rule, and a phase that applies the
files. Few manifests say who calls whom: FILL IN marks where yours do not.

Without -f, write a small example.

The file is ` + defaultScenario + ` where you name none, and - is standard output. One
that is there already is left as it is.`,
		Example: `  hellochaos init
  hellochaos init -f mesh/ shop.yaml
  hellochaos init -f mesh/ -`,
		Args: cobra.MaximumNArgs(1),
	}
	cmd.Flags().StringArrayVarP(&files, "filename", "f", nil, "`file` or folder with your manifests. You can repeat the flag")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		name := defaultScenario
		if len(args) == 1 {
			name = args[0]
		}
		return initialize(cmd, name, files)
	}
	return cmd
}

// initialize writes the scenario file of some manifests, or the example.
func initialize(cmd *cobra.Command, name string, files []string) error {
	text, err := draft.Example, checkTarget(name)
	if len(files) > 0 {
		var wrong error
		text, _, wrong = drafted(files, files, name, nil)
		err = errors.Join(err, wrong)
	}
	switch {
	case err != nil:
		return fmt.Errorf("init:\n%w", err)
	case name == "-":
		_, err = cmd.OutOrStdout().Write(text)
		return err
	}
	return writeScenario(cmd, name, text, len(files) > 0)
}

// checkTarget refuses the name of a file that cannot be written, or that a run would not take for a scenario file.
func checkTarget(name string) error {
	if name == "-" {
		return nil
	}
	if ext := filepath.Ext(name); ext != ".yaml" && ext != ".yml" {
		return fmt.Errorf("%s: must be a file whose name ends in .yaml or .yml, or - for standard output", name)
	}
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("%s: is there already: name another file, or - for standard output", name)
	}
	if info, err := os.Stat(filepath.Dir(name)); err != nil || !info.IsDir() {
		return fmt.Errorf("%s: there is no folder %s", name, filepath.Dir(name))
	}
	return nil
}

// drafted is the scenario file of manifests, with a title that has names. counted are calls that were seen, from the most to the least frequent; circular are those of
// them that are left out, since a stand-in that a request comes back to would call forever.
func drafted(names, files []string, name string, counted []draft.Called) (text []byte, circular []draft.Called, err error) {
	if slices.Contains(files, "-") {
		return nil, nil, errors.New("-f -: a scenario file names the files that it applies: save the manifests in a file")
	}
	others, err := manifests.LoadOthers(files, strings.NewReader(""))
	if err != nil {
		return nil, nil, err
	}
	if len(others.Alternatives) > 0 {
		return nil, nil, alternatives("init", others)
	}
	set, err := standins.Of(others.Objects)
	if err != nil {
		return nil, nil, err
	}
	rules, err := manifests.Read(set.Objects)
	if err != nil {
		return nil, nil, err
	}
	var read []string
	for i := range others.Objects {
		if file := others.Objects[i].File; !slices.Contains(read, file) {
			read = append(read, file)
		}
	}
	apply, err := appliedFrom(name, read)
	if err != nil {
		return nil, nil, err
	}
	counted, circular = draft.Acyclic(counted, set.Services())
	text, err = draft.Of(names, apply, set, rules, append(counted, draft.Variables(read)...))
	return text, circular, err
}

// appliedFrom are files as a scenario file with a name calls them: relative to its folder.
func appliedFrom(name string, files []string) (all []string, err error) {
	folder := "."
	if name != "-" {
		folder = filepath.Dir(name)
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return nil, err
	}
	for _, file := range files {
		path, err := filepath.Abs(file)
		if err == nil {
			path, err = filepath.Rel(folder, path)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: has no path from the folder of %s: %w", file, name, err)
		}
		all = append(all, filepath.ToSlash(path))
	}
	return all, nil
}

// writeScenario writes a file that is not there, and says what it has. What a run would refuse is not left behind.
func writeScenario(cmd *cobra.Command, name string, text []byte, fill bool) error {
	file, err := os.OpenFile(filepath.Clean(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		var place *fs.PathError
		if errors.As(err, &place) {
			err = place.Err
		}
		return fmt.Errorf("init: %s: cannot be written: %w", name, err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return failure{errors.Join(err, os.Remove(name))}
	}
	has, err := validate(name)
	if err != nil {
		return fmt.Errorf("init: no scenario that runs can be made of these files:\n%w", errors.Join(err, os.Remove(name)))
	}
	next := "to run it, type: hellochaos run " + printable.Word(name)
	if fill {
		next = "fill in who calls whom (FILL IN), or run it as it is: hellochaos run " + printable.Word(name)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n%s\n", name, has, next)
	return err
}
