package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/mesh"
)

func upCommand() *cobra.Command {
	names := manifests.StageNames()
	own := &manifestFlags{}
	cmd := &cobra.Command{
		Use:       "up [STAGE]",
		Short:     "keep the chain on the embedded mesh running, to try it by hand",
		Long:      "Start the chain behind the embedded mesh with the stages up to STAGE applied\n(" + strings.Join(names, ", ") + "; default all), print its addresses,\nand keep it running until Ctrl-C.",
		Example:   "  hellochaos up retry\n  hellochaos up retry -f reviews.yaml",
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: names,
	}
	own.add(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		stage := names[len(names)-1]
		if len(args) > 0 {
			stage = args[0]
		}
		if !slices.Contains(names, stage) {
			return fmt.Errorf("up: no stage %s%s: the stages are %s", stage, spelling.DidYouMean(stage, names), strings.Join(names, ", "))
		}
		overrides, err := own.load(stage, cmd.InOrStdin(), cmd.ErrOrStderr())
		if err != nil {
			return fmt.Errorf("up:\n%w", err)
		}
		objects, host, err := through(stage, overrides)
		if err != nil {
			return fmt.Errorf("up:\n%w", err)
		}
		if err := hold(cmd.Context()); err != nil {
			return err
		}
		return up(cmd.Context(), stage, objects, host, cmd.OutOrStdout())
	}
	return cmd
}

// through are the objects of the stages up to one, with the user's own in place of bundled ones, and the Host that their
// gateway wants (empty: any); read once, so that what is wrong with them is said before anything is started.
func through(stage string, overrides map[string][]manifests.Object) (objects []manifests.Object, host string, err error) {
	if objects, err = manifests.Through(stage, overrides); err != nil {
		return nil, "", err
	}
	rules, err := manifests.Read(objects)
	if err != nil {
		return nil, "", err
	}
	for name := range rules.Gateways {
		host, _ = rules.EntryHost(name)
	}
	return objects, host, nil
}

// up runs the chain until ctx ends.
func up(ctx context.Context, stage string, objects []manifests.Object, host string, stdout io.Writer) error {
	m, err := mesh.New(mesh.Options{})
	if err != nil {
		return failure{fmt.Errorf("starting the embedded mesh: %w", err)}
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_, _ = m.Close(closing) // the process ends with it
	}()
	if err := m.Apply(ctx, objects); err != nil {
		return failure{fmt.Errorf("applying the stages up to %s: %w", stage, err)}
	}
	frontend, err := m.Address(ctx, target.Direct)
	if err != nil {
		return failure{err}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "The chain is up with the stages up to %s; Ctrl-C ends it.\n\n", stage)
	fmt.Fprintf(&text, "frontend  %s/  (direct: outside the mesh)\n", frontend.URL)
	entry := frontend.URL
	if gateway, err := m.Address(ctx, target.Gateway); err == nil {
		fmt.Fprintf(&text, "gateway   %s/\n", gateway.URL)
		if entry = gateway.URL; host != "" {
			entry = "-H " + printable.Word("Host: "+host) + " " + gateway.URL
		}
	} else {
		fmt.Fprintf(&text, "gateway   none before stage ingress\n")
	}
	fmt.Fprintf(&text, "\ncurl %s/\ncurl -H 'fail: 0.5' %s/\ncurl -H 'x-dev-user: super-secret' %s/\n", entry, entry, entry)
	if _, err := io.WriteString(stdout, text.String()); err != nil { // nobody would know where the chain is
		return failure{err}
	}
	<-ctx.Done()
	return nil
}
