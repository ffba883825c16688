package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/live"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/target"
)

func upCommand() *cobra.Command {
	names := scenarios.Names()
	userManifests := &manifestFlags{}
	flags := &pageFlags{}
	cmd := &cobra.Command{
		Use:   "up [STAGE|FILE]",
		Short: "run the services and the embedded mesh, and a page",
		Long: "Start the services and the embedded mesh, and apply the manifests of all stages\nup to STAGE (" + strings.Join(names, ", ") + "; default:\n" +
			"all of them). up prints the address of a page on which you see every try of a\nrequest, and move what decides it (docs/up.md), and then the addresses of the\nservices with some curl commands to try. It runs until you press Ctrl-C. A FILE\nis a scenario file, whose phases take the place of the stages.",
		Example:   "  hellochaos up retry --open\n  hellochaos up retry -f reviews.yaml\n  hellochaos up ./shop.yaml",
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: names,
	}
	flags.add(cmd.Flags())
	userManifests.add(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		stage := names[len(names)-1]
		if len(args) > 0 {
			stage = args[0]
		}
		chosen, err := scenarios.Open([]string{stage})
		if !scenarios.IsFile(stage) && (err != nil || !slices.Contains(names, stage)) {
			chosen, err = nil, fmt.Errorf("no stage %s%s: the stages are %s; a scenario file has a name that ends in .yaml or .yml, or a slash", stage, spelling.DidYouMean(stage, names), strings.Join(names, ", "))
		}
		overrides, problems := userManifests.load(chosen, cmd.InOrStdin(), cmd.ErrOrStderr())
		if err := errors.Join(err, problems, flags.check()); err != nil {
			return fmt.Errorf("up:\n%w", err)
		}
		if scenarios.IsFile(stage) {
			return flags.serve(cmd, live.Options{Scenario: chosen, Overrides: overrides}, func(s *live.Session, entry string) (string, error) {
				at := s.Whole().State
				return fmt.Sprintf("The services are running, and the phases of %s up to %s are applied. Ctrl-C ends them.\n%s\nA request like those of the page:\n%s\n", stage, at.Controls.Stage, entryLine(entry), at.Curl), nil
			})
		}
		_, gateway, host, err := through(stage, overrides)
		if err != nil {
			return fmt.Errorf("up:\n%w", err)
		}
		return flags.serve(cmd, live.Options{Controls: live.Controls{Stage: stage}, Overrides: overrides}, func(s *live.Session, entry string) (string, error) {
			return addresses(cmd.Context(), s.Mesh(), stage, gateway, host, entry)
		})
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

// entryLine says where requests enter, if that is at a fixed address.
func entryLine(fixed string) string {
	if fixed == "" {
		return ""
	}
	return fmt.Sprintf("entry     %s/  (where requests of the applied stage enter, on the page too)\n", fixed)
}

// addresses are those of the services, of the gateway and of the fixed entry (empty: there is none), with commands to try.
func addresses(ctx context.Context, m target.Target, stage, gateway, host, fixed string) (string, error) {
	frontend, err := m.Address(ctx, manifests.Entry{Service: "frontend"})
	if err != nil {
		return "", err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "The services are running, and the stages up to %s are applied. Ctrl-C ends them.\n\n", stage)
	fmt.Fprintf(&text, "frontend  %s/  (requests come straight from outside the mesh)\n", frontend.URL)
	entry := cmp.Or(fixed, frontend.URL)
	if gateway != "" {
		door, err := m.Address(ctx, manifests.Entry{Gateway: gateway})
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "gateway   %s/\n", door.URL)
		switch entry = cmp.Or(fixed, door.URL); {
		case door.TLS != nil: // curl connects to the address, asks for the host, and trusts nobody's certificate
			entry = "--insecure --connect-to ::" + strings.TrimPrefix(entry, "https://") + " https://" + printable.Word(host)
		case host != "":
			entry = "-H " + printable.Word("Host: "+host) + " " + entry
		}
	} else {
		fmt.Fprintf(&text, "gateway   there is none before stage ingress\n")
	}
	text.WriteString(entryLine(fixed))
	fmt.Fprintf(&text, "\nThe answer to a request lists every service that the request met:\ncurl %s/\n", entry)
	fmt.Fprintf(&text, "Here every service fails with probability 0.5. The answer says who failed,\nand who answered on which try; its status is the frontend's own:\ncurl -H 'fail: 0.5' %s/\n", entry)
	fmt.Fprintf(&text, "From stage canary on, this header leads to the canary; before, it does nothing:\ncurl -H 'x-dev-user: super-secret' %s/\n", entry)
	return text.String(), nil
}
