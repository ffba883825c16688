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

// Capacity is how many tries a second a run sends through a cluster by default: a third of what the tutorial's chain can carry
// on one node of two cores (docs/performance.md).
const Capacity = 800

// Timed is the shortest wait between two tries that a run checks. Shorter waits cannot be measured on a cluster, since the way of
// a try through two sidecars takes milliseconds, and more on a busy node.
const Timed = 30 * time.Millisecond

// Run is a run on a cluster, from Begin to Close. It implements target.Target.
type Run struct {
	cluster *Cluster
	name    string
	lease   *lease
	journal *journal
	// known are the objects that the run may change, in the order in which they are written. probes are the objects of its probes.
	known  []*record
	probes map[reference]*record
	// workers are the objects of the workers that send its load; none where it has none.
	workers []*record
	// routed: some of the objects are of Gateway API, so that the run waits until proxies obey its routes, too.
	routed bool
	// rules are the rules that were applied last. gone ends when the lease is lost.
	rules *manifests.Rules
	gone  context.Context
	// applied is the set that was applied last, with Options.Gradual.
	applied []manifests.Object
	// steady is how the chain answered before the first change.
	steady string
	// entryType is the type that the Service of the chain's entry had before the run. The run keeps it, since it must not open to
	// the outside what 'hellochaos deploy' has closed.
	entryType string
	// edited decides what a restore does with objects that somebody else has changed.
	edited Edits
	// baseline are the objects of others that change what proxies do, as they were when they were last read.
	baseline map[string]*unstructured.Unstructured

	mutex     sync.Mutex
	tallies   map[types.UID]*tally
	incidents []target.Incident
	entries   map[manifests.Entry]openEntry
	tunnelled bool // whether an entry needed a port-forward
	outdated  bool // whether the entries were found before the rules that are in force; requests may still be under way there
	// began and ended are the moments at the ends of the present phase. unscraped means that the user's Prometheus gave no
	// counts, and is not asked again.
	began, ended *moment
	unscraped    bool
}

// openEntry is the address of an entry that was found, and what must be closed when it is not needed any more.
type openEntry struct {
	address target.Address
	closer  io.Closer
}

var _ target.Target = (*Run)(nil)

// Begin takes the namespace for a run that will apply these sets of objects. It checks that no other run is at work and that
// every earlier run was put back, tries every object in a dry run, and records the present objects in the journal. When it
// returns an error, nothing has been changed; the error joins all problems that were found.
func (c *Cluster) Begin(ctx context.Context, sets [][]manifests.Object) (*Run, error) {
	if c.istioVersion == "" {
		return nil, fmt.Errorf("the cluster at %s has no Istio (no API group %s): install it, for example with 'make deploy-istio'", c.server, istioGroup)
	}
	return c.enter(ctx, func(r *Run) error { return r.begin(ctx, sets) })
}

// enter takes the namespace for a run, which begin then prepares. When it returns an error, nothing has been changed.
func (c *Cluster) enter(ctx context.Context, begin func(*Run) error) (*Run, error) {
	if err := c.unfinished(ctx, ""); err != nil {
		return nil, err
	}
	r := &Run{cluster: c, probes: map[reference]*record{}, entries: map[manifests.Entry]openEntry{}}
	r.name = fmt.Sprintf("%s-%04x", time.Now().UTC().Format("20060102-150405"), rand.N(1<<16))
	var lost context.CancelCauseFunc
	r.gone, lost = context.WithCancelCause(context.WithoutCancel(ctx))
	var err error
	if r.lease, err = c.acquire(ctx, r.name, lost); err != nil {
		return nil, err
	}
	if err := begin(r); err != nil {
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
	if err := r.cluster.missingGatewayAPI(sets); err != nil {
		return err
	}
	r.routed = slices.ContainsFunc(sets, usesGatewayAPI)
	others, err := r.cluster.conflicts(ctx, sets)
	if err != nil {
		return err
	}
	if len(others) > 0 && !r.cluster.options.TakeOver {
		return refused(others)
	}
	if err := r.cluster.rehearse(ctx, wanted); err != nil {
		return fmt.Errorf("the API server refuses objects of the stages, and nothing was changed:\n%w", channel(err))
	}
	if r.rules, err = manifests.Read(sets[0]); err != nil {
		return err
	}
	if err := r.outbound(ctx, sets); err != nil {
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
	return r.keepJournal(ctx, before)
}

// keepJournal begins the journal of the run.
func (r *Run) keepJournal(ctx context.Context, before []snapshot) (err error) {
	workers, err := r.expectWorkers(ctx)
	if err != nil {
		return err
	}
	host, number := process()
	r.journal, err = r.cluster.newJournal(ctx, header{Name: r.name, Version: r.cluster.options.Version, Command: r.cluster.options.Command,
		Server: r.cluster.server, Namespace: r.cluster.namespace, Host: host, Process: number, Started: time.Now().UTC(), Steady: r.steady}, append(before, workers...))
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

// wanted is every object that the sets would write. An object that differs between sets is there once in each form.
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
				return nameOf(other) == nameOf(u) && contentOf(other).equal(contentOf(u))
			}
			if !slices.ContainsFunc(all, same) {
				all = append(all, u)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *unstructured.Unstructured) int {
		return slices.Index(runKinds, nameOf(a).Kind) - slices.Index(runKinds, nameOf(b).Kind)
	})
	return all, errors.Join(problems...)
}

