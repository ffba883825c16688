package main

import (
	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/scenarios"
)

// addAPI adds the flag that says in which API the bundled stages are written, with its values for completions.
func addAPI(cmd *cobra.Command, api *string) {
	cmd.Flags().StringVar(api, "api", scenarios.IstioAPI, "API of the bundled stages: istio (VirtualServices) or gateway (HTTPRoutes of Kubernetes' Gateway API)")
	err := cmd.RegisterFlagCompletionFunc("api", cobra.FixedCompletions(scenarios.APIs(), cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag was added above
	}
}
