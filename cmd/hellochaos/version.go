package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// The linker sets the version, commit and date of a release (.goreleaser.yaml). In every other build they are empty, and buildOf
// takes what the Go toolchain recorded.
var releaseVersion, releaseCommit, releaseDate string

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version, the commit and the release of Go",
		Long:  "Print the version of hellochaos, the commit that it was built from, the date of\nthat commit, and the release of Go that built it.",
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

// version returns the version of the program: the tag of a release, or else the version of the module that the Go toolchain
// recorded, or else "(devel)".
func version() string {
	info, _ := debug.ReadBuildInfo()
	return buildOf(info).version
}

// build is the version and the commit from which the program was built.
type build struct {
	version string
	commit  string // empty: not recorded
	date    string // the commit's, in RFC 3339; empty: not recorded
	changed bool   // the checkout had changes that are not in the commit
}

// buildOf returns what the linker has set for a release, or else what the toolchain recorded; info is nil where it recorded nothing.
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

// print writes the version, the commit, its date and the release of Go, each on a line.
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
