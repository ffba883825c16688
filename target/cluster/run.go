package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/target"
)

// Capacity is how many tries a second a run sends through a cluster unless its user says otherwise: a third of what the
// tutorial's chain carries on one node of two cores (docs/performance.md).
const Capacity = 600

// Timed is the shortest wait between tries that a run is held to: a try's way through two sidecars takes milliseconds, and a
// busy node some more.
const Timed = 30 * time.Millisecond

// Run is a run's hold on a cluster, from Begin to Close. It implements target.Target.
type Run struct {
	cluster *Cluster
	name    string
	lease   *lease
	journal *journal
	// known are the objects that the run may change, in the order in which they are written; probes those that carry its
	// nonces, which nobody else needs.
	known  []*record
	probes map[reference]*record
	// rules are those applied last, gone when the lease is lost.
	rules *manifests.Rules
	gone  context.Context
	// steady is how the chain answered before the first change.
	steady string
	// entryType is the type that the chain's entry had before: the application's objects keep it, since a run must not open
	// to the outside what 'hellochaos deploy' has closed.
	entryType string
	// edited is what a restore does with objects that another has changed.
	edited Edits
	// baseline are the objects of others that change what proxies do, as they were when last looked at.
	baseline map[string]*unstructured.Unstructured

	mutex     sync.Mutex
	tallies   map[types.UID]*tally
	incidents []target.Incident
	doors     map[target.Entry]door
	tunnelled bool // an entry needed a port-forward
	// began and ended are what was read at the ends of the present phase; unscraped: the user's Prometheus is of no use.
	began, ended *moment
	unscraped    bool
}

// door is an entry that was found, and what must be closed with it.
type door struct {
	address target.Address
	closer  io.Closer
}

var _ target.Target = (*Run)(nil)

// Begin takes the namespace for a run that will apply these sets of objects: it looks that nobody else is at work and that
// nothing of an earlier run is left, tries every object without effect, and writes down what is there. Nothing is changed
// when it returns an error, which has all that was found.
func (c *Cluster) Begin(ctx context.Context, sets [][]manifests.Object) (*Run, error) {
	if c.istioVersion == "" {
		return nil, fmt.Errorf("the cluster at %s has no Istio (no API group %s): install it, for example with 'make deploy-istio'", c.server, istioGroup)
	}
	if err := c.unfinished(ctx, ""); err != nil {
		return nil, err
	}
	r := &Run{cluster: c, probes: map[reference]*record{}, doors: map[target.Entry]door{}}
	r.name = fmt.Sprintf("%s-%04x", time.Now().UTC().Format("20060102-150405"), rand.N(1<<16))
	var lost context.CancelCauseFunc
	r.gone, lost = context.WithCancelCause(context.WithoutCancel(ctx))
	var err error
	if r.lease, err = c.acquire(ctx, r.name, lost); err != nil {
		return nil, err
	}
	if err := r.begin(ctx, sets); err != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.options.Wait)
		defer cancel()
		if r.journal != nil {
			err = errors.Join(err, r.journal.remove(closing))
			r.journal.close()
		}
		return nil, errors.Join(err, r.lease.release(closing))
	}
	return r, nil
}

