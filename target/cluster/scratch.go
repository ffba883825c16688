package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/manifests/scratch"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/certificates"
)

// ScratchCapacity is how many tries a second a run sends by default to stand-ins in namespaces of its own, which share their nodes with
// whatever else runs there.
const ScratchCapacity = 200

// ScratchOptions say how a set runs in namespaces of its own.
type ScratchOptions struct {
	// Image is that of hello-service. It is not used where the stand-ins run already.
	Image string
	// Keep leaves the namespaces when the run is closed. They also stay where DeployScratch had made them before.
	Keep bool
	// Begun, if it is not nil, is called before the first write with the command that removes everything, unless the namespaces stay.
	Begun func(restore string)
}

// Scratch is a run in namespaces that were made for it. It implements target.Target. It writes nothing outside these namespaces, and
// its end is that they are deleted.
type Scratch struct {
	*Run
	set  *scratch.Set
	made []madeNamespace
	// issuer makes the certificates of the set; nil where it needs none.
	issuer *certificates.Issuer
	// adopted: the namespaces were there before. kept: they stay.
	adopted, kept bool
}

var _ target.Target = (*Scratch)(nil)

// BeginScratch makes the namespaces of a set, and runs its stand-ins there, unless DeployScratch has done so. The cluster's namespace must
// be the set's first one. It returns when all pods are ready. When it returns an error, nothing of the run is left in the cluster, unless
// it is an ErrLeft. Nothing was written if somebody else has a namespace of that name, or rules for a host at the shared gateway.
func (c *Cluster) BeginScratch(ctx context.Context, set *scratch.Set, o ScratchOptions) (*Scratch, error) {
	if c.istioVersion == "" {
		return nil, fmt.Errorf("the cluster at %s has no Istio (no API group %s): install it, for example with 'make deploy-istio'", c.server, istioGroup)
	}
	rules, err := manifests.Read(set.Objects)
	if err != nil {
		return nil, err
	}
	var issuer *certificates.Issuer
	if len(set.Certificates) > 0 {
		if issuer, err = certificates.NewIssuer(); err != nil {
			return nil, err
		}
		c.client = issuer.ClientOfSecret()
	}
	c.scratch = set
	found, err := c.kept(ctx)
	if err != nil {
		return nil, err
	}
	if found == nil {
		err = c.free(ctx, set)
	}
	if err := errors.Join(err, c.unclaimed(ctx, set)); err != nil {
		return nil, err
	}
	s := &Scratch{set: set, issuer: issuer, adopted: found != nil, kept: o.Keep || found != nil, Run: &Run{cluster: c, rules: rules, entries: map[manifests.Entry]openEntry{},
		name: fmt.Sprintf("%s-%04x", time.Now().UTC().Format("20060102-150405"), rand.N(1<<16))}}
	if o.Begun != nil && !s.kept {
		o.Begun(s.RestoreCommand())
	}
	var lost context.CancelCauseFunc
	s.gone, lost = context.WithCancelCause(context.WithoutCancel(ctx))
	if s.adopted {
		err = s.adopt(ctx, found, lost)
	} else {
		err = s.start(ctx, lost)
	}
	if err == nil {
		err = s.settle(ctx)
	}
	if err == nil {
		err = s.install(ctx, o)
	}
	if err == nil {
		return s, nil
	}
	s.kept = s.adopted // what is new and not complete does not stay
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*c.options.Wait)
	defer cancel()
	if _, left := s.Close(closing); left != nil {
		err = errors.Join(err, fmt.Errorf("%w: %w", ErrLeft, left))
	}
	return nil, err
}

// ErrLeft says that a run that could not begin has not removed what it had made.
var ErrLeft = errors.New("not everything that was made is removed")

// start makes the first namespace, with the lease and the journal.
func (s *Scratch) start(ctx context.Context, lost context.CancelCauseFunc) error {
	c := s.cluster
	first, err := c.makeNamespace(ctx, s.name, s.set.Namespaces[0])
	if err != nil {
		return err
	}
	s.made = []madeNamespace{first}
	if s.lease, err = c.acquire(ctx, s.name, lost); err != nil {
		return err
	}
	host, number := process()
	s.journal, err = c.newJournal(ctx, header{Name: s.name, Version: c.options.Version, Command: c.options.Command, Server: c.server,
		Namespace: c.namespace, Host: host, Process: number, Started: time.Now().UTC(),
		Kept: s.kept, StandIns: standInsOf(s.set)}, nil, line{Made: &first})
	return err
}

