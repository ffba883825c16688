package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/scenarios/draft"
	"github.com/hellochaos/hellochaos/target/cluster"
)

// The files that import writes.
const (
	applicationFile = "application.yaml"
	policiesFile    = "policies.yaml"
	scenarioFile    = "scenario.yaml"
)

func importCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "import -n NAMESPACE",
		Short: "write a scenario from a namespace of a cluster",
		Long: `Read a namespace of a cluster, and write its rehearsal: ` + applicationFile + ` with
its Services and workloads, ` + policiesFile + ` with the objects that act on its
requests, and ` + scenarioFile + `, which 'hellochaos run' runs without the cluster.
Nothing on the cluster is changed.

Of a workload the files have its labels, its number of pods, and the names,
images and ports of its containers: no variables and no arguments, in which
secrets may be.

Who calls whom is asked of a Prometheus (--prometheus-url) with Istio's metric
istio_requests_total, or else of the proxies of the pods, which count what they
sent to each host since they started. Where nothing counts calls, FILL IN marks
the places.`,
		Example: `  hellochaos import -n shop
  hellochaos import -n shop --out rehearsal --prometheus-url http://prometheus:9090`,
		Args: cobra.NoArgs,
	}
	flags := cluster.AddFlags(cmd.Flags())
	cmd.Flags().Lookup("namespace").Usage = "`namespace` to read (default: that of the context)"
	cmd.Flags().StringVar(&out, "out", "", "`folder` to write the files into, which must not be there (default: the name of the namespace)")
	flags.AddPrometheusFlag(cmd.Flags(), "it is asked who calls whom")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o, err := flags.Options()
		if out != "" {
			err = errors.Join(err, free(out))
		}
		if err != nil {
			return fmt.Errorf("import:\n%w", err)
		}
		c, err := connect(cmd.Context(), o, nil)
		if err != nil {
			return failure{err}
		}
		folder := cmp.Or(out, c.Namespace())
		if err := free(folder); err != nil {
			return fmt.Errorf("import:\n%w", err)
		}
		found, err := c.Import(cmd.Context())
		if err != nil {
			return failure{err}
		}
		if len(found.Application) == 0 {
			return failure{fmt.Errorf("import: namespace %s has no Service and no workload: 'kubectl get namespaces' lists the namespaces, and -n names one", c.Namespace())}
		}
		return rehearse(cmd, folder, c.Namespace(), found)
	}
	return cmd
}

// free refuses the name of a folder that is there.
func free(folder string) error {
	if _, err := os.Lstat(folder); err == nil {
		return fmt.Errorf("%s: is there already: name another folder with --out", folder)
	}
	return nil
}

// rehearse writes what was found in a namespace into a folder.
func rehearse(cmd *cobra.Command, folder, namespace string, found *cluster.Imported) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return failure{fmt.Errorf("making the folder %s: %w", folder, err)}
	}
	var files []string
	for name, text := range map[string][]byte{applicationFile: found.Application, policiesFile: found.Policies} {
		if len(text) == 0 {
			continue
		}
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return failure{fmt.Errorf("writing %s: %w", file, err)}
		}
		files = append(files, file)
	}
	slices.Sort(files)
	name := filepath.Join(folder, scenarioFile)
	text, circular, err := drafted([]string{namespace}, files, name, called(namespace, found.Calls))
	if err != nil {
		return fmt.Errorf("import: the files are in %s, and no scenario that runs can be made of them:\n%w\nchange the files, and type: hellochaos init -f %s %s", folder, err, printable.Word(folder), printable.Word(name))
	}
	stdout := cmd.OutOrStdout()
	for _, remark := range found.Remarks {
		fmt.Fprintf(stdout, "note: %s\n", printable.Line(remark))
	}
	for _, c := range circular {
		fmt.Fprintf(stdout, "note: %s calls %s (%s), and calls lead from there back to it: left out, since its stand-in would call forever.\n", c.Workload, c.Address, c.By)
	}
	sayCalls(stdout, found)
	return writeScenario(cmd, name, text, found.Source == "")
}

// sayCalls says by what it is known who calls whom.
func sayCalls(w io.Writer, found *cluster.Imported) {
	if found.Source == "" {
		fmt.Fprintln(w, "Nothing counted who calls whom.")
		return
	}
	fmt.Fprintf(w, "Who calls whom is known from %s: %s of a caller and a host.\n", found.Source, several(len(found.Calls), "pair"))
}

// called are calls that were counted, the most frequent first.
func called(namespace string, all []cluster.ImportedCall) (found []draft.Called) {
	slices.SortStableFunc(all, func(a, b cluster.ImportedCall) int { return cmp.Compare(b.Count, a.Count) })
	for _, c := range all {
		tries := "tries"
		if c.Count == 1 {
			tries = "try"
		}
		found = append(found, draft.Called{Workload: namespace + "/" + c.Workload, Address: "http://" + strings.ToLower(c.Host) + "/", Sure: true,
			By: fmt.Sprintf("%s %s to %s counted", render.Count(c.Count), tries, c.Host)})
	}
	return found
}