func (r *Run) begin(ctx context.Context, sets [][]manifests.Object) error {
	if err := r.cluster.unfinished(ctx, r.name); err != nil {
		return err
	}
	var err error
	if r.entryType, err = r.cluster.entryType(ctx); err != nil {
		return err
	}
	wanted, err := r.wanted(sets)
	if err != nil {
		return err
	}
	others, err := r.cluster.conflicts(ctx, sets)
	if err != nil {
		return err
	}
	if len(others) > 0 && !r.cluster.options.TakeOver {
		return refused(others)
	}
	if err := r.cluster.rehearse(ctx, wanted); err != nil {
		return fmt.Errorf("the API server refuses objects of the stages, and nothing was changed:\n%w", err)
	}
	if r.rules, err = manifests.Read(sets[0]); err != nil {
		return err
	}
	if err := r.cluster.gateways(ctx, sets); err != nil {
		return err
	}
	if r.steady, err = r.cluster.steadyState(ctx, r.rules); err != nil {
		return err
	}
	before, err := r.snapshots(ctx, wanted, others)
	if err != nil {
		return err
	}
	if r.baseline, err = r.cluster.bystanders(ctx); err != nil {
		return err
	}
	host, number := process()
	r.journal, err = r.cluster.newJournal(ctx, header{Name: r.name, Version: r.cluster.options.Version, Command: r.cluster.options.Command,
		Server: r.cluster.server, Namespace: r.cluster.namespace, Host: host, Process: number, Started: time.Now().UTC(), Steady: r.steady}, before)
	return err
}

// refused is the error about objects of others that make rules for the run's hosts.
func refused(others []reference) error {
	var problems []error
	for _, o := range others {
		problems = append(problems, fmt.Errorf("%s in namespace %s makes rules for a host of the chain, as the stages do: "+
			"delete it with 'kubectl delete %s %s -n %s', or run with --take-over, which removes it for the run and puts it back at the end", o, o.Namespace, strings.ToLower(o.Kind), printable.Word(o.Name), printable.Word(o.Namespace)))
	}
	return errors.Join(problems...)
}

// wanted is every object that the sets would write, each form of it once.
func (r *Run) wanted(sets [][]manifests.Object) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	var problems []error
	for _, set := range sets {
		for i := range set {
			o := &set[i]
			if !r.changes(o) {
				continue
			}
			if ref := r.cluster.referenceOf(o); ref.Namespace != r.cluster.namespace {
				problems = append(problems, fmt.Errorf("%s:%d: %s is in namespace %s, but a run changes only objects of its own namespace, which is %s: leave out metadata.namespace",
					o.File, o.Line, o.Name(), ref.Namespace, r.cluster.namespace))
				continue
			}
			u, err := r.cluster.desired(o)
			if err == nil && isEntry(o) {
				err = setServiceType(u, r.entryType)
			}
			if err != nil {
				return nil, err
			}
			same := func(other *unstructured.Unstructured) bool {
				return other.GetKind() == u.GetKind() && other.GetName() == u.GetName() && contentOf(other).equal(contentOf(u))
			}
			if !slices.ContainsFunc(all, same) {
				all = append(all, u)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *unstructured.Unstructured) int {
		return slices.Index(runKinds, a.GetKind()) - slices.Index(runKinds, b.GetKind())
	})
	return all, errors.Join(problems...)
}

// changes reports whether a run writes an object: its namespace's policies and Services. What Deploy installed elsewhere,
// and the Deployments, it leaves alone.
func (r *Run) changes(o *manifests.Object) bool {
	foreign := o.Meta.Namespace != "" && o.Meta.Namespace != r.cluster.namespace
	return slices.Contains(runKinds, o.Kind) && !(foreign && o.File == clockFile)
}

// clockFile is the bundled file of what stands outside the mesh.
const clockFile = "clock.yaml"

// snapshots reads all that the run may change.
func (r *Run) snapshots(ctx context.Context, wanted []*unstructured.Unstructured, others []reference) ([]snapshot, error) {
	var references []reference
	add := func(ref reference) {
		if !slices.Contains(references, ref) {
			references = append(references, ref)
		}
	}
	for _, u := range wanted {
		add(reference{u.GetKind(), u.GetNamespace(), u.GetName()})
	}
	for _, o := range others {
		add(o)
	}
	for _, kind := range []string{"ServiceEntry", "DestinationRule", "Gateway", "VirtualService"} {
		add(reference{kind, r.cluster.namespace, probeName})
	}
	var all []snapshot
	for _, ref := range references {
		s := snapshot{Reference: ref}
		rec := &record{reference: ref}
		err := r.cluster.again(ctx, "reading "+ref.String(), func(ctx context.Context) (err error) {
			rec.before, err = r.cluster.get(ctx, ref)
			return err
		})
		if err != nil {
			return nil, err
		}
		if ref.Name == probeName {
			rec.before = nil // a nonce that was left over has no meaning any more
			r.probes[ref] = rec
		} else {
			r.known = append(r.known, rec)
		}
		if rec.before != nil {
			unstructured.RemoveNestedField(rec.before.Object, "status")
			s.Object, rec.ours = rec.before.Object, contentOf(rec.before)
		}
		all = append(all, s)
	}
	return all, nil
}

