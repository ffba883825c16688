package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/cluster"
)

// connect connects to the cluster that the options choose; say tells progress by the line, nil tells nothing.
func connect(ctx context.Context, o cluster.Options, say func(string, ...any)) (*cluster.Cluster, error) {
	o.Version, o.Command, o.Say = version(), commandLine(), say
	return cluster.Connect(ctx, o)
}

// lines tells progress by the line.
func lines(w io.Writer) func(string, ...any) {
	return func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
}

// clusterCommand is a command that does one thing with a cluster.
func clusterCommand(use, short, long string, args cobra.PositionalArgs, do func(cmd *cobra.Command, c *cluster.Cluster, args []string) error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Long: long, Args: args}
	flags := cluster.AddFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o, err := flags.Options()
		if err != nil {
			return fmt.Errorf("%s:\n%w", cmd.Name(), err)
		}
		c, err := connect(cmd.Context(), o, lines(cmd.OutOrStdout()))
		if err != nil {
			return failure{err}
		}
		if err := hold(cmd.Context()); err != nil {
			return err
		}
		return do(cmd, c, args)
	}
	return cmd
}

func deployCommand() *cobra.Command {
	image := ""
	cmd := clusterCommand("deploy", "install the chain on a cluster",
		`Install the chain into the namespace: the services, the Sidecar that closes
egress, and the clock in a namespace of its own, outside the mesh. The namespace
is made if it is missing, and labelled for injection.

It is done again without harm. An object of the same name that another made is
completed, and undeploy then deletes it; what another has set otherwise is
refused.`,
		cobra.NoArgs, func(cmd *cobra.Command, c *cluster.Cluster, _ []string) error {
			if err := c.Deploy(cmd.Context(), manifests.Application(), image); err != nil {
				return failure{err}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "the chain is in namespace %s; next: hellochaos run all --target cluster -n %s\n", c.Namespace(), c.Namespace())
			return nil
		})
	cmd.Example = "  hellochaos deploy -n demo --image registry.example/hello-service:1.0"
	cmd.Flags().StringVar(&image, "image", "hello-service", "container `image` of hello-service")
	return cmd
}

func undeployCommand() *cobra.Command {
	return clusterCommand("undeploy", "take the chain off a cluster",
		"Remove all that 'hellochaos deploy' made in the namespace, and what it made around it.",
		cobra.NoArgs, func(cmd *cobra.Command, c *cluster.Cluster, _ []string) error {
			if err := c.Undeploy(cmd.Context()); err != nil {
				return failure{err}
			}
			return nil
		})
}

func doctorCommand() *cobra.Command {
	return clusterCommand("doctor", "look whether a cluster is ready for a run",
		"Look at everything that a run on the cluster needs: what is wrong, what it means,\nand what to type.",
		cobra.NoArgs, func(cmd *cobra.Command, c *cluster.Cluster, _ []string) error {
			objects, err := manifests.Through(manifests.StageNames()[len(manifests.StageNames())-1], nil)
			if err != nil {
				return err
			}
			findings := c.Doctor(cmd.Context(), objects)
			failed := false
			for _, f := range findings {
				print(cmd.OutOrStdout(), f)
				failed = failed || f.State == cluster.Fail
			}
			if failed {
				return exit(reports.ExitInfrastructure)
			}
			return nil
		})
}

// print writes a finding for people.
func print(w io.Writer, f cluster.Finding) {
	fmt.Fprintf(w, "%-4s  %s: %s\n", f.State, f.Name, f.Meaning)
	if f.Type != "" {
		fmt.Fprintf(w, "      > %s\n", f.Type)
	}
}

// complain prints what is wrong, and nothing else; the error is about what makes a run impossible.
func complain(w io.Writer, findings []cluster.Finding) error {
	var impossible []string
	for _, f := range cluster.Problems(findings) {
		print(w, f)
		if f.State == cluster.Fail {
			impossible = append(impossible, f.Name)
		}
	}
	if len(impossible) > 0 {
		return fmt.Errorf("the cluster is not ready for a run (%s): see above; nothing was changed", strings.Join(impossible, ", "))
	}
	return nil
}

