package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// What a release is made of: the linker sets them (.goreleaser.yaml). They are empty in every other build, for which the Go
// toolchain's own record answers.
var releaseVersion, releaseCommit, releaseDate string

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Long:  "version prints the version, the commit and its date, and the Go release that built the program.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			if err := buildOf(info).print(cmd.OutOrStdout()); err != nil {
				return failure{fmt.Errorf("printing the version: %w", err)}
			}
			return nil
		},
	}
}

// version is the program's version: a release's tag, the module's version as the Go toolchain recorded it, or "(devel)" for
// a build of which nothing was recorded.
func version() string {
	info, _ := debug.ReadBuildInfo()
	return buildOf(info).version
}

// build is what is known of how the program was built.
type build struct {
	version string
	commit  string // empty: not recorded
	date    string // the commit's, in RFC 3339; empty: not recorded
	changed bool   // the checkout had changes that are not in the commit
}

// buildOf is the build of a release, or else what the toolchain recorded; info is nil where it recorded nothing.
func buildOf(info *debug.BuildInfo) build {
	b := build{version: "(devel)"}
	if info != nil {
		b.version = cmp.Or(info.Main.Version, b.version)
		for _, setting := range info.Settings {
			switch setting.Key {
			case "vcs.revision":
				b.commit = setting.Value
			case "vcs.time":
				b.date = setting.Value
			case "vcs.modified":
				b.changed = setting.Value == "true"
			}
		}
	}
	if releaseVersion != "" {
		b = build{version: releaseVersion, commit: releaseCommit, date: releaseDate}
	}
	return b
}

// print writes a line for each thing that is known.
func (b build) print(w io.Writer) error {
	const notRecorded = "not recorded in this build"
	commit := cmp.Or(b.commit, notRecorded)
	if b.changed {
		commit += ", with changes that are not committed"
	}
	_, err := fmt.Fprintf(w, "hellochaos %s\ncommit     %s\ndate       %s\nGo         %s %s/%s\n",
		b.version, commit, cmp.Or(b.date, notRecorded), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