// record is what is known of an object.
func (r *Run) record(ref reference) *record {
	i := slices.IndexFunc(r.known, func(rec *record) bool { return rec.reference == ref })
	if i < 0 {
		return nil
	}
	return r.known[i]
}

// Name is the run's name, by which 'hellochaos restore' knows it.
func (r *Run) Name() string { return r.name }

// RestoreCommand is what puts the cluster back if this process cannot.
func (r *Run) RestoreCommand() string { return r.cluster.RestoreCommand(r.name) }

// RestoreCommand is what puts back what a run left in the namespace.
func (c *Cluster) RestoreCommand(run string) string {
	return "hellochaos restore " + printable.Word(run) + c.flags()
}

// flags are the command-line flags that choose this cluster.
func (c *Cluster) flags() string {
	text := " -n " + printable.Word(c.namespace)
	if c.context != "" {
		text += " --context " + printable.Word(c.context)
	}
	if c.options.Kubeconfig != "" {
		text += " --kubeconfig " + printable.Word(c.options.Kubeconfig)
	}
	return text
}

// Describe implements target.Target.
func (r *Run) Describe() target.Description {
	kubernetes, istio := strings.TrimPrefix(r.cluster.kubernetes, "v"), r.cluster.istioRelease()
	return target.Description{Kind: "cluster", Detail: fmt.Sprintf("Kubernetes %s, Istio %s, namespace %s", kubernetes, istio, r.cluster.namespace),
		Versions: versionsOf(kubernetes, istio), Traced: true}
}

// istioRelease is the release of Istio as its control plane's pods say, "of an unknown release" when they may not be seen.
func (c *Cluster) istioRelease() string {
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	pods, err := c.core.CoreV1().Pods(istioSystem).List(ctx, metav1.ListOptions{LabelSelector: "app=istiod"})
	if err != nil || len(pods.Items) == 0 {
		return "of an unknown release"
	}
	image := pods.Items[0].Spec.Containers[0].Image
	return image[strings.LastIndex(image, ":")+1:]
}

// Address implements target.Target. An entry is looked for once for each set of rules. A gateway opens its port some time
// after the first Gateway: a port-forward, which is slow, is taken only when nothing else leads in for that long, and
// without delay where it was needed before.
func (r *Run) Address(ctx context.Context, entry target.Entry) (target.Address, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if found, ok := r.doors[entry]; ok {
		return found.address, nil
	}
	ticker := time.NewTicker(doorEvery)
	defer ticker.Stop()
	for patience := time.Now().Add(r.cluster.options.Wait / 4); ; {
		last := r.tunnelled || time.Now().After(patience)
		address, closer, err := r.cluster.address(ctx, entry, r.rules, last)
		if err == nil {
			r.doors[entry] = door{address, closer}
			r.tunnelled = closer != nil
			return address, nil
		}
		if last || !errors.Is(err, errUnreached) {
			return target.Address{}, err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return target.Address{}, errors.Join(context.Cause(ctx), err)
		}
	}
}

// doorEvery is the time between two looks for an entry.
const doorEvery = 200 * time.Millisecond

// shut closes the entries that were found.
func (r *Run) shut() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for entry, door := range r.doors {
		if door.closer != nil {
			_ = door.closer.Close() // an address that is given up
		}
		delete(r.doors, entry)
	}
}
