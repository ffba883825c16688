package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/manifests/scratch"
	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/target"
)

// DeployScratch makes the namespaces of a set, runs its stand-ins there, and applies its rules, all of which stay until Undeploy. A second
// call with the same stand-ins applies the rules of its set in place of the former ones.
func (c *Cluster) DeployScratch(ctx context.Context, set *scratch.Set, image string) error {
	s, err := c.BeginScratch(ctx, set, ScratchOptions{Image: image, Keep: true})
	if err != nil {
		return err
	}
	if err = s.Apply(ctx, nil); err == nil {
		err = s.tellEntries(ctx)
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.options.Wait)
	defer cancel()
	if _, left := s.Close(closing); left != nil {
		err = errors.Join(err, fmt.Errorf("%w: %w", ErrLeft, left))
	}
	return err
}

// tellEntries says at which addresses the gateways answer.
func (s *Scratch) tellEntries(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(s.rules.Gateways)) {
		address, err := s.Run.Address(ctx, manifests.Entry{Gateway: name})
		if err != nil {
			return err
		}
		s.cluster.say("Gateway %s answers at %s (%s)", name, address.URL, address.Way)
	}
	return nil
}

// kept is the journal of what DeployScratch has made in this namespace and others; nil where it has made nothing.
func (c *Cluster) kept(ctx context.Context) (*storedJournal, error) {
	journals, err := c.journals(ctx)
	if err != nil {
		return nil, err
	}
	for i := range journals {
		lines, err := c.readStored(runOf(&journals[i]), journals[i].Data[journalKey])
		if err == nil && lines[0].Run.Kept {
			return &storedJournal{text: journals[i].Data[journalKey], version: journals[i].ResourceVersion, lines: lines}, nil
		}
	}
	return nil, nil
}

// undeployKept deletes what DeployScratch has made, if it has made something here.
func (c *Cluster) undeployKept(ctx context.Context) (done bool, err error) {
	found, err := c.kept(ctx)
	if err != nil || found == nil {
		return false, err
	}
	if err := c.unfinished(ctx, ""); err != nil { // a run may be at work in it
		return true, err
	}
	_, err = c.Restore(ctx, found.lines[0].Run.Name, RefuseEdits, false)
	return true, err
}

// standInsOf is a hash of the stand-ins and gateway pods of a set, and of the names in their certificates: a deployment can be used again for other rules, but not for others of
// these.
func standInsOf(set *scratch.Set) string {
	hash := sha256.New()
	for _, o := range slices.Concat(set.Objects, set.Ways) {
		if o.Kubernetes != nil {
			text, _ := json.Marshal(o.Kubernetes) // objects of Kubernetes can always be marshalled
			hash.Write(append(text, '\n'))
		}
	}
	for _, c := range set.Certificates {
		fmt.Fprintln(hash, c)
	}
	return fmt.Sprintf("%x", hash.Sum(nil)[:8])
}

// undeployCommand is the command that deletes what DeployScratch has made, in quotation marks.
func (c *Cluster) undeployCommand() string { return "'hellochaos undeploy" + c.flags() + "'" }

// adopt takes up what DeployScratch has made.
func (s *Scratch) adopt(ctx context.Context, found *storedJournal, lost context.CancelCauseFunc) error {
	c := s.cluster
	undeploy := c.undeployCommand()
	if found.lines[0].Run.StandIns != standInsOf(s.set) {
		return fmt.Errorf("namespace %s has the stand-ins of other files: delete them with %s, or choose another namespace with -n", printable.Word(c.namespace), undeploy)
	}
	s.name = found.lines[0].Run.Name
	var err error
	if s.lease, err = c.acquire(ctx, s.name, lost); err != nil {
		return err
	}
	if found, err = c.storedJournal(ctx, s.name); err != nil { // it may have changed before the lease was taken
		return err
	}
	s.journal = &journal{cluster: c, run: s.name, version: found.version, stored: len(found.text)}
	s.journal.text.WriteString(found.text)
	s.made = madeBy(found.lines)
	var problems []error
	for i := range s.made {
		m := &s.made[i]
		live, err := c.namespaceNow(ctx, m.Name)
		if err == nil && live == nil && m.UID != "" {
			err = fmt.Errorf("namespace %s was deleted since it was deployed: %s deletes the others, too", m.Name, undeploy)
		}
		if err == nil {
			err = m.is(s.name, live)
		}
		problems = append(problems, err)
	}
	s.made = slices.DeleteFunc(s.made, func(m madeNamespace) bool { return m.UID == "" }) // it is made again
	return errors.Join(problems...)
}

// leave gives back the lease, and leaves everything where it is.
func (s *Scratch) leave(ctx context.Context) (target.Restoration, error) {
	s.shut()
	s.journal.close()
	return target.Restoration{Detail: fmt.Sprintf("what 'hellochaos deploy' has made stays, until 'hellochaos undeploy%s' deletes it", s.cluster.flags())}, s.lease.release(ctx)
}

// prune deletes the rules of an earlier set that are not in this one.
func (s *Scratch) prune(ctx context.Context) error {
	wanted := map[reference]bool{}
	for i := range s.set.Objects {
		o := &s.set.Objects[i]
		wanted[s.cluster.referenceOf(o)] = true
	}
	for i := range s.set.Policies {
		p := &s.set.Policies[i]
		wanted[reference{p.Kind, p.Namespace, p.Name}] = true
	}
	for _, kind := range append(slices.Sorted(maps.Keys(unreadResources)), "VirtualService", "Gateway", "DestinationRule", "ServiceEntry", "Sidecar") {
		for _, m := range s.made {
			objects, err := s.cluster.labelled(ctx, kind, m.Name, ourObjects)
			if err != nil {
				return err
			}
			for i := range objects {
				ref, uid := nameOf(&objects[i]), objects[i].GetUID()
				if wanted[ref] || ref.Name == probeName {
					continue
				}
				err := s.cluster.again(ctx, "deleting "+ref.String(), func(ctx context.Context) error {
					return s.cluster.at(ref).Delete(ctx, ref.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
				})
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}
