package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/manifests/scratch"
	"github.com/hellochaos/hellochaos/reports"
	scenario "github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/scenarios/standins"
	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/cluster"
)

// scratchNamespace is the first of the namespaces that verify makes on a cluster, unless -n says another name.
const scratchNamespace = "hellochaos-scratch"

// scratchFlags are the flags of verify for a cluster.
type scratchFlags struct {
	target, image string
	shared        bool
	cluster       *cluster.Flags
}

// onlyOnCluster are the flags of verify that need --target cluster.
var onlyOnCluster = []string{"kubeconfig", "context", "namespace", "wait", "image", "shared-gateway"}

func (f *scratchFlags) add(set *pflag.FlagSet) {
	set.StringVar(&f.target, "target", "mesh", "where the files are executed: mesh (the embedded mesh, in this process) or cluster (namespaces that are made for it on a Kubernetes cluster with Istio, and deleted at the end)")
	set.StringVar(&f.image, "image", "hello-service", "container `image` of hello-service, the program of every stand-in on a cluster")
	set.BoolVar(&f.shared, "shared-gateway", false, "on a cluster, let requests enter by the gateway pods that the files select, and not by some of the run's own; refused where others claim a host there")
	f.cluster = cluster.AddFlags(set)
	set.Lookup("namespace").Usage = "`namespace` to be made on a cluster; the others that are made have names that begin with it (default " + scratchNamespace + ")"
}

// check refuses what does not go together. given reports whether a flag was given.
func (f *scratchFlags) check(set *pflag.FlagSet, deviation, graph string) error {
	var problems []error
	switch f.target {
	case "mesh":
		for _, name := range onlyOnCluster {
			if set.Changed(name) {
				problems = append(problems, fmt.Errorf("--%s: needs --target cluster", name))
			}
		}
	case "cluster":
		if deviation != "" {
			problems = append(problems, errors.New("--break: needs --target mesh, since only the embedded mesh can disobey the manifests on purpose"))
		}
		if graph != "" {
			problems = append(problems, errors.New("--graph: needs --target mesh, since the services of a topology are not deployed on a cluster"))
		}
		if !imageForm.MatchString(f.image) {
			problems = append(problems, fmt.Errorf("--image %q: must be the reference of an image, such as registry.example/hello-service:1.0", f.image))
		}
	default:
		problems = append(problems, fmt.Errorf("--target %s: must be mesh or cluster%s", f.target, spelling.DidYouMean(f.target, []string{"mesh", "cluster"})))
	}
	if _, err := f.connection(); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// connection are the options of the cluster.
func (f *scratchFlags) connection() (cluster.Options, error) {
	o, err := f.cluster.Options()
	if o.Namespace == "" {
		o.Namespace = scratchNamespace
	}
	return o, err
}

// withoutMeshWide are the objects of files without those that act on the whole mesh, and a sentence about each that is left out.
func withoutMeshWide(objects []manifests.Object) (rest []manifests.Object, left []string) {
	for i := range objects {
		o := &objects[i]
		if !scratch.MeshWide(o) {
			rest = append(rest, *o)
			continue
		}
		left = append(left, fmt.Sprintf("NOT APPLIED: %s (%s:%d) acts on the whole mesh from namespace %s, so that it is neither applied on the cluster nor part of what is predicted here.",
			o.Name(), o.File, o.Line, o.InNamespace()))
	}
	return rest, left
}

// move moves the objects of the files and their stand-ins into namespaces of a cluster, and notes what becomes of hosts.
func (f *scratchFlags) move(own *ownRules) (*scratch.Set, error) {
	connection, err := f.connection()
	if err != nil {
		return nil, err
	}
	set, err := scratch.Move(own.phase.Objects, scratch.Options{Base: connection.Namespace, Client: standins.Client, Callers: own.callers(), Outside: standins.Outside, Shared: f.shared,
		Policies: own.policies})
	if err != nil {
		return nil, err
	}
	for _, text := range set.Left {
		own.remarks = append(own.remarks, "NOT APPLIED: "+text)
	}
	if len(set.Beyond) > 0 {
		own.remarks = append(own.remarks, "NOT PREDICTED: "+strings.Join(set.Beyond, ", ")+". The cluster obeys them, and what requests meet is predicted as if they were not there, so that what contradicts the prediction may be their effect.")
	}
	var hosts []string
	for _, h := range set.Hosts {
		hosts = append(hosts, h.Was+" is "+h.Is)
	}
	if len(hosts) > 0 {
		own.remarks = append(own.remarks, "On the cluster these hosts of the files have another namespace: "+strings.Join(hosts, ", ")+".")
	}
	return set, nil
}

// callers are the pods that send requests by their labels, each once, sorted.
func (o *ownRules) callers() (all []string) {
	for i := range o.phase.Cohorts {
		caller := o.phase.Cohorts[i].Entry.Caller
		if _, _, deployment := o.phase.Cohorts[i].Entry.Pods(); deployment != "" && !slices.Contains(all, caller) {
			all = append(all, caller)
		}
	}
	slices.Sort(all)
	return all
}

// begin makes the namespaces and runs the stand-ins there.
func (f *scratchFlags) begin(ctx context.Context, set *scratch.Set, progress io.Writer, undo *atomic.Pointer[string]) (target.Target, error) {
	connection, err := f.connection()
	if err != nil {
		return nil, err
	}
	c, err := connect(ctx, connection, lines(progress))
	if err != nil {
		return nil, err
	}
	if err := protect(ctx); err != nil {
		return nil, err
	}
	run, err := c.BeginScratch(ctx, set, cluster.ScratchOptions{Image: f.image, Begun: func(command string) { undo.Store(&command) }})
	if err != nil {
		return nil, err
	}
	return run, nil
}

// notBegun is the error with which the program ends where a target could not be prepared, which it prints.
func notBegun(ctx context.Context, stderr io.Writer, err error) error {
	code := 0
	switch {
	case errors.Is(err, cluster.ErrLeft):
		code = reports.ExitNotRestored
	case ctx.Err() != nil:
		code = reports.ExitAborted
	default:
		return failure{err}
	}
	fmt.Fprintf(stderr, "hellochaos: %s\n", strings.ReplaceAll(err.Error(), "\n", "\n  "))
	return exit(code)
}

// pace is that of the target.
func (f *scratchFlags) pace() scenario.Pace {
	if f.target == "cluster" {
		return scenario.Pace{Capacity: cluster.ScratchCapacity, Timed: cluster.Timed}
	}
	return meshPace
}