// settle makes the namespaces that are not there yet. The journal records each of them before it is made.
func (s *Scratch) settle(ctx context.Context) error {
	c := s.cluster
	for _, n := range s.set.Namespaces {
		if slices.ContainsFunc(s.made, func(m madeNamespace) bool { return m.Name == n.Name }) {
			continue
		}
		s.journal.add(line{Made: &madeNamespace{Name: n.Name}})
		if err := s.journal.flush(ctx); err != nil {
			return err
		}
		made, err := c.makeNamespace(ctx, s.name, n)
		if err != nil {
			return err
		}
		s.made = append(s.made, made)
		s.journal.add(line{Made: &made})
	}
	return s.journal.flush(ctx)
}

// install runs the stand-ins and the gateway pods, and waits for them. A run that uses those of DeployScratch does not change them.
func (s *Scratch) install(ctx context.Context, options ScratchOptions) error {
	c := s.cluster
	if err := s.certify(ctx); err != nil {
		return err
	}
	in := &installation{cluster: c}
	for _, n := range s.set.Namespaces {
		in.namespaces = append(in.namespaces, &home{name: n.Name})
	}
	for i, o := range slices.Concat(s.set.Objects, s.set.Ways) {
		if o.Kubernetes == nil {
			continue
		}
		want, err := c.desired(&o)
		if err == nil && o.Kind == "Deployment" && i < len(s.set.Objects) {
			err = setImage(want, options.Image)
		}
		if err == nil && (!s.adopted || options.Keep) {
			err = s.send(ctx, want)
		}
		if err != nil {
			return err
		}
		in.objects = append(in.objects, want)
	}
	if err := c.rolledOut(ctx, in.deployments()); err != nil {
		return err
	}
	bare, err := c.bare(ctx, in)
	if err == nil && len(bare) > 0 {
		err = fmt.Errorf("%s in namespace %s has no sidecar although the namespace is labelled %s=enabled: 'hellochaos doctor' checks the injection of sidecars", bare[0], bare[0].Namespace, injectionLabel)
	}
	return err
}

// send applies an object in one of the namespaces that were made.
func (s *Scratch) send(ctx context.Context, want *unstructured.Unstructured) error {
	if !slices.ContainsFunc(s.made, func(m madeNamespace) bool { return m.Name == want.GetNamespace() }) {
		return fmt.Errorf("%s is for namespace %q, which the run has not made, so the run must not write it", nameOf(want), want.GetNamespace())
	}
	return s.cluster.again(ctx, "writing "+nameOf(want).String(), func(ctx context.Context) error {
		if err := s.lease.check(ctx); err != nil {
			return err
		}
		_, err := s.cluster.put(ctx, want, nil)
		return err
	})
}

// Apply implements target.Target. The set has one form only, which was given to BeginScratch: the objects are those that it was moved
// from.
func (s *Scratch) Apply(ctx context.Context, _ []manifests.Object) error {
	ctx, done := s.whileHeld(ctx)
	defer done()
	for _, kind := range runKinds {
		for i := range s.set.Objects {
			o := &s.set.Objects[i]
			if o.Kind != kind || o.Istio == nil {
				continue
			}
			want, err := s.cluster.desired(o)
			if err == nil {
				err = s.send(ctx, want)
			}
			if err != nil {
				return err
			}
		}
	}
	for i := range s.set.Policies {
		if err := s.send(ctx, policyObject(&s.set.Policies[i])); err != nil {
			return err
		}
	}
	if s.adopted {
		if err := s.prune(ctx); err != nil {
			return err
		}
	}
	s.shut()
	if err := s.await(ctx); err != nil {
		return err
	}
	var err error
	s.baseline, err = s.cluster.bystanders(ctx)
	return err
}

// policyObject is a policy in the form that is sent to the API server.
func policyObject(p *manifests.Policy) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": p.Spec}}
	if len(p.Spec) == 0 {
		u.Object["spec"] = map[string]any{}
	}
	u.SetGroupVersionKind(unreadResources[p.Kind].GroupVersion().WithKind(p.Kind))
	u.SetNamespace(p.Namespace)
	u.SetName(p.Name)
	u.SetLabels(map[string]string{managedBy: manager})
	return u
}

// Address implements target.Target for the entries of the source.
func (s *Scratch) Address(ctx context.Context, entry manifests.Entry) (target.Address, error) {
	return s.Run.Address(ctx, s.set.Entry(entry))
}

