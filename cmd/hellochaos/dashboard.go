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
		Short: "print a dashboard for Grafana, or list the dashboards",
		Long: "Print a dashboard for Grafana: " + strings.Join(names, ", ") + ". Without a name, list the dashboards.\n\n" +
			`Grafana imports and provisions the format json. The format configmap is an
object for Kubernetes: the sidecar of Grafana's Helm chart loads every ConfigMap
with the label grafana_dashboard. You need neither of them for
'hellochaos run --grafana-url', which imports the dashboards itself.`,
		Example:   "  hellochaos dashboard mesh > mesh.json\n  hellochaos dashboard run --format configmap | kubectl apply -n monitoring -f -",
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
	cmd.Flags().StringVar(&format, "format", "json", "`format` of the dashboard: json or configmap")
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
