package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports"
)

// run is the program: it ends with one of the exit codes of package reports. All that it prints passes through printable.Writer.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out, told := printable.NewWriter(stdout), printable.NewWriter(stderr)
	code := obey(ctx, args, out, told)
	if err := out.Flush(); err != nil {
		fmt.Fprintf(told, "hellochaos: printing the rest: %v\n", err)
		if code != reports.ExitNotRestored {
			code = reports.ExitInfrastructure
		}
	}
	_ = told.Flush() // there is nowhere left to report it
	return code
}

// obey runs the command that args name.
func obey(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	undo := new(atomic.Pointer[string])
	ctx, stop := signals(ctx, undo, stderr)
	defer stop()
	root := rootCommand(undo)
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

// signals ends ctx at the first signal, and the program at the second one: at once, and with the command that undoes what
// it leaves behind, if it would leave anything.
func signals(ctx context.Context, undo *atomic.Pointer[string], stderr io.Writer) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		select {
		case <-received:
			cancel()
		case <-done:
			return
		}
		if undo.Load() == nil {
			signal.Stop(received) // a second signal ends the program as the system does
		}
		select {
		case <-received:
			command := undo.Load()
			if command == nil { // all is put back by now
				os.Exit(reports.ExitAborted)
			}
			fmt.Fprintf(stderr, "hellochaos: ended in the middle; to put the cluster back:\n  %s\n", *command)
			os.Exit(reports.ExitNotRestored)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(received)
		close(done)
		cancel()
	}
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
	root.AddCommand(runCommand(undo), reportCommand(), compareCommand(), dashboardCommand(), upCommand(), listCommand(), manifestsCommand(),
		versionCommand(), deployCommand(), undeployCommand(), doctorCommand(), statusCommand(), restoreCommand())
	return root
}