func statusCommand() *cobra.Command {
	return clusterCommand("status", "list runs at work and what ended runs left behind",
		"List the runs of the namespace that are at work, and those that ended without\nputting everything back. The exit code is 5 when something is left.",
		cobra.NoArgs, func(cmd *cobra.Command, c *cluster.Cluster, _ []string) error {
			left, err := c.Leftovers(cmd.Context())
			if err != nil {
				return failure{err}
			}
			return tellLeftovers(cmd.OutOrStdout(), c, left)
		})
}

func tellLeftovers(w io.Writer, c *cluster.Cluster, left []cluster.Leftover) error {
	code := reports.ExitPass
	for _, l := range left {
		state := "at work"
		if !l.Running {
			state, code = "ended without putting everything back", reports.ExitNotRestored
		}
		fmt.Fprintf(w, "%s  %s\n  %s, begun %s on %s (process %d)\n", l.Name, state, l.Command, l.Started.Format(time.DateTime), l.Host, l.Process)
		for _, name := range l.Changed {
			fmt.Fprintf(w, "  changed: %s\n", name)
		}
		for _, name := range l.Edited {
			fmt.Fprintf(w, "  edited by another since: %s\n", name)
		}
		if !l.Running {
			fmt.Fprintf(w, "  > %s\n", c.RestoreCommand(l.Name))
		}
	}
	if len(left) == 0 {
		fmt.Fprintf(w, "namespace %s: no run is at work, and nothing is left of any\n", c.Namespace())
	}
	if code != reports.ExitPass {
		return exit(code)
	}
	return nil
}

func restoreCommand() *cobra.Command {
	all, edited := false, ""
	cmd := clusterCommand("restore [RUN]", "put back what a run has left, from its journal",
		`Put the cluster back as it was before a run that could not do so itself: every
object from the run's journal, which is in the cluster. What another has changed
since is left alone, and the exit code is 5, unless --edited says otherwise.`,
		cobra.MaximumNArgs(1), func(cmd *cobra.Command, c *cluster.Cluster, args []string) error {
			if (len(args) == 1) == all {
				return errors.New("restore: name one run of 'hellochaos status', or --all")
			}
			if edited != "" && edited != string(cluster.KeepEdits) && edited != string(cluster.OverwriteEdits) {
				return fmt.Errorf("restore: --edited %s: must be keep or overwrite", edited)
			}
			names := args
			if all {
				left, err := c.Leftovers(cmd.Context())
				if err != nil {
					return failure{err}
				}
				for _, l := range left {
					names = append(names, l.Name)
				}
			}
			return restore(cmd, c, names, cluster.Edits(edited))
		})
	cmd.Example = "  hellochaos restore 20260102-150405-1a2b -n demo\n  hellochaos restore --all"
	cmd.Flags().StringVar(&edited, "edited", "", "what to do with `objects` that another has changed since: keep or overwrite (default: neither)")
	cmd.Flags().BoolVar(&all, "all", false, "every run that left something in the namespace")
	return cmd
}

// restore puts some runs back, the newest first: each found what the one before it had left.
func restore(cmd *cobra.Command, c *cluster.Cluster, names []string, edited cluster.Edits) error {
	var problems []error
	for i := range names {
		name := names[len(names)-1-i]
		var done target.Restoration
		done, err := c.Restore(cmd.Context(), name, edited)
		if err != nil {
			problems = append(problems, fmt.Errorf("run %s: %w", name, err))
			continue
		}
		fmt.Fprintf(cmd.OutOrStdout(), "run %s: %s\n", name, done.Detail)
	}
	if len(names) == 0 {
		problems = append(problems, c.Tidy(cmd.Context()))
		fmt.Fprintf(cmd.OutOrStdout(), "namespace %s: nothing to put back\n", c.Namespace())
	}
	if err := errors.Join(problems...); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "hellochaos: not restored:\n  %s\n", strings.ReplaceAll(err.Error(), "\n", "\n  "))
		return exit(reports.ExitNotRestored)
	}
	return nil
}
