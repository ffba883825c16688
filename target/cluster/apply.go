package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Apply implements target.Target. It first writes the objects that are new or different and then removes those that are not
// in the set any more, so that no rule points at an object that does not exist. Then it waits until every proxy obeys. With Options.Gradual
// it does so step by step. After an error part of the set may be in force; Close takes it back.
func (r *Run) Apply(ctx context.Context, objects []manifests.Object) error {
	ctx, done := r.whileHeld(ctx)
	defer done()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !r.cluster.options.Gradual {
		r.shut()
		return r.obey(ctx, objects)
	}
	r.outdate()
	for _, step := range steps(r.applied, objects) {
		if err := r.obey(ctx, step); err != nil {
			return err
		}
		r.applied = step
	}
	return nil
}

// steps are those of manifests.Steps without sets on the way that no rules can be read of, since objects of two sets may contradict each other.
// There is at least one: what others have changed meanwhile is written again.
func steps(from, to []manifests.Object) (all [][]manifests.Object) {
	for _, step := range manifests.Steps(from, to) {
		if _, err := manifests.Read(step); err == nil {
			all = append(all, step)
		}
	}
	if len(all) == 0 {
		all = append(all, to)
	}
	return all
}

// obey writes a set of objects and waits until every proxy obeys it.
func (r *Run) obey(ctx context.Context, objects []manifests.Object) error {
	rules, err := manifests.Read(objects)
	if err != nil {
		return err
	}
	wanted, err := r.wanted([][]manifests.Object{objects})
	if err != nil {
		return err
	}
	r.rules = rules
	made, err := r.write(ctx, wanted)
	if err != nil {
		return err
	}
	p := r.newProbe(objects)
	p.fresh = withPods(made, rules, r.cluster.namespace)
	questions, err := p.questions(objects)
	if err != nil {
		return err
	}
	if err := r.writeProbe(ctx, p); err != nil {
		return err
	}
	return r.converge(ctx, p, questions)
}

// write makes the namespace hold exactly the wanted objects, of those that the run may change. made are the Services that were not there.
// What is still as the run left it, and is wanted so, is not tried again.
func (r *Run) write(ctx context.Context, wanted []*unstructured.Unstructured) (made []*unstructured.Unstructured, err error) {
	live, err := r.standing(ctx)
	if err != nil {
		return nil, err
	}
	kept := map[reference]bool{}
	for _, u := range wanted {
		ref := nameOf(u)
		kept[ref] = true
		rec := r.record(ref)
		if rec == nil {
			return nil, fmt.Errorf("the journal does not record what %s was before the run, so the run must not change it", ref)
		}
		if ref.Kind == "Service" && rec.ours == nil {
			made = append(made, u)
		}
		if rec.stands(live[ref], u) {
			continue
		}
		if _, err := r.change(ctx, rec, u); err != nil {
			return nil, err
		}
	}
	for _, rec := range slices.Backward(r.known) {
		if kept[rec.reference] || rec.stands(live[rec.reference], nil) {
			continue
		}
		if _, err := r.change(ctx, rec, nil); err != nil {
			return nil, err
		}
	}
	// The line about the last write is stored together with the next intent; after the last object it is stored here.
	return made, r.journal.flush(ctx)
}