// changes reports whether a run writes an object. It writes the policies and Services of its namespace, but neither Deployments
// nor what Deploy has installed in another namespace.
func (r *Run) changes(o *manifests.Object) bool {
	foreign := o.Meta.Namespace != "" && o.Meta.Namespace != r.cluster.namespace
	return slices.Contains(runKinds, r.cluster.referenceOf(o).Kind) && !(foreign && o.File == clockFile)
}

// clockFile is the bundled file of the clock, which is outside the mesh.
const clockFile = "clock.yaml"

// snapshots reads all objects that the run may change, as they are before the run.
func (r *Run) snapshots(ctx context.Context, wanted []*unstructured.Unstructured, others []reference) ([]snapshot, error) {
	var references []reference
	add := func(ref reference) {
		if !slices.Contains(references, ref) {
			references = append(references, ref)
		}
	}
	for _, u := range wanted {
		add(nameOf(u))
	}
	for _, o := range others {
		add(o)
	}
	for _, kind := range r.probeKinds() {
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
			rec.before = nil // the probe of an earlier run is not needed any more
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

// probeKinds are the kinds of the objects of the run's probes, in the order in which they are written.
func (r *Run) probeKinds() []string {
	kinds := []string{"ServiceEntry", "DestinationRule", "Gateway", "VirtualService"}
	if r.routed {
		kinds = append(kinds, routeKind)
	}
	return kinds
}

// record finds the record of an object; nil if the run may not change the object.
func (r *Run) record(ref reference) *record {
	i := slices.IndexFunc(r.known, func(rec *record) bool { return rec.reference == ref })
	if i < 0 {
		return nil
	}
	return r.known[i]
}

// Name is the run's name, for 'hellochaos restore'.
func (r *Run) Name() string { return r.name }

// RestoreCommand is the command that puts the cluster back if this process cannot.
func (r *Run) RestoreCommand() string { return r.cluster.RestoreCommand(r.name) }

// RestoreCommand is the command that puts back what a run has changed in the namespace.
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
		Versions: versionsOf(kubernetes, istio), Traced: true, ByConnection: true}
}

// istioRelease is the release of Istio, taken from the image of its control plane, or "of an unknown release" if the control
// plane's pods cannot be listed.
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

// Address implements target.Target. It looks for an entry once for each set of rules. A gateway opens its port only some time
// after its first Gateway was written. So a port-forward, which is slow, is used only if no other way works for a quarter of the
// cluster's Wait, or at once if an entry needed one before.
func (r *Run) Address(ctx context.Context, entry manifests.Entry) (target.Address, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.outdated {
		r.shutAll()
	}
	return r.open(ctx, entry)
}

// open is Address for callers that hold the mutex. It takes an entry that was found before.
func (r *Run) open(ctx context.Context, entry manifests.Entry) (target.Address, error) {
	if found, ok := r.entries[entry]; ok {
		return found.address, nil
	}
	ticker := time.NewTicker(entryEvery)
	defer ticker.Stop()
	for patience := time.Now().Add(r.cluster.options.Wait / 4); ; {
		last := r.tunnelled || time.Now().After(patience)
		address, closer, err := r.cluster.address(ctx, entry, r.rules, last)
		if err == nil {
			r.entries[entry] = openEntry{address, closer}
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

// entryEvery is the time between two attempts to find an entry.
const entryEvery = 200 * time.Millisecond

// shut closes the entries that were found.
func (r *Run) shut() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.shutAll()
}

// outdate makes the next Address look for the entries again, which stay open until then.
func (r *Run) outdate() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.outdated = true
}

// shutAll is shut for callers that hold the mutex.
func (r *Run) shutAll() {
	r.outdated = false
	for entry, open := range r.entries {
		if open.closer != nil {
			_ = open.closer.Close() // nobody uses the address any more
		}
		delete(r.entries, entry)
	}
}
