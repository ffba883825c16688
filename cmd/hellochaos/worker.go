package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/attack/gauge"
	"github.com/hellochaos/hellochaos/attack/share"
)

// workerCommand is what --workers-local and --workers-on-cluster start.
func workerCommand() *cobra.Command {
	folder, index := "", -1
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "send one share of an attack, for the command that directs it",
		Long: `Send one share of an attack. 'hellochaos attack --workers-local' starts such
processes, and --workers-on-cluster pods that run it. The folder has the plan of
the attack. The worker says that it is ready, waits until the folder has the
instant of the start, sends its share, and writes what came of it as lines of
JSON to standard output (docs/attack.md).`,
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var problems []error
			if folder == "" {
				problems = append(problems, errors.New("--orders: must name the folder with the plan"))
			}
			if index < 0 {
				problems = append(problems, errors.New("--index: must be the number of the share, from 0"))
			}
			if err := errors.Join(problems...); err != nil {
				return fmt.Errorf("worker:\n%w", err)
			}
			if err := protect(cmd.Context()); err != nil {
				return err
			}
			if err := share.Work(cmd.Context(), folder, index, cmd.OutOrStdout(), gauge.Counter); err != nil {
				return failure{err}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&folder, "orders", "", "`folder` in which the worker finds what it is told")
	cmd.Flags().IntVar(&index, "index", -1, "`number` of the share, from 0")
	return cmd
}
