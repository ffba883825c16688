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
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/target/cluster"
)

// connect connects to the cluster that the options choose. progress prints one line about what is being done; where it is
// nil, nothing is printed.
func connect(ctx context.Context, o cluster.Options, progress func(string, ...any)) (*cluster.Cluster, error) {
	o.Version, o.Command, o.Say = version(), commandLine(), progress
	return cluster.Connect(ctx, o)
}

// lines returns a function that prints one line of progress to w.
func lines(w io.Writer) func(string, ...any) {
	return func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
}

// clusterCommand returns a command that does one thing with a cluster. Before the command connects, it calls checks, which
// validate its own flags.
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
		if err := protect(cmd.Context()); err != nil {
			return err
		}
		return do(cmd, c, args)
	}
	return cmd
}

func deployCommand() *cobra.Command {
	choices, own := cluster.Choices{}, &deployFiles{}
	cmd := clusterCommand("deploy", "install the chain on a cluster, or stand-ins of your files",
		`Install the chain into a namespace: its three services, and the Sidecar that
lets them call nothing outside the mesh. The clock, which the last service
calls, gets a namespace of its own outside the mesh. deploy creates a namespace
that is missing, and gives the namespace of the services the label by which
Istio injects sidecars.

You can repeat deploy: it changes only what is missing or different. If an
object of the same name exists that hellochaos did not make, deploy adds what
the chain needs and prints that undeploy will delete the object. If another
program has set one of the needed fields to another value, deploy names the
field and changes nothing.

Requests enter at the Service frontend, and everyone who can send one can make
the services fail and hang. By default only the cluster can reach the Service.
With --service-type LoadBalancer, as in the tutorial, it gets an address that is
public on most clouds; with NodePort, everyone who reaches a node of the cluster
reaches it. A run does not change the type.

With -f, deploy makes namespaces of its own, runs stand-ins of the services that
the files name there, and applies the files' rules to them, as 'hellochaos
verify --target cluster' does, which can use them afterwards. They stay until
'hellochaos undeploy'. Without -n the first of them is `+scratchNamespace+`.`,
		cobra.NoArgs, func(cmd *cobra.Command, c *cluster.Cluster, _ []string) error {
			if err := c.Deploy(cmd.Context(), manifests.Application(), choices); err != nil {
				return failure{err}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\nThe chain is in namespace %s. To test it, type:\n  hellochaos run all --target cluster -n %s\n",
				whoCanReach[choices.ServiceType], c.Namespace(), c.Namespace())
			return nil
		}, func() error {
			var problems []error
			if !slices.Contains(cluster.ServiceTypes, choices.ServiceType) {
				problems = append(problems, fmt.Errorf("--service-type %s: must be one of %s", choices.ServiceType, strings.Join(cluster.ServiceTypes, ", ")))
			}
			if !imageForm.MatchString(choices.Image) {
				problems = append(problems, fmt.Errorf("--image %q: must be the reference of an image, such as registry.example/hello-service:1.0", choices.Image))
			}
			return errors.Join(problems...)
		})
	own.add(cmd.Flags())
	chain := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case len(own.files) > 0:
			return own.run(cmd, choices.Image)
		case own.shared:
			return errors.New("deploy: --shared-gateway: needs -f")
		}
		return chain(cmd, args)
	}
	cmd.Example = "  hellochaos deploy -n demo --image registry.example/hello-service:1.0\n  hellochaos deploy -f mesh/ -n try"
	cmd.Flags().StringVar(&choices.Image, "image", "hello-service", "container `image` of hello-service, the program of every service")
	cmd.Flags().StringVar(&choices.ServiceType, "service-type", cluster.ClusterIP, "`type` of the Service frontend: "+strings.Join(cluster.ServiceTypes, ", "))
	return cmd
}

// imageForm matches the characters that a reference of an image can have (the grammar of distribution/reference).
var imageForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$`)

// whoCanReach has a sentence for each type of the Service frontend: it names who can send requests to it.
var whoCanReach = map[string]string{
	cluster.ClusterIP: "The Service frontend is of type ClusterIP: only programs in the cluster, and users who may forward a port to it, can send\n" +
		"requests.",
	cluster.NodePort: "The Service frontend is of type NodePort: everyone who reaches a node of the cluster can send requests, and can make the\n" +
		"services fail and hang. 'hellochaos deploy --service-type ClusterIP' ends that.",
	cluster.LoadBalancer: "The Service frontend is of type LoadBalancer: its address is public on most clouds, and everyone who reaches it can send\n" +
		"requests, and can make the services fail and hang. 'hellochaos deploy --service-type ClusterIP' ends that.",
}

func undeployCommand() *cobra.Command {
	return clusterCommand("undeploy", "remove what deploy installed from a cluster",
		`Delete the chain from its namespace. undeploy also deletes the namespace if
deploy created it and nothing else is in it, and the clock unless the chain of
another namespace calls it. It refuses while a run is at work, or has not
been restored.

