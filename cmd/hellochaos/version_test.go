package main

import (
	"bytes"
	"runtime"
	"runtime/debug"
	"testing"
)

// A release prints what the linker has set. Any other build prints what the Go toolchain recorded, and names what it did not record.
func TestVersion(t *testing.T) {
	toolchain := "Go         " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + "\n"
	settings := []debug.BuildSetting{{Key: "vcs.revision", Value: "5b58a5d"}, {Key: "vcs.time", Value: "2026-11-26T22:01:02Z"}, {Key: "vcs.modified", Value: "false"}}
	changed := []debug.BuildSetting{settings[0], settings[1], {Key: "vcs.modified", Value: "true"}}
	for _, c := range []struct {
		name    string
		release [3]string
		info    *debug.BuildInfo
		want    string
	}{
		{"release", [3]string{"v0.1.0", "0123456", "2026-11-27T00:00:00Z"}, &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: changed},
			"hellochaos v0.1.0\ncommit     0123456\ndate       2026-11-27T00:00:00Z\n" + toolchain},
		{"go install", [3]string{}, &debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}},
			"hellochaos v0.1.0\ncommit     not recorded in this build\ndate       not recorded in this build\n" + toolchain},
		{"checkout", [3]string{}, &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: settings},
			"hellochaos (devel)\ncommit     5b58a5d\ndate       2026-11-26T22:01:02Z\n" + toolchain},
		{"changed checkout", [3]string{}, &debug.BuildInfo{Main: debug.Module{Version: "v0.1.1-0.20261126220102-5b58a5d00000+dirty"}, Settings: changed},
			"hellochaos v0.1.1-0.20261126220102-5b58a5d00000+dirty\ncommit     5b58a5d, with changes that are not committed\ndate       2026-11-26T22:01:02Z\n" + toolchain},
		{"nothing recorded", [3]string{}, nil, "hellochaos (devel)\ncommit     not recorded in this build\ndate       not recorded in this build\n" + toolchain},
	} {
		t.Run(c.name, func(t *testing.T) {
			releaseVersion, releaseCommit, releaseDate = c.release[0], c.release[1], c.release[2]
			t.Cleanup(func() { releaseVersion, releaseCommit, releaseDate = "", "", "" })
			var printed bytes.Buffer
			if err := buildOf(c.info).print(&printed); err != nil {
				t.Fatal(err)
			}
			if printed.String() != c.want {
				t.Errorf("it printed\n%swant\n%s", &printed, c.want)
			}
		})
	}
}
