package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
)

func manifestsCommand() *cobra.Command {
	names, namespace, api := scenarios.Names(), "", ""
	cmd := &cobra.Command{
		Use:   "manifests STAGE|rbac|rbac-workers",
		Short: "print the YAML of a stage, or of a run's permissions",
		Long: "Print the YAML of a stage: " + strings.Join(names, ", ") + ".\nYou can save and change it, and test what you changed with\n'hellochaos run STAGE -f FILE'.\n\n" +
			"With --api gateway, they are HTTPRoutes and Gateways of Gateway API in place of\nVirtualServices and Gateways of Istio.\n\nWith rbac, print a ServiceAccount, and Roles with no more permissions than a run\non a cluster needs; with rbac-workers, those that --workers-on-cluster needs.",
		Example:   "  hellochaos manifests retry\n  hellochaos manifests retry --api gateway\n  hellochaos manifests rbac -n demo | kubectl apply -f -",
		ValidArgs: append(names, "rbac", "rbac-workers"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("manifests: name one of the stages %s, or rbac or rbac-workers", strings.Join(names, ", "))
			}
			permissions := map[string]func(string) ([]byte, error){"rbac": manifests.RBAC, "rbac-workers": manifests.RBACWorkers}
			if of, ok := permissions[args[0]]; ok {
				text, err := of(namespace)
				if err != nil {
					return fmt.Errorf("manifests %s: --namespace: %w", args[0], err)
				}
				_, err = cmd.OutOrStdout().Write(text)
				return err
			}
			text, err := scenarios.YAMLIn(api, args[0])
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	addAPI(cmd, &api)
	cmd.Flags().StringVarP(&namespace, "namespace", "n", manifests.Namespace, "`namespace` of the runs for which rbac prints permissions")
	return cmd
}
