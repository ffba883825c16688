package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/reports"
)

// run is the program: it ends with one of the exit codes of package reports.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)

	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var ended exit
	if err == nil || errors.As(err, &ended) {
		return int(ended)
	}
	fmt.Fprintf(stderr, "hellochaos: %s\n", strings.ReplaceAll(err.Error(), "\n", "\n  "))
	var failed failure
	if errors.As(err, &failed) {
		return reports.ExitInfrastructure
	}
	fmt.Fprintln(stderr, "nothing was started; 'hellochaos help' lists the commands, '--help' after a command its flags")
	return reports.ExitUsage
}

// exit ends the program with a code after all was said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// failure is an error that is not the user's.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "hellochaos",
		Short: "prove what a service-mesh policy does",
		Long: `hellochaos sends traffic through a chain of services before and after a mesh
policy is applied, makes every service fail with a chosen probability, and
compares what it measured with what the applied manifests predict.

Exit codes: 0 pass, 1 fail, 2 usage, 3 inconclusive, 4 aborted, 5 not restored,
6 infrastructure.`,
		Example: `  hellochaos run retry --fail 0.5
  hellochaos run all
  hellochaos up retry`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			var names []string
			for _, c := range cmd.Commands() {
				if c.IsAvailableCommand() {
					names = append(names, c.Name())
				}
			}
			if len(args) > 0 {
				return fmt.Errorf("no command %q: the commands are %s", args[0], strings.Join(names, ", "))
			}
			return fmt.Errorf("no command given: the commands are %s", strings.Join(names, ", "))
		},
	}
	// Flags are folded for a terminal of 80 columns.
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "Flags.FlagUsages", "Flags.FlagUsagesWrapped 80"))
	root.AddCommand(runCommand(), upCommand(), listCommand(), manifestsCommand(), versionCommand())
	return root
}
