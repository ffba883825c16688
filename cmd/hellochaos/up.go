package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/target/mesh"
)

func upCommand() *cobra.Command {
	names := scenarios.Names()
	userManifests := &manifestFlags{}
	cmd := &cobra.Command{
		Use:   "up [STAGE]",
		Short: "run the services and the embedded mesh, to try by hand",
		Long: "Start the services and the embedded mesh, and apply the manifests of all stages\nup to STAGE (" + strings.Join(names, ", ") + "; default:\n" +
			"all of them). up prints the addresses and some curl commands to try. It runs\nuntil you press Ctrl-C.",
		Example:   "  hellochaos up retry\n  hellochaos up retry -f reviews.yaml",
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: names,
	}
	userManifests.add(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		stage := names[len(names)-1]
		if len(args) > 0 {
			stage = args[0]
		}
		chosen, err := scenarios.Open([]string{stage})
		if err != nil || !slices.Contains(names, stage) {
			return fmt.Errorf("up: no stage %s%s: the stages are %s", stage, spelling.DidYouMean(stage, names), strings.Join(names, ", "))
		}
		overrides, err := userManifests.load(chosen, cmd.InOrStdin(), cmd.ErrOrStderr())
		if err != nil {
			return fmt.Errorf("up:\n%w", err)
		}
		objects, gateway, host, err := through(stage, overrides)
		if err != nil {
			return fmt.Errorf("up:\n%w", err)
		}
		if err := protect(cmd.Context()); err != nil {
			return err
		}
		return up(cmd.Context(), stage, objects, gateway, host, cmd.OutOrStdout())
	}
	return cmd
}

// through returns the objects of all stages up to stage, with the user's objects in place of bundled ones, and the Host header
// that a request to the Entrance of their Gateway (empty: there is none) needs (empty: any). It also reads them, so that every problem with them is reported before
// anything is started.
func through(stage string, overrides map[string][]manifests.Object) (objects []manifests.Object, gateway, host string, err error) {
	if objects, err = scenarios.Through(stage, overrides); err != nil {
		return nil, "", "", err
	}
	rules, err := manifests.Read(objects)
	if err != nil {
		return nil, "", "", err
	}
	for _, name := range slices.Sorted(maps.Keys(rules.Gateways)) {
		gateway = name
		host, _ = rules.EntryHost(name, 0)
	}
	return objects, gateway, host, nil
}

// up runs the chain until ctx ends.
func up(ctx context.Context, stage string, objects []manifests.Object, gateway, host string, stdout io.Writer) error {
	m, err := mesh.New(mesh.Options{})
	if err != nil {
		return failure{fmt.Errorf("starting the embedded mesh: %w", err)}
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_, _ = m.Close(closing) // the process ends now, and what the mesh holds ends with it
	}()
	if err := m.Apply(ctx, objects); err != nil {
		return failure{fmt.Errorf("applying the stages up to %s: %w", stage, err)}
	}
	frontend, err := m.Address(ctx, manifests.Entry{Service: "frontend"})
	if err != nil {
		return failure{err}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "The services are running, and the stages up to %s are applied. Ctrl-C ends them.\n\n", stage)
	fmt.Fprintf(&text, "frontend  %s/  (requests come straight from outside the mesh)\n", frontend.URL)
	entry := frontend.URL
	if gateway != "" {
		door, err := m.Address(ctx, manifests.Entry{Gateway: gateway})
		if err != nil {
			return failure{err}
		}
		fmt.Fprintf(&text, "gateway   %s/\n", door.URL)
		switch entry = door.URL; {
		case door.TLS != nil: // curl connects to the address, asks for the host, and trusts nobody's certificate
			entry = "--insecure --connect-to ::" + strings.TrimPrefix(door.URL, "https://") + " https://" + printable.Word(host)
		case host != "":
			entry = "-H " + printable.Word("Host: "+host) + " " + door.URL
		}
	} else {
		fmt.Fprintf(&text, "gateway   there is none before stage ingress\n")
	}
	fmt.Fprintf(&text, "\nThe answer to a request lists every service that the request met:\ncurl %s/\n", entry)
	fmt.Fprintf(&text, "Here every service fails with probability 0.5. The answer says who failed, on which try:\ncurl -H 'fail: 0.5' %s/\n", entry)
	fmt.Fprintf(&text, "Stage canary sends a request with this header to the canary:\ncurl -H 'x-dev-user: super-secret' %s/\n", entry)
	if _, err := io.WriteString(stdout, text.String()); err != nil { // without the addresses the user cannot reach the services
		return failure{err}
	}
	<-ctx.Done()
	return nil
}
