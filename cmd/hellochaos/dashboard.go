package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/reports/grafana"
	"github.com/hellochaos/hellochaos/spelling"
)

func dashboardCommand() *cobra.Command {
	format := ""
	var names []string
	for _, d := range grafana.Dashboards() {
		names = append(names, d.Name)
	}
	cmd := &cobra.Command{
		Use:   "dashboard [NAME]",
		Short: "print a dashboard for Grafana, or list them",
		Long: "Print a dashboard for Grafana: " + strings.Join(names, ", ") + ". Without a name, list them.\n\n" +
			`json is what Grafana's import and its provisioning take; configmap is an object
for the sidecar of Grafana's Helm chart, which loads what is labelled
grafana_dashboard. 'hellochaos run --grafana-url' imports them by itself.`,
		Example:   "  hellochaos dashboard run > run.json\n  hellochaos dashboard mesh --format configmap | kubectl apply -n monitoring -f -",
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "json" && format != "configmap" {
				return fmt.Errorf("dashboard: --format %s: must be json or configmap", format)
			}
			if len(args) == 0 {
				for _, d := range grafana.Dashboards() {
					fmt.Fprintf(cmd.OutOrStdout(), "%-5s %s (uid %s, revision %d)\n", d.Name, d.Title, d.UID, d.Revision)
				}
				return nil
			}
			for _, d := range grafana.Dashboards() {
				if len(args) == 1 && d.Name == args[0] {
					return printDashboard(cmd, d, format)
				}
			}
			wrong := strings.Join(args, " ")
			return fmt.Errorf("dashboard: no dashboard %q%s: name one of %s", wrong, spelling.DidYouMean(wrong, names), strings.Join(names, ", "))
		},
	}
	cmd.Flags().StringVar(&format, "format", "json", "json or configmap")
	return cmd
}

func printDashboard(cmd *cobra.Command, d *grafana.Dashboard, format string) error {
	text := d.JSON
	if format == "configmap" {
		var err error
		text, err = yaml.Marshal(map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap",
			"metadata": map[string]any{"name": d.UID, "labels": map[string]string{"grafana_dashboard": "1"}},
			"data":     map[string]string{d.UID + ".json": string(d.JSON)},
		})
		if err != nil {
			return fmt.Errorf("writing dashboard %s: %w", d.Name, err)
		}
	}
	_, err := cmd.OutOrStdout().Write(text)
	return err
}
