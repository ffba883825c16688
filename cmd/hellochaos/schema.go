package main

import (
	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/scenarios"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "print the JSON Schema of scenario files, for editors",
		Long: `Print the JSON Schema of scenario files. An editor that knows it completes and
explains their fields. 'hellochaos validate' refuses more than the schema: also
what the files that a scenario file names have wrong.`,
		Example: "  hellochaos schema > scenario.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(scenarios.Schema())
			return err
		},
	}
}
