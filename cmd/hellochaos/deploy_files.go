package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/target/cluster"
)

// deployFiles are the flags of deploy for files of the user.
type deployFiles struct {
	files  []string
	shared bool
}

func (f *deployFiles) add(set *pflag.FlagSet) {
	set.StringArrayVarP(&f.files, "filename", "f", nil, "`file` or folder with your manifests, or - for standard input: deploy stand-ins of its services and its rules in place of the chain. You can repeat the flag")
	set.BoolVar(&f.shared, "shared-gateway", false, "with -f, let requests enter by the gateway pods that the files select; refused where others claim a host there")
}

// run deploys the files in namespaces that are made for them.
func (f *deployFiles) run(cmd *cobra.Command, image string) error {
	set := cmd.Flags()
	own := scratchFlags{target: "cluster", image: image, shared: f.shared}
	connection := pflag.NewFlagSet("", pflag.ContinueOnError)
	own.cluster = cluster.AddFlags(connection)
	connection.VisitAll(func(flag *pflag.Flag) { _ = connection.Set(flag.Name, set.Lookup(flag.Name).Value.String()) }) // strings take every value
	err := own.check(set, "", "")
	if set.Changed("service-type") {
		err = errors.Join(err, errors.New("--service-type: is for the chain, and with -f there is none"))
	}
	if err != nil {
		return fmt.Errorf("deploy:\n%w", err)
	}
	rules, err := readOwn(f.files, "", true, cmd.InOrStdin())
	if err != nil {
		return fmt.Errorf("deploy:\n%w", err)
	}
	moved, err := own.move(rules)
	if err != nil {
		return fmt.Errorf("deploy:\n%w", err)
	}
	options, _ := own.connection() // check has read them
	options.CountDown = countDown(cmd.ErrOrStderr())
	c, err := connect(cmd.Context(), options, lines(cmd.OutOrStdout()))
	if err != nil {
		return failure{err}
	}
	if err := protect(cmd.Context()); err != nil {
		return err
	}
	if err := c.DeployScratch(cmd.Context(), moved, image); err != nil {
		return notBegun(cmd.Context(), cmd.ErrOrStderr(), err)
	}
	out, name := cmd.OutOrStdout(), printable.Word(options.Namespace)
	for _, n := range moved.Namespaces {
		fmt.Fprintf(out, "Namespace %s stands in for %s\n", n.Name, n.Of)
	}
	for _, remark := range rules.remarks {
		fmt.Fprintf(out, "note: %s\n", printable.Line(remark))
	}
	fmt.Fprintf(out, "To verify the same files there, with the same or other rules, type:\n  hellochaos verify --target cluster -n %s%s\nTo delete all of it, type:\n  hellochaos undeploy -n %s\n", name, filesOf(f.files, f.shared), name)
	return nil
}

// filesOf are the flags that name the files.
func filesOf(files []string, shared bool) (text string) {
	for _, file := range files {
		text += " -f " + printable.Word(file)
	}
	if shared {
		text += " --shared-gateway"
	}
	return text
}
