package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	scenario "github.com/hellochaos/hellochaos/scenarios/run"
)

func explainCommand() *cobra.Command {
	var files, allowed []string
	var noColor bool
	cmd := &cobra.Command{
		Use:   "explain -f FILE|FOLDER|-",
		Short: "say what is wrong with your own Istio manifests",
		Long: `Read Istio manifests as 'hellochaos verify' does, and print what is wrong with
them: rules that lead to nobody, rules that no request can meet, retries that
are never sent. Each finding has its file and line, what it does to requests,
and how to mend it. No request is sent; 'hellochaos verify' proves the rules.

Exit code 1 means that there is an error among the findings.`,
		Example: `  hellochaos explain -f mesh/
  kubectl kustomize . | hellochaos explain -f -`,
		Args: func(_ *cobra.Command, args []string) error { return onlyFlags("explain", files, args) },
	}
	cmd.Flags().StringArrayVarP(&files, "filename", "f", nil, "`file` or folder with your manifests, or - for standard input. You can repeat the flag")
	cmd.Flags().StringArrayVar(&allowed, "allow-findings", nil, "`id` of a finding that is meant so, such as HC113, which then is no error. You can repeat the flag")
	cmd.Flags().BoolVar(&noColor, "no-color", false, "do not print colours on a terminal")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if len(files) == 0 {
			return errors.New("explain: no manifests: name files or folders with -f, or - for standard input")
		}
		own, err := readOwn(files, "", false, cmd.InOrStdin())
		if err != nil {
			return fmt.Errorf("explain:\n%w", err)
		}
		options, _ := scenario.AddFlags(pflag.NewFlagSet("explain", pflag.ContinueOnError)).Options() // the defaults of a run are right
		options.Allowed = allowed
		plan, err := own.plan(options, meshPace)
		if err != nil {
			return fmt.Errorf("explain:\n%w", err)
		}
		return own.explain(cmd.OutOrStdout(), plan, noColor)
	}
	return cmd
}
