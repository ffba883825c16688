package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/spelling"
)

// run is the program: it ends with one of the exit codes of package reports. All that it prints passes through printable.Writer.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	lost := &output{to: stdout}
	out, complaints := printable.NewWriter(lost), printable.NewWriter(stderr)
	err := obey(ctx, args, out, complaints)
	_ = out.Flush() // lost remembers its error
	code := conclude(err, lost.problem(), complaints)
	_ = complaints.Flush() // there is nowhere left to report it
	return code
}

// obey runs the command that args name.
func obey(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	undo := new(atomic.Pointer[string])
	ctx, stop := signals(ctx, undo, stderr)
	defer stop()
	root := rootCommand(undo)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	refuseUnknownTopics(root) // after SetOut, since Cobra's completion command takes the output when it is made
	return interruptible(ctx, func(ctx context.Context) error {
		if err := checkGiven(root, args); err != nil {
			return err
		}
		return root.ExecuteContext(ctx)
	})
}

// conclude prints how a command failed, if it did, and returns the exit code. unwritten is why standard output is not
// whole, if it is not: then the command failed, unless what it reports is worse.
func conclude(err, unwritten error, stderr io.Writer) int {
	if unwritten != nil && !errors.Is(err, exit(reports.ExitNotRestored)) {
		err = failure{errors.Join(other(err, unwritten), unwritten)}
	}
	var ended exit
	var failed failure
	switch {
	case err == nil:
		return reports.ExitPass
	case errors.As(err, &ended):
		return int(ended)
	case errors.Is(err, errEnded):
		fmt.Fprintf(stderr, "hellochaos: %v\n", err)
		return reports.ExitAborted
	}
	fmt.Fprintf(stderr, "hellochaos: %s\n", strings.ReplaceAll(err.Error(), "\n", "\n  "))
	if errors.As(err, &failed) {
		return reports.ExitInfrastructure
	}
	fmt.Fprintln(stderr, "nothing was started; 'hellochaos help' lists the commands, '--help' after a command its flags")
	return reports.ExitUsage
}

// other is a command's error where it tells more than that its output could not be written.
func other(err, unwritten error) error {
	var ended exit
	if errors.As(err, &ended) || errors.Is(err, unwritten) {
		return nil
	}
	return err
}

// exit ends the program with a code after all was said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// failure is an error that is not the user's.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

func rootCommand(undo *atomic.Pointer[string]) *cobra.Command {
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
  hellochaos up retry
  hellochaos deploy && hellochaos run all --target cluster`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			names := available(cmd)
			if len(args) > 0 {
				return fmt.Errorf("no command %q%s: the commands are %s", args[0], spelling.DidYouMean(args[0], names), strings.Join(names, ", "))
			}
			return fmt.Errorf("no command given: the commands are %s", strings.Join(names, ", "))
		},
	}
	// Flags are folded for a terminal of 80 columns.
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "Flags.FlagUsages", "Flags.FlagUsagesWrapped 80"))
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		var unknown *pflag.NotExistError
		if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
			return fmt.Errorf("%w%s", err, nearestFlag(cmd.Flags(), unknown.GetSpecifiedName()))
		}
		return err
	})
	root.AddCommand(runCommand(undo), reportCommand(), compareCommand(), dashboardCommand(), upCommand(), listCommand(), manifestsCommand(),
		versionCommand(), deployCommand(), undeployCommand(), doctorCommand(), statusCommand(), restoreCommand())
	return root
}

// available are the names of the commands below one.
func available(cmd *cobra.Command) (names []string) {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// refuseUnknownTopics makes 'help' and 'completion' refuse what they have nothing about. Cobra's own answer with the help
// of the program, and with exit code 0.
func refuseUnknownTopics(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				topic, rest, err := root.Find(args)
				if err != nil || len(rest) > 0 {
					wrong := strings.Join(args, " ")
					return fmt.Errorf("help: no command %q%s: the commands are %s", wrong, spelling.DidYouMean(wrong, available(root)), strings.Join(available(root), ", "))
				}
				topic.InitDefaultHelpFlag()
				return nil
			}
		case "completion":
			cmd.Args = cobra.ArbitraryArgs
			cmd.RunE = func(cmd *cobra.Command, args []string) error {
				shells := available(cmd)
				if len(args) == 0 {
					return fmt.Errorf("completion: name one shell: %s", strings.Join(shells, ", "))
				}
				return fmt.Errorf("completion: no shell %q%s: the shells are %s", args[0], spelling.DidYouMean(args[0], shells), strings.Join(shells, ", "))
			}
		}
	}
}
