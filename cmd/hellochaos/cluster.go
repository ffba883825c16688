package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports"
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

// clusterCommand is a command that does one thing with a cluster. Its flags are looked at by checks before it connects.
func clusterCommand(use, short, long string, args cobra.PositionalArgs, do func(cmd *cobra.Command, c *cluster.Cluster, args []string) error, checks ...func() error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Long: long, Args: args}
	flags := cluster.AddFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o, err := flags.Options()
		for _, check := range checks {
			err = errors.Join(err, check())
		}
		if err != nil {
			return fmt.Errorf("%s:\n%w", cmd.Name(), err)
		}
		o.CountDown = countDown(cmd.ErrOrStderr())
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
	choices := cluster.Choices{}
	cmd := clusterCommand("deploy", "install the chain on a cluster",
		`Install the chain into the namespace: the services, the Sidecar that closes
egress, and the clock in a namespace of its own, outside the mesh. The namespace
is made if it is missing, and labelled for injection.

It is done again without harm. An object of the same name that another made is
completed, and undeploy then deletes it; what another has set otherwise is
refused.

Requests enter at Service frontend, and who sends one can make the services fail
and hang. By default it is open to the cluster alone. With --service-type
LoadBalancer, as in the tutorial, it gets an address that is public on most
clouds; with NodePort it is open to whoever reaches a node. A run keeps the type.`,
		cobra.NoArgs, func(cmd *cobra.Command, c *cluster.Cluster, _ []string) error {
			if err := c.Deploy(cmd.Context(), manifests.Application(), choices); err != nil {
				return failure{err}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\nthe chain is in namespace %s; next: hellochaos run all --target cluster -n %s\n",
				whoCanReach[choices.ServiceType], c.Namespace(), c.Namespace())
			return nil
		}, func() error {
			var problems []error
			if !slices.Contains(cluster.ServiceTypes, choices.ServiceType) {
				problems = append(problems, fmt.Errorf("--service-type %s: must be %s", choices.ServiceType, strings.Join(cluster.ServiceTypes, ", ")))
			}
			if !imageForm.MatchString(choices.Image) {
				problems = append(problems, fmt.Errorf("--image %q: must be the reference of an image, such as registry.example/hello-service:1.0", choices.Image))
			}
			return errors.Join(problems...)
		})
	cmd.Example = "  hellochaos deploy -n demo --image registry.example/hello-service:1.0"
	cmd.Flags().StringVar(&choices.Image, "image", "hello-service", "container `image` of hello-service")
	cmd.Flags().StringVar(&choices.ServiceType, "service-type", cluster.ClusterIP, "`type` of Service frontend: "+strings.Join(cluster.ServiceTypes, ", "))
	return cmd
}

// imageForm has the characters of which references of images consist (the grammar of distribution/reference).
var imageForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$`)

// whoCanReach tells for each type of Service frontend who can send it requests.
var whoCanReach = map[string]string{
	cluster.ClusterIP: "Service frontend is of type ClusterIP: only what runs in the cluster, or may forward a port to it, can send requests.",
	cluster.NodePort: "Service frontend is of type NodePort: whoever reaches a node of the cluster can send requests, and can make the services fail\n" +
		"and hang. 'hellochaos deploy --service-type ClusterIP' closes it.",
	cluster.LoadBalancer: "Service frontend is of type LoadBalancer: on most clouds its address is public, and whoever reaches it can send requests, and\n" +
		"can make the services fail and hang. 'hellochaos deploy --service-type ClusterIP' closes it.",
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
	fmt.Fprintf(w, "%-4s  %s: %s\n", f.State, printable.Line(f.Name), printable.Line(f.Meaning))
	if f.Type != "" {
		fmt.Fprintf(w, "      > %s\n", printable.Line(f.Type))
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
		`List the runs of the namespace that are at work, and those that ended without