// standing are the objects of the run that there are now. It lists those of a kind together: a run may change many, of which most are not there.
func (r *Run) standing(ctx context.Context) (map[reference]*unstructured.Unstructured, error) {
	all := map[reference]*unstructured.Unstructured{}
	listed := map[reference]bool{} // by kind and namespace
	for _, rec := range r.known {
		of := reference{Kind: rec.reference.Kind, Namespace: rec.reference.Namespace}
		if listed[of] {
			continue
		}
		listed[of] = true
		err := r.cluster.again(ctx, fmt.Sprintf("listing each %s in namespace %s", of.Kind, of.Namespace), func(ctx context.Context) error {
			list, err := r.cluster.listObjects(ctx, r.cluster.resource(of.Kind))(of.Namespace)
			for _, u := range list {
				all[reference{of.Kind, of.Namespace, u.GetName()}] = u
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// withPods are those of some Services, as "name.namespace", that lead to pods of a Deployment of the rules. Kubernetes finds the pods of a new
// Service by itself, some time after it was written.
func withPods(services []*unstructured.Unstructured, rules *manifests.Rules, namespace string) (names []string) {
	for _, u := range services {
		selector, _, _ := unstructured.NestedStringMap(u.Object, "spec", "selector")
		leads := func(w manifests.Workload) bool {
			return w.Replicas > 0 && labels.SelectorFromSet(selector).Matches(labels.Set(w.Labels))
		}
		if len(selector) > 0 && slices.ContainsFunc(rules.Workloads, leads) {
			names = append(names, u.GetName()+"."+namespace)
		}
	}
	return names
}

// newProbe makes a probe, with a new nonce, for the rules that were applied last, which are those of some objects.
func (r *Run) newProbe(objects []manifests.Object) *probe {
	p := &probe{nonce: nonce(), namespace: r.cluster.namespace, routed: r.routed}
	if p.parent, p.parentHost = listenerOf(objects, p.host()); p.parent != "" {
		return p
	}
	for name, gateway := range r.rules.Gateways {
		p.selector, p.port = gateway.Selector, gateway.Entrance("")
		p.credential = r.rules.Credential(manifests.Caller{Gateway: name, Port: p.port})
	}
	return p
}

// writeProbe writes a probe's objects. It writes no line about them to the journal, since the first lines of the journal name
// them, and a restore removes them whatever their content is.
func (r *Run) writeProbe(ctx context.Context, p *probe) error {
	for _, u := range p.objects(r.cluster) {
		ref := nameOf(u)
		err := r.cluster.again(ctx, "writing "+ref.String(), func(ctx context.Context) error {
			_, err := r.cluster.applier(ref, nil, u)(ctx, nil)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// entryService is the Service of the chain's first hop.
const entryService = "frontend"

// steadyRequests is how many requests show how the chain answers without failures.
const steadyRequests = 20

// steadyState is how the chain answers when no failure is asked for: the statuses of all hops (services on the way), for
// requests that the API server passes on to a pod of the chain's first service. It is empty when that pod does not exist or
// is not ready.
func (c *Cluster) steadyState(ctx context.Context, rules *manifests.Rules) (string, error) {
	for i := range rules.Workloads {
		w := &rules.Workloads[i]
		if !c.ours(w) || w.Labels["app"] != entryService {
			continue
		}
		pods, err := c.podsOf(ctx, w)
		if err != nil || len(pods) == 0 || !ready(&pods[0]) {
			return "", err
		}
		seen := map[string]bool{}
		for range steadyRequests {
			body, err := c.core.CoreV1().RESTClient().Get().Namespace(pods[0].Namespace).Resource("pods").SubResource("proxy").
				Name(fmt.Sprintf("%s:%d", pods[0].Name, portOf(&pods[0]))).Suffix("/").SetHeader("Accept", "application/json").DoRaw(ctx)
			if err != nil {
				return "", fmt.Errorf("asking the chain through the API server how it answers: %w", err)
			}
			hop, err := trail.Decode(body)
			if err != nil {
				return "", fmt.Errorf("asking the chain how it answers: %w; is the image of its pods from the same version as this hellochaos?", err)
			}
			seen[statuses(hop)] = true
		}
		return strings.Join(slices.Sorted(maps.Keys(seen)), " or "), nil
	}
	return "", nil
}

// statuses lists the statuses in a trail, each hop before the hops that it called: "200 200 200 502".
func statuses(hop *trail.Hop) string {
	text := strconv.Itoa(hop.Status)
	for i := range hop.Calls {
		if call := &hop.Calls[i]; call.Hop != nil {
			text += " " + statuses(call.Hop)
		} else {
			text += " " + strconv.Itoa(call.Status)
		}
	}
	return text
}
