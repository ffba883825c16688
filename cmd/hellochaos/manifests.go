package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/manifests"
)

func manifestsCommand() *cobra.Command {
	names := manifests.StageNames()
	return &cobra.Command{
		Use:       "manifests STAGE",
		Short:     "print a stage's YAML",
		Long:      "Print the YAML of a stage: " + strings.Join(names, ", ") + ".\nCopies of it, changed, are what 'run --manifests DIR' reads.",
		Example:   "  hellochaos manifests retry",
		Args:      cobra.ExactArgs(1),
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := manifests.StageYAML(args[0])
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}