putting everything back. Where a run has not given back its lease, status looks
for some seconds whether the run still renews it. The exit code is 5 when
something is left.`,
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
		state := "ended without putting everything back"
		switch {
		case l.Running:
			state = "at work"
		case l.Silent > 0:
			state = fmt.Sprintf("has not renewed its lease for %v, so it was probably killed; it has not put everything back", l.Silent.Round(time.Second))
		}
		if !l.Running {
			code = reports.ExitNotRestored
		}
		fmt.Fprintf(w, "%s  %s\n", printable.Line(l.Name), state)
		if !l.Started.IsZero() {
			fmt.Fprintf(w, "  %s, begun %s on %s (process %d)\n", printable.Line(l.Command), l.Started.Format(time.DateTime), printable.Line(l.Host), l.Process)
		}
		if l.Problem != nil {
			fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(l.Problem.Error(), "\n", "\n  "))
		}
		for _, name := range l.Changed {
			fmt.Fprintf(w, "  changed: %s\n", printable.Line(name))
		}
		for _, name := range l.Edited {
			fmt.Fprintf(w, "  edited by another since: %s\n", printable.Line(name))
		}
		if !l.Running && !l.Started.IsZero() {
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
	all, now, edited := false, false, ""
	cmd := clusterCommand("restore [RUN]", "put back what a run has left, from its journal",
		`Put the cluster back as it was before a run that could not do so itself: every
object from the run's journal, which is in the cluster. What another has changed
since is left alone, and the exit code is 5, unless --edited says otherwise.

A run that was killed has not given back its lease. restore watches the lease
for as long as it lasts, 30 s, and takes it if the run does not renew it. It
compares no clocks. If you know that the run is dead, --now does not wait.

A journal that no run in the namespace can have written, that is damaged, or
that a newer hellochaos has written is refused: nothing of it is done, and it
is kept.`,
		cobra.MaximumNArgs(1), func(cmd *cobra.Command, c *cluster.Cluster, args []string) error {
			if (len(args) == 1) == all {
				return errors.New("restore: name one run of 'hellochaos status', or --all")
			}
			if edited != "" && edited != string(cluster.KeepEdits) && edited != string(cluster.OverwriteEdits) {
				return fmt.Errorf("restore: --edited %s: must be keep or overwrite", edited)
			}
			names := args
			if all {
				var err error
				if names, err = c.Unrestored(cmd.Context()); err != nil {
					return failure{err}
				}
			}
			return restore(cmd, c, names, cluster.Edits(edited), now)
		})
	cmd.Example = "  hellochaos restore 20260102-150405-1a2b -n demo\n  hellochaos restore --all"
	cmd.Flags().StringVar(&edited, "edited", "", "what to do with `objects` that another has changed since: keep or overwrite (default: neither)")
	cmd.Flags().BoolVar(&all, "all", false, "every run that left something in the namespace")
	cmd.Flags().BoolVar(&now, "now", false, "do not wait for the lease to run out: you know that no run is at work in the namespace")
	return cmd
}

// restore puts some runs back, the newest first: each found what the one before it had left.
func restore(cmd *cobra.Command, c *cluster.Cluster, names []string, edited cluster.Edits, now bool) error {
	var problems []error
	for _, name := range slices.Backward(names) {
		done, err := c.Restore(cmd.Context(), name, edited, now)
		if err != nil {
			problems = append(problems, fmt.Errorf("run %s: %w", name, err))
			continue
		}
		fmt.Fprintf(cmd.OutOrStdout(), "run %s: %s\n", name, done.Detail)
	}
	if len(names) == 0 {
		if err := c.Tidy(cmd.Context(), now); err != nil {
			problems = append(problems, err)
		} else {
			fmt.Fprintf(cmd.OutOrStdout(), "namespace %s: nothing to put back\n", c.Namespace())
		}
	}
	if err := errors.Join(problems...); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "hellochaos: not restored:\n  %s\n", strings.ReplaceAll(err.Error(), "\n", "\n  "))
		return exit(reports.ExitNotRestored)
	}
	return nil
}

// countDown shows on a terminal how long a wait may still last; in a pipe, where the wait was announced by a line, nothing.
func countDown(w io.Writer) func(left time.Duration) {
	line := newProgressLine(w, false)
	return func(left time.Duration) {
		if left <= 0 {
			line.clear()
			return
		}
		line.print(fmt.Sprintf("waiting for at most %v more", left.Round(time.Second)))
	}
}
