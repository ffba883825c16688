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

// run is the program: it returns one of the exit codes of package reports. Everything that it prints passes through a
// printable.Writer, except the colours that painted allows.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	lost := &output{to: stdout}
	out, complaints := printable.NewWriter(lost), printable.NewWriter(messages(stderr))
	err := obey(ctx, args, out, complaints)
	_ = out.Flush() // lost remembers its error
	code := conclude(err, lost.problem(), complaints)
	_ = complaints.Flush() // an error of standard error cannot be printed anywhere
	return code
}

// obey runs the command that args name. At the first signal, the context of the command ends.
func obey(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	undo := new(atomic.Pointer[string])
	ctx, stop := signals(ctx, undo, stderr)
	defer stop()
	root := rootCommand(undo)
	args = understand(root, args)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	refuseUnknownTopics(root) // after SetOut, since Cobra's completion command takes the output when it is made
	return interruptible(ctx, func(ctx context.Context) error {
		if err := checkCommand(root, args); err != nil {
			return err
		}
		if err := checkGiven(root, args); err != nil {
			return err
		}
		return root.ExecuteContext(ctx)
	})
}

// conclude prints the error of a command, if there is one, and returns the exit code. unwritten is the error of writing to
// standard output, or nil. A command whose output was lost has failed; only the exit code for "not restored" is more important.
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
	fmt.Fprintln(stderr, "nothing was started; 'hellochaos help' lists the commands, and '--help' after a command lists its flags")
	return reports.ExitUsage
}

// other returns the error of a command, or nil where the error says only that the output could not be written.
func other(err, unwritten error) error {
	var ended exit
	if errors.As(err, &ended) || errors.Is(err, unwritten) {
		return nil
	}
	return err
}

// exit is the error of a command that has printed everything itself; the number is the exit code of the program.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// failure is an error that the user's command line did not cause. It makes the program end with ExitInfrastructure.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

func rootCommand(undo *atomic.Pointer[string]) *cobra.Command {
	root := &cobra.Command{
		Use:   "hellochaos",
		Short: "prove what a service-mesh policy does",
		Long: `hellochaos tests what the policies of a service mesh do. It applies Istio
manifests, and sends requests through services that fail with a probability that
you choose. Which tries fail is known beforehand, so hellochaos holds each
request against what the manifests say that it must meet, and gives a verdict.

It needs no cluster: by default it runs the services and an embedded mesh, which
executes the manifests, in its own process. With --target cluster a run tests a
Kubernetes cluster with Istio.

'hellochaos verify -f FOLDER' proves what manifests of your own do. 'hellochaos
run' tests the five stages of the tutorial (egress, prod, retry, ingress and
canary, each on top of those before it), or a scenario file of yours.

Exit codes:
  0  pass: every request met what the manifests say
  1  fail: something else was met, the manifests themselves have an error, or an
     expectation is not met
  2  usage: the command line, a manifest or a report is wrong
  3  inconclusive: the requests could not decide
  4  aborted: a signal ended the command, and everything is put back
  5  not restored: something on the cluster could not be put back
  6  infrastructure: something that the command needs did not work`,
		Example: `  hellochaos run retry --fail 0.5
  hellochaos verify -f mesh/
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
				return noCommand(cmd, args)
			}
			return fmt.Errorf("no command given: the commands are %s", strings.Join(names, ", "))
		},
	}
	// Help fits a terminal of 80 columns.
	root.SetUsageTemplate(strings.NewReplacer("Flags.FlagUsages", "Flags.FlagUsagesWrapped 80",
		"for more information about a command", "for help about a command").Replace(root.UsageTemplate()))
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		var unknown *pflag.NotExistError
		if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
			return fmt.Errorf("%w%s", err, instead(cmd, unknown.GetSpecifiedName()))
		}
		if unknown != nil {
			if name, _, _ := strings.Cut(unknown.GetSpecifiedShortnames(), "="); len(name) > 1 && cmd.Flags().Lookup(name) != nil {
				return fmt.Errorf("%w: a flag with a long name has two dashes, --%s", err, name)
			}
			return fmt.Errorf("%w%s", err, ofVerify(cmd, unknown.GetSpecifiedName()))
		}
		return err
	})
	root.AddCommand(attackCommand(), runCommand(undo), verifyCommand(undo), explainCommand(), initCommand(), importCommand(), planCommand(), validateCommand(), schemaCommand(), reportCommand(), compareCommand(), dashboardCommand(), upCommand(), listCommand(), manifestsCommand(),
		versionCommand(), workerCommand(), deployCommand(), undeployCommand(), doctorCommand(), statusCommand(), restoreCommand())
	return root
}

// available returns the names of the subcommands of cmd that help lists.
func available(cmd *cobra.Command) (names []string) {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// refuseUnknownTopics makes 'help' and 'completion' refuse the name of a command or of a shell that does not exist. By default
// Cobra prints the help of the program then, and the exit code is 0.
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
