package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/manifests"
)

func manifestsCommand() *cobra.Command {
	names, namespace := manifests.StageNames(), ""
	cmd := &cobra.Command{
		Use:   "manifests STAGE|rbac",
		Short: "print a stage's YAML, or that of a run's permissions",
		Long: "Print the YAML of a stage: " + strings.Join(names, ", ") + ".\nCopies of it, changed, are what 'run -f FILE' reads.\n" +
			"rbac prints the ServiceAccount and the Roles with the least that a run needs.",
		Example:   "  hellochaos manifests retry\n  hellochaos manifests rbac -n demo | kubectl apply -f -",
		ValidArgs: append(names, "rbac"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("manifests: name one stage: %s; or rbac", strings.Join(names, ", "))
			}
			if args[0] == "rbac" {
				text, err := manifests.RBAC(namespace)
				if err != nil {
					return fmt.Errorf("manifests rbac: --namespace: %w", err)
				}
				_, err = cmd.OutOrStdout().Write(text)
				return err
			}
			text, err := manifests.StageYAML(args[0])
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	cmd.Flags().StringVarP(&namespace, "namespace", "n", manifests.Namespace, "`namespace` that rbac's objects are for")
	return cmd
}
