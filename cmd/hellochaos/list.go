package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/target/mesh"
)

func listCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list [stages|breaks]",
		Short: "list the stages, or the deviations that --break takes",
		Long: "List the stages, with one line for each. With breaks, list the deviations that\n" +
			"'hellochaos run --break' takes: the name of each, the stage that shows it, and\nwhat the embedded mesh then does wrong. 'hellochaos verify' takes them, too:\n" +
			"those of 'files' show with files that have what they are about, and are bugs\nwith which Istio was released, each under its number.",
		ValidArgs: []string{"stages", "breaks"},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && !slices.Contains(cmd.ValidArgs, args[0]) {
				wrong := strings.Join(args, " ")
				return fmt.Errorf("list %s: must be one of %s%s", wrong, strings.Join(cmd.ValidArgs, ", "), spelling.DidYouMean(wrong, cmd.ValidArgs))
			}
			return nil
		},
		Run: func(cmd *cobra.Command, args []string) {
			if len(args) == 1 && args[0] == "breaks" {
				for _, b := range mesh.Breaks() {
					shown := cmp.Or(b.Stage, "any")
					if b.OnlyFiles {
						shown = "files"
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%-24s  %-7s  %s\n", b.Name, shown, b.Text)
				}
				return
			}
			for _, s := range scenarios.Stages() {
				fmt.Fprintf(cmd.OutOrStdout(), "%-8s  %s\n", s.Name, s.Title)
			}
		},
	}
}
