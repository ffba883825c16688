package main

import (
	"fmt"
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
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("manifests: name one stage: %s", strings.Join(names, ", "))
			}
			text, err := manifests.StageYAML(args[0])
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}