// Incidents implements target.Target. It does not ask other sources for counts, since these do not know the namespaces.
func (s *Scratch) Incidents(ctx context.Context) ([]target.Incident, error) {
	if err := s.lookAround(ctx); err != nil {
		return nil, err
	}
	if _, err := s.look(ctx); err != nil {
		return nil, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	all := s.incidents
	s.incidents = nil
	return all, nil
}

// Describe implements target.Target.
func (s *Scratch) Describe() target.Description {
	d := s.Run.Describe()
	var others []string
	for _, n := range s.set.Namespaces[1:] {
		others = append(others, n.Name)
	}
	made := "made for the run"
	if s.kept {
		made = "deployed before"
	}
	if len(others) > 0 {
		made += " with " + strings.Join(others, ", ")
	}
	d.Detail += ", " + made
	return d
}

// Close implements target.Target. It deletes the namespaces, unless they stay.
func (s *Scratch) Close(ctx context.Context) (target.Restoration, error) {
	if len(s.made) == 0 {
		if s.lease != nil {
			return target.Restoration{}, s.lease.release(ctx)
		}
		return target.Restoration{}, nil
	}
	if s.kept {
		return s.leave(ctx)
	}
	s.shut()
	held, done := s.whileHeld(ctx)
	defer done()
	restored, err := s.removeScratch(held, s.made)
	if s.journal != nil {
		s.journal.close()
		if err == nil && s.journal.file != nil {
			err = os.Remove(s.journal.file.Name())
		}
	}
	if err != nil && s.lease != nil {
		err = errors.Join(err, s.lease.release(ctx))
	}
	return restored, err
}

// await waits until every proxy that sends requests holds the rules. In each namespace with such pods, a probe is written after the
// rules, which only the proxies of that namespace know.
func (s *Scratch) await(ctx context.Context) error {
	for _, n := range s.set.Namespaces {
		callers, err := s.callersIn(ctx, n)
		if err != nil {
			return err
		}
		if len(callers) == 0 {
			continue
		}
		p := &probe{nonce: nonce(), namespace: n.Name, of: n.Name, exportTo: []string{"."}}
		questions, err := p.questions(s.set.Objects)
		if err != nil {
			return err
		}
		if err := s.ask(ctx, p, func(ctx context.Context) error { return s.asked(ctx, callers, questions) }); err != nil {
			return err
		}
	}
	var known []string
	for _, name := range slices.Sorted(maps.Keys(s.rules.Gateways)) {
		for _, port := range s.rules.Gateways[name].Ports() {
			door := fmt.Sprint(port, s.rules.Merged(manifests.Caller{Gateway: name, Port: port}, ""))
			if slices.Contains(known, door) {
				continue
			}
			known = append(known, door)
			if err := s.obeyedAt(ctx, name, port); err != nil {
				return err
			}
		}
	}
	return nil
}

// obeyedAt waits until a gateway's pods hold the rules, asked at a port of a Gateway.
func (s *Scratch) obeyedAt(ctx context.Context, gateway string, port int) error {
	p := &probe{nonce: nonce(), namespace: s.set.Gateway, selector: s.rules.Gateways[gateway].Selector, port: port,
		credential: s.rules.Credential(manifests.Caller{Gateway: gateway, Port: port}), exportTo: []string{"."}}
	if s.set.Shared {
		p.exportTo = append(p.exportTo, istioSystem)
	}
	return s.ask(ctx, p, func(ctx context.Context) error {
		return s.convergeGateway(ctx, manifests.Entry{Gateway: gateway, Port: port}, p)
	})
}

// nonce is a new random name.
func nonce() string { return fmt.Sprintf("n%08x", rand.Uint32()) }

// ask writes a probe, and waits until the proxies that are asked about it obey, for as long as the cluster's Wait.
func (s *Scratch) ask(ctx context.Context, p *probe, obeyed func(context.Context) error) error {
	for _, u := range p.objects(s.cluster) {
		if err := s.send(ctx, u); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.cluster.options.Wait, errors.New("the time that --wait allows is over"))
	defer cancel()
	return obeyed(ctx)
}

// asked waits until the proxies of pods obey.
func (s *Scratch) asked(ctx context.Context, pods []corev1.Pod, questions []question) error {
	for i := range pods {
		err := obeyed(ctx, "the proxy of pod "+pods[i].Name, inARow, func(ctx context.Context) (string, error) {
			return s.cluster.askSidecar(ctx, &pods[i], questions)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// callersIn are the pods of a namespace that send requests through their proxies: relays, and stand-ins that make calls. Where policies
// are applied, they are all pods, since those that receive requests must obey, too.
func (s *Scratch) callersIn(ctx context.Context, n scratch.Namespace) (callers []corev1.Pod, err error) {
	for i := range s.rules.Workloads {
		w := &s.rules.Workloads[i]
		sends := w.Env["ROLE"] == "relay" || w.Env["CALLS"] != "[]" || len(s.set.Policies) > 0
		if !n.Injected || w.Namespace != n.Name || !sends {
			continue
		}
		pods, err := s.cluster.podsOf(ctx, w)
		if err != nil {
			return nil, err
		}
		callers = append(callers, pods...)
	}
	return callers, nil
}