What 'hellochaos deploy -f' has made is deleted with its namespaces: those whose
UIDs were recorded when they were made, and no others. -n names the first one.`,
		cobra.NoArgs, func(cmd *cobra.Command, c *cluster.Cluster, _ []string) error {
			if err := c.Undeploy(cmd.Context()); err != nil {
				return failure{err}
			}
			return nil
		})
}

func doctorCommand() *cobra.Command {
	api := ""
	cmd := clusterCommand("doctor", "check whether a cluster is ready for a run",
		"Check everything that a run on the cluster needs. For each problem, doctor\nprints what is wrong, what that means for a run, and what to type to mend it.",
		cobra.NoArgs, func(cmd *cobra.Command, c *cluster.Cluster, _ []string) error {
			stages := scenarios.Names()
			objects, err := scenarios.ThroughIn(api, stages[len(stages)-1], nil)
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
	addAPI(cmd, &api)
	return cmd
}

// print writes a finding, and on a second line what the user can type about it.
func print(w io.Writer, f cluster.Finding) {
	fmt.Fprintf(w, "%-4s  %s: %s\n", f.State, printable.Line(f.Name), printable.Line(f.Meaning))
	if f.Type != "" {
		fmt.Fprintf(w, "      > %s\n", printable.Line(f.Type))
	}
}

// complain prints the findings that are problems. It returns an error if one of them makes a run impossible.
func complain(w io.Writer, findings []cluster.Finding) error {
	var impossible []string
	for _, f := range cluster.Problems(findings) {
		print(w, f)
		if f.State == cluster.Fail {
			impossible = append(impossible, f.Name)
		}
	}
	if len(impossible) > 0 {
		return fmt.Errorf("the cluster is not ready for a run: the problems printed above (%s) prevent it; nothing was changed", strings.Join(impossible, ", "))
	}
	return nil
}

func statusCommand() *cobra.Command {
	return clusterCommand("status", "list the runs that are at work on a cluster, or not restored",
		`List the runs that are at work in the namespace, and the runs that ended without
putting everything back. A run holds a lease, an object in the namespace, and
renews it every few seconds. If the lease of a run is still there, status
watches it for some seconds to see whether the run renews it.

The exit code is 5 if a run ended without putting everything back.`,
		cobra.NoArgs, func(cmd *cobra.Command, c *cluster.Cluster, _ []string) error {
			left, err := c.Leftovers(cmd.Context())
			if err != nil {
				return failure{err}
			}
			return printLeftovers(cmd.OutOrStdout(), c, left)
		})
}

func printLeftovers(w io.Writer, c *cluster.Cluster, left []cluster.Leftover) error {
	code := reports.ExitPass
	for _, l := range left {
		state := "ended without putting everything back"
		switch {
		case l.Running:
			state = "at work"
		case l.Deployed && l.Silent == 0:
			state = "deployed with -f, to stay until 'hellochaos undeploy'"
		case l.Deployed:
			state = fmt.Sprintf("deployed with -f. A run there has not renewed its lease for %v, so it was probably killed; 'hellochaos restore --all' gives the lease back", l.Silent.Round(time.Second))
		case l.Silent > 0:
			state = fmt.Sprintf("has not renewed its lease for %v, so it was probably killed; it has not put everything back", l.Silent.Round(time.Second))
		}
		if !l.Running && !l.Deployed {
			code = reports.ExitNotRestored
		}
		fmt.Fprintf(w, "%s  %s\n", printable.Line(l.Name), state)
		if !l.Started.IsZero() {
			fmt.Fprintf(w, "  %s, started %s on %s (process %d)\n", printable.Line(l.Command), l.Started.Format(time.DateTime), printable.Line(l.Host), l.Process)
		}
		if l.Problem != nil {
			fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(l.Problem.Error(), "\n", "\n  "))
		}
		for _, name := range l.Changed {
			fmt.Fprintf(w, "  changed: %s\n", printable.Line(name))
		}
		for _, name := range l.Edited {
			fmt.Fprintf(w, "  edited by someone else since: %s\n", printable.Line(name))
		}
		if !l.Running && !l.Deployed && !l.Started.IsZero() {
			fmt.Fprintf(w, "  > %s\n", c.RestoreCommand(l.Name))
		}
	}
	if len(left) == 0 {
		fmt.Fprintf(w, "namespace %s: no run is at work, and every run has put everything back\n", c.Namespace())
	}
	if code != reports.ExitPass {
		return exit(code)
	}
	return nil
}

func restoreCommand() *cobra.Command {
	all, now, edited := false, false, ""
	cmd := clusterCommand("restore [RUN]", "undo what a run changed on a cluster and did not put back",
		`Put every object back as it was before a run that could not do so itself. Before
a run changes an object, it saves the object in its journal, a ConfigMap in the
namespace; restore reads that journal. If someone else has changed an object
since the run did, restore leaves it alone and ends with exit code 5, unless
--edited says what to do.

A run that was killed still holds its lease. restore watches the lease for 30 s,
the time for which it is valid, and takes it over if the run does not renew it.
It does not compare clocks of different machines. If you know that the run is
dead, --now takes the lease over at once.

restore refuses a journal that is damaged, that a newer hellochaos has written,
or that changes what no run in the namespace may change. It then changes nothing
that the journal names, and keeps the journal.`,
		cobra.MaximumNArgs(1), func(cmd *cobra.Command, c *cluster.Cluster, args []string) error {
			if (len(args) == 1) == all {
				return errors.New("restore: name one of the runs that 'hellochaos status' lists, or give --all")
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
	cmd.Flags().StringVar(&edited, "edited", "", "what to do with `objects` that someone else has changed since the run: keep or overwrite (default: leave them, and end with exit code 5)")
	cmd.Flags().BoolVar(&all, "all", false, "restore every run in the namespace that did not put everything back")
	cmd.Flags().BoolVar(&now, "now", false, "do not wait until the lease has expired; only if you know that no run is at work in the namespace")
	return cmd
}

// restore undoes the changes of runs, those of the newest run first, because each run started from what the run before it had
// left.
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
			fmt.Fprintf(cmd.OutOrStdout(), "namespace %s: there is nothing to put back\n", c.Namespace())
		}
	}
	if err := errors.Join(problems...); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "hellochaos: not everything was restored:\n  %s\n", strings.ReplaceAll(err.Error(), "\n", "\n  "))
		return exit(reports.ExitNotRestored)
	}
	return nil
}

// countDown returns a function that shows on a terminal how long a wait may still last. In a pipe it shows nothing: there the
// line that announced the wait is enough.
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
