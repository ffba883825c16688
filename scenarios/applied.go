package scenarios

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
)

// describeObjects notes what the run applies.
func (r *Run) describeObjects() (err error) {
	for _, phases := range r.phases {
		objects, err := introduced(phases[0].objects, phases[1].objects)
		if err != nil {
			return err
		}
		r.introduced = append(r.introduced, objects)
	}
	r.hash, err = hash(r.Objects())
	return err
}

// canonical is an object as it is applied, as JSON with sorted members: the same for the same object, wherever it was read
// from and however it was written.
func canonical(o *manifests.Object) ([]byte, error) {
	object, err := o.Unstructured()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("writing %s as JSON: %w", o.Name(), err)
	}
	return text, nil
}

// hash is the SHA-256 of sets of objects, in their order, in hexadecimal digits.
func hash(sets [][]manifests.Object) (string, error) {
	sum := sha256.New()
	for _, set := range sets {
		fmt.Fprintf(sum, "%d objects\n", len(set))
		for i := range set {
			text, err := canonical(&set[i])
			if err != nil {
				return "", err
			}
			sum.Write(append(text, '\n')) // JSON has no raw line end, so no two lists of objects are the same text
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// introduced are the objects of a set that another does not have, or not so.
func introduced(before, after []manifests.Object) ([]reports.Manifest, error) {
	type identity struct{ kind, namespace, name string }
	was := map[identity][]byte{}
	for i := range before {
		o := &before[i]
		text, err := canonical(o)
		if err != nil {
			return nil, err
		}
		was[identity{o.Kind, o.Meta.Namespace, o.Meta.Name}] = text
	}
	var all []reports.Manifest
	for i := range after {
		o := &after[i]
		text, err := canonical(o)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(text, was[identity{o.Kind, o.Meta.Namespace, o.Meta.Name}]) {
			continue
		}
		written, err := yaml.JSONToYAML(text)
		if err != nil {
			return nil, fmt.Errorf("writing %s as YAML: %w", o.Name(), err)
		}
		all = append(all, reports.Manifest{Kind: o.Kind, Name: o.Meta.Name, File: o.File, YAML: string(written)})
	}
	return all, nil
}
