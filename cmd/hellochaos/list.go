package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/scenarios"
)

func listCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "list the stages, one line each",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			for _, s := range scenarios.Stages() {
				fmt.Fprintf(cmd.OutOrStdout(), "%-8s  %s\n", s.Name, s.Title)
			}
		},
	}
}
